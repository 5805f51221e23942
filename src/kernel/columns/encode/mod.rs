//! Columns to Parquet bytes. Every writer property is set here, explicitly, with its reason.
//!
//! | file | what it does |
//! |-|-|
//! | `limits` | sizes of pages and dictionaries, levels of compression, each with its measurement |
//! | `text`, `coded` | a column of text, from the numbers of its rows |
//! | `library` | a column of anything else, by the library's writer |
//! | `hybrid` | small numbers: levels and dictionary numbers |
//! | `filter` | Bloom filters |
//! | `compress` | compressors that are made once a thread |

mod coded;
mod compress;
mod filter;
mod hybrid;
mod library;
mod limits;
#[cfg(test)]
mod tests;
mod text;

use std::sync::{Arc, LazyLock};

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, SchemaRef};
use parquet::arrow::ArrowSchemaConverter;
use parquet::basic::{Compression, Encoding};
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{
    BloomFilterPosition, EnabledStatistics, WriterProperties, WriterPropertiesBuilder, WriterPropertiesPtr,
    WriterVersion,
};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;

use crate::kernel::policy::recipe::Fingerprint;
use crate::kernel::schema::{Coding, Column, ColumnType, arrow_schema, columns, encoder_schema, sort_columns};
use crate::model::Table;

use coded::CodedColumn;
use limits::{DICTIONARY_LIMIT_BYTES, PAGE_LIMIT_BYTES, PAGE_ROWS, STATISTICS_LIMIT_BYTES, level_of, zstd_level};
pub use text::CodedText;

/// Rows in a row group. In a trial before this crate, groups of 50,000 rows cost 7 % in size and 40
/// % in scanned bytes against whole hours; other sizes have not been measured.
pub const ROW_GROUP_ROWS: usize = 1 << 18;

/// Under which key a file says by which rules its user agents were looked at.
pub const RULES_KEY: &str = "edgemill.rules";

/// Under which key a file says what was kept of people.
pub const PRIVACY_KEY: &str = "edgemill.privacy";

/// The properties of every file of a table.
fn properties(table: Table, stamp: &Fingerprint) -> WriterPropertiesPtr {
    let metadata = |key: &str, value: &str| KeyValue::new(key.to_owned(), value.to_owned());
    let mut builder = pages(table)
        .set_created_by(concat!("edgemill version ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_key_value_metadata(Some(vec![
            metadata("edgemill.table", table.name()),
            metadata(RULES_KEY, &stamp.rules),
            metadata(PRIVACY_KEY, &stamp.privacy),
        ]))
        .set_compression(Compression::ZSTD(zstd_level()));
    for column in columns(table).iter().filter(|column| column.coding == Coding::Plain) {
        let compression = Compression::ZSTD(level_of(column));
        builder = builder.set_column_compression(ColumnPath::from(column.name), compression);
    }
    Arc::new(builder.build())
}

/// The properties with which the library makes pages that are compressed afterwards.
fn uncompressed(table: Table) -> WriterPropertiesPtr {
    static BY_TABLE: LazyLock<Vec<(Table, WriterPropertiesPtr)>> = LazyLock::new(|| {
        let made = |table| (table, Arc::new(pages(table).set_compression(Compression::UNCOMPRESSED).build()));
        Table::ALL.into_iter().map(made).collect()
    });
    let known = BY_TABLE.iter().find(|(of, _)| *of == table);
    known.map_or_else(|| Arc::new(pages(table).build()), |(_, properties)| Arc::clone(properties))
}

