//! The order of the stages over many hours.
//!
//! List, compare with the ledger, and for every unit with a difference: fetch, convert into staging, commit, publish. Several
//! units are under way at once, so that one's fetching covers another's converting; a budget in bytes bounds what all of
//! them hold.

mod budget;
mod unit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Instant;

use crate::commit;
use crate::edge::location::Location;
use crate::edge::manifests;
use crate::edge::objects::{Calls, Objects};
use crate::edge::source;
use crate::error::{EXIT_DONE, EXIT_DONE_WITH_DAMAGE, Error, Result};
use crate::job::Job;
use crate::kernel::enrich::Enricher;
use crate::kernel::names::{self, Layout};
use crate::kernel::plan::{self, Grouped, HIDDEN, UNNAMED, UnitPlan};
use crate::kernel::records::{InputName, UnitRecord, digest};
use crate::lake::Lake;
use crate::model::{ObjectId, Table, UnitId};
use crate::progress::{Measure, Progress};
use crate::stats::RunStats;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use budget::Budget;

/// At most this many damaged objects and rejects are named in the summary; the counts are whole.
const NAMED_AT_MOST: usize = 5;

/// What a run did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The counts.
    #[serde(flatten)]
    pub stats: RunStats,
    /// Calls to the store of the logs.
    pub source_calls: Calls,
    /// Calls to the lake.
    pub lake_calls: Calls,
    /// The first damaged objects: key, offset, reason.
    pub damaged: Vec<String>,
    /// The first rejected lines: key, line, reason.
    pub rejects: Vec<String>,
    /// The first objects of which no line could be read: key, line, reason.
    pub unread: Vec<String>,
    /// The first objects that changed after they were converted.
    pub changed: Vec<String>,
    /// Objects converted, by what they were found to be.
    pub found: BTreeMap<&'static str, u64>,
    /// Objects left alone, by what they are.
    pub left_alone: BTreeMap<&'static str, u64>,
    /// Fields that this version has never heard of, by their logged names, with the number of rows that have a value. They are
    /// in the column `extra`.
    pub new_fields: BTreeMap<String, u64>,
    /// Seconds from begin to end.
    pub elapsed_seconds: f64,
    /// Whether more lines were rejected than the job finds normal.
    pub too_many_rejects: bool,
}

impl Summary {
    /// The exit code that tells a script.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        if self.stats.damaged_objects > 0 || self.stats.unread_objects > 0 || self.too_many_rejects {
            EXIT_DONE_WITH_DAMAGE
        } else {
            EXIT_DONE
        }
    }

    fn add(&mut self, other: Self) {
        self.stats += &other.stats;
        for (what, objects) in other.found {
            *self.found.entry(what).or_default() += objects;
        }
        for (name, rows) in other.new_fields {
            *self.new_fields.entry(name).or_default() += rows;
        }
        for (ours, theirs) in [
            (&mut self.damaged, other.damaged),
            (&mut self.rejects, other.rejects),
            (&mut self.unread, other.unread),
            (&mut self.changed, other.changed),
        ] {
            ours.extend(theirs);
            ours.sort_unstable();
            ours.truncate(NAMED_AT_MOST);
        }
    }
}

/// What all units of a run share.
struct Shared {
    job: Job,
    source: Objects,
    lake: Lake,
    enricher: Arc<Enricher>,
    pool: rayon::ThreadPool,
    /// For what is fetched and waits.
    fetch_budget: Budget,
    /// For what is being converted.
    convert_budget: Budget,
    attempts: unit::Attempts,
    /// What the ledger knew of units when the run began.
    known_units: HashMap<UnitId, UnitRecord>,
    /// Every layout that a run has used in this lake.
    layouts: Vec<Layout>,
}

/// Converts what is new.
pub async fn convert(job: Job) -> Result<Summary> {
    let begun = Instant::now();
    let source = Objects::open(&Location::existing(&job.from)?)?;
    let grouped = source::list(&source, &job.naming, job.hours).await?;
    refuse_nothing(&job, &grouped)?;
    let lake = Lake::open_or_create(&job.to, job.ledger.as_ref()).await?;
    let threads = rayon::ThreadPoolBuilder::new().num_threads(job.threads).thread_name(|n| format!("work-{n}")).build();
    let pool =
        threads.map_err(|error| Error::Panicked { doing: "starting threads".into(), message: error.to_string() })?;
    // A quarter waits, the rest works. A chunk asks for the second only when it has the first, and gives both back without
    // asking for more, so nobody waits in a circle.
    let (fetch_budget, convert_budget) = (Budget::new(job.memory_bytes / 4), Budget::new(job.memory_bytes / 4 * 3));
    let (enricher, attempts) = (Arc::default(), unit::Attempts::default());
    let layouts = lake.layouts(job.naming.layout.as_ref()).await?;
    let known_units = known_units(&lake, &job).await?;
    let shared =
        Shared { job, source, lake, enricher, pool, fetch_budget, convert_budget, attempts, known_units, layouts };
    let worked = tokio::select! {
        worked = run(&shared, grouped) => worked,
        signal = stop_signal() => Err(Error::Stopped { signal }),
    };
    if worked.is_err() {
        // Nothing that is staged and uncommitted will ever count.
        shared.attempts.clear(&shared.lake.objects).await;
    }
    let mut summary = worked?;
    let lines = summary.stats.lines;
    summary.too_many_rejects = ratio(lines.rejected_lines, lines.lines) > shared.job.reject_warn_ratio;
    summary.source_calls = shared.source.calls();
    summary.lake_calls = shared.lake.objects.calls();
    summary.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts needs no more than a double's precision")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

/// Says what is wrong where there is no log at all, rather than doing nothing.
fn refuse_nothing(job: &Job, grouped: &Grouped) -> Result<()> {
    // What AWS itself writes beside its logs says that the place is right and the first log still to come.
    let known = grouped.skipped.keys().any(|what| *what != HIDDEN && *what != UNNAMED);
    if !grouped.units.is_empty() || grouped.outside_objects > 0 || known {
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
            format!("all {skipped_objects} objects in '{}' are hidden, first: '{first}'", job.from),
            "logs lie in folders whose names do not begin with '.' or '_'",
        ),
        Some(first) => Error::usage(
            format!(
                "none of the {skipped_objects} objects in '{}' is a log that is read here, first: '{first}'",
                job.from
            ),
            format!(
                "{names}; to read every object as a log whatever its name, say --format cloudfront or --format alb"
            ),
        ),
    })
}

