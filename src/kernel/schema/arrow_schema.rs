//! The Arrow schema of a table's files, from its columns.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use super::column::{Column, ColumnType};
use super::lookup::columns;
use crate::model::Table;

/// The Arrow schema of a table's files. Every column may be NULL: a log of another year lacks some.
#[must_use]
pub fn arrow_schema(table: Table) -> SchemaRef {
    static SCHEMAS: LazyLock<HashMap<Table, SchemaRef>> = LazyLock::new(|| {
        let schema = |table| Arc::new(Schema::new(columns(table).iter().map(arrow_field).collect::<Fields>()));
        Table::ALL.iter().map(|table| (*table, schema(*table))).collect()
    });
    SCHEMAS.get(&table).cloned().unwrap_or_else(|| Arc::new(Schema::empty()))
}

fn arrow_field(column: &Column) -> Field {
    let data_type = match column.kind {
        ColumnType::String => DataType::Utf8,
        ColumnType::Int => DataType::Int32,
        ColumnType::Bigint => DataType::Int64,
        ColumnType::Double => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::Binary => DataType::Binary,
        ColumnType::StringMap => DataType::Map(map_entries(MapKeys::Texts), false),
    };
    Field::new(column.name, data_type, true)
}

/// How the keys of a map are held in memory; the Parquet file is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKeys {
    /// Each as its text.
    Texts,
    /// As numbers of the few texts that there are.
    Numbered,
}

/// The entries of a map column, named as the Parquet format's MAP type names them.
#[must_use]
pub fn map_entries(keys: MapKeys) -> Arc<Field> {
    let key = match keys {
        MapKeys::Texts => DataType::Utf8,
        MapKeys::Numbered => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    };
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", DataType::Utf8, true)]);
    Arc::new(Field::new("key_value", DataType::Struct(fields), false))
}

/// The Arrow schema as columns come to the encoder: [`arrow_schema`], the keys of maps as numbers.
#[must_use]
pub fn encoder_schema(table: Table) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Map(..) => {
            let map = DataType::Map(map_entries(MapKeys::Numbered), false);
            Arc::new(field.as_ref().clone().with_data_type(map))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(arrow_schema(table).fields().iter().map(field).collect::<Fields>()))
}
