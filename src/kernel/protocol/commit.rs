//! The commit protocol as a pure state machine: what a worker does next, given what it has just seen.
//!
//! Write aside, commit, publish. The worker's files lie in its staging folder when the machine begins. [`Commit::step`]
//! takes an event and answers with the next action; whoever carries the action out (`commit.rs` in a real run, a model
//! checker in a proof) brings back what came of it. The machine holds no clock, no identity but its manifest's attempt,
//! and no belief about a record other than the one it was just shown.
//!
//! Why each row is in the table exactly once:
//! - the only instant that decides is the compare-and-set that appends the batch to its unit's record ([`Action::SwapUnit`]);
//! - before it, nothing that a reader follows has changed, so a crash leaves only a staging folder;
//! - a worker appends only to a record whose inputs it has all seen and that share none with its own ([`Event::Inputs`]);
//! - after it, every step can be repeated by anyone: copying a file to a name that follows from the batch, and adding a
//!   batch to a set that has it already;
//! - staging is cleared only when the batch is marked published, so whoever finishes the work finds the files, or finds
//!   the batch marked ([`Event::StagingGone`]);
//! - a compare-and-set whose answer was lost is answered by reading again: the attempt in the record tells whose it is.

use std::collections::BTreeSet;

use super::records::{BatchEntry, BatchId, BatchState, Manifest, PartitionRecord, UnitRecord};
use crate::model::Partition;

/// What came of a compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Swap {
    /// The record is now ours.
    Done,
    /// Another version was there first; nothing was written.
    Lost,
    /// No telling: it may have happened.
    Unknown,
}

/// What the worker does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Write the manifest; its name is the attempt's, so nobody else writes it.
    WriteManifest,
    /// Read the unit's record.
    ReadUnit,
    /// Read the inputs of these batches of the unit.
    ReadInputs(Vec<BatchEntry>),
    /// Replace the unit's record, whose version is one less than this one's.
    SwapUnit(UnitRecord),
    /// Read a partition's record.
    ReadPartition(Partition),
    /// Copy the batch's files of a partition from staging to the folder that its record names; those that are there stay.
    CopyFiles(PartitionRecord),
    /// Replace a partition's record, whose version is one less than this one's.
    SwapPartition(PartitionRecord),
    /// Remove the attempt's staging folder.
    ClearStaging,
    /// Nothing more.
    Done(Outcome),
}

/// What the worker has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The machine's first event.
    Start,
    /// The manifest lies in the store, and so do the staged files.
    ManifestWritten,
    /// The unit's record as it is.
    Unit(UnitRecord),
    /// Whether the batches that were asked for have any of this batch's inputs.
    Inputs {
        /// They have at least one in common.
        overlap: bool,
    },
    /// What came of a compare-and-set.
    Swapped(Swap),
    /// A partition's record as it is.
    Partition(PartitionRecord),
    /// The files lie in the folder that was asked for.
    FilesCopied,
    /// A file that was to be copied is not in staging.
    StagingGone,
    /// The staging folder is gone.
    StagingCleared,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The batch is committed and published.
    Published,
    /// Another batch has some of these inputs: nothing of this attempt counts, plan anew.
    Superseded,
    /// The batch counts and is not published, and its staged files are gone: somebody else removed them.
    StagingLost,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Begin,
    ReadingUnit,
    CheckingInputs(UnitRecord),
    Committing,
    /// Publishing the partition at this place; the record that was last read, once it was.
    Publishing(usize, Option<PartitionRecord>),
    /// Staging was gone: only a batch that is marked published by now may lack it.
    ReadingWhyGone,
    ReadingToMark,
    Marking,
    Clearing(Outcome),
    Ended(Outcome),
}

/// One attempt on its way into the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit<'m> {
    manifest: &'m Manifest,
    partitions: Vec<Partition>,
    /// The batches whose inputs are known to share none with ours.
    checked: BTreeSet<BatchId>,
    phase: Phase,
}

impl<'m> Commit<'m> {
    /// An attempt whose files are staged. `planned_against` are the batches that the plan took into account.
    #[must_use]
    pub fn new(manifest: &'m Manifest, planned_against: &UnitRecord) -> Self {
        let checked = planned_against.batches.iter().map(|entry| entry.batch.clone()).collect();
        Self { manifest, partitions: manifest.partitions().into_iter().collect(), checked, phase: Phase::Begin }
    }

    /// A batch that somebody committed and nobody has published yet.
    #[must_use]
    pub fn finish(manifest: &'m Manifest) -> Self {
        let partitions = manifest.partitions().into_iter().collect();
        Self { manifest, partitions, checked: BTreeSet::new(), phase: Phase::Publishing(0, None) }
    }

    /// The next action. An event that the machine did not ask for changes nothing: it asks again.
    pub fn step(&mut self, event: Event) -> Action {
        let phase = std::mem::replace(&mut self.phase, Phase::Begin);
        let (phase, action) = self.next(phase, event);
        self.phase = phase;
        action
    }

