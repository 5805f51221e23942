//! One JSON object per row and line. Texts, whole numbers, the usual fractions, instants and truths
//! are written here; anything else, such as maps, by Arrow's encoders, which take several times as
//! long and give the same bytes.

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Float64Type};
use arrow::error::ArrowError;
use arrow::json::writer::{EncoderOptions, NullableEncoder, make_encoder};

use super::values::{ColumnWriter, thousandths};

/// A column: the name as it stands before each value, and how the values are written.
struct JsonColumn<'a> {
    name: Vec<u8>,
    array: &'a ArrayRef,
    kind: JsonEncoding<'a>,
}

enum JsonEncoding<'a> {
    /// As they are: numbers and truths.
    Plain(ColumnWriter<'a>),
    /// Between quotes, with nothing in them that JSON would read otherwise.
    Quoted(ColumnWriter<'a>),
    Text(ColumnWriter<'a>),
    Double(NullableEncoder<'a>),
    Other(NullableEncoder<'a>),
}

/// The lines of a batch. NULL is written too: else the keys of an object would depend on its row.
pub(super) fn lines(batch: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
    const VALUE_BYTES: usize = 40;
    let (schema, options) = (batch.schema(), EncoderOptions::default().with_explicit_nulls(true));
    let mut columns = Vec::with_capacity(batch.num_columns());
    for (field, array) in schema.fields().iter().zip(batch.columns()) {
        let mut name = vec![if columns.is_empty() { b'{' } else { b',' }];
        text(field.name().as_bytes(), &mut name);
        name.push(b':');
        let kind = match array.data_type() {
            DataType::Int32 | DataType::Int64 | DataType::UInt64 | DataType::Boolean => {
                JsonEncoding::Plain(ColumnWriter::new(array)?)
            }
            DataType::Timestamp(..) => JsonEncoding::Quoted(ColumnWriter::new(array)?),
            DataType::Utf8 | DataType::Utf8View => JsonEncoding::Text(ColumnWriter::new(array)?),
            DataType::Float64 => JsonEncoding::Double(make_encoder(field, array, &options)?),
            _ => JsonEncoding::Other(make_encoder(field, array, &options)?),
        };
        columns.push(JsonColumn { name, array, kind });
    }
    let mut out = Vec::with_capacity(batch.num_rows() * columns.len() * VALUE_BYTES);
    let mut value = Vec::new();
    for row in 0..batch.num_rows() {
        for column in &mut columns {
            out.extend_from_slice(&column.name);
            column.write(row, &mut out, &mut value)?;
        }
        out.extend_from_slice(if columns.is_empty() { b"{}\n" } else { b"}\n" });
    }
    Ok(out)
}

impl JsonColumn<'_> {
    fn write(&mut self, row: usize, out: &mut Vec<u8>, scratch: &mut Vec<u8>) -> Result<(), ArrowError> {
        let is_null = match &self.kind {
            JsonEncoding::Other(encoder) => encoder.is_null(row),
            _ => self.array.is_null(row),
        };
        if is_null {
            out.extend_from_slice(b"null");
            return Ok(());
        }
        match &mut self.kind {
            JsonEncoding::Plain(values) => values.write(row, out)?,
            JsonEncoding::Quoted(values) => {
                out.push(b'"');
                values.write(row, out)?;
                out.push(b'"');
            }
            JsonEncoding::Text(values) => {
                scratch.clear();
                values.write(row, scratch)?;
                text(scratch, out);
            }
            JsonEncoding::Double(encoder) => {
                let value = self.array.as_primitive::<Float64Type>().value(row);
                // Beyond these, Arrow's encoder writes an exponent.
                let is_usual = value == 0.0 || (1e-3..1e8).contains(&value.abs());
                if !(is_usual && thousandths(value, out)) {
                    encoder.encode(row, out);
                }
            }
            JsonEncoding::Other(encoder) => encoder.encode(row, out),
        }
        Ok(())
    }
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\' | 0..0x20)
}

/// A text between quotes.
fn text(value: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = value;
    while let Some(at) = special(rest) {
        out.extend_from_slice(&rest[..at]);
        let byte = rest[at];
        let short = match byte {
            b'"' | b'\\' => Some(byte),
            b'\n' => Some(b'n'),
            b'\r' => Some(b'r'),
            b'\t' => Some(b't'),
            0x08 => Some(b'b'),
            0x0c => Some(b'f'),
            _ => None,
        };
        if let Some(short) = short {
            out.extend_from_slice(&[b'\\', short]);
        } else {
            let (high, low) = (DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Where the first byte is that cannot stand as it is.
fn special(value: &[u8]) -> Option<usize> {
    // All of a block is looked at, whatever is found: that is one instruction for each kind of
    // byte.
    let blocks = value.as_chunks::<16>().0;
    let clean = |block: &&[u8; 16]| !block.iter().fold(false, |found, byte| found | is_special(*byte));
    let start = blocks.iter().take_while(clean).count() * 16;
    value[start..].iter().position(|byte| is_special(*byte)).map(|at| start + at)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray, StringViewArray,
        TimestampMicrosecondArray,
    };
    use arrow::json::LineDelimitedWriter;
    use arrow::json::writer::{LineDelimited, WriterBuilder};
    use proptest::prelude::*;

    use super::*;

    /// Arrow's writer, slow and tried, is the judge.
    fn as_arrow(columns: Vec<(&str, ArrayRef)>) {
        let columns = columns.into_iter().map(|(name, column)| (name, column, true));
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let mut judged = Vec::new();
        let mut writer: LineDelimitedWriter<_> =
            WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(&mut judged);
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        assert_eq!(String::from_utf8(lines(&batch).unwrap()).unwrap(), String::from_utf8(judged).unwrap());
    }

    #[test]
    fn each_kind_is_written_as_arrow_writes_it() {
        let controls: String = (0..0x80).map(char::from).collect();
        let text = [Some(controls.as_str()), None, Some("é日\"")];
        let doubles = [f64::NAN, 0.0, -0.0, 0.042, 1e8, 99_999_999.999, 1e9, 1e-3, 1e-4, 1e-9, 1.0 / 3.0, 1e300];
        for chunk in doubles.chunks(3) {
            as_arrow(vec![
                ("a\"b", Arc::new(StringArray::from_iter(text))),
                ("view", Arc::new(StringViewArray::from_iter(text))),
                ("int", Arc::new(Int32Array::from(vec![Some(1), None, Some(-5)]))),
                ("big", Arc::new(Int64Array::from(vec![Some(i64::MAX), None, Some(i64::MIN)]))),
                ("double", Arc::new(Float64Array::from_iter_values(chunk.iter().copied()))),
                ("truth", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
                (
                    "instant",
                    Arc::new(
                        TimestampMicrosecondArray::from(vec![Some(1), None, Some(2_000_000)]).with_timezone("UTC"),
                    ),
                ),
                ("bytes", Arc::new(BinaryArray::from_iter([Some(b"ab"), None, Some(b"\xff\x00")]))),
            ]);
        }
    }

    proptest! {
        #[test]
        fn any_row_is_written_as_arrow_writes_it(word in "[a-c\"\\\\\n\u{1}é]{0,50}", bits: u64, thousandths: i32) {
            as_arrow(vec![
                ("text", Arc::new(StringArray::from_iter_values([&word, &word]))),
                ("double", Arc::new(Float64Array::from_iter_values([f64::from_bits(bits), f64::from(thousandths) / 1e3]))),
            ]);
        }
    }
}
