//! What a lost or outdated record of the ledger must say, by what the other records and the
//! manifests say.
//!
//! Partitions remember every batch that was applied to them, for ever; manifests say what a batch
//! was made from, where its files are and what it took the place of. So a unit's record follows
//! from the partitions and the manifests, and what a unit has in a partition follows from the
//! unit's record and the manifests, as long as no compaction has merged it.

use std::collections::{BTreeMap, BTreeSet};

use super::records::{BatchEntry, BatchId, BatchState, InputName, Manifest, PartitionRecord, UnitFiles, UnitRecord};
use crate::model::{Partition, UnitId};

/// The next version of a unit's record, which lacks batches that partitions have; nothing, where it
/// lacks none or where it cannot be told which of them count.
///
/// `manifests` are those of all batches that the record names or `parts` have applied.
#[must_use]
pub fn unit_record(
    known: &UnitRecord,
    parts: &BTreeMap<Partition, UnitFiles>,
    manifests: &BTreeMap<BatchId, Manifest>,
) -> Option<UnitRecord> {
    // What is on its way is brought to its end first.
    if known.unpublished().next().is_some() {
        return None;
    }
    let is_applied =
        |partition: &Partition, manifest: &Manifest| parts.get(partition).is_some_and(|part| manifest.is_applied(part));
    let is_whole = |manifest: &Manifest| manifest.partitions().iter().all(|at| is_applied(at, manifest));
    let replaced = manifests.values().filter_map(|manifest| manifest.replaces.as_ref()).flat_map(|of| &of.batches);
    let replaced: BTreeSet<&BatchId> =
        replaced.chain(manifests.values().flat_map(|manifest| &manifest.folds)).collect();
    let (mut batches, mut replacing) = (Vec::new(), None);
    for manifest in manifests.values().filter(|manifest| !replaced.contains(&manifest.batch)) {
        let published = known.batches.iter().any(|entry| entry.batch == manifest.batch) || is_whole(manifest);
        match &manifest.replaces {
            // It is on its way, and what it takes the place of counts until it has come.
            Some(of) if !published => {
                if replacing.replace(entry(manifest, BatchState::Committed)).is_some() {
                    return None;
                }
                for batch in &of.batches {
                    batches.push(entry(manifests.get(batch)?, BatchState::Published));
                }
            }
            _ if published => batches.push(entry(manifest, BatchState::Published)),
            _ => batches.push(entry(manifest, BatchState::Committed)),
        }
    }
    if replacing.is_some() && batches.iter().any(|entry| entry.state == BatchState::Committed) {
        return None;
    }
    let names =
        |batches: &[BatchEntry]| -> BTreeSet<BatchId> { batches.iter().map(|entry| entry.batch.clone()).collect() };
    let agrees = names(&batches) == names(&known.batches) && replacing.is_none();
    if batches.is_empty() || agrees || share_inputs(&batches, manifests) {
        return None;
    }
    Some(UnitRecord { version: known.version + 1, batches, replacing, ..known.clone() })
}

fn entry(manifest: &Manifest, state: BatchState) -> BatchEntry {
    BatchEntry {
        batch: manifest.batch.clone(),
        attempt: manifest.attempt.clone(),
        state,
        inputs: manifest.digest(),
        input_bytes: manifest.inputs.iter().map(|input| input.object.size_bytes).sum(),
        hours: manifest.hours,
        partitions: manifest.few_partitions(),
        batches: manifest.folds.len() as u64,
    }
}

/// Whether two of some batches have an object in common: then they do not all count.
fn share_inputs(batches: &[BatchEntry], manifests: &BTreeMap<BatchId, Manifest>) -> bool {
    let mut seen = BTreeSet::new();
    let manifests = batches.iter().filter_map(|entry| manifests.get(&entry.batch));
    let mut urls = manifests
        .flat_map(|of| of.inputs.iter().map(|input| InputName { source: &of.source, object: &input.object }.url()));
    urls.any(|url| !seen.insert(url))
}

