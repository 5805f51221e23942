//! Units and manifests: is every object in exactly one batch, and do its lines add up?

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::people::Seen;
use super::{Kind, Options, Report};
use crate::edge::location::Location;
use crate::edge::manifests;
use crate::edge::objects::{Objects, object_id};
use crate::edge::source;
use crate::error::Result;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::{KeyMeaning, NO_HOUR, Naming};
use crate::kernel::ledger::records::{AttemptId, BatchId, InputName, Manifest, UnitRecord};
use crate::kernel::source::parse::sniff::Told;
use crate::lake::Lake;
use crate::model::{Partition, Table, UnitId};

const READS_AT_A_TIME: usize = 32;

/// The objects that batches have, URL to etag, each by its hash: a lake of years has tens of
/// millions.
type Known = HashMap<u128, u128>;

fn hash(text: &str) -> u128 {
    Sha256::digest(text).first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// What partitions must hold, by what the units say: rows per unit and partition, and the batches.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Rows.
    pub(super) rows: BTreeMap<(Partition, UnitId), u64>,
    /// Batches that must be applied.
    pub(super) batches: BTreeMap<(Partition, UnitId), BTreeSet<BatchId>>,
    /// Folds, each with the batches that it stands for: a partition remembers either.
    pub(super) folds: BTreeMap<BatchId, BTreeSet<BatchId>>,
    /// Batches that count and are on their way: whose files may lie where no record names them yet.
    pub(super) on_their_way: BTreeSet<BatchId>,
    /// What was kept of people when rows were made.
    pub(super) people: Seen,
}

pub(super) async fn look(lake: &Lake, options: &Options, report: &mut Report) -> Result<Expected> {
    let mut expected = Expected::default();
    // Every unit, whatever the hours: an object may be in another hour's, and a partition has rows
    // of its neighbours'.
    let mut known = Known::default();
    for table in Table::LOGS {
        for record in lake.records.each_unit(table).await? {
            match record {
                Ok(record) => one(lake, options, &record, &mut known, &mut expected, report).await?,
                Err(error) => report.find(Kind::Damaged, error),
            }
        }
    }
    if let Some(from) = &options.from {
        against_listing(lake, from, options, &known, report).await?;
    }
    Ok(expected)
}

fn wanted(options: &Options, unit: &UnitId) -> bool {
    unit.meets(options.hours)
}

async fn one(
    lake: &Lake,
    options: &Options,
    record: &UnitRecord,
    known: &mut Known,
    expected: &mut Expected,
    report: &mut Report,
) -> Result<()> {
    let wanted = wanted(options, &record.unit);
    report.units += u64::from(wanted);
    for entry in record.unpublished() {
        expected.on_their_way.insert(entry.batch.clone());
        report.find(Kind::Unpublished, format!("{}: batch {}", record.unit, entry.batch.0));
    }
    let attempts: Vec<AttemptId> = record.batches.iter().map(|entry| entry.attempt.clone()).collect();
    let read = |attempt: AttemptId| async move { manifests::read(&lake.objects, &attempt).await };
    let attempts = attempts.into_iter().map(read);
    let mut manifests = futures::stream::iter(attempts).buffered(READS_AT_A_TIME);
    let mut entries = record.batches.iter();
    while let Some(manifest) = manifests.next().await {
        let Some(entry) = entries.next() else { break };
        let manifest = match manifest {
            Ok(manifest) => manifest,
            Err(error) if error.is_damage() => {
                report.find(Kind::Damaged, error);
                continue;
            }
            Err(error) => return Err(error),
        };
        if manifest.digest() != entry.inputs || manifest.batch != entry.batch {
            report
                .find(Kind::Damaged, format!("{}: the manifest of batch {} is another's", record.unit, entry.batch.0));
        }
        if wanted {
            count(&manifest, report);
        }
        expect(&manifest, expected);
        expected.people.add(&manifest, wanted);
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            if known.insert(hash(&url), hash(&input.object.etag)).is_some() {
                report.find(Kind::ConvertedTwice, format!("{url}, the second time in {}", record.unit));
            }
        }
    }
    Ok(())
}

