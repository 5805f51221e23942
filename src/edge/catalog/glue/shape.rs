//! Partitions and tables in Glue's words: columns, formats, parameters.

use aws_sdk_glue::types::{Column, PartitionInput, SerDeInfo, StorageDescriptor};

use crate::edge::catalog::interface::Publication;
use crate::kernel::ddl::Dialect;
use crate::kernel::schema;
use crate::model::Table;

const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

/// Hive's name for a partition's rows.
pub(super) const ROWS: &str = "numRows";

/// What the catalog says of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PartitionState {
    /// Where it lies: a folder below the lake, or the whole location of another place.
    pub(crate) location: String,
    /// Columns of today that it lacks, with their types.
    pub(crate) missing_columns: Vec<(String, String)>,
}

/// Columns as Glue has them.
pub(super) fn columns(table: Table) -> Vec<Column> {
    let column = |column: &schema::Column| {
        let kind = Dialect::Athena.type_name(column.kind);
        Column::builder().name(column.name).r#type(kind).comment(column.doc).build().ok()
    };
    schema::columns(table).iter().filter_map(column).collect()
}

pub(super) fn descriptor(table: Table, location: String) -> StorageDescriptor {
    let serde = SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build();
    StorageDescriptor::builder()
        .set_columns(Some(columns(table)))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .serde_info(serde)
        .build()
}

/// Whether two lists of columns have the same names and types in the same order.
pub(super) fn same_columns(ours: &[Column], theirs: &[Column]) -> bool {
    let names = |columns: &[Column]| -> Vec<(String, String)> {
        columns
            .iter()
            .map(|column| (column.name().to_owned(), column.r#type().unwrap_or_default().to_owned()))
            .collect()
    };
    names(ours) == names(theirs)
}

/// Names and types of columns that others lack.
pub(super) fn missing(theirs: &[Column], ours: &[Column]) -> Vec<(String, String)> {
    let lacks = |column: &&Column| !theirs.iter().any(|there| there.name() == column.name());
    let of = |column: &Column| (column.name().to_owned(), column.r#type().unwrap_or_default().to_owned());
    ours.iter().filter(lacks).map(of).collect()
}

/// A partition as the catalog is to have it. `numRows`, `totalSize` and `numFiles` are Hive's
/// names, which planners read.
pub(super) fn input(publication: &Publication, lake_url: &str) -> PartitionInput {
    PartitionInput::builder()
        .set_values(Some(publication.partition.values()))
        .storage_descriptor(descriptor(publication.partition.table, format!("{lake_url}/{}/", publication.location)))
        .parameters(ROWS, publication.rows().to_string())
        .parameters("totalSize", publication.size_bytes().to_string())
        .parameters("numFiles", publication.files.len().to_string())
        .build()
}

/// Whether two descriptors say the same of where the files lie and how they are read.
pub(super) fn alike(ours: &StorageDescriptor, theirs: &StorageDescriptor) -> bool {
    let location =
        |descriptor: &StorageDescriptor| descriptor.location().unwrap_or_default().trim_end_matches('/').to_owned();
    location(ours) == location(theirs) && same_columns(ours.columns(), theirs.columns())
}
