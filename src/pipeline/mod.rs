//! The order of the stages over many hours.
//!
//! List, compare with the ledger, and for every unit with a difference: fetch, convert into
//! staging, commit, publish. Several units are under way at once, so that one's fetching covers
//! another's converting; a budget in bytes bounds what all of them hold.

mod archived;
mod budget;
mod freshness;
mod look_back;
mod privacy_guard;
mod rebuild;
mod replace;
mod same;
mod summary;
mod unit;
mod workers;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::compact;
use crate::compact::Wish;
use crate::edge::claims::Claims;
use crate::edge::location::Location;
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::edge::source;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::cloud::After;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::{Grouped, HIDDEN, NO_HOUR, Naming, UnitPlan};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::records::{AttemptId, BatchEntry, InputName, UnitRecord, digest, short_hash};
use crate::kernel::ledger::same::{Twin, Twins};
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::names;
use crate::kernel::source::names::Layout;
use crate::lake::{CatalogChoice, Lake, NewLake};
use crate::model::{Hour, HourRange, ObjectId, Partition, Table, UnitId};
use crate::offload;
use crate::offload::Pool;
use crate::protocol_driver;
use crate::recovery;
use crate::recovery::Recovery;
use crate::signals::until_stopped;
use crate::stats::count;
use futures::{StreamExt, TryStreamExt};
use serde::{Deserialize, Serialize};

use budget::{Budget, Turns};

pub use freshness::freshness_seconds;
pub use replace::{reprocess, reprocess_into};
use summary::NAMED_AT_MOST;
pub use summary::{Summary, nothing_matched};

/// The log lines of hours, and of runs: for machines, so that they can be left out where a person
/// reads.
pub const HOUR_TARGET: &str = "edgemill_hour";
/// See [`HOUR_TARGET`].
pub const RUN_TARGET: &str = "edgemill_run";

/// Memory that no budget hands out; a job has several times as much.
const BASE_BYTES: u64 = 96 << 20;

/// Units planned at a time: one with a difference reads its manifests.
const PLANS_AT_A_TIME: usize = 16;

/// Manifests of one unit read at a time.
const MANIFESTS_AT_A_TIME: usize = 16;

/// Partitions that a catalog is told of at a time.
const TOLD_AT_A_TIME: usize = 128;

/// What all units of a run share.
struct Shared {
    job: Job,
    source: Objects,
    lake: Lake,
    recipe: Arc<Recipe>,
    pool: Pool,
    claims: Claims,
    /// For what is fetched and waits.
    fetch_budget: Budget,
    /// For what is being converted.
    convert_budget: Budget,
    turns: Turns,
    attempts: unit::Attempts,
    /// What the ledger knew of units when the run began.
    known_units: HashMap<UnitId, UnitRecord>,
    /// Every layout that a run has used in this lake.
    layouts: Vec<Layout>,
    /// What others had left, and this run brought to its end.
    tidied: Recovery,
    /// When it was last seen what the lake keeps of people.
    looks: privacy_guard::Looks,
}

impl Shared {
    /// Closes what this run and others opened, and finishes what was claimed when it was found:
    /// waits, for all at once.
    async fn end_with_others(&self, summary: &mut Summary) -> Result<()> {
        let Recovery { open, claimed, .. } = &self.tidied;
        let (own, others, claimed) = tokio::join!(
            recovery::settle(&self.lake, std::mem::take(&mut summary.rewritten)),
            recovery::settle_others(&self.lake, open),
            recovery::finish_claimed(&self.lake, &self.claims, claimed.clone(), self.job.orphan_age),
        );
        own?;
        let claimed = claimed?;
        summary.stats.finished_rewrites += others? + recovery::settle_others(&self.lake, &claimed.open).await?;
        summary.stats.finished_batches += claimed.batches;
        Ok(())
    }

    fn tell_tidied(&self, summary: &mut Summary) {
        summary.stats.finished_batches += self.tidied.batches;
        summary.stats.cleared_attempts += self.tidied.orphans;
    }
}

