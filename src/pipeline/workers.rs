//! Many workers on the same hours: each takes what nobody else has claimed, and looks after what
//! others have at the end.

use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};

use super::budget::Turn;
use super::replace::{Again, Logs};
use super::{Shared, Summary, plan_unit, unit};
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::UnitPlan;
use crate::kernel::ledger::records::UnitRecord;
use crate::model::{ObjectId, UnitId};
use crate::progress::Progress;
use crate::protocol_driver;
use crate::repair::Losses;
use crate::stats::count;

/// Between two looks at what others have claimed.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The longest that grows to.
const LOOK_EVERY_AT_MOST: Duration = Duration::from_secs(5);

/// Units under way at a time, most of them waiting for the store while they are committed: some 25
/// calls one after another, a second and more on S3.
const UNITS_AT_A_TIME: usize = 32;

/// A unit in which there is something to do.
pub(super) struct Work {
    pub(super) record: UnitRecord,
    pub(super) listed: Vec<ObjectId>,
    pub(super) plan: UnitPlan,
}

/// Converts units; ends when each is done, by this run or by another.
pub(super) async fn convert_units(shared: &Shared, mut work: Vec<Work>, summary: &mut Summary) -> Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    let stored_bytes = work.iter().flat_map(|work| &work.plan.inputs).map(|input| input.size_bytes).sum();
    let progress = Progress::of_units(work.iter().map(|work| &work.record.unit), stored_bytes);
    // Each run begins at a place of its own, so that several do not meet at every hour.
    let first = usize::from_str_radix(&shared.claims.run()[..8], 16).unwrap_or(0) % work.len();
    work.rotate_left(first);
    let mut wait = LOOK_EVERY;
    while !work.is_empty() {
        let before = work.len();
        work = round(shared, work, &progress, summary).await?;
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
async fn round(shared: &Shared, work: Vec<Work>, progress: &Progress, summary: &mut Summary) -> Result<Vec<Work>> {
    let tried = work.into_iter().map(|work| claimed(shared, work, progress));
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
async fn claimed(shared: &Shared, work: Work, progress: &Progress) -> Result<Result<Summary, Work>> {
    let turn = shared.turns.take(unit::expected_cost_bytes(&work.plan.inputs)).await?;
    let unit = work.record.unit.clone();
    crate::crash::here("claim");
    if !shared.claims.take(&unit).await? {
        return Ok(Err(work));
    }
    shared.claims.hold(&unit, Box::pin(one(shared, work, turn, progress))).await.map(Ok)
}

async fn one(shared: &Shared, work: Work, turn: Turn<'_>, progress: &Progress) -> Result<Summary> {
    let begun = Instant::now();
    let Work { mut record, listed, mut plan } = work;
    let unit = record.unit.clone();
    let mut summary = Summary::default();
    // Another run may have been here since the plan was made.
    let now = shared.lake.records.unit(&record.unit).await?;
    if now.version != record.version || now.unpublished().next().is_some() {
        summary.stats.finished_batches += protocol_driver::finish_unit(&shared.lake, &now).await?;
        let (planned_known, planned_changed) = (plan.known_objects, plan.changed.len());
        record = shared.lake.records.unit(&record.unit).await?;
        plan = plan_unit(shared, &record, &listed).await?;
        summary.stats.known_objects += plan.known_objects.saturating_sub(planned_known);
        // What has changed no more has been replaced by the other run.
        summary.stats.replaced_objects += planned_changed.saturating_sub(plan.changed.len()) as u64;
    }
    let changed = std::mem::take(&mut plan.changed);
    if plan.has_new() {
        summary.add(unit::convert(shared, record, &listed, plan, turn, progress).await?);
    }
    if !changed.is_empty() {
        summary.add(replace_changed(shared, &unit, &listed, changed.len(), progress).await?);
    }
    summary.stats.log_hour(&unit, begun.elapsed().as_secs_f64());
    progress.unit(&unit);
    Ok(summary)
}

/// Replaces the rows of a unit of which objects changed under their keys. Where some of its objects
/// are gone, it cannot be read again: its rows stay as they are, and the summary says so.
async fn replace_changed(
    shared: &Shared,
    unit: &UnitId,
    listed: &[ObjectId],
    changed: usize,
    progress: &Progress,
) -> Result<Summary> {
    let logs = Logs::of(shared.source.url(), [(unit.clone(), listed.to_vec())].into());
    let again = Again { shared, logs: &logs, losses: &Losses::default(), progress };
    match again.replace(unit, None).await {
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
