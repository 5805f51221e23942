//! An hour written anew: from the very objects that its batches were made from, as they are today
//! and by today's rules.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use object_store::path::Path;

use super::look_back;
use super::look_back::Committed;
use super::{Shared, Summary, guarded, privacy_guard, rebuild, share, unit};
use crate::edge::location::Location;
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::edge::source;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::kernel::ledger::plan::{Grouped, UnitPlan};
use crate::kernel::ledger::protocol::Outcome;
use crate::kernel::ledger::records::{InputName, Manifest, Replaced, UnitRecord};
use crate::kernel::ledger::staging::file_path;
use crate::lake::Lake;
use crate::model::{HourRange, ObjectId, Partition, Table, UnitId};
use crate::progress::Progress;
use crate::protocol_driver;
use crate::recovery;
use crate::repair;
use crate::repair::{Loss, Losses};
use crate::signals::until_stopped;
use crate::stats::count;

/// Between two looks at an hour that somebody else has claimed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Listed objects.
#[derive(Default)]
pub(super) struct Logs {
    /// By URL.
    pub(super) by_url: HashMap<String, ObjectId>,
    /// By the unit that their names say.
    pub(super) by_unit: BTreeMap<UnitId, Vec<ObjectId>>,
}

impl Logs {
    pub(super) fn of(source: &str, by_unit: BTreeMap<UnitId, Vec<ObjectId>>) -> Self {
        let all = by_unit.values().flatten();
        let by_url = all.map(|object| (InputName { source, object }.url(), object.clone())).collect();
        Self { by_url, by_unit }
    }
}

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
    let mut job = of_whole_units(job, &lake);
    let asked = job.hours;
    let losses = until_stopped(repair::mend(&lake, asked, job.lease)).await?;
    job.hours = rebuild::widened(asked, &losses);
    let mut grouped = source::list(&source, &job.naming, job.hours).await?;
    super::leave_out_archived(&job, &source, &lake, &mut grouped).await?;
    let shared = share(job, source, lake).await?;
    let plan = Wanted { asked, losses, outdated_only };
    guarded(&shared, Box::pin(run(&shared, grouped, plan))).await
}

/// What a run is to write anew.
struct Wanted {
    asked: Option<HourRange>,
    losses: Losses,
    outdated_only: bool,
}