/// Converts what is new.
pub async fn convert(job: Job) -> Result<Summary> {
    let begun = Instant::now();
    let Listed { job, source, lake, grouped } = until_stopped(Box::pin(open_and_list(job))).await?;
    let mut summary = convert_listed(job, source, lake, grouped).await?;
    summary.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

/// What a conversion begins with.
struct Listed {
    job: Job,
    source: Objects,
    lake: Lake,
    grouped: Grouped,
}

async fn open_and_list(mut job: Job) -> Result<Listed> {
    let source = Objects::open_as(&Location::existing(&job.from)?, &job.cloud.source).await?;
    let new = NewLake::of(job.ledger.clone(), job.partition);
    let there = Lake::open_if_there(&job.to, &job.cloud.lake).await?;
    job.naming.unit = there.as_ref().map_or(job.partition.unwrap_or_default(), |lake| lake.identity.unit);
    if let Some(lake) = &there {
        lake.refuse_other(&new, &job.to)?;
        refuse_other_catalog(&job, lake)?;
        job.hours = hours(lake, source.url(), &job).await?;
    }
    let grouped = source::list(&source, &job.naming, job.hours).await?;
    // Where raw objects go once they are converted, a place without any is as it should be.
    if there.is_none() || job.cloud.after == After::Keep {
        refuse_nothing(&job, &grouped)?;
    }
    let lake = if let Some(lake) = there {
        lake
    } else {
        refuse_new_with_catalog(&job)?;
        Lake::open_or_create(&job.to, &new, &job.cloud.lake).await?
    };
    Ok(Listed { job, source, lake, grouped })
}

/// Converts what is new of a source into a lake, both of any store: the job's own places are not
/// looked at.
pub async fn convert_into(mut job: Job, source: Objects, lake: Lake) -> Result<Summary> {
    job.naming.unit = lake.identity.unit;
    let grouped = source::list(&source, &job.naming, job.hours).await?;
    convert_listed(job, source, lake, grouped).await
}

async fn convert_listed(job: Job, source: Objects, lake: Lake, mut grouped: Grouped) -> Result<Summary> {
    privacy_guard::hold(&lake, &job, &grouped.units.keys().map(UnitId::table).collect()).await?;
    leave_out_archived(&job, &source, &lake, &mut grouped).await?;
    let shared = until_stopped(share(job, source, lake)).await?;
    guarded(&shared, Box::pin(run(&shared, grouped))).await
}

/// Leaves out of a listing what this run and others have moved to archives. They are asked for
/// after the listing: whoever moves an object has said where to before, so an object that was
/// listed in an archive is known as such.
async fn leave_out_archived(job: &Job, source: &Objects, lake: &Lake, grouped: &mut Grouped) -> Result<()> {
    let archives = lake.archives(job.archive_url()?.as_deref()).await?;
    grouped.leave_out_archived(source.url(), &Naming { archives, ..Naming::default() });
    Ok(())
}

async fn share(job: Job, source: Objects, lake: Lake) -> Result<Shared> {
    let pool = offload::pool(job.threads)?;
    // What is not for logs: the program, its tables, files on their way to the store.
    let memory_bytes = job.memory_bytes.saturating_sub(BASE_BYTES);
    // A quarter waits, the rest works. A chunk asks for the second only when it has the first, and
    // gives both back without asking for more, so nobody waits in a circle.
    let (fetch_budget, convert_budget) = (Budget::new(memory_bytes / 4), Budget::new(memory_bytes / 4 * 3));
    let turns = Turns::new(job.threads, memory_bytes / 4 * 3, source.is_local() && lake.objects.is_local());
    let (recipe, attempts) = (Arc::new(job.rows.recipe()?), unit::Attempts::default());
    let layouts = lake.layouts(job.naming.layout.as_ref()).await?;
    let claims = Claims::new(lake.objects.clone(), job.lease);
    // First what others began: what is known is read after it.
    let tidied = recovery::recover(&lake, &claims, job.orphan_age).await?;
    let known_units = known_units(&lake, &job).await?;
    Ok(Shared {
        job,
        source,
        lake,
        recipe,
        pool,
        claims,
        fetch_budget,
        convert_budget,
        turns,
        attempts,
        known_units,
        layouts,
        tidied,
        looks: privacy_guard::Looks::default(),
    })
}

/// Works until the work is done, fails, or is asked to stop; cleans up after itself.
async fn guarded(shared: &Shared, work: impl Future<Output = Result<Summary>>) -> Result<Summary> {
    let worked = until_stopped(work).await;
    if worked.is_err() {
        // Nothing that is staged and uncommitted will ever count.
        shared.attempts.clear(&shared.lake.objects).await;
        shared.claims.withdraw_all().await;
    }
    let mut summary = worked?;
    summary.too_many_rejects = summary.rejected_ratio() > shared.job.reject_warn_ratio;
    summary.source_calls = shared.source.calls();
    summary.lake_calls = shared.lake.objects.calls();
    Ok(summary)
}

/// Refuses to make a lake that is to have a catalog: its tables are not there yet.
fn refuse_new_with_catalog(job: &Job) -> Result<()> {
    match &job.cloud.catalog {
        Some(catalog) if *catalog != CatalogChoice::None => Err(Error::usage(
            format!("there is no lake at '{}' yet, nor the tables of its catalog '{catalog}'", job.to),
            "make them with edgemill init, once",
        )),
        _ => Ok(()),
    }
}

/// Refuses a lake without the catalog that the job names: its partitions would be missing there,
/// and nobody would know.
fn refuse_other_catalog(job: &Job, lake: &Lake) -> Result<()> {
    match &job.cloud.catalog {
        Some(catalog) if *catalog != lake.chosen => Err(Error::usage(
            format!("the lake '{}' has the catalog '{}', not '{catalog}'", job.to, lake.chosen),
            "give it this one with edgemill init, or leave --catalog out",
        )),
        _ => Ok(()),
    }
}

/// Says what is wrong where there is no log at all, rather than doing nothing.
fn refuse_nothing(job: &Job, grouped: &Grouped) -> Result<()> {
    // What a load balancer itself writes beside its logs says that the place is right and the first
    // log still to come.
    let is_to_come = |what: &&str| names::BESIDE_LOGS.contains(what) || *what == NO_HOUR && job.naming.table.is_some();
    let is_right = grouped.skipped.keys().any(is_to_come);
    let filtered = grouped.outside_objects + grouped.filtered_objects + grouped.excluded_objects;
    if !grouped.units.is_empty() || filtered + grouped.archived_objects > 0 || is_right {
        return Ok(());
    }
    let names = "CloudFront names its logs E2EXAMPLE.2026-11-21-05.abcd1234.gz, a load balancer \
                 123456789012_elasticloadbalancing_us-east-1_app.name.id_20261121T0505Z_192.0.2.1_random.log.gz";
    let skipped_objects = grouped.skipped_objects();
    Err(match &grouped.first_skipped {
        None => Error::usage(
            format!("there is no object in '{}'", job.from),
            format!("name the folder of the logs ({names})"),
        ),
        Some(first) if grouped.skipped.keys().all(|what| *what == HIDDEN) => Error::usage(
            format!("all there is in '{}' is hidden: {}, first: '{first}'", job.from, count(skipped_objects, "object")),
            "logs lie in folders whose names do not begin with '.' or '_'",
        ),
        Some(first) => Error::usage(
            format!(
                "there is no log that is read here in '{}', but {}, first: '{first}'",
                job.from,
                count(skipped_objects, "other object")
            ),
            format!(
                "{names}; to read every object as a log whatever its name, say --format cloudfront or --format alb"
            ),
        ),
    })
}

async fn run(shared: &Shared, grouped: Grouped) -> Result<Summary> {
    let mut summary = Summary::default();
    summary.note_listing(&shared.job, &grouped);
    shared.tell_tidied(&mut summary);
    let tables: BTreeSet<Table> = grouped.units.keys().map(UnitId::table).collect();
    let mut work = Vec::new();
    let mut listed_units = 0_u64;
    let (units, others): (BTreeMap<UnitId, Vec<ObjectId>>, BTreeMap<_, _>) =
        grouped.units.into_iter().partition(|(unit, _)| shared.job.shard.takes(unit));
    summary.stats.other_shard_objects = others.values().map(Vec::len).sum::<usize>() as u64;
    let listed = if shared.job.cloud.after == After::Keep { BTreeMap::new() } else { units.clone() };
    let planned = units.into_iter().map(|(unit, listed)| async move {
        let record = shared.known_units.get(&unit).cloned().unwrap_or_else(|| UnitRecord::new(unit));
        let plan = plan_unit(shared, &record, &listed).await?;
        Ok::<_, Error>(workers::Work { record, listed, plan })
    });
    let mut planned = std::pin::pin!(futures::stream::iter(planned).buffered(PLANS_AT_A_TIME));
    while let Some(unit) = planned.try_next().await? {
        let workers::Work { record, plan, .. } = &unit;
        listed_units += 1;
        summary.stats.known_objects += plan.known_objects;
        summary.stats.changed_objects += plan.changed.len() as u64;
        summary.changed.extend(plan.changed.iter().take(NAMED_AT_MOST).cloned());
        if plan.has_new() || !plan.changed.is_empty() || record.unpublished().next().is_some() {
            work.push(unit);
        }
    }
    tracing::debug!(listed_units, work = work.len(), "planned");
    for table in work.iter().map(|work| work.record.unit.table()).collect::<BTreeSet<Table>>() {
        privacy_guard::still_holds(shared, table).await?;
    }
    workers::convert_units(shared, work, &mut summary).await?;
    let has_new_catalog = tell_catalog(shared, &summary).await?;
    if !look_back::all_is_there(shared, &mut summary).await? {
        // What is to be mended needs the logs, and the next run counts back from before this one.
        if let Err(error) = shared.end_with_others(&mut summary).await {
            tracing::error!("{error}");
        }
        return Ok(summary);
    }
    archived::take_away(shared, listed, &mut summary).await?;
    shared.end_with_others(&mut summary).await?;
    let Job { target_bytes, compact_files: small_files, memory_bytes, .. } = shared.job;
    let wish = Wish { target_bytes, small_files, memory_bytes };
    // This run's machines know nothing of a new catalog's readers.
    if shared.job.compact_files > 0 && !has_new_catalog {
        let touched = std::mem::take(&mut summary.touched);
        summary.compacted = compact::compact(&shared.lake, &shared.pool, touched, wish, &|| {}).await?;
    }
    privacy_guard::tell_older(shared, &tables, &mut summary).await?;
    note_end(shared).await?;
    Ok(summary)
}

/// Tells the catalog how much partitions hold that were there before. A catalog that the lake was
/// given while the run was at work is told of all that the run published; whoever gave it lists
/// what was published before. Whether it was.
async fn tell_catalog(shared: &Shared, summary: &Summary) -> Result<bool> {
    let touched: Vec<Partition> = summary.touched.iter().copied().collect();
    if let Some(lake) = shared.lake.with_new_catalog().await? {
        let lake = &lake;
        let told = touched.into_iter().map(|partition| async move { protocol_driver::register(lake, partition).await });
        let mut told = std::pin::pin!(futures::stream::iter(told).buffer_unordered(TOLD_AT_A_TIME));
        while told.try_next().await?.is_some() {}
        return Ok(true);
    }
    let told = touched.into_iter().map(|partition| protocol_driver::tell(&shared.lake, partition));
    futures::stream::iter(told).buffer_unordered(TOLD_AT_A_TIME).try_collect::<()>().await?;
    Ok(false)
}

/// When the last run of a source ended that had everything its hours held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LastRun {
    /// The end of its hours.
    until: Hour,
}

