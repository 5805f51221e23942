//! `edgemill reprocess`

use super::options::{Given, JobFileArg, LOGS, LakeArg, Subset};
use super::output::RunOutput;
use super::{run_end, show};
use crate::edge::clock::now_unix_seconds;
use crate::error::Result;
use crate::job::said::look_and_mend;
use crate::job::{Job, Typed};
use crate::model::HourRange;
use crate::pipeline;
use crate::stats::count;

const EXAMPLES: &str = "\
Examples:
  # Six hours, from their logs as they are today
  edgemill reprocess --from logs --lake lake --hours 2026-11-21T00..2026-11-21T06
  # After an upgrade or a change of rules: what was made otherwise
  edgemill reprocess --from logs --lake lake --all --outdated";

/// How logs are read and rows made of them. What a conversion does beside that is no part of it.
#[derive(Debug)]
enum Reading {}

impl Subset for Reading {
    fn takes(name: &str) -> bool {
        !matches!(
            name,
            "to" | "ledger"
                | "partition"
                | "hours"
                | "last"
                | "compact_files"
                | "target_size"
                | "catalog"
                | "after"
                | "archive"
        )
    }
}

/// Convert hours again, by today's rules, and put the new rows in the place of the old
///
/// From exactly the objects that they were converted from, as they are today; if one is gone,
/// nothing is touched. Queries see the old rows or the new, never both. What was deleted by hand
/// from the lake (Parquet files, records, manifests) comes back with them; where rows of other
/// hours are lost beside those of the hours asked for, those are written anew too.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(group = clap::ArgGroup::new("which").required(true))]
pub struct Args {
    #[command(flatten)]
    options: Given<Reading>,
    #[command(flatten)]
    place: LakeArg,
    #[command(flatten)]
    file: JobFileArg,
    /// The hours, by the names of their objects, such as 2026-11-21T00..2026-11-22T00 (UTC)
    #[arg(long, value_name = "A..B", group = "which", help_heading = LOGS)]
    hours: Option<HourRange>,
    /// All hours, and what has no hour in its name
    #[arg(long, group = "which", help_heading = LOGS)]
    all: bool,
    /// Only the hours that were not made by these rules and choices
    #[arg(long, help_heading = LOGS)]
    outdated: bool,
}

pub(super) async fn run(args: Args, output: RunOutput) -> Result<u8> {
    let typed = Typed { to: args.place.lake, ..args.options.typed };
    let typed = typed.over_file(args.file.path())?;
    // Hours are a conversion's in a job file; these are this verb's own. So is the catalog: hours
    // are written anew in whichever the lake has.
    let job = Job::new(Typed { hours: args.hours, last: None, catalog: None, ..typed }, now_unix_seconds())?;
    let lake = job.to.clone();
    let done = Box::pin(pipeline::reprocess(job.clone(), args.outdated)).await;
    let summary = done.map_err(|error| error.mended_by(|| look_and_mend(&lake)))?;
    run_end::tell("reprocess", &job, &summary, output.metrics).await?;
    if output.json {
        show::json(&summary)?;
    } else if !output.logs_tell {
        match summary.stats.units {
            0 if args.outdated => show::line("nothing was written anew: every hour that was converted is of today")?,
            0 => show::line("nothing was written anew: no such hour was converted before")?,
            units => show::line(&format!("{} written anew", count(units, "hour")))?,
        }
        show::summary(&summary, &lake)?;
    }
    Ok(summary.exit_code())
}
