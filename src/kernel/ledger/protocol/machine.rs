//! The one interface of all machines of the protocol.

use super::messages::{Action, Event};
use crate::kernel::ledger::records::Manifest;

/// A step-by-step procedure of the protocol, without I/O. Whoever drives one begins with
/// [`Event::Start`], carries out each action, brings back what came of it, and ends with
/// [`Action::Done`].
pub trait Machine {
    /// The next action. An event that the machine did not ask for changes nothing: it reads again.
    fn step(&mut self, event: Event) -> Action;

    /// The manifest that [`Action::WriteManifest`], [`Action::ReadUnit`] and
    /// [`Action::ReadInputs`] are about; nothing for a machine that brings no batch.
    fn manifest(&self) -> Option<&Manifest>;
}

/// How the machines here are written: as phases, and what follows on a phase and an event.
pub(super) trait Phases {
    /// Where the machine stands between two events.
    type Phase: Default;

    /// Where it stands now.
    fn phase_mut(&mut self) -> &mut Self::Phase;

    /// The next phase, and the action that leads on from it.
    fn next(&self, phase: Self::Phase, event: Event) -> (Self::Phase, Action);

    /// As [`Machine::manifest`].
    fn manifest(&self) -> Option<&Manifest> {
        None
    }
}

impl<T: Phases> Machine for T {
    fn step(&mut self, event: Event) -> Action {
        let phase = std::mem::take(self.phase_mut());
        let (phase, action) = self.next(phase, event);
        *self.phase_mut() = phase;
        action
    }

    fn manifest(&self) -> Option<&Manifest> {
        Phases::manifest(self)
    }
}
