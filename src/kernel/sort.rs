//! The order of the rows in a file, and the columns in that order.
//!
//! Rows are sorted by edge location, client address and time: like stands beside like. In a trial of layouts before this crate
//! (5.5 million rows, zstd-3) that order scanned 9.4 instead of 22.4 MB for bots by location, and 9.2 instead of 15.5 for viewers.
//! Ties keep the order of object and line, so the same inputs give the same bytes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int32Array, new_null_array};
use arrow::compute::{concat, interleave};
use arrow::datatypes::{DataType, Int32Type, TimestampMicrosecondType};
use arrow::error::ArrowError;

use super::rows::{ColumnData, HourRows};
use super::schema::column_index;
use crate::model::Table;

/// The order of some rows: per row, which part it comes from and where it stands there.
pub type Order = Vec<(usize, usize)>;

/// Compares as the text does, up to 16 bytes; all IPv4 addresses and edge locations are shorter.
fn prefix(text: &str) -> u128 {
    let mut bytes = [0; 16];
    let length = text.len().min(16);
    bytes[..length].copy_from_slice(&text.as_bytes()[..length]);
    u128::from_be_bytes(bytes)
}

#[derive(Clone, Copy)]
struct Key<'a> {
    location_prefix: u128,
    address_prefix: u128,
    time: i64,
    part: u32,
    row: u32,
    location: &'a str,
    address: &'a str,
}

impl Key<'_> {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        let whole = |a: &str, b: &str| if a.len() > 16 && b.len() > 16 { a.cmp(b) } else { a.len().cmp(&b.len()) };
        self.location_prefix
            .cmp(&other.location_prefix)
            .then_with(|| whole(self.location, other.location))
            .then_with(|| self.address_prefix.cmp(&other.address_prefix))
            .then_with(|| whole(self.address, other.address))
            .then_with(|| (self.time, self.part, self.row).cmp(&(other.time, other.part, other.row)))
    }
}

/// The order in which the rows of a partition are written.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a flush holds far fewer than 2^32 rows")]
pub fn order(table: Table, parts: &[HourRows]) -> Order {
    let sorted = ["x_edge_location", "c_ip", "event_time"].map(|name| column_index(table, name));
    let [Some(location), Some(address), Some(time)] = sorted else {
        return parts.iter().enumerate().flat_map(|(part, rows)| (0..rows.rows).map(move |row| (part, row))).collect();
    };
    let mut keys = Vec::with_capacity(parts.iter().map(|part| part.rows).sum());
    for (number, part) in parts.iter().enumerate() {
        let (locations, addresses) = (per_row(part, location), per_row(part, address));
        let locations = locations.and_then(|array| array.as_string_opt::<i32>());
        let addresses = addresses.and_then(|array| array.as_string_opt::<i32>());
        let times = per_row(part, time).and_then(|array| array.as_primitive_opt::<TimestampMicrosecondType>());
        for row in 0..part.rows {
            let location = locations.map_or("", |array| array.value(row));
            let address = addresses.map_or("", |array| array.value(row));
            keys.push(Key {
                location_prefix: prefix(location),
                address_prefix: prefix(address),
                time: times.map_or(0, |array| array.value(row)),
                part: number as u32,
                row: row as u32,
                location,
                address,
            });
        }
    }
    keys.sort_unstable_by(Key::compare);
    keys.iter().map(|key| (key.part as usize, key.row as usize)).collect()
}

fn per_row(part: &HourRows, column: usize) -> Option<&ArrayRef> {
    match &part.columns[column] {
        ColumnData::PerRow(array) => Some(array),
        _ => None,
    }
}

/// A run of ordered rows.
#[derive(Debug)]
pub struct Run<'a> {
    parts: &'a [HourRows],
    rows: &'a [(usize, usize)],
}

impl<'a> Run<'a> {
    /// Some of the ordered rows of some parts.
    #[must_use]
    pub const fn new(parts: &'a [HourRows], rows: &'a [(usize, usize)]) -> Self {
        Self { parts, rows }
    }

    /// One column of the run, as the encoder takes it. Where its values are looked up, text stays a dictionary: the rows'
    /// numbers are sorted, not the text.
    pub fn gather(&self, column: usize, kind: &DataType) -> Result<ArrayRef, ArrowError> {
        let mut keys: Option<fn(&HourRows) -> &[u32]> = None;
        let mut arrays: Vec<&dyn Array> = Vec::with_capacity(self.parts.len());
        for part in self.parts {
            match &part.columns[column] {
                ColumnData::PerRow(array) => arrays.push(array),
                ColumnData::PerObject(array) => {
                    keys = Some(|part| &part.object_keys);
                    arrays.push(array);
                }
                ColumnData::PerAgent(array) => {
                    keys = Some(|part| &part.agent_keys);
                    arrays.push(array);
                }
                ColumnData::Absent => return Ok(new_null_array(kind, self.rows.len())),
            }
        }
        if arrays.iter().all(|array| array.null_count() == array.len()) {
            return Ok(new_null_array(kind, self.rows.len()));
        }
        match (keys, kind) {
            (None, _) => interleave(&arrays, self.rows),
            (Some(keys), DataType::Dictionary(..)) => self.dictionary(&arrays, keys),
            (Some(keys), _) => {
                let places: Order =
                    self.rows.iter().map(|&(part, row)| (part, keys(&self.parts[part])[row] as usize)).collect();
                interleave(&arrays, &places)
            }
        }
    }

    /// The values of all parts behind each other, and per row the number of its value among them.
    fn dictionary(&self, arrays: &[&dyn Array], keys: fn(&HourRows) -> &[u32]) -> Result<ArrayRef, ArrowError> {
        let mut firsts = Vec::with_capacity(arrays.len());
        let mut first = 0;
        for array in arrays {
            firsts.push(first);
            first += i32::try_from(array.len()).map_err(|_| ArrowError::DictionaryKeyOverflowError)?;
        }
        let values = concat(arrays)?;
        let key = |&(part, row): &(usize, usize)| {
            let number = i32::try_from(keys(&self.parts[part])[row]).unwrap_or(i32::MAX) + firsts[part];
            // A value that is NULL is a NULL key: a reader of levels looks at keys alone.
            values.is_valid(usize::try_from(number).unwrap_or(0)).then_some(number)
        };
        let keys: Int32Array = self.rows.iter().map(key).collect();
        Ok(Arc::new(DictionaryArray::<Int32Type>::try_new(keys, values)?))
    }
}
