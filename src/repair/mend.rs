//! Mends what follows from what is left.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::TryStreamExt;
use object_store::path::Path;

use super::loss::{Loss, Losses, told};
use super::losses::{judge_anew, losses_of};
use super::snapshot::LedgerSnapshot;
use super::unit_manifests::unit_manifests;
use crate::edge::claims::Claims;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::{CasOutcome, Wait};
use crate::kernel::ledger::records::{AttemptId, BatchId, FileEntry, Manifest, UnitFiles};
use crate::kernel::ledger::restore;
use crate::kernel::ledger::staging::file_path;
use crate::lake::Lake;
use crate::model::{HourRange, Partition, UnitId};
use crate::protocol_driver;

/// Mends a lake, or what has to do with some hours of it, as far as it goes without the logs; what
/// is wrong after that.
///
/// # Errors
/// `Error::Busy` where a record was lost and somebody is at work in the lake. Those of reading and
/// writing; a record that cannot be read as what it is among them.
pub async fn mend(lake: &Lake, hours: Option<HourRange>, lease: Duration) -> Result<Losses> {
    // A record that cannot be read is lost, and the next version takes its place.
    let lake = &lake.forgiving();
    let snapshot = LedgerSnapshot::of(lake, hours).await?;
    let losses = losses_of(lake, &snapshot).await?;
    if losses.units.is_empty() && snapshot.changed().is_empty() {
        return Ok(losses);
    }
    tracing::info!("the lake lacks what its records name, looking at all of it");
    let snapshot = LedgerSnapshot::of(lake, None).await?;
    let losses = losses_of(lake, &snapshot).await?;
    if losses.units.values().any(|loss| loss.records) {
        refuse_others(lake, lease).await?;
    }
    let restored = restore_units(lake, &snapshot, &losses).await?;
    let (copied, lost) = lose(lake, &snapshot).await?;
    let given = restore_parts(lake, &losses).await?;
    let mended = [
        told(restored, "record of an hour", "records of hours", "made of what partitions remember"),
        told(copied, "file", "files", "of an open rewrite copied back"),
        told(lost, "partition", "partitions", "found to lack files"),
        told(given, "partition", "partitions", "given back the files that were written for it"),
    ];
    let mended = mended.into_iter().flatten().collect();
    let snapshot = LedgerSnapshot::of(lake, None).await?;
    Ok(Losses { mended, ..losses_of(lake, &snapshot).await? })
}

/// Refuses to write records anew of which somebody may have seen later versions.
async fn refuse_others(lake: &Lake, lease: Duration) -> Result<()> {
    if Claims::new(lake.objects.clone(), lease).anyone_alive().await? {
        return Err(Error::Busy {
            what: format!("records of the lake '{}' are gone, and another run is at work in it", lake.objects.url()),
        });
    }
    Ok(())
}

async fn restore_units(lake: &Lake, snapshot: &LedgerSnapshot, losses: &Losses) -> Result<u64> {
    let mut restored = 0;
    for (unit, loss) in losses.units.iter().filter(|(_, loss)| loss.records) {
        restored += u64::from(restore_unit(lake, snapshot, unit, loss).await?);
    }
    Ok(restored)
}

async fn restore_unit(lake: &Lake, snapshot: &LedgerSnapshot, unit: &UnitId, loss: &Loss) -> Result<bool> {
    let mut record = lake.records.unit(unit).await?;
    if record.unpublished().next().is_some() {
        match protocol_driver::finish_unit(lake, &record).await {
            // It is to be given up, and the unit written anew.
            Err(error) if error.is_damage() => return Ok(false),
            finished => finished?,
        };
        record = lake.records.unit(unit).await?;
    }
    let parts: BTreeMap<Partition, UnitFiles> = loss
        .partitions
        .iter()
        .filter_map(|partition| Some((*partition, snapshot.partitions.get(partition)?.part(unit)?.clone())))
        .collect();
    let applied =
        parts.values().flat_map(|part| &part.applied).map(|(batch, attempt)| (batch.clone(), attempt.clone()));
    let known = record.batches.iter().map(|entry| (entry.batch.clone(), entry.attempt.clone()));
    let attempts: BTreeMap<BatchId, AttemptId> = applied.chain(known).collect();
    let mut read = BTreeMap::new();
    for (batch, attempt) in attempts {
        match manifests::read(&lake.objects, &attempt).await {
            Ok(manifest) => read.insert(batch, manifest),
            // Nobody can tell what it took the place of.
            Err(error) if error.is_damage() => return Ok(false),
            Err(error) => return Err(error),
        };
    }
    let Some(next) = restore::unit_record(&record, &parts, &read) else { return Ok(false) };
    crate::crash::here("restore");
    Ok(lake.records.swap_unit(&next).await? == CasOutcome::Committed)
}

