//! Blocks of split rows to typed, enriched columns, apart by the partition of each row's own time.
//!
//! One [`BatchBuilder`] takes the objects of one task one after another. Per block, first every
//! number and time is read, so that a row with a value that does not fit its type is rejected as a
//! whole before any column has it; then each hour's builders take their rows, column by column.
//!
//! | file | what it does |
//! |-|-|
//! | `typed_block` | a block's numbers and times |
//! | `subfield` | a part of a logged value: an address with its port, a request line |
//! | `hour` | the rows of one hour, while they come and as columns |
//! | `looked_up` | columns that follow from the object or the user agent |
//! | `changes` | columns that are made of the texts of another, and what privacy makes of texts |

mod changes;
mod hour;
mod looked_up;
mod subfield;
mod typed_block;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use arrow::error::ArrowError;

use super::data::{Builder, ColumnData, TextStore};
use super::interner::{NULL, StringPool};
use super::mapping::Mapping;
use crate::kernel::policy::enrich::Agents;
use crate::kernel::policy::privacy::without_quotes;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::schema::{Column, ColumnType, Escapes, Origin, Subfield, column_from, columns, source};
use crate::kernel::source::parse::{BLOCK_ROWS, Block, Reject, Sink};
use crate::model::{Granularity, Hour, HourRange, Period, Table};
use changes::changes;
use hour::HourBuilder;
use looked_up::{ObjectNames, shared_columns};
use subfield::part;
use typed_block::{Numbers, TypedBlock};

pub use hour::HourBatch;

/// The most log that a task makes room for at once.
const MOST_ROOM_RAW_BYTES: usize = 8 << 20;

/// User agents that a task holds before its columns are cut. A day's are some MB; a flood of
/// made-up ones has no end.
const MOST_AGENTS_BYTES: usize = 16 << 20;

/// New fields that are told by name; a log of nothing but new names is none.
const MOST_NEW_FIELDS: usize = 100;

/// Builds the rows of some objects.
#[derive(Debug)]
pub struct BatchBuilder<'r> {
    table: Table,
    recipe: &'r Recipe,
    agents: Agents,
    objects: Vec<ObjectNames>,
    hours: BTreeMap<Hour, HourBuilder>,
    /// Per column, where it is logged text.
    texts: Vec<Option<TextStore>>,
    mapping: Mapping,
    extra_column: Option<usize>,
    scratch: TypedBlock,
    distribution_column: Option<usize>,
    /// Rows with a value, per field that this version has never heard of.
    new_fields: BTreeMap<String, u64>,
    rejects: Vec<Reject>,
    late_rejects: u64,
    first_hour: Option<Hour>,
    /// How long partitions are: rows of one partition need not be kept apart.
    granularity: Granularity,
    /// The hours of the partition of the row that was looked at last.
    period: HourRange,
    /// Whether a row of the object had a value besides its time: without one it is no log, whatever
    /// its fields are called.
    has_values: bool,
}

/// What became of one object's lines after the split.
#[derive(Debug)]
pub struct ObjectEnd {
    /// Every line that was rejected, in order.
    pub rejects: Vec<Reject>,
    /// Rows that the split had taken and the types refused.
    pub late_rejects: u64,
    /// The hour of the first good row.
    pub first_hour: Option<Hour>,
}

impl<'r> BatchBuilder<'r> {
    /// Begins with no rows; about `raw_bytes` of text are to come.
    #[must_use]
    pub fn new(table: Table, granularity: Granularity, recipe: &'r Recipe, raw_bytes: u64) -> Self {
        let room_bytes = usize::try_from(raw_bytes).unwrap_or(0).min(MOST_ROOM_RAW_BYTES);
        let store = |column: &Column| is_built_text(column).then(|| TextStore::new(column, room_bytes));
        Self {
            table,
            recipe,
            agents: Agents::new(escapes(table)),
            objects: Vec::new(),
            hours: BTreeMap::new(),
            texts: columns(table).iter().map(store).collect(),
            mapping: Mapping::new(table, &[]),
            extra_column: column_from(table, Origin::UnknownFields),
            scratch: TypedBlock::default(),
            distribution_column: column_from(table, Origin::LoggedOrObjectName),
            new_fields: BTreeMap::new(),
            rejects: Vec::new(),
            late_rejects: 0,
            first_hour: None,
            granularity,
            period: Period::of(granularity, Hour::of_unix_seconds(0)).hours(),
            has_values: false,
        }
    }

    /// Begins an object.
    pub fn begin_object(&mut self, filename: &str, distribution: Option<&str>) {
        self.objects.push(ObjectNames { filename: filename.to_owned(), distribution: distribution.map(str::to_owned) });
        self.mapping = Mapping::new(self.table, &[]);
        self.first_hour = None;
        self.has_values = false;
    }

