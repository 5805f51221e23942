//! The order of a compaction: long records are folded, then partitions merged one after another,
//! then every folder and catalog follows.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};

use super::compacted::Compacted;
use super::fold;
use super::groups::groups;
use super::options::CompactOptions;
use super::partition::compact_partition;
use crate::error::Result;
use crate::kernel::ledger::protocol::Outcome;
use crate::lake::Lake;
use crate::model::{Partition, UnitId};
use crate::offload::Pool;
use crate::recovery;

/// Records read at a time.
const READS_AT_A_TIME: usize = 16;

/// Merges the small files of partitions, one partition after another, then lets every folder and
/// catalog follow.
pub async fn compact(
    lake: &Lake,
    pool: &Pool,
    partitions: impl IntoIterator<Item = Partition>,
    options: CompactOptions,
    progress: &(dyn Fn() + Sync),
) -> Result<Compacted> {
    let mut done = Compacted::default();
    let mut open = Vec::new();
    let candidates = partitions.into_iter().map(|partition| candidate(lake, partition, options)).collect::<Vec<_>>();
    let candidates: Vec<Candidate> = futures::stream::iter(candidates).buffered(READS_AT_A_TIME).try_collect().await?;
    // Before files are merged: with them a partition's record forgets what was folded.
    let long: BTreeSet<UnitId> = candidates.iter().flat_map(|candidate| &candidate.long).cloned().collect();
    done.folded_batches = fold::fold(lake, long).await?;
    for Candidate { partition, worth_it, .. } in candidates {
        done.partitions += 1;
        let outcome = if worth_it {
            compact_partition(lake, pool, partition, options, &mut done).await?
        } else {
            Outcome::Superseded
        };
        match outcome {
            Outcome::Done => open.push(partition),
            Outcome::Busy => done.busy_partitions += 1,
            Outcome::Superseded | Outcome::FileMissing(_) => {}
        }
        progress();
    }
    done.compacted_partitions = open.len() as u64;
    recovery::settle(lake, open).await?;
    Ok(done)
}

/// What there is to do in a partition, as far as its record tells.
struct Candidate {
    partition: Partition,
    /// Whether files may be merged.
    worth_it: bool,
    /// Units of which it remembers many batches.
    long: Vec<UnitId>,
}

async fn candidate(lake: &Lake, partition: Partition, options: CompactOptions) -> Result<Candidate> {
    let record = lake.records.partition(partition).await?;
    let many = record.parts.iter().any(|part| !groups(part, options).is_empty());
    let long = record.parts.iter().filter(|part| part.applied.len() >= fold::FOLD_FROM);
    let long = long.map(|part| part.unit.clone()).collect();
    Ok(Candidate { partition, worth_it: many || record.rewrite.is_some(), long })
}
