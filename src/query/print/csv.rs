//! Comma-separated values by RFC 4180, with `\n` at line ends: quoted where a value would be read
//! as something else, and nowhere else. Arrow's own writer takes each value through four buffers.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::Schema;
use arrow::error::ArrowError;

use super::values::{ColumnWriter, flat};

/// The line of the names.
pub(super) fn header(schema: &Schema) -> Vec<u8> {
    let mut out = Vec::new();
    for (place, field) in schema.fields().iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        let start = out.len();
        out.extend_from_slice(field.name().as_bytes());
        quote_where_needed(&mut out, start);
    }
    // What has no columns at all, such as the answer to a command, has no lines.
    if !schema.fields().is_empty() {
        end_line(&mut out, 0);
    }
    out
}

/// The lines of a batch. Maps, lists and structs become text, for CSV has no such things.
pub(super) fn lines(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    // More than most rows take: growing would copy what is there.
    const ROW_BYTES: usize = 512;
    let columns = batch.columns().iter().map(flat).collect::<Result<Vec<ArrayRef>, _>>()?;
    let mut columns = columns.iter().map(ColumnWriter::new).collect::<Result<Vec<_>, _>>()?;
    let mut out = Vec::with_capacity(batch.num_rows() * ROW_BYTES.min(16 * columns.len()));
    for row in 0..batch.num_rows() {
        let line = out.len();
        for (place, column) in columns.iter_mut().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            let start = out.len();
            column.write(row, &mut out)?;
            if column.is_free_text() {
                quote_where_needed(&mut out, start);
            }
        }
        end_line(&mut out, line);
    }
    Ok(out)
}

/// Ends a line. One without a single byte would be read as no row at all.
fn end_line(out: &mut Vec<u8>, start: usize) {
    if out.len() == start {
        out.extend_from_slice(b"\"\"");
    }
    out.push(b'\n');
}

/// Puts quotes around what was written from `start` on, where it holds a comma, a quote or a line's
/// end.
fn quote_where_needed(out: &mut Vec<u8>, start: usize) {
    if !needs_quotes(&out[start..]) {
        return;
    }
    let value = out.split_off(start);
    out.reserve(value.len() + 8);
    out.push(b'"');
    for byte in value {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b',' | b'"' | b'\n' | b'\r')
}

fn needs_quotes(value: &[u8]) -> bool {
    // All of a block is looked at, whatever is found: that is one instruction for each kind of
    // byte.
    let (blocks, rest) = value.as_chunks::<16>();
    let found = |block: &[u8; 16]| block.iter().fold(false, |found, byte| found | is_special(*byte));
    blocks.iter().any(found) || rest.iter().any(|byte| is_special(*byte))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;
    use arrow::csv::WriterBuilder;
    use arrow::datatypes::{DataType, Field};
    use proptest::prelude::*;

    use super::*;

    fn batch(columns: usize, values: &[Option<String>]) -> RecordBatch {
        let fields: Vec<Field> = (0..columns).map(|at| Field::new(format!("a,{at}"), DataType::Utf8, true)).collect();
        let column = |at: usize| Arc::new(values.iter().skip(at).step_by(columns).cloned().collect::<StringArray>());
        let columns = (0..columns).map(|at| column(at) as ArrayRef).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    proptest! {
        /// Arrow's writer, slow and tried, is the judge.
        #[test]
        fn lines_are_those_of_arrows_writer(columns in 1..4_usize, values in proptest::collection::vec(
            proptest::option::of("[a,\"\r\n é'\\\\]{0,40}"), 12)) {
            let batch = batch(columns, &values);
            let mut judged = Vec::new();
            WriterBuilder::new().with_header(true).build(&mut judged).write(&batch).unwrap();
            let mut ours = header(&batch.schema());
            ours.extend(lines(&batch).unwrap());
            prop_assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(judged).unwrap());
        }
    }
}
