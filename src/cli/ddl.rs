//! `edgemill ddl`

use super::show;
use crate::error::{EXIT_DONE, Error, Result};
use crate::kernel::ddl;
use crate::model::{Granularity, Table};

const EXAMPLES: &str = "\
Examples:
  # All of them, for Athena
  edgemill ddl --lake s3://your-lake-bucket/lake
  # One table and its views, for Spark
  edgemill ddl --table cloudfront_logs --dialect spark --lake lake";

/// Print the tables and views as SQL
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Only this table and its views
    #[arg(long, value_name = "TABLE")]
    table: Option<String>,
    /// For which engine
    #[arg(long, value_enum, default_value = "athena")]
    dialect: DialectArg,
    /// How long the lake's partitions are: hour, day or month
    #[arg(long, value_name = "GRANULARITY", default_value = "hour", env = "EDGEMILL_PARTITION")]
    partition: Granularity,
    /// Where the lake lies
    #[arg(long, value_name = "URL", default_value = "s3://YOUR-BUCKET/lake", env = "EDGEMILL_LAKE")]
    lake: String,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum DialectArg {
    /// Amazon Athena
    Athena,
    /// Amazon Athena, with partitions that nobody registers
    AthenaProjection,
    /// Spark SQL
    Spark,
}

pub(super) fn run(args: &Args, json: bool) -> Result<u8> {
    let table = args.table.as_deref().map(|name| {
        let names: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
        let found = Table::named(name);
        found.ok_or_else(|| {
            Error::usage(format!("there is no table '{name}'"), format!("choose one of {}", names.join(", ")))
        })
    });
    let dialect = match args.dialect {
        DialectArg::Athena => ddl::Dialect::Athena,
        DialectArg::AthenaProjection => ddl::Dialect::AthenaProjection,
        DialectArg::Spark => ddl::Dialect::Spark,
    };
    let script = ddl::script(dialect, &args.lake, table.transpose()?, args.partition);
    if json {
        show::json(&serde_json::json!({ "sql": script }))?;
    } else {
        show::line(script.trim_end())?;
    }
    Ok(EXIT_DONE)
}