    /// Takes out the rejects so far, in order, and the hour of the first good row, in the middle of
    /// an object.
    pub fn take_rejects(&mut self) -> (Vec<Reject>, Option<Hour>) {
        let mut rejects = std::mem::take(&mut self.rejects);
        // The split rejects a line at once, the types reject it at the end of its block.
        rejects.sort_by_key(|reject| reject.line_number);
        if !self.recipe.privacy.keeps_all() {
            rejects.iter_mut().for_each(|reject| reject.reason = without_quotes(&reject.reason));
        }
        (rejects, self.first_hour)
    }

    /// Whether so many user agents are held that the rows should be cut: nearly every row has one
    /// of its own.
    #[must_use]
    pub const fn holds_many_agents(&self) -> bool {
        self.agents.held_bytes() > MOST_AGENTS_BYTES
    }

    /// Ends an object.
    pub fn end_object(&mut self) -> ObjectEnd {
        let (rejects, first_hour) = self.take_rejects();
        ObjectEnd { rejects, late_rejects: std::mem::take(&mut self.late_rejects), first_hour }
    }

    /// Takes out the columns of every hour so far, in order of hour, and goes on in the middle of
    /// the same object.
    pub fn cut(&mut self) -> Result<Vec<(Hour, HourBatch)>, ArrowError> {
        let goes_on = self.objects.last().cloned();
        let objects = std::mem::replace(&mut self.objects, goes_on.into_iter().collect());
        let agents = std::mem::replace(&mut self.agents, Agents::new(escapes(self.table)));
        let shared = shared_columns(self.table, &objects, &agents, &self.recipe.privacy);
        let texts =
            self.texts.iter_mut().map(|store| store.as_mut().map_or_else(|| Ok(Arc::default()), TextStore::take));
        let texts: Vec<Arc<StringPool>> = texts.collect::<Result<_, ArrowError>>()?;
        let changes = changes(self.table, self.recipe, &texts);
        let time_column = column_from(self.table, Origin::EventTime);
        let mut finished = Vec::with_capacity(self.hours.len());
        for (hour, HourBuilder { event_time, object_keys, agent_keys, builders }) in std::mem::take(&mut self.hours) {
            let mut columns = shared.clone();
            for ((column, builder), texts) in columns.iter_mut().zip(builders).zip(&texts) {
                if !matches!(builder, Builder::Derived) {
                    *column = builder.finish(texts)?;
                }
            }
            for (from, to, change) in &changes {
                let changed = match &columns[*from] {
                    ColumnData::Text { numbers, .. } => change.as_ref().map(|change| change.apply(numbers)),
                    _ => None,
                };
                columns[*to] = changed.unwrap_or(ColumnData::Absent);
            }
            let rows = event_time.len();
            if let Some(index) = time_column {
                let times = TimestampMicrosecondArray::from(event_time).with_timezone("UTC");
                columns[index] = ColumnData::PerRow(Arc::new(times));
            }
            finished.push((hour, HourBatch { rows, columns, object_keys, agent_keys }));
        }
        Ok(finished)
    }

    /// Takes out the fields that this version has never heard of, with the number of rows that have
    /// a value.
    pub fn take_new_fields(&mut self) -> BTreeMap<String, u64> {
        std::mem::take(&mut self.new_fields)
    }