/// What follows for pages, statistics and indexes of a table, whatever compresses them.
fn pages(table: Table) -> WriterPropertiesBuilder {
    let path = |name: &str| ColumnPath::from(name);
    let mut builder = WriterProperties::builder()
        // Data pages of version 1: every engine reads them, some old Athena and Hive readers only
        // them.
        .set_writer_version(WriterVersion::PARQUET_1_0)
        .set_dictionary_enabled(true)
        .set_dictionary_page_size_limit(DICTIONARY_LIMIT_BYTES)
        .set_data_page_size_limit(PAGE_LIMIT_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        // Values between two looks at a page's size.
        .set_write_batch_size(4_096)
        // Row groups are cut by the caller, who encodes their columns in parallel.
        .set_max_row_group_row_count(None)
        .set_max_row_group_bytes(None)
        // Chunk and page statistics prune by location, client, time and numbers (text columns
        // below).
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_statistics_truncate_length(Some(STATISTICS_LIMIT_BYTES))
        .set_column_index_truncate_length(Some(STATISTICS_LIMIT_BYTES))
        .set_offset_index_disabled(false)
        // The page index holds the same figures once; readers that know page headers' copies know
        // the index too.
        .set_write_page_header_statistics(false)
        // Columns that are looked up have theirs made with their chunks (filter.rs); the library
        // makes none.
        .set_bloom_filter_enabled(false)
        .set_bloom_filter_position(BloomFilterPosition::AfterRowGroup)
        // Names of nested fields are those of the Parquet specification, whatever Arrow calls them.
        .set_coerce_types(true);
    for column in columns(table) {
        if !prunes(table, column) {
            builder = builder.set_column_statistics_enabled(path(column.name), EnabledStatistics::None);
        }
        if column.coding != Coding::Dictionary {
            builder = builder
                .set_column_dictionary_enabled(path(column.name), false)
                .set_column_encoding(path(column.name), Encoding::PLAIN);
        }
    }
    builder
}

/// Whether a column's statistics are worth having. The least and the greatest text of an unsorted
/// column span everything: they never prune, and finding them compares every value twice.
fn prunes(table: Table, column: &Column) -> bool {
    !matches!(column.kind, ColumnType::String | ColumnType::Binary | ColumnType::StringMap)
        || sort_columns(table).contains(&column.name)
}

/// The values of one column of one row group.
#[derive(Clone, Debug)]
pub enum ColumnValues<'a> {
    /// Text by number.
    Text(CodedText<'a>),
    /// Anything.
    Array(ArrayRef),
}

/// One column of one row group, waiting for its values. Columns may be encoded in any order and on
/// any thread.
pub struct ColumnTask {
    field: Arc<Field>,
    properties: WriterPropertiesPtr,
    coded: CodedColumn,
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
    pub fn encode(self, values: &ColumnValues<'_>) -> Result<EncodedColumn, ParquetError> {
        let chunks = match values {
            ColumnValues::Text(text) => vec![self.coded.encode(*text)?],
            ColumnValues::Array(array) => library::encode(&self.field, self.properties, self.coded.level, array)?,
        };
        Ok(EncodedColumn(chunks))
    }
}

/// One column of one row group, encoded: a chunk for each leaf.
#[derive(Debug)]
pub struct EncodedColumn(Vec<library::Encoded>);

/// A Parquet file while it grows, in memory.
pub struct FileEncoder {
    table: Table,
    schema: SchemaRef,
    writer: SerializedFileWriter<Vec<u8>>,
    row_groups: usize,
}

impl std::fmt::Debug for FileEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileEncoder").field("row_groups", &self.row_groups).finish_non_exhaustive()
    }
}

impl FileEncoder {
    /// Begins a file of a table.
    pub fn new(table: Table, stamp: &Fingerprint) -> Result<Self, ParquetError> {
        let schema = encoder_schema(table);
        let properties = properties(table, stamp);
        let converter = ArrowSchemaConverter::new().with_coerce_types(properties.coerce_types());
        let root = converter.convert(&arrow_schema(table))?.root_schema_ptr();
        let writer = SerializedFileWriter::new(Vec::new(), root, properties)?;
        Ok(Self { table, schema, writer, row_groups: 0 })
    }

    /// The columns of the next row group, in order.
    pub fn row_group(&mut self) -> Result<Vec<ColumnTask>, ParquetError> {
        self.row_groups += 1;
        let mut leaf = 0;
        let task = |(field, column): (&Arc<Field>, &Column)| {
            let leaves = if matches!(field.data_type(), DataType::Map(..)) { 2 } else { 1 };
            let coded = CodedColumn {
                descriptor: self.writer.schema_descr().column(leaf),
                statistics: prunes(self.table, column),
                level: level_of(column),
                filter: column.looked_up.then_some(column.coding == Coding::Unique),
            };
            leaf += leaves;
            ColumnTask { field: Arc::clone(field), properties: uncompressed(self.table), coded }
        };
        Ok(self.schema.fields().iter().zip(columns(self.table)).map(task).collect())
    }

    /// Appends a row group's columns, in order.
    pub fn append(&mut self, columns: Vec<EncodedColumn>) -> Result<(), ParquetError> {
        let mut row_group = self.writer.next_row_group()?;
        for (bytes, closed) in columns.into_iter().flat_map(|column| column.0) {
            row_group.append_column(&bytes, closed)?;
        }
        row_group.close()?;
        Ok(())
    }

    /// The file's bytes.
    pub fn finish(self) -> Result<Vec<u8>, ParquetError> {
        self.writer.into_inner()
    }
}
