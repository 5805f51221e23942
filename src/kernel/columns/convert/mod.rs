//! The only room that knows rayon: a chunk of raw objects becomes sorted Parquet files, one
//! partition each.
//!
//! A chunk is worked in waves of tasks, a task being some neighbouring objects. BatchBuilder pile
//! up in the order of the objects; when enough have piled up they are flushed: per partition
//! sorted, encoded column by column, and handed to `emit`. Where waves and flushes fall depends on
//! the objects alone, never on threads or memory, so the same objects always give the same files.

mod partition_buffer;
mod streaming;

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::builder::{BatchBuilder, HourBatch};
use super::rejects::RejectedLine;
use crate::error::{Error, Result};
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::inflate;
use crate::kernel::source::inflate::{Damage, Inflater, Whole};
use crate::kernel::source::object_bytes::ObjectBytes;
use crate::kernel::source::parse::sniff::{Told, UNNAMED};
use crate::kernel::source::parse::{Belief, Decoder, Reject, Settings, parquet};
use crate::model::{Hour, ObjectId, Partition};
use crate::stats::LineStats;

use partition_buffer::PartitionBuffer;
pub(super) use partition_buffer::write;
pub use partition_buffer::{FILE_ROWS, FLUSH_HELD_BYTES};

/// Inflated bytes that one wave works on, by what the objects claim: what is held besides the pile.
const WAVE_RAW_BYTES: u64 = 64 << 20;

/// ObjectBytes bytes of a task: some 8,000 rows, so that a task is long enough to pay for its
/// columns and short enough to leave none of the threads idle at the end of a wave.
const TASK_STORED_BYTES: usize = 1 << 20;

/// An object that holds more text than this, and than four times what it claims, is worked as a
/// large one: the sizes of waves and tasks rest on the claims, and an empty last gzip member claims
/// nothing.
const UNCLAIMED_RAW_BYTES: u64 = 8 << 20;

/// One raw object, fetched.
#[derive(Clone, Debug)]
pub struct RawObject {
    /// As it was listed.
    pub id: ObjectId,
    /// What the rows' `filename` column says.
    pub filename: Arc<str>,
    /// The distribution in its name.
    pub distribution: Option<String>,
    /// The hour in its name.
    pub hour: Option<Hour>,
    /// Whether its own name, or the job, says that it is a log of the table. If not, its first line
    /// must.
    pub named: bool,
    /// Its bytes as stored. Those that are not in memory are worked piece by piece.
    pub stored: ObjectBytes,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub struct ObjectOutcome {
    /// The object.
    pub id: ObjectId,
    /// Its lines.
    pub lines: LineStats,
    /// Its size inflated.
    pub raw_bytes: u64,
    /// Where it broke off, if it did.
    pub damage: Option<Damage>,
    /// Line, reason of its first rejected line.
    pub first_reject: Option<(u64, String)>,
    /// What it was found to be.
    pub found: &'static str,
    /// Whether no line of it could be read as a row, and some should have been: most likely it is
    /// no such log, or the job describes it wrongly. Its lines are in no table, so that it can be
    /// read later.
    pub unread: bool,
    /// What it is, where it is no log of the table and never will be: its lines are in no table,
    /// and it is left alone.
    pub left_alone: Option<&'static str>,
}

impl ObjectOutcome {
    /// Whether its lines are in the tables.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        !self.unread && self.left_alone.is_none()
    }
}

/// What became of a chunk.
#[derive(Clone, Debug, Default)]
pub struct ChunkReport {
    /// Its objects, in order.
    pub outcomes: Vec<ObjectOutcome>,
    /// Fields that this version has never heard of, by their logged names, with the number of rows
    /// that have a value.
    pub new_fields: BTreeMap<String, u64>,
}

/// One finished file of one partition.
#[derive(Debug)]
pub struct OutputFile {
    /// The partition that its rows belong to.
    pub partition: Partition,
    /// The Parquet file.
    pub bytes: Vec<u8>,
    /// Its rows.
    pub rows: u64,
}

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

