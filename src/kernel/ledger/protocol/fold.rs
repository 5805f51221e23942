//! Names many published batches of a unit as one, so that its record does not grow with every run:
//! in a lake of months an hourly run adds a batch to the month's unit.
//!
//! No row moves and no file changes. What the record says of the unit's inputs stays the same set,
//! so whoever compares it with a listing, or looks for inputs in common, comes to the same answer
//! before and after. The batches are published, so nobody will publish any of them again; whoever
//! sleeps over one finds its staging gone and the record without it, as after a replacement.

use std::collections::BTreeSet;

use super::machine::Phases;
use super::messages::{Action, CasOutcome, Event, Outcome};
use crate::kernel::ledger::records::{BatchEntry, BatchId, BatchState, InputsDigest, Manifest, UnitRecord, digest};

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) enum FoldPhase {
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
    phase: FoldPhase,
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
        Self { manifest, phase: FoldPhase::Begin }
    }

    fn end(outcome: Outcome) -> (FoldPhase, Action) {
        (FoldPhase::Ended(outcome.clone()), Action::Done(outcome))
    }

    fn fold(&self, mut record: UnitRecord) -> (FoldPhase, Action) {
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
            partitions: self.manifest.few_partitions(),
            batches: folded.iter().map(|entry| entry.batches.max(1)).sum(),
        };
        record.version += 1;
        record.batches.retain(|entry| !self.manifest.folds.contains(&entry.batch));
        record.batches.push(entry);
        (FoldPhase::Swapping, Action::SwapUnit(record))
    }
}

impl Phases for Fold<'_> {
    type Phase = FoldPhase;

    fn phase_mut(&mut self) -> &mut FoldPhase {
        &mut self.phase
    }

    fn next(&self, phase: FoldPhase, event: Event) -> (FoldPhase, Action) {
        match (phase, event) {
            (FoldPhase::Begin, Event::ManifestWritten) => (FoldPhase::Reading, Action::ReadUnit),
            (FoldPhase::Begin, _) => (FoldPhase::Begin, Action::WriteManifest),
            (FoldPhase::Reading, Event::Unit(record)) => self.fold(record),
            (FoldPhase::Swapping, Event::Swapped(CasOutcome::Committed)) => Self::end(Outcome::Done),
            (FoldPhase::Ended(outcome), _) => Self::end(outcome),
            // Lost or unknown: the record itself tells.
            (FoldPhase::Reading | FoldPhase::Swapping, _) => (FoldPhase::Reading, Action::ReadUnit),
        }
    }

    fn manifest(&self) -> Option<&Manifest> {
        Some(self.manifest)
    }
}
