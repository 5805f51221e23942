//! Several files of one partition to few: read back, sorted together, written as a conversion
//! writes.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use arrow::compute::{cast, concat, filter_record_batch};
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use super::builder::HourBatch;
use super::convert::{OutputFile, write};
use super::data::{ColumnData, MapColumn};
use super::encode::{PRIVACY_KEY, RULES_KEY};
use super::interner::{Interner, NULL, StringPool};
use crate::error::{Cause, Error, Result};
use crate::kernel::policy::recipe::Fingerprint;
use crate::kernel::schema::{Coding, Column, ColumnType, FILENAME, arrow_schema, columns};
use crate::model::{Partition, Table};

/// Rows read at a time from a file.
const BATCH_ROWS: usize = 16 << 10;

/// One of the files: its name, for messages, and its bytes.
pub type NamedFile = (String, Bytes);

/// Merges files of a partition. Ties keep the order of the files, so the same files give the same
/// bytes.
pub fn merge(partition: Partition, files: &[NamedFile]) -> Result<Vec<OutputFile>> {
    let (mut parts, mut stamps) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    for (name, bytes) in files {
        let (rows, stamp) =
            read(partition.table, bytes).map_err(|source| Error::FileDamaged { path: name.clone(), source })?;
        parts.push(rows);
        stamps.push(stamp);
    }
    write(partition, &parts, &Fingerprint::of_several(&stamps))
}

/// The rows of some raw objects of a file, in files of their own, and how many each object has;
/// nothing where it holds none.
///
/// # Errors
/// `Error::FileDamaged` where it cannot be read.
pub fn rows_of(
    partition: Partition,
    (name, bytes): &NamedFile,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<(Vec<OutputFile>, BTreeMap<String, u64>)> {
    let mut counts = BTreeMap::new();
    let mut keep = |batch: &RecordBatch| -> Result<RecordBatch, Cause> {
        let column = batch.column_by_name(FILENAME).ok_or("it has no column filename")?;
        let keys = cast(column, &DataType::Utf8)?;
        let mut mask = Vec::with_capacity(batch.num_rows());
        for key in keys.as_string::<i32>() {
            let wanted = key.filter(|key| is_wanted(key));
            if let Some(key) = wanted {
                *counts.entry(key.to_owned()).or_default() += 1;
            }
            mask.push(wanted.is_some());
        }
        Ok(filter_record_batch(batch, &BooleanArray::from(mask))?)
    };
    let damaged = |source| Error::FileDamaged { path: name.clone(), source };
    let (rows, stamp) = read_some(partition.table, bytes, &mut keep).map_err(damaged)?;
    let files = if counts.is_empty() { Vec::new() } else { write(partition, &[rows], &stamp)? };
    Ok((files, counts))
}

fn read(table: Table, bytes: &Bytes) -> Result<(HourBatch, Fingerprint), Cause> {
    read_some(table, bytes, &mut |batch| Ok(batch.clone()))
}

fn read_some(
    table: Table,
    bytes: &Bytes,
    keep: &mut dyn FnMut(&RecordBatch) -> Result<RecordBatch, Cause>,
) -> Result<(HourBatch, Fingerprint), Cause> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes.clone())?.with_batch_size(BATCH_ROWS);
    let pairs = builder.metadata().file_metadata().key_value_metadata().cloned().unwrap_or_default();
    let said = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
    let stamp = Fingerprint {
        rules: said(RULES_KEY).unwrap_or_default(),
        // Files of before there was a choice keep all.
        privacy: said(PRIVACY_KEY).unwrap_or_else(|| "none".to_owned()),
    };
    let reader = builder.build()?;
    let mut batches = Vec::new();
    for batch in reader {
        batches.push(keep(&batch?)?);
    }
    let rows = batches.iter().map(RecordBatch::num_rows).sum();
    let kinds = arrow_schema(table);
    let mut data = Vec::with_capacity(kinds.fields().len());
    for (column, field) in columns(table).iter().zip(kinds.fields()) {
        let arrays: Vec<&ArrayRef> = batches.iter().filter_map(|batch| batch.column_by_name(column.name)).collect();
        data.push(match column.kind {
            ColumnType::String if table != Table::Rejects => text(column, &arrays, rows)?,
            ColumnType::StringMap => map(&arrays, rows)?,
            _ => per_row(&arrays, field.data_type(), rows)?,
        });
    }
    Ok((HourBatch { rows, columns: data, object_keys: Vec::new(), agent_keys: Vec::new() }, stamp))
}

fn per_row(arrays: &[&ArrayRef], kind: &DataType, rows: usize) -> Result<ColumnData, Cause> {
    if arrays.is_empty() {
        return Ok(ColumnData::PerRow(new_null_array(kind, rows)));
    }
    let arrays = arrays.iter().map(|array| cast(array, kind)).collect::<Result<Vec<_>, _>>()?;
    let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
    Ok(ColumnData::PerRow(concat(&arrays)?))
}

fn text(column: &Column, arrays: &[&ArrayRef], rows: usize) -> Result<ColumnData, Cause> {
    let is_unique = column.coding == Coding::Unique;
    let (mut interner, mut unique, mut numbers) =
        (Interner::default(), StringPool::default(), Vec::with_capacity(rows));
    for array in arrays {
        let array = cast(array, &DataType::Utf8)?;
        for value in array.as_string::<i32>() {
            numbers.push(match value {
                None => NULL,
                Some(value) if is_unique => unique.push(value.as_bytes()),
                Some(value) => interner.number(value.as_bytes()),
            });
        }
    }
    numbers.resize(rows, NULL);
    let texts = if is_unique { unique } else { interner.take() };
    if !texts.is_sound() {
        return Err("its texts are too large to be merged".into());
    }
    Ok(ColumnData::Text { numbers, texts: Arc::new(texts) })
}

fn map(arrays: &[&ArrayRef], rows: usize) -> Result<ColumnData, Cause> {
    let mut column = MapColumn::default();
    for array in arrays {
        let array = array.as_map_opt().ok_or("a column of pairs is none")?;
        for row in 0..array.len() {
            if array.is_null(row) {
                column.push_nulls(1);
                continue;
            }
            let pairs = array.value(row);
            let (keys, values) = (cast(pairs.column(0), &DataType::Utf8)?, cast(pairs.column(1), &DataType::Utf8)?);
            let (keys, values) = (keys.as_string::<i32>(), values.as_string::<i32>());
            let pairs = keys
                .iter()
                .zip(values)
                .map(|(key, value)| (key.unwrap_or_default(), value.unwrap_or_default().as_bytes()));
            column.push(pairs);
        }
    }
    if arrays.is_empty() {
        column.push_nulls(rows);
    }
    Ok(ColumnData::PerRow(Arc::new(column.finish()?)))
}
