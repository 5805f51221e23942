//! The chunks of a unit: fetched one ahead of the one that is converted, both within the run's
//! memory.

use std::ops::Range;
use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use tokio::sync::{SemaphorePermit, mpsc};

use super::context::RunContext;
use super::name_hours::name_hour;
use super::same_content::{Contents, digest_of, is_streamed};
use crate::edge::range_reader;
use crate::error::{Error, Result};
use crate::kernel::columns::convert::{
    ChunkReport, FLUSH_HELD_BYTES, OutputFile, RawObject, claimed_raw_bytes, convert_chunk,
};
use crate::kernel::ledger::plan::{CHUNK_STORED_BYTES, chunks, path};
use crate::kernel::source::names;
use crate::model::{ObjectId, UnitId};
use crate::offload::offload;
use crate::progress::Progress;

/// Objects of one chunk fetched at a time: enough to hide an object store's latency behind each
/// other.
const FETCHES_AT_A_TIME: usize = 32;

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

/// Converts the chunks of a unit one after another; what becomes of all of them.
pub(super) async fn convert_chunks(
    context: &RunContext,
    unit: &UnitId,
    inputs: &[ObjectId],
    contents: &mut Contents<'_>,
    files: mpsc::Sender<OutputFile>,
    progress: &Progress,
) -> Result<ChunkReport> {
    let mut whole = ChunkReport { outcomes: Vec::with_capacity(inputs.len()), ..ChunkReport::default() };
    let mut fetched = futures::stream::iter(chunks(inputs)).then(|chunk| fetch(context, unit, inputs, chunk)).boxed();
    let mut next = fetched.try_next().await?;
    while let Some(mut chunk) = next {
        let stored_bytes: u64 = chunk.objects.iter().map(|object| object.id.size_bytes).sum();
        contents.take_out(&mut chunk.objects, std::mem::take(&mut chunk.digests));
        // While one chunk is converted the next is fetched, as far as the budget goes.
        let (done, ahead) = tokio::join!(convert_fetched(context, unit, chunk, files.clone()), fetched.try_next());
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

/// The objects of a chunk, with the memory that they hold.
struct FetchedChunk<'s> {
    objects: Vec<RawObject>,
    /// Of each of them.
    digests: Vec<String>,
    budget: SemaphorePermit<'s>,
}

async fn fetch<'s>(
    context: &'s RunContext,
    unit: &UnitId,
    inputs: &[ObjectId],
    chunk: Range<usize>,
) -> Result<FetchedChunk<'s>> {
    let ids = &inputs[chunk];
    let held = |id: &ObjectId| if is_streamed(id) { range_reader::HELD_BYTES } else { id.size_bytes };
    let budget = context.fetch_budget.take(ids.iter().map(held).sum()).await?;
    let name = unit.to_string();
    let held: Vec<&ObjectId> = ids.iter().filter(|id| !is_streamed(id)).collect();
    let mut held = context.source.get_all_listed(&held, &name, FETCHES_AT_A_TIME).await?.into_iter();
    let (mut objects, mut digests) = (Vec::with_capacity(ids.len()), Vec::with_capacity(ids.len()));
    for id in ids {
        let stored = if is_streamed(id) {
            range_reader::stored(&context.source, id, &name)
        } else {
            held.next().unwrap_or_default().into()
        };
        let raw = RawObject {
            filename: id.key.as_str().into(),
            distribution: names::distribution(&path(context.source.url(), &id.key), context.job.naming.layout.as_ref()),
            hour: name_hour(context, unit, id),
            named: context.job.naming.is_named(context.source.url(), &id.key),
            id: id.clone(),
            stored,
        };
        digests.push(digest_of(&context.source, &raw, &name).await?);
        objects.push(raw);
    }
    Ok(FetchedChunk { objects, digests, budget })
}

async fn convert_fetched(
    context: &RunContext,
    unit: &UnitId,
    chunk: FetchedChunk<'_>,
    files: mpsc::Sender<OutputFile>,
) -> Result<ChunkReport> {
    // Both are held until the chunk is converted; what is left then are some files on their way to
    // the store.
    let FetchedChunk { objects, budget: _fetched, .. } = chunk;
    let raw_bytes = objects.iter().map(claimed_raw_bytes).sum();
    let _working = context.convert_budget.take(convert_cost_bytes(raw_bytes)).await?;
    let (settings, recipe) =
        (context.job.settings(unit.table(), context.lake.identity.partition), Arc::clone(&context.recipe));
    let work = move || {
        // The writer is gone only where it failed.
        let stopped = |_| Error::Stopped { signal: "a failed write" };
        convert_chunk(&settings, &recipe, &objects, &mut |file| files.blocking_send(file).map_err(stopped))
    };
    offload(&context.pool, format!("converting {unit}"), work).await
}
