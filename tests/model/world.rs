//! All that outlives a worker: records, files, the catalog, and calls that are still under way.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use edgemill::kernel::ledger::records::{AttemptId, PartitionRecord, UnitRecord};
use edgemill::kernel::ledger::staging::{FileCopy, file_path};
use edgemill::model::{Partition, UnitId};

use super::scenario::{Breakage, rows_of};

/// A call that takes effect outside the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Call {
    /// A copy whose source was there when it was sent.
    Copy(FileCopy),
    Delete(String),
    SetCatalog(Partition, String),
}

/// A call whose sender has given up on it, and that takes effect later.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Late {
    pub(crate) call: Call,
    /// By worker: whether a wait of `max_call_delay` of that worker began after the reading that
    /// the call rests on.
    pub(crate) waits: u8,
}

/// A query that goes on: where the catalog pointed when it began, and the files that it saw there.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Query {
    pub(crate) files: BTreeSet<String>,
    pub(crate) waits: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) units: BTreeMap<UnitId, Rc<UnitRecord>>,
    pub(crate) partitions: BTreeMap<Partition, Rc<PartitionRecord>>,
    pub(crate) manifests: BTreeSet<AttemptId>,
    /// Attempts that a unit's record has ever named.
    pub(crate) committed: BTreeSet<AttemptId>,
    pub(crate) files: Rc<BTreeSet<String>>,
    pub(crate) catalog: BTreeMap<Partition, String>,
    pub(crate) late: Vec<Late>,
    pub(crate) query: Option<Query>,
    /// Rows that a catalog reader of a partition must see, whatever happens: those that an open
    /// rewrite keeps.
    pub(crate) kept: BTreeMap<Partition, BTreeSet<char>>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self {
            units: BTreeMap::new(),
            partitions: BTreeMap::new(),
            manifests: BTreeSet::new(),
            committed: BTreeSet::new(),
            files: Rc::default(),
            catalog: BTreeMap::new(),
            late: Vec::new(),
            query: None,
            kept: BTreeMap::new(),
        }
    }

    pub(crate) fn unit(&self, unit: &UnitId) -> UnitRecord {
        self.units.get(unit).map_or_else(|| UnitRecord::new(unit.clone()), |record| UnitRecord::clone(record))
    }

    pub(crate) fn partition(&self, partition: Partition) -> PartitionRecord {
        let known = self.partitions.get(&partition);
        known.map_or_else(|| PartitionRecord::new(partition), |record| PartitionRecord::clone(record))
    }

    pub(crate) fn swap_unit(&mut self, next: &UnitRecord) -> bool {
        let won = next.version == self.unit(&next.unit).version + 1;
        if won {
            let entries = next.batches.iter().chain(&next.replacing);
            self.committed.extend(entries.map(|entry| entry.attempt.clone()));
            self.units.insert(next.unit.clone(), Rc::new(next.clone()));
        }
        won
    }

    pub(crate) fn swap_partition(&mut self, next: &PartitionRecord) -> bool {
        let before = self.partition(next.partition);
        let won = next.version == before.version + 1;
        if won {
            if next.rewrite.is_some() && before.rewrite.is_none() {
                let (old, new) = (record_rows(&before), record_rows(next));
                let kept = old.iter().filter(|row| new.contains(row)).copied().collect();
                self.kept.insert(next.partition, kept);
            }
            if next.rewrite.is_none() {
                self.kept.remove(&next.partition);
            }
            self.partitions.insert(next.partition, Rc::new(next.clone()));
        }
        won
    }

    pub(crate) fn take_effect(&mut self, call: &Call, breakage: Breakage) {
        match call {
            Call::Copy(copy) => {
                Rc::make_mut(&mut self.files).insert(copy.to.clone());
                if breakage == Breakage::MovesFromStaging && copy.from.starts_with("staging/batch.") {
                    Rc::make_mut(&mut self.files).remove(&copy.from);
                }
            }
            Call::Delete(path) => {
                Rc::make_mut(&mut self.files).remove(path);
            }
            Call::SetCatalog(partition, folder) => {
                self.catalog.insert(*partition, folder.clone());
            }
        }
    }

    pub(crate) fn in_folder(&self, folder: &str) -> Vec<&String> {
        let start = format!("{folder}/");
        let inside = |path: &&String| path.strip_prefix(&start).is_some_and(|rest| !rest.contains('/'));
        self.files.iter().filter(inside).collect()
    }

    pub(crate) fn remove_folder(&mut self, folder: &str) {
        let start = format!("{folder}/");
        Rc::make_mut(&mut self.files).retain(|path| !path.starts_with(&start));
    }

    pub(crate) fn staging(&self) -> BTreeSet<String> {
        let inside = self.files.iter().filter_map(|path| path.strip_prefix("staging/"));
        inside.filter_map(|path| path.split('/').next().map(str::to_owned)).collect()
    }

    /// What must hold at every instant; the breach, if there is one.
    pub(crate) fn breach(&self, with_catalog: bool) -> Option<String> {
        if let Some(attempt) = self.committed.iter().find(|attempt| !self.manifests.contains(*attempt)) {
            return Some(format!("a batch of {attempt:?} is committed and has no manifest"));
        }
        for record in self.partitions.values() {
            let mut applied = record.parts.iter().flat_map(|part| part.applied.values());
            if let Some(attempt) = applied.find(|attempt| !self.committed.contains(*attempt)) {
                return Some(format!("a query sees rows of {attempt:?}, which no unit has named"));
            }
            if let Some(file) = record.lost().next() {
                return Some(format!("{} is taken for lost in {}, and nobody removed it", file.name, record.partition));
            }
            for file in record.files() {
                let path = file_path(&record.folder, &file.name);
                if !self.files.contains(&path) {
                    return Some(format!("a query finds no {path}"));
                }
            }
            if let Some(row) = twice(&record_rows(record)) {
                return Some(format!("a query sees row {row} twice in {}", record.partition));
            }
        }
        if let Some(query) = self.query.as_ref().filter(|query| !query.files.is_subset(&self.files)) {
            return Some(format!("a file went while a query was reading it: {query:?}"));
        }
        if !with_catalog {
            return None;
        }
        self.catalog.iter().find_map(|(partition, folder)| self.catalog_breach(*partition, folder))
    }

    fn catalog_breach(&self, partition: Partition, folder: &str) -> Option<String> {
        let files = self.in_folder(folder);
        let seen: Vec<char> = files.iter().flat_map(|path| rows_of(path)).collect();
        if let Some(row) = twice(&seen) {
            return Some(format!("a reader of the catalog sees row {row} twice in {folder}"));
        }
        let record = self.partition(partition);
        let settled = record.rewrite.is_none() && record.registered.as_deref() == Some(folder);
        let wanted: Vec<char> = if settled {
            record_rows(&record)
        } else {
            self.kept.get(&partition).into_iter().flatten().copied().collect()
        };
        let lost = wanted.into_iter().find(|row| !seen.contains(row));
        lost.map(|row| format!("a reader of the catalog misses row {row} in {folder}"))
    }
}

pub(crate) fn record_rows(record: &PartitionRecord) -> Vec<char> {
    record.files().flat_map(|file| rows_of(&file.name)).collect()
}

pub(crate) fn twice(rows: &[char]) -> Option<char> {
    let mut seen = BTreeSet::new();
    rows.iter().copied().find(|row| !seen.insert(*row))
}
