//! A look at what the run has written, whatever its store said of it: are its batches in their
//! units' records and in every partition, with as many rows as they have?
//!
//! A ledger in a lake rests on a store that lets one of many writers win. Where a store has stopped
//! to do so, or a proxy was put before it since it was tried out ([`crate::edge::probe`]), rows
//! vanish from every query while each call goes well. So every run reads once what it has touched,
//! from the ledger alone: a record for each unit and each partition. Only where they are not as
//! they should be are manifests read, and the records again, as `verify` would.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use super::committed::CommittedBatch;
use super::context::RunContext;
use super::summary::{NAMED_AT_MOST, Summary};
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::job::said::{ReprocessCommand, look_and_mend};
use crate::kernel::ledger::records::{InputName, Manifest, PartitionRecord, UnitRecord};
use crate::lake::Lake;
use crate::model::{HourRange, Partition, Table, UnitId};
use crate::stats::either;
use crate::verify;

/// Records read at a time.
const READS_AT_A_TIME: usize = 32;

/// From so many records on they are read by a scan, where they are at least half of what it reads.
const SCAN_FROM: usize = 64;

/// Looks at a unit that others are changing, and the pause between two: whoever changes it looks at
/// it, too.
const LOOKS: u32 = 5;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Whether all that a run committed is in its ledger. What is not is told, in the summary too.
pub(super) async fn all_is_there(context: &RunContext, summary: &mut Summary) -> Result<bool> {
    let lost = lost_units(&context.lake, &std::mem::take(&mut summary.committed)).await?;
    let Some(first) = lost.values().next() else { return Ok(true) };
    let (from, to) = (&context.job.from, &context.job.to);
    let (which, how) = (hours(lost.keys()), context.job.of_rows());
    let bring_back = ReprocessCommand { which: &which, from, table: None, lake: to, how: &how };
    let look = look_and_mend(to);
    tracing::error!(
        "the ledger of '{to}' has lost what this run wrote, though every call went well: {} {} other rows than they were given, \
         first: {first}; no log was lost, bring the rows back with: {bring_back}; and look with: {look}; a store that does this again keeps no ledger: make a new lake with edgemill init --ledger \
         dynamodb:TABLE",
        lost.len(),
        either(lost.len() as u64, "hour has", "hours have"),
    );
    summary.lost = lost.into_values().take(NAMED_AT_MOST).collect();
    Ok(false)
}

/// The argument that names the hours of units.
fn hours<'u>(units: impl Iterator<Item = &'u UnitId>) -> String {
    let hours: Option<Vec<HourRange>> = units.map(UnitId::hours).collect();
    match hours.and_then(|hours| hours.into_iter().reduce(|all, hours| all.join(hours))) {
        Some(hours) => format!("--hours {hours}"),
        None => "--all".to_owned(),
    }
}

/// The units whose rows are not all there, each with what is wrong.
async fn lost_units(lake: &Lake, committed: &[CommittedBatch]) -> Result<BTreeMap<UnitId, String>> {
    let partitions: BTreeSet<Partition> =
        committed.iter().flat_map(|committed| committed.rows.keys().copied()).collect();
    let units: BTreeSet<UnitId> = committed.iter().map(|committed| committed.unit.clone()).collect();
    // Partitions first: a batch is in its unit's record before it is in any partition.
    let partitions = partition_records(lake, &partitions).await?;
    let units = unit_records(lake, &units).await?;
    let mut lost = BTreeMap::new();
    for committed in committed {
        if is_there(committed, units.get(&committed.unit), &partitions) {
            continue;
        }
        let what = match lost_at_rest(lake, committed).await {
            Err(error) if error.is_damage() => Some(error.to_string()),
            looked => looked?,
        };
        if let Some(what) = what {
            lost.insert(committed.unit.clone(), what);
        }
    }
    Ok(lost)
}

/// Whether a batch is where it should be, as far as the records alone tell.
fn is_there(
    committed: &CommittedBatch,
    unit: Option<&UnitRecord>,
    partitions: &HashMap<Partition, PartitionRecord>,
) -> bool {
    let Some(unit) = unit.filter(|unit| unit.batches.iter().any(|entry| entry.batch == committed.batch)) else {
        return false;
    };
    let is_all = unit.batches.len() == 1 && unit.replacing.is_none();
    committed.rows.iter().all(|(partition, rows)| {
        let part = partitions.get(partition).and_then(|record| record.part(&committed.unit));
        part.is_some_and(|part| {
            let has: u64 = part.files.iter().map(|file| file.rows).sum();
            part.applied.contains_key(&committed.batch) && if is_all { has == *rows } else { has >= *rows }
        })
    })
}