fn last_run_key(source: &str, job: &Job) -> String {
    let told = format!("{:?} {:?} {:?}", job.naming.table, job.naming.layout, job.shard);
    format!("runs/{}", short_hash([source, &told].into_iter()))
}

/// The hours to look at: those that are asked for, and where a fixed time back is asked for, as
/// much before the end of the last complete run, so that an outage of any length is caught up.
pub(crate) async fn hours(lake: &Lake, source: &str, job: &Job) -> Result<Option<HourRange>> {
    let (Some(hours), true) = (job.hours, job.catches_up) else { return Ok(job.hours) };
    let last: Option<(u64, LastRun)> = lake.records.note(&last_run_key(source, job)).await?;
    let Some((_, last)) = last else { return Ok(Some(hours)) };
    let back = hours.end.hours_since(hours.start);
    Ok(Some(HourRange { start: hours.start.min(last.until.plus(-back)), end: hours.end }))
}

/// Notes that everything up to the end of the run's hours was looked at. Only a run that counts
/// back from now is one of a series.
async fn note_end(shared: &Shared) -> Result<()> {
    let (Some(hours), true) = (shared.job.hours, shared.job.catches_up) else { return Ok(()) };
    let key = last_run_key(shared.source.url(), &shared.job);
    loop {
        let before: Option<(u64, LastRun)> = shared.lake.records.note(&key).await?;
        let version = match before {
            Some((_, last)) if last.until >= hours.end => return Ok(()),
            Some((version, _)) => version,
            None => 0,
        };
        let next = LastRun { until: hours.end };
        if shared.lake.records.swap_note(&key, version + 1, &next).await? == CasOutcome::Committed {
            return Ok(());
        }
    }
}

