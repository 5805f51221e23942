//! Few, well-sized, sorted files: what many small conversions leave of an hour, merged.
//!
//! Only files of one unit are merged with each other, so that what a unit has can still be replaced
//! as a whole.

mod fold;

use std::collections::BTreeSet;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::kernel::columns::convert::FILE_ROWS;
use crate::kernel::columns::merge::{NamedFile, merge};
use crate::kernel::ledger::protocol::{Outcome, UnitChange};
use crate::kernel::ledger::records::{AttemptId, FileEntry, PartitionRecord, UnitFiles, compacted_prefix};
use crate::kernel::ledger::staging::{STAGING, StagingDir, file_path, written};
use crate::lake::Lake;
use crate::model::{Partition, UnitId};
use crate::offload::{Pool, offload};
use crate::protocol_driver;
use crate::recovery;

use fold::fold;

/// The size that files are merged up to, unless a run is told otherwise.
pub const TARGET_BYTES: u64 = 128 << 20;

/// Small files of one unit in one hour above which a conversion merges them by itself.
pub const SMALL_FILES: usize = 16;

const READS_AT_A_TIME: usize = 16;

/// What is to be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The size that files are merged up to.
    pub target_bytes: u64,
    /// Fewer small files of a unit than this are left alone; at least 2.
    pub small_files: usize,
    /// Memory that merging may need.
    pub memory_bytes: u64,
}

/// Memory that a row needs while it is merged: 523,000 rows of `edgemill generate` in five files
/// took 604 MiB in all (`tests/memory.rs` with 1 KiB here and nothing below).
const ROW_COST_BYTES: u64 = 1_400;

/// The same by the bytes of a file, for rows that are longer.
const FILE_COST: u64 = 8;

/// Memory that is needed besides.
const BASE_COST_BYTES: u64 = 64 << 20;

impl Wish {
    const fn most_rows(&self) -> u64 {
        let fit = self.memory_bytes.saturating_sub(BASE_COST_BYTES) / ROW_COST_BYTES;
        if fit < FILE_ROWS as u64 { fit } else { FILE_ROWS as u64 }
    }

