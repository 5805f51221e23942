//! A column chunk of an Arrow array: pages by the library's own writer, compressed by us.
//!
//! A writer of the library that compresses holds a compressor and a decompressor of its own, most
//! of a megabyte that is allocated and cleared for every column of every file: by `perf` 6 % of the
//! CPU of a year of small hours, besides the work of the allocator. So the library writes pages
//! without compression, and each is compressed here with the thread's own compressor. The bytes
//! are those that the library would have written: a test compares them.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};
use bytes::Bytes;
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageReader, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::{ColumnChunkMetaData, OffsetIndexBuilder};
use parquet::file::page_index::offset_index::OffsetIndexMetaData;
use parquet::file::properties::WriterPropertiesPtr;
use parquet::file::serialized_reader::SerializedPageReader;
use parquet::file::writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite};

use super::compress::compress;

/// A chunk's bytes, and what the file's footer and indexes say of it.
pub(super) type Encoded = (Bytes, ColumnCloseResult);

/// Encodes an array, one chunk a leaf. `properties` are those of its file, without compression.
pub(super) fn encode(
    field: &Arc<Field>,
    properties: WriterPropertiesPtr,
    level: ZstdLevel,
    array: &ArrayRef,
) -> Result<Vec<Encoded>> {
    let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
    let converter = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types());
    let root = converter.convert(&schema)?.root_schema_ptr();
    let mut file = SerializedFileWriter::new(Vec::new(), root, properties)?;
    let writers = ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0)?;
    let mut row_group = file.next_row_group()?;
    let mut closed = Vec::with_capacity(writers.len());
    for (mut writer, leaf) in writers.into_iter().zip(compute_leaves(field, array)?) {
        writer.write(&leaf)?;
        let chunk = writer.close()?;
        closed.push(chunk.close().clone());
        chunk.append_to_row_group(&mut row_group)?;
    }
    let written = row_group.close()?;
    file.flush()?;
    let bytes = Arc::new(Bytes::from(std::mem::take(file.inner_mut())));
    let chunks = written.columns().iter().zip(closed);
    chunks.map(|(place, closed)| compressed(&bytes, place, closed, level)).collect()
}

/// A chunk with each of its pages compressed. `place` says where it lies in `bytes`.
fn compressed(
    bytes: &Arc<Bytes>,
    place: &ColumnChunkMetaData,
    closed: ColumnCloseResult,
    level: ZstdLevel,
) -> Result<Encoded> {
    let rows = usize::try_from(closed.rows_written).map_err(too_large)?;
    let mut pages = SerializedPageReader::new(Arc::clone(bytes), place, rows, None)?;
    let mut sink = TrackedWrite::new(Vec::new());
    let (mut compressed_bytes, mut uncompressed_bytes) = (0, 0);
    let (mut dictionary_offset, mut data_pages) = (None, Vec::new());
    while let Some(page) = pages.get_next_page()? {
        let is_dictionary = matches!(page, Page::DictionaryPage { .. });
        let (page, size_bytes) = with_compressed_body(page, level)?;
        let written = SerializedPageWriter::new(&mut sink).write_page(CompressedPage::new(page, size_bytes))?;
        compressed_bytes += written.compressed_size;
        uncompressed_bytes += written.uncompressed_size;
        let offset = i64::try_from(written.offset).map_err(too_large)?;
        if is_dictionary {
            dictionary_offset = Some(offset);
        } else {
            data_pages.push((offset, i32::try_from(written.compressed_size).map_err(too_large)?));
        }
    }
    let first_data_page = data_pages.first().map_or(0, |(offset, _)| *offset);
    let metadata = closed.metadata.clone().into_builder();
    let metadata = metadata
        .set_compression(Compression::ZSTD(level))
        .set_total_compressed_size(i64::try_from(compressed_bytes).map_err(too_large)?)
        .set_total_uncompressed_size(i64::try_from(uncompressed_bytes).map_err(too_large)?)
        .set_data_page_offset(first_data_page)
        .set_dictionary_page_offset(dictionary_offset)
        .build()?;
    let offset_index = closed.offset_index.as_ref().map(|index| moved(index, &data_pages, closed.rows_written));
    let bytes = sink.into_inner().map_err(|error| ParquetError::External(error.to_string().into()))?;
    let closed = ColumnCloseResult {
        bytes_written: compressed_bytes as u64,
        metadata,
        offset_index: offset_index.transpose()?,
        ..closed
    };
    Ok((bytes.into(), closed))
}

/// A page with its body compressed, and the size that the body had.
fn with_compressed_body(page: Page, level: ZstdLevel) -> Result<(Page, usize)> {
    match page {
        Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
            let size_bytes = buf.len();
            Ok((Page::DictionaryPage { buf: compress(&buf, level)?, num_values, encoding, is_sorted }, size_bytes))
        }
        Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics } => {
            let (size_bytes, buf) = (buf.len(), compress(&buf, level)?);
            let page = Page::DataPage { buf, num_values, encoding, def_level_encoding, rep_level_encoding, statistics };
            Ok((page, size_bytes))
        }
        Page::DataPageV2 { .. } => Err(ParquetError::General("a page of version 2, though 1 is asked for".to_owned())),
    }
}