/// The units of the hours that are asked for, and those without a time.
async fn known_units(lake: &Lake, job: &Job) -> Result<HashMap<UnitId, UnitRecord>> {
    let mut known = HashMap::new();
    for table in Table::LOGS {
        let mut records = lake.records.units(table, job.hours).await?;
        if job.hours.is_some() {
            records.extend(lake.records.untimed_units(table).await?);
        }
        known.extend(records.into_iter().map(|record| (record.unit.clone(), record)));
    }
    Ok(known)
}

/// What is left to do in a unit. Its manifests are read only where the listing is not exactly what
/// is known.
async fn plan_unit(shared: &Shared, record: &UnitRecord, listed: &[ObjectId]) -> Result<UnitPlan> {
    let source = shared.source.url();
    if record.inputs() == digest(source, listed.iter()) {
        return Ok(UnitPlan { known_objects: listed.len() as u64, ..UnitPlan::default() });
    }
    let mut known = Known::default();
    add_inputs(shared, record, &mut known).await?;
    let mut plan = plan::unit(source, listed, &known.etags);
    let mut elsewhere = known_elsewhere(shared, &record.unit, &plan.inputs).await?;
    plan.leave_out(source, &elsewhere.etags);
    let mut twins = known.twins;
    twins.extend(std::mem::take(&mut elsewhere.twins));
    plan.set_same_apart(twins, shared.job.same_content);
    Ok(plan)
}

