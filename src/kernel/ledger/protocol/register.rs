//! Lets the catalog know where a partition's files lie. While a rewrite is open, that is
//! [`super::Settle`]'s affair.

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::PartitionRecord;
use crate::model::Partition;

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum RegisterPhase {
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
    phase: RegisterPhase,
}

impl Register {
    /// Registers a partition that the catalog was never seen to have at its folder.
    #[must_use]
    pub const fn new(partition: Partition) -> Self {
        Self { partition, believes: true, phase: RegisterPhase::Reading }
    }

    /// Registers a partition whatever was noted of it: somebody changed the catalog.
    #[must_use]
    pub const fn again(partition: Partition) -> Self {
        Self { partition, believes: false, phase: RegisterPhase::Reading }
    }

    const fn done() -> (RegisterPhase, Action) {
        (RegisterPhase::Ended, Action::Done(Outcome::Done))
    }

    fn look(&self, record: PartitionRecord) -> (RegisterPhase, Action) {
        let noted = self.believes && record.registered.as_ref() == Some(&record.folder);
        if record.rewrite.is_some() || noted {
            return Self::done();
        }
        let action = Action::SetCatalog(self.partition, record.folder.clone());
        (RegisterPhase::Pointing(record), action)
    }
}

impl Phases for Register {
    type Phase = RegisterPhase;

    fn phase_mut(&mut self) -> &mut RegisterPhase {
        &mut self.phase
    }

    fn next(&self, phase: RegisterPhase, event: Event) -> (RegisterPhase, Action) {
        match (phase, event) {
            (RegisterPhase::Reading, Event::Partition(record)) => self.look(record),
            (RegisterPhase::Pointing(record), Event::CatalogSet) => {
                (RegisterPhase::ReadingBack(record), Action::ReadCatalog(self.partition))
            }
            (RegisterPhase::ReadingBack(mut record), Event::Catalog(Some(folder))) if folder == record.folder => {
                record.version += 1;
                record.registered = Some(folder);
                (RegisterPhase::Noting, Action::SwapPartition(record))
            }
            (RegisterPhase::Noting, Event::Swapped(CasOutcome::Committed)) | (RegisterPhase::Ended, _) => Self::done(),
            _ => (RegisterPhase::Reading, Action::ReadPartition(self.partition)),
        }
    }
}
