//! The only room that knows rayon: a chunk of raw objects becomes sorted Parquet files, one partition each.
//!
//! A chunk is worked in waves of tasks, a task being some neighbouring objects. Rows pile up in the order of the objects;
//! when enough have piled up they are flushed: per partition sorted, encoded column by column, and handed to `emit`. Where
//! waves and flushes fall depends on the objects alone, never on threads or memory, so the same objects always give the
//! same files.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use rayon::prelude::*;

use super::encode::{CodedText, ColumnTask, EncodedColumn, FileEncoder, ROW_GROUP_ROWS, Values};
use super::inflate::{self, Damage, Inflater, Whole};
use super::parse::{Decoder, Reject, Settings, parquet};
use super::recipe::{Recipe, Stamp};
use super::rejects::{self, RejectedLine};
use super::rows::{HourRows, Rows};
use super::schema::{Column, columns};
use super::sort::{Gathered, Order, gather, order};
use crate::error::{Error, Result};
use crate::model::{Hour, ObjectId, Partition, Table};
use crate::stats::LineStats;

/// Bytes of columns, their texts and rejects that pile up before they are flushed to files: more than a chunk of ordinary rows
/// holds. What is held is counted, not what was read: rows of nothing but dashes need more than their text.
pub const FLUSH_HELD_BYTES: u64 = 192 << 20;

/// Rows of one file at most; a flush of shorter rows becomes several files.
pub const FILE_ROWS: usize = 4 * ROW_GROUP_ROWS;

/// Rows below which bots, or people, are no row group of their own. 2 million rows of `edgemill generate`: with every hour cut files
/// are 1.2 % larger, and a query on `is_bot` reads 0.64 MB instead of 3.3.
const LEAST_GROUP_ROWS: usize = 2_048;

/// Inflated bytes that one wave works on, by what the objects claim: what is held besides the pile.
const WAVE_RAW_BYTES: u64 = 64 << 20;

/// Stored bytes of a task: some 8,000 rows, so that a task is long enough to pay for its columns and short enough to
/// leave none of the threads idle at the end of a wave.
const TASK_STORED_BYTES: usize = 1 << 20;

/// An object that holds more text than this, and than four times what it claims, is worked as a large one: the sizes of waves
/// and tasks rest on the claims, and an empty last gzip member claims nothing.
const UNCLAIMED_RAW_BYTES: u64 = 8 << 20;

/// Raw bytes after which a large object's columns are cut and piled up.
const LARGE_CUT_RAW_BYTES: u64 = 32 << 20;

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
    /// Its bytes as stored.
    pub stored: Bytes,
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
    /// Whether no line of it could be read as a row, and some should have been: most likely it is no such log, or the job
    /// describes it wrongly. Its lines are in no table, so that it can be read later.
    pub unread: bool,
}

