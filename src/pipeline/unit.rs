//! One unit: fetch its chunks, convert them into staging, commit.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::stream::FuturesOrdered;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use tokio::sync::{SemaphorePermit, mpsc};

use super::budget::Turn;
use super::look_back::Committed;
use super::same::{Contents, digest_of};
use super::summary::ratio;
use super::{NAMED_AT_MOST, Shared, Summary, plan_unit, privacy_guard};
use crate::edge::clock;
use crate::edge::ledger::unit_key;
use crate::edge::objects::Objects;
use crate::edge::range_reader;
use crate::error::{Error, Result};
use crate::kernel::columns::convert::{
    ChunkReport, FLUSH_HELD_BYTES, ObjectOutcome, OutputFile, RawObject, claimed_raw_bytes, convert_chunk,
};
use crate::kernel::ledger::plan::{CHUNK_STORED_BYTES, UNNAMED, UnitPlan, chunks, path};
use crate::kernel::ledger::protocol::Outcome;
use crate::kernel::ledger::records::{
    AttemptId, BatchId, FORMAT_VERSION, FileEntry, Manifest, ManifestInput, ManifestOutput, Replaced, UnitRecord,
    batch_id,
};
use crate::kernel::ledger::staging::{file_path, staging};
use crate::kernel::source::names;
use crate::model::{Granularity, Hour, HourRange, ObjectId, UnitId};
use crate::offload::offload;
use crate::progress::Progress;
use crate::protocol_driver;
use crate::stats::{LineStats, count};

/// Objects of one chunk fetched at a time: enough to hide an object store's latency behind each
/// other.
const FETCHES_AT_A_TIME: usize = 32;

/// Finished files that wait for the store, per unit: rayon goes on while some are written.
const FILES_WAITING: usize = 1;

/// Finished files of a unit that are written at a time.
const FILES_AT_A_TIME: usize = 3;

/// Memory that a chunk needs while it is converted, by what its objects claim to hold inflated:
/// columns and sort keys are about as large as the text they are made of, and at times the text, a
/// column being sorted and the files are there too. Measured with 505-byte rows
/// (`edgemill generate`, `/usr/bin/time -v`); what very short rows add is capped by the flush.
fn convert_cost_bytes(raw_bytes: u64) -> u64 {
    raw_bytes.saturating_mul(4).min(3 * FLUSH_HELD_BYTES) + (16 << 20)
}

/// What the first chunk of some objects will need, as far as their listing tells: logs inflate to
/// four times their size and more.
pub(super) fn expected_cost_bytes(inputs: &[ObjectId]) -> u64 {
    let stored_bytes: u64 = inputs.iter().map(|input| input.size_bytes).sum();
    convert_cost_bytes(stored_bytes.min(CHUNK_STORED_BYTES) * 4)
}

/// The attempts of this run whose staging is not named by any record yet.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeSet<String>>);

impl Attempts {
    fn begin(&self, unit: &UnitId) -> AttemptId {
        let attempt = AttemptId(uuid::Uuid::new_v4().simple().to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(staging(unit, &attempt));
        attempt
    }

    /// From here on a record may name the attempt, so its staging is the protocol's.
    fn hand_over(&self, unit: &UnitId, attempt: &AttemptId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&staging(unit, attempt));
    }

    /// Removes the staging of all attempts that never came to their commit. A failure leaves
    /// orphans, which do no harm.
    pub(super) async fn clear(&self, lake: &Objects) {
        let attempts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for folder in attempts {
            if let Err(error) = lake.delete_folder(&folder).await {
                tracing::debug!(%error, "staging was left behind");
            }
        }
    }
}

