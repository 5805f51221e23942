//! Files in the tables' folders that no record names.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use futures::TryStreamExt;
use object_store::path::Path;

use super::file_names::placed;
use super::unit_manifests::unit_manifests;
use crate::error::Result;
use crate::kernel::columns::origins;
use crate::kernel::ledger::protocol::Wait;
use crate::kernel::ledger::records::{InputName, Manifest, ManifestInput, PartitionRecord, unit_time};
use crate::lake::Lake;
use crate::model::{Partition, UnitId};

/// Deletes what no record names of the files of some units, which are whole: in the partitions in
/// which they have rows, and nowhere else; how many files that were.
pub async fn clear_unnamed(lake: &Lake, units: &BTreeSet<UnitId>, partitions: &BTreeSet<Partition>) -> Result<u64> {
    let times: BTreeSet<String> = units.iter().map(unit_time).collect();
    let mut found = Vec::new();
    for partition in partitions {
        let record = lake.records.partition(*partition).await?;
        let listed: Vec<_> = lake.objects.list(&partition.folder()).try_collect().await?;
        let paths = listed.into_iter().map(|object| object.location.to_string());
        let is_theirs = |path: &String| {
            placed(path).is_some_and(|(_, name)| {
                times.iter().any(|time| name.starts_with(&format!("{time}-"))) && !is_named(&record, name)
            })
        };
        found.extend(paths.filter(is_theirs));
    }
    if found.is_empty() {
        return Ok(0);
    }
    // A copy that was under way when we looked has arrived by then.
    tokio::time::sleep(lake.delay(Wait::MaxCallDelay)).await;
    let mut inputs = UrlsByUnit::default();
    let mut deleted = 0;
    for path in found {
        let Some((partition, name)) = placed(&path) else { continue };
        let record = lake.records.partition(partition).await?;
        let is_spare = was_applied(&record, name) || inputs.have(lake, &record, &path).await?;
        if record.rewrite.is_none() && !is_named(&record, name) && is_spare {
            lake.objects.delete(&Path::from(path.as_str())).await?;
            deleted += 1;
        }
    }
    Ok(deleted)
}

/// Whether a file that no record names is of no use: a batch put it here that was applied, or all
/// the raw objects that its rows come from are a unit's, whose rows are there in other files.
///
/// # Errors
/// Those of reading.
pub async fn is_spare(lake: &Lake, record: &PartitionRecord, path: &str) -> Result<bool> {
    let Some((_, name)) = placed(path) else { return Ok(false) };
    Ok(was_applied(record, name) || UrlsByUnit::default().have(lake, record, path).await?)
}

/// Whether a file is of a batch that its partition remembers: where it does not name the file,
/// others have taken its place.
fn was_applied(record: &PartitionRecord, name: &str) -> bool {
    let applied = record.parts.iter().flat_map(|part| part.applied.keys());
    applied.map(|batch| format!("{}-", batch.0)).any(|start| name.starts_with(&start))
}

fn is_named(record: &PartitionRecord, name: &str) -> bool {
    record.files().chain(record.lost()).any(|file| file.name == name)
}

/// The URLs of the raw objects that units have, by unit.
#[derive(Default)]
struct UrlsByUnit(BTreeMap<UnitId, HashSet<String>>);

impl UrlsByUnit {
    /// Whether units have all the raw objects that a file's rows come from: those of its time that
    /// have something in its partition. Of a file that cannot be read nobody can tell.
    async fn have(&mut self, lake: &Lake, record: &PartitionRecord, path: &str) -> Result<bool> {
        let Some((_, name)) = placed(path) else { return Ok(false) };
        let Some(bytes) = lake.objects.get(&Path::from(path)).await? else { return Ok(false) };
        let Ok(keys) = origins::raw_objects(bytes) else { return Ok(false) };
        let units = record.parts.iter().map(|part| &part.unit);
        let units: Vec<&UnitId> = units.filter(|unit| name.starts_with(&format!("{}-", unit_time(unit)))).collect();
        for unit in &units {
            if !self.0.contains_key(*unit) {
                self.0.insert((*unit).clone(), urls(lake, unit).await?);
            }
        }
        let known: Vec<&String> = units.iter().filter_map(|unit| self.0.get(*unit)).flatten().collect();
        Ok(keys.iter().all(|key| ends_with(known.iter().copied(), key)))
    }
}

/// The URLs of a unit's inputs.
async fn urls(lake: &Lake, unit: &UnitId) -> Result<HashSet<String>> {
    let record = lake.records.unit(unit).await?;
    let read = unit_manifests(lake, &record).await?.into_iter().filter_map(|(_, manifest)| manifest);
    let of = |manifest: Manifest| {
        let url = |input: &ManifestInput| InputName { source: &manifest.source, object: &input.object }.url();
        let kept = manifest.taken_over.iter().map(|kept| kept.url.clone());
        manifest.inputs.iter().map(url).chain(kept).collect::<Vec<_>>()
    };
    Ok(read.flat_map(of).collect())
}

/// Whether one of some URLs is that of a key, through whichever folder it was listed.
pub fn ends_with<'u>(mut urls: impl Iterator<Item = &'u String>, key: &str) -> bool {
    urls.any(|url| url.strip_suffix(key).is_some_and(|before| before.ends_with('/')))
}