/// What became of a chunk.
#[derive(Clone, Debug, Default)]
pub struct ChunkReport {
    /// Its objects, in order.
    pub outcomes: Vec<ObjectOutcome>,
    /// Fields that this version has never heard of, by their logged names, with the number of rows that have a value.
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

/// Converts a chunk of one table's objects, in the order given. `emit` takes the files in an order that depends on the
/// objects alone.
pub fn convert_chunk(
    settings: &Settings,
    recipe: &Recipe,
    objects: &[RawObject],
    emit: &mut dyn FnMut(OutputFile) -> Result<()>,
) -> Result<ChunkReport> {
    let mut pile = Pile::new(settings.table, recipe);
    let mut report = ChunkReport { outcomes: Vec::with_capacity(objects.len()), ..ChunkReport::default() };
    for wave in waves(objects) {
        let tasks = tasks(wave);
        let worked: Vec<Result<TaskOutput<'_>>> = tasks
            .par_iter()
            .map_init(Inflater::default, |inflater, task| work(settings, recipe, task, inflater))
            .collect();
        for parts in worked {
            for part in parts? {
                match part {
                    Part::Done(done) => pile.add(done, &mut report),
                    Part::Large(object) => work_large(settings, recipe, object, &mut pile, &mut report, emit)?,
                }
                if pile.held_bytes >= FLUSH_HELD_BYTES {
                    pile.flush(emit)?;
                }
            }
        }
    }
    pile.flush(emit)?;
    Ok(report)
}

/// What an object will hold inflated, as far as it can be told without inflating it: what its last member claims, and no
/// less than four times its stored size.
#[must_use]
pub fn claimed_raw_bytes(object: &RawObject) -> u64 {
    if object.stored.starts_with(parquet::MAGIC) {
        // Text of which Parquet makes an eighth: logs repeat.
        return object.stored.len() as u64 * 8;
    }
    if !object.stored.starts_with(&inflate::GZIP_MAGIC) {
        return object.stored.len() as u64;
    }
    let claimed = object.stored.last_chunk::<4>().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let stored = object.stored.len() as u64;
    claimed.clamp(stored * 4, (stored * 1_032).max(1))
}

fn waves(objects: &[RawObject]) -> Vec<&[RawObject]> {
    cut(objects, claimed_raw_bytes, WAVE_RAW_BYTES)
}

fn tasks(wave: &[RawObject]) -> Vec<&[RawObject]> {
    cut(wave, |object| object.stored.len() as u64, TASK_STORED_BYTES as u64)
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
struct Done {
    hours: Vec<(Hour, HourRows)>,
    rejects: Vec<(Hour, RejectedLine)>,
    report: ChunkReport,
}

impl Done {
    /// A rejected line has no time of its own: it lies in the hour of its object.
    fn reject(&mut self, object: &RawObject, rejects: Vec<Reject>, first_hour: Option<Hour>) {
        let hour = object.hour.or(first_hour).unwrap_or(Hour::of_unix_seconds(0));
        let rejected = |reject| (hour, RejectedLine { filename: Arc::clone(&object.filename), reject });
        self.rejects.extend(rejects.into_iter().map(rejected));
    }
}

enum Part<'a> {
    Done(Done),
    Large(&'a RawObject),
}

type TaskOutput<'a> = Vec<Part<'a>>;

/// Works a task's ordinary objects; a large one is left for the caller, at its place.
fn work<'a>(
    settings: &Settings,
    recipe: &Recipe,
    task: &'a [RawObject],
    inflater: &mut Inflater,
) -> Result<TaskOutput<'a>> {
    let mut parts = Vec::with_capacity(1);
    let mut rows = Rows::new(settings.table, recipe, task.iter().map(claimed_raw_bytes).sum());
    let mut done = Done::default();
    for object in task {
        if object.stored.starts_with(parquet::MAGIC) {
            rows.begin_object(&object.filename, object.distribution.as_deref());
            let decoded = parquet::decode(&object.stored, settings, &mut rows);
            let parquet::Decoded { stats, raw_bytes, found, damage } = decoded;
            end_object(object, Ended { lines: stats, raw_bytes, found, damage }, true, &mut rows, &mut done);
            continue;
        }
        let limit_bytes = (4 * claimed_raw_bytes(object)).max(UNCLAIMED_RAW_BYTES);
        match inflater.whole(&object.stored, usize::try_from(limit_bytes).unwrap_or(usize::MAX)) {
            Whole::Bytes(raw, damage) => {
                rows.begin_object(&object.filename, object.distribution.as_deref());
                let (raw, damage) = limited(raw, damage, settings);
                let mut decoder = Decoder::new(settings);
                let used = decoder.decode(raw, damage.is_none(), &mut rows);
                let ended = end_text(decoder, &raw[used..], raw.len() as u64, damage, &mut rows);
                end_object(object, ended, true, &mut rows, &mut done);
                if rows.holds_many_agents() {
                    parts.push(Part::Done(finish(std::mem::take(&mut done), &mut rows)?));
                }
            }
            Whole::TooLarge => {
                parts.push(Part::Done(finish(std::mem::take(&mut done), &mut rows)?));
                parts.push(Part::Large(object));
                rows = Rows::new(settings.table, recipe, 0);
            }
        }
    }
    parts.push(Part::Done(finish(done, &mut rows)?));
    Ok(parts)
}

/// No more of an object's text than its limit.
fn limited<'r>(raw: &'r [u8], damage: Option<Damage>, settings: &Settings) -> (&'r [u8], Option<Damage>) {
    let limit = usize::try_from(settings.object_limit_bytes).unwrap_or(usize::MAX);
    if raw.len() <= limit {
        return (raw, damage);
    }
    (&raw[..limit], Some(settings.over_limit()))
}

fn finish(mut done: Done, rows: &mut Rows<'_>) -> Result<Done> {
    done.report.new_fields = rows.take_new_fields();
    done.hours = rows.cut().map_err(|error| Error::encode("columns", error))?;
    Ok(done)
}

/// How an object ended.
struct Ended {
    lines: LineStats,
    raw_bytes: u64,
    found: &'static str,
    damage: Option<Damage>,
}

/// Ends a text; `rest` is the beginning of a line that damage cut.
fn end_text(
    mut decoder: Decoder<'_>,
    rest: &[u8],
    raw_bytes: u64,
    damage: Option<Damage>,
    rows: &mut Rows<'_>,
) -> Ended {
    if let Some(damage) = damage.as_ref().filter(|damage| !rest.is_empty() || damage.is_limit) {
        decoder.reject_rest(rest, format!("cut short: {}", damage.reason), rows);
    }
    Ended { lines: decoder.stats(), raw_bytes, found: decoder.found(), damage }
}

