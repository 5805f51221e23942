//! Looks what is lost: units, manifests, partitions and files against each other.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::unnamed::placed;
use super::{Loss, Losses};
use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::records::{
    BatchEntry, BatchId, BatchState, FileEntry, InputName, Manifest, PartitionRecord, UnitFiles, UnitRecord, unit_time,
};
use crate::kernel::ledger::staging::{file_path, staging};
use crate::lake::Lake;
use crate::model::{HourRange, Partition, Table, UnitId};

/// Units looked at, and folders listed, at a time.
const AT_A_TIME: usize = 32;

/// Hours beside those that are asked for of which records are read at first: rows come an hour
/// early or late. Where something is lost the whole lake is looked at.
const BESIDE_HOURS: i64 = 2;

/// More hours than these are looked at with the whole lake.
const FEW_HOURS: i64 = 24 * 31;

/// Files that no record names.
#[derive(Default)]
struct Unnamed {
    /// How their names begin, and where they are.
    times: BTreeSet<(String, Table)>,
    batches: BTreeMap<String, BTreeSet<BatchId>>,
    files: BTreeSet<String>,
}

/// What a lake's ledger and folders hold, each read once.
pub(super) struct Snapshot {
    pub(super) units: BTreeMap<UnitId, UnitRecord>,
    pub(super) partitions: BTreeMap<Partition, PartitionRecord>,
    /// The files in the partitions' folders, and their sizes.
    pub(super) files: HashMap<String, u64>,
}

impl Snapshot {
    /// Units first, then partitions, then files: whatever a unit said to be published is in the
    /// partitions that are read after it.
    pub(super) async fn of(lake: &Lake, hours: Option<HourRange>) -> Result<Self> {
        let hours = hours.filter(|hours| hours.end.hours_since(hours.start) <= FEW_HOURS);
        let wide =
            hours.map(|hours| HourRange { start: hours.start.plus(-BESIDE_HOURS), end: hours.end.plus(BESIDE_HOURS) });
        let mut units = BTreeMap::new();
        for table in Table::LOGS {
            let mut records = lake.records.units(table, wide).await?;
            if wide.is_some() {
                records.extend(lake.records.untimed_units(table).await?);
            }
            units.extend(records.into_iter().map(|record| (record.unit.clone(), record)));
        }
        let mut partitions = BTreeMap::new();
        for table in Table::ALL {
            let records = lake.records.partitions(table, wide).await?;
            partitions.extend(records.into_iter().map(|record| (record.partition, record)));
        }
        let owners = partitions.values().flat_map(|record| record.parts.iter().map(|part| part.unit.clone()));
        let others: BTreeSet<UnitId> = owners.filter(|unit| !units.contains_key(unit)).collect();
        for unit in others {
            let record = lake.records.unit(&unit).await?;
            units.insert(unit, record);
        }
        let folders = folders(lake, hours, &partitions);
        let listed = folders.into_iter().map(|folder| async move {
            let objects: Vec<_> = lake.objects.list(&folder).try_collect().await?;
            Ok::<_, crate::error::Error>(objects)
        });
        let mut listed = std::pin::pin!(futures::stream::iter(listed).buffer_unordered(AT_A_TIME));
        let mut files = HashMap::new();
        while let Some(objects) = listed.try_next().await? {
            files.extend(objects.into_iter().map(|object| (object.location.to_string(), object.size)));
        }
        Ok(Self { units, partitions, files })
    }

    /// Partitions of which a file is gone or of another size, or was lost before and is there
    /// again.
    pub(super) fn changed(&self) -> BTreeSet<Partition> {
        let is_there = |record: &PartitionRecord, file: &FileEntry| {
            self.files.get(&file_path(&record.folder, &file.name)) == Some(&file.size_bytes)
        };
        let changed = |record: &&PartitionRecord| {
            record.files().any(|file| !is_there(record, file)) || record.lost().any(|file| is_there(record, file))
        };
        self.partitions.values().filter(changed).map(|record| record.partition).collect()
    }

    /// Files of edgemill's names that no record names.
    fn unnamed(&self) -> Unnamed {
        let all = self.partitions.values();
        let named: HashSet<String> =
            all.flat_map(|record| record.files().map(|file| file_path(&record.folder, &file.name))).collect();
        let mut unnamed = Unnamed::default();
        for path in self.files.keys().filter(|path| !named.contains(*path)) {
            let Some((partition, name)) = placed(path) else { continue };
            let Some((batch, _)) = name.rsplit_once('-') else { continue };
            let (time, _) = batch.split_once('-').unwrap_or((batch, ""));
            unnamed.times.insert((time.to_owned(), partition.table));
            unnamed.batches.entry(time.to_owned()).or_default().insert(BatchId(batch.to_owned()));
            unnamed.files.insert(path.clone());
        }
        unnamed
    }

