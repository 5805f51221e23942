//! `edgemill compact`

use bytesize::ByteSize;

use super::options::{AFTER, Given, JobFileArg, LOGS, LakeArg, Subset};
use super::show;
use crate::compact;
use crate::compact::{CompactOptions, Compacted};
use crate::edge::claims::Claims;
use crate::error::{EXIT_DONE, Error, Result};
use crate::job;
use crate::job::Typed;
use crate::job::checked::{refuse_little_memory, refuse_no_threads};
use crate::job::said::look_and_mend;
use crate::lake::Lake;
use crate::model::{HourRange, Table};
use crate::offload;
use crate::progress::{Measure, Progress};
use crate::recovery;
use crate::signals;
use crate::stats::count;

const EXAMPLES: &str = "\
Examples:
  # The whole lake
  edgemill compact --lake lake
  # A day, where an hour has at least eight small files
  edgemill compact --lake lake --hours 2026-11-21T00..2026-11-22T00 --compact-files 8";

/// What a merge needs.
#[derive(Debug)]
enum Merging {}

impl Subset for Merging {
    fn takes(name: &str) -> bool {
        matches!(name, "target_size" | "memory" | "threads" | "encryption" | "lease" | "orphan_age")
    }
}

/// Merge the small files of hours into few, sorted ones
///
/// Queries see the old files or the new, never both. `convert` does it by itself where an hour has
/// many.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    place: LakeArg,
    #[command(flatten)]
    file: JobFileArg,
    /// Only rows of these hours, such as 2026-11-21T00..2026-11-22T00 (UTC) [default: all]
    #[arg(long, value_name = "A..B", env = "EDGEMILL_HOURS", help_heading = LOGS)]
    hours: Option<HourRange>,
    /// Leave hours alone that have fewer small files than this
    #[arg(long, value_name = "N", default_value_t = 2, help_heading = AFTER)]
    compact_files: usize,
    #[command(flatten)]
    options: Given<Merging>,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let Args { place, file, hours, compact_files, options } = args;
    let typed = Typed { to: place.lake, ..options.typed };
    let options = typed.over_file(file.path())?.decided();
    refuse_no_threads(options.threads)?;
    refuse_little_memory(options.memory_bytes)?;
    if options.target_bytes == 0 {
        return Err(Error::usage("--target-size is 0", "give a size such as 128MiB"));
    }
    let place = options.to.clone().ok_or_else(|| job::missing("lake"))?;
    let done = merge(&place, hours, compact_files, options).await;
    let (done, nothing_matched) = done.map_err(|error| error.mended_by(|| look_and_mend(&place)))?;
    if json {
        let mut shown = serde_json::to_value(done).map_err(|error| Error::encode("the summary", error))?;
        if let Some(what) = nothing_matched {
            shown["nothing_matched"] = what.into();
        }
        show::json(&shown)?;
    } else {
        told(&done)?;
        nothing_matched.iter().try_for_each(|what| show::line(what))?;
    }
    Ok(EXIT_DONE)
}

/// What was done, and what there is instead where no partition is of these hours.
async fn merge(
    place: &str,
    hours: Option<HourRange>,
    small_files: usize,
    options: job::Options,
) -> Result<(Compacted, Option<String>)> {
    let lake = Lake::open_as(place, &options.lake_access()).await?;
    let claims = Claims::new(lake.objects.clone(), options.lease);
    signals::until_stopped(recovery::recover_fully(&lake, &claims, options.orphan_age)).await?;
    let mut partitions = Vec::new();
    for table in Table::ALL {
        partitions.extend(lake.records.partitions(table, hours).await?.into_iter().map(|record| record.partition));
    }
    let nothing_matched = match hours.filter(|_| partitions.is_empty()) {
        Some(hours) => lake.no_partition_of(hours).await?,
        None => None,
    };
    let pool = offload::pool(options.threads)?;
    let job::Options { target_bytes, memory_bytes, .. } = options;
    let options = CompactOptions { target_bytes, small_files, memory_bytes };
    let progress = Progress::begin(Measure::Partitions, partitions.len() as u64, partitions.len() as u64);
    let tick = || progress.add(1);
    let done = signals::until_stopped(compact::compact(&lake, &pool, partitions, options, &tick)).await?;
    Ok((done, nothing_matched))
}

/// What was done, for people.
fn told(done: &Compacted) -> Result<()> {
    show::line(&format!(
        "{} of {} compacted: {} ({}) to {} ({}), {}",
        done.compacted_partitions,
        count(done.partitions, "partition"),
        count(done.replaced_files, "file"),
        ByteSize(done.replaced_bytes),
        done.output_files,
        ByteSize(done.output_bytes),
        count(done.rows, "row"),
    ))?;
    if done.busy_partitions > 0 {
        show::line(&format!("{} left alone: a batch is being published there", done.busy_partitions))?;
    }
    Ok(())
}
