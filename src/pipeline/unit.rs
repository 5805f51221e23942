//! One unit: fetch its chunks, convert them into staging, commit.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use tokio::sync::{SemaphorePermit, mpsc};

use super::{BUDGET_GRAIN_BYTES, NAMED_AT_MOST, Shared, Summary, plan_unit, ratio};
use crate::commit;
use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::convert::{ObjectOutcome, OutputFile, RawObject, convert_chunk};
use crate::kernel::enrich::RULES_VERSION;
use crate::kernel::names;
use crate::kernel::plan::{UnitPlan, chunks};
use crate::kernel::protocol::Outcome;
use crate::kernel::records::{
    AttemptId, BatchId, FORMAT_VERSION, FileEntry, Manifest, ManifestInput, ManifestOutput, UnitRecord, batch_id,
};
use crate::model::{ObjectId, UnitId};
use crate::offload::offload;
use crate::progress::Progress;
use crate::stats::LineStats;

/// Objects of one chunk fetched at a time: enough to hide an object store's latency behind each other.
const FETCHES_AT_A_TIME: usize = 16;

/// Finished files that wait for the store, per unit: rayon goes on while one is written.
const FILES_WAITING: usize = 2;

/// Memory that a chunk needs from its fetching to its last file, by its listed size.
///
/// Measured with 505-byte rows that gzip to 126 bytes (`edgemill generate`), at about 14 times the stored size: columns
/// 4 to 5, sort keys 1, two columns being gathered and encoded, the finished file, the inflated objects of the tasks under
/// way. The flush limit caps what denser logs can add.
#[must_use]
pub fn chunk_cost_bytes(stored_bytes: u64) -> u64 {
    stored_bytes * 14 + (16 << 20)
}

/// The attempts of this run whose staging is not named by any record yet.
#[derive(Debug, Default)]
pub(super) struct Attempts(Mutex<BTreeSet<AttemptId>>);

impl Attempts {
    fn begin(&self) -> AttemptId {
        let attempt = AttemptId(uuid::Uuid::new_v4().simple().to_string());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(attempt.clone());
        attempt
    }

    /// From here on a record may name the attempt, so its staging is the protocol's.
    fn hand_over(&self, attempt: &AttemptId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(attempt);
    }

    /// Removes the staging of all attempts that never came to their commit. A failure leaves orphans, which do no harm.
    pub(super) async fn clear(&self, lake: &Objects) {
        let attempts = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        for attempt in attempts {
            if let Err(error) = lake.delete_folder(&commit::staging(&attempt)).await {
                tracing::debug!(%error, "staging was left behind");
            }
        }
    }
}

/// Converts and commits what is left of a unit; plans anew where another run was faster.
pub(super) async fn convert(
    shared: &Shared,
    mut record: UnitRecord,
    listed: &[ObjectId],
    mut plan: UnitPlan,
    progress: &Progress,
) -> Result<Summary> {
    loop {
        let (manifest, mut summary) = convert_inputs(shared, &record.unit, &plan.inputs, progress).await?;
        let outcome = commit::commit(&shared.lake.objects, &shared.lake.records, &manifest, &record).await?;
        if outcome == Outcome::Published {
            summary.stats.units = 1;
            return Ok(summary);
        }
        tracing::info!("{}: another run was faster, planning anew", record.unit);
        record = shared.lake.records.unit(&record.unit).await?;
        // The other run may have died right after its commit; our own end promises that its rows are seen.
        let finished_batches = commit::finish_unit(&shared.lake.objects, &shared.lake.records, &record).await?;
        plan = plan_unit(shared, &record, listed).await?;
        if plan.inputs.is_empty() {
            let mut summary = Summary::default();
            summary.stats.finished_batches = finished_batches;
            summary.stats.known_objects = plan.known_objects;
            return Ok(summary);
        }
    }
}

async fn convert_inputs(
    shared: &Shared,
    unit: &UnitId,
    inputs: &[ObjectId],
    progress: &Progress,
) -> Result<(Manifest, Summary)> {
    let attempt = shared.attempts.begin();
    let source = shared.source.url();
    let batch = batch_id(unit, source, RULES_VERSION, inputs);
    let (mut outcomes, mut outputs) = (Vec::with_capacity(inputs.len()), Vec::new());
    // While one chunk is converted the next is fetched, if the budget allows.
    let fetched = futures::stream::iter(chunks(inputs)).map(|chunk| fetch(shared, unit, inputs, chunk)).buffered(2);
    let mut fetched = std::pin::pin!(fetched);
    while let Some(chunk) = fetched.try_next().await? {
        let stored_bytes: u64 = chunk.objects.iter().map(|object| object.id.size_bytes).sum();
        let writer =
            StagedWriter { lake: &shared.lake.objects, attempt: &attempt, batch: &batch, first: outputs.len() };
        let (converted, written) = convert_fetched(shared, unit, chunk, writer).await?;
        outcomes.extend(converted);
        outputs.extend(written);
        progress.add(stored_bytes);
    }
    check_rejects(shared, unit, &outcomes)?;
    let summary = summarise(&outcomes, &outputs);
    let manifest = Manifest {
        format: FORMAT_VERSION,
        writer: env!("CARGO_PKG_VERSION").to_owned(),
        unit: unit.clone(),
        batch,
        attempt: attempt.clone(),
        source: source.to_owned(),
        inputs: outcomes.into_iter().map(manifest_input).collect(),
        outputs,
    };
    shared.attempts.hand_over(&attempt);
    Ok((manifest, summary))
}

