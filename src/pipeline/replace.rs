//! An hour written anew: from the very objects that its batches were made from, as they are today and by today's rules.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use object_store::path::Path;

use super::look_back::{self, Committed};
use super::{Shared, Summary, guarded, privacy_guard, share, unit};
use crate::carry;
use crate::edge::location::Location;
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::edge::source;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::kernel::places::file_path;
use crate::kernel::plan::{Grouped, UnitPlan};
use crate::kernel::protocol::Outcome;
use crate::kernel::records::{InputName, Manifest, Replaced, UnitRecord};
use crate::lake::Lake;
use crate::model::{ObjectId, Partition, Table, UnitId};
use crate::progress::Progress;
use crate::stats::count;
use crate::tidy;

/// Between two looks at an hour that somebody else has claimed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Listed objects by URL.
type ByUrl = HashMap<String, ObjectId>;

/// Listed objects by URL.
pub(super) fn by_url<'l>(source: &str, listed: impl Iterator<Item = &'l ObjectId>) -> ByUrl {
    listed.map(|object| (InputName { source, object }.url(), object.clone())).collect()
}

/// Writes the hours of a job anew that were converted before; what was never converted stays so.
///
/// With `outdated_only`, those that were made as this job makes them stay as they are.
pub async fn reprocess(job: Job, outdated_only: bool) -> Result<Summary> {
    let begun = Instant::now();
    let source = Objects::open_as(&Location::existing(&job.from)?, &job.cloud.source).await?;
    let lake = Lake::open_as(&job.to, &job.cloud.lake).await?;
    let job = of_whole_units(job, &lake);
    let grouped = source::list(&source, &job.naming, job.hours).await?;
    let mut summary = reprocess_listed(job, source, lake, grouped, outdated_only).await?;
    summary.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(summary)
}

/// Writes hours of a source anew in a lake, both of any store: the job's own places are not looked at.
pub async fn reprocess_into(job: Job, source: Objects, lake: Lake) -> Result<Summary> {
    let job = of_whole_units(job, &lake);
    let grouped = source::list(&source, &job.naming, job.hours).await?;
    reprocess_listed(job, source, lake, grouped, false).await
}

/// The job with its hours widened to whole units: a unit is written anew as a whole.
fn of_whole_units(mut job: Job, lake: &Lake) -> Job {
    job.naming.unit = lake.identity.unit;
    job.hours = job.hours.map(|hours| lake.identity.unit.whole(hours));
    job
}

async fn reprocess_listed(
    job: Job,
    source: Objects,
    lake: Lake,
    mut grouped: Grouped,
    outdated_only: bool,
) -> Result<Summary> {
    super::leave_out_archived(&job, &source, &lake, &mut grouped).await?;
    let shared = share(job, source, lake).await?;
    guarded(&shared, Box::pin(run(&shared, grouped, outdated_only))).await
}