/// The index of pages that now lie elsewhere, each by its offset and size.
fn moved(index: &OffsetIndexMetaData, pages: &[(i64, i32)], rows: u64) -> Result<OffsetIndexMetaData> {
    let mut builder = OffsetIndexBuilder::new();
    let begins = index.page_locations().iter().map(|page| page.first_row_index);
    let begins: Vec<i64> = begins.chain([i64::try_from(rows).map_err(too_large)?]).collect();
    let texts = index.unencoded_byte_array_data_bytes();
    for (number, (offset, size_bytes)) in pages.iter().enumerate() {
        builder.append_row_count(begins[number + 1] - begins[number]);
        builder.append_offset_and_size(*offset, *size_bytes);
        builder.append_unencoded_byte_array_data_bytes(texts.map(|texts| texts[number]));
    }
    Ok(builder.build())
}

fn too_large(error: std::num::TryFromIntError) -> ParquetError {
    ParquetError::External(Box::new(error))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Array, BooleanArray, Float64Array, Int32Array, Int64Array, TimestampMicrosecondArray, builder, new_null_array,
    };
    use arrow::compute::cast;
    use arrow::datatypes::DataType;

    use super::*;
    use crate::kernel::columns::encode::{level_of, properties, uncompressed};
    use crate::kernel::policy::recipe::Fingerprint;
    use crate::kernel::schema::{Column, columns, encoder_schema};
    use crate::model::Table;

    /// A file of one column, all of it by the library.
    fn by_library(field: &Arc<Field>, properties: WriterPropertiesPtr, array: &ArrayRef) -> Vec<u8> {
        let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
        let root = ArrowSchemaConverter::new().with_coerce_types(true).convert(&schema).unwrap().root_schema_ptr();
        let mut file = SerializedFileWriter::new(Vec::new(), root, properties).unwrap();
        let writers = ArrowRowGroupWriterFactory::new(&file, schema).create_column_writers(0).unwrap();
        let mut row_group = file.next_row_group().unwrap();
        for (mut writer, leaf) in writers.into_iter().zip(compute_leaves(field, array).unwrap()) {
            writer.write(&leaf).unwrap();
            writer.close().unwrap().append_to_row_group(&mut row_group).unwrap();
        }
        row_group.close().unwrap();
        file.into_inner().unwrap()
    }

    fn by_us(field: &Arc<Field>, table: Table, column: &Column, array: &ArrayRef) -> Vec<u8> {
        let schema = Arc::new(Schema::new(vec![Arc::clone(field)]));
        let root = ArrowSchemaConverter::new().with_coerce_types(true).convert(&schema).unwrap().root_schema_ptr();
        let properties = properties(table, &Fingerprint::default());
        let mut file = SerializedFileWriter::new(Vec::new(), root, properties).unwrap();
        let mut row_group = file.next_row_group().unwrap();
        for (bytes, closed) in encode(field, uncompressed(table), level_of(column), array).unwrap() {
            row_group.append_column(&bytes, closed).unwrap();
        }
        row_group.close().unwrap();
        file.into_inner().unwrap()
    }

    /// Numbers that follow from a row: some repeat, some are far apart; one in `nulls` is missing.
    fn number(row: usize, distinct: usize, nulls: usize) -> Option<i64> {
        let mixed = (row % distinct).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
        (nulls == 0 || !row.is_multiple_of(nulls)).then(|| i64::try_from(mixed).unwrap())
    }

    fn array(kind: &DataType, rows: usize, distinct: usize, nulls: usize) -> Option<ArrayRef> {
        let numbers = (0..rows).map(|row| number(row, distinct, nulls));
        let small = |value: i64| i32::try_from(value & 0xffff).unwrap();
        Some(match kind {
            DataType::Boolean => Arc::new(numbers.map(|value| Some(value? % 2 == 0)).collect::<BooleanArray>()),
            DataType::Int32 => Arc::new(numbers.map(|value| value.map(small)).collect::<Int32Array>()),
            DataType::Int64 => Arc::new(numbers.collect::<Int64Array>()),
            DataType::Float64 => Arc::new(
                numbers.map(|value| value.map(|value| f64::from(small(value)) / 8.0)).collect::<Float64Array>(),
            ),
            DataType::Timestamp(_, zone) => {
                let times = numbers.collect::<TimestampMicrosecondArray>();
                Arc::new(times.with_timezone_opt(zone.clone()))
            }
            DataType::Map(..) => {
                let text = builder::StringBuilder::new;
                let mut maps = builder::MapBuilder::new(None, text(), text());
                for (row, value) in numbers.enumerate() {
                    for entry in 0..row % 3 {
                        maps.keys().append_value(format!("field{entry}"));
                        maps.values().append_option(value.map(|value| value.to_string()));
                    }
                    maps.append(value.is_some()).unwrap();
                }
                cast(&maps.finish(), kind).unwrap()
            }
            _ => return None,
        })
    }

    #[test]
    fn the_bytes_are_those_of_the_library() {
        let mut compared = 0;
        for table in Table::ALL {
            for (field, column) in encoder_schema(table).fields().iter().zip(columns(table)) {
                let kind = field.data_type();
                for (rows, distinct, nulls) in
                    [(1, 1, 0), (103, 7, 3), (103, 103, 0), (45_000, 300, 5), (45_000, 45_000, 0)]
                {
                    let null = new_null_array(kind, rows);
                    for array in array(kind, rows, distinct, nulls).into_iter().chain([null]) {
                        let expected = by_library(field, properties(table, &Fingerprint::default()), &array);
                        let told = format!("{table} {} of {rows} rows, {} NULL", column.name, array.null_count());
                        assert!(by_us(field, table, column, &array) == expected, "{told}");
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 200, "{compared} arrays");
    }
}
