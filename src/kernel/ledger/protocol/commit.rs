//! Brings an attempt's batch into the table: commit in the unit's record, publish in every
//! partition, mark, clear.

use std::collections::BTreeSet;

use super::machine::{Machine, Phases};
use super::messages::{Action, CasOutcome, Event, Outcome};
use super::register::Register;
use super::setting::{Sentence, Setting};
use super::switch::{Switch, UnitChange};
use crate::kernel::ledger::records::{BatchEntry, BatchId, BatchState, Manifest, PartitionRecord, UnitRecord};
use crate::kernel::ledger::staging::{STAGING, StagingDir, copies_of_batch, staging};
use crate::model::Partition;

/// What is done in one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Publish {
    Reading,
    Copying(PartitionRecord),
    Swapping,
    /// The batch takes the place of what the unit has here.
    Switching(Box<Switch>),
    Registering(Register),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum CommitPhase {
    #[default]
    Begin,
    ReadingUnit,
    CheckingInputs(UnitRecord),
    /// Looking whether the sources of what is to be replaced are gone.
    Listing(UnitRecord),
    Committing,
    /// In the partition at this place.
    Publishing(usize, Publish),
    /// Staging was gone: only a batch that is published by now may lack it.
    ReadingWhyGone(String),
    ReadingToMark,
    Marking,
    Clearing(Outcome),
    Ended(Outcome),
}

/// One attempt on its way into the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit<'m> {
    setting: Setting,
    manifest: &'m Manifest,
    partitions: Vec<Partition>,
    /// The batches whose inputs are known to share none with ours.
    checked: BTreeSet<BatchId>,
    phase: CommitPhase,
}

impl std::hash::Hash for Commit<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.manifest.attempt, &self.phase).hash(state);
    }
}

impl<'m> Commit<'m> {
    /// An attempt whose files are staged. `planned_against` are the batches that the plan took into
    /// account.
    #[must_use]
    pub fn new(setting: Setting, manifest: &'m Manifest, planned_against: &UnitRecord) -> Self {
        let checked = planned_against.batches.iter().map(|entry| entry.batch.clone()).collect();
        Self { checked, ..Self::at(setting, manifest, CommitPhase::Begin) }
    }

    /// A batch that somebody committed and that is not published yet.
    #[must_use]
    pub fn finish(setting: Setting, manifest: &'m Manifest) -> Self {
        let mut machine = Self::at(setting, manifest, CommitPhase::Begin);
        (machine.phase, _) = machine.publish(0);
        machine
    }

    fn at(setting: Setting, manifest: &'m Manifest, phase: CommitPhase) -> Self {
        let partitions = manifest.partitions().into_iter().collect();
        Self { setting, manifest, partitions, checked: BTreeSet::new(), phase }
    }

    fn end(outcome: Outcome) -> (CommitPhase, Action) {
        (CommitPhase::Ended(outcome.clone()), Action::Done(outcome))
    }

    fn clear(&self, outcome: Outcome) -> (CommitPhase, Action) {
        (CommitPhase::Clearing(outcome), Action::RemoveFolder(staging(&self.manifest.unit, &self.manifest.attempt)))
    }

    fn commit(&self, record: UnitRecord) -> (CommitPhase, Action) {
        if record.entry(&self.manifest.attempt).is_some() {
            // An earlier compare-and-set of ours had happened after all.
            return self.publish(0);
        }
        let known = record.batches.iter().any(|entry| entry.batch == self.manifest.batch);
        if known || record.ended.contains(&self.manifest.attempt) {
            return self.clear(Outcome::Superseded);
        }
        if let Some(other) = record.replacing.clone().filter(|_| self.setting.keeps(Sentence::OneReplacement)) {
            return (CommitPhase::ReadingUnit, Action::Finish(other));
        }
        if let Some(replaced) = &self.manifest.replaces {
            let published = record.batches.iter().all(|entry| entry.state == BatchState::Published);
            let these: BTreeSet<BatchId> = record.batches.iter().map(|entry| entry.batch.clone()).collect();
            if self.setting.keeps(Sentence::ReplacesExactly) && !(published && these == replaced.batches) {
                return self.clear(Outcome::Superseded);
            }
            return (CommitPhase::Listing(record), Action::ListStaging);
        }
        let unseen: Vec<BatchEntry> =
            record.batches.iter().filter(|entry| !self.checked.contains(&entry.batch)).cloned().collect();
        if unseen.is_empty() {
            self.append(record)
        } else {
            (CommitPhase::CheckingInputs(record), Action::ReadInputs(unseen))
        }
    }