/// Ends an object; `whole` says that none of its rejects has been handed on before.
fn end_object(object: &RawObject, ended: Ended, whole: bool, rows: &mut Rows<'_>, done: &mut Done) {
    let end = rows.end_object();
    let Ended { mut lines, raw_bytes, found, damage } = ended;
    lines.rows -= end.late_rejects;
    lines.rejected_lines += end.late_rejects;
    let unread = whole && lines.rows == 0 && lines.rejected_lines > 0 && damage.is_none();
    let first_reject = end.rejects.first().map(|reject| (reject.line_number, reject.reason.clone()));
    done.report.outcomes.push(ObjectOutcome {
        id: object.id.clone(),
        lines,
        raw_bytes,
        damage,
        first_reject,
        found,
        unread,
    });
    if !unread {
        done.reject(object, end.rejects, end.first_hour);
    }
}

/// Works one large object piece by piece, so that its size does not matter.
fn work_large(
    settings: &Settings,
    recipe: &Recipe,
    object: &RawObject,
    pile: &mut Pile<'_>,
    report: &mut ChunkReport,
    emit: &mut dyn FnMut(OutputFile) -> Result<()>,
) -> Result<()> {
    let mut rows = Rows::new(settings.table, recipe, LARGE_CUT_RAW_BYTES);
    rows.begin_object(&object.filename, object.distribution.as_deref());
    let (mut decoder, mut held, mut raw_bytes, mut cut_bytes) = (Decoder::new(settings), Vec::new(), 0_u64, 0_u64);
    let (mut failure, mut too_much, mut first_reject) = (None, None, None);
    let first = |reject: &Reject| (reject.line_number, reject.reason.clone());
    let damage = inflate::stream(&object.stored, &mut |piece| {
        let room = usize::try_from(settings.object_limit_bytes - raw_bytes).unwrap_or(usize::MAX);
        let over = piece.len() > room;
        let piece = &piece[..piece.len().min(room)];
        raw_bytes += piece.len() as u64;
        cut_bytes += piece.len() as u64;
        held.extend_from_slice(piece);
        let used = decoder.decode(&held, false, &mut rows);
        held.drain(..used);
        if over {
            too_much = Some(settings.over_limit());
            return false;
        }
        if cut_bytes >= LARGE_CUT_RAW_BYTES || rows.holds_many_agents() {
            cut_bytes = 0;
            let mut cut = Done::default();
            let (rejects, first_hour) = rows.take_rejects();
            first_reject = first_reject.take().or_else(|| rejects.first().map(first));
            cut.reject(object, rejects, first_hour);
            let piled = finish(cut, &mut rows).and_then(|done| {
                pile.add(done, report);
                if pile.held_bytes >= FLUSH_HELD_BYTES { pile.flush(emit) } else { Ok(()) }
            });
            failure = piled.err();
        }
        failure.is_none()
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let damage = too_much.or(damage);
    if damage.is_none() {
        decoder.decode(&held, true, &mut rows);
        held.clear();
    }
    let mut done = Done::default();
    let ended = end_text(decoder, &held, raw_bytes, damage, &mut rows);
    end_object(object, ended, first_reject.is_none(), &mut rows, &mut done);
    if let Some(outcome) = done.report.outcomes.last_mut() {
        outcome.first_reject = first_reject.or(outcome.first_reject.take());
    }
    pile.add(finish(done, &mut rows)?, report);
    Ok(())
}

/// Rows and rejects in the order of their objects, waiting to be written.
struct Pile<'r> {
    table: Table,
    recipe: &'r Recipe,
    partitions: BTreeMap<Hour, Vec<HourRows>>,
    rejects: BTreeMap<Hour, Vec<RejectedLine>>,
    held_bytes: u64,
}

impl<'r> Pile<'r> {
    const fn new(table: Table, recipe: &'r Recipe) -> Self {
        Self { table, recipe, partitions: BTreeMap::new(), rejects: BTreeMap::new(), held_bytes: 0 }
    }

    fn add(&mut self, done: Done, report: &mut ChunkReport) {
        self.held_bytes += done.hours.first().map_or(0, |(_, rows)| rows.shared_bytes());
        for (hour, rows) in done.hours {
            self.held_bytes += rows.held_bytes();
            self.partitions.entry(hour).or_default().push(rows);
        }
        for (hour, line) in done.rejects {
            self.held_bytes += line.held_bytes();
            self.rejects.entry(hour).or_default().push(line);
        }
        report.outcomes.extend(done.report.outcomes);
        for (name, rows) in done.report.new_fields {
            *report.new_fields.entry(name).or_default() += rows;
        }
    }

    fn flush(&mut self, emit: &mut dyn FnMut(OutputFile) -> Result<()>) -> Result<()> {
        self.held_bytes = 0;
        let table = self.table;
        let privacy = &self.recipe.privacy;
        let stamp = self.recipe.stamp();
        let rejects = std::mem::take(&mut self.rejects);
        let rejected = rejects.into_iter().map(|(hour, lines)| {
            (Partition { table: Table::Rejects, hour }, vec![rejects::rows(table, &lines, privacy)])
        });
        let kept = std::mem::take(&mut self.partitions).into_iter();
        let kept = kept.map(|(hour, parts)| (Partition { table, hour }, parts));
        let partitions: Vec<(Partition, Vec<HourRows>)> = kept.chain(rejected).collect();
        let written: Vec<Result<Vec<OutputFile>>> =
            partitions.into_par_iter().map(|(partition, parts)| write(partition, &parts, stamp)).collect();
        for files in written {
            files?.into_iter().try_for_each(&mut *emit)?;
        }
        Ok(())
    }
}

/// Sorts and encodes one partition's rows.
pub(super) fn write(partition: Partition, parts: &[HourRows], stamp: &Stamp) -> Result<Vec<OutputFile>> {
    let order = order(partition.table, parts);
    let files =
        encode(partition.table, parts, &order, stamp).map_err(|error| Error::encode(partition.to_string(), error))?;
    let sizes = order.rows.chunks(FILE_ROWS).map(|rows| rows.len() as u64);
    Ok(files.into_iter().zip(sizes).map(|(bytes, rows)| OutputFile { partition, bytes, rows }).collect())
}

type Encoded<T> = std::result::Result<T, crate::error::Cause>;

/// The files of a partition's rows. Columns are worked side by side, each gathered once for all row groups.
fn encode(table: Table, parts: &[HourRows], order: &Order, stamp: &Stamp) -> Encoded<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    let mut pieces: Vec<Vec<(Range<usize>, ColumnTask)>> = columns(table).iter().map(|_| Vec::new()).collect();
    for start in (0..order.rows.len()).step_by(FILE_ROWS) {
        let mut file = FileEncoder::new(table, stamp)?;
        let groups = row_groups(start..(start + FILE_ROWS).min(order.rows.len()), order.bots_from);
        for group in &groups {
            pieces.iter_mut().zip(file.row_group()?).for_each(|(pieces, task)| pieces.push((group.clone(), task)));
        }
        files.push((file, groups.len()));
    }
    let encoded: Encoded<Vec<Vec<EncodedColumn>>> = pieces
        .into_par_iter()
        .enumerate()
        .map(|(column, pieces)| encode_column(table, parts, order, column, pieces))
        .collect();
    let mut columns: Vec<_> = encoded?.into_iter().map(Vec::into_iter).collect();
    let mut finished = Vec::with_capacity(files.len());
    for (mut file, row_groups) in files {
        for _ in 0..row_groups {
            file.append(columns.iter_mut().filter_map(Iterator::next).collect())?;
        }
        finished.push(file.finish()?);
    }
    Ok(finished)
}