/// The next version of a partition's record, in which a unit has exactly the files that its batches
/// were written with.
///
/// `manifests` are those of the unit's batches, each published. Whether the files are there is for
/// the caller to look.
#[must_use]
pub fn part(mut record: PartitionRecord, unit: &UnitId, manifests: &[Manifest]) -> PartitionRecord {
    let partition = record.partition;
    record.version += 1;
    let part = record.part_mut(unit);
    part.lost.clear();
    part.files = manifests.iter().flat_map(|manifest| manifest.files(partition)).cloned().collect();
    let here = manifests.iter().filter(|manifest| manifest.partitions().contains(&partition));
    part.applied.extend(here.map(|manifest| (manifest.batch.clone(), manifest.attempt.clone())));
    record
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ledger::records::{
        AttemptId, FORMAT_VERSION, FileEntry, ManifestInput, ManifestOutput, Replaced,
    };
    use crate::kernel::policy::recipe::Fingerprint;
    use crate::model::{Granularity, ObjectId, Table};

    fn unit() -> UnitId {
        UnitId::of_hour(Table::CloudfrontLogs, "2026-11-21T05".parse().unwrap())
    }

    fn partition(hour: &str) -> Partition {
        Partition::of(Table::CloudfrontLogs, Granularity::Hour, hour.parse().unwrap())
    }

    /// A batch of an input for each letter, with a file in each of some partitions.
    fn manifest(name: &str, inputs: &str, places: &[Partition], replaces: &[&str]) -> Manifest {
        let input = |key: char| ManifestInput {
            object: ObjectId { key: key.to_string(), etag: "e".into(), size_bytes: 1 },
            lines: crate::stats::LineStats::default(),
            raw_bytes: 1,
            damage: None,
            digest: None,
            same_as: None,
        };
        let output = |partition: &Partition| ManifestOutput {
            partition: *partition,
            file: FileEntry { name: format!("{name}-0.parquet"), rows: 1, size_bytes: 1, crc32: 0 },
        };
        let batches: BTreeSet<BatchId> = replaces.iter().map(|name| BatchId((*name).to_owned())).collect();
        Manifest {
            format: FORMAT_VERSION,
            writer: "test".into(),
            unit: unit(),
            batch: BatchId(name.into()),
            attempt: AttemptId(format!("try {name}")),
            source: "s3://logs".into(),
            stamp: Fingerprint::default(),
            proven: true,
            hours: None,
            folds: BTreeSet::new(),
            taken_over: Vec::new(),
            inputs: inputs.chars().map(input).collect(),
            outputs: places.iter().map(output).collect(),
            replaces: (!batches.is_empty()).then(|| Replaced { batches, partitions: places.iter().copied().collect() }),
        }
    }

    fn parts(applied: &[(Partition, &[&Manifest])]) -> BTreeMap<Partition, UnitFiles> {
        let part = |of: &[&Manifest]| UnitFiles {
            unit: unit(),
            applied: of.iter().map(|of| (of.batch.clone(), of.attempt.clone())).collect(),
            files: BTreeSet::new(),
            lost: BTreeSet::new(),
        };
        applied.iter().map(|(at, of)| (*at, part(of))).collect()
    }

    fn by_batch(manifests: &[&Manifest]) -> BTreeMap<BatchId, Manifest> {
        manifests.iter().map(|of| (of.batch.clone(), (*of).clone())).collect()
    }

    fn said(record: &UnitRecord) -> Vec<(&str, BatchState)> {
        record.batches.iter().map(|entry| (entry.batch.0.as_str(), entry.state)).collect()
    }

    #[test]
    fn a_units_record_follows_from_partitions_and_manifests() {
        use BatchState::{Committed, Published};
        let (here, there) = (partition("2026-11-21T05"), partition("2026-11-21T04"));
        let (a, b) = (manifest("a", "ab", &[here, there], &[]), manifest("b", "c", &[here], &[]));
        let none = UnitRecord::new(unit());
        let both = parts(&[(here, &[&a, &b]), (there, &[&a])]);
        let made = unit_record(&none, &both, &by_batch(&[&a, &b])).unwrap();
        assert_eq!((said(&made), made.version), (vec![("a", Published), ("b", Published)], 1));
        assert_eq!(unit_record(&made, &both, &by_batch(&[&a, &b])), None, "it agrees");
        // An older version that knows the first only.
        let older = UnitRecord { batches: made.batches[..1].to_vec(), version: 4, ..made };
        let newer = unit_record(&older, &both, &by_batch(&[&a, &b])).unwrap();
        assert_eq!((said(&newer), newer.version), (vec![("a", Published), ("b", Published)], 5));
        // Not everywhere yet: it is published by whoever comes next.
        let half = parts(&[(here, &[&a])]);
        assert_eq!(said(&unit_record(&none, &half, &by_batch(&[&a])).unwrap()), [("a", Committed)]);
        // What was replaced does not count, once it is everywhere.
        let r = manifest("r", "ab", &[here, there], &["a"]);
        let all = parts(&[(here, &[&a, &r]), (there, &[&a, &r])]);
        assert_eq!(said(&unit_record(&none, &all, &by_batch(&[&a, &r])).unwrap()), [("r", Published)]);
        let half = parts(&[(here, &[&a, &r]), (there, &[&a])]);
        let made = unit_record(&none, &half, &by_batch(&[&a, &r])).unwrap();
        assert_eq!(said(&made), [("a", Published)]);
        assert_eq!(made.replacing.map(|entry| entry.batch.0), Some("r".to_owned()));
        // Two that have an object in common: nobody can tell.
        let twice = manifest("t", "bc", &[here], &[]);
        let at = parts(&[(here, &[&a, &twice]), (there, &[&a])]);
        assert_eq!(unit_record(&none, &at, &by_batch(&[&a, &twice])), None);
    }

    #[test]
    fn a_part_follows_from_manifests() {
        let here = partition("2026-11-21T05");
        let made = part(PartitionRecord::new(here), &unit(), &[manifest("a", "ab", &[here], &[])]);
        assert_eq!((made.version, made.part(&unit()).map(UnitFiles::rows)), (1, Some(1)));
        assert!(made.has_applied(&unit(), &BatchId("a".into())));
    }
}
