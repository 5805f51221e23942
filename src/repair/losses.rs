//! Finds what is lost: units, manifests, partitions and files held against each other. Nothing is
//! changed.

use std::collections::{BTreeSet, HashSet};

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::loss::{Loss, Losses};
use super::snapshot::LedgerSnapshot;
use super::unit_manifests::unit_manifests;
use crate::error::Result;
use crate::kernel::ledger::records::{
    BatchEntry, BatchId, BatchState, InputName, Manifest, PartitionRecord, UnitFiles, UnitRecord, unit_time,
};
use crate::kernel::ledger::staging::{file_path, staging};
use crate::lake::Lake;
use crate::model::{HourRange, Partition, Table, UnitId};

/// Units looked at at a time.
const AT_A_TIME: usize = 32;

/// What is wrong with a lake, or with what has to do with some hours of it. Nothing is changed.
///
/// # Errors
/// Those of reading; a record that cannot be read as what it is among them.
pub async fn losses(lake: &Lake, hours: Option<HourRange>) -> Result<Losses> {
    // A record that cannot be read is lost.
    let lake = &lake.forgiving();
    let snapshot = LedgerSnapshot::of(lake, hours).await?;
    losses_of(lake, &snapshot).await
}

/// The same, of what was read.
pub(super) async fn losses_of(lake: &Lake, snapshot: &LedgerSnapshot) -> Result<Losses> {
    let mut losses = Losses::default();
    let looks = snapshot.units.keys().map(|unit| async move {
        let parts = snapshot.parts_of(unit);
        let record = &snapshot.units[unit];
        let read = unit_manifests(lake, record).await?;
        let mut loss = judge(lake, record, &read, &parts, Some(snapshot)).await?;
        if !loss.is_nothing() {
            // Others may have been at work between our readings.
            loss = judge_anew(lake, unit, &parts).await?;
        }
        Ok::<_, crate::error::Error>((unit.clone(), loss))
    });
    let looks: Vec<_> = looks.collect();
    let mut looks = std::pin::pin!(futures::stream::iter(looks).buffer_unordered(AT_A_TIME));
    while let Some((unit, loss)) = looks.try_next().await? {
        if !loss.is_nothing() {
            losses.units.insert(unit, loss);
        }
    }
    let unnamed = snapshot.unnamed();
    let has_record = |time: &str, table: Table| {
        let is_its = |record: &&UnitRecord| table == Table::Rejects || record.unit.table() == table;
        snapshot.units.values().filter(is_its).any(|record| !record.is_blank() && unit_time(&record.unit) == time)
    };
    losses.records = unnamed.times.iter().any(|(time, table)| !has_record(time, *table));
    (losses.unnamed, losses.unnamed_files) = (unnamed.batches, unnamed.files);
    if snapshot.units.values().all(UnitRecord::is_blank) {
        losses.records |= has_no_unit(lake).await?;
    }
    Ok(losses)
}

