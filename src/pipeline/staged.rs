//! The staging folders of this run's attempts, and the files that are written into them.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesOrdered;
use object_store::path::Path;
use tokio::sync::mpsc;

use crate::edge::objects::Objects;
use crate::error::Result;
use crate::kernel::columns::convert::OutputFile;
use crate::kernel::ledger::records::{AttemptId, BatchId, FileEntry, ManifestOutput};
use crate::kernel::ledger::staging::{file_path, staging};
use crate::model::UnitId;

/// Finished files of a unit that are written at a time.
const FILES_AT_A_TIME: usize = 3;

/// The attempts of this run whose staging is not named by any record yet.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeSet<String>>);

impl Attempts {
    /// A new attempt at a unit.
    pub(super) fn begin(&self, unit: &UnitId) -> AttemptId {
        let attempt = AttemptId(uuid::Uuid::new_v4().simple().to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(staging(unit, &attempt));
        attempt
    }

    /// From here on a record may name the attempt, so its staging is the protocol's.
    pub(super) fn hand_over(&self, unit: &UnitId, attempt: &AttemptId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&staging(unit, attempt));
    }

    /// Removes the staging of all attempts that never came to their commit. A failure leaves
    /// orphans, which do no harm.
    pub(super) async fn clear(&self, lake: &Objects) {
        let attempts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in attempts {
            if let Err(error) = lake.delete_folder(&folder).await {
                tracing::debug!(%error, "staging was left behind");
            }
        }
    }
}

/// Writes an attempt's files into its staging folder, numbered through the batch.
pub(super) struct StagedWriter<'a> {
    pub(super) lake: &'a Objects,
    pub(super) unit: &'a UnitId,
    pub(super) attempt: &'a AttemptId,
    pub(super) batch: &'a BatchId,
}

impl StagedWriter<'_> {
    pub(super) async fn write(&self, mut files: mpsc::Receiver<OutputFile>) -> Result<Vec<ManifestOutput>> {
        let (mut writing, mut outputs, mut number) = (FuturesOrdered::new(), Vec::new(), 0);
        loop {
            let room = writing.len() < FILES_AT_A_TIME;
            tokio::select! {
                Some(file) = files.recv(), if room => {
                    writing.push_back(self.put(number, file));
                    number += 1;
                }
                Some(written) = writing.next() => outputs.push(written?),
                else => break,
            }
        }
        let names: Vec<Path> = outputs.iter().map(|output| self.path(&output.file.name)).collect();
        self.lake.sync_names(&names).await?;
        Ok(outputs)
    }

    fn path(&self, name: &str) -> Path {
        Path::from(file_path(&staging(self.unit, self.attempt), name))
    }

    async fn put(&self, number: usize, file: OutputFile) -> Result<ManifestOutput> {
        let OutputFile { partition, bytes, rows } = file;
        let name = format!("{}-{number}.parquet", self.batch.0);
        let path = self.path(&name);
        crate::crash::here("stage");
        let file = FileEntry::of(name, rows, &bytes);
        self.lake.put_to_be_synced(&path, Bytes::from(bytes)).await?;
        Ok(ManifestOutput { partition, file })
    }
}
