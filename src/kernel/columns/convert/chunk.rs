//! A chunk of objects, wave by wave. Here and in `partition_buffer` rayon works, and nowhere else
//! in the kernel.

use rayon::prelude::*;

use super::object::{ChunkReport, OutputFile, RawObject};
use super::partition_buffer::PartitionBuffer;
use super::streaming;
use super::task::{TaskItem, WorkedTask, claimed_raw_bytes, work};
use crate::error::Result;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::inflate::Inflater;
use crate::kernel::source::parse::Settings;

/// Inflated bytes that one wave works on, by what the objects claim: what is held besides the pile.
const WAVE_RAW_BYTES: u64 = 64 << 20;

/// Stored bytes of a task: some 8,000 rows, so that a task is long enough to pay for its
/// columns and short enough to leave none of the threads idle at the end of a wave.
const TASK_STORED_BYTES: usize = 1 << 20;

/// Converts a chunk of one table's objects, in the order given. `emit` takes the files in an order
/// that depends on the objects alone.
pub fn convert_chunk(
    settings: &Settings,
    recipe: &Recipe,
    objects: &[RawObject],
    emit: &mut dyn FnMut(OutputFile) -> Result<()>,
) -> Result<ChunkReport> {
    let mut pile = PartitionBuffer::new(settings.table, settings.granularity, recipe);
    let mut report = ChunkReport { outcomes: Vec::with_capacity(objects.len()), ..ChunkReport::default() };
    for wave in waves(objects) {
        let tasks = tasks(wave);
        let worked: Vec<Result<WorkedTask<'_>>> = tasks
            .par_iter()
            .map_init(Inflater::default, |inflater, task| work(settings, recipe, task, inflater))
            .collect();
        for parts in worked {
            for part in parts? {
                match part {
                    TaskItem::Worked(done) => pile.add(done, &mut report),
                    TaskItem::Large(object) => streaming::work(settings, recipe, object, &mut pile, &mut report, emit)?,
                }
                pile.flush_if_full(emit)?;
            }
        }
    }
    pile.flush(emit)?;
    Ok(report)
}

fn waves(objects: &[RawObject]) -> Vec<&[RawObject]> {
    cut(objects, claimed_raw_bytes, WAVE_RAW_BYTES)
}

fn tasks(wave: &[RawObject]) -> Vec<&[RawObject]> {
    cut(wave, |object| object.stored.size_bytes(), TASK_STORED_BYTES as u64)
}

/// Cuts neighbours into runs whose sizes sum up to about `limit_bytes`.
fn cut(objects: &[RawObject], size_bytes: impl Fn(&RawObject) -> u64, limit_bytes: u64) -> Vec<&[RawObject]> {
    let (mut runs, mut start, mut sum) = (Vec::new(), 0, 0);
    for (index, object) in objects.iter().enumerate() {
        sum += size_bytes(object);
        if sum >= limit_bytes {
            runs.push(&objects[start..=index]);
            (start, sum) = (index + 1, 0);
        }
    }
    if start < objects.len() {
        runs.push(&objects[start..]);
    }
    runs
}