    /// What is to be replaced is published, so what is left of its staging is of no more use, and
    /// must be gone before its files may be deleted.
    fn check_sources(&self, record: UnitRecord, names: &BTreeSet<String>) -> (CommitPhase, Action) {
        let left = names.iter().find(|name| match StagingDir::parse(name) {
            Some(StagingDir::Batch { attempt, .. }) => record.batches.iter().any(|entry| entry.attempt == attempt),
            _ => false,
        });
        match left {
            Some(name) if self.setting.keeps(Sentence::SourcesGoneFirst) => {
                (CommitPhase::ReadingUnit, Action::RemoveFolder(format!("{STAGING}/{name}")))
            }
            _ => self.append(record),
        }
    }

    fn append(&self, mut record: UnitRecord) -> (CommitPhase, Action) {
        record.version += 1;
        let entry = BatchEntry {
            batch: self.manifest.batch.clone(),
            attempt: self.manifest.attempt.clone(),
            state: BatchState::Committed,
            inputs: self.manifest.digest(),
            input_bytes: self.manifest.inputs.iter().map(|input| input.object.size_bytes).sum(),
            hours: self.manifest.hours,
            partitions: self.manifest.few_partitions(),
            batches: 0,
        };
        if self.manifest.replaces.is_some() {
            record.replacing = Some(entry);
        } else {
            record.batches.push(entry);
        }
        (CommitPhase::Committing, Action::SwapUnit(record))
    }

    fn publish(&self, place: usize) -> (CommitPhase, Action) {
        let Some(partition) = self.partitions.get(place).copied() else {
            return (CommitPhase::ReadingToMark, Action::ReadUnit);
        };
        let at = if self.manifest.replaces.is_some() {
            let changes = vec![UnitChange::of_batch(self.manifest, partition)];
            let switch = Switch::new(self.setting, self.manifest.attempt.clone(), partition, changes);
            Publish::Switching(Box::new(switch))
        } else {
            Publish::Reading
        };
        (CommitPhase::Publishing(place, at), Action::ReadPartition(partition))
    }

    fn publishing(&self, place: usize, at: Publish, event: Event) -> (CommitPhase, Action) {
        let (unit, batch) = (&self.manifest.unit, &self.manifest.batch);
        let stay = |at, action| (CommitPhase::Publishing(place, at), action);
        match (at, event) {
            (Publish::Reading, Event::Partition(record)) if record.has_applied(unit, batch) => {
                self.published(place, Event::Partition(record))
            }
            (Publish::Reading, Event::Partition(record)) => {
                let wanted = copies_of_batch(self.manifest, &record, &record.folder);
                stay(Publish::Copying(record), Action::Copy(wanted))
            }
            (Publish::Copying(record), Event::Copied) => {
                stay(Publish::Swapping, Action::SwapPartition(self.apply(record)))
            }
            (Publish::Copying(_), Event::SourceGone(path)) => (CommitPhase::ReadingWhyGone(path), Action::ReadUnit),
            (Publish::Swapping, Event::Swapped(CasOutcome::Committed)) => self.published(place, Event::Start),
            (Publish::Switching(switch), event) => self.switching(place, switch, event),
            (Publish::Registering(mut register), event) => match register.step(event) {
                Action::Done(_) => self.publish(place + 1),
                action => stay(Publish::Registering(register), action),
            },
            (Publish::Reading | Publish::Copying(_) | Publish::Swapping, _) => self.publish(place),
        }
    }

    fn switching(&self, place: usize, mut switch: Box<Switch>, event: Event) -> (CommitPhase, Action) {
        match switch.step(event) {
            // What the switch lacks may have been cleared by whoever published the batch meanwhile.
            Action::Done(Outcome::FileMissing(path)) => (CommitPhase::ReadingWhyGone(path), Action::ReadUnit),
            Action::Done(Outcome::Busy) => self.publish(place),
            Action::Done(Outcome::Done) => self.published(place, Event::Start),
            // Its rewrite was ended, which is done only to what no unit names.
            Action::Done(Outcome::Superseded) => {
                (CommitPhase::ReadingWhyGone(staging_of(self.manifest)), Action::ReadUnit)
            }
            action => (CommitPhase::Publishing(place, Publish::Switching(switch)), action),
        }
    }