/// Converts and commits what is left of a unit; plans anew where another run was faster. Its turn
/// ends with its conversion.
pub(super) async fn convert(
    shared: &Shared,
    mut record: UnitRecord,
    listed: &[ObjectId],
    mut plan: UnitPlan,
    turn: Turn<'_>,
    progress: &Progress,
) -> Result<Summary> {
    let mut turn = Some(turn);
    let planned_known_objects = plan.known_objects;
    let mut finished_batches = 0;
    loop {
        let mut summary = Summary::default();
        let mut outcome = Outcome::Done;
        if plan.has_new() {
            let (manifest, converted) = convert_inputs(shared, &record.unit, &plan, None, progress).await?;
            drop(turn.take());
            summary = converted;
            summary.touched = manifest.partitions();
            // Where no object could be read, there is nothing to commit, and nothing was written.
            if !manifest.inputs.is_empty() {
                note_lateness(shared, &mut summary, &record, &manifest);
                no_record_was_lost(shared, &record, &manifest).await?;
                outcome = protocol_driver::commit(&shared.lake, &manifest, &record).await?;
                summary.committed.push(Committed::of(&manifest));
            }
        }
        if outcome == Outcome::Done {
            summary.stats.units = 1;
            summary.stats.finished_batches = finished_batches;
            // The first plan's are counted already.
            summary.stats.known_objects = plan.known_objects - planned_known_objects;
            return Ok(summary);
        }
        tracing::info!("{}: another run was faster, planning anew", record.unit);
        record = shared.lake.records.unit(&record.unit).await?;
        // The other run may have died right after its commit; our own end promises that its rows
        // are seen.
        finished_batches += protocol_driver::finish_unit(&shared.lake, &record).await?;
        record = shared.lake.records.unit(&record.unit).await?;
        plan = plan_unit(shared, &record, listed).await?;
    }
}

/// Refuses to begin a unit anew whose record is gone: its partitions remember batches of it, which
/// would be there twice.
async fn no_record_was_lost(shared: &Shared, planned: &UnitRecord, manifest: &Manifest) -> Result<()> {
    if planned.version > 0 {
        return Ok(());
    }
    for partition in manifest.partitions() {
        let there = shared.lake.records.partition(partition).await?;
        let remembers = there.part(&planned.unit).is_some_and(|part| !part.applied.is_empty());
        // Another run may just have made its first record.
        if remembers && shared.lake.records.unit(&planned.unit).await?.version == 0 {
            shared.lake.objects.delete_folder(&staging(&manifest.unit, &manifest.attempt)).await?;
            return Err(Error::LedgerDamaged {
                path: format!("_edgemill/{}", unit_key(&planned.unit)),
                source: format!("it is gone, and {partition} has rows of its batches").into(),
            });
        }
    }
    Ok(())
}

/// Says which hour's objects came when others of it had been converted already, and how late that
/// is.
fn note_lateness(shared: &Shared, summary: &mut Summary, before: &UnitRecord, manifest: &Manifest) {
    if before.batches.is_empty() || before.unit.period().is_none() {
        return;
    }
    // Of a unit of many hours, up to where its batches come is what had been converted.
    let known_until = before.batches.iter().filter_map(|entry| entry.hours).map(|hours| hours.end).max();
    let hour = |input: &ManifestInput| name_hour(shared, &before.unit, &input.object);
    let late = manifest.inputs.iter().filter_map(hour).filter(|hour| known_until.is_none_or(|end| *hour < end));
    let (mut objects, mut first) = (0_u64, None::<Hour>);
    for hour in late {
        objects += 1;
        first = Some(first.map_or(hour, |first| first.min(hour)));
    }
    let Some(first) = first else { return };
    summary.stats.late_objects += objects;
    let now = clock::now_unix_seconds();
    let lateness_seconds = u64::try_from(now - first.plus(1).start_unix_seconds()).unwrap_or(0);
    summary.stats.lateness_seconds = summary.stats.lateness_seconds.max(lateness_seconds);
    let hours = Hour::of_unix_seconds(now).hours_since(first.plus(1));
    summary.late.push(format!("{}: {}, {hours} h after its end", before.unit, count(objects, "object")));
}

/// The hour that an object's name tells; of a unit of one hour, that hour.
fn name_hour(shared: &Shared, unit: &UnitId, object: &ObjectId) -> Option<Hour> {
    let period = unit.period()?;
    if period.granularity() == Granularity::Hour {
        return Some(period.hours().start);
    }
    let hour = names::hour(&path(shared.source.url(), &object.key), shared.job.naming.layout.as_ref());
    hour.or_else(|| Some(period.hours().start))
}

