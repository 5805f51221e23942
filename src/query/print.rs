//! Answers as text: a table for people, CSV and JSON lines for programs. Instants are written as UTC, `2026-11-21T05:00:00Z`.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::csv::WriterBuilder as CsvBuilder;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::json::LineDelimitedWriter;
use arrow::json::writer::{LineDelimited, WriterBuilder as JsonBuilder};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_schema;

use super::Answer;
use crate::error::{Error, Result};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A table with borders.
    Table,
    /// Comma-separated values with a header; NULL is empty.
    Csv,
    /// One JSON object per row and line; NULL is `null`.
    Json,
}

/// Writes an answer.
///
/// # Errors
/// `Error::Storage` with the `std::io::Error` as its source where `out` takes no more, a closed pipe included;
/// `Error::Encode` where a value cannot be written in the format.
pub fn print(answer: &Answer, format: Format, out: &mut dyn Write) -> Result<()> {
    let encoding = |error: ArrowError| Error::encode("the answer", error);
    // The encoders turn a failed write into text. So each part is made in memory first, and what `out` says stays whole.
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(unwritten);
    match format {
        Format::Table => put(table(answer).map_err(encoding)?.as_bytes())?,
        Format::Csv => {
            let header = RecordBatch::new_empty(Arc::clone(&answer.schema));
            put(&csv(&header, true).map_err(encoding)?)?;
            for batch in &answer.batches {
                put(&csv(batch, false).map_err(encoding)?)?;
            }
        }
        Format::Json => {
            for batch in &answer.batches {
                put(&json(batch).map_err(encoding)?)?;
            }
        }
    }
    out.flush().map_err(unwritten)
}

fn unwritten(error: std::io::Error) -> Error {
    Error::io("write", Path::new("standard output"), error)
}

fn table(answer: &Answer) -> Result<String, ArrowError> {
    let text = pretty_format_batches_with_schema(Arc::clone(&answer.schema), &answer.batches)?.to_string();
    // Whoever sends a request chooses its user agent; decoded, it could steer the reader's terminal.
    Ok(text.replace(|c: char| c.is_control() && c != '\n', "\u{fffd}") + "\n")
}

fn csv(batch: &RecordBatch, header: bool) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = Vec::new();
    CsvBuilder::new().with_header(header).build(&mut bytes).write(&flat(batch)?)?;
    Ok(bytes)
}

fn json(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = Vec::new();
    // Without explicit nulls, the keys of an object would depend on its row.
    let mut writer: LineDelimitedWriter<_> =
        JsonBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut bytes);
    writer.write(batch)?;
    writer.finish()?;
    drop(writer);
    Ok(bytes)
}

/// The batch with maps, lists and structs as text, for CSV has no such things.
fn flat(batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    if !schema.fields().iter().any(|field| field.data_type().is_nested()) {
        return Ok(batch.clone());
    }
    let mut fields = Vec::with_capacity(schema.fields().len());
    let mut columns = Vec::with_capacity(schema.fields().len());
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(text(column)?);
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns)
}

fn text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let options = FormatOptions::new();
    let formatter = ArrayFormatter::try_new(column, &options)?;
    let value = |row| column.is_valid(row).then(|| formatter.value(row).try_to_string()).transpose();
    Ok(Arc::new((0..column.len()).map(value).collect::<Result<StringArray, ArrowError>>()?))
}