async fn run(shared: &Shared, grouped: Grouped) -> Result<Summary> {
    let mut summary = Summary::default();
    summary.stats.skipped_objects = grouped.skipped_objects();
    let in_units: usize = grouped.units.values().map(Vec::len).sum();
    summary.stats.listed_objects = in_units as u64 + grouped.skipped_objects() + grouped.outside_objects;
    if let Some(first) = &grouped.first_skipped {
        tracing::warn!("{} objects were left alone, first: '{first}'", grouped.skipped_objects());
    }
    summary.left_alone.clone_from(&grouped.skipped);
    for record in shared.known_units.values() {
        let lake = &shared.lake;
        summary.stats.finished_batches += commit::finish_unit(&lake.objects, &lake.records, record).await?;
    }
    let mut work = Vec::new();
    for (unit, listed) in grouped.units.into_iter().filter(|(unit, _)| shared.job.shard.takes(unit)) {
        let record = shared.known_units.get(&unit).cloned().unwrap_or_else(|| UnitRecord::new(unit));
        let plan = plan_unit(shared, &record, &listed).await?;
        summary.stats.known_objects += plan.known_objects;
        summary.stats.changed_objects += plan.changed.len() as u64;
        summary.changed.extend(plan.changed.iter().take(NAMED_AT_MOST).cloned());
        if !plan.inputs.is_empty() {
            work.push((record, listed, plan));
        }
    }
    convert_units(shared, work, &mut summary).await?;
    Ok(summary)
}

async fn convert_units(
    shared: &Shared,
    work: Vec<(UnitRecord, Vec<ObjectId>, UnitPlan)>,
    summary: &mut Summary,
) -> Result<()> {
    if work.is_empty() {
        return Ok(());
    }
    let stored_bytes = work.iter().flat_map(|(_, _, plan)| &plan.inputs).map(|input| input.size_bytes).sum();
    let progress = Progress::begin(Measure::Bytes, work.len() as u64, stored_bytes);
    // One more than there are threads: while they convert, one fetches, writes and commits. More would only make them
    // share the caches; memory is the budget's affair.
    let at_a_time = shared.job.threads + 1;
    let converted = work.into_iter().map(|(record, listed, plan)| {
        let progress = &progress;
        async move {
            let done = unit::convert(shared, record, &listed, plan, progress).await?;
            progress.hour();
            Ok::<Summary, Error>(done)
        }
    });
    let mut converted = std::pin::pin!(futures::stream::iter(converted).buffer_unordered(at_a_time));
    while let Some(done) = converted.try_next().await? {
        summary.add(done);
    }
    Ok(())
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

/// What is left to do in a unit. Its manifests are read only where the listing is not exactly what is known.
async fn plan_unit(shared: &Shared, record: &UnitRecord, listed: &[ObjectId]) -> Result<UnitPlan> {
    let source = shared.source.url();
    if record.inputs() == digest(source, listed.iter()) {
        return Ok(UnitPlan { known_objects: listed.len() as u64, ..UnitPlan::default() });
    }
    let mut known = HashMap::new();
    add_inputs(shared, record, &mut known).await?;
    let mut plan = plan::unit(source, listed, &known);
    let elsewhere = known_elsewhere(shared, &record.unit, &plan.inputs).await?;
    plan.leave_out(source, &elsewhere);
    Ok(plan)
}

/// Adds a unit's inputs, URL to etag.
async fn add_inputs(shared: &Shared, record: &UnitRecord, known: &mut HashMap<String, String>) -> Result<()> {
    for entry in &record.batches {
        let manifest = manifests::read(&shared.lake.objects, &entry.attempt).await?;
        for input in manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            known.insert(url, input.object.etag);
        }
    }
    Ok(())
}

/// What other units have, of those in which these objects may have been converted by a run that was told otherwise: as logs of
/// the other table, by another layout, or without a time.
async fn known_elsewhere(shared: &Shared, unit: &UnitId, inputs: &[ObjectId]) -> Result<HashMap<String, String>> {
    let of = |input: &ObjectId| names::possible_units(&plan::path(shared.source.url(), &input.key), &shared.layouts);
    let mut units: BTreeSet<UnitId> = inputs.iter().flat_map(of).collect();
    units.remove(unit);
    let mut known = HashMap::new();
    for other in units {
        let asked = |hour| shared.job.hours.is_none_or(|range| range.contains(hour));
        match (shared.known_units.get(&other), other.hour()) {
            (Some(record), _) => add_inputs(shared, record, &mut known).await?,
            // It was not among those that were read at the beginning.
            (None, Some(hour)) if !asked(hour) => {
                add_inputs(shared, &shared.lake.records.unit(&other).await?, &mut known).await?;
            }
            (None, _) => {}
        }
    }
    Ok(known)
}

/// Waits until the run is asked to stop.
async fn stop_signal() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            return tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = tokio::signal::ctrl_c() => "Ctrl-C",
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    "Ctrl-C"
}
