//! One partition: its small files merged, and a rewrite opened that puts the merged ones in their
//! place.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::compacted::Compacted;
use super::fold;
use super::groups::groups;
use super::options::CompactOptions;
use crate::error::{Error, Result};
use crate::kernel::columns::merge::{NamedFile, merge};
use crate::kernel::ledger::protocol::{Outcome, UnitChange};
use crate::kernel::ledger::records::{AttemptId, FileEntry, PartitionRecord, UnitFiles, compacted_prefix};
use crate::kernel::ledger::staging::{STAGING, StagingDir, file_path, written};
use crate::lake::Lake;
use crate::model::Partition;
use crate::offload::{Pool, offload};
use crate::protocol_driver;
use crate::stats::count;

/// Files of a group read at a time.
const READS_AT_A_TIME: usize = 16;

/// Merges the small files of a partition into files of a rewrite, and opens that.
pub(super) async fn compact_partition(
    lake: &Lake,
    pool: &Pool,
    partition: Partition,
    options: CompactOptions,
    done: &mut Compacted,
) -> Result<Outcome> {
    let mut record = lake.records.partition(partition).await?;
    if record.rewrite.is_some() {
        // Whoever opened it may have died.
        protocol_driver::settle(lake, partition).await?;
        record = lake.records.partition(partition).await?;
    }
    if record.parts.iter().all(|part| groups(part, options).is_empty()) {
        return Ok(Outcome::Superseded);
    }
    if has_sources(lake, &record).await? {
        return Ok(Outcome::Busy);
    }
    let id = AttemptId(uuid::Uuid::new_v4().simple().to_string());
    let folder = written(partition, &id);
    let mut changes = Vec::new();
    let mut tally = Compacted::default();
    for part in &record.parts {
        let mut folded = fold::folded_of(lake, part).await?;
        for group in groups(part, options) {
            let change = match merge_group(lake, pool, &record, part, &group, &folder).await {
                Ok(change) => change,
                Err(error) => {
                    // Nobody names the folder, and nobody will.
                    lake.objects.delete_folder(&folder).await?;
                    let moved = lake.records.partition(partition).await?.version != record.version;
                    return if moved && error.is_damage() { Ok(Outcome::Superseded) } else { Err(error) };
                }
            };
            tally.replaced_files += group.len() as u64;
            tally.replaced_bytes += group.iter().map(|file| file.size_bytes).sum::<u64>();
            tally.output_files += change.files.len() as u64;
            tally.output_bytes += change.files.iter().map(|file| file.size_bytes).sum::<u64>();
            tally.rows += change.files.iter().map(|file| file.rows).sum::<u64>();
            changes.push(UnitChange { folded: std::mem::take(&mut folded), ..change });
        }
    }
    if changes.is_empty() {
        return Ok(Outcome::Superseded);
    }
    let outcome = protocol_driver::switch(lake, &id, partition, changes).await?;
    if outcome == Outcome::Done {
        done.add_merged(&tally);
    }
    Ok(outcome)
}

/// Whether a batch that was applied here is still on its way elsewhere: its files cannot be
/// replaced yet.
async fn has_sources(lake: &Lake, record: &PartitionRecord) -> Result<bool> {
    let applied: BTreeSet<&AttemptId> = record.parts.iter().flat_map(|part| part.applied.values()).collect();
    let names = lake.objects.list_names(STAGING).await?;
    Ok(names.iter().any(|name| match StagingDir::parse(name) {
        Some(StagingDir::Batch { attempt, .. }) => applied.contains(&attempt),
        _ => false,
    }))
}

/// Merges one group of a unit's files; what becomes of them in the partition's record.
async fn merge_group(
    lake: &Lake,
    pool: &Pool,
    record: &PartitionRecord,
    part: &UnitFiles,
    group: &[&FileEntry],
    folder: &str,
) -> Result<UnitChange> {
    let partition = record.partition;
    let paths: Vec<(String, FileEntry)> =
        group.iter().map(|file| (file_path(&record.folder, &file.name), (*file).clone())).collect();
    let unit = &part.unit;
    let read = |(path, file): (String, FileEntry)| async move {
        let Some(bytes) = lake.objects.get(&Path::from(path.as_str())).await? else {
            return Err(Error::FileMissing { path, about: unit.to_string() });
        };
        if file.is(&bytes) {
            return Ok((path, bytes));
        }
        Err(Error::FileDamaged { path, source: "its bytes are not those that were written".into() })
    };
    let files: Vec<NamedFile> =
        futures::stream::iter(paths.into_iter().map(read)).buffered(READS_AT_A_TIME).try_collect().await?;
    let merged = offload(pool, format!("merging files of {partition}"), move || merge(partition, &files)).await?;
    let replaced: BTreeSet<String> = group.iter().map(|file| file.name.clone()).collect();
    let prefix = compacted_prefix(&part.unit, partition, &replaced);
    let mut made = BTreeSet::new();
    for (number, file) in merged.into_iter().enumerate() {
        let name = format!("{prefix}-{number}.parquet");
        let entry = FileEntry::of(name, file.rows, &file.bytes);
        lake.objects.put(&Path::from(file_path(folder, &entry.name)), Bytes::from(file.bytes)).await?;
        made.insert(entry);
    }
    let rows = |files: &mut dyn Iterator<Item = u64>| files.sum::<u64>();
    let (before, after) = (rows(&mut group.iter().map(|file| file.rows)), rows(&mut made.iter().map(|file| file.rows)));
    if before != after {
        let source = format!("its record says {}, its files hold {after}", count(before, "row")).into();
        return Err(Error::FileDamaged { path: record.folder.clone(), source });
    }
    Ok(UnitChange {
        unit: part.unit.clone(),
        replaced: Some(replaced),
        files: made,
        from: folder.to_owned(),
        applies: None,
        folded: Vec::new(),
    })
}
