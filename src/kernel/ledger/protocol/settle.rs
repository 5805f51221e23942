//! Closes a rewrite: the catalog follows the record to the rewrite's folder, the canonical folder
//! is brought to the current files while nobody reads it, and the catalog comes back.

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome, Wait};
use super::setting::{Sentence, Setting};
use crate::kernel::ledger::records::{AttemptId, PartitionRecord, RewriteStage};
use crate::kernel::ledger::staging::copies;
use crate::model::Partition;

/// What an open rewrite of a stage needs, in this order; every wait is followed by reading the
/// record again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Need {
    /// That nothing older is under way.
    NothingLate,
    /// That the catalog has the record's folder.
    Catalog,
    /// That nobody reads where the catalog pointed before.
    NoQueries,
    /// What the waits were for.
    Work,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum SettlePhase {
    /// Reading the record, with what is needed next for the rewrite and stage for which the needs
    /// before were met.
    Reading(Option<(AttemptId, RewriteStage, Need)>),
    Waiting(AttemptId, RewriteStage, Need),
    Pointing(PartitionRecord),
    ReadingBack(PartitionRecord),
    Copying(PartitionRecord),
    /// A file was gone: if the record of this version stays, so does the loss.
    Missing(u64, String),
    Deleting(PartitionRecord),
    /// Waiting for a compare-and-set; the rewrite's folder, where it is closed.
    Swapping(Option<String>),
    Removing(String),
    Ended(Outcome),
}

impl Default for SettlePhase {
    fn default() -> Self {
        Self::Reading(None)
    }
}

/// The closing of a partition's open rewrite, whoever opened it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Settle {
    setting: Setting,
    partition: Partition,
    phase: SettlePhase,
}

impl Settle {
    /// Closes what is open in a partition.
    #[must_use]
    pub const fn new(setting: Setting, partition: Partition) -> Self {
        Self { setting, partition, phase: SettlePhase::Reading(None) }
    }

    const fn read(&self, met: Option<(AttemptId, RewriteStage, Need)>) -> (SettlePhase, Action) {
        (SettlePhase::Reading(met), Action::ReadPartition(self.partition))
    }

    fn look(&self, met: Option<(AttemptId, RewriteStage, Need)>, record: PartitionRecord) -> (SettlePhase, Action) {
        let Some(open) = &record.rewrite else {
            return (SettlePhase::Ended(Outcome::Done), Action::Done(Outcome::Done));
        };
        let need = match met {
            Some((id, stage, need)) if id == open.id && stage == open.stage => need,
            _ => Need::NothingLate,
        };
        let (id, stage) = (open.id.clone(), open.stage);
        match need {
            Need::NothingLate => self.wait_for_late(record, id, stage),
            Need::Catalog => self.point(record),
            Need::NoQueries => (SettlePhase::Waiting(id, stage, Need::Work), Action::Wait(Wait::Queries)),
            Need::Work => self.work(record, stage),
        }
    }

    fn wait_for_late(&self, record: PartitionRecord, id: AttemptId, stage: RewriteStage) -> (SettlePhase, Action) {
        let wait = |need| (SettlePhase::Waiting(id, stage, need), Action::Wait(Wait::MaxCallDelay));
        let waits = self.setting.keeps(Sentence::CatalogWaits) && self.setting.keeps(Sentence::ReadsBackLate);
        match (self.setting.catalog, stage) {
            (true, _) if !waits => self.point(record),
            (true, _) => wait(Need::Catalog),
            // No catalog: copies may still bring back what is deleted, but nothing that counts is
            // in the rewrite's folder.
            (false, RewriteStage::Open) => wait(Need::Work),
            (false, RewriteStage::Back) => self.work(record, stage),
        }
    }

    fn point(&self, record: PartitionRecord) -> (SettlePhase, Action) {
        let folder = record.folder.clone();
        (SettlePhase::Pointing(record), Action::SetCatalog(self.partition, folder))
    }

    fn read_back(&self, record: PartitionRecord, folder: Option<&String>) -> (SettlePhase, Action) {
        if folder != Some(&record.folder) {
            let folder = record.folder.clone();
            return (SettlePhase::Pointing(record), Action::SetCatalog(self.partition, folder));
        }
        match record.rewrite {
            // Taken out: the waiting comes after the reading back.
            Some(open) if !self.setting.keeps(Sentence::ReadsBackLate) => {
                (SettlePhase::Waiting(open.id, open.stage, Need::NoQueries), Action::Wait(Wait::MaxCallDelay))
            }
            Some(open) => (SettlePhase::Waiting(open.id, open.stage, Need::Work), Action::Wait(Wait::Queries)),
            None => self.read(None),
        }
    }

