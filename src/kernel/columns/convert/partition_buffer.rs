//! What piles up of a chunk, and how it is written: per partition sorted, cut into row groups,
//! encoded column by column.

use std::collections::BTreeMap;
use std::ops::Range;

use rayon::prelude::*;

use super::object::{ChunkReport, OutputFile};
use super::task::TaskOutput;
use crate::error::{Error, Result};
use crate::kernel::columns::builder::HourBatch;
use crate::kernel::columns::encode::{CodedText, ColumnTask, ColumnValues, EncodedColumn, FileEncoder, ROW_GROUP_ROWS};
use crate::kernel::columns::rejects;
use crate::kernel::columns::rejects::RejectedLine;
use crate::kernel::columns::sort::{Gathered, Order, gather, order};
use crate::kernel::policy::recipe::{Fingerprint, Recipe};
use crate::kernel::schema::{Coding, columns};
use crate::model::{Granularity, Hour, Partition, Table};

/// Bytes of columns, their texts and rejects that pile up before they are flushed to files: more
/// than a chunk of ordinary rows holds. What is held is counted, not what was read: rows of nothing
/// but dashes need more than their text.
pub const FLUSH_HELD_BYTES: u64 = 112 << 20;

/// Rows of one file at most; a flush of shorter rows becomes several files.
pub const FILE_ROWS: usize = 4 * ROW_GROUP_ROWS;

/// Rows below which bots, or people, are no row group of their own. 2 million rows of
/// `edgemill generate`: with every hour cut files are 1.2 % larger, and a query on `is_bot` reads
/// 0.64 MB instead of 3.3.
const LEAST_GROUP_ROWS: usize = 2_048;

/// Rows below which a partition is written by the thread that has them: to share out sixty small
/// columns, threads wake each other for longer than they work. (Several hours are converted at a
/// time, so none is idle for it.)
const LEAST_SHARED_ROWS: usize = 8_192;

fn rows_of(partitions: &[(Partition, Vec<HourBatch>)]) -> usize {
    partitions.iter().flat_map(|(_, parts)| parts).map(|part| part.rows).sum()
}

/// Rows and rejects in the order of their objects, waiting to be written.
pub(super) struct PartitionBuffer<'r> {
    table: Table,
    granularity: Granularity,
    recipe: &'r Recipe,
    partitions: BTreeMap<Hour, Vec<HourBatch>>,
    rejects: BTreeMap<Hour, Vec<RejectedLine>>,
    held_bytes: u64,
}

impl<'r> PartitionBuffer<'r> {
    pub(super) const fn new(table: Table, granularity: Granularity, recipe: &'r Recipe) -> Self {
        Self { table, granularity, recipe, partitions: BTreeMap::new(), rejects: BTreeMap::new(), held_bytes: 0 }
    }

    pub(super) fn add(&mut self, done: TaskOutput, report: &mut ChunkReport) {
        self.held_bytes += done.hours.first().map_or(0, |(_, rows)| rows.shared_bytes());
        for (hour, rows) in done.hours {
            self.held_bytes += rows.held_bytes();
            self.partitions.entry(self.granularity.start(hour)).or_default().push(rows);
        }
        for (hour, line) in done.rejects {
            self.held_bytes += line.held_bytes();
            self.rejects.entry(self.granularity.start(hour)).or_default().push(line);
        }
        report.outcomes.extend(done.report.outcomes);
        for (name, rows) in done.report.new_fields {
            *report.new_fields.entry(name).or_default() += rows;
        }
    }

    /// Writes what is held, once it is much.
    pub(super) fn flush_if_full(&mut self, emit: &mut dyn FnMut(OutputFile) -> Result<()>) -> Result<()> {
        if self.held_bytes >= FLUSH_HELD_BYTES { self.flush(emit) } else { Ok(()) }
    }

    pub(super) fn flush(&mut self, emit: &mut dyn FnMut(OutputFile) -> Result<()>) -> Result<()> {
        self.held_bytes = 0;
        let (table, granularity) = (self.table, self.granularity);
        let privacy = &self.recipe.privacy;
        let stamp = self.recipe.stamp();
        let rejects = std::mem::take(&mut self.rejects);
        let rejected = rejects.into_iter().map(|(hour, lines)| {
            (Partition::of(Table::Rejects, granularity, hour), vec![rejects::rows(table, &lines, privacy)])
        });
        let kept = std::mem::take(&mut self.partitions).into_iter();
        let kept = kept.map(|(hour, parts)| (Partition::of(table, granularity, hour), parts));
        let partitions: Vec<(Partition, Vec<HourBatch>)> = kept.chain(rejected).collect();
        let work = |(partition, parts): (Partition, Vec<HourBatch>)| write(partition, &parts, stamp);
        let written: Vec<Result<Vec<OutputFile>>> = if rows_of(&partitions) < LEAST_SHARED_ROWS {
            partitions.into_iter().map(work).collect()
        } else {
            partitions.into_par_iter().map(work).collect()
        };
        for files in written {
            files?.into_iter().try_for_each(&mut *emit)?;
        }
        Ok(())
    }
}

/// Sorts and encodes one partition's rows.
pub(in crate::kernel) fn write(
    partition: Partition,
    parts: &[HourBatch],
    stamp: &Fingerprint,
) -> Result<Vec<OutputFile>> {
    let order = order(partition.table, parts);
    let files =
        encode(partition.table, parts, &order, stamp).map_err(|error| Error::encode(partition.to_string(), error))?;
    let sizes = order.rows.chunks(FILE_ROWS).map(|rows| rows.len() as u64);
    Ok(files.into_iter().zip(sizes).map(|(bytes, rows)| OutputFile { partition, bytes, rows }).collect())
}

type Encoded<T> = std::result::Result<T, crate::error::Cause>;

/// The files of a partition's rows. Columns are worked side by side, each gathered once for all row
/// groups.
fn encode(table: Table, parts: &[HourBatch], order: &Order, stamp: &Fingerprint) -> Encoded<Vec<Vec<u8>>> {
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
    let work = |(column, pieces)| encode_column(table, parts, order, column, pieces);
    let encoded: Encoded<Vec<Vec<EncodedColumn>>> = if order.rows.len() < LEAST_SHARED_ROWS {
        pieces.into_iter().enumerate().map(work).collect()
    } else {
        pieces.into_par_iter().enumerate().map(work).collect()
    };
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

/// The row groups of a file: cut where the bots begin, where both sides are worth a group of their
/// own.
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
    parts: &[HourBatch],
    order: &Order,
    column: usize,
    pieces: Vec<(Range<usize>, ColumnTask)>,
) -> Encoded<Vec<EncodedColumn>> {
    let Some((_, first)) = pieces.first() else { return Ok(Vec::new()) };
    let gathered = gather(parts, &order.rows, column, first.field().data_type())?;
    let repeats = columns(table)[column].coding == Coding::Dictionary;
    let piece = |(rows, task): (Range<usize>, ColumnTask)| {
        let values = match &gathered {
            Gathered::Text(text) => {
                ColumnValues::Text(CodedText { numbers: &text.numbers[rows], values: &text.values, repeats })
            }
            Gathered::Array(array) => ColumnValues::Array(array.slice(rows.start, rows.len())),
        };
        Ok(task.encode(&values)?)
    };
    pieces.into_iter().map(piece).collect()
}