struct Fetched<'s> {
    objects: Vec<RawObject>,
    /// Held until the chunk's last file is written.
    _budget: SemaphorePermit<'s>,
}

async fn fetch<'s>(shared: &'s Shared, unit: &UnitId, inputs: &[ObjectId], chunk: Range<usize>) -> Result<Fetched<'s>> {
    let ids = &inputs[chunk];
    let cost_bytes = chunk_cost_bytes(ids.iter().map(|id| id.size_bytes).sum());
    // A chunk that is larger than the whole budget (one huge object) takes all of it and runs alone.
    let grains = cost_bytes.min(shared.job.memory_bytes).div_ceil(BUDGET_GRAIN_BYTES);
    let grains = u32::try_from(grains).unwrap_or(u32::MAX);
    let gone = |_| Error::Panicked { doing: "waiting for memory".into(), message: "the budget is closed".into() };
    let budget = shared.budget.acquire_many(grains).await.map_err(gone)?;
    let name = unit.to_string();
    let one = |id: &ObjectId| {
        let (id, name) = (id.clone(), name.as_str());
        async move {
            let stored = shared.source.get_listed(&id, name).await?;
            Ok::<RawObject, Error>(RawObject {
                filename: id.key.as_str().into(),
                distribution: names::distribution(&id.key),
                hour: unit.hour(),
                id,
                stored,
            })
        }
    };
    let objects = futures::stream::iter(ids.iter().map(one)).buffered(FETCHES_AT_A_TIME).try_collect().await?;
    Ok(Fetched { objects, _budget: budget })
}

/// Writes an attempt's files into its staging folder, numbered through the batch.
struct StagedWriter<'a> {
    lake: &'a Objects,
    attempt: &'a AttemptId,
    batch: &'a BatchId,
    first: usize,
}

impl StagedWriter<'_> {
    async fn write(&self, mut files: mpsc::Receiver<OutputFile>) -> Result<Vec<ManifestOutput>> {
        let (mut outputs, mut paths): (Vec<ManifestOutput>, Vec<Path>) = (Vec::new(), Vec::new());
        while let Some(OutputFile { partition, bytes, rows }) = files.recv().await {
            let name = format!("{}-{}.parquet", self.batch.0, self.first + outputs.len());
            let path = commit::staged(self.attempt, &partition.folder(), &name);
            let size_bytes = bytes.len() as u64;
            self.lake.put(&path, Bytes::from(bytes)).await?;
            paths.push(path);
            outputs.push(ManifestOutput { partition, file: FileEntry { name, rows, size_bytes } });
        }
        Ok(outputs)
    }
}

async fn convert_fetched(
    shared: &Shared,
    unit: &UnitId,
    chunk: Fetched<'_>,
    writer: StagedWriter<'_>,
) -> Result<(Vec<ObjectOutcome>, Vec<ManifestOutput>)> {
    let (send, files) = mpsc::channel(FILES_WAITING);
    let (table, enricher, objects) = (unit.table(), Arc::clone(&shared.enricher), chunk.objects);
    let work = move || {
        // The writer is gone only where it failed, and then its own error is the one to tell.
        let stopped = |_| Error::Stopped { signal: "a failed write" };
        convert_chunk(table, &enricher, &objects, &mut |file| send.blocking_send(file).map_err(stopped))
    };
    let converted = offload(&shared.pool, format!("converting {unit}"), work);
    let (outcomes, outputs) = tokio::join!(converted, writer.write(files));
    let outputs = outputs?;
    Ok((outcomes?, outputs))
}

/// Refuses to commit a unit of which more is rejected than the job allows: most likely it is no log at all.
fn check_rejects(shared: &Shared, unit: &UnitId, outcomes: &[ObjectOutcome]) -> Result<()> {
    let mut lines = LineStats::default();
    outcomes.iter().for_each(|outcome| lines += outcome.lines);
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
    for outcome in outcomes {
        stats.converted_objects += 1;
        stats.input_bytes += outcome.id.size_bytes;
        stats.raw_bytes += outcome.raw_bytes;
        stats.lines += outcome.lines;
        stats.damaged_objects += u64::from(outcome.damage.is_some());
    }
    for output in outputs {
        stats.output_files += 1;
        stats.output_bytes += output.file.size_bytes;
    }
    let damaged = outcomes.iter().filter_map(|outcome| {
        let damage = outcome.damage.as_ref()?;
        Some(format!("{} at byte {} of its text: {}", outcome.id.key, damage.raw_offset_bytes, damage.reason))
    });
    summary.damaged = damaged.take(NAMED_AT_MOST).collect();
    summary.rejects = outcomes.iter().filter_map(first_reject).take(NAMED_AT_MOST).collect();
    summary
}

fn manifest_input(outcome: ObjectOutcome) -> ManifestInput {
    ManifestInput { object: outcome.id, lines: outcome.lines, raw_bytes: outcome.raw_bytes, damage: outcome.damage }
}
