//! `edgemill compact`

use std::num::NonZeroUsize;

use bytesize::ByteSize;

use super::{cloud, show};
use crate::compact;
use crate::compact::{TARGET_BYTES, Wish};
use crate::edge::claims::{Claims, LEASE};
use crate::error::{EXIT_DONE, Error, Result};
use crate::job::memory_bytes;
use crate::lake::Lake;
use crate::model::{HourRange, Table};
use crate::offload;
use crate::progress::{Measure, Progress};
use crate::recovery;
use crate::recovery::ORPHAN_AGE;
use crate::signals;
use crate::stats::count;

/// Merge the small files of hours into few, sorted ones
///
/// Queries see the old files or the new, never both. `convert` does it by itself where an hour has
/// many.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX`
    #[arg(long, visible_alias = "to", value_name = "URL", env = "EDGEMILL_LAKE")]
    lake: String,
    /// Only rows of these hours, such as 2026-11-21T00..2026-11-22T00 (UTC) [default: all]
    #[arg(long, value_name = "A..B", env = "EDGEMILL_HOURS")]
    hours: Option<HourRange>,
    /// Leave hours alone that have fewer small files than this
    #[arg(long, value_name = "N", default_value_t = 2)]
    compact_files: usize,
    /// The size that files are merged up to [default: 128MiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_TARGET_SIZE")]
    target_size: Option<ByteSize>,
    /// Memory to use, 512MiB at least [default: 1GiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_MEMORY")]
    memory: Option<ByteSize>,
    /// Threads that work [default: all cores]
    #[arg(long, value_name = "N", env = "EDGEMILL_THREADS")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    place: cloud::Lake,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let lake = Lake::open_as(&args.lake, &args.place.access()).await?;
    let claims = Claims::new(lake.objects.clone(), LEASE);
    signals::until_stopped(recovery::recover_fully(&lake, &claims, ORPHAN_AGE)).await?;
    let mut partitions = Vec::new();
    for table in Table::ALL {
        partitions.extend(lake.records.partitions(table, args.hours).await?.into_iter().map(|record| record.partition));
    }
    let threads = args.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
    let pool = offload::pool(threads)?;
    let target_bytes = args.target_size.map_or(TARGET_BYTES, |size| size.as_u64());
    if target_bytes == 0 {
        return Err(Error::usage("--target-size is 0", "give a size such as 128MiB"));
    }
    let memory_bytes = memory_bytes(args.memory.map(|memory| memory.as_u64()))?;
    let wish = Wish { target_bytes, small_files: args.compact_files, memory_bytes };
    let progress = Progress::begin(Measure::Partitions, partitions.len() as u64, partitions.len() as u64);
    let tick = || progress.add(1);
    let done = signals::until_stopped(compact::compact(&lake, &pool, partitions, wish, &tick)).await?;
    if json {
        show::json(&done)?;
    } else {
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
    }
    Ok(EXIT_DONE)
}