async fn run(shared: &Shared, grouped: Grouped, outdated_only: bool) -> Result<Summary> {
    let mut records: Vec<&UnitRecord> =
        shared.known_units.values().filter(|record| wanted(&shared.job, &record.unit)).collect();
    let tables: BTreeSet<Table> = records.iter().map(|record| record.unit.table()).collect();
    privacy_guard::hold(&shared.lake, &shared.job, &tables).await?;
    let mut summary = Summary::default();
    shared.tell_tidied(&mut summary);
    shared.end_with_others(&mut summary).await?;
    records.sort_by(|a, b| a.unit.cmp(&b.unit));
    let listed = by_url(shared.source.url(), grouped.units.values().flatten());
    let stored_bytes = listed.values().map(|object| object.size_bytes).sum();
    let progress = Progress::of_units(records.iter().map(|record| &record.unit), stored_bytes);
    // Neighbouring hours share partitions, and a partition has one rewrite open at a time, whose closing takes waits: hours
    // that share none with those before them go first, and all of a wave are closed at once. Whether every hour can be done
    // is known before the first is.
    let mut left: Vec<(UnitId, BTreeSet<Partition>)> = Vec::new();
    for record in records {
        if outdated_only && is_of_today(shared, record).await? {
            continue;
        }
        match inputs(shared, record, &listed).await {
            Ok(inputs) => left.push((record.unit.clone(), inputs.partitions)),
            // Nobody named this hour: the others are made anew, and this one is told.
            Err(error @ Error::RawGone { .. }) if outdated_only => summary.gone.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    while !left.is_empty() {
        let (mut later, mut lacking, before) = (Vec::new(), None, left.len());
        for (unit, partitions) in left {
            if !summary.rewritten.is_disjoint(&partitions) {
                later.push((unit, partitions));
                continue;
            }
            match claimed(shared, &unit, &listed, &progress).await {
                Ok(done) => {
                    summary.add(done);
                    progress.unit(&unit);
                }
                // A neighbour's file is gone: once the neighbour has been written anew, it is there again.
                Err(error @ Error::FileMissing { .. }) => {
                    lacking = Some(error);
                    later.push((unit, partitions));
                }
                Err(error) => return Err(error),
            }
        }
        tidy::settle(&shared.lake, std::mem::take(&mut summary.rewritten)).await?;
        match lacking {
            Some(error) if later.len() == before => return Err(error),
            _ => left = later,
        }
    }
    look_back::all_is_there(shared, &mut summary).await?;
    summary.wrote_anew = summary.stats.units > 0;
    privacy_guard::tell_older(shared, &tables, &mut summary).await?;
    Ok(summary)
}

/// Whether a unit is of those that a job names: tables may keep different things of people, so one alone can be named.
fn wanted(job: &Job, unit: &UnitId) -> bool {
    let named = job.naming.table.is_none_or(|table| table == unit.table());
    named && job.shard.takes(unit) && unit.meets(job.hours)
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

async fn claimed(shared: &Shared, unit: &UnitId, listed: &ByUrl, progress: &Progress) -> Result<Summary> {
    while !shared.claims.take(unit).await? {
        tokio::time::sleep(LOOK_EVERY).await;
    }
    shared.claims.hold(unit, replace(shared, unit, listed, progress)).await
}

/// Writes one unit anew.
///
/// # Errors
/// `Error::RawGone` where one of its objects is gone: its rows could not be made again. `Error::FileMissing` where another
/// unit's file is gone that would have to stay. In both cases nothing is touched.
pub(super) async fn replace(shared: &Shared, unit: &UnitId, listed: &ByUrl, progress: &Progress) -> Result<Summary> {
    loop {
        let mut record = shared.lake.records.unit(unit).await?;
        if carry::finish_unit(&shared.lake, &record).await? > 0 {
            record = shared.lake.records.unit(unit).await?;
        }
        if record.batches.is_empty() {
            return Ok(Summary::default());
        }
        let Inputs { objects, partitions, changed } = inputs(shared, &record, listed).await?;
        let batches = record.batches.iter().map(|entry| entry.batch.clone()).collect();
        let replaced = Replaced { batches, partitions };
        let total = objects.len();
        let plan = UnitPlan { inputs: objects, ..UnitPlan::default() };
        let (manifest, mut summary) = unit::convert_inputs(shared, unit, &plan, Some(replaced), progress).await?;
        if manifest.inputs.is_empty() {
            return Err(Error::usage(
                format!("{unit}: no line of its {} can be read any more", count(total as u64, "object")),
                "check --fields, --delimiter and --format: its rows stay as they were",
            ));
        }
        others_are_whole(shared, unit, &manifest).await?;
        if carry::commit(&shared.lake, &manifest, &record).await? == Outcome::Done {
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

/// Looks whether the files of other units are there that a rewrite would have to keep: once it is committed it must be carried
/// through, and it could not be.
async fn others_are_whole(shared: &Shared, unit: &UnitId, manifest: &Manifest) -> Result<()> {
    for partition in manifest.partitions() {
        let record = shared.lake.records.partition(partition).await?;
        for part in record.parts.iter().filter(|part| part.unit != *unit) {
            for file in &part.files {
                let path = file_path(&record.folder, &file.name);
                if shared.lake.objects.size(&Path::from(path.as_str())).await?.is_none() {
                    return Err(Error::FileMissing { path, about: part.unit.to_string() });
                }
            }
        }
    }
    Ok(())
}

/// What a unit was made from.
struct Inputs {
    /// As they are listed now, in key order.
    objects: Vec<ObjectId>,
    /// Where its rows are.
    partitions: BTreeSet<Partition>,
    /// How many of the objects have changed since.
    changed: u64,
}

async fn inputs(shared: &Shared, record: &UnitRecord, listed: &ByUrl) -> Result<Inputs> {
    let (mut objects, mut partitions, mut changed) = (Vec::new(), BTreeSet::new(), 0);
    // What is gone may have been moved: an object that is the same stands in for it.
    let (mut gone, mut same) = (Vec::new(), BTreeSet::new());
    for entry in &record.batches {
        let manifest = manifests::read(&shared.lake.objects, &entry.attempt).await?;
        partitions.extend(manifest.partitions());
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            let now = match listed.get(&url) {
                Some(now) => Some(now.clone()),
                // It may have come since the listing, or lie outside of what was listed.
                None => match url.strip_prefix(&format!("{}/", shared.source.url())) {
                    Some(key) => shared.source.object(key).await?,
                    None => None,
                },
            };
            match now {
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
