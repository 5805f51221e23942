//! Names many published batches of a unit as one, so that its record does not grow with every run:
//! in a lake of months an hourly run adds a batch to the month's unit.
//!
//! No row moves and no file changes. What the record says of the unit's inputs stays the same set,
//! so whoever compares it with a listing, or looks for inputs in common, comes to the same answer
//! before and after. The batches are published, so nobody will publish any of them again; whoever
//! sleeps over one finds its staging gone and the record without it, as after a replacement.

use std::collections::BTreeSet;

use super::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::{BatchEntry, BatchId, BatchState, InputsDigest, Manifest, UnitRecord, digest};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
enum Phase {
    #[default]
    Begin,
    Reading,
    Swapping,
    Ended(Outcome),
}

/// The folding of some batches. Its outcome is [`Outcome::Superseded`] where they are no longer all
/// there, published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold<'m> {
    manifest: &'m Manifest,
    phase: Phase,
}

impl std::hash::Hash for Fold<'_> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.manifest.attempt, &self.phase).hash(state);
    }
}

impl<'m> Fold<'m> {
    /// A fold of the batches that its manifest names.
    #[must_use]
    pub const fn new(manifest: &'m Manifest) -> Self {
        Self { manifest, phase: Phase::Begin }
    }

    /// What it names them as.
    #[must_use]
    pub const fn manifest(&self) -> &'m Manifest {
        self.manifest
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
            (Phase::Begin, Event::ManifestWritten) => (Phase::Reading, Action::ReadUnit),
            (Phase::Begin, _) => (Phase::Begin, Action::WriteManifest),
            (Phase::Reading, Event::Unit(record)) => self.fold(record),
            (Phase::Swapping, Event::Swapped(CasOutcome::Committed)) => Self::end(Outcome::Done),
            (Phase::Ended(outcome), _) => Self::end(outcome),
            // Lost or unknown: the record itself tells.
            (Phase::Reading | Phase::Swapping, _) => (Phase::Reading, Action::ReadUnit),
        }
    }

    fn end(outcome: Outcome) -> (Phase, Action) {
        (Phase::Ended(outcome.clone()), Action::Done(outcome))
    }

    fn fold(&self, mut record: UnitRecord) -> (Phase, Action) {
        if record.entry(&self.manifest.attempt).is_some() {
            return Self::end(Outcome::Done);
        }
        let is_folded = |entry: &&BatchEntry| self.manifest.folds.contains(&entry.batch);
        let folded: Vec<&BatchEntry> = record.batches.iter().filter(is_folded).collect();
        let these: BTreeSet<&BatchId> = folded.iter().map(|entry| &entry.batch).collect();
        let published = folded.iter().all(|entry| entry.state == BatchState::Published);
        // What is named again are the inputs of exactly these.
        let inputs = digest(&self.manifest.source, self.manifest.inputs.iter().map(|input| &input.object));
        let mut sum = InputsDigest::default();
        folded.iter().for_each(|entry| sum.join(&entry.inputs));
        if record.replacing.is_some() || these.len() < 2 || !published || sum != inputs {
            return Self::end(Outcome::Superseded);
        }
        let entry = BatchEntry {
            batch: self.manifest.batch.clone(),
            attempt: self.manifest.attempt.clone(),
            state: BatchState::Published,
            inputs,
            input_bytes: folded.iter().map(|entry| entry.input_bytes).sum(),
            hours: self.manifest.hours,
            batches: folded.iter().map(|entry| entry.batches.max(1)).sum(),
        };
        record.version += 1;
        record.batches.retain(|entry| !self.manifest.folds.contains(&entry.batch));
        record.batches.push(entry);
        (Phase::Swapping, Action::SwapUnit(record))
    }
}
