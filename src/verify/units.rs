//! Units and manifests: is every object in exactly one batch, and do its lines add up?

use futures::StreamExt;

use super::expected::Expected;
use super::listing::{ContentHashes, EtagHashes, check_listing};
use super::options::VerifyOptions;
use super::report::{FindingKind, VerifyReport};
use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::records::{AttemptId, InputName, Manifest, UnitRecord};
use crate::kernel::ledger::same;
use crate::lake::Lake;
use crate::model::{Table, UnitId};
use crate::stats::count;

const READS_AT_A_TIME: usize = 32;

pub(super) async fn check_units(lake: &Lake, options: &VerifyOptions, report: &mut VerifyReport) -> Result<Expected> {
    let mut expected = Expected::default();
    // Every unit, whatever the hours: an object may be in another hour's, and a partition has rows
    // of its neighbours'.
    let mut seen = Seen::default();
    for table in Table::LOGS {
        for record in lake.records.each_unit(table).await? {
            match record {
                Ok(record) => check_unit(lake, options, &record, &mut seen, &mut expected, report).await?,
                Err(error) => report.find(FindingKind::Damaged, error),
            }
        }
    }
    if let Some(hours) = options.hours.filter(|_| report.units == 0) {
        report.nothing_matched.extend(lake.no_unit_of(hours).await?);
    }
    if let Some(from) = &options.from {
        check_listing(lake, from, options, &seen.known, report).await?;
    }
    Ok(expected)
}

/// The objects of all batches so far.
#[derive(Default)]
struct Seen {
    known: EtagHashes,
    contents: ContentHashes,
}

fn wanted(options: &VerifyOptions, unit: &UnitId) -> bool {
    unit.meets(options.hours)
}

/// Whether a unit's manifests are those of its record, and no object is in two batches.
async fn check_unit(
    lake: &Lake,
    options: &VerifyOptions,
    record: &UnitRecord,
    seen: &mut Seen,
    expected: &mut Expected,
    report: &mut VerifyReport,
) -> Result<()> {
    let wanted = wanted(options, &record.unit);
    report.units += u64::from(wanted);
    for entry in record.unpublished() {
        expected.on_their_way.insert(entry.batch.clone());
        report.find(FindingKind::Unpublished, format!("{}: batch {}", record.unit, entry.batch.0));
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
                report.find(FindingKind::Damaged, error);
                continue;
            }
            Err(error) => return Err(error),
        };
        if manifest.digest() != entry.inputs || manifest.batch != entry.batch {
            report.find(
                FindingKind::Damaged,
                format!("{}: the manifest of batch {} is another's", record.unit, entry.batch.0),
            );
        }
        if wanted {
            check_sums(&manifest, report);
        }
        expected.add(&manifest);
        expected.people.add(&manifest, wanted);
        for kept in &manifest.taken_over {
            let etag = kept.etag.as_deref().unwrap_or_default();
            if seen.known.add(&kept.url, etag) {
                report.find(FindingKind::ConvertedTwice, format!("{}, the second time in {}", kept.url, record.unit));
            }
        }
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            if seen.known.add(&url, &input.object.etag) {
                report.find(FindingKind::ConvertedTwice, format!("{url}, the second time in {}", record.unit));
            }
            let has_rows = input.same_as.is_none() && input.lines.rows > 0;
            let content = same::content(&input.object, input.digest.as_deref()).filter(|_| has_rows);
            if content.is_some_and(|content| seen.contents.add(&content)) && wanted {
                report.twice_taken_objects += 1;
                report.twice_taken_rows += input.lines.rows;
            }
        }
    }
    Ok(())
}

/// A batch's own sums.
fn check_sums(manifest: &Manifest, report: &mut VerifyReport) {
    let (mut rows, mut rejected) = (0, 0);
    for kept in &manifest.taken_over {
        if kept.etag.is_none() {
            report.taken_over_objects += 1;
            // Whether one of another place is gone, or only was not asked for, nobody has looked.
            if !kept.url.starts_with(&format!("{}/", manifest.source)) {
                let what = "rows of it may be missing: convert takes it again, from its own place";
                report.find(FindingKind::LinesMissing, format!("{}: {what}", kept.url));
            }
        }
        report.rows += kept.lines.rows;
        report.rejected_lines += kept.lines.rejected_lines;
        report.lines += kept.lines.lines;
        rows += kept.lines.rows;
        rejected += kept.lines.rejected_lines;
    }
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
            report.find(FindingKind::LinesMissing, format!("{}: {lines:?}", input.object.key));
        }
    }
    let of = |rejects: bool| {
        let outputs =
            manifest.outputs.iter().filter(move |output| (output.partition.table == Table::Rejects) == rejects);
        outputs.map(|output| output.file.rows).sum::<u64>()
    };
    if (of(false), of(true)) != (rows, rejected) {
        report.find(
            FindingKind::RowsDiffer,
            format!(
                "batch {}: its objects have {} and {}, its files {} and {}",
                manifest.batch.0,
                count(rows, "row"),
                count(rejected, "reject"),
                of(false),
                of(true)
            ),
        );
    }
}