/// Reads a batch that seems to be missing until its unit is at rest: others may have replaced it
/// rightly.
async fn lost_at_rest(lake: &Lake, committed: &CommittedBatch) -> Result<Option<String>> {
    for _ in 0..LOOKS {
        let before = lake.records.unit(&committed.unit).await?;
        let mut batches = Vec::with_capacity(before.batches.len());
        for entry in &before.batches {
            batches.push(manifests::read(&lake.objects, &entry.attempt).await?);
        }
        let ours: BTreeSet<Partition> = committed.rows.keys().copied().collect();
        let touched = batches.iter().flat_map(Manifest::partitions).chain(ours).collect();
        let partitions: Vec<PartitionRecord> = partition_records(lake, &touched).await?.into_values().collect();
        let after = lake.records.unit(&committed.unit).await?;
        if after.version == before.version && after.unpublished().next().is_none() {
            let named = before.batches.iter().any(|entry| entry.batch == committed.batch);
            if !named && !has_inputs(&batches, &manifests::read(&lake.objects, &committed.attempt).await?) {
                return Ok(Some(format!(
                    "{}: batch {} was committed and is not there",
                    committed.unit, committed.batch.0
                )));
            }
            let units = BTreeMap::from([(committed.unit.clone(), batches)]);
            return Ok(verify::differences(&units, &partitions).into_iter().min());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    tracing::debug!("{}: others are at work on it, and look at it themselves", committed.unit);
    Ok(None)
}

/// Whether some batches have every object of another, be it as it is by now: then they took its
/// place.
fn has_inputs(batches: &[Manifest], other: &Manifest) -> bool {
    let urls = |manifest: &Manifest| {
        let url = |object| InputName { source: &manifest.source, object }.url();
        manifest.inputs.iter().map(|input| url(&input.object)).collect::<Vec<String>>()
    };
    let all: BTreeSet<String> = batches.iter().flat_map(urls).collect();
    urls(other).iter().all(|url| all.contains(url))
}

/// The records of some partitions; of version 0 where there is none.
async fn partition_records(lake: &Lake, wanted: &BTreeSet<Partition>) -> Result<HashMap<Partition, PartitionRecord>> {
    let (mut found, mut single) = (HashMap::new(), Vec::new());
    for table in Table::ALL {
        let of_table: Vec<Partition> = wanted.iter().copied().filter(|partition| partition.table == table).collect();
        let span = of_table.first().zip(of_table.last());
        let range = span.map(|(first, last)| HourRange { start: first.hours().start, end: last.hours().end });
        let each = of_table.first().map_or(1, |first| first.hours().hours());
        match range.filter(|range| is_dense(of_table.len(), range.hours() / each.max(1))) {
            Some(range) => {
                let records = lake.records.partitions(table, Some(range)).await?;
                found.extend(records.into_iter().map(|record| (record.partition, record)));
            }
            None => single.extend(of_table),
        }
    }
    let read =
        |partition: Partition| async move { Ok::<_, Error>((partition, lake.records.partition(partition).await?)) };
    let read: Vec<_> =
        futures::stream::iter(single.into_iter().map(read)).buffer_unordered(READS_AT_A_TIME).try_collect().await?;
    found.extend(read);
    for partition in wanted {
        found.entry(*partition).or_insert_with(|| PartitionRecord::new(*partition));
    }
    Ok(found)
}

/// The records of some units.
async fn unit_records(lake: &Lake, wanted: &BTreeSet<UnitId>) -> Result<HashMap<UnitId, UnitRecord>> {
    let (mut found, mut single) = (HashMap::new(), Vec::new());
    for table in Table::LOGS {
        let of_table: Vec<&UnitId> = wanted.iter().filter(|unit| unit.table() == table).collect();
        let hours: Vec<HourRange> = of_table.iter().filter_map(|unit| unit.hours()).collect();
        let covered = hours.iter().map(HourRange::hours).sum::<u64>();
        let range = hours.into_iter().reduce(|all, hours| all.join(hours));
        match range.filter(|range| is_dense(usize::try_from(covered).unwrap_or(usize::MAX), range.hours())) {
            Some(range) => {
                let records = lake.records.units(table, Some(range)).await?;
                found.extend(records.into_iter().map(|record| (record.unit.clone(), record)));
                single.extend(of_table.into_iter().filter(|unit| unit.period().is_none()));
            }
            None => single.extend(of_table),
        }
    }
    let read = |unit: &UnitId| {
        let unit = unit.clone();
        async move { Ok::<_, Error>((unit.clone(), lake.records.unit(&unit).await?)) }
    };
    let read: Vec<_> =
        futures::stream::iter(single.into_iter().map(read)).buffer_unordered(READS_AT_A_TIME).try_collect().await?;
    found.extend(read);
    Ok(found)
}

/// Whether a scan of so many records, of which so many are wanted, is better than reading each.
const fn is_dense(wanted: usize, scanned: u64) -> bool {
    wanted >= SCAN_FROM && scanned <= 2 * wanted as u64
}