    fn parts_of(&self, unit: &UnitId) -> BTreeSet<Partition> {
        let has = |record: &&PartitionRecord| record.part(unit).is_some();
        self.partitions.values().filter(has).map(|record| record.partition).collect()
    }
}

/// The folders that files are looked for in: of all tables, or of what has to do with some hours.
fn folders(
    lake: &Lake,
    hours: Option<HourRange>,
    partitions: &BTreeMap<Partition, PartitionRecord>,
) -> BTreeSet<String> {
    let beside = partitions.values().filter(|record| record.folder != record.partition.folder());
    let mut folders: BTreeSet<String> = beside.map(|record| record.folder.clone()).collect();
    let Some(hours) = hours else {
        folders.extend(Table::ALL.iter().map(|table| table.name().to_owned()));
        return folders;
    };
    folders.extend(partitions.keys().map(Partition::folder));
    for hour in 0..hours.end.hours_since(hours.start) {
        let of = |table| Partition::of(table, lake.identity.partition, hours.start.plus(hour)).folder();
        folders.extend(Table::ALL.map(of));
    }
    folders
}

/// What is wrong with a lake, or with what has to do with some hours of it. Nothing is changed.
///
/// # Errors
/// Those of reading; a record that cannot be read as what it is among them.
pub async fn losses(lake: &Lake, hours: Option<HourRange>) -> Result<Losses> {
    let snapshot = Snapshot::of(lake, hours).await?;
    found(lake, &snapshot).await
}

pub(super) async fn found(lake: &Lake, snapshot: &Snapshot) -> Result<Losses> {
    let mut losses = Losses::default();
    let looks = snapshot.units.keys().map(|unit| async move {
        let parts = snapshot.parts_of(unit);
        let record = &snapshot.units[unit];
        let read = manifests_of(lake, record).await?;
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
        snapshot.units.values().filter(is_its).any(|record| record.version > 0 && unit_time(&record.unit) == time)
    };
    losses.records = unnamed.times.iter().any(|(time, table)| !has_record(time, *table));
    (losses.unnamed, losses.unnamed_files) = (unnamed.batches, unnamed.files);
    if snapshot.units.values().all(|record| record.version == 0) {
        losses.records |= has_no_unit(lake).await?;
    }
    Ok(losses)
}

async fn has_no_unit(lake: &Lake) -> Result<bool> {
    for table in Table::LOGS {
        if !lake.records.each_unit(table).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The manifests of a unit's batches, in their order; nothing in the place of one that is gone or
/// cannot be read.
pub(super) async fn manifests_of(lake: &Lake, record: &UnitRecord) -> Result<Vec<(BatchEntry, Option<Manifest>)>> {
    let mut read = Vec::new();
    for entry in record.batches.iter().chain(&record.replacing) {
        let manifest = match manifests::read(&lake.objects, &entry.attempt).await {
            Ok(manifest) if manifest.digest() == entry.inputs && manifest.batch == entry.batch => Some(manifest),
            Ok(_) => None,
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error),
        };
        read.push((entry.clone(), manifest));
    }
    Ok(read)
}

/// As [`judge`], by records that are read now, until the unit's did not change meanwhile.
pub(super) async fn judge_anew(lake: &Lake, unit: &UnitId, parts: &BTreeSet<Partition>) -> Result<Loss> {
    loop {
        let record = lake.records.unit(unit).await?;
        let read = manifests_of(lake, &record).await?;
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
    snapshot: Option<&Snapshot>,
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
        let gone = |file: &FileEntry| snapshot.is_some_and(|snapshot| !is_there(snapshot, record, file));
        let lost = part.is_some_and(|part| !part.lost.is_empty() || part.files.iter().any(gone));
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
    // Partitions remember every batch for ever, so a unit that has one must have a record.
    let no_record = unit.version == 0 && !partitions.is_empty();
    loss.records |= no_record;
    loss.forgotten |= no_record;
    loss.partitions = partitions;
    Ok(loss)
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

fn is_there(snapshot: &Snapshot, record: &PartitionRecord, file: &FileEntry) -> bool {
    snapshot.files.get(&file_path(&record.folder, &file.name)) == Some(&file.size_bytes)
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