/// The hours that the names of some inputs of a unit of many hours tell; nothing for a unit of one.
fn name_hours(shared: &Shared, unit: &UnitId, inputs: &[ManifestInput]) -> Option<HourRange> {
    unit.period().filter(|period| period.granularity() != Granularity::Hour)?;
    let hours = inputs.iter().filter_map(|input| name_hour(shared, unit, &input.object));
    hours.map(|hour| HourRange { start: hour, end: hour.plus(1) }).reduce(|all, hour| all.join(hour))
}

/// Converts objects into the staging folder of a new attempt, which may be to take the place of
/// others; their names, and some more, are then not its own.
pub(super) async fn convert_inputs(
    shared: &Shared,
    unit: &UnitId,
    plan: &UnitPlan,
    replaces: Option<(Replaced, BTreeSet<BatchId>)>,
    progress: &Progress,
) -> Result<(Manifest, Summary)> {
    privacy_guard::still_holds(shared, unit.table()).await?;
    let attempt = shared.attempts.begin(unit);
    let source = shared.source.url();
    let mut contents = Contents::new(source, shared.job.same_content, plan);
    let (replaces, mut before) = replaces.map_or_else(Default::default, |(replaced, taken)| (Some(replaced), taken));
    before.extend(replaces.iter().flat_map(|replaced| replaced.batches.iter().cloned()));
    let batch = batch_id(unit, source, &shared.recipe.stamp().to_string(), &plan.new_objects(), &before);
    let (send, files) = mpsc::channel(FILES_WAITING);
    let writer = StagedWriter { lake: &shared.lake.objects, unit, attempt: &attempt, batch: &batch };
    // Files of one chunk are written while the next one is converted.
    let converting = convert_chunks(shared, unit, &plan.inputs, &mut contents, send, progress);
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
    check_rejects(shared, unit, &outcomes)?;
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
        stamp: shared.recipe.stamp().clone(),
        hours: name_hours(shared, unit, &inputs),
        inputs,
        proven: true,
        outputs,
        replaces,
        folds: BTreeSet::new(),
    };
    privacy_guard::still_holds(shared, unit.table()).await?;
    shared.attempts.hand_over(unit, &attempt);
    crate::crash::here("staged");
    Ok((manifest, summary))
}

/// Converts the chunks of a unit one after another; what becomes of all of them.
async fn convert_chunks(
    shared: &Shared,
    unit: &UnitId,
    inputs: &[ObjectId],
    contents: &mut Contents<'_>,
    files: mpsc::Sender<OutputFile>,
    progress: &Progress,
) -> Result<ChunkReport> {
    let mut whole = ChunkReport { outcomes: Vec::with_capacity(inputs.len()), ..ChunkReport::default() };
    let mut fetched = futures::stream::iter(chunks(inputs)).then(|chunk| fetch(shared, unit, inputs, chunk)).boxed();
    let mut next = fetched.try_next().await?;
    while let Some(mut chunk) = next {
        let stored_bytes: u64 = chunk.objects.iter().map(|object| object.id.size_bytes).sum();
        contents.take_out(&mut chunk.objects, std::mem::take(&mut chunk.digests));
        // While one chunk is converted the next is fetched, as far as the budget goes.
        let (done, ahead) = tokio::join!(convert_fetched(shared, unit, chunk, files.clone()), fetched.try_next());
        let report = done?;
        whole.outcomes.extend(report.outcomes);
        for (name, rows) in report.new_fields {
            *whole.new_fields.entry(name).or_default() += rows;
        }
        progress.add(stored_bytes);
        next = ahead?;
    }
    Ok(whole)
}

/// Whether an object is read while it is worked, rather than before.
const fn is_streamed(id: &ObjectId) -> bool {
    id.size_bytes >= CHUNK_STORED_BYTES
}

struct Fetched<'s> {
    objects: Vec<RawObject>,
    /// Of each of them.
    digests: Vec<String>,
    budget: SemaphorePermit<'s>,
}