/// What the ledger knows of the objects of some units.
#[derive(Default)]
struct Known {
    /// URL to etag.
    etags: HashMap<String, String>,
    /// What others may be the same as.
    twins: Twins,
}

/// Adds a unit's inputs; of a unit of many hours those that may be of the hours that are asked for.
async fn add_inputs(shared: &Shared, record: &UnitRecord, known: &mut Known) -> Result<()> {
    // By another layout an object may have been named for another hour.
    let asked = shared.job.hours.filter(|_| shared.layouts.is_empty());
    let met = |entry: &&BatchEntry| entry.hours.zip(asked).is_none_or(|(hours, asked)| hours.meets(asked));
    let attempts: Vec<AttemptId> = record.batches.iter().filter(met).map(|entry| entry.attempt.clone()).collect();
    let mut manifests = manifests::read_all(&shared.lake.objects, attempts, MANIFESTS_AT_A_TIME);
    while let Some(manifest) = manifests.try_next().await? {
        for input in manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            if input.same_as.is_none() {
                let etag = input.object.etag.clone();
                known.twins.add(&input.object, Twin { url: url.as_str().into(), etag, digest: input.digest });
            }
            known.etags.insert(url, input.object.etag);
        }
    }
    Ok(())
}

/// What other units have, of those in which these objects may have been converted by a run that was
/// told otherwise: as logs of the other table, by another layout, or without a time. A folder of
/// objects without a time may have been moved from any other.
async fn known_elsewhere(shared: &Shared, unit: &UnitId, inputs: &[ObjectId]) -> Result<Known> {
    let of = |input: &ObjectId| {
        names::possible_units(&plan::path(shared.source.url(), &input.key), &shared.layouts, shared.lake.identity.unit)
    };
    let mut units: BTreeSet<UnitId> = inputs.iter().flat_map(of).collect();
    if unit.period().is_none() && !inputs.is_empty() {
        let untimed = shared.known_units.keys().filter(|of| of.period().is_none() && of.table() == unit.table());
        units.extend(untimed.cloned());
    }
    units.remove(unit);
    let mut known = Known::default();
    for other in units {
        match (shared.known_units.get(&other), other.period()) {
            (Some(record), _) => add_inputs(shared, record, &mut known).await?,
            // It was not among those that were read at the beginning.
            (None, Some(_)) if !other.meets(shared.job.hours) => {
                add_inputs(shared, &shared.lake.records.unit(&other).await?, &mut known).await?;
            }
            (None, _) => {}
        }
    }
    Ok(known)
}
