//! A question to a lake: the ledger's snapshot of its files, and a fresh one where a file has gone meanwhile.

use std::num::NonZeroUsize;

use arrow::array::RecordBatch;
use object_store::path::Path;

use super::{Answer, Snapshot, SnapshotFile, run, vanished};
use crate::error::Result;
use crate::kernel::places::file_path;
use crate::kernel::records::PartitionRecord;
use crate::lake::Lake;
use crate::model::Table;

/// Snapshots that one question takes at most; a file goes only where a partition is rewritten, which is rare.
const SNAPSHOTS: usize = 3;

/// Answers one SQL statement over what the lake's ledger says is there.
///
/// # Errors
/// As [`run`], and those of reading the ledger.
pub async fn ask(lake: &Lake, sql: &str, threads: NonZeroUsize) -> Result<Answer> {
    for _ in 1..SNAPSHOTS {
        match run(lake.objects.store(), &snapshot(lake).await?, sql, threads).await {
            Err(error) if vanished(&error) => tracing::debug!(%error, "a file has gone, taking a fresh snapshot"),
            answer => return answer,
        }
    }
    run(lake.objects.store(), &snapshot(lake).await?, sql, threads).await
}

/// The files that the ledger names at this moment: per partition, what one version of its record says.
async fn snapshot(lake: &Lake) -> Result<Snapshot> {
    let mut snapshot = Snapshot { granularity: lake.identity.partition, ..Snapshot::default() };
    for table in Table::ALL {
        let records = lake.records.partitions(table, None).await?;
        snapshot.files.push((table, records.iter().flat_map(files).collect()));
    }
    Ok(snapshot)
}

fn files(record: &PartitionRecord) -> impl Iterator<Item = SnapshotFile> + '_ {
    // What is lost is asked for too: an answer without its rows would be a wrong one.
    record.files().chain(record.lost()).map(|file| SnapshotFile {
        path: Path::from(file_path(&record.folder, &file.name)),
        size_bytes: file.size_bytes,
        rows: file.rows,
        partition: record.partition,
    })
}

impl Answer {
    /// The first rows, and how many there are in all.
    #[must_use]
    pub fn head(&self, rows: usize) -> (Self, usize) {
        let total = self.batches.iter().map(RecordBatch::num_rows).sum();
        let mut left = rows;
        let mut batches = Vec::new();
        for batch in &self.batches {
            let taken = batch.num_rows().min(left);
            batches.push(batch.slice(0, taken));
            left -= taken;
        }
        (Self { schema: self.schema.clone(), batches }, total)
    }
}
