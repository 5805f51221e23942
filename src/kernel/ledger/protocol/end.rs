//! Ends an attempt that never came to its commit: the record that would name it says that it never
//! may, and only then is its folder cleared. Age alone does not do: a sleeper can wake after any
//! time.

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::{AttemptId, PartitionRecord, UnitRecord};
use crate::model::Partition;

/// What is to end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum EndTarget {
    /// An attempt at a batch, and its staging folder.
    Batch(String, AttemptId),
    /// A rewrite of a partition, and a folder of it.
    Rewrite(String, Partition, AttemptId),
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum EndPhase {
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
    target: EndTarget,
    phase: EndPhase,
}

impl End {
    /// Ends an attempt.
    #[must_use]
    pub const fn new(target: EndTarget) -> Self {
        Self { target, phase: EndPhase::Reading }
    }

    fn done(outcome: Outcome) -> (EndPhase, Action) {
        (EndPhase::Ended(outcome.clone()), Action::Done(outcome))
    }

    const fn read(&self) -> (EndPhase, Action) {
        let action = match &self.target {
            EndTarget::Batch(..) => Action::ReadUnit,
            EndTarget::Rewrite(_, partition, _) => Action::ReadPartition(*partition),
        };
        (EndPhase::Reading, action)
    }

    fn clear(&self) -> (EndPhase, Action) {
        let (EndTarget::Batch(folder, _) | EndTarget::Rewrite(folder, ..)) = &self.target;
        let folder = folder.clone();
        (EndPhase::Clearing, Action::RemoveFolder(folder))
    }

    fn mark_unit(&self, mut record: UnitRecord) -> (EndPhase, Action) {
        let EndTarget::Batch(_, attempt) = &self.target else { return self.read() };
        if record.entry(attempt).is_some() {
            return Self::done(Outcome::Busy);
        }
        if !record.ended.insert(attempt.clone()) {
            return self.clear();
        }
        record.version += 1;
        (EndPhase::Marking, Action::SwapUnit(record))
    }

    fn mark_partition(&self, mut record: PartitionRecord) -> (EndPhase, Action) {
        let EndTarget::Rewrite(_, _, id) = &self.target else { return self.read() };
        if record.rewrite.as_ref().is_some_and(|open| open.id == *id) {
            return Self::done(Outcome::Busy);
        }
        if !record.ended.insert(id.clone()) {
            return self.clear();
        }
        record.version += 1;
        (EndPhase::Marking, Action::SwapPartition(record))
    }
}

impl Phases for End {
    type Phase = EndPhase;

    fn phase_mut(&mut self) -> &mut EndPhase {
        &mut self.phase
    }

    fn next(&self, phase: EndPhase, event: Event) -> (EndPhase, Action) {
        match (phase, event) {
            (EndPhase::Reading, Event::Unit(record)) => self.mark_unit(record),
            (EndPhase::Reading, Event::Partition(record)) => self.mark_partition(record),
            (EndPhase::Clearing, Event::Removed) => Self::done(Outcome::Done),
            (EndPhase::Marking, Event::Swapped(CasOutcome::Committed)) | (EndPhase::Clearing, _) => self.clear(),
            (EndPhase::Ended(outcome), _) => Self::done(outcome),
            _ => self.read(),
        }
    }
}