    fn next(&self, phase: Phase, event: Event) -> (Phase, Action) {
        match (phase, event) {
            (Phase::Begin, Event::ManifestWritten) => (Phase::ReadingUnit, Action::ReadUnit),
            (Phase::Begin, _) => (Phase::Begin, Action::WriteManifest),
            (Phase::CheckingInputs(_), Event::Inputs { overlap: true }) => Self::clear(Outcome::Superseded),
            (Phase::CheckingInputs(record), Event::Inputs { overlap: false }) => self.append(record),
            (Phase::ReadingUnit, Event::Unit(record)) | (Phase::CheckingInputs(record), _) => self.commit(record),
            (Phase::Committing, Event::Swapped(Swap::Done)) => self.publish(0),
            // Lost or unknown: the record itself tells.
            (Phase::ReadingUnit | Phase::Committing, _) => (Phase::ReadingUnit, Action::ReadUnit),
            (Phase::Publishing(place, seen), event) => self.publishing(place, seen, event),
            (Phase::ReadingWhyGone, Event::Unit(record)) => self.why_gone(&record),
            (Phase::ReadingWhyGone, _) => (Phase::ReadingWhyGone, Action::ReadUnit),
            (Phase::ReadingToMark, Event::Unit(record)) => self.mark(record),
            (Phase::Marking, Event::Swapped(Swap::Done)) => Self::clear(Outcome::Published),
            (Phase::ReadingToMark | Phase::Marking, _) => (Phase::ReadingToMark, Action::ReadUnit),
            (Phase::Clearing(outcome) | Phase::Ended(outcome), Event::StagingCleared) => {
                (Phase::Ended(outcome), Action::Done(outcome))
            }
            (Phase::Clearing(outcome), _) => Self::clear(outcome),
            (Phase::Ended(outcome), _) => (Phase::Ended(outcome), Action::Done(outcome)),
        }
    }

    fn commit(&self, record: UnitRecord) -> (Phase, Action) {
        if record.batches.iter().any(|entry| entry.attempt == self.manifest.attempt) {
            // An earlier compare-and-set of ours had happened after all.
            return self.publish(0);
        }
        if record.batches.iter().any(|entry| entry.batch == self.manifest.batch) {
            return Self::clear(Outcome::Superseded);
        }
        let unseen: Vec<BatchEntry> =
            record.batches.iter().filter(|entry| !self.checked.contains(&entry.batch)).cloned().collect();
        if unseen.is_empty() {
            self.append(record)
        } else {
            (Phase::CheckingInputs(record), Action::ReadInputs(unseen))
        }
    }

    fn append(&self, mut record: UnitRecord) -> (Phase, Action) {
        record.version += 1;
        record.batches.push(BatchEntry {
            batch: self.manifest.batch.clone(),
            attempt: self.manifest.attempt.clone(),
            state: BatchState::Committed,
            inputs: self.manifest.digest(),
        });
        (Phase::Committing, Action::SwapUnit(record))
    }

    fn publish(&self, place: usize) -> (Phase, Action) {
        match self.partitions.get(place) {
            Some(partition) => (Phase::Publishing(place, None), Action::ReadPartition(*partition)),
            None => (Phase::ReadingToMark, Action::ReadUnit),
        }
    }

    fn publishing(&self, place: usize, seen: Option<PartitionRecord>, event: Event) -> (Phase, Action) {
        match (event, seen) {
            (Event::Partition(record), _) if record.applied.contains(&self.manifest.batch) => self.publish(place + 1),
            (Event::Partition(record), _) => {
                (Phase::Publishing(place, Some(record.clone())), Action::CopyFiles(record))
            }
            (Event::FilesCopied, Some(record)) => {
                let next = self.apply(record);
                (Phase::Publishing(place, None), Action::SwapPartition(next))
            }
            (Event::StagingGone, _) => (Phase::ReadingWhyGone, Action::ReadUnit),
            (Event::Swapped(Swap::Done), _) => self.publish(place + 1),
            _ => self.publish(place),
        }
    }

    fn why_gone(&self, record: &UnitRecord) -> (Phase, Action) {
        let ours = record.batches.iter().find(|entry| entry.attempt == self.manifest.attempt);
        if ours.is_some_and(|entry| entry.state == BatchState::Published) {
            return Self::clear(Outcome::Published);
        }
        (Phase::Ended(Outcome::StagingLost), Action::Done(Outcome::StagingLost))
    }

    fn apply(&self, mut record: PartitionRecord) -> PartitionRecord {
        record.version += 1;
        record.applied.insert(self.manifest.batch.clone());
        record.files.extend(self.manifest.files(record.partition).cloned());
        record
    }

    fn mark(&self, mut record: UnitRecord) -> (Phase, Action) {
        let ours = record.batches.iter_mut().find(|entry| entry.attempt == self.manifest.attempt);
        match ours {
            Some(entry) if entry.state == BatchState::Committed => {
                entry.state = BatchState::Published;
                record.version += 1;
                (Phase::Marking, Action::SwapUnit(record))
            }
            _ => Self::clear(Outcome::Published),
        }
    }

    const fn clear(outcome: Outcome) -> (Phase, Action) {
        (Phase::Clearing(outcome), Action::ClearStaging)
    }
}
