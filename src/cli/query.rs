//! `edgemill query`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytesize::ByteSize;

use super::show;
use crate::edge::athena::{Athena, Scanned};
use crate::edge::catalog::statement_output;
use crate::error::{EXIT_DONE, Error, Result};
use crate::lake::{CatalogChoice, Lake};
use crate::prices::{Prices, dollars};
use crate::query::{self, Answer, Format};
use crate::signals;

/// Ask a lake in SQL
///
#[expect(clippy::doc_markdown, reason = "this is the help text, where backticks would be shown")]
/// Tables: cloudfront_logs, alb_logs, rejects. Views: cf_logs (the names of AWS's blog of 2017), cloudfront_standard_logs (the
/// names of AWS's documentation), access_logs (one shape over both sources).
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", env = "EDGEMILL_LAKE")]
    lake: String,
    /// One statement
    #[arg(group = "what", value_name = "SQL")]
    sql: Option<String>,
    /// One of the queries that come with edgemill: bots, bytes, viewers over cf_logs; access_bots, access_bytes, access_viewers
    /// over access_logs
    #[arg(long, group = "what", value_name = "NAME")]
    name: Option<String>,
    /// A file that holds one statement
    #[arg(long, group = "what", value_name = "FILE")]
    file: Option<PathBuf>,
    /// How to print the answer; --json is json, one object a line
    #[arg(long, value_enum, default_value = "table")]
    format: FormatArg,
    /// Who answers: this process, from the lake's files, or Athena, from the lake's catalog
    #[arg(long, value_enum, default_value = "local", env = "EDGEMILL_ENGINE")]
    engine: EngineArg,
    /// Athena's workgroup [default: that of the lake's catalog, or primary]
    #[arg(long, value_name = "NAME", env = "EDGEMILL_WORKGROUP")]
    workgroup: Option<String>,
    /// Athena's database [default: that of the lake's catalog]
    #[arg(long, value_name = "NAME", env = "EDGEMILL_DATABASE")]
    database: Option<String>,
    /// Where Athena writes its results, unless the workgroup enforces a place of its own [default: where the workgroup says, or
    /// `_edgemill/athena` in the lake]
    #[arg(long, value_name = "URL", env = "EDGEMILL_OUTPUT")]
    output: Option<String>,
    /// A file of prices, as src/prices.toml of the repository [default: list prices of us-east-1]
    #[arg(long, value_name = "FILE", env = "EDGEMILL_PRICES")]
    prices: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatArg {
    /// For people
    Table,
    /// With a header
    Csv,
    /// One object a line
    Json,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum EngineArg {
    /// This process
    Local,
    /// Amazon Athena
    Athena,
}

impl Args {
    fn statement(&self) -> Result<String> {
        match (&self.sql, &self.name, &self.file) {
            (Some(sql), ..) => Ok(sql.clone()),
            (_, Some(name), _) => query::named(name).map(str::to_owned),
            (_, _, Some(file)) => std::fs::read_to_string(file).map_err(|error| {
                Error::usage(
                    format!("cannot read the query '{}': {error}", file.display()),
                    "name a text file with one statement",
                )
            }),
            _ => Err(Error::usage("no query was given", "give SQL, --name or --file")),
        }
    }

    /// Where Athena is to answer: what was typed, or what the lake's catalog says.
    async fn athena(&self, lake: &Lake) -> Result<Athena> {
        let chosen = match &lake.chosen {
            CatalogChoice::Athena { workgroup, .. } => Some(workgroup.clone()),
            _ => None,
        };
        let workgroup = self.workgroup.clone().or(chosen).unwrap_or_else(|| "primary".to_owned());
        let database = self.database.as_deref().or_else(|| lake.chosen.database().map(|(database, _)| database));
        let Some(database) = database else {
            return Err(Error::usage(
                format!("the lake '{}' has no catalog that Athena reads", self.lake),
                "give it one with edgemill init --catalog glue:DATABASE, or name --database",
            ));
        };
        let athena = Athena::open(&workgroup, database, statement_output(lake.objects.url())).await;
        Ok(self.output.clone().map_or_else(|| athena.clone(), |output| athena.clone().with_output(output)))
    }
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let sql = args.statement()?;
    let format = match args.format {
        _ if json => Format::Json,
        FormatArg::Table => Format::Table,
        FormatArg::Csv => Format::Csv,
        FormatArg::Json => Format::Json,
    };
    let lake = Lake::open(&args.lake).await?;
    let answer = match args.engine {
        EngineArg::Local => {
            let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
            query::ask(&lake, &sql, threads).await?
        }
        EngineArg::Athena => Box::pin(ask_athena(&args, &lake, &sql)).await?,
    };
    query::print(&answer, format, &mut std::io::stdout().lock())?;
    Ok(EXIT_DONE)
}

async fn ask_athena(args: &Args, lake: &Lake, sql: &str) -> Result<Answer> {
    let prices = Prices::of(args.prices.as_deref())?;
    let athena = args.athena(lake).await?;
    let (answer, scanned) = signals::until_stopped(query::ask_athena(&athena, sql)).await?;
    // Who may not read the ledger is told the price of the query alone.
    let raw_bytes = query::raw_bytes(lake, sql).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the raw logs' size is not known");
        0
    });
    show::aside(&bill(&prices, scanned, raw_bytes));
    Ok(answer)
}

/// What a query read and cost, beside the raw logs.
fn bill(prices: &Prices, scanned: Scanned, raw_bytes: u64) -> String {
    let Scanned { scanned_bytes, engine_milliseconds, .. } = scanned;
    let cost = if scanned.is_billed { prices.scan(scanned_bytes) } else { 0.0 };
    let (read, cost) = (ByteSize(scanned_bytes), dollars(cost));
    let seconds = std::time::Duration::from_millis(engine_milliseconds).as_secs_f64();
    let raw = if raw_bytes == 0 || !scanned.is_billed {
        String::new()
    } else {
        let (raw, cost) = (ByteSize(raw_bytes), dollars(prices.scan(raw_bytes)));
        format!("; the raw logs, which have no partitions: {raw}, {cost}")
    };
    format!("scanned {read} in {seconds:.1} s, {cost}{raw} ({}, {})", prices.region, prices.date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bill_says_both_prices() {
        let prices = Prices::of(None).unwrap();
        let scanned =
            Scanned { scanned_bytes: 1 << 20, engine_milliseconds: 1_500, queued_milliseconds: 0, is_billed: true };
        let said = bill(&prices, scanned, 2_000_000_000_000);
        assert!(said.starts_with("scanned 1.0 MiB in 1.5 s, $0.000050; the raw logs"), "{said}");
        assert!(said.contains("$10.00 (us-east-1"), "{said}");
        assert!(!bill(&prices, scanned, 0).contains("raw"));
        assert!(bill(&prices, Scanned { is_billed: false, ..scanned }, 1).contains("$0.00"));
    }
}
