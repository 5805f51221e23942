//! A unit's record that grew by a batch with every run, kept short: batches that are published are
//! named as one.
//!
//! Folds are folded again with their like: a record names at most [`FOLD_FROM`] of each size, so it
//! grows with the logarithm of the batches, and each input is written into a manifest as often.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};

use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::protocol::{Folded, Outcome};
use crate::kernel::ledger::records::{
    AttemptId, BatchEntry, BatchId, BatchState, FORMAT_VERSION, Manifest, UnitFiles, UnitRecord, fold_id,
};
use crate::lake::Lake;
use crate::model::UnitId;
use crate::protocol_driver;

/// Published batches of about one size from which on they are named as one. An hour of a lake of
/// hours has few batches and is hardly ever folded; in a lake of months a month of hourly runs
/// leaves some forty entries in place of 744.
pub(super) const FOLD_FROM: usize = 16;

const READS_AT_A_TIME: usize = 16;

/// Folds what can be folded in the records of some units; how many batches are named by others now.
pub(super) async fn fold(lake: &Lake, units: impl IntoIterator<Item = UnitId>) -> Result<u64> {
    let units = units.into_iter().map(|unit| fold_unit(lake, unit)).collect::<Vec<_>>();
    let folded = futures::stream::iter(units).buffer_unordered(READS_AT_A_TIME);
    folded.try_fold(0, |sum, one| async move { Ok(sum + one) }).await
}

async fn fold_unit(lake: &Lake, unit: UnitId) -> Result<u64> {
    let mut folded = 0;
    loop {
        let record = lake.records.unit(&unit).await?;
        let Some(entries) = foldable(&record) else { return Ok(folded) };
        let count = entries.len() as u64;
        let mut done = 0;
        for manifest in manifests_of(lake, &record, entries).await? {
            if protocol_driver::fold(lake, &manifest).await? == Outcome::Done {
                done += manifest.folds.len() as u64;
            }
        }
        folded += count.min(done);
        // Nothing could be folded: what is there was made by different rules, or another run was
        // faster.
        if done == 0 {
            return Ok(folded);
        }
    }
}

/// Entries of about one size, where they are many; the smallest first.
fn foldable(record: &UnitRecord) -> Option<Vec<BatchEntry>> {
    if record.replacing.is_some() {
        return None;
    }
    let mut levels: BTreeMap<u32, Vec<BatchEntry>> = BTreeMap::new();
    for entry in record.batches.iter().filter(|entry| entry.state == BatchState::Published) {
        let level = entry.batches.max(1).ilog(FOLD_FROM as u64);
        levels.entry(level).or_default().push(entry.clone());
    }
    levels.into_values().find(|entries| entries.len() >= FOLD_FROM)
}

/// The manifests of the folds of some entries: of those that were made alike, one.
async fn manifests_of(lake: &Lake, record: &UnitRecord, entries: Vec<BatchEntry>) -> Result<Vec<Manifest>> {
    let attempts = entries.into_iter().map(|entry| entry.attempt).collect();
    let read: Vec<Manifest> = manifests::read_all(&lake.objects, attempts, READS_AT_A_TIME).try_collect().await?;
    let mut alike: Vec<Manifest> = Vec::new();
    for manifest in read {
        let same = |of: &&mut Manifest| {
            (&of.source, &of.stamp, of.proven) == (&manifest.source, &manifest.stamp, manifest.proven)
        };
        if let Some(fold) = alike.iter_mut().find(same) {
            add(fold, manifest);
        } else {
            let mut fold = empty(record, &manifest);
            add(&mut fold, manifest);
            alike.push(fold);
        }
    }
    alike.retain(|fold| fold.folds.len() > 1);
    for fold in &mut alike {
        fold.inputs.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        fold.batch = fold_id(&fold.unit, &fold.folds);
    }
    Ok(alike)
}

fn empty(record: &UnitRecord, like: &Manifest) -> Manifest {
    Manifest {
        format: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        unit: record.unit.clone(),
        batch: BatchId(String::new()),
        attempt: AttemptId(uuid::Uuid::new_v4().simple().to_string()),
        source: like.source.clone(),
        stamp: like.stamp.clone(),
        proven: like.proven,
        hours: None,
        inputs: Vec::new(),
        outputs: Vec::new(),
        replaces: None,
        folds: BTreeSet::new(),
        taken_over: Vec::new(),
    }
}

fn add(fold: &mut Manifest, manifest: Manifest) {
    fold.hours = match (fold.hours, manifest.hours) {
        (Some(ours), Some(theirs)) => Some(ours.join(theirs)),
        (ours, theirs) => ours.or(theirs),
    };
    fold.inputs.extend(manifest.inputs);
    fold.outputs.extend(manifest.outputs);
    fold.taken_over.extend(manifest.taken_over);
    fold.folds.insert(manifest.batch);
    fold.folds.extend(manifest.folds);
}

/// The folds that a unit's record names, of batches that a partition remembers one by one.
pub(super) async fn folded_of(lake: &Lake, part: &UnitFiles) -> Result<Vec<Folded>> {
    // Read after the partition: what it remembers had been committed before.
    let record = lake.records.unit(&part.unit).await?;
    let mut folded = Vec::new();
    for entry in record.batches.iter().filter(|entry| entry.batches > 0) {
        let Manifest { batch, attempt, folds, .. } = manifests::read(&lake.objects, &entry.attempt).await?;
        if part.applied.keys().any(|applied| folds.contains(applied)) {
            folded.push(Folded { batch, attempt, folds });
        }
    }
    Ok(folded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ledger::records::InputsDigest;
    use crate::model::Table;

    fn record(batches: &[(u64, BatchState)]) -> UnitRecord {
        let mut record = UnitRecord::new(UnitId::of_hour(Table::AlbLogs, "2026-11-21T05".parse().unwrap()));
        record.batches = (0..).zip(batches).map(|(number, (batches, state))| entry(number, *batches, *state)).collect();
        record
    }

    fn entry(number: usize, batches: u64, state: BatchState) -> BatchEntry {
        BatchEntry {
            batch: BatchId(format!("b{number}")),
            attempt: AttemptId(format!("a{number}")),
            state,
            inputs: InputsDigest::default(),
            input_bytes: 0,
            hours: None,
            partitions: None,
            batches,
        }
    }

    #[test]
    fn many_of_one_size_are_folded_the_smallest_first() {
        use BatchState::{Committed, Published};
        let count = |record: &UnitRecord| foldable(record).map(|entries| entries.len());
        assert_eq!(count(&record(&[(0, Published); 15])), None);
        assert_eq!(count(&record(&[(0, Published); 16])), Some(16));
        assert_eq!(count(&record(&[(0, Committed); 16])), None, "what is on its way stays");
        let mixed = [&[(16, Published); 16][..], &[(0, Published); 17]].concat();
        assert_eq!(count(&record(&mixed)), Some(17));
        let mixed = [&[(16, Published); 16][..], &[(0, Published); 3]].concat();
        assert_eq!(count(&record(&mixed)), Some(16));
        let replacing = UnitRecord { replacing: Some(entry(99, 0, Committed)), ..record(&[(0, Published); 16]) };
        assert_eq!(count(&replacing), None);
    }
}
