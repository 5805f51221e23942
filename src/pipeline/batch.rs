//! One batch of a unit: its objects converted into the staging folder of a new attempt, and the
//! manifest that says so. Nothing counts before the manifest is committed.

use std::collections::BTreeSet;

use tokio::sync::mpsc;

use super::chunks::convert_chunks;
use super::context::RunContext;
use super::name_hours::name_hours;
use super::same_content::Contents;
use super::staged::StagedWriter;
use super::summary::{NAMED_AT_MOST, Summary, ratio};
use crate::error::{Error, Result};
use crate::kernel::columns::convert::{ChunkReport, ObjectOutcome};
use crate::kernel::ledger::plan::{UNNAMED, UnitPlan};
use crate::kernel::ledger::records::{BatchId, FORMAT_VERSION, Manifest, ManifestOutput, Replaced, batch_id};
use crate::model::UnitId;
use crate::progress::Progress;
use crate::stats::LineStats;

/// Finished files that wait for the store, per unit: rayon goes on while some are written.
const FILES_WAITING: usize = 1;

/// Converts objects into the staging folder of a new attempt, which may be to take the place of
/// others; their names, and some more, are then not its own.
pub(super) async fn stage_batch(
    context: &RunContext,
    unit: &UnitId,
    plan: &UnitPlan,
    replaces: Option<(Replaced, BTreeSet<BatchId>)>,
    progress: &Progress,
) -> Result<(Manifest, Summary)> {
    context.privacy_still_holds(unit.table()).await?;
    let attempt = context.attempts.begin(unit);
    let source = context.source.url();
    let mut contents = Contents::new(source, context.job.same_content, plan);
    let (replaces, mut before) = replaces.map_or_else(Default::default, |(replaced, taken)| (Some(replaced), taken));
    before.extend(replaces.iter().flat_map(|replaced| replaced.batches.iter().cloned()));
    let batch = batch_id(unit, source, &context.recipe.stamp().to_string(), &plan.new_objects(), &before);
    let (send, files) = mpsc::channel(FILES_WAITING);
    let writer = StagedWriter { lake: &context.lake.objects, unit, attempt: &attempt, batch: &batch };
    // Files of one chunk are written while the next one is converted.
    let converting = convert_chunks(context, unit, &plan.inputs, &mut contents, send, progress);
    let (converted, written) = tokio::join!(converting, writer.write(files));
    // Where a write failed, its own error is the one to tell.
    let outputs = written?;
    let ChunkReport { mut outcomes, new_fields } = converted?;
    if replaces.is_some() {
        // It was taken as a log once: that it is none now must be told, and not in passing.
        for outcome in outcomes.iter_mut().filter(|outcome| outcome.left_alone == Some(UNNAMED)) {
            (outcome.left_alone, outcome.unread) = (None, true);
        }
    }
    check_rejects(context, unit, &outcomes)?;
    contents.check(&unit.to_string())?;
    let mut summary = Summary { new_fields, ..summarise(&outcomes, &outputs) };
    contents.tell(&mut summary);
    let inputs = contents.inputs(outcomes);
    let manifest = Manifest {
        format: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        unit: unit.clone(),
        batch,
        attempt: attempt.clone(),
        source: source.to_owned(),
        stamp: context.recipe.stamp().clone(),
        hours: name_hours(context, unit, &inputs),
        inputs,
        proven: true,
        outputs,
        replaces,
        folds: BTreeSet::new(),
        taken_over: Vec::new(),
    };
    context.privacy_still_holds(unit.table()).await?;
    context.attempts.hand_over(unit, &attempt);
    crate::crash::here("staged");
    Ok((manifest, summary))
}

/// Refuses to commit a unit of which more is rejected than the job allows: most likely it is no log
/// at all.
fn check_rejects(context: &RunContext, unit: &UnitId, outcomes: &[ObjectOutcome]) -> Result<()> {
    let mut lines = LineStats::default();
    let logs = outcomes.iter().filter(|outcome| outcome.left_alone.is_none());
    logs.for_each(|outcome| lines += outcome.lines);
    let limit = context.job.reject_fail_ratio.unwrap_or(1.0);
    if ratio(lines.rejected_lines, lines.lines) <= limit {
        return Ok(());
    }
    Err(Error::TooManyRejects {
        unit: unit.to_string(),
        rejected_lines: lines.rejected_lines,
        lines: lines.lines,
        first: outcomes.iter().find_map(first_reject).unwrap_or_default(),
    })
}

fn first_reject(outcome: &ObjectOutcome) -> Option<String> {
    outcome.first_reject.as_ref().map(|(line, reason)| format!("{}:{line}: {reason}", outcome.id.key))
}

/// What a batch did.
fn summarise(outcomes: &[ObjectOutcome], outputs: &[ManifestOutput]) -> Summary {
    let mut summary = Summary::default();
    let stats = &mut summary.stats;
    for outcome in outcomes.iter().filter(|outcome| outcome.unread) {
        stats.unread_objects += 1;
        summary.unread.extend(first_reject(outcome).filter(|_| summary.unread.len() < NAMED_AT_MOST));
    }
    for outcome in outcomes {
        let Some(what) = outcome.left_alone else { continue };
        stats.skipped_objects += 1;
        *summary.left_alone.entry(what).or_default() += 1;
        summary.first_left_alone.get_or_insert_with(|| outcome.id.key.clone());
    }
    for outcome in outcomes.iter().filter(|outcome| outcome.is_taken()) {
        stats.converted_objects += 1;
        stats.input_bytes += outcome.id.size_bytes;
        stats.raw_bytes += outcome.raw_bytes;
        stats.lines += outcome.lines;
        stats.damaged_objects += u64::from(outcome.damage.is_some());
        *summary.found.entry(outcome.found).or_default() += 1;
    }
    for output in outputs {
        stats.output_files += 1;
        stats.output_bytes += output.file.size_bytes;
    }
    let damaged = outcomes.iter().filter(|outcome| outcome.is_taken()).filter_map(|outcome| {
        let damage = outcome.damage.as_ref()?;
        Some(format!("{} at byte {} of its text: {}", outcome.id.key, damage.raw_offset_bytes, damage.reason))
    });
    summary.damaged = damaged.take(NAMED_AT_MOST).collect();
    let read = outcomes.iter().filter(|outcome| outcome.is_taken());
    summary.rejects = read.filter_map(first_reject).take(NAMED_AT_MOST).collect();
    summary
}