async fn has_no_unit(lake: &Lake) -> Result<bool> {
    for table in Table::LOGS {
        if lake.records.units(table, None).await?.iter().any(|record| !record.is_blank()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// As [`judge`], by records that are read now, until the unit's did not change meanwhile.
pub(super) async fn judge_anew(lake: &Lake, unit: &UnitId, parts: &BTreeSet<Partition>) -> Result<Loss> {
    loop {
        let record = lake.records.unit(unit).await?;
        let read = unit_manifests(lake, &record).await?;
        let loss = judge(lake, &record, &read, parts, None).await?;
        if loss.is_nothing() || lake.records.unit(unit).await?.version == record.version {
            return Ok(loss);
        }
    }
}

/// What is wrong with a unit that has something in these partitions.
async fn judge(
    lake: &Lake,
    unit: &UnitRecord,
    read: &[(BatchEntry, Option<Manifest>)],
    parts: &BTreeSet<Partition>,
    snapshot: Option<&LedgerSnapshot>,
) -> Result<Loss> {
    let manifests = || read.iter().filter_map(|(_, manifest)| manifest.as_ref());
    let partitions: BTreeSet<Partition> =
        parts.iter().copied().chain(manifests().flat_map(Manifest::partitions)).collect();
    let mut loss = Loss { forgotten: manifests().count() < read.len() || share_inputs(manifests()), ..Loss::default() };
    let pending: BTreeSet<&BatchId> = unit.unpublished().map(|entry| &entry.batch).collect();
    let is_pending = |manifest: &Manifest| pending.contains(&manifest.batch);
    for partition in &partitions {
        let here;
        let record = if let Some(record) = snapshot.and_then(|snapshot| snapshot.partitions.get(partition)) {
            record
        } else {
            here = lake.records.partition(*partition).await?;
            &here
        };
        let part = record.part(&unit.unit);
        loss.applied.extend(part.iter().flat_map(|part| part.applied.keys().cloned()));
        let of_here = || manifests().filter(|manifest| manifest.partitions().contains(partition));
        let lost = match part {
            Some(part) => !part.lost.is_empty() || lacks_file(lake, record, part, snapshot).await?,
            None => false,
        };
        let applied = |manifest: &Manifest| part.is_some_and(|part| manifest.is_applied(part));
        let absent = of_here().any(|manifest| !is_pending(manifest) && !applied(manifest));
        let has = part.map_or(0, UnitFiles::rows);
        let (least, most) = wanted_rows(unit, of_here, *partition);
        let differs = !loss.forgotten && !(least..=most).contains(&has);
        if lost || absent || differs {
            loss.lacking.insert(*partition);
        }
        loss.records |= absent || differs;
        loss.forgotten |= differs && has > most;
        for manifest in of_here().filter(|manifest| is_pending(manifest) && !applied(manifest)) {
            if !is_staged(lake, manifest, *partition).await? {
                loss.lacking.insert(*partition);
            }
        }
    }
    // Partitions remember every batch for ever, so a unit that has one must have a record. One that
    // was written says at least which attempts were ended.
    let unreadable = unit.version > 0 && unit.is_blank() && unit.ended.is_empty();
    let no_record = unreadable || unit.is_blank() && !partitions.is_empty();
    loss.records |= no_record;
    loss.forgotten |= no_record;
    loss.partitions = partitions;
    Ok(loss)
}

/// Whether a file of a unit is gone from a partition, by what was listed or by a look at each now.
async fn lacks_file(
    lake: &Lake,
    record: &PartitionRecord,
    part: &UnitFiles,
    snapshot: Option<&LedgerSnapshot>,
) -> Result<bool> {
    for file in &part.files {
        let is_there = if let Some(snapshot) = snapshot {
            snapshot.has(record, file)
        } else {
            let path = Path::from(file_path(&record.folder, &file.name));
            lake.objects.size(&path).await? == Some(file.size_bytes)
        };
        if !is_there {
            return Ok(true);
        }
    }
    Ok(false)
}

/// How many rows a unit must have in a partition, at least and at most: a batch on its way may be
/// there or not yet, and one that takes the place of the others may have done so or not yet.
fn wanted_rows<'m, M>(unit: &UnitRecord, of_here: impl Fn() -> M, partition: Partition) -> (u64, u64)
where
    M: Iterator<Item = &'m Manifest>,
{
    let rows = |wanted: &dyn Fn(&BatchId) -> bool| -> u64 {
        let files = of_here().filter(|manifest| wanted(&manifest.batch)).flat_map(|manifest| manifest.files(partition));
        files.map(|file| file.rows).sum()
    };
    let is_of = |batch: &BatchId, state| unit.batches.iter().any(|entry| entry.batch == *batch && entry.state == state);
    let published = rows(&|batch| is_of(batch, BatchState::Published));
    let coming = rows(&|batch| is_of(batch, BatchState::Committed));
    let (mut least, mut most) = (published, published + coming);
    if let Some(replacing) = &unit.replacing {
        let new = rows(&|batch| replacing.batch == *batch);
        (least, most) = (least.min(new), most.max(new));
    }
    (least, most)
}

/// Whether a batch's files of a partition wait to be published.
async fn is_staged(lake: &Lake, manifest: &Manifest, partition: Partition) -> Result<bool> {
    let folder = staging(&manifest.unit, &manifest.attempt);
    for file in manifest.files(partition) {
        if lake.objects.size(&Path::from(file_path(&folder, &file.name))).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether two of a unit's batches have an object in common.
fn share_inputs<'m>(manifests: impl Iterator<Item = &'m Manifest>) -> bool {
    let mut seen = HashSet::new();
    let mut urls = manifests
        .flat_map(|of| of.inputs.iter().map(|input| InputName { source: &of.source, object: &input.object }.url()));
    urls.any(|url| !seen.insert(url))
}
