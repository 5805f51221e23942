//! The raw objects that a file's rows come from, by the column that every table has of them.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::error::Cause;
use crate::kernel::schema::FILENAME;

/// The keys of the raw objects that the rows of a Parquet file come from, as they were listed.
///
/// # Errors
/// What the reader says where the bytes are no file of edgemill's.
pub fn raw_objects(bytes: Bytes) -> Result<BTreeSet<String>, Cause> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let mask = ProjectionMask::columns(builder.parquet_schema(), [FILENAME]);
    let mut keys = BTreeSet::new();
    for batch in builder.with_projection(mask).build()? {
        let batch = batch?;
        let column = batch.column_by_name(FILENAME).ok_or("it has no column filename")?;
        let text = cast(column, &DataType::Utf8)?;
        let text = text.as_string::<i32>();
        // Rows of one object mostly follow each other.
        let mut last = None;
        for key in text.iter().flatten() {
            if last != Some(key) {
                last = Some(key);
                if !keys.contains(key) {
                    keys.insert(key.to_owned());
                }
            }
        }
        if text.null_count() > 0 {
            return Err("some of its rows name no raw object".into());
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_file_is_said() {
        assert!(raw_objects(Bytes::from_static(b"no Parquet at all")).is_err());
    }
}
