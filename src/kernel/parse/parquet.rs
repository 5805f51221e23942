//! Logs that AWS delivers as Parquet: every value a string, the columns named after the fields.
//!
//! Source: Athena's documentation of CloudFront's version 2 in Parquet (every column a string), and public data sets whose
//! columns are written in mixed case (`cs_User_Agent`). Values of other types are borne: they are read as their text. A
//! row has no place in a text, so a reject names its row, and its line is the values separated by tabs.

use std::panic::AssertUnwindSafe;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::errors::ParquetError;

use super::{BLOCK_ROWS, Block, RowPlace, Settings, Sink, Span, found};
use crate::kernel::inflate::Damage;
use crate::model::Table;
use crate::stats::LineStats;

/// The first bytes of a Parquet file.
pub const MAGIC: &[u8] = b"PAR1";

/// What became of a file.
#[derive(Debug)]
pub struct Decoded {
    /// Its rows, counted as lines.
    pub stats: LineStats,
    /// Bytes of its values as text.
    pub raw_bytes: u64,
    /// What it was found to be.
    pub found: &'static str,
    /// Where it broke off, if it did.
    pub damage: Option<Damage>,
}

/// Decodes a file; stops where its values become more than the limit of an object.
pub fn decode(stored: &Bytes, settings: &Settings, sink: &mut impl Sink) -> Decoded {
    let found = if settings.table == Table::AlbLogs { found::ALB_PARQUET } else { found::CLOUDFRONT_PARQUET };
    let mut decoded = Decoded { stats: LineStats::default(), raw_bytes: 0, found, damage: None };
    let damage = read(stored, settings, &mut decoded, sink).err();
    decoded.damage = damage.map(|reason| match reason {
        Some(reason) => Damage::at(decoded.raw_bytes, reason),
        None => settings.over_limit(),
    });
    decoded
}

/// Why it broke off: `None` for the limit.
type Broken = Option<String>;

fn read(stored: &Bytes, settings: &Settings, decoded: &mut Decoded, sink: &mut impl Sink) -> Result<(), Broken> {
    let failed = |error: &dyn std::fmt::Display| Some(format!("Parquet: {error}"));
    let (names, mut reader) = guarded(|| open(stored))?.map_err(|error| failed(&error))?;
    sink.fields(&names);
    let mut values = Vec::new();
    while let Some(batch) = guarded(|| reader.next())? {
        let batch = batch.map_err(|error| failed(&error))?;
        send(&batch, &mut values, decoded, sink).map_err(|error| failed(&error))?;
        decoded.raw_bytes += values.len() as u64;
        if decoded.raw_bytes > settings.object_limit_bytes {
            return Err(None);
        }
    }
    Ok(())
}

/// A file's columns by name, and their reader. What Arrow may have written of its own types beside the file's schema is
/// passed over: the library panics where that is damaged.
fn open(stored: &Bytes) -> Result<(Vec<String>, ParquetRecordBatchReader), ParquetError> {
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(stored.clone(), options)?;
    let names = builder.schema().fields().iter().map(|field| field.name().clone()).collect();
    Ok((names, builder.with_batch_size(BLOCK_ROWS).build()?))
}

/// Does what the library does; a panic of it on a damaged file (fuzzing has found one) is damage like any other.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Broken> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Some("Parquet: damaged beyond reading".to_owned()))
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "some hundred rows are smaller than 4 GiB: the library's pages are"
)]
fn send(
    batch: &RecordBatch,
    values: &mut Vec<u8>,
    decoded: &mut Decoded,
    sink: &mut impl Sink,
) -> Result<(), arrow::error::ArrowError> {
    let options = FormatOptions::default();
    let columns = batch.columns().iter().map(|array| Column::new(array, &options)).collect::<Result<Vec<_>, _>>()?;
    let (mut places, mut spans) = (Vec::with_capacity(batch.num_rows()), Vec::new());
    values.clear();
    for row in 0..batch.num_rows() {
        let row_start = values.len() as u32;
        for column in &columns {
            let start = values.len() as u32;
            column.push(row, values);
            spans.push(Span { start, end: values.len() as u32 });
            values.push(b'\t');
        }
        let end = (values.len() as u32).max(row_start + 1) - 1;
        decoded.stats.lines += 1;
        decoded.stats.rows += 1;
        places.push(RowPlace { start: row_start, end, line_number: decoded.stats.lines });
    }
    if columns.is_empty() {
        values.push(b'\t');
    }
    let block = Block { lines: values, values, places: &places, spans: &spans, width: columns.len(), placed: false };
    sink.block(&block, 0);
    Ok(())
}

/// A column that can be written as text.
enum Column<'a> {
    Text(&'a arrow::array::StringArray),
    Other(&'a dyn Array, ArrayFormatter<'a>),
}

impl<'a> Column<'a> {
    fn new(array: &'a dyn Array, options: &'a FormatOptions<'a>) -> Result<Self, arrow::error::ArrowError> {
        Ok(match array.data_type() {
            DataType::Utf8 => Self::Text(array.as_string()),
            _ => Self::Other(array, ArrayFormatter::try_new(array, options)?),
        })
    }

    fn push(&self, row: usize, values: &mut Vec<u8>) {
        match self {
            Self::Text(array) if array.is_valid(row) => values.extend_from_slice(array.value(row).as_bytes()),
            Self::Other(array, formatter) if array.is_valid(row) => {
                values.extend_from_slice(formatter.value(row).to_string().as_bytes());
            }
            _ => values.push(b'-'),
        }
    }
}
