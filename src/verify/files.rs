//! Partitions: are their files there, of the size and rows that the records say, and no others;
//! does the catalog agree?

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::expected::Expected;
use super::options::VerifyOptions;
use super::report::{FindingKind, VerifyReport};
use crate::error::Result;
use crate::kernel::columns::footer;
use crate::kernel::columns::footer::{Footer, TAIL_BYTES};
use crate::kernel::ledger::records::{BatchId, FileEntry, PartitionRecord, UnitFiles};
use crate::kernel::ledger::staging::file_path;
use crate::lake::Lake;
use crate::model::{ObjectId, Partition, Table, UnitId};
use crate::stats::count;

const READS_AT_A_TIME: usize = 32;

/// Checks the partitions of a table.
pub(super) async fn check_table(
    lake: &Lake,
    table: Table,
    options: &VerifyOptions,
    expected: &Expected,
    report: &mut VerifyReport,
) -> Result<()> {
    let mut records = Vec::new();
    for record in lake.records.each_partition(table, options.hours).await? {
        match record {
            Ok(record) => records.push(record),
            Err(error) => report.find(FindingKind::Damaged, error),
        }
    }
    let listed = listed(lake, table).await?;
    let mut named: BTreeSet<String> = BTreeSet::new();
    for record in &records {
        report.partitions += 1;
        if let Some(open) = &record.rewrite {
            report.find(FindingKind::OpenRewrite, format!("{}: {}", record.partition, open.id.0));
        }
        named.extend(record.files().chain(record.lost()).map(|file| file_path(&record.folder, &file.name)));
        against_units(record, expected, report);
        files(lake, record, options.deep, report).await?;
    }
    missing_partitions(table, options, &records, expected, report);
    let hours: BTreeSet<String> = records.iter().map(|record| record.partition.folder()).collect();
    let open = records.iter().filter(|record| record.rewrite.is_some());
    let rewriting: BTreeSet<String> = open.map(|record| record.partition.folder()).collect();
    for path in listed {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        let asked = options.hours.is_none() || hours.contains(folder);
        // While a rewrite is open its folder is being brought up to date.
        if asked && !rewriting.contains(folder) && !named.contains(&path) {
            report.find(FindingKind::UnnamedFile, path);
        }
    }
    catalog(lake, table, options, &records, report).await
}

async fn listed(lake: &Lake, table: Table) -> Result<Vec<String>> {
    let objects: Vec<_> = lake.objects.list(table.name()).try_collect().await?;
    Ok(objects.into_iter().map(|object| object.location.to_string()).collect())
}

/// What each unit has in a partition, against what its batches put there.
pub(super) fn against_units(record: &PartitionRecord, expected: &Expected, report: &mut VerifyReport) {
    for part in &record.parts {
        let place = (record.partition, part.unit.clone());
        // What it lost is told as such.
        let has = part.rows();
        // A batch on its way may be here already or not yet.
        let pending = part.applied.keys().any(|batch| expected.on_their_way.contains(batch));
        let wanted = expected.rows.get(&place).copied().unwrap_or(0);
        let absent = expected
            .batches
            .get(&place)
            .into_iter()
            .flatten()
            .find(|batch| !is_applied(part, batch, expected) && !expected.on_their_way.contains(*batch));
        if let Some(batch) = absent {
            report.find(
                FindingKind::RowsDiffer,
                format!("{}: batch {} is published and not there", record.partition, batch.0),
            );
        } else if has != wanted && !pending {
            let rows = count(has, "row");
            let about = format!("{}: {rows} of {}, its batches have {wanted}", record.partition, part.unit);
            report.find(FindingKind::RowsDiffer, about);
        }
    }
}

/// Whether a partition remembers a batch, or one that a fold stands for.
fn is_applied(part: &UnitFiles, batch: &BatchId, expected: &Expected) -> bool {
    let folds = expected.folds.get(batch).into_iter().flatten();
    std::iter::once(batch).chain(folds).any(|batch| part.applied.contains_key(batch))
}

