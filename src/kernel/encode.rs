//! Columns to Parquet bytes. Every writer property is set here, explicitly, with its reason.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    BloomFilterPosition, EnabledStatistics, WriterProperties, WriterPropertiesPtr, WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use super::enrich::RULES_VERSION;
use super::schema::{ColumnType, arrow_schema, columns, encoder_schema};
use crate::model::Table;

/// Rows in a row group. In a trial before this crate, groups of 50,000 rows cost 7 % in size and 40 % in scanned bytes against
/// whole hours; other sizes have not been measured.
pub const ROW_GROUP_ROWS: usize = 1 << 18;

/// The properties of every file of a table.
fn properties(table: Table) -> WriterPropertiesPtr {
    let path = |name: &str| ColumnPath::from(name);
    let metadata = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut builder = WriterProperties::builder()
        // Data pages of version 1: every engine reads them, some old Athena and Hive readers only them.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_created_by(concat!("edgemill version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![
            metadata("edgemill.table", table.name()),
            metadata("edgemill.rules", RULES_VERSION),
        ]))
        // Level 3 is 0.4 % smaller for 4 % more CPU over the whole conversion (2 million rows of `edgemill generate`), since
        // half of a file is request ids, in which nothing repeats.
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        // Sorted neighbours make every column but the ids repeat; a dictionary of 1 MiB outlives a row group's distinct values.
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(1 << 20)
        // Pages of at most 1 MiB or 20,000 rows: the unit that the page index lets a reader skip.
        .set_data_page_size_limit(1 << 20)
        .set_data_page_row_count_limit(20_000)
        // Values between two looks at a page's size.
        .set_write_batch_size(4_096)
        // Row groups are cut by the caller, who encodes their columns in parallel.
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        // Chunk and page statistics prune by location, client, time and numbers (text columns below); cut at 64 bytes, no more
        // is needed to prune.
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(64))
        .set_column_index_truncate_length(Some(64))
        .set_offset_index_disabled(false)
        // The page index holds the same figures once; readers that know page headers' copies know the index too.
        .set_write_page_header_statistics(false)
        // No bloom filters yet: whether a look-up by request id is worth their bytes has not been measured.
        .set_bloom_filter_enabled(false)
        .set_bloom_filter_position(BloomFilterPosition::AfterRowGroup)
        // Names of nested fields are those of the Parquet specification, whatever Arrow calls them.
        .set_coerce_types(true);
    for column in columns(table) {
        let prunes = !matches!(column.kind, ColumnType::String | ColumnType::Binary | ColumnType::StringMap)
            || matches!(column.name, "x_edge_location" | "c_ip" | "distribution");
        if !prunes {
            // The least and the greatest text of an unsorted column span everything: they never prune, and finding them
            // compares every value twice.
            builder = builder.set_column_statistics_enabled(path(column.name), EnabledStatistics::None);
        }
        if matches!(column.name, "x_edge_request_id" | "connection_id" | "raw_line" | "c_port") {
            // Unique or nearly: a dictionary would be built and thrown away.
            builder = builder
                .set_column_dictionary_enabled(path(column.name), false)
                .set_column_encoding(path(column.name), Encoding::PLAIN);
        }
    }
    Arc::new(builder.build())
}

/// One column of one row group, waiting for its values. Columns may be encoded in any order and on any thread.
pub struct ColumnTask {
    field: Arc<Field>,
    writers: Vec<ArrowColumnWriter>,
}

impl std::fmt::Debug for ColumnTask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ColumnTask").field("field", &self.field).finish_non_exhaustive()
    }
}

impl ColumnTask {
    /// The column's name and type.
    #[must_use]
    pub fn field(&self) -> &Field {
        &self.field
    }

    /// Encodes the column's values.
    pub fn encode(self, values: &ArrayRef) -> Result<EncodedColumn, ParquetError> {
        let leaves = compute_leaves(&self.field, values)?;
        let mut chunks = Vec::with_capacity(self.writers.len());
        for (mut writer, leaf) in self.writers.into_iter().zip(leaves) {
            writer.write(&leaf)?;
            chunks.push(writer.close()?);
        }
        Ok(EncodedColumn(chunks))
    }
}

/// One column of one row group, encoded.
#[derive(Debug)]
pub struct EncodedColumn(Vec<ArrowColumnChunk>);

/// A Parquet file while it grows, in memory.
pub struct FileEncoder {
    schema: SchemaRef,
    writer: SerializedFileWriter<Vec<u8>>,
    factory: ArrowRowGroupWriterFactory,
    row_groups: usize,
}

impl std::fmt::Debug for FileEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileEncoder").field("row_groups", &self.row_groups).finish_non_exhaustive()
    }
}

impl FileEncoder {
    /// Begins a file of a table.
    pub fn new(table: Table) -> Result<Self, ParquetError> {
        let schema = encoder_schema(table);
        let properties = properties(table);
        let converter = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types());
        let root = converter.convert(&arrow_schema(table))?.root_schema_ptr();
        let writer = SerializedFileWriter::new(Vec::new(), root, properties)?;
        let factory = ArrowRowGroupWriterFactory::new(&writer, Arc::clone(&schema));
        Ok(Self { schema, writer, factory, row_groups: 0 })
    }

    /// The columns of the next row group, in order.
    pub fn row_group(&mut self) -> Result<Vec<ColumnTask>, ParquetError> {
        let mut writers = self.factory.create_column_writers(self.row_groups)?.into_iter();
        self.row_groups += 1;
        let task = |field: &Arc<Field>| {
            let leaves = if matches!(field.data_type(), DataType::Map(..)) { 2 } else { 1 };
            ColumnTask { field: Arc::clone(field), writers: writers.by_ref().take(leaves).collect() }
        };
        Ok(self.schema.fields().iter().map(task).collect())
    }

    /// Appends a row group's columns, in order.
    pub fn append(&mut self, columns: Vec<EncodedColumn>) -> Result<(), ParquetError> {
        let mut row_group = self.writer.next_row_group()?;
        for chunk in columns.into_iter().flat_map(|column| column.0) {
            chunk.append_to_row_group(&mut row_group)?;
        }
        row_group.close()?;
        Ok(())
    }

    /// The file's bytes.
    pub fn finish(self) -> Result<Vec<u8>, ParquetError> {
        self.writer.into_inner()
    }
}