impl Wanted {
    /// What is wrong with each unit that is to be written anew; of most nothing.
    fn units(&self, shared: &Shared, logs: &Logs) -> BTreeMap<UnitId, Option<Loss>> {
        let asked = |unit: &UnitId| unit.meets(self.asked);
        let known =
            shared.known_units.values().filter(|record| !record.batches.is_empty() || record.replacing.is_some());
        let mut units: BTreeMap<UnitId, Option<Loss>> =
            known.map(|record| record.unit.clone()).filter(asked).map(|unit| (unit, None)).collect();
        if self.losses.records {
            // Of an hour without a record nobody can tell whether it ever had one.
            let new = logs.by_unit.keys().filter(|unit| asked(unit) && !units.contains_key(unit)).cloned();
            let new: Vec<UnitId> = new.collect();
            units.extend(new.into_iter().map(|unit| (unit, Some(Loss { forgotten: true, ..Loss::default() }))));
        }
        let lost = rebuild::in_reach(self.asked, &self.losses);
        units.extend(lost.map(|(unit, loss)| (unit.clone(), Some(loss.clone()))));
        // Tables may keep different things of people, so one alone can be named.
        let table = shared.job.naming.table;
        units.retain(|unit, _| shared.job.shard.takes(unit) && table.is_none_or(|table| table == unit.table()));
        units
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
struct Task {
    unit: UnitId,
    loss: Option<Loss>,
    partitions: BTreeSet<Partition>,
}

async fn run(shared: &Shared, grouped: Grouped, wanted: Wanted) -> Result<Summary> {
    let logs = Logs::of(shared.source.url(), grouped.units);
    let units = wanted.units(shared, &logs);
    let tables: BTreeSet<Table> = units.keys().map(UnitId::table).collect();
    privacy_guard::hold(&shared.lake, &shared.job, &tables).await?;
    let mut summary = Summary::default();
    shared.tell_tidied(&mut summary);
    shared.end_with_others(&mut summary).await?;
    wanted.tell(&units, &mut summary);
    let stored_bytes = logs.by_url.values().map(|object| object.size_bytes).sum();
    let progress = Progress::of_units(units.keys(), stored_bytes);
    let again = Again { shared, logs: &logs, losses: &wanted.losses, progress: &progress };
    // Neighbouring hours share partitions, and a partition has one rewrite open at a time, whose
    // closing takes waits: hours that share none with those before them go first, and all of a wave
    // are closed at once. Whether every hour can be done is known before the first is.
    let mut left: Vec<Task> = Vec::new();
    for (unit, loss) in units {
        let record = shared.lake.records.unit(&unit).await?;
        if wanted.outdated_only && loss.is_none() && is_of_today(shared, &record).await? {
            continue;
        }
        match again.inputs(&record, loss.as_ref()).await {
            Ok(inputs) => left.push(Task { unit, loss, partitions: inputs.partitions }),
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
        for task in left {
            if !summary.rewritten.is_disjoint(&task.partitions) {
                later.push(task);
                continue;
            }
            summary.add(again.claimed(&task).await?);
            progress.unit(&task.unit);
            done.insert(task.unit.clone());
            rebuilt += u64::from(task.loss.is_some());
        }
        recovery::settle(&shared.lake, std::mem::take(&mut summary.rewritten)).await?;
        left = later;
    }
    summary.rebuilt_units = rebuilt;
    look_back::all_is_there(shared, &mut summary).await?;
    summary.wrote_anew = summary.stats.units > 0;
    privacy_guard::tell_older(shared, &tables, &mut summary).await?;
    // Of what was lost and is there again files may be left that nothing names.
    if wanted.losses.any() || !wanted.losses.mended.is_empty() {
        let deleted = repair::clear_unnamed(&shared.lake, &done, &summary.touched).await?;
        summary.mended.extend(repair::told(deleted, "file that nothing names", "files that nothing names", "deleted"));
    }
    Ok(summary)
}

/// Whether all of a unit's rows were made as this job makes them.
async fn is_of_today(shared: &Shared, record: &UnitRecord) -> Result<bool> {
    for entry in &record.batches {
        if manifests::read(&shared.lake.objects, &entry.attempt).await?.stamp != *shared.recipe.stamp() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What all units of a run share that are written anew.
pub(super) struct Again<'a> {
    pub(super) shared: &'a Shared,
    pub(super) logs: &'a Logs,
    pub(super) losses: &'a Losses,
    pub(super) progress: &'a Progress,
}

impl Again<'_> {
    async fn claimed(&self, task: &Task) -> Result<Summary> {
        let claims = &self.shared.claims;
        while !claims.take(&task.unit).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        claims.hold(&task.unit, self.replace(&task.unit, task.loss.as_ref())).await
    }

    /// Writes one unit anew.
    ///
    /// # Errors
    /// `Error::RawGone` where one of its objects is gone: its rows could not be made again. Then
    /// nothing is touched.
    pub(super) async fn replace(&self, unit: &UnitId, loss: Option<&Loss>) -> Result<Summary> {
        let shared = self.shared;
        loop {
            if let Some(loss) = loss {
                rebuild::end_forgotten(shared, unit, loss).await?;
            }
            let mut record = shared.lake.records.unit(unit).await?;
            let finished = match loss {
                Some(_) => rebuild::finish(shared, &record).await?,
                None => protocol_driver::finish_unit(&shared.lake, &record).await?,
            };
            if finished > 0 {
                record = shared.lake.records.unit(unit).await?;
            }
            if record.batches.is_empty() && loss.is_none() {
                return Ok(Summary::default());
            }
            let Inputs { objects, partitions, changed } = self.inputs(&record, loss).await?;
            let batches = record.batches.iter().map(|entry| entry.batch.clone()).collect();
            let replaced = Replaced { batches, partitions };
            let taken = rebuild::taken_names(unit, loss, self.losses);
            let (replaces, total) = (Some((replaced, taken)), objects.len());
            let plan = UnitPlan { inputs: objects, ..UnitPlan::default() };
            let (manifest, mut summary) = unit::convert_inputs(shared, unit, &plan, replaces, self.progress).await?;
            if manifest.inputs.is_empty() {
                return Err(Error::usage(
                    format!("{unit}: no line of its {} can be read any more", count(total as u64, "object")),
                    "check --fields, --delimiter and --format: its rows stay as they were",
                ));
            }
            lose_of_others(shared, unit, &manifest).await?;
            if protocol_driver::commit(&shared.lake, &manifest, &record).await? == Outcome::Done {
                summary.stats.units = 1;
                summary.stats.replaced_objects += changed;
                summary.rewritten = manifest.partitions();
                summary.touched = manifest.partitions();
                summary.committed.push(Committed::of(&manifest));
                return Ok(summary);
            }
            tracing::info!("{unit}: another run was faster, planning anew");
        }
    }

    async fn inputs(&self, record: &UnitRecord, loss: Option<&Loss>) -> Result<Inputs> {
        let Some(loss) = loss else { return inputs(self.shared, record, self.logs).await };
        if loss.forgotten || record.batches.is_empty() {
            return rebuild::inputs(self.shared, record, self.logs, loss, self.losses).await;
        }
        match inputs(self.shared, record, self.logs).await {
            // A manifest has gone since we looked, or is that of a batch that was given up.
            Err(error) if error.is_damage() => rebuild::inputs(self.shared, record, self.logs, loss, self.losses).await,
            read => {
                let mut read = read?;
                read.partitions.extend(&loss.partitions);
                Ok(read)
            }
        }
    }
}

/// Writes down which files of other units are gone that a rewrite would have to keep: once it is
/// committed it must be carried through, and it could not be.
async fn lose_of_others(shared: &Shared, unit: &UnitId, manifest: &Manifest) -> Result<()> {
    for partition in manifest.partitions() {
        let record = shared.lake.records.partition(partition).await?;
        for file in record.parts.iter().filter(|part| part.unit != *unit).flat_map(|part| &part.files) {
            let path = file_path(&record.folder, &file.name);
            if shared.lake.objects.size(&Path::from(path.as_str())).await?.is_none() {
                tracing::warn!("'{path}' is gone, and edgemill did not remove it: its record says so from now on");
                protocol_driver::lose(&shared.lake, partition).await?;
                break;
            }
        }
    }
    Ok(())
}

/// What a unit was made from.
pub(super) struct Inputs {
    /// As they are listed now, in key order.
    pub(super) objects: Vec<ObjectId>,
    /// Where its rows are.
    pub(super) partitions: BTreeSet<Partition>,
    /// How many of the objects have changed since.
    pub(super) changed: u64,
}

async fn inputs(shared: &Shared, record: &UnitRecord, logs: &Logs) -> Result<Inputs> {
    let (mut objects, mut partitions, mut changed) = (Vec::new(), BTreeSet::new(), 0);
    // What is gone may have been moved: an object that is the same stands in for it.
    let (mut gone, mut same) = (Vec::new(), BTreeSet::new());
    for entry in &record.batches {
        let manifest = manifests::read(&shared.lake.objects, &entry.attempt).await?;
        partitions.extend(manifest.partitions());
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            match as_listed(shared, &logs.by_url, &url).await? {
                Some(now) => {
                    changed += u64::from(now.etag != input.object.etag);
                    objects.push(now);
                    same.extend(input.same_as.clone());
                }
                None if input.same_as.is_some() => {}
                None => gone.push(url),
            }
        }
    }
    gone.retain(|url| !same.contains(url));
    if let Some(first) = gone.first() {
        return Err(Error::RawGone { unit: record.unit.to_string(), objects: gone.len(), first: first.clone() });
    }
    objects.sort_unstable();
    Ok(Inputs { objects, partitions, changed })
}

/// An object as it is now, where it is there: it may have come since the listing, or lie outside of
/// what was listed.
pub(super) async fn as_listed(
    shared: &Shared,
    by_url: &HashMap<String, ObjectId>,
    url: &str,
) -> Result<Option<ObjectId>> {
    match (by_url.get(url), url.strip_prefix(&format!("{}/", shared.source.url()))) {
        (Some(now), _) => Ok(Some(now.clone())),
        (None, Some(key)) => shared.source.object(key).await,
        (None, None) => Ok(None),
    }
}
