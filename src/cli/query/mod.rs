//! `edgemill query`
//!
//! | file | what it does |
//! |-|-|
//! | `out` | where an answer goes: the screen or a new file; what is tidied up after a stop |

mod out;

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use bytesize::ByteSize;

use super::show;
use crate::edge::athena::{Athena, Scanned};
use crate::edge::catalog::statement_output;
use crate::error::{EXIT_DONE, Error, Result};
use crate::job::said::look_and_mend;
use crate::lake::{CatalogChoice, Lake};
use crate::prices::{Prices, dollars};
use crate::query;
use crate::query::{AnswerFormat, Limits};
use crate::signals;
use crate::stats::either;
use out::{NewFile, Patient, Watch};

const EXAMPLES: &str = "\
Examples:
  # One of the queries that come with edgemill
  edgemill query --lake lake --name bots
  # Your own, to a file
  edgemill query --lake lake --output statuses.csv \\
    'SELECT sc_status, count(*) AS ct FROM cloudfront_logs GROUP BY 1 ORDER BY 2 DESC'";

/// What `--output` says of standard output.
const STANDARD_OUTPUT: &str = "-";

/// The headings of its options.
const QUESTION: &str = "What is asked";
const ANSWER: &str = "The answer";
const ENGINE: &str = "Who answers";

/// Ask a lake in SQL
///
#[expect(clippy::doc_markdown, reason = "this is the help text, where backticks would be shown")]
/// Tables: cloudfront_logs, alb_logs, rejects. Views: cf_logs (the names of AWS's blog of 2017),
/// cloudfront_standard_logs (the names of AWS's documentation), access_logs (one shape over both
/// sources). The local engine speaks the SQL of Apache DataFusion, and prints rows while it reads:
/// those of a plain SELECT in the order of time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("what").required(true))]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", env = "EDGEMILL_LAKE", help_heading = QUESTION)]
    lake: String,
    /// One statement
    #[arg(group = "what", value_name = "SQL")]
    sql: Option<String>,
    /// One of the queries that come with edgemill: bots, bytes, viewers over cf_logs; access_bots,
    /// access_bytes, access_viewers over access_logs
    #[arg(long, group = "what", value_name = "NAME", help_heading = QUESTION)]
    name: Option<String>,
    /// A file that holds one statement
    #[arg(long, group = "what", value_name = "FILE", help_heading = QUESTION)]
    file: Option<PathBuf>,
    /// How to write the answer; --json is json, one object a line [default: what the ending of
    /// --output says (.csv, .json, .jsonl, .ndjson, .txt), or table]
    #[arg(long, value_enum, help_heading = ANSWER)]
    format: Option<AnswerFormatArg>,
    /// Who answers: this process, from the lake's files, or Athena, from the lake's catalog
    #[arg(long, value_enum, default_value = "local", env = "EDGEMILL_ENGINE", help_heading = ENGINE)]
    engine: EngineArg,
    /// Local: write the answer to this file, which must not be there yet; - stands for standard
    /// output. Athena: where it writes its results, unless the workgroup enforces a place of its
    /// own [default: where the workgroup says, or `_edgemill/athena` in the lake] [env, of Athena's
    /// only: `EDGEMILL_OUTPUT`]
    #[arg(long, value_name = "FILE or URL", help_heading = ANSWER)]
    output: Option<String>,
    /// Local: memory to use at most. Sorting, grouping and some joins go on in temporary files
    /// (TMPDIR) where it is not enough [default: 1GiB] [env: `EDGEMILL_MEMORY`]
    #[arg(long, value_name = "BYTES", help_heading = ENGINE)]
    memory: Option<ByteSize>,
    /// Athena's workgroup [default: that of the lake's catalog, or primary] [env:
    /// `EDGEMILL_WORKGROUP`]
    #[arg(long, value_name = "NAME", help_heading = ENGINE)]
    workgroup: Option<String>,
    /// Athena's database [default: that of the lake's catalog] [env: `EDGEMILL_DATABASE`]
    #[arg(long, value_name = "NAME", help_heading = ENGINE)]
    database: Option<String>,
    /// Athena's prices: a file as src/prices.toml of the repository [default: list prices of
    /// us-east-1] [env: `EDGEMILL_PRICES`]
    #[arg(long, value_name = "FILE", help_heading = ENGINE)]
    prices: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum AnswerFormatArg {
    /// For people; the first 1,000 rows say how wide its columns are, a longer value makes its own
    /// line longer
    Table,
    /// With a header
    Csv,
    /// One object a line
    Json,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
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

    /// Refuses what was typed and would be of no effect. (What the environment says is meant for
    /// the engine that has a use for it.)
    fn refuse_idle_options(&self) -> Result<()> {
        let typed: &[(&str, bool)] = match self.engine {
            EngineArg::Local => &[
                ("--workgroup", self.workgroup.is_some()),
                ("--database", self.database.is_some()),
                ("--prices", self.prices.is_some()),
            ],
            EngineArg::Athena => &[("--memory", self.memory.is_some())],
        };
        match typed.iter().find(|(_, typed)| *typed) {
            None => Ok(()),
            Some((option, _)) => Err(match self.engine {
                EngineArg::Local => Error::usage(
                    format!("{option} is for Athena, and this process answers"),
                    "leave it out, or add --engine athena",
                ),
                EngineArg::Athena => Error::usage(
                    format!("{option} is for the local engine, and Athena answers"),
                    "leave it out, or add --engine local",
                ),
            }),
        }
    }

    fn format(&self, json: bool) -> Result<AnswerFormat> {
        let ending = || {
            let file = self.file_output()?;
            file.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase)
        };
        let format = match (self.format, json) {
            (None | Some(AnswerFormatArg::Json), true) => AnswerFormatArg::Json,
            (Some(_), true) => {
                return Err(Error::usage("--json and --format ask for two formats", "leave one of them out"));
            }
            (Some(format), false) => format,
            (None, false) => match (ending().as_deref(), self.file_output()) {
                (_, None) | (Some("txt"), _) => AnswerFormatArg::Table,
                (Some("csv"), _) => AnswerFormatArg::Csv,
                (Some("json" | "jsonl" | "ndjson"), _) => AnswerFormatArg::Json,
                (_, Some(file)) => {
                    return Err(Error::usage(
                        format!("the name '{}' does not say what is to be in it", file.display()),
                        "add --format table, csv or json",
                    ));
                }
            },
        };
        Ok(match format {
            AnswerFormatArg::Table => AnswerFormat::Table,
            AnswerFormatArg::Csv => AnswerFormat::Csv,
            AnswerFormatArg::Json => AnswerFormat::Json,
        })
    }

    /// The file that the answer is written to; none where it is standard output.
    fn file_output(&self) -> Option<&Path> {
        let output = self.output.as_deref().filter(|output| *output != STANDARD_OUTPUT);
        output.filter(|_| self.engine == EngineArg::Local).map(Path::new)
    }

    /// Where Athena is to answer: what was typed, what the environment says, or what the lake's
    /// catalog says.
    async fn athena(&self, lake: &Lake) -> Result<Athena> {
        let chosen = match &lake.chosen {
            CatalogChoice::Athena { workgroup, .. } => Some(workgroup.clone()),
            _ => None,
        };
        let workgroup = self.workgroup.clone().or_else(|| told("EDGEMILL_WORKGROUP")).or(chosen);
        let workgroup = workgroup.unwrap_or_else(|| "primary".to_owned());
        let database = self.database.clone().or_else(|| told("EDGEMILL_DATABASE"));
        let Some(database) = database.or_else(|| lake.chosen.database().map(|(database, _)| database.to_owned()))
        else {
            return Err(Error::usage(
                format!("the lake '{}' has no catalog that Athena reads", self.lake),
                "give it one with edgemill init --catalog glue:DATABASE, or name --database",
            ));
        };
        let athena = Athena::open(&workgroup, &database, statement_output(lake.objects.url())).await;
        let output = self.output.clone().or_else(|| told("EDGEMILL_OUTPUT"));
        // What Athena answers is printed wherever it keeps its results.
        let output = output.filter(|output| output != STANDARD_OUTPUT);
        Ok(output.map_or_else(|| athena.clone(), |output| athena.clone().with_output(output)))
    }
}

