//! What a run committed, to be held against its ledger before the run ends.

use std::collections::BTreeMap;

use crate::kernel::ledger::records::{AttemptId, BatchId, Manifest};
use crate::model::{Partition, UnitId};

/// A batch that this run committed: its rows in each partition that it touches.
#[derive(Clone, Debug)]
pub(super) struct CommittedBatch {
    pub(super) unit: UnitId,
    pub(super) batch: BatchId,
    pub(super) attempt: AttemptId,
    pub(super) rows: BTreeMap<Partition, u64>,
}

impl CommittedBatch {
    /// That of a manifest.
    pub(super) fn of(manifest: &Manifest) -> Self {
        let rows = |partition| manifest.files(partition).map(|file| file.rows).sum();
        Self {
            unit: manifest.unit.clone(),
            batch: manifest.batch.clone(),
            attempt: manifest.attempt.clone(),
            rows: manifest.partitions().into_iter().map(|partition| (partition, rows(partition))).collect(),
        }
    }
}
