//! A question to a lake: the ledger's snapshot of its files, and a fresh one where a file has gone
//! meanwhile.

use std::io::Write;

use object_store::path::Path;

use super::answer::QueryAnswer;
use super::engine::{run, vanished};
use super::failed::is_exhausted;
use super::limits::Limits;
use super::print::{AnswerFormat, print};
use super::snapshot::{LakeSnapshot, SnapshotFile};
use crate::error::{Error, Result};
use crate::job::said::look_and_mend;
use crate::kernel::ledger::records::PartitionRecord;
use crate::kernel::ledger::staging::file_path;
use crate::lake::Lake;
use crate::model::Table;
use crate::stats::count;

/// Snapshots that one question takes at most; a file goes only where a partition is rewritten,
/// which is rare.
const SNAPSHOTS: usize = 3;

/// The answer to one SQL statement over what the lake's ledger says is there. A file that has gone
/// when it is its turn is an error; [`answer`] asks again then.
///
/// # Errors
/// As [`run`], and those of reading the ledger.
pub async fn ask(lake: &Lake, sql: &str, limits: &Limits) -> Result<QueryAnswer> {
    run(lake.objects.store(), &snapshot(lake).await?, sql, limits).await
}

/// Answers one SQL statement over what the lake's ledger says is there, written while it comes; how
/// many rows there were.
///
/// # Errors
/// As [`ask`] and [`print()`].
pub async fn answer(
    lake: &Lake,
    sql: &str,
    limits: &Limits,
    format: AnswerFormat,
    out: &mut (dyn Write + Send),
) -> Result<u64> {
    let mut tries = 1;
    let mut limits = limits.clone();
    let mut is_alone = false;
    loop {
        let mut out = Counted { out: &mut *out, bytes: 0 };
        let answered = match ask(lake, sql, &limits).await {
            Ok(answer) => print(answer, format, &mut out).await,
            Err(error) => Err(error),
        };
        match answered {
            // What has been written can't be taken back, and another snapshot's rows would not fit
            // it.
            Err(error) if vanished(&error) && out.bytes > 0 => {
                let what = "a file of the lake was merged or written anew meanwhile, and what was written is not whole";
                return Err(mendable(lake, Error::Query { source: format!("{what} ({error}); run it again").into() }));
            }
            Err(error) if vanished(&error) && tries < SNAPSHOTS => {
                tracing::debug!(%error, "a file has gone, taking a fresh snapshot");
                tries += 1;
            }
            Err(error) if vanished(&error) => return Err(mendable(lake, error)),
            Err(error) if is_exhausted(&error) && out.bytes == 0 && !is_alone => {
                tracing::debug!(%error, "once more, with one thread");
                (limits, is_alone) = (limits.alone(), true);
            }
            answered => return answered,
        }
    }
}

/// An error about a file that was there once, with what is to be done where it does not come back.
fn mendable(lake: &Lake, error: Error) -> Error {
    Error::Mendable { command: look_and_mend(lake.objects.url()), source: Box::new(error) }
}

/// Knows whether anything was written.
struct Counted<'a> {
    out: &'a mut (dyn Write + Send),
    bytes: u64,
}

impl Write for Counted<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

/// The files that the ledger names at this moment: per partition, what one version of its record
/// says.
async fn snapshot(lake: &Lake) -> Result<LakeSnapshot> {
    let mut snapshot = LakeSnapshot { granularity: lake.identity.partition, ..LakeSnapshot::default() };
    // Units first: what they say is published is in the partitions that are read after them.
    let mut units = Vec::new();
    for table in Table::LOGS {
        units.extend(lake.records.units_there(table).await?);
    }
    let mut partitions = Vec::new();
    for table in Table::ALL {
        let records = lake.records.partitions(table, None).await?;
        snapshot.files.push((table, records.iter().flat_map(files).collect()));
        partitions.extend(records);
    }
    let absent = lake.absent_beside(units, &partitions).await?;
    if let Some(first) = absent.first() {
        tracing::warn!(
            "this answer is not whole: the records of {} or more of the lake are gone, first: {first}; bring them back with: {}",
            count(absent.len() as u64, "partition"),
            look_and_mend(lake.objects.url())
        );
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
