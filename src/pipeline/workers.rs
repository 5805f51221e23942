//! Many workers on the same hours: each takes what nobody else has claimed, and looks after what
//! others have at the end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};

use super::budget::Turn;
use super::chunks::expected_cost_bytes;
use super::context::RunContext;
use super::inputs::ListedLogs;
use super::planning::PlannedUnit;
use super::refresh::refresh_unit;
use super::replace::Rewriter;
use super::summary::Summary;
use super::unit::convert_unit;
use crate::error::{Error, Result};
use crate::model::{ObjectId, UnitId};
use crate::progress::Progress;
use crate::repair::Losses;
use crate::stats::count;

/// Between two looks at what others have claimed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The longest that grows to.
const LOOK_EVERY_AT_MOST: Duration = Duration::from_secs(5);

/// Units under way at a time, most of them waiting for the store while they are committed: some 25
/// calls one after another, a second and more on S3.
const UNITS_AT_A_TIME: usize = 32;

/// Converts units; ends when each is done, by this run or by another.
pub(super) async fn convert_units(
    context: &Arc<RunContext>,
    mut work: Vec<PlannedUnit>,
    summary: &mut Summary,
) -> Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    let stored_bytes = work.iter().flat_map(|work| &work.plan.inputs).map(|input| input.size_bytes).sum();
    let progress = Arc::new(Progress::of_units(work.iter().map(|work| &work.record.unit), stored_bytes));
    // Each run begins at a place of its own, so that several do not meet at every hour.
    let first = usize::from_str_radix(&context.claims.run()[..8], 16).unwrap_or(0) % work.len();
    work.rotate_left(first);
    let mut wait = LOOK_EVERY;
    while !work.is_empty() {
        let before = work.len();
        work = round(context, work, &progress, summary).await?;
        if work.is_empty() {
            return Ok(());
        }
        wait = if work.len() < before { LOOK_EVERY } else { (wait * 2).min(LOOK_EVERY_AT_MOST) };
        tracing::debug!(units = work.len(), "others work on these, looking again soon");
        tokio::time::sleep(wait).await;
    }
    Ok(())
}

/// Does what is not claimed; what is left.
async fn round(
    context: &Arc<RunContext>,
    work: Vec<PlannedUnit>,
    progress: &Arc<Progress>,
    summary: &mut Summary,
) -> Result<Vec<PlannedUnit>> {
    let tried = work.into_iter().map(|work| async move {
        if !context.is_local() {
            return claim_and_convert(context, work, progress).await;
        }
        let (run, progress) = (Arc::clone(context), Arc::clone(progress));
        let unit = move || async move { claim_and_convert(&run, work, &progress).await };
        context.unit_threads.work(unit).await
    });
    let mut tried = std::pin::pin!(futures::stream::iter(tried).buffer_unordered(UNITS_AT_A_TIME));
    let mut left = Vec::new();
    while let Some(tried) = tried.try_next().await? {
        match tried {
            Ok(done) => summary.add(done),
            Err(work) => left.push(work),
        }
    }
    Ok(left)
}

/// Does a unit, if nobody else has claimed it.
async fn claim_and_convert(
    context: &RunContext,
    work: PlannedUnit,
    progress: &Progress,
) -> Result<Result<Summary, PlannedUnit>> {
    let turn = context.turns.take(expected_cost_bytes(&work.plan.inputs)).await?;
    let unit = work.record.unit.clone();
    crate::crash::here("claim");
    if !context.claims.take(&unit).await? {
        return Ok(Err(work));
    }
    context.claims.hold(&unit, Box::pin(convert_claimed(context, work, turn, progress))).await.map(Ok)
}

/// Does what is left of a unit that this run has claimed.
async fn convert_claimed(
    context: &RunContext,
    mut planned: PlannedUnit,
    turn: Turn<'_>,
    progress: &Progress,
) -> Result<Summary> {
    let begun = Instant::now();
    let unit = planned.record.unit.clone();
    let mut summary = Summary::default();
    // Another run may have been here since the plan was made.
    let (planned_known, planned_changed) = (planned.plan.known_objects, planned.plan.changed.len());
    summary.stats.finished_batches += refresh_unit(context, &mut planned).await?;
    let PlannedUnit { plan, listed, .. } = &planned;
    summary.stats.known_objects += plan.known_objects.saturating_sub(planned_known);
    // What has changed no more has been replaced by the other run.
    summary.stats.replaced_objects += planned_changed.saturating_sub(plan.changed.len()) as u64;
    let changed = plan.changed.len();
    let listed = if changed > 0 { listed.clone() } else { Vec::new() };
    if plan.has_new() {
        summary.add(convert_unit(context, planned, turn, progress).await?);
    }
    if changed > 0 {
        summary.add(replace_changed(context, &unit, listed, changed, progress).await?);
    }
    summary.stats.log_hour(&unit, begun.elapsed().as_secs_f64());
    progress.unit(&unit);
    Ok(summary)
}

/// Replaces the rows of a unit of which objects changed under their keys. Where some of its objects
/// are gone, it cannot be read again: its rows stay as they are, and the summary says so.
async fn replace_changed(
    context: &RunContext,
    unit: &UnitId,
    listed: Vec<ObjectId>,
    changed: usize,
    progress: &Progress,
) -> Result<Summary> {
    let known = context.known_units.get(unit).into_iter().flat_map(|record| &record.batches);
    if known.flat_map(|entry| entry.partitions.iter().flatten()).any(|partition| context.absent.contains(partition)) {
        tracing::warn!("{unit}: {} changed, and wait until the lake is mended", count(changed as u64, "object"));
        return Ok(Summary::default());
    }
    let logs = ListedLogs::of(context.source.url(), [(unit.clone(), listed)].into());
    let rewriter = Rewriter { context, logs: &logs, losses: &Losses::default(), progress };
    match rewriter.replace(unit, None).await {
        Err(error @ Error::RawGone { .. }) => {
            let objects = count(changed as u64, "object");
            tracing::warn!("{unit}: {objects} changed, and what the lake has of them stays as it was: {error}");
            Ok(Summary::default())
        }
        // What had not changed is among the known ones; all of the unit's lines were read anew.
        Ok(mut done) => {
            let stats = &mut done.stats;
            let read = stats.converted_objects + stats.unread_objects + stats.skipped_objects;
            let again = read.saturating_sub(changed as u64);
            stats.converted_objects = stats.converted_objects.saturating_sub(again);
            Ok(done)
        }
        failed => failed,
    }
}