/// What an object will hold inflated, as far as it can be told without inflating it: what its last
/// member claims, and no less than four times its stored size.
#[must_use]
pub fn claimed_raw_bytes(object: &RawObject) -> u64 {
    let Some(stored) = object.stored.in_memory() else { return object.stored.size_bytes().saturating_mul(4) };
    if stored.starts_with(parquet::MAGIC) {
        // Text of which Parquet makes an eighth: logs repeat.
        return stored.len() as u64 * 8;
    }
    if !stored.starts_with(&inflate::GZIP_MAGIC) {
        return stored.len() as u64;
    }
    let claimed = stored.last_chunk::<4>().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let stored_bytes = stored.len() as u64;
    claimed.clamp(stored_bytes * 4, (stored_bytes * 1_032).max(1))
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

/// The rows and rejects of some neighbouring objects.
#[derive(Default)]
struct TaskOutput {
    hours: Vec<(Hour, HourBatch)>,
    rejects: Vec<(Hour, RejectedLine)>,
    report: ChunkReport,
}

impl TaskOutput {
    /// A rejected line has no time of its own: it lies in the hour of its object.
    fn reject(&mut self, object: &RawObject, rejects: Vec<Reject>, first_hour: Option<Hour>) {
        let hour = object.hour.or(first_hour).unwrap_or(Hour::of_unix_seconds(0));
        let rejected = |reject| (hour, RejectedLine { filename: Arc::clone(&object.filename), reject });
        self.rejects.extend(rejects.into_iter().map(rejected));
    }
}

enum TaskItem<'a> {
    Worked(TaskOutput),
    Large(&'a RawObject),
}

type WorkedTask<'a> = Vec<TaskItem<'a>>;

/// Works a task's ordinary objects; a large one is left for the caller, at its place.
fn work<'a>(
    settings: &Settings,
    recipe: &Recipe,
    task: &'a [RawObject],
    inflater: &mut Inflater,
) -> Result<WorkedTask<'a>> {
    let mut parts = Vec::with_capacity(1);
    let mut rows =
        BatchBuilder::new(settings.table, settings.granularity, recipe, task.iter().map(claimed_raw_bytes).sum());
    let mut done = TaskOutput::default();
    for object in task {
        let is_parquet = object.stored.in_memory().is_some_and(|stored| stored.starts_with(parquet::MAGIC));
        if is_parquet {
            // Whether it is large is known only when it has been decoded, and then what it gave is
            // thrown away.
            parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
        }
        let Some(ended) = work_whole(settings, object, is_parquet, inflater, &mut rows) else {
            if !is_parquet {
                parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
            }
            parts.push(TaskItem::Large(object));
            rows = BatchBuilder::new(settings.table, settings.granularity, recipe, 0);
            continue;
        };
        end_object(object, ended, true, &mut rows, &mut done);
        if rows.holds_many_agents() {
            parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
        }
    }
    parts.push(TaskItem::Worked(finish(done, &mut rows)?));
    Ok(parts)
}

/// Works an object of ordinary size, at once; `None` where it is a large one.
fn work_whole(
    settings: &Settings,
    object: &RawObject,
    is_parquet: bool,
    inflater: &mut Inflater,
    rows: &mut BatchBuilder<'_>,
) -> Option<DecodedObject> {
    let stored = object.stored.in_memory()?;
    let limit_bytes = (4 * claimed_raw_bytes(object)).max(UNCLAIMED_RAW_BYTES);
    if is_parquet {
        rows.begin_object(&object.filename, object.distribution.as_deref());
        let mut fits = true;
        let decoded = parquet::decode(&object.stored, settings, rows, &mut |_, raw_bytes| {
            fits = raw_bytes <= limit_bytes;
            fits
        });
        return fits.then(|| DecodedObject::of_parquet(decoded));
    }
    match inflater.whole(stored, usize::try_from(limit_bytes).unwrap_or(usize::MAX)) {
        Whole::Bytes(raw, damage) => {
            rows.begin_object(&object.filename, object.distribution.as_deref());
            let (raw, damage) = limited(raw, damage, settings);
            let mut decoder = Decoder::new(settings).unnamed(!object.named);
            let used = decoder.decode(raw, damage.is_none(), rows);
            Some(end_text(decoder, &raw[used..], raw.len() as u64, damage, rows))
        }
        Whole::TooLarge => None,
    }
}

