//! `edgemill init`

use std::time::Duration;

use super::options::{Given, JobFileArg, RUNNING, Subset, only};
use super::show;
use crate::error::{EXIT_DONE, Error, Result};
use crate::init;
use crate::init::InitOptions;
use crate::job;
use crate::job::Options;
use crate::job::rows::RowChoices;
use crate::job::said::mending;
use crate::kernel::policy::privacy::in_words;
use crate::kernel::schema::SOURCES;
use crate::lake::people::Chosen;
use crate::lake::said::AlreadySaid;
use crate::lake::{Lake, NewLake};
use crate::model::Table;
use crate::signals;
use crate::stats::count;

const EXAMPLES: &str = "\
Examples:
  # A lake that Athena reads, and whose ledger is a table of DynamoDB
  edgemill init --to s3://your-lake-bucket/lake --catalog glue:edgemill \\
    --ledger dynamodb:edgemill
  # From now on the lake keeps networks of people, not their addresses
  edgemill init --to lake --client-ip truncate";

/// What a lake is made with.
#[derive(Debug)]
enum Making {}

impl Subset for Making {
    fn takes(name: &str) -> bool {
        matches!(
            name,
            "to" | "ledger"
                | "partition"
                | "format"
                | "lease"
                | "orphan_age"
                | "client_ip"
                | "client_ip_key_file"
                | "drop"
                | "redact"
                | "catalog"
                | "encryption"
        )
    }

    fn help(name: &str) -> Option<String> {
        (name == "format").then(|| {
            let words: Vec<&str> = SOURCES.iter().map(|source| source.cli_name).collect();
            let words = words.join(", ");
            format!("The logs whose choice is made by --client-ip, --drop and --redact: {words}, or all (auto)")
        })
    }
}

/// Make a lake, the table of its ledger, and the tables and views of its catalog, or bring them up
/// to date
///
/// Run it again after an upgrade of edgemill: new columns are added to the catalog's tables and
/// partitions. A lake may get a catalog later; every partition that it has is registered then.
///
/// What a lake keeps of people is set by the first run, or here, and every later run is held to it.
/// Only this verb changes it, and only if it is told one of --client-ip, --drop and --redact, by
/// the job file too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    options: Given<Making>,
    #[command(flatten)]
    file: JobFileArg,
    /// The longest that a call to the store may be under way; what replaces rows waits as long
    /// [default: 2s for a folder, 3min for S3]
    #[arg(long, alias = "late", value_name = "D", value_parser = humantime::parse_duration, help_heading = RUNNING)]
    max_call_delay: Option<Duration>,
    /// The longest that a query over the catalog may take; what replaces rows waits as long
    /// [default: 5min]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration, help_heading = RUNNING)]
    queries: Option<Duration>,
    /// For tests, where every process is either alive or dead: do not wait at all
    #[arg(long, hide = true, conflicts_with = "max_call_delay")]
    no_late: bool,
}

/// Rounded up: a wait may be longer than it must, never shorter.
fn whole_seconds(time: Duration) -> u64 {
    time.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)
}

fn max_call_delay(args: &Args) -> Result<Option<u64>> {
    if args.no_late {
        return Ok(Some(0));
    }
    if args.max_call_delay.is_some_and(|delay| delay < Duration::from_secs(1)) {
        let hint = "give what the slowest call may take, such as 2s";
        return Err(Error::usage("--max-call-delay is less than a second", hint));
    }
    Ok(args.max_call_delay.map(whole_seconds))
}

/// What was typed, over the job file: the lake that is wished for, and every option.
fn wished(args: Args) -> Result<(InitOptions, Options)> {
    let late_seconds = max_call_delay(&args)?;
    let query_seconds = args.queries.map(whole_seconds);
    // Of a job file that a conversion has too, nothing else is looked at: no file that it names
    // need be there.
    let options = only::<Making>(args.options.typed.over_file(args.file.path())?).decided();
    let choices = RowChoices::new(&options)?;
    let tables = options.format.table().map_or_else(|| Table::LOGS.to_vec(), |table| vec![table]);
    let wish = InitOptions {
        to: options.to.clone().ok_or_else(|| job::missing("to"))?,
        new: NewLake {
            ledger: options.ledger.clone(),
            partition: options.partition,
            max_call_delay_seconds: late_seconds,
            query_seconds,
        },
        catalog: options.catalog.clone(),
        access: options.lake_access(),
        keeps: choices.says_what_is_kept.then(|| (choices.privacy.stamp(), tables)),
        lease: options.lease,
        orphan_age: options.orphan_age,
    };
    Ok((wish, options))
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let (wish, options) = wished(args)?;
    let done = signals::until_stopped(Box::pin(init::init(&wish))).await?;
    let identity = &done.lake.identity;
    let changes: Vec<String> = done.changes.iter().map(ToString::to_string).collect();
    let mut kept = Vec::new();
    for of in &done.kept {
        kept.push((of, commands(of, &done.lake, &wish, &options).await?));
    }
    if json {
        let mut shown = serde_json::to_value(identity).map_err(|error| Error::encode("the lake", error))?;
        shown["catalog"] = done.lake.chosen.to_string().into();
        shown["changes"] = changes.into();
        shown["registered_partitions"] = done.registered.into();
        shown["people"] = kept.iter().map(|(of, commands)| (of.table.to_string(), in_json(of, commands))).collect();
        show::json(&shown)?;
    } else {
        let (id, ledger, catalog) = (&identity.lake_id, &identity.ledger, &done.lake.chosen);
        show::line(&format!("the lake {id} in {}, its records in {ledger}, its catalog {catalog}", wish.to))?;
        changes.iter().try_for_each(|change| show::line(&format!("  {change}")))?;
        if done.registered > 0 {
            show::line(&format!("  registered {}", count(done.registered, "partition")))?;
        }
        kept.iter().try_for_each(|(of, commands)| in_text(of, commands))?;
    }
    Ok(EXIT_DONE)
}

/// What a lake keeps of people in a table, for machines: `keeps` and `was` as stamps, and the rows
/// that hold more.
fn in_json(of: &Chosen, commands: &[String]) -> serde_json::Value {
    let (rows, hours) = of.now.older.as_ref().map_or((0, 0), |older| (older.rows, older.hours));
    serde_json::json!({
        "keeps": of.now.keeps,
        "was": of.was,
        "rows_that_keep_more": rows,
        "hours_that_keep_more": hours,
        "mending": commands,
    })
}

fn in_text(of: &Chosen, commands: &[String]) -> Result<()> {
    let (table, now) = (of.table, in_words(&of.now.keeps));
    show::line(&match &of.was {
        Some(was) if *was != of.now.keeps => {
            format!("  keeps of people in {table}: {now} (it was {} before)", in_words(was))
        }
        _ => format!("  keeps of people in {table}: {now}"),
    })?;
    match &of.now.older {
        Some(older) => show::keep_more(older.rows, older.hours, commands),
        None => Ok(()),
    }
}

/// The commands that write rows anew which hold more than the lake keeps.
async fn commands(of: &Chosen, lake: &Lake, wish: &InitOptions, options: &Options) -> Result<Vec<String>> {
    let said = AlreadySaid { of_logs: options.of_logs(), key_file: options.client_ip_key_file.clone() };
    let says = lake.arguments_of_choice(&of.now.keeps, &said).await?;
    let sources = of.now.older.iter().flat_map(|older| &older.sources);
    Ok(sources.map(|source| mending(source, of.table, &wish.to, &says)).collect())
}
