//! Opens a rewrite: new files in the place of some, seen by readers of the record in one instant.
//!
//! The rewrite's own folder comes to hold the whole partition (the new files, and copies of those
//! that stay), then one compare-and-set lets the record name it. Whoever follows a catalog sees
//! nothing of it before [`super::Settle`] points there.

use std::collections::BTreeSet;

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome};
use super::setting::{Sentence, Setting};
use crate::kernel::ledger::records::{
    AttemptId, BatchId, FileEntry, Manifest, OpenRewrite, PartitionRecord, RewriteStage,
};
use crate::kernel::ledger::staging::{FileCopy, STAGING, StagingDir, copies, rewrite_folder, staging, written};
use crate::model::{Partition, UnitId};

/// What a rewrite changes in the part of one unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnitChange {
    /// The unit.
    pub unit: UnitId,
    /// The files that go: these, or whatever the unit has by then.
    pub replaced: Option<BTreeSet<String>>,
    /// The files that come.
    pub files: BTreeSet<FileEntry>,
    /// The folder where they wait.
    pub from: String,
    /// The batch that is applied with it.
    pub applies: Option<BatchId>,
    /// Folds of batches that were applied here: each is named in the place of those that it stands
    /// for.
    pub folded: Vec<Folded>,
}

/// A fold of a unit's batches, as its record names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folded {
    /// What it is named.
    pub batch: BatchId,
    /// The try that named it.
    pub attempt: AttemptId,
    /// What it stands for.
    pub folds: BTreeSet<BatchId>,
}

impl UnitChange {
    /// A batch in the place of all that its unit has in a partition.
    #[must_use]
    pub fn of_batch(manifest: &Manifest, partition: Partition) -> Self {
        Self {
            unit: manifest.unit.clone(),
            replaced: None,
            files: manifest.files(partition).cloned().collect(),
            from: staging(&manifest.unit, &manifest.attempt),
            applies: Some(manifest.batch.clone()),
            folded: Vec::new(),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum SwitchPhase {
    #[default]
    Reading,
    /// Looking whether the sources of what goes are gone.
    Listing(PartitionRecord),
    Copying(PartitionRecord),
    /// A file was gone: if the record of this version stays, so does the loss.
    Missing(u64, String),
    Swapping,
    /// Removing what a compaction wrote: it has been copied, or will not be needed.
    Dropping(Outcome),
    Ended(Outcome),
}

/// One rewrite of one partition on its way into the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    setting: Setting,
    id: AttemptId,
    partition: Partition,
    changes: Vec<UnitChange>,
    phase: SwitchPhase,
}

impl std::hash::Hash for Switch {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.id, self.partition, &self.phase).hash(state);
    }
}

impl Switch {
    /// A rewrite whose new files are written.
    #[must_use]
    pub const fn new(setting: Setting, id: AttemptId, partition: Partition, changes: Vec<UnitChange>) -> Self {
        Self { setting, id, partition, changes, phase: SwitchPhase::Reading }
    }

    const fn read(&self) -> (SwitchPhase, Action) {
        (SwitchPhase::Reading, Action::ReadPartition(self.partition))
    }

    fn end(outcome: Outcome) -> (SwitchPhase, Action) {
        (SwitchPhase::Ended(outcome.clone()), Action::Done(outcome))
    }

    /// What a compaction wrote has been copied, or is of no use. A batch's staging is its unit's
    /// affair.
    fn drop(&self, outcome: Outcome) -> (SwitchPhase, Action) {
        if self.is_batch() {
            return Self::end(outcome);
        }
        (SwitchPhase::Dropping(outcome), Action::RemoveFolder(written(self.partition, &self.id)))
    }

    fn is_batch(&self) -> bool {
        self.changes.iter().any(|change| change.applies.is_some())
    }

    /// The folder of a rewrite of this version of the record.
    fn folder(&self, record: &PartitionRecord) -> String {
        rewrite_folder(self.partition, &self.id, record.version)
    }

    fn look(&self, record: PartitionRecord) -> (SwitchPhase, Action) {
        let applied =
            |change: &UnitChange| change.applies.as_ref().is_some_and(|batch| record.has_applied(&change.unit, batch));
        if record.rewrite.as_ref().is_some_and(|open| open.id == self.id) || self.changes.iter().any(applied) {
            return self.drop(Outcome::Done);
        }
        // A batch that its unit names goes on whatever was ended here: in the folder of another
        // version.
        if record.ended.contains(&self.id) && !self.is_batch() {
            return self.drop(Outcome::Superseded);
        }
        if record.rewrite.is_some() {
            return (SwitchPhase::Reading, Action::Settle(self.partition));
        }
        let current: BTreeSet<&String> = record.files().map(|file| &file.name).collect();
        let known = |change: &UnitChange| change.replaced.iter().flatten().all(|name| current.contains(name));
        if !self.changes.iter().all(known) {
            return self.drop(Outcome::Superseded);
        }
        if self.setting.keeps(Sentence::SourcesGoneFirst) {
            (SwitchPhase::Listing(record), Action::ListStaging)
        } else {
            self.copy(record)
        }
    }