/// Brings back what an open rewrite's folder lacks and the partition's own has, then writes down
/// what is gone; how many files and partitions those were.
async fn lose(lake: &Lake, snapshot: &LedgerSnapshot) -> Result<(u64, u64)> {
    let (mut copied, mut lost) = (0, 0);
    for partition in snapshot.changed() {
        let record = lake.records.partition(partition).await?;
        let canonical = partition.folder();
        if record.folder != canonical {
            let files: Vec<FileEntry> = record.files().chain(record.lost()).cloned().collect();
            for file in files {
                copied += u64::from(copy_back(lake, &canonical, &record.folder, &file).await?);
            }
        }
        let before = record.lost().count();
        protocol_driver::lose(lake, partition).await?;
        lost += u64::from(lake.records.partition(partition).await?.lost().count() > before);
    }
    Ok((copied, lost))
}

/// Copies a file that is gone from where the same bytes are. A name never stands for other bytes,
/// so this can be done at any time.
async fn copy_back(lake: &Lake, from: &str, to: &str, file: &FileEntry) -> Result<bool> {
    let path = |folder: &str| Path::from(file_path(folder, &file.name));
    if lake.objects.size(&path(to)).await?.is_some() {
        return Ok(false);
    }
    match lake.objects.get(&path(from)).await? {
        Some(bytes) if file.is(&bytes) => lake.objects.copy(&path(from), &path(to)).await,
        _ => Ok(false),
    }
}

async fn restore_parts(lake: &Lake, losses: &Losses) -> Result<u64> {
    if losses.units.values().all(|loss| loss.lacking.is_empty()) {
        return Ok(0);
    }
    // Deletions that rest on what the records said before have taken effect by then.
    tokio::time::sleep(lake.delay(Wait::MaxCallDelay)).await;
    let mut restored = BTreeSet::new();
    for (unit, before) in &losses.units {
        // Its record may be there again.
        let loss = judge_anew(lake, unit, &before.partitions).await?;
        let record = lake.records.unit(unit).await?;
        if record.unpublished().next().is_some() {
            continue;
        }
        let read: Option<Vec<Manifest>> =
            unit_manifests(lake, &record).await?.into_iter().map(|(_, manifest)| manifest).collect();
        let Some(read) = read.filter(|read| !read.is_empty()) else { continue };
        for partition in loss.lacking {
            if restore_part(lake, unit, partition, &read).await? {
                restored.insert(partition);
            }
        }
    }
    Ok(restored.len() as u64)
}

/// Gives a unit in a partition the files that its batches were written with, where all of them are
/// there.
async fn restore_part(lake: &Lake, unit: &UnitId, partition: Partition, manifests: &[Manifest]) -> Result<bool> {
    let record = lake.records.partition(partition).await?;
    let next = restore::part(record.clone(), unit, manifests);
    if record.rewrite.is_some() {
        return Ok(false);
    }
    let listed: Vec<_> = lake.objects.list(&record.folder).try_collect().await?;
    let sizes: BTreeMap<String, u64> =
        listed.into_iter().map(|object| (object.location.to_string(), object.size)).collect();
    let is_there = |file: &FileEntry| sizes.get(&file_path(&record.folder, &file.name)) == Some(&file.size_bytes);
    if !next.part(unit).is_some_and(|part| part.files.iter().all(is_there)) {
        return Ok(false);
    }
    crate::crash::here("restore");
    Ok(lake.records.swap_partition(&next).await? == CasOutcome::Committed)
}
