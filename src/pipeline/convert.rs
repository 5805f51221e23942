//! `convert`: the order of its stages.
//!
//! Look at both places, list, compare with the ledger, convert and publish what is new, tell the
//! catalog, read back what was written, take the logs away where the job says so, end what others
//! began, compact, note how far the series of runs has come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::{StreamExt, TryStreamExt};

use super::context::RunContext;
use super::listing::leave_out_archived;
use super::planning::PlannedUnit;
use super::preflight::Admitted;
use super::summary::{NAMED_AT_MOST, Summary};
use super::survey::Survey;
use super::{archived, catalog_totals, high_water, look_back, privacy_guard, workers};
use crate::compact;
use crate::compact::CompactOptions;
use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::job::cloud::After;
use crate::job::said::look_and_mend;
use crate::job::{Job, Options};
use crate::kernel::ledger::plan::Grouped;
use crate::lake::Lake;
use crate::model::{ObjectId, Table, UnitId};
use crate::signals::until_stopped;
use crate::stats::count;

/// Units planned at a time: one with a difference reads its manifests.
const PLANS_AT_A_TIME: usize = 16;

/// Converts what is new.
pub async fn convert(job: Job) -> Result<Summary> {
    let begun = Instant::now();
    let opened = async { Survey::of(job).await?.admit().await };
    let (admitted, grouped) = until_stopped(Box::pin(opened)).await?;
    let mut summary = Box::pin(convert_listed(admitted, grouped)).await?;
    summary.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

/// Converts what is new of a source into a lake, both of any store: the job's own places are not
/// looked at.
pub async fn convert_into(job: Job, source: Objects, lake: Lake) -> Result<Summary> {
    let (admitted, grouped) = Survey::of_places(job, source, lake).await?.admit().await?;
    Box::pin(convert_listed(admitted, grouped)).await
}

/// Converts what was listed, once the lake allows it.
async fn convert_listed(admitted: Admitted, mut grouped: Grouped) -> Result<Summary> {
    let Admitted { job, source, lake, .. } = &admitted;
    privacy_guard::hold(lake, job, &grouped.units.keys().map(UnitId::table).collect()).await?;
    leave_out_archived(job, source, lake, &mut grouped).await?;
    let mut context = until_stopped(RunContext::open(admitted)).await?;
    context.absent = context.lake.absent_partitions(context.known_units.values()).await?;
    let context = Arc::new(context);
    context.guard(Box::pin(run(&context, grouped))).await
}

/// The stages, in their order.
async fn run(context: &Arc<RunContext>, mut grouped: Grouped) -> Result<Summary> {
    let mut summary = Summary::default();
    context.tell_recovered(&mut summary);
    tell_absent(context, &mut summary);
    let tables: BTreeSet<Table> = grouped.units.keys().map(UnitId::table).collect();
    grouped.leave_to_others(|unit| context.job.shard.takes(unit));
    summary.note_listing(&context.job, &grouped);
    let units = grouped.units;
    let listed = if context.job.cloud.after == After::Keep { BTreeMap::new() } else { units.clone() };
    let work = plan_units(context, units, &mut summary).await?;
    for table in work.iter().map(|work| work.record.unit.table()).collect::<BTreeSet<Table>>() {
        context.privacy_still_holds(table).await?;
    }
    workers::convert_units(context, work, &mut summary).await?;
    let has_new_catalog = catalog_totals::tell(context, &summary).await?;
    let written = summary.written();
    if !look_back::all_is_there(context, &mut summary).await? {
        // What is to be mended needs the logs, and the next run counts back from before this one.
        if let Err(error) = context.end_with_others(&mut summary).await {
            tracing::error!("{error}");
        }
        return Ok(summary);
    }
    let kept = privacy_guard::look_again(&context.lake, &context.job, &tables, &written).await?;
    // Of rows that are to be written anew, or may have to be, the logs stay.
    let listed = if kept.is_less() || !context.absent.is_empty() { BTreeMap::new() } else { listed };
    archived::take_away(context, listed, &mut summary).await?;
    context.end_with_others(&mut summary).await?;
    let Options { target_bytes, compact_files: small_files, memory_bytes, .. } = context.job.options;
    let options = CompactOptions { target_bytes, small_files, memory_bytes };
    // What this run opened knows nothing of a new catalog's readers.
    if context.job.compact_files > 0 && !has_new_catalog {
        let touched = std::mem::take(&mut summary.touched);
        summary.compacted = compact::compact(&context.lake, &context.pool, touched, options, &|| {}).await?;
    }
    privacy_guard::tell_older(&context.lake, &context.job, context.source.url(), &tables, kept, &mut summary).await?;
    // What waits is looked for again by the next run.
    if context.absent.is_empty() {
        high_water::note_end(context).await?;
    }
    Ok(summary)
}

/// Says which partitions no query sees, since their records are gone.
fn tell_absent(context: &RunContext, summary: &mut Summary) {
    let Some(first) = context.absent.first() else { return };
    tracing::error!(
        "the records of {} of the lake '{}' are gone, and no query sees their rows, first: {first}; what belongs there is not \
         converted now; bring them back with: {}, and run this again",
        count(context.absent.len() as u64, "partition"),
        context.job.to,
        look_and_mend(context.lake.objects.url())
    );
    summary.unseen = context.absent.iter().take(NAMED_AT_MOST).map(ToString::to_string).collect();
}

/// The units of a listing in which there is something to do.
async fn plan_units(
    context: &RunContext,
    units: BTreeMap<UnitId, Vec<ObjectId>>,
    summary: &mut Summary,
) -> Result<Vec<PlannedUnit>> {
    let (listed_units, mut work) = (units.len(), Vec::new());
    let planned = units.into_iter().map(|(unit, listed)| async move {
        let planner = context.planner();
        let record = planner.record(&unit);
        let plan = planner.plan(&record, &listed).await?;
        Ok::<_, Error>(PlannedUnit { record, listed, plan })
    });
    let mut planned = std::pin::pin!(futures::stream::iter(planned).buffered(PLANS_AT_A_TIME));
    while let Some(unit) = planned.try_next().await? {
        let PlannedUnit { record, plan, .. } = &unit;
        summary.stats.known_objects += plan.known_objects;
        summary.stats.changed_objects += plan.changed.len() as u64;
        summary.changed.extend(plan.changed.iter().take(NAMED_AT_MOST).cloned());
        if plan.has_new() || !plan.changed.is_empty() || record.unpublished().next().is_some() {
            work.push(unit);
        }
    }
    tracing::debug!(listed_units, work = work.len(), "planned");
    Ok(work)
}