    fn work(&self, record: PartitionRecord, stage: RewriteStage) -> (SettlePhase, Action) {
        match stage {
            RewriteStage::Open => {
                let wanted = copies(record.files(), &record.folder, &self.partition.folder()).collect();
                (SettlePhase::Copying(record), Action::Copy(wanted))
            }
            RewriteStage::Back => self.close(record),
        }
    }

    /// Deletes what the rewrite replaced, and nothing that is merely unknown: it may be a batch's
    /// that is being published.
    fn delete(&self, record: PartitionRecord) -> (SettlePhase, Action) {
        let canonical = self.partition.folder();
        let mut gone: Vec<String> = record.rewrite.iter().flat_map(|open| &open.replaced).cloned().collect();
        if !self.setting.keeps(Sentence::DeletesOnlyReplaced) {
            // Taken out: everything that the record does not name; the model's folder is listed for
            // it.
            gone = vec!["*".to_owned()];
            gone.extend(record.files().map(|file| file.name.clone()));
        }
        let paths = gone.into_iter().map(|name| format!("{canonical}/{name}")).collect();
        (SettlePhase::Deleting(record), Action::Delete(paths))
    }

    fn back(&self, mut record: PartitionRecord) -> (SettlePhase, Action) {
        record.version += 1;
        record.folder = self.partition.folder();
        if let Some(open) = &mut record.rewrite {
            open.stage = RewriteStage::Back;
        }
        (SettlePhase::Swapping(None), Action::SwapPartition(record))
    }

    /// The record closes it first, and the folder goes after: a crash between leaves a folder whose
    /// rewrite has ended, which a listing of `staging` finds.
    fn close(&self, mut record: PartitionRecord) -> (SettlePhase, Action) {
        let Some(open) = record.rewrite.take() else { return self.read(None) };
        let folder = open.folder;
        record.version += 1;
        record.ended.insert(open.id);
        if self.setting.catalog {
            record.registered = Some(record.folder.clone());
        }
        (SettlePhase::Swapping(Some(folder)), Action::SwapPartition(record))
    }
}

impl Phases for Settle {
    type Phase = SettlePhase;

    fn phase_mut(&mut self) -> &mut SettlePhase {
        &mut self.phase
    }

    fn next(&self, phase: SettlePhase, event: Event) -> (SettlePhase, Action) {
        match (phase, event) {
            (SettlePhase::Reading(met), Event::Partition(record)) => self.look(met, record),
            (SettlePhase::Waiting(id, stage, need), Event::Waited) => self.read(Some((id, stage, need))),
            (SettlePhase::Pointing(record), Event::CatalogSet) => {
                (SettlePhase::ReadingBack(record), Action::ReadCatalog(self.partition))
            }
            (SettlePhase::ReadingBack(record), Event::Catalog(folder)) => self.read_back(record, folder.as_ref()),
            (SettlePhase::Copying(record), Event::Copied) => self.delete(record),
            (SettlePhase::Copying(record), Event::SourceGone(path)) => {
                (SettlePhase::Missing(record.version, path), Action::ReadPartition(self.partition))
            }
            (SettlePhase::Missing(version, path), Event::Partition(record)) if record.version == version => {
                (SettlePhase::Ended(Outcome::FileMissing(path.clone())), Action::Done(Outcome::FileMissing(path)))
            }
            (SettlePhase::Missing(..), Event::Partition(record)) => self.look(None, record),
            (SettlePhase::Deleting(record), Event::Deleted) => self.back(record),
            (SettlePhase::Swapping(Some(folder)), Event::Swapped(CasOutcome::Committed)) => {
                (SettlePhase::Removing(folder.clone()), Action::RemoveFolder(folder))
            }
            (SettlePhase::Removing(_), Event::Removed) => self.read(None),
            (SettlePhase::Removing(folder), _) => (SettlePhase::Removing(folder.clone()), Action::RemoveFolder(folder)),
            (SettlePhase::Ended(outcome), _) => (SettlePhase::Ended(outcome.clone()), Action::Done(outcome)),
            _ => self.read(None),
        }
    }
}
