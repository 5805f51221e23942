//! Ends an attempt that never came to its commit: the record that would name it says that it never
//! may, and only then is its folder cleared. Age alone does not do: a sleeper can wake after any
//! time.

use super::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::{AttemptId, PartitionRecord, UnitRecord};
use crate::model::Partition;

/// What is to end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Ended {
    /// An attempt at a batch, and its staging folder.
    Batch(String, AttemptId),
    /// A rewrite of a partition, and a folder of it.
    Rewrite(String, Partition, AttemptId),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Reading,
    Marking,
    Clearing,
    Ended(Outcome),
}

/// The end of one attempt. Its outcome is [`Outcome::Busy`] where a record names it: then it is not
/// to be ended but finished.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct End {
    what: Ended,
    phase: Phase,
}

impl End {
    /// Ends an attempt.
    #[must_use]
    pub const fn new(what: Ended) -> Self {
        Self { what, phase: Phase::Reading }
    }

    /// The next action. An event that the machine did not ask for changes nothing: it reads again.
    pub fn step(&mut self, event: Event) -> Action {
        let phase = std::mem::take(&mut self.phase);
        let (phase, action) = self.next(phase, event);
        self.phase = phase;
        action
    }

    fn next(&self, phase: Phase, event: Event) -> (Phase, Action) {
        match (phase, event) {
            (Phase::Reading, Event::Unit(record)) => self.mark_unit(record),
            (Phase::Reading, Event::Partition(record)) => self.mark_partition(record),
            (Phase::Clearing, Event::Removed) => Self::done(Outcome::Done),
            (Phase::Marking, Event::Swapped(CasOutcome::Committed)) | (Phase::Clearing, _) => self.clear(),
            (Phase::Ended(outcome), _) => Self::done(outcome),
            _ => self.read(),
        }
    }

    fn done(outcome: Outcome) -> (Phase, Action) {
        (Phase::Ended(outcome.clone()), Action::Done(outcome))
    }

    const fn read(&self) -> (Phase, Action) {
        let action = match &self.what {
            Ended::Batch(..) => Action::ReadUnit,
            Ended::Rewrite(_, partition, _) => Action::ReadPartition(*partition),
        };
        (Phase::Reading, action)
    }

    fn clear(&self) -> (Phase, Action) {
        let (Ended::Batch(folder, _) | Ended::Rewrite(folder, ..)) = &self.what;
        let folder = folder.clone();
        (Phase::Clearing, Action::RemoveFolder(folder))
    }

    fn mark_unit(&self, mut record: UnitRecord) -> (Phase, Action) {
        let Ended::Batch(_, attempt) = &self.what else { return self.read() };
        if record.entry(attempt).is_some() {
            return Self::done(Outcome::Busy);
        }
        if !record.ended.insert(attempt.clone()) {
            return self.clear();
        }
        record.version += 1;
        (Phase::Marking, Action::SwapUnit(record))
    }

    fn mark_partition(&self, mut record: PartitionRecord) -> (Phase, Action) {
        let Ended::Rewrite(_, _, id) = &self.what else { return self.read() };
        if record.rewrite.as_ref().is_some_and(|open| open.id == *id) {
            return Self::done(Outcome::Busy);
        }
        if !record.ended.insert(id.clone()) {
            return self.clear();
        }
        record.version += 1;
        (Phase::Marking, Action::SwapPartition(record))
    }
}