    /// The sources of files that go must be gone: a batch's staging, an earlier rewrite's folder.
    /// None ever comes back.
    fn check_sources(&self, record: PartitionRecord, names: &BTreeSet<String>) -> (SwitchPhase, Action) {
        let replaced = self.replaced(&record);
        for name in names {
            match StagingDir::parse(name) {
                // Nothing will ever come of a folder for a version that has passed; its files may
                // be sources of ours.
                Some(StagingDir::Rewrite { partition, version, .. })
                    if partition == self.partition && version < record.version =>
                {
                    return (SwitchPhase::Reading, Action::RemoveFolder(format!("{STAGING}/{name}")));
                }
                Some(StagingDir::Written { partition, id })
                    if partition == self.partition && record.ended.contains(&id) =>
                {
                    return (SwitchPhase::Reading, Action::RemoveFolder(format!("{STAGING}/{name}")));
                }
                Some(StagingDir::Batch { attempt, .. })
                    if has_files_of(&record, &attempt, &replaced) || self.forgets(&record, &attempt) =>
                {
                    return self.drop(Outcome::Busy);
                }
                _ => {}
            }
        }
        self.copy(record)
    }

    /// Whether a fold takes the place of an attempt's batch.
    fn forgets(&self, record: &PartitionRecord, attempt: &AttemptId) -> bool {
        self.changes.iter().any(|change| {
            let applied = record.part(&change.unit).into_iter().flat_map(|part| &part.applied);
            let of: Vec<&BatchId> = applied.filter(|(_, of)| *of == attempt).map(|(batch, _)| batch).collect();
            change.folded.iter().any(|fold| of.iter().any(|batch| fold.folds.contains(*batch)))
        })
    }

    /// Names of the files that go.
    fn replaced(&self, record: &PartitionRecord) -> BTreeSet<String> {
        let of = |change: &UnitChange| match &change.replaced {
            Some(names) => names.clone(),
            None => record.part(&change.unit).map(|part| names_of(&part.files)).unwrap_or_default(),
        };
        self.changes.iter().flat_map(of).collect()
    }

    fn copy(&self, record: PartitionRecord) -> (SwitchPhase, Action) {
        let replaced = self.replaced(&record);
        // Where nothing goes there is nothing to switch: the files come as those of any batch do.
        let to = if replaced.is_empty() { record.folder.clone() } else { self.folder(&record) };
        let mut wanted: Vec<FileCopy> = Vec::new();
        if !replaced.is_empty() {
            let staying = record.files().filter(|file| !replaced.contains(&file.name));
            wanted.extend(copies(staying, &record.folder, &to));
        }
        for change in &self.changes {
            wanted.extend(copies(change.files.iter(), &change.from, &to));
        }
        if wanted.is_empty() && !replaced.is_empty() {
            // Without any object there would be no folder, and nobody would find the open rewrite
            // in a listing of `staging`.
            return (SwitchPhase::Copying(record), Action::Mark(format!("{to}/_empty")));
        }
        (SwitchPhase::Copying(record), Action::Copy(wanted))
    }

    fn switched(&self, mut record: PartitionRecord) -> PartitionRecord {
        let (replaced, folder) = (self.replaced(&record), self.folder(&record));
        record.version += 1;
        for change in &self.changes {
            let part = record.part_mut(&change.unit);
            part.files.retain(|file| !replaced.contains(&file.name));
            part.files.extend(change.files.iter().cloned());
            for Folded { batch, attempt, folds } in &change.folded {
                let before = part.applied.len();
                part.applied.retain(|applied, _| !folds.contains(applied));
                if part.applied.len() < before {
                    part.applied.insert(batch.clone(), attempt.clone());
                }
            }
            if let Some(batch) = &change.applies {
                part.applied.insert(batch.clone(), self.id.clone());
            }
            // In the place of all that the unit has: what it lost is made good.
            if change.replaced.is_none() {
                part.lost.clear();
            }
        }
        if !replaced.is_empty() {
            record.folder.clone_from(&folder);
            record.rewrite = Some(OpenRewrite { id: self.id.clone(), stage: RewriteStage::Open, folder, replaced });
        }
        record
    }
}

impl Phases for Switch {
    type Phase = SwitchPhase;

    fn phase_mut(&mut self) -> &mut SwitchPhase {
        &mut self.phase
    }

    fn next(&self, phase: SwitchPhase, event: Event) -> (SwitchPhase, Action) {
        match (phase, event) {
            (SwitchPhase::Listing(record), Event::Staging(names)) => self.check_sources(record, &names),
            (SwitchPhase::Copying(record), Event::Copied | Event::Marked) => {
                (SwitchPhase::Swapping, Action::SwapPartition(self.switched(record)))
            }
            (SwitchPhase::Copying(record), Event::SourceGone(path)) => {
                (SwitchPhase::Missing(record.version, path), Action::ReadPartition(self.partition))
            }
            (SwitchPhase::Missing(version, path), Event::Partition(record)) if record.version == version => {
                Self::end(Outcome::FileMissing(path))
            }
            (SwitchPhase::Reading | SwitchPhase::Missing(..), Event::Partition(record)) => self.look(record),
            (SwitchPhase::Swapping, Event::Swapped(CasOutcome::Committed)) => self.drop(Outcome::Done),
            (SwitchPhase::Dropping(outcome), Event::Removed) | (SwitchPhase::Ended(outcome), _) => Self::end(outcome),
            (SwitchPhase::Dropping(outcome), _) => self.drop(outcome),
            _ => self.read(),
        }
    }
}

fn names_of(files: &BTreeSet<FileEntry>) -> BTreeSet<String> {
    files.iter().map(|file| file.name.clone()).collect()
}

/// Whether some of these files came from an attempt's staging.
fn has_files_of(record: &PartitionRecord, attempt: &AttemptId, names: &BTreeSet<String>) -> bool {
    let batches = record.parts.iter().flat_map(|part| &part.applied).filter(|(_, of)| *of == attempt);
    batches.map(|(batch, _)| format!("{}-", batch.0)).any(|start| names.iter().any(|name| name.starts_with(&start)))
}