/// Partitions and parts that must be there and have no record at all.
pub(super) fn missing_partitions(
    table: Table,
    options: &VerifyOptions,
    records: &[PartitionRecord],
    expected: &Expected,
    report: &mut VerifyReport,
) {
    let known: BTreeMap<Partition, &PartitionRecord> =
        records.iter().map(|record| (record.partition, record)).collect();
    let asked = |partition: &Partition| options.hours.is_none_or(|hours| hours.meets(partition.hours()));
    let places = expected.rows.keys().filter(|(partition, _)| partition.table == table && asked(partition));
    let lacking = |(partition, unit): &&(Partition, UnitId)| {
        known.get(partition).is_none_or(|record| record.part(unit).is_none())
    };
    for place in places.filter(lacking) {
        let batches = expected.batches.get(place).into_iter().flatten();
        if batches.clone().any(|batch| !expected.on_their_way.contains(batch)) {
            report.find(FindingKind::RowsDiffer, format!("{}: nothing of {} is there", place.0, place.1));
        }
    }
}

/// What is wrong with one file: one HEAD and a read or two of its end; or, if it is to be looked at
/// whole, all of it.
async fn file_fault(lake: &Lake, path: &str, file: &FileEntry, whole: bool) -> Result<Option<(FindingKind, String)>> {
    let location = Path::from(path);
    let missing = || Ok(Some((FindingKind::FileMissing, path.to_owned())));
    let differs = |what: String| Ok(Some((FindingKind::Damaged, format!("{path}: {what}"))));
    if whole {
        return match lake.objects.get(&location).await? {
            None => missing(),
            Some(bytes) if file.is(&bytes) => Ok(None),
            Some(_) => differs("its bytes are not those that were written".to_owned()),
        };
    }
    let Some(size_bytes) = lake.objects.size(&location).await? else { return missing() };
    if size_bytes != file.size_bytes {
        return differs(format!("it has {} of {}", count(size_bytes, "byte"), file.size_bytes));
    }
    let object = ObjectId { key: path.to_owned(), etag: String::new(), size_bytes };
    let mut tail_bytes = TAIL_BYTES.min(size_bytes);
    loop {
        let tail = lake.objects.get_range(&object, size_bytes - tail_bytes..size_bytes).await?;
        match footer::rows(&tail, size_bytes) {
            Ok(Footer::Longer(needed)) => tail_bytes = needed,
            Ok(Footer::Told(rows)) if rows == file.rows => return Ok(None),
            Ok(Footer::Told(rows)) => {
                return differs(format!("its footer says {} of {}", count(rows, "row"), file.rows));
            }
            Err(error) => return differs(error.to_string()),
        }
    }
}

async fn files(lake: &Lake, record: &PartitionRecord, deep: bool, report: &mut VerifyReport) -> Result<()> {
    let one = |file: FileEntry| {
        let path = file_path(&record.folder, &file.name);
        async move { file_fault(lake, &path, &file, deep).await }
    };
    let files: Vec<FileEntry> = record.files().cloned().collect();
    report.files += files.len() as u64;
    let mut looked = futures::stream::iter(files.into_iter().map(one)).buffered(READS_AT_A_TIME);
    while let Some(fault) = looked.try_next().await? {
        if let Some((kind, about)) = fault {
            report.find(kind, about);
        }
    }
    for file in record.lost() {
        let path = file_path(&record.folder, &file.name);
        let again = match file_fault(lake, &path, file, deep).await? {
            None => ", which is there again (--fix takes it back)",
            Some(_) => "",
        };
        report.find(FindingKind::FileMissing, format!("{path}{again}"));
    }
    Ok(())
}

async fn catalog(
    lake: &Lake,
    table: Table,
    options: &VerifyOptions,
    records: &[PartitionRecord],
    report: &mut VerifyReport,
) -> Result<()> {
    let Some(catalog) = &lake.catalog else { return Ok(()) };
    let listed = catalog.list(table).await?;
    let there: BTreeMap<Partition, String> = listed.into_iter().map(|of| (of.partition, of.location)).collect();
    for record in records.iter().filter(|record| record.rewrite.is_none() && !record.parts.is_empty()) {
        match there.get(&record.partition) {
            Some(folder) if *folder == record.folder => {}
            Some(folder) => {
                report.find(FindingKind::Unregistered, format!("{}: the catalog has '{folder}'", record.partition));
            }
            None => report.find(FindingKind::Unregistered, record.partition),
        }
    }
    let known: BTreeSet<Partition> = records.iter().map(|record| record.partition).collect();
    let asked = |partition: &Partition| options.hours.is_none_or(|hours| hours.meets(partition.hours()));
    for partition in there.keys().filter(|partition| asked(partition) && !known.contains(partition)) {
        report.find(FindingKind::Unregistered, format!("{partition}: the catalog has it, the ledger does not"));
    }
    Ok(())
}