/// The row groups of a file: cut where the bots begin, where both sides are worth a group of their own.
fn row_groups(rows: Range<usize>, bots_from: usize) -> Vec<Range<usize>> {
    let worth_it = bots_from.saturating_sub(rows.start).min(rows.end.saturating_sub(bots_from)) >= LEAST_GROUP_ROWS;
    let halves = if worth_it { vec![rows.start..bots_from, bots_from..rows.end] } else { vec![rows] };
    let groups = |half: Range<usize>| {
        half.clone().step_by(ROW_GROUP_ROWS).map(move |first| first..(first + ROW_GROUP_ROWS).min(half.end))
    };
    halves.into_iter().flat_map(groups).collect()
}

fn encode_column(
    table: Table,
    parts: &[HourRows],
    order: &Order,
    column: usize,
    pieces: Vec<(Range<usize>, ColumnTask)>,
) -> Encoded<Vec<EncodedColumn>> {
    let Some((_, first)) = pieces.first() else { return Ok(Vec::new()) };
    let gathered = gather(parts, &order.rows, column, first.field().data_type())?;
    let Column { unique, plain, .. } = columns(table)[column];
    let repeats = !unique && !plain;
    let piece = |(rows, task): (Range<usize>, ColumnTask)| {
        let values = match &gathered {
            Gathered::Text(text) => {
                Values::Text(CodedText { numbers: &text.numbers[rows], values: &text.values, repeats })
            }
            Gathered::Array(array) => Values::Array(array.slice(rows.start, rows.len())),
        };
        Ok(task.encode(&values)?)
    };
    pieces.into_iter().map(piece).collect()
}
