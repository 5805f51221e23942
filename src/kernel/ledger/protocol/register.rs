//! Lets the catalog know where a partition's files lie. While a rewrite is open, that is
//! [`super::Settle`]'s affair.

use super::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::PartitionRecord;
use crate::model::Partition;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Reading,
    Pointing(PartitionRecord),
    ReadingBack(PartitionRecord),
    Noting,
    Ended,
}

/// The registration of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Register {
    partition: Partition,
    /// Whether the note that the catalog was seen to agree is believed.
    believes: bool,
    phase: Phase,
}

impl Register {
    /// Registers a partition that the catalog was never seen to have at its folder.
    #[must_use]
    pub const fn new(partition: Partition) -> Self {
        Self { partition, believes: true, phase: Phase::Reading }
    }

    /// Registers a partition whatever was noted of it: somebody changed the catalog.
    #[must_use]
    pub const fn again(partition: Partition) -> Self {
        Self { partition, believes: false, phase: Phase::Reading }
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
            (Phase::Reading, Event::Partition(record)) => self.look(record),
            (Phase::Pointing(record), Event::CatalogSet) => {
                (Phase::ReadingBack(record), Action::ReadCatalog(self.partition))
            }
            (Phase::ReadingBack(mut record), Event::Catalog(Some(folder))) if folder == record.folder => {
                record.version += 1;
                record.registered = Some(folder);
                (Phase::Noting, Action::SwapPartition(record))
            }
            (Phase::Noting, Event::Swapped(CasOutcome::Committed)) | (Phase::Ended, _) => Self::done(),
            _ => (Phase::Reading, Action::ReadPartition(self.partition)),
        }
    }

    const fn done() -> (Phase, Action) {
        (Phase::Ended, Action::Done(Outcome::Done))
    }

    fn look(&self, record: PartitionRecord) -> (Phase, Action) {
        let noted = self.believes && record.registered.as_ref() == Some(&record.folder);
        if record.rewrite.is_some() || noted {
            return Self::done();
        }
        let action = Action::SetCatalog(self.partition, record.folder.clone());
        (Phase::Pointing(record), action)
    }
}