    /// Tells the block's good rows apart by hour, and rejects the others.
    fn split_by_hour(&mut self, block: &Block<'_>, base_bytes: u64) {
        let mut place = 0;
        for row in 0..block.rows() {
            if let Some(reason) = self.scratch.any_bad.then(|| self.scratch.bad[row].take()).flatten() {
                let (line_number, line) = block.line(row);
                let byte_offset = base_bytes + block.offset(row);
                self.rejects.push(Reject { line_number, byte_offset, reason, raw_line: line.to_vec() });
                self.late_rejects += 1;
                continue;
            }
            let hour = Hour::of_unix_seconds(self.scratch.micros[row].div_euclid(1_000_000));
            if self.first_hour.is_none() {
                self.first_hour = Some(hour);
            }
            if !self.period.contains(hour) {
                self.period = Period::of(self.granularity, hour).hours();
            }
            let hour = self.period.start;
            let hours = &mut self.scratch.hours;
            if hours.get(place).is_none_or(|(known, _)| *known != hour) {
                place = hours.iter().position(|(known, _)| *known == hour).unwrap_or(hours.len());
                if place == hours.len() {
                    hours.push((hour, Vec::with_capacity(BLOCK_ROWS)));
                }
            }
            hours[place].1.push(row);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a task has far fewer than 2^32 objects")]
    fn append(&mut self, block: &Block<'_>, hour: Hour, rows: &[usize]) {
        let table = self.table;
        let built = self.hours.entry(hour).or_insert_with(|| HourBuilder::new(table));
        let scratch = &self.scratch;
        built.event_time.extend(rows.iter().map(|row| scratch.micros[*row]));
        built.object_keys.resize(built.object_keys.len() + rows.len(), self.objects.len() as u32 - 1);
        built.agent_keys.extend(rows.iter().map(|row| scratch.agents[*row]));
        for place in &self.mapping.texts {
            let (Builder::Text(numbers), Some(store)) =
                (&mut built.builders[place.column], &mut self.texts[place.column])
            else {
                continue;
            };
            let mut number = |value: &[u8]| if value == b"-" { NULL } else { store.number(value) };
            if place.part == Subfield::Whole {
                numbers.extend(rows.iter().map(|row| number(block.value(*row, place.field))));
            } else {
                numbers.extend(rows.iter().map(|row| number(part(block.value(*row, place.field), place.part))));
            }
        }
        if let Some(column) = self.distribution_column
            && let (Builder::Text(numbers), Some(store)) = (&mut built.builders[column], &mut self.texts[column])
            && numbers.len() < built.event_time.len()
        {
            // The log does not say it: the object's name does.
            let name = self.objects.last().and_then(|object| object.distribution.as_deref());
            let number = name.map_or(NULL, |name| store.number(name.as_bytes()));
            numbers.resize(built.event_time.len(), number);
        }
        for (place, numbers) in self.mapping.numbers.iter().zip(&scratch.numbers) {
            match (&mut built.builders[place.column], numbers) {
                (Builder::Int(builder), Numbers::Int(values)) => {
                    rows.iter().for_each(|row| builder.push(values[*row]));
                }
                (Builder::Bigint(builder) | Builder::Timestamp(builder), Numbers::Bigint(values)) => {
                    rows.iter().for_each(|row| builder.push(values[*row]));
                }
                (Builder::Double(builder), Numbers::Double(values)) => {
                    rows.iter().for_each(|row| builder.push(values[*row]));
                }
                _ => {}
            }
        }
        for &column in &self.mapping.absent {
            built.builders[column].push_nulls(rows.len());
        }
        let coarse = self.mapping.coarse_time;
        if let Some(Builder::Map(builder)) = self.extra_column.map(|column| &mut built.builders[column]) {
            if self.mapping.unknown.is_empty() {
                builder.push_nulls(rows.len());
            }
            for &row in rows.iter().filter(|_| !self.mapping.unknown.is_empty()) {
                // A date and a time that say what the milliseconds say are in the event time
                // already.
                let is_said = |field| coarse.is_some_and(|(date, time)| field == date || field == time);
                let values = self.mapping.unknown.iter().filter(|unknown| {
                    block.value(row, unknown.field) != b"-" && (!is_said(unknown.field) || scratch.apart.contains(&row))
                });
                let privacy = &self.recipe.privacy;
                if privacy.keeps_all() {
                    builder
                        .push(values.clone().map(|unknown| (unknown.name.as_str(), block.value(row, unknown.field))));
                } else {
                    let treated = values.clone().filter_map(|unknown| {
                        let value = block.value(row, unknown.field);
                        Some((unknown.name.as_str(), privacy.treat_unknown(table, &unknown.name, value)?))
                    });
                    builder.push(treated);
                }
                for unknown in values.filter(|unknown| unknown.is_new) {
                    if let Some(count) = self.new_fields.get_mut(&unknown.name) {
                        *count += 1;
                    }
                }
            }
        }
    }

    /// Notes the fields that this version has never heard of, once a row has come under them.
    fn note_new_fields(&mut self) {
        for unknown in self.mapping.unknown.iter().filter(|unknown| unknown.is_new) {
            if self.new_fields.len() < MOST_NEW_FIELDS && !self.new_fields.contains_key(&unknown.name) {
                self.new_fields.insert(unknown.name.clone(), 0);
            }
        }
    }
}

impl Sink for BatchBuilder<'_> {
    fn fields(&mut self, names: &[String]) {
        self.mapping = Mapping::new(self.table, names);
    }

    fn block(&mut self, block: &Block<'_>, base_bytes: u64) {
        self.scratch.read(self.table, &self.mapping, block);
        self.has_values = self.has_values || self.scratch.mark_empty(&self.mapping, block);
        self.split_by_hour(block, base_bytes);
        match self.mapping.agent {
            Some(field) => {
                for row in 0..block.rows() {
                    let number = self.agents.number(block.value(row, field), &self.recipe.enricher);
                    self.scratch.agents.push(number);
                }
            }
            None => self.scratch.agents.resize(block.rows(), Agents::ABSENT),
        }
        let hours = std::mem::take(&mut self.scratch.hours);
        if !hours.is_empty() && !self.mapping.unknown.is_empty() {
            self.note_new_fields();
        }
        for (hour, rows) in &hours {
            self.append(block, *hour, rows);
        }
        self.scratch.hours = hours;
    }

    fn reject(&mut self, reject: Reject) {
        self.rejects.push(reject);
    }
}

/// Whether a column's texts are read row by row.
fn is_built_text(column: &Column) -> bool {
    matches!(column.origin, Origin::Logged | Origin::LoggedOrObjectName) && column.kind == ColumnType::String
}

/// How the logs of a table write what a user agent may not hold.
fn escapes(table: Table) -> Escapes {
    source(table).map_or(Escapes::Percent, |source| source.escapes)
}
