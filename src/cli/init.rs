//! `edgemill init`

use std::time::Duration;

use super::show;
use crate::edge::ledger::DynamoLedger;
use crate::error::{EXIT_DONE, Error, Result};
use crate::lake::{CatalogChoice, Lake, LedgerChoice, NewLake};
use crate::model::Granularity;

/// Make a lake and the table of its ledger, where they are not there yet
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX`; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: String,
    /// Where the lake keeps its records: lake (in itself) or dynamodb:TABLE, made with on-demand capacity
    #[arg(long, value_name = "LEDGER", default_value = "lake", env = "EDGEMILL_LEDGER")]
    ledger: LedgerChoice,
    /// How long its partitions are: hour, day or month [default: hour]
    #[arg(long, value_name = "GRANULARITY", env = "EDGEMILL_PARTITION")]
    partition: Option<Granularity>,
    /// The catalog that engines follow: none, or lake (one small object a partition, in the lake itself)
    #[arg(long, value_name = "CATALOG", default_value = "none", env = "EDGEMILL_CATALOG")]
    catalog: CatalogChoice,
    /// The longest that a call to the store may be under way; what replaces rows waits as long [default: 2s]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    late: Option<Duration>,
    /// The longest that a query over the catalog may take; what replaces rows waits as long [default: 5min]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    queries: Option<Duration>,
    /// For tests, where every process is either alive or dead: do not wait at all
    #[arg(long, hide = true, conflicts_with = "late")]
    no_late: bool,
}

/// Rounded up: a wait may be longer than it must, never shorter.
fn whole_seconds(late: Duration) -> Result<u64> {
    if late < Duration::from_secs(1) {
        return Err(Error::usage("--late is less than a second", "give what the slowest call may take, such as 2s"));
    }
    Ok(late.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX))
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    if let LedgerChoice::Dynamodb { table } = &args.ledger {
        DynamoLedger::create_table(table).await?;
    }
    let new = NewLake {
        ledger: Some(args.ledger.clone()),
        partition: args.partition,
        late_seconds: if args.no_late { Some(0) } else { args.late.map(whole_seconds).transpose()? },
        query_seconds: args.queries.map(|queries| queries.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
    };
    let mut lake = Lake::open_or_create(&args.to, &new).await?;
    if args.catalog != CatalogChoice::None {
        lake.choose_catalog(args.catalog).await?;
    }
    if json {
        show::json(&lake.identity)?;
    } else {
        show::line(&format!("the lake {} in {}, its records in {}", lake.identity.lake_id, args.to, args.ledger))?;
    }
    Ok(EXIT_DONE)
}