    const fn most_bytes(&self) -> u64 {
        let fit = self.memory_bytes.saturating_sub(BASE_COST_BYTES) / FILE_COST;
        if fit < self.target_bytes { fit } else { self.target_bytes }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Partitions looked at.
    pub partitions: u64,
    /// Partitions of which files were merged.
    pub compacted_partitions: u64,
    /// Partitions left alone, since somebody was at work there.
    pub busy_partitions: u64,
    /// Files before.
    pub replaced_files: u64,
    /// Their bytes.
    pub replaced_bytes: u64,
    /// Files after.
    pub output_files: u64,
    /// Their bytes.
    pub output_bytes: u64,
    /// Rows moved.
    pub rows: u64,
    /// Batches that units' records name in one with others from now on.
    pub folded_batches: u64,
}

/// Files of one part that become one or a few.
fn groups(part: &UnitFiles, wish: Wish) -> Vec<Vec<&FileEntry>> {
    let (most_bytes, most_rows) = (wish.most_bytes(), wish.most_rows());
    let small = |file: &&FileEntry| file.size_bytes < most_bytes / 2 && file.rows < most_rows / 2;
    let small: Vec<&FileEntry> = part.files.iter().filter(small).collect();
    if small.len() < wish.small_files.max(2) {
        return Vec::new();
    }
    let (mut groups, mut group, mut size_bytes, mut rows) = (Vec::new(), Vec::new(), 0, 0);
    for file in small {
        let full = size_bytes + file.size_bytes > most_bytes || rows + file.rows > most_rows;
        if full && !group.is_empty() {
            groups.push(std::mem::take(&mut group));
            (size_bytes, rows) = (0, 0);
        }
        size_bytes += file.size_bytes;
        rows += file.rows;
        group.push(file);
    }
    groups.push(group);
    groups.retain(|group| group.len() > 1);
    groups
}

/// Merges the small files of partitions, one partition after another, then lets every folder and
/// catalog follow.
pub async fn compact(
    lake: &Lake,
    pool: &Pool,
    partitions: impl IntoIterator<Item = Partition>,
    wish: Wish,
    progress: &(dyn Fn() + Sync),
) -> Result<Compacted> {
    let mut done = Compacted::default();
    let mut open = Vec::new();
    let looks = partitions.into_iter().map(|partition| worth_it(lake, partition, wish)).collect::<Vec<_>>();
    let looks: Vec<Look> = futures::stream::iter(looks).buffered(READS_AT_A_TIME).try_collect().await?;
    // Before files are merged: with them a partition's record forgets what was folded.
    let long: BTreeSet<UnitId> = looks.iter().flat_map(|look| &look.long).cloned().collect();
    done.folded_batches = fold(lake, long).await?;
    for Look { partition, worth_it, .. } in looks {
        done.partitions += 1;
        let outcome = if worth_it { one(lake, pool, partition, wish, &mut done).await? } else { Outcome::Superseded };
        match outcome {
            Outcome::Done => open.push(partition),
            Outcome::Busy => done.busy_partitions += 1,
            Outcome::Superseded | Outcome::FileMissing(_) => {}
        }
        progress();
    }
    done.compacted_partitions = open.len() as u64;
    recovery::settle(lake, open).await?;
    Ok(done)
}

/// What there is to do in a partition, as far as a look from afar tells.
struct Look {
    partition: Partition,
    /// Whether files may be merged.
    worth_it: bool,
    /// Units of which it remembers many batches.
    long: Vec<UnitId>,
}

async fn worth_it(lake: &Lake, partition: Partition, wish: Wish) -> Result<Look> {
    let record = lake.records.partition(partition).await?;
    let many = record.parts.iter().any(|part| !groups(part, wish).is_empty());
    let long = record.parts.iter().filter(|part| part.applied.len() >= fold::FOLD_FROM);
    let long = long.map(|part| part.unit.clone()).collect();
    Ok(Look { partition, worth_it: many || record.rewrite.is_some(), long })
}

async fn one(lake: &Lake, pool: &Pool, partition: Partition, wish: Wish, done: &mut Compacted) -> Result<Outcome> {
    let mut record = lake.records.partition(partition).await?;
    if record.rewrite.is_some() {
        // Whoever opened it may have died.
        protocol_driver::settle(lake, partition).await?;
        record = lake.records.partition(partition).await?;
    }
    if record.parts.iter().all(|part| groups(part, wish).is_empty()) {
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
        for group in groups(part, wish) {
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
        done.replaced_files += tally.replaced_files;
        done.replaced_bytes += tally.replaced_bytes;
        done.output_files += tally.output_files;
        done.output_bytes += tally.output_bytes;
        done.rows += tally.rows;
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
        let source = format!("its record says {before} rows, its files hold {after}").into();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Table;

    fn part(sizes: &[(u64, u64)]) -> UnitFiles {
        let file = |(number, (size_bytes, rows)): (usize, &(u64, u64))| FileEntry {
            name: format!("{number:02}"),
            rows: *rows,
            size_bytes: *size_bytes,
            crc32: 0,
        };
        UnitFiles {
            unit: UnitId::Untimed(Table::AlbLogs, "a".into()),
            applied: std::collections::BTreeMap::new(),
            files: sizes.iter().enumerate().map(file).collect(),
            lost: BTreeSet::new(),
        }
    }

    fn grouped(sizes: &[(u64, u64)], small_files: usize) -> Vec<usize> {
        let part = part(sizes);
        groups(&part, Wish { target_bytes: 100, small_files, memory_bytes: 1 << 40 }).iter().map(Vec::len).collect()
    }

    #[test]
    fn small_files_are_grouped_up_to_the_target_and_large_ones_stay() {
        assert_eq!(grouped(&[(10, 1); 4], 4), [4]);
        assert!(grouped(&[(10, 1); 3], 4).is_empty(), "too few to be worth it");
        assert_eq!(grouped(&[(40, 1), (40, 1), (40, 1), (40, 1), (90, 1)], 2), [2, 2]);
        assert_eq!(grouped(&[(40, 1), (40, 1), (40, 1)], 2), [2], "what is alone in its group stays");
        assert!(grouped(&[(90, 1), (60, 1)], 2).is_empty());
        let many_rows = FILE_ROWS as u64 / 2 - 1;
        assert_eq!(grouped(&[(1, many_rows); 4], 2), [2, 2], "a file holds so many rows and no more");
        assert!(grouped(&[(1, many_rows + 1); 4], 2).is_empty(), "what was merged once is not merged again");
        let tight = Wish { target_bytes: 100, small_files: 2, memory_bytes: BASE_COST_BYTES + 10 * ROW_COST_BYTES };
        assert_eq!(groups(&part(&[(1, 4); 4]), tight).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }
}
