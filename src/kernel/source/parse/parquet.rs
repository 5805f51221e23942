//! Logs that AWS delivers as Parquet: every value a string, the columns named after the fields.
//!
//! Source: Athena's documentation of CloudFront's version 2 in Parquet (every column a string), and
//! public data sets whose columns are written in mixed case (`cs_User_Agent`). Values of other
//! types are borne: bytes that are UTF-8 as the text that they are, whole numbers without a point,
//! times in ISO 8601, anything else as it is shown. A row has no place in a text, so a reject names
//! its row, and its line is the values separated by tabs.

use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use arrow::array::{Array, AsArray, BinaryViewArray, Float64Array, RecordBatch, StringViewArray};
use arrow::datatypes::{DataType, Field, Fields, Float64Type, Schema};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use parquet::errors::ParquetError;
use parquet::file::reader::ChunkReader;

use super::belief::Belief;
use super::block::{BLOCK_ROWS, Block, Reject, RowPlace, Sink, ValueSpan};
use super::decoder::Settings;
use super::sniff::{NamesOf, UNKNOWN};
use crate::kernel::schema::source;
use crate::kernel::source::inflate::Damage;
use crate::kernel::source::object_bytes::ObjectBytes;
use crate::stats::LineStats;

/// The first bytes of a Parquet file.
pub const MAGIC: &[u8] = b"PAR1";

/// The stored bytes of a row group that are read at once, and held while it is worked.
const MOST_HELD_BYTES: u64 = 64 << 20;

/// The most that is read of a footer: thousands of row groups have less.
const MOST_FOOTER_BYTES: u32 = 64 << 20;

/// Text of one block at most, or one row: a dictionary makes many large values of a few bytes.
const BLOCK_TEXT_BYTES: usize = 8 << 20;

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
    /// Whether its columns are those of a log of the table.
    pub belief: Belief,
}

/// Decodes a file; stops where its values become more than the limit of an object. `each` comes
/// between some rows and the next, with the bytes of values so far, and returns whether it wants
/// more.
pub fn decode<S: Sink>(
    stored: &ObjectBytes,
    settings: &Settings,
    sink: &mut S,
    each: &mut dyn FnMut(&mut S, u64) -> bool,
) -> Decoded {
    let found = source(settings.table).map_or(UNKNOWN, |source| source.formats.parquet);
    let mut decoded =
        Decoded { stats: LineStats::default(), raw_bytes: 0, found, damage: None, belief: Belief::default() };
    let damage = read(stored, settings, &mut decoded, sink, each).err();
    decoded.damage = damage.map(|reason| match reason {
        Some(reason) => Damage::at(decoded.raw_bytes, reason),
        None => settings.over_limit(),
    });
    decoded
}

/// Why it broke off: `None` for the limit.
type Broken = Option<String>;

