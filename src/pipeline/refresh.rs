//! A unit as the ledger has it now, with nothing of it under way: read, what is open finished, read
//! again, planned again.

use super::context::RunContext;
use super::planning::PlannedUnit;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::ledger::records::{BatchEntry, UnitRecord};
use crate::kernel::ledger::staging::{STAGING, StagingDir, staging};
use crate::lake::Lake;
use crate::model::UnitId;
use crate::protocol_driver;
use crate::repair::placed;

/// What becomes of a committed batch that cannot be published, since staged files or its manifest
/// are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BrokenBatch {
    /// The run fails and says which.
    Fails,
    /// It is given up: its unit is written anew at once.
    IsGivenUp,
}

/// Brings a planned unit up to date where another run has been at it since; how many batches of
/// others were published for that.
pub(super) async fn refresh_unit(context: &RunContext, unit: &mut PlannedUnit) -> Result<u64> {
    let now = context.lake.records.unit(&unit.record.unit).await?;
    if now.version == unit.record.version && now.unpublished().next().is_none() {
        return Ok(0);
    }
    let (record, finished_batches) = at_rest(&context.lake, now, BrokenBatch::Fails).await?;
    unit.record = record;
    unit.plan = context.planner().plan(&unit.record, &unit.listed).await?;
    Ok(finished_batches)
}

/// A unit's record with nothing of it under way.
pub(super) async fn refresh_record(lake: &Lake, unit: &UnitId, broken: BrokenBatch) -> Result<UnitRecord> {
    let now = lake.records.unit(unit).await?;
    Ok(at_rest(lake, now, broken).await?.0)
}

/// Publishes what is committed: whoever committed it may have died right after, and the end of a
/// run promises that its rows are seen. The record after that, and how many batches those were.
async fn at_rest(lake: &Lake, record: UnitRecord, broken: BrokenBatch) -> Result<(UnitRecord, u64)> {
    let finished = match broken {
        BrokenBatch::Fails => protocol_driver::finish_unit(lake, &record).await?,
        BrokenBatch::IsGivenUp => finish_or_give_up(lake, &record).await?,
    };
    let record = if finished > 0 { lake.records.unit(&record.unit).await? } else { record };
    Ok((record, finished))
}

/// Brings to its end what of a unit is on its way; gives up what cannot be, which is to be written
/// anew at once.
async fn finish_or_give_up(lake: &Lake, record: &UnitRecord) -> Result<u64> {
    let mut finished = 0;
    for entry in record.unpublished() {
        let own = staging(&record.unit, &entry.attempt);
        loop {
            match protocol_driver::finish(lake, entry).await {
                Err(Error::FileMissing { path, .. }) if !path.starts_with(&own) => {
                    note_lost(lake, &path).await?;
                }
                Err(Error::FileMissing { .. }) => {
                    protocol_driver::give_up(lake, &record.unit, &entry.attempt).await?;
                    break;
                }
                Err(Error::LedgerDamaged { .. }) if !is_readable(lake, entry).await? => {
                    protocol_driver::give_up(lake, &record.unit, &entry.attempt).await?;
                    break;
                }
                done => {
                    done?;
                    break;
                }
            }
        }
        finished += 1;
    }
    Ok(finished)
}

/// Whether a batch has a manifest that says something.
async fn is_readable(lake: &Lake, entry: &BatchEntry) -> Result<bool> {
    match manifests::read(&lake.objects, &entry.attempt).await {
        Err(Error::LedgerDamaged { .. }) => Ok(false),
        read => read.map(|_| true),
    }
}

/// Writes down that a file of a partition is gone, by its path in the partition's folder or in that
/// of an open rewrite.
async fn note_lost(lake: &Lake, path: &str) -> Result<()> {
    let in_progress = path.strip_prefix(STAGING).and_then(|rest| rest.strip_prefix('/'));
    let partition = match in_progress.and_then(|rest| rest.split('/').next()) {
        Some(folder) => match StagingDir::parse(folder) {
            Some(StagingDir::Rewrite { partition, .. }) => Some(partition),
            _ => None,
        },
        None => placed(path).map(|(partition, _)| partition),
    };
    let Some(partition) = partition else {
        return Err(Error::FileMissing { path: path.to_owned(), about: path.to_owned() });
    };
    protocol_driver::lose(lake, partition).await.map(|_| ())
}
