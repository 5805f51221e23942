//! The times and numbers of one block, read before any column has a row, so that a row with a value
//! that does not fit its type is rejected as a whole.

use super::subfield::part;
use crate::kernel::columns::mapping::{ColumnSource, Mapping, TimeFields};
use crate::kernel::schema::{ColumnType, Subfield, columns};
use crate::kernel::source::parse::values::{Clock, LAST_SECOND, double, integer, small_integer};
use crate::kernel::source::parse::{BLOCK_ROWS, Block};
use crate::model::{Hour, Table};

/// What was read of one block.
#[derive(Debug, Default)]
pub(super) struct TypedBlock {
    clock: Clock,
    pub(super) micros: Vec<i64>,
    pub(super) bad: Vec<Option<String>>,
    pub(super) any_bad: bool,
    pub(super) numbers: Vec<Numbers>,
    pub(super) agents: Vec<u32>,
    pub(super) hours: Vec<(Hour, Vec<usize>)>,
    /// Rows whose `date` and `time` say another second than their milliseconds.
    pub(super) apart: Vec<usize>,
}

/// The numbers of one column of one block.
#[derive(Debug)]
pub(super) enum Numbers {
    Int(Vec<Option<i32>>),
    Bigint(Vec<Option<i64>>),
    Double(Vec<Option<f64>>),
}

impl TypedBlock {
    /// Reads the times and numbers of a block's rows, and marks the rows that are none.
    pub(super) fn read(&mut self, table: Table, mapping: &Mapping, block: &Block<'_>) {
        self.clear(block.rows());
        self.read_times(mapping, block);
        for place in &mapping.numbers {
            let name = columns(table)[place.column].name;
            let numbers = match place.kind {
                ColumnType::Int => Numbers::Int(self.read_numbers(block, place, name, small_integer)),
                ColumnType::Bigint => Numbers::Bigint(self.read_numbers(block, place, name, integer)),
                ColumnType::Timestamp => {
                    let mut clock = Clock::default();
                    Numbers::Bigint(self.read_numbers(block, place, name, |text| clock.iso_micros(text).ok()))
                }
                _ => Numbers::Double(self.read_numbers(block, place, name, double)),
            };
            self.numbers.push(numbers);
        }
    }

    /// Marks rows of which no field has a value but the time as none, up to the first that has one;
    /// whether there is such a one.
    pub(super) fn mark_empty(&mut self, mapping: &Mapping, block: &Block<'_>) -> bool {
        let places = mapping.texts.iter().chain(&mapping.numbers).map(|place| place.field);
        let fields: Vec<usize> = places.chain(mapping.agent).collect();
        let has_value = |row: &usize| fields.iter().any(|field| !matches!(block.value(*row, *field), b"-" | b""));
        let first = (0..block.rows()).find(has_value);
        for row in 0..first.unwrap_or(block.rows()) {
            self.bad[row].get_or_insert_with(|| "no field has a value but the time".to_owned());
            self.any_bad = true;
        }
        first.is_some()
    }

    fn clear(&mut self, rows: usize) {
        self.micros.clear();
        self.numbers.clear();
        self.agents.clear();
        self.hours.clear();
        self.apart.clear();
        if self.any_bad || self.bad.len() < rows {
            self.bad.clear();
            self.bad.resize(rows.max(BLOCK_ROWS), None);
        }
        self.any_bad = false;
    }

    fn read_times(&mut self, mapping: &Mapping, block: &Block<'_>) {
        for row in 0..block.rows() {
            let time = match mapping.time {
                Some(TimeFields::DateAndTime(date, time)) => {
                    let seconds = self.clock.seconds(block.value(row, date), block.value(row, time));
                    seconds.map(|seconds| seconds * 1_000_000).map_err(|field| {
                        wrong(field, block.value(row, if field == "date" { date } else { time }), "as UTC")
                    })
                }
                Some(TimeFields::Milliseconds(field)) => integer(block.value(row, field))
                    .filter(|milliseconds| (0..=LAST_SECOND * 1_000).contains(milliseconds))
                    .map(|milliseconds| milliseconds * 1_000)
                    // A Parquet file may hold it as a time.
                    .or_else(|| self.clock.iso_micros(block.value(row, field)).ok())
                    .ok_or_else(|| wrong("timestamp(ms)", block.value(row, field), "as milliseconds")),
                Some(TimeFields::Iso(field)) => self
                    .clock
                    .iso_micros(block.value(row, field))
                    .map_err(|_| wrong("time", block.value(row, field), "as UTC in ISO 8601")),
                Some(TimeFields::Any(field)) => self
                    .clock
                    .any_micros(block.value(row, field))
                    .map_err(|_| wrong("timestamp", block.value(row, field), "as a time")),
                None => Err("the fields name no date and time".to_owned()),
            };
            match time {
                Ok(micros) => self.micros.push(micros),
                Err(reason) => {
                    self.micros.push(0);
                    self.mark(row, reason);
                }
            }
        }
        if let Some((date, time)) = mapping.coarse_time {
            for row in 0..block.rows() {
                let seconds = self.clock.seconds(block.value(row, date), block.value(row, time));
                if seconds != Ok(self.micros[row].div_euclid(1_000_000)) {
                    self.apart.push(row);
                }
            }
        }
    }

    /// The first reason stands.
    fn mark(&mut self, row: usize, reason: String) {
        self.any_bad = true;
        self.bad[row].get_or_insert(reason);
    }

    fn read_numbers<T>(
        &mut self,
        block: &Block<'_>,
        place: &ColumnSource,
        name: &str,
        mut parse: impl FnMut(&[u8]) -> Option<T>,
    ) -> Vec<Option<T>> {
        let mut numbers = Vec::with_capacity(block.rows());
        for row in 0..block.rows() {
            let mut value = block.value(row, place.field);
            if place.part != Subfield::Whole {
                value = part(value, place.part);
            }
            let absent = value == b"-" || value.is_empty();
            let number = if absent { None } else { parse(value) };
            if number.is_none() && !absent {
                let kind = if place.kind == ColumnType::Timestamp { "as UTC in ISO 8601" } else { "as a number" };
                self.mark(row, wrong(name, value, kind));
            }
            numbers.push(number);
        }
        numbers
    }
}

/// At most this many characters of a wrong value are repeated in the reason; the line itself is
/// kept whole.
const REASON_VALUE_CHARS: usize = 40;

fn wrong(field: &str, value: &[u8], how: &str) -> String {
    let value: String = String::from_utf8_lossy(value).chars().take(REASON_VALUE_CHARS).collect();
    format!("{field}: cannot read '{value}' {how}")
}