fn read<S: Sink>(
    stored: &ObjectBytes,
    settings: &Settings,
    decoded: &mut Decoded,
    sink: &mut S,
    each: &mut dyn FnMut(&mut S, u64) -> bool,
) -> Result<(), Broken> {
    let failed = |error: &dyn std::fmt::Display| Some(format!("Parquet: {error}"));
    let metadata = guarded(|| open(stored))?.map_err(|error| failed(&error))?;
    let names: Vec<String> = metadata.schema().fields().iter().map(|field| field.name().clone()).collect();
    if decoded.belief.fields(settings.table, &names, NamesOf::Table, 0).is_err() {
        decoded.found = UNKNOWN;
        return Ok(());
    }
    sink.fields(&names);
    let mut rows = TextRows { values: Vec::new(), places: Vec::new(), spans: Vec::new(), width: names.len() };
    for row_group in 0..metadata.metadata().num_row_groups() {
        if let Some(range) = bytes_of(&metadata, row_group, stored.size_bytes()) {
            stored.hold(range).map_err(|error| failed(&error))?;
        }
        let mut reader = guarded(|| reader(stored, &metadata, row_group))?.map_err(|error| failed(&error))?;
        while let Some(batch) = guarded(|| reader.next())? {
            let batch = batch.map_err(|error| failed(&error))?;
            let options = FormatOptions::default();
            let columns = batch.columns().iter().map(|array| TextColumnReader::new(array, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>().map_err(|error| failed(&error))?;
            take(&batch, &columns, settings, &mut rows, decoded, sink)?;
            if !each(sink, decoded.raw_bytes) {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What a file says of itself. What Arrow may have written of its own types beside the file's
/// schema is passed over: the library panics where that is damaged. Texts are read as views, so
/// that a value of a dictionary is held once however many rows have it.
fn open(stored: &ObjectBytes) -> Result<ArrowReaderMetadata, ParquetError> {
    let tail = stored.get_bytes(stored.size_bytes().saturating_sub(8), 8)?;
    let footer_bytes = tail.first_chunk().map_or(0, |length| u32::from_le_bytes(*length));
    if footer_bytes > MOST_FOOTER_BYTES {
        return Err(ParquetError::General(format!("its footer claims {footer_bytes} bytes")));
    }
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load(stored, options.clone())?;
    let view = |field: &Arc<Field>| match field.data_type() {
        DataType::Utf8 => Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)),
        DataType::Binary => Arc::new(field.as_ref().clone().with_data_type(DataType::BinaryView)),
        _ => Arc::clone(field),
    };
    let schema = Arc::new(Schema::new(metadata.schema().fields().iter().map(view).collect::<Fields>()));
    ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options.with_schema(schema))
}

/// Where a row group's columns lie, where they lie side by side and are few enough to be held: a
/// damaged or a strange file may say anything, and is read page by page.
fn bytes_of(metadata: &ArrowReaderMetadata, row_group: usize, size_bytes: u64) -> Option<Range<u64>> {
    let group = metadata.metadata().row_group(row_group);
    let ranges = group.columns().iter().map(|column| {
        // Offsets of a damaged file may be negative; where they are, nothing is read ahead.
        let start = column
            .dictionary_page_offset()
            .map_or(column.data_page_offset(), |dictionary| dictionary.min(column.data_page_offset()));
        Some((u64::try_from(start).ok()?, u64::try_from(start.checked_add(column.compressed_size())?).ok()?))
    });
    let ranges: Vec<(u64, u64)> = ranges.collect::<Option<_>>()?;
    let start = ranges.iter().map(|range| range.0).min()?;
    let end = ranges.iter().map(|range| range.1).max()?;
    (start < end && end <= size_bytes && end - start <= MOST_HELD_BYTES).then_some(start..end)
}

fn reader(
    stored: &ObjectBytes,
    metadata: &ArrowReaderMetadata,
    row_group: usize,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(stored.clone(), metadata.clone());
    builder.with_row_groups(vec![row_group]).with_batch_size(BLOCK_ROWS).build()
}

/// How many of a file's last bytes its footer is, by the very last of them.
#[must_use]
pub fn footer_bytes(tail: &[u8]) -> Option<u64> {
    let end = tail.last_chunk::<8>().filter(|end| end.ends_with(MAGIC))?;
    Some(u64::from(u32::from_le_bytes(*end.first_chunk()?)) + 8)
}

/// The names of a file's columns, by the last bytes of the file, where they hold its footer.
#[must_use]
pub fn names_in_footer(tail: &[u8]) -> Option<Vec<String>> {
    let length = usize::try_from(footer_bytes(tail)?).ok()?;
    let start = tail.len().checked_sub(length)?;
    let decode = || parquet::file::metadata::ParquetMetaDataReader::decode_metadata(&tail[start..tail.len() - 8]);
    let metadata = guarded(decode).ok()?.ok()?;
    let columns = metadata.file_metadata().schema_descr().root_schema().get_fields();
    Some(columns.iter().map(|column| column.name().to_owned()).collect())
}

/// Does what the library does; a panic of it on a damaged file (fuzzing has found one) is damage
/// like any other.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Broken> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).map_err(|_| Some("Parquet: damaged beyond reading".to_owned()))
}

/// Rows on their way to the sink.
struct TextRows {
    values: Vec<u8>,
    places: Vec<RowPlace>,
    spans: Vec<ValueSpan>,
    width: usize,
}

impl TextRows {
    fn send(&mut self, sink: &mut impl Sink) {
        if !self.places.is_empty() {
            let Self { values, places, spans, width } = self;
            sink.block(&Block { lines: values, values, places, spans, width: *width, placed: false }, 0);
        }
        self.values.clear();
        self.places.clear();
        self.spans.clear();
    }
}

/// Takes the rows of a batch; a row with bytes that are no text is none.
fn take(
    batch: &RecordBatch,
    columns: &[TextColumnReader<'_>],
    settings: &Settings,
    rows: &mut TextRows,
    decoded: &mut Decoded,
    sink: &mut impl Sink,
) -> Result<(), Broken> {
    for row in 0..batch.num_rows() {
        if rows.values.len() >= BLOCK_TEXT_BYTES {
            rows.send(sink);
        }
        let (start, first_span) = (rows.values.len(), rows.spans.len());
        for column in columns {
            let start = offset(rows.values.len())?;
            column.push(row, &mut rows.values);
            rows.spans.push(ValueSpan { start, end: offset(rows.values.len())? });
            rows.values.push(b'\t');
        }
        decoded.stats.lines += 1;
        // A row without columns is an empty line.
        let end = rows.values.len().max(start + 1) - 1;
        rows.values.resize(end + 1, b'\t');
        decoded.raw_bytes += (end + 1 - start) as u64;
        let line_number = decoded.stats.lines;
        if std::str::from_utf8(&rows.values[start..end]).is_err() {
            decoded.stats.rejected_lines += 1;
            let raw_line = rows.values[start..end].to_vec();
            sink.reject(Reject { line_number, byte_offset: 0, reason: "not UTF-8".to_owned(), raw_line });
            rows.values.truncate(start);
            rows.spans.truncate(first_span);
        } else {
            decoded.stats.rows += 1;
            rows.places.push(RowPlace { start: offset(start)?, end: offset(end)?, line_number });
        }
        if decoded.raw_bytes > settings.object_limit_bytes {
            rows.send(sink);
            return Err(None);
        }
    }
    rows.send(sink);
    Ok(())
}

fn offset(length: usize) -> Result<u32, Broken> {
    u32::try_from(length).map_err(|_| Some("Parquet: a row of more than 4 GiB".to_owned()))
}

/// A column that can be written as text.
enum TextColumnReader<'a> {
    Text(&'a StringViewArray),
    Bytes(&'a BinaryViewArray),
    Double(&'a Float64Array),
    Other(&'a dyn Array, ArrayFormatter<'a>, &'static str),
}

/// Whole numbers up to this are exact in a double.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl<'a> TextColumnReader<'a> {
    fn new(array: &'a dyn Array, options: &'a FormatOptions<'a>) -> Result<Self, arrow::error::ArrowError> {
        Ok(match array.data_type() {
            DataType::Utf8View => Self::Text(array.as_string_view()),
            DataType::BinaryView => Self::Bytes(array.as_binary_view()),
            DataType::Float64 => Self::Double(array.as_primitive::<Float64Type>()),
            // Times without a zone are UTC here, as all times of logs are.
            DataType::Timestamp(_, None) => Self::Other(array, ArrayFormatter::try_new(array, options)?, "Z"),
            _ => Self::Other(array, ArrayFormatter::try_new(array, options)?, ""),
        })
    }

    fn push(&self, row: usize, values: &mut Vec<u8>) {
        use std::io::Write as _;
        // Writing to memory cannot fail.
        match self {
            Self::Text(array) if array.is_valid(row) => values.extend_from_slice(array.value(row).as_bytes()),
            Self::Bytes(array) if array.is_valid(row) => values.extend_from_slice(array.value(row)),
            Self::Double(array) if array.is_valid(row) => {
                let value = array.value(row);
                // Integers become doubles where a column has NULLs and pandas wrote it.
                _ = if value.fract() == 0.0 && value.abs() < EXACT {
                    write!(values, "{value:.0}")
                } else {
                    write!(values, "{value}")
                };
            }
            Self::Other(array, formatter, after) if array.is_valid(row) => {
                _ = write!(values, "{}{after}", formatter.value(row));
            }
            _ => values.push(b'-'),
        }
    }
}