    /// The batch is applied in the partition at this place, which the catalog has to know of; the
    /// event is what was just seen.
    fn published(&self, place: usize, seen: Event) -> (CommitPhase, Action) {
        let Some(partition) = self.partitions.get(place).filter(|_| self.setting.catalog) else {
            return self.publish(place + 1);
        };
        self.publishing(place, Publish::Registering(Register::new(*partition)), seen)
    }

    /// A batch that was published has no staging, and none that was replaced since is in the
    /// record.
    fn why_gone(&self, record: &UnitRecord, path: String) -> (CommitPhase, Action) {
        if record.unpublished().any(|entry| entry.attempt == self.manifest.attempt) {
            return Self::end(Outcome::FileMissing(path));
        }
        self.clear(Outcome::Done)
    }

    fn apply(&self, mut record: PartitionRecord) -> PartitionRecord {
        record.version += 1;
        let files: Vec<_> = self.manifest.files(record.partition).cloned().collect();
        let part = record.part_mut(&self.manifest.unit);
        part.applied.insert(self.manifest.batch.clone(), self.manifest.attempt.clone());
        part.files.extend(files);
        record
    }

    fn mark(&self, mut record: UnitRecord) -> (CommitPhase, Action) {
        if let Some(mut entry) = record.replacing.take_if(|entry| entry.attempt == self.manifest.attempt) {
            entry.state = BatchState::Published;
            record.batches = vec![entry];
        } else {
            let ours = record.batches.iter_mut().find(|entry| entry.attempt == self.manifest.attempt);
            match ours {
                Some(entry) if entry.state == BatchState::Committed => entry.state = BatchState::Published,
                _ => return self.clear(Outcome::Done),
            }
        }
        record.version += 1;
        (CommitPhase::Marking, Action::SwapUnit(record))
    }
}

impl Phases for Commit<'_> {
    type Phase = CommitPhase;

    fn phase_mut(&mut self) -> &mut CommitPhase {
        &mut self.phase
    }

    fn next(&self, phase: CommitPhase, event: Event) -> (CommitPhase, Action) {
        match (phase, event) {
            (CommitPhase::Begin, Event::ManifestWritten) => (CommitPhase::ReadingUnit, Action::ReadUnit),
            (CommitPhase::Begin, _) => (CommitPhase::Begin, Action::WriteManifest),
            (CommitPhase::CheckingInputs(_), Event::Inputs { overlap: true }) => self.clear(Outcome::Superseded),
            (CommitPhase::CheckingInputs(record), Event::Inputs { overlap: false }) => self.append(record),
            (CommitPhase::Listing(record), Event::Staging(names)) => self.check_sources(record, &names),
            (CommitPhase::ReadingUnit, Event::Unit(record)) | (CommitPhase::CheckingInputs(record), _) => {
                self.commit(record)
            }
            (CommitPhase::Committing, Event::Swapped(CasOutcome::Committed)) => self.publish(0),
            // Lost or unknown: the record itself tells.
            (CommitPhase::ReadingUnit | CommitPhase::Listing(_) | CommitPhase::Committing, _) => {
                (CommitPhase::ReadingUnit, Action::ReadUnit)
            }
            (CommitPhase::Publishing(place, at), event) => self.publishing(place, at, event),
            (CommitPhase::ReadingWhyGone(path), Event::Unit(record)) => self.why_gone(&record, path),
            (CommitPhase::ReadingWhyGone(path), _) => (CommitPhase::ReadingWhyGone(path), Action::ReadUnit),
            (CommitPhase::ReadingToMark, Event::Unit(record)) => self.mark(record),
            (CommitPhase::Marking, Event::Swapped(CasOutcome::Committed)) => self.clear(Outcome::Done),
            (CommitPhase::ReadingToMark | CommitPhase::Marking, _) => (CommitPhase::ReadingToMark, Action::ReadUnit),
            (CommitPhase::Clearing(outcome), Event::Removed) | (CommitPhase::Ended(outcome), _) => Self::end(outcome),
            (CommitPhase::Clearing(outcome), _) => self.clear(outcome),
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        Some(self.manifest)
    }
}

fn staging_of(manifest: &Manifest) -> String {
    staging(&manifest.unit, &manifest.attempt)
}
