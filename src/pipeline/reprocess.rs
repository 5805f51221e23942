//! `reprocess`: hours written anew, and with them what the lake lost by somebody's hand.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use super::context::RunContext;
use super::inputs::ListedLogs;
use super::listing::leave_out_archived;
use super::preflight::Admitted;
use super::replace::Rewriter;
use super::summary::Summary;
use super::{inputs, look_back, lost_units, preflight, privacy_guard};
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::edge::source;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::kernel::ledger::plan::Grouped;
use crate::kernel::ledger::records::UnitRecord;
use crate::lake::Lake;
use crate::location::Location;
use crate::model::{HourRange, Partition, Table, UnitId};
use crate::progress::Progress;
use crate::recovery;
use crate::repair;
use crate::repair::{Loss, Losses};
use crate::signals::until_stopped;
use crate::stats::count;

/// Writes the hours of a job anew that were converted before; what was never converted stays so.
/// What somebody removed from the lake by hand is mended, and written anew where it takes the logs:
/// of these hours, and of those whose rows are lost beside theirs.
///
/// With `outdated_only`, those that were made as this job makes them and lack nothing stay as they
/// are.
pub async fn reprocess(job: Job, outdated_only: bool) -> Result<Summary> {
    let begun = Instant::now();
    let source = Objects::open_as(&Location::existing(&job.from)?, &job.cloud.source).await?;
    let lake = Lake::open_as(&job.to, &job.cloud.lake).await?;
    let mut summary = reprocess_in(job, source, lake, outdated_only).await?;
    summary.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

/// Writes hours of a source anew in a lake, both of any store: the job's own places are not looked
/// at.
pub async fn reprocess_into(job: Job, source: Objects, lake: Lake) -> Result<Summary> {
    reprocess_in(job, source, lake, false).await
}

/// The job with its hours widened to whole units: a unit is written anew as a whole.
fn of_whole_units(mut job: Job, lake: &Lake) -> Job {
    job.naming.unit = lake.identity.unit;
    job.hours = job.hours.map(|hours| lake.identity.unit.whole(hours));
    job
}

async fn reprocess_in(job: Job, source: Objects, lake: Lake, outdated_only: bool) -> Result<Summary> {
    let job = of_whole_units(job, &lake);
    let mut admitted = preflight::refuse(job, source, Some(lake)).await?.with_lake().await?;
    let Admitted { job, source, lake, .. } = &mut admitted;
    let asked = job.hours;
    let losses = until_stopped(repair::mend(lake, asked, job.lease)).await?;
    if losses.any() {
        *lake = lake.forgiving();
    }
    job.hours = lost_units::widened(asked, &losses);
    let mut grouped = source::list(source, &job.naming, job.hours).await?;
    leave_out_archived(job, source, lake, &mut grouped).await?;
    let context = RunContext::open(admitted).await?;
    let plan = RewritePlan { asked, losses, outdated_only };
    context.guard(Box::pin(run(&context, grouped, plan))).await
}

/// What a run is to write anew.
struct RewritePlan {
    asked: Option<HourRange>,
    losses: Losses,
    outdated_only: bool,
}

impl RewritePlan {
    /// What is wrong with each unit that is to be written anew; of most nothing.
    fn units(&self, context: &RunContext, logs: &ListedLogs) -> BTreeMap<UnitId, Option<Loss>> {
        let asked = |unit: &UnitId| unit.meets(self.asked);
        let known =
            context.known_units.values().filter(|record| !record.batches.is_empty() || record.replacing.is_some());
        let mut units: BTreeMap<UnitId, Option<Loss>> =
            known.map(|record| record.unit.clone()).filter(asked).map(|unit| (unit, None)).collect();
        if self.losses.records {
            // Of an hour without a record nobody can tell whether it ever had one.
            let new = logs.by_unit.keys().filter(|unit| asked(unit) && !units.contains_key(unit)).cloned();
            let new: Vec<UnitId> = new.collect();
            units.extend(new.into_iter().map(|unit| (unit, Some(Loss { forgotten: true, ..Loss::default() }))));
        }
        let lost = lost_units::in_reach(self.asked, &self.losses);
        units.extend(lost.map(|(unit, loss)| (unit.clone(), Some(loss.clone()))));
        // Tables may keep different things of people, so one alone can be named.
        let table = context.job.naming.table;
        units.retain(|unit, _| context.job.shard.takes(unit) && table.is_none_or(|table| table == unit.table()));
        units
    }

    /// What there is instead, where what was asked for left no unit.
    async fn nothing_matched(&self, context: &RunContext) -> Result<Option<String>> {
        if let Some(hours) = self.asked
            && let Some(told) = context.lake.no_unit_of(hours).await?
        {
            return Ok(Some(told));
        }
        let known = context.known_units.values().filter(|record| !record.batches.is_empty());
        let known: Vec<&UnitId> = known.map(|record| &record.unit).filter(|unit| unit.meets(self.asked)).collect();
        let Some(first) = known.iter().min() else {
            return Ok(Some("nothing was converted into this lake yet".to_owned()));
        };
        let of_table = known.iter().filter(|unit| context.job.naming.table.is_none_or(|table| table == unit.table()));
        let filter = if of_table.count() == 0 {
            format!("--format {}", context.job.options.format)
        } else {
            format!("--shard {}", context.job.shard)
        };
        Ok(Some(format!("{filter} leaves out all {}, first: {first}", count(known.len() as u64, "converted hour"))))
    }

    /// Says what was lost.
    fn tell(&self, units: &BTreeMap<UnitId, Option<Loss>>, summary: &mut Summary) {
        summary.mended.clone_from(&self.losses.mended);
        let others = units.iter().filter(|(unit, loss)| loss.is_some() && !unit.meets(self.asked));
        summary.also.extend(others.map(|(unit, _)| unit.to_string()));
        for unit in &summary.also {
            tracing::info!(
                "{unit} is written anew too: rows of it are lost in the partitions of the hours that were asked for"
            );
        }
    }
}

/// A unit that is to be written anew.
struct UnitToRewrite {
    unit: UnitId,
    loss: Option<Loss>,
    partitions: BTreeSet<Partition>,
}

async fn run(context: &RunContext, mut grouped: Grouped, wanted: RewritePlan) -> Result<Summary> {
    let logs = ListedLogs::of(context.source.url(), std::mem::take(&mut grouped.units));
    let units = wanted.units(context, &logs);
    let tables: BTreeSet<Table> = units.keys().map(UnitId::table).collect();
    privacy_guard::hold(&context.lake, &context.job, &tables).await?;
    let mut summary = Summary::default();
    context.tell_recovered(&mut summary);
    context.end_with_others(&mut summary).await?;
    wanted.tell(&units, &mut summary);
    summary.idle_filters = grouped.left_out.idle_filters(&context.job.naming);
    if units.is_empty() {
        summary.nothing_matched = wanted.nothing_matched(context).await?;
    }
    let stored_bytes = logs.by_url.values().map(|object| object.size_bytes).sum();
    let progress = Progress::of_units(units.keys(), stored_bytes);
    let rewriter = Rewriter { context, logs: &logs, losses: &wanted.losses, progress: &progress };
    // Neighbouring hours share partitions, and a partition has one rewrite open at a time, whose
    // closing takes waits: hours that share none with those before them go first, and all of a wave
    // are closed at once. Whether every hour can be done is known before the first is.
    let mut left: Vec<UnitToRewrite> = Vec::new();
    for (unit, loss) in units {
        let record = context.lake.records.unit(&unit).await?;
        if wanted.outdated_only && loss.is_none() && is_of_today(context, &record).await? {
            continue;
        }
        match rewriter.inputs(&record, loss.as_ref()).await {
            Ok(inputs) => left.push(UnitToRewrite { unit, loss, partitions: inputs.partitions }),
            // Nobody named this hour, or the lake is mended: the others are made anew, and this one
            // is told.
            Err(error @ Error::RawGone { .. }) if wanted.outdated_only || wanted.losses.any() => {
                summary.gone.push(error.to_string());
            }
            Err(error) => return Err(error),
        }
    }
    let (mut done, mut rebuilt) = (BTreeSet::new(), 0);
    while !left.is_empty() {
        let mut later = Vec::new();
        for unwritten in left {
            if !summary.rewritten.is_disjoint(&unwritten.partitions) {
                later.push(unwritten);
                continue;
            }
            summary.add(rewriter.claim_and_replace(&unwritten.unit, unwritten.loss.as_ref()).await?);
            progress.unit(&unwritten.unit);
            done.insert(unwritten.unit.clone());
            rebuilt += u64::from(unwritten.loss.is_some());
        }
        recovery::settle(&context.lake, std::mem::take(&mut summary.rewritten)).await?;
        left = later;
    }
    summary.rebuilt_units = rebuilt;
    let written = summary.written();
    look_back::all_is_there(context, &mut summary).await?;
    summary.wrote_anew = summary.stats.units > 0;
    let kept = privacy_guard::look_again(&context.lake, &context.job, &tables, &written).await?;
    privacy_guard::tell_older(&context.lake, &context.job, context.source.url(), &tables, kept, &mut summary).await?;
    // Of what was lost and is there again files may be left that nothing names.
    if wanted.losses.any() || !wanted.losses.mended.is_empty() {
        let deleted = repair::clear_unnamed(&context.lake, &done, &summary.touched).await?;
        summary.mended.extend(repair::told(deleted, "file that nothing names", "files that nothing names", "deleted"));
    }
    Ok(summary)
}

/// Whether all of a unit's rows were made as this job makes them.
async fn is_of_today(context: &RunContext, record: &UnitRecord) -> Result<bool> {
    for entry in &record.batches {
        let manifest = manifests::read(&context.lake.objects, &entry.attempt).await?;
        let today = context.recipe.stamp();
        // Rows of another place are not made anew by this run.
        let of_others = |url: &str| !inputs::is_of_source(context, url);
        let ours = manifest.taken_over.iter().filter(|kept| !of_others(&kept.url));
        if manifest.stamp != *today && !of_others(&format!("{}/", manifest.source))
            || ours.clone().any(|kept| kept.stamp != *today)
        {
            return Ok(false);
        }
    }
    Ok(true)
}