async fn fetch<'s>(shared: &'s Shared, unit: &UnitId, inputs: &[ObjectId], chunk: Range<usize>) -> Result<Fetched<'s>> {
    let ids = &inputs[chunk];
    let held = |id: &ObjectId| if is_streamed(id) { range_reader::HELD_BYTES } else { id.size_bytes };
    let budget = shared.fetch_budget.take(ids.iter().map(held).sum()).await?;
    let name = unit.to_string();
    let held: Vec<&ObjectId> = ids.iter().filter(|id| !is_streamed(id)).collect();
    let mut held = shared.source.get_all_listed(&held, &name, FETCHES_AT_A_TIME).await?.into_iter();
    let (mut objects, mut digests) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    for id in ids {
        let stored = if is_streamed(id) {
            range_reader::stored(&shared.source, id, &name)
        } else {
            held.next().unwrap_or_default().into()
        };
        let raw = RawObject {
            filename: id.key.as_str().into(),
            distribution: names::distribution(&path(shared.source.url(), &id.key), shared.job.naming.layout.as_ref()),
            hour: name_hour(shared, unit, id),
            named: shared.job.naming.is_named(shared.source.url(), &id.key),
            id: id.clone(),
            stored,
        };
        digests.push(digest_of(&shared.source, &raw, &name).await?);
        objects.push(raw);
    }
    Ok(Fetched { objects, digests, budget })
}

/// Writes an attempt's files into its staging folder, numbered through the batch.
struct StagedWriter<'a> {
    lake: &'a Objects,
    unit: &'a UnitId,
    attempt: &'a AttemptId,
    batch: &'a BatchId,
}

impl StagedWriter<'_> {
    async fn write(&self, mut files: mpsc::Receiver<OutputFile>) -> Result<Vec<ManifestOutput>> {
        let (mut writing, mut outputs, mut number) = (FuturesOrdered::new(), Vec::new(), 0);
        loop {
            let room = writing.len() < FILES_AT_A_TIME;
            tokio::select! {
                Some(file) = files.recv(), if room => {
                    writing.push_back(self.put(number, file));
                    number += 1;
                }
                Some(written) = writing.next() => outputs.push(written?),
                else => return Ok(outputs),
            }
        }
    }

    async fn put(&self, number: usize, file: OutputFile) -> Result<ManifestOutput> {
        let OutputFile { partition, bytes, rows } = file;
        let name = format!("{}-{number}.parquet", self.batch.0);
        let path = Path::from(file_path(&staging(self.unit, self.attempt), &name));
        crate::crash::here("stage");
        let file = FileEntry::of(name, rows, &bytes);
        self.lake.put(&path, Bytes::from(bytes)).await?;
        Ok(ManifestOutput { partition, file })
    }
}

async fn convert_fetched(
    shared: &Shared,
    unit: &UnitId,
    chunk: Fetched<'_>,
    files: mpsc::Sender<OutputFile>,
) -> Result<ChunkReport> {
    // Both are held until the chunk is converted; what is left then are some files on their way to
    // the store.
    let Fetched { objects, budget: _fetched, .. } = chunk;
    let raw_bytes = objects.iter().map(claimed_raw_bytes).sum();
    let _working = shared.convert_budget.take(convert_cost_bytes(raw_bytes)).await?;
    let (settings, recipe) =
        (shared.job.settings(unit.table(), shared.lake.identity.partition), Arc::clone(&shared.recipe));
    let work = move || {
        // The writer is gone only where it failed.
        let stopped = |_| Error::Stopped { signal: "a failed write" };
        convert_chunk(&settings, &recipe, &objects, &mut |file| files.blocking_send(file).map_err(stopped))
    };
    offload(&shared.pool, format!("converting {unit}"), work).await
}

/// Refuses to commit a unit of which more is rejected than the job allows: most likely it is no log
/// at all.
fn check_rejects(shared: &Shared, unit: &UnitId, outcomes: &[ObjectOutcome]) -> Result<()> {
    let mut lines = LineStats::default();
    let logs = outcomes.iter().filter(|outcome| outcome.left_alone.is_none());
    logs.for_each(|outcome| lines += outcome.lines);
    let limit = shared.job.reject_fail_ratio.unwrap_or(1.0);
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
