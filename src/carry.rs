//! Carries out what the protocol says: commit and publish an attempt. All decisions are `kernel::protocol`'s; this file only
//! does and reports.

use std::collections::HashSet;

use object_store::path::Path;

use crate::edge::ledger::Records;
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::protocol::{Action, Commit, Event, Outcome};
use crate::kernel::records::{AttemptId, BatchEntry, Manifest, PartitionRecord, UnitRecord};

/// Where an attempt's files of a partition's folder wait.
#[must_use]
pub fn staged(attempt: &AttemptId, folder: &str, file: &str) -> Path {
    Path::from(format!("{}/{folder}/{file}", staging(attempt)))
}

/// An attempt's staging folder.
#[must_use]
pub fn staging(attempt: &AttemptId) -> String {
    format!("staging/{}", attempt.0)
}

/// Commits and publishes an attempt whose files are staged and synced.
pub async fn commit(lake: &Objects, records: &Records, manifest: &Manifest, planned: &UnitRecord) -> Result<Outcome> {
    drive(lake, records, manifest, Commit::new(manifest, planned)).await
}

/// Publishes what of a unit was committed and is not published, whoever committed it; how many batches that were.
pub async fn finish_unit(lake: &Objects, records: &Records, record: &UnitRecord) -> Result<u64> {
    let mut finished = 0;
    for entry in record.unpublished() {
        tracing::info!("{}: publishing batch {} that another run committed", record.unit, entry.batch.0);
        finish(lake, records, entry).await?;
        finished += 1;
    }
    Ok(finished)
}

/// Publishes a batch that somebody committed.
async fn finish(lake: &Objects, records: &Records, entry: &BatchEntry) -> Result<Outcome> {
    let manifest = manifests::read(lake, &entry.attempt).await?;
    drive(lake, records, &manifest, Commit::finish(&manifest)).await
}

async fn drive(lake: &Objects, records: &Records, manifest: &Manifest, mut machine: Commit<'_>) -> Result<Outcome> {
    let mut event = Event::Start;
    loop {
        let action = machine.step(event);
        tracing::debug!(unit = %manifest.unit, attempt = manifest.attempt.0, ?action, "commit");
        event = match action {
            Action::WriteManifest => {
                manifests::write(lake, manifest).await?;
                Event::ManifestWritten
            }
            Action::ReadUnit => Event::Unit(records.unit(&manifest.unit).await?),
            Action::ReadInputs(entries) => Event::Inputs { overlap: overlap(lake, manifest, &entries).await? },
            Action::SwapUnit(next) => Event::Swapped(records.swap_unit(&next).await?),
            Action::ReadPartition(partition) => Event::Partition(records.partition(partition).await?),
            Action::CopyFiles(record) => {
                if copy_files(lake, manifest, &record).await? {
                    Event::FilesCopied
                } else {
                    Event::StagingGone
                }
            }
            Action::SwapPartition(next) => Event::Swapped(records.swap_partition(&next).await?),
            Action::ClearStaging => {
                lake.delete_folder(&staging(&manifest.attempt)).await?;
                Event::StagingCleared
            }
            Action::Done(Outcome::StagingLost) => {
                return Err(Error::LedgerDamaged {
                    path: staging(&manifest.attempt),
                    source: format!(
                        "batch {} of {} is committed and its files are gone",
                        manifest.batch.0, manifest.unit
                    )
                    .into(),
                });
            }
            Action::Done(outcome) => return Ok(outcome),
        };
    }
}

/// Whether some batches have an input of this one's.
async fn overlap(lake: &Objects, manifest: &Manifest, entries: &[BatchEntry]) -> Result<bool> {
    let ours: HashSet<&str> = manifest.inputs.iter().map(|input| input.object.key.as_str()).collect();
    for entry in entries {
        let other = manifests::read(lake, &entry.attempt).await?;
        // Sources differ where one batch was read through a parent folder; whole URLs are what counts.
        let same_source = other.source == manifest.source;
        let known = |key: &str| {
            if same_source {
                return ours.contains(key);
            }
            ours.iter().any(|our| format!("{}/{our}", manifest.source) == format!("{}/{key}", other.source))
        };
        if other.inputs.iter().any(|input| known(&input.object.key)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Copies a batch's files of a partition to their folder; whether staging had them all.
async fn copy_files(lake: &Objects, manifest: &Manifest, record: &PartitionRecord) -> Result<bool> {
    let mut copied = Vec::new();
    for file in manifest.files(record.partition) {
        let to = Path::from(format!("{}/{}", record.folder, file.name));
        if !lake.copy(&staged(&manifest.attempt, &record.partition.folder(), &file.name), &to).await? {
            return Ok(false);
        }
        copied.push(to);
    }
    lake.sync_names(&copied).await?;
    Ok(true)
}
