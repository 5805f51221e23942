//! What partitions must hold, by what the units say.

use std::collections::{BTreeMap, BTreeSet};

use super::people::MadeWith;
use crate::kernel::ledger::records::{BatchId, Manifest};
use crate::model::{Partition, UnitId};

/// What partitions must hold, by what the units say: rows per unit and partition, and the batches.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Rows.
    pub(super) rows: BTreeMap<(Partition, UnitId), u64>,
    /// Batches that must be applied.
    pub(super) batches: BTreeMap<(Partition, UnitId), BTreeSet<BatchId>>,
    /// Folds, each with the batches that it stands for: a partition remembers either.
    pub(super) folds: BTreeMap<BatchId, BTreeSet<BatchId>>,
    /// Batches that count and are on their way: whose files may lie where no record names them yet.
    pub(super) on_their_way: BTreeSet<BatchId>,
    /// What was kept of people when rows were made.
    pub(super) people: MadeWith,
}

impl Expected {
    /// Adds what a batch put into its partitions.
    pub(super) fn add(&mut self, manifest: &Manifest) {
        if !manifest.folds.is_empty() {
            self.folds.insert(manifest.batch.clone(), manifest.folds.clone());
        }
        for partition in manifest.partitions() {
            let place = (partition, manifest.unit.clone());
            let rows = manifest.files(partition).map(|file| file.rows).sum::<u64>();
            *self.rows.entry(place.clone()).or_default() += rows;
            self.batches.entry(place).or_default().insert(manifest.batch.clone());
        }
    }
}
