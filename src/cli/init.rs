//! `edgemill init`

use std::path::PathBuf;
use std::time::Duration;

use super::cloud;
use super::convert::{FormatArg, PeopleArgs};
use super::show;
use crate::error::{EXIT_DONE, Error, Result};
use crate::init;
use crate::init::InitOptions;
use crate::job;
use crate::job::Typed;
use crate::job::cloud::TypedCloud;
use crate::job::rows::{RowChoices, TypedRows};
use crate::job::said::{mending, of_stamp};
use crate::kernel::policy::privacy::in_words;
use crate::lake::people::Chosen;
use crate::lake::{CatalogChoice, LedgerChoice, NewLake};
use crate::model::{Granularity, Table};
use crate::signals;
use crate::stats::count;

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
pub struct Args {
    /// A job file that names the lake, its ledger, its partitions and its catalog; what is typed
    /// wins over it
    #[arg(long, value_name = "FILE", env = "EDGEMILL_JOB")]
    job: Option<PathBuf>,
    /// Folder of the lake, or `s3://BUCKET/PREFIX`; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: Option<String>,
    /// Where the lake keeps its records: lake (in itself) or dynamodb:TABLE, made with on-demand
    /// capacity [default: lake]
    #[arg(long, value_name = "LEDGER", env = "EDGEMILL_LEDGER")]
    ledger: Option<LedgerChoice>,
    /// How long its partitions are: hour, day or month [default: hour]
    #[arg(long, value_name = "GRANULARITY", env = "EDGEMILL_PARTITION")]
    partition: Option<Granularity>,
    /// The catalog that engines follow: glue:DATABASE; athena:WORKGROUP/DATABASE, by statements,
    /// for whoever may not write to Glue; projection:DATABASE, whose tables work partitions out by
    /// themselves; lake (one small object a partition, in the lake itself); or none [default: none,
    /// or what the lake has]
    #[arg(long, value_name = "CATALOG", env = "EDGEMILL_CATALOG")]
    catalog: Option<CatalogChoice>,
    /// The longest that a call to the store may be under way; what replaces rows waits as long
    /// [default: 2s for a folder, 3min for S3]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    late: Option<Duration>,
    /// The longest that a query over the catalog may take; what replaces rows waits as long
    /// [default: 5min]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    queries: Option<Duration>,
    /// For tests, where every process is either alive or dead: do not wait at all
    #[arg(long, hide = true, conflicts_with = "late")]
    no_late: bool,
    #[command(flatten)]
    place: cloud::Lake,
    /// The logs whose choice is made below: cloudfront, alb, or all [default: auto, which is all]
    #[arg(long, value_enum, env = "EDGEMILL_FORMAT", help_heading = "Privacy")]
    format: Option<FormatArg>,
    #[command(flatten, next_help_heading = "Privacy")]
    people: PeopleArgs,
}

/// Rounded up: a wait may be longer than it must, never shorter.
fn whole_seconds(late: Duration) -> Result<u64> {
    if late < Duration::from_secs(1) {
        return Err(Error::usage("--late is less than a second", "give what the slowest call may take, such as 2s"));
    }
    Ok(late.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX))
}

/// What was typed, over the job file.
struct Told {
    wish: InitOptions,
    people: TypedRows,
}

fn told(args: Args) -> Result<Told> {
    let typed = Typed {
        to: args.to,
        ledger: args.ledger,
        partition: args.partition,
        table: args.format.and_then(FormatArg::table),
        rows: args.people.typed(TypedRows::default()),
        cloud: TypedCloud { catalog: args.catalog, encryption: args.place.encryption, ..TypedCloud::default() },
        ..Typed::default()
    };
    let typed = typed.over_file(args.job.as_deref())?;
    // Rules about user agents are no part of a lake.
    let people = TypedRows { bots: None, ua_regexes: None, http_libraries: None, ..typed.rows };
    let choices = RowChoices::new(people.clone())?;
    let tables = typed.table.map_or_else(|| Table::LOGS.to_vec(), |table| vec![table]);
    let wish = InitOptions {
        to: typed.to.ok_or_else(|| job::missing("to"))?,
        new: NewLake {
            ledger: typed.ledger,
            partition: typed.partition,
            max_call_delay_seconds: if args.no_late { Some(0) } else { args.late.map(whole_seconds).transpose()? },
            query_seconds: args
                .queries
                .map(|queries| queries.as_millis().div_ceil(1_000).try_into().unwrap_or(u64::MAX)),
        },
        catalog: typed.cloud.catalog,
        access: crate::edge::access::Access::encrypted(typed.cloud.encryption),
        keeps: choices.says_what_is_kept().then(|| (choices.privacy.stamp(), tables)),
    };
    Ok(Told { wish, people })
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let Told { wish, people } = told(args)?;
    let done = signals::until_stopped(Box::pin(init::init(&wish))).await?;
    let identity = &done.lake.identity;
    let changes: Vec<String> = done.changes.iter().map(ToString::to_string).collect();
    if json {
        let mut shown = serde_json::to_value(identity).map_err(|error| Error::encode("the lake", error))?;
        shown["catalog"] = done.lake.chosen.to_string().into();
        shown["changes"] = changes.into();
        shown["registered_partitions"] = done.registered.into();
        shown["people"] = done.kept.iter().map(|of| (of.table.to_string(), in_json(of, &wish, &people))).collect();
        show::json(&shown)?;
    } else {
        let (id, ledger, catalog) = (&identity.lake_id, &identity.ledger, &done.lake.chosen);
        show::line(&format!("the lake {id} in {}, its records in {ledger}, its catalog {catalog}", wish.to))?;
        changes.iter().try_for_each(|change| show::line(&format!("  {change}")))?;
        if done.registered > 0 {
            show::line(&format!("  registered {}", count(done.registered, "partition")))?;
        }
        done.kept.iter().try_for_each(|of| in_text(of, &wish, &people))?;
    }
    Ok(EXIT_DONE)
}

/// What a lake keeps of people in a table, for machines: `keeps` and `was` as stamps, and the rows
/// that hold more.
fn in_json(of: &Chosen, wish: &InitOptions, people: &TypedRows) -> serde_json::Value {
    let (rows, hours) = of.now.older.as_ref().map_or((0, 0), |older| (older.rows, older.hours));
    serde_json::json!({
        "keeps": of.now.keeps,
        "was": of.was,
        "rows_that_keep_more": rows,
        "hours_that_keep_more": hours,
        "mending": commands(of, wish, people),
    })
}

fn in_text(of: &Chosen, wish: &InitOptions, people: &TypedRows) -> Result<()> {
    let (table, now) = (of.table, in_words(&of.now.keeps));
    show::line(&match &of.was {
        Some(was) if *was != of.now.keeps => {
            format!("  keeps of people in {table}: {now} (it was {} before)", in_words(was))
        }
        _ => format!("  keeps of people in {table}: {now}"),
    })?;
    match &of.now.older {
        Some(older) => show::keep_more(older.rows, older.hours, &commands(of, wish, people)),
        None => Ok(()),
    }
}

/// The commands that write rows anew which hold more than the lake keeps.
fn commands(of: &Chosen, wish: &InitOptions, people: &TypedRows) -> Vec<String> {
    let says = if wish.keeps.as_ref().is_some_and(|(keeps, _)| *keeps == of.now.keeps) {
        people.of_people()
    } else {
        of_stamp(&of.now.keeps)
    };
    let sources = of.now.older.iter().flat_map(|older| &older.sources);
    sources.map(|source| mending(source, of.table, &wish.to, &says)).collect()
}