/// No more of an object's text than its limit.
fn limited<'r>(raw: &'r [u8], damage: Option<Damage>, settings: &Settings) -> (&'r [u8], Option<Damage>) {
    let limit = usize::try_from(settings.object_limit_bytes).unwrap_or(usize::MAX);
    if raw.len() <= limit {
        return (raw, damage);
    }
    (&raw[..limit], Some(settings.over_limit()))
}

fn finish(mut done: TaskOutput, rows: &mut BatchBuilder<'_>) -> Result<TaskOutput> {
    done.report.new_fields = rows.take_new_fields();
    done.hours = rows.cut().map_err(|error| Error::encode("columns", error))?;
    Ok(done)
}

/// How an object ended.
struct DecodedObject {
    lines: LineStats,
    raw_bytes: u64,
    found: &'static str,
    damage: Option<Damage>,
    belief: Belief,
}

impl DecodedObject {
    fn of_parquet(decoded: parquet::Decoded) -> Self {
        let parquet::Decoded { stats, raw_bytes, found, damage, belief } = decoded;
        Self { lines: stats, raw_bytes, found, damage, belief }
    }

    /// What an object of no rows is that is no log of the table.
    fn left_alone(&self, object: &RawObject) -> Option<&'static str> {
        match self.belief.told {
            _ if self.lines.rows > 0 => None,
            Told::Other(what) => Some(what),
            Told::Nothing if !object.named && !self.belief.proven && self.damage.is_none() => Some(UNNAMED),
            Told::Nothing | Told::Log(_) => None,
        }
    }
}

/// Ends a text; `rest` is the beginning of a line that damage cut.
fn end_text(
    mut decoder: Decoder<'_>,
    rest: &[u8],
    raw_bytes: u64,
    damage: Option<Damage>,
    rows: &mut BatchBuilder<'_>,
) -> DecodedObject {
    if let Some(damage) = damage.as_ref().filter(|damage| !rest.is_empty() || damage.is_limit) {
        decoder.reject_rest(rest, format!("cut short: {}", damage.reason), rows);
    }
    DecodedObject { lines: decoder.stats(), raw_bytes, found: decoder.found(), damage, belief: decoder.belief() }
}

/// Ends an object; `whole` says that none of its rejects has been handed on before.
fn end_object(
    object: &RawObject,
    ended: DecodedObject,
    whole: bool,
    rows: &mut BatchBuilder<'_>,
    done: &mut TaskOutput,
) {
    let end = rows.end_object();
    let mut ended = ended;
    ended.lines.rows -= end.late_rejects;
    ended.lines.rejected_lines += end.late_rejects;
    let left_alone = ended.left_alone(object).filter(|_| whole);
    let DecodedObject { lines, raw_bytes, found, damage, belief } = ended;
    let is_none = lines.rows == 0 && (lines.rejected_lines > 0 || belief.against.is_some()) && damage.is_none();
    let unread = whole && is_none && left_alone.is_none();
    let first_reject = end.rejects.first().map(|reject| (reject.line_number, reject.reason.clone())).or(belief.against);
    done.report.outcomes.push(ObjectOutcome {
        id: object.id.clone(),
        lines,
        raw_bytes,
        damage,
        first_reject,
        found,
        unread,
        left_alone,
    });
    if !unread && left_alone.is_none() {
        done.reject(object, end.rejects, end.first_hour);
    }
}
