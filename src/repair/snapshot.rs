//! What a lake's ledger and folders hold, each read once.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};

use super::file_names::placed;
use crate::error::Result;
use crate::kernel::ledger::records::{BatchId, FileEntry, PartitionRecord, UnitRecord};
use crate::kernel::ledger::staging::file_path;
use crate::lake::Lake;
use crate::model::{HourRange, Partition, Table, UnitId};

/// Folders listed at a time.
const AT_A_TIME: usize = 32;

/// Hours beside those that are asked for of which records are read at first: rows come an hour
/// early or late. Where something is lost the whole lake is looked at.
const BESIDE_HOURS: i64 = 2;

/// More hours than these are looked at with the whole lake.
const FEW_HOURS: i64 = 24 * 31;

/// Files that no record names.
#[derive(Default)]
pub(super) struct UnnamedFiles {
    /// How their names begin, and where they are.
    pub(super) times: BTreeSet<(String, Table)>,
    /// Their batches, by how their names begin.
    pub(super) batches: BTreeMap<String, BTreeSet<BatchId>>,
    /// Their paths.
    pub(super) files: BTreeSet<String>,
}

/// What a lake's ledger and folders hold, each read once.
pub(super) struct LedgerSnapshot {
    pub(super) units: BTreeMap<UnitId, UnitRecord>,
    pub(super) partitions: BTreeMap<Partition, PartitionRecord>,
    /// The files in the partitions' folders, and their sizes.
    pub(super) files: HashMap<String, u64>,
}

impl LedgerSnapshot {
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
        let changed = |record: &&PartitionRecord| {
            record.files().any(|file| !self.has(record, file)) || record.lost().any(|file| self.has(record, file))
        };
        self.partitions.values().filter(changed).map(|record| record.partition).collect()
    }

    /// Whether a file is there and of its size.
    pub(super) fn has(&self, record: &PartitionRecord, file: &FileEntry) -> bool {
        self.files.get(&file_path(&record.folder, &file.name)) == Some(&file.size_bytes)
    }

    /// Files of edgemill's names that no record names.
    pub(super) fn unnamed(&self) -> UnnamedFiles {
        let all = self.partitions.values();
        let named: HashSet<String> =
            all.flat_map(|record| record.files().map(|file| file_path(&record.folder, &file.name))).collect();
        let mut unnamed = UnnamedFiles::default();
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

    /// The partitions in which a unit has something.
    pub(super) fn parts_of(&self, unit: &UnitId) -> BTreeSet<Partition> {
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