/// A batch's own sums.
fn count(manifest: &Manifest, report: &mut Report) {
    let (mut rows, mut rejected) = (0, 0);
    for input in &manifest.inputs {
        let lines = &input.lines;
        report.objects += 1;
        report.same_content_objects += u64::from(input.same_as.is_some());
        report.lines += lines.lines;
        report.rows += lines.rows;
        report.rejected_lines += lines.rejected_lines;
        rows += lines.rows;
        rejected += lines.rejected_lines;
        if lines.lines != lines.rows + lines.rejected_lines + lines.comment_lines {
            report.find(Kind::LinesMissing, format!("{}: {lines:?}", input.object.key));
        }
    }
    let of = |rejects: bool| {
        let outputs =
            manifest.outputs.iter().filter(move |output| (output.partition.table == Table::Rejects) == rejects);
        outputs.map(|output| output.file.rows).sum::<u64>()
    };
    if (of(false), of(true)) != (rows, rejected) {
        report.find(
            Kind::RowsDiffer,
            format!(
                "batch {}: its objects have {rows} rows and {rejected} rejects, its files {} and {}",
                manifest.batch.0,
                of(false),
                of(true)
            ),
        );
    }
}

pub(super) fn expect(manifest: &Manifest, expected: &mut Expected) {
    if !manifest.folds.is_empty() {
        expected.folds.insert(manifest.batch.clone(), manifest.folds.clone());
    }
    for partition in manifest.partitions() {
        let place = (partition, manifest.unit.clone());
        let rows = manifest.files(partition).map(|file| file.rows).sum::<u64>();
        *expected.rows.entry(place.clone()).or_default() += rows;
        expected.batches.entry(place).or_default().insert(manifest.batch.clone());
    }
}

/// Every object of the listing, told apart as a conversion does it: by the layout that was told, or
/// whichever a run has used.
async fn against_listing(lake: &Lake, from: &str, options: &Options, known: &Known, report: &mut Report) -> Result<()> {
    let logs = Objects::open_as(&Location::existing(from)?, &options.source).await?;
    let mut told = Naming { unit: lake.identity.unit, ..options.naming.clone() };
    told.archives.extend(lake.archives(None).await?);
    let layouts = lake.layouts(None).await?.into_iter().filter(|_| told.layout.is_none());
    let others: Vec<Naming> = layouts.map(|layout| Naming { layout: Some(layout), ..told.clone() }).collect();
    let (mut pending, mut lakes) = (Vec::new(), BTreeSet::new());
    let mut listing = logs.list("").boxed();
    while let Some(meta) = listing.try_next().await? {
        let object = object_id(meta);
        lakes.extend(plan::lake_of(&object.key));
        let place = |naming: &Naming| naming.place(logs.url(), &object.key, options.hours);
        let by_others = || others.iter().map(place).find(|place| matches!(place, KeyMeaning::Unit(UnitId::Timed(..))));
        let place = match place(&told) {
            KeyMeaning::Excluded => {
                report.listed_objects += 1;
                report.excluded_objects += 1;
                continue;
            }
            unsure @ (KeyMeaning::Unit(UnitId::Untimed(..)) | KeyMeaning::Unnamed | KeyMeaning::LeftAlone(NO_HOUR)) => {
                by_others().unwrap_or(unsure)
            }
            sure => sure,
        };
        if matches!(place, KeyMeaning::Archived | KeyMeaning::Outside(_) | KeyMeaning::LeftAlone(NO_HOUR)) {
            continue;
        }
        report.listed_objects += 1;
        match (known.get(&hash(&InputName { source: logs.url(), object: &object }.url())), place) {
            (Some(etag), _) if *etag == hash(&object.etag) => {}
            (Some(_), _) => report.find(Kind::Changed, &object.key),
            (None, KeyMeaning::Filtered(_)) => report.filtered_objects += 1,
            (None, KeyMeaning::Unit(_) | KeyMeaning::Unnamed) => pending.push(object),
            (None, _) => report.left_alone_objects += 1,
        }
    }
    pending.retain(|object| {
        let is_of_lake = plan::is_of_lake(&lakes, &object.key);
        report.left_alone_objects += u64::from(is_of_lake);
        !is_of_lake
    });
    for (object, found) in source::look_into_all(&logs, pending).await? {
        match found {
            Told::Other(_) => report.left_alone_objects += 1,
            Told::Nothing if !told.is_named(logs.url(), &object.key) => report.left_alone_objects += 1,
            Told::Nothing | Told::Log(_) => report.find(Kind::NotConverted, &object.key),
        }
    }
    Ok(())
}