/// What the environment says.
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    args.refuse_idle_options()?;
    let sql = args.statement()?;
    let format = args.format(json)?;
    let rows = match args.engine {
        EngineArg::Local => Box::pin(locally(&args, &sql, format)).await?,
        EngineArg::Athena => Box::pin(in_athena(&args, &sql, format)).await?,
    };
    let rows = show::grouped(rows) + either(rows, " row", " rows");
    match args.file_output() {
        Some(file) => show::aside(&format!("{rows} in {}", file.display())),
        None if format == AnswerFormat::Table => show::aside(&format!("({rows})")),
        None => (),
    }
    Ok(EXIT_DONE)
}

async fn locally(args: &Args, sql: &str, format: AnswerFormat) -> Result<u64> {
    let memory = match (args.memory, told("EDGEMILL_MEMORY")) {
        (Some(memory), _) => Some(memory),
        (None, Some(said)) => Some(said.parse().map_err(|error| {
            Error::usage(format!("EDGEMILL_MEMORY: {error}"), "mend the variable of the environment, or unset it")
        })?),
        (None, None) => None,
    };
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let limits = Limits::new(threads, memory.map(|memory| memory.as_u64()))?;
    let mut file = args.file_output().map(NewFile::create).transpose()?;
    let _watch = Watch::begin(Some(limits.clone()), file.as_ref().map(|file| file.part().to_owned()));
    let lake = Lake::open(&args.lake).await?;
    let mendable = |error: Error| error.mended_by(|| look_and_mend(&args.lake));
    match &mut file {
        None => {
            let answered = query::answer(&lake, sql, &limits, format, &mut Patient(std::io::stdout())).await;
            answered.map_err(mendable)
        }
        Some(file) => {
            let answered = query::answer(&lake, sql, &limits, format, &mut Patient(file.writer())).await;
            let rows = answered.map_err(mendable)?;
            file.finish()?;
            Ok(rows)
        }
    }
}

async fn in_athena(args: &Args, sql: &str, format: AnswerFormat) -> Result<u64> {
    let prices = Prices::of(args.prices.clone().or_else(|| told("EDGEMILL_PRICES").map(PathBuf::from)).as_deref())?;
    let lake = Lake::open(&args.lake).await?;
    let athena = args.athena(&lake).await?;
    let (id, scanned) = signals::until_stopped(query::run_athena(&athena, sql)).await?;
    // Who may not read the ledger is told the price of the query alone.
    let raw_bytes = query::raw_bytes(&lake, sql).await.unwrap_or_else(|error| {
        tracing::debug!(%error, "the raw logs' size is not known");
        0
    });
    show::aside(&bill(&prices, scanned, raw_bytes));
    let _watch = Watch::begin(None, None);
    query::print_athena(&athena, &id, format, &mut Patient(std::io::stdout())).await
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
