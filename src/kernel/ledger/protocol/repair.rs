//! Takes up what somebody removed by hand: a partition's files, and the staged files of a batch on
//! its way.

use std::collections::BTreeSet;

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::{AttemptId, BatchState, FileEntry, PartitionRecord, UnitRecord};
use crate::kernel::ledger::staging::file_path;
use crate::model::Partition;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum LosePhase {
    #[default]
    Reading,
    Looking(Box<PartitionRecord>),
    Swapping,
    Ended,
}

/// Writes down which files of a partition are gone, and which of those are there again.
///
/// It looks after it has read the record, and swaps that very version: a file that the record names
/// from the one to the other was gone although it must not be.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Lose {
    partition: Partition,
    phase: LosePhase,
}

impl Lose {
    /// Of a partition.
    #[must_use]
    pub const fn new(partition: Partition) -> Self {
        Self { partition, phase: LosePhase::Reading }
    }

    const fn done() -> (LosePhase, Action) {
        (LosePhase::Ended, Action::Done(Outcome::Done))
    }

    fn look(record: PartitionRecord) -> (LosePhase, Action) {
        let wanted: Vec<(String, u64)> =
            record.files().chain(record.lost()).map(|file| (path(&record, file), file.size_bytes)).collect();
        if wanted.is_empty() {
            return Self::done();
        }
        (LosePhase::Looking(Box::new(record)), Action::Look(wanted))
    }

    fn lose(mut record: PartitionRecord, gone: &BTreeSet<String>) -> (LosePhase, Action) {
        let folder = record.folder.clone();
        let mut changed = false;
        for part in &mut record.parts {
            let all = std::mem::take(&mut part.files).into_iter().map(|file| (file, false));
            let all: Vec<_> = all.chain(std::mem::take(&mut part.lost).into_iter().map(|file| (file, true))).collect();
            for (file, was_lost) in all {
                let is_lost = gone.contains(&file_path(&folder, &file.name));
                changed |= is_lost != was_lost;
                if is_lost {
                    part.lost.insert(file)
                } else {
                    part.files.insert(file)
                };
            }
        }
        if !changed {
            return Self::done();
        }
        record.version += 1;
        (LosePhase::Swapping, Action::SwapPartition(record))
    }
}

impl Phases for Lose {
    type Phase = LosePhase;

    fn phase_mut(&mut self) -> &mut LosePhase {
        &mut self.phase
    }

    fn next(&self, phase: LosePhase, event: Event) -> (LosePhase, Action) {
        match (phase, event) {
            (LosePhase::Reading, Event::Partition(record)) => Self::look(record),
            (LosePhase::Looking(record), Event::Gone(gone)) => Self::lose(*record, &gone),
            (LosePhase::Swapping, Event::Swapped(CasOutcome::Committed)) | (LosePhase::Ended, _) => Self::done(),
            _ => (LosePhase::Reading, Action::ReadPartition(self.partition)),
        }
    }
}

fn path(record: &PartitionRecord, file: &FileEntry) -> String {
    file_path(&record.folder, &file.name)
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum GiveUpPhase {
    #[default]
    Reading,
    Swapping,
    Ended,
}

/// Marks a batch as published that cannot be, since staged files or its manifest are gone: what it
/// lacks is then found as rows that are missing, and its unit can be written anew.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct GiveUp {
    attempt: AttemptId,
    phase: GiveUpPhase,
}

impl GiveUp {
    /// The batch of an attempt.
    #[must_use]
    pub const fn new(attempt: AttemptId) -> Self {
        Self { attempt, phase: GiveUpPhase::Reading }
    }

    const fn done() -> (GiveUpPhase, Action) {
        (GiveUpPhase::Ended, Action::Done(Outcome::Done))
    }

    fn mark(&self, mut record: UnitRecord) -> (GiveUpPhase, Action) {
        if let Some(mut entry) = record.replacing.take_if(|entry| entry.attempt == self.attempt) {
            entry.state = BatchState::Published;
            record.batches = vec![entry];
        } else {
            match record.batches.iter_mut().find(|entry| entry.attempt == self.attempt) {
                Some(entry) if entry.state == BatchState::Committed => entry.state = BatchState::Published,
                _ => return Self::done(),
            }
        }
        record.version += 1;
        (GiveUpPhase::Swapping, Action::SwapUnit(record))
    }
}

impl Phases for GiveUp {
    type Phase = GiveUpPhase;

    fn phase_mut(&mut self) -> &mut GiveUpPhase {
        &mut self.phase
    }

    fn next(&self, phase: GiveUpPhase, event: Event) -> (GiveUpPhase, Action) {
        match (phase, event) {
            (GiveUpPhase::Reading, Event::Unit(record)) => self.mark(record),
            (GiveUpPhase::Swapping, Event::Swapped(CasOutcome::Committed)) | (GiveUpPhase::Ended, _) => Self::done(),
            _ => (GiveUpPhase::Reading, Action::ReadUnit),
        }
    }
}
