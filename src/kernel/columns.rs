//! Builders of Arrow columns, filled block by block.
//!
//! Text columns are plain string arrays: the Parquet writer takes those at least cost and interns them itself, so a
//! dictionary array would pay twice. A column whose values repeat for a known reason (everything that follows from the
//! user agent, the object's name) is not built per row at all: a row keeps a number, and the values are looked up when the
//! column is written.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, MapArray, NullBufferBuilder, StringArray,
    StructArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::error::ArrowError;

use super::schema::{ColumnType, map_entries};

/// A column of text.
#[derive(Debug)]
pub struct TextColumn {
    values: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0], nulls: NullBufferBuilder::new(0) }
    }
}

impl TextColumn {
    /// Makes room for values of so many bytes, so that a growing column is not copied time and again.
    fn reserve(&mut self, bytes: usize) {
        self.values.reserve(bytes);
        self.offsets.reserve(bytes / 8);
    }

    /// Appends a value.
    #[inline]
    pub fn push(&mut self, value: &[u8]) {
        self.values.extend_from_slice(value);
        self.close_value();
        self.nulls.append_non_null();
    }

    /// Appends NULLs.
    #[inline]
    pub fn push_nulls(&mut self, count: usize) {
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.resize(self.offsets.len() + count, end);
        self.nulls.append_n_nulls(count);
    }

    /// Past 2 GiB the offset stays behind and `finish` reports it; callers flush long before (convert's limits).
    #[inline]
    fn close_value(&mut self) {
        self.offsets.push(i32::try_from(self.values.len()).unwrap_or(i32::MAX));
    }

    /// The array; fails where the bytes are not UTF-8 or more than 2 GiB.
    pub fn finish(mut self) -> Result<StringArray, ArrowError> {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(self.offsets));
        StringArray::try_new(offsets, Buffer::from_vec(self.values), self.nulls.finish())
    }
}

/// A column of numbers.
#[derive(Debug)]
pub struct NumberColumn<T> {
    values: Vec<T>,
    nulls: NullBufferBuilder,
}

impl<T> Default for NumberColumn<T> {
    fn default() -> Self {
        Self { values: Vec::new(), nulls: NullBufferBuilder::new(0) }
    }
}

impl<T: Default + Clone> NumberColumn<T> {
    /// Appends a value or NULL.
    #[inline]
    pub fn push(&mut self, value: Option<T>) {
        self.nulls.append(value.is_some());
        self.values.push(value.unwrap_or_default());
    }

    /// Appends NULLs.
    pub fn push_nulls(&mut self, count: usize) {
        self.values.resize(self.values.len() + count, T::default());
        self.nulls.append_n_nulls(count);
    }
}

/// A column of text to text.
#[derive(Debug, Default)]
pub struct MapColumn {
    keys: TextColumn,
    values: TextColumn,
    lengths: Vec<usize>,
    nulls: Option<NullBufferBuilder>,
}

impl MapColumn {
    /// Appends one row's entries; none is NULL.
    pub fn push<'a>(&mut self, entries: impl Iterator<Item = (&'a str, &'a [u8])>) {
        let before = self.keys.offsets.len();
        for (key, value) in entries {
            self.keys.push(key.as_bytes());
            self.values.push(value);
        }
        let count = self.keys.offsets.len() - before;
        self.lengths.push(count);
        self.nulls.get_or_insert_with(|| NullBufferBuilder::new(0)).append(count > 0);
    }

    /// Appends NULLs.
    pub fn push_nulls(&mut self, count: usize) {
        self.lengths.resize(self.lengths.len() + count, 0);
        self.nulls.get_or_insert_with(|| NullBufferBuilder::new(0)).append_n_nulls(count);
    }

    /// The array.
    pub fn finish(mut self) -> Result<MapArray, ArrowError> {
        let entries = map_entries();
        let arrow::datatypes::DataType::Struct(fields) = entries.data_type() else {
            return Err(ArrowError::SchemaError("a map's entries are a struct".to_owned()));
        };
        let arrays: Vec<ArrayRef> = vec![Arc::new(self.keys.finish()?), Arc::new(self.values.finish()?)];
        let pairs = StructArray::try_new(fields.clone(), arrays, None)?;
        let offsets = OffsetBuffer::from_lengths(self.lengths);
        let nulls = self.nulls.as_mut().and_then(NullBufferBuilder::finish);
        MapArray::try_new(entries, offsets, pairs, nulls, false)
    }
}

/// One column while it grows.
#[derive(Debug)]
#[expect(missing_docs, reason = "each variant is the column type of its name")]
pub enum Builder {
    Text(TextColumn),
    Int(NumberColumn<i32>),
    Bigint(NumberColumn<i64>),
    Double(NumberColumn<f64>),
    Map(MapColumn),
    /// Not built per row: its values are looked up when the column is written.
    Derived,
}

impl Builder {
    /// A builder for logged values of a type, with room for text of so many bytes; other types are derived.
    #[must_use]
    pub fn for_type(kind: ColumnType, text_bytes: usize) -> Self {
        match kind {
            ColumnType::String => {
                let mut column = TextColumn::default();
                column.reserve(text_bytes);
                Self::Text(column)
            }
            ColumnType::Int => Self::Int(NumberColumn::default()),
            ColumnType::Bigint => Self::Bigint(NumberColumn::default()),
            ColumnType::Double => Self::Double(NumberColumn::default()),
            ColumnType::StringMap => Self::Map(MapColumn::default()),
            ColumnType::Boolean | ColumnType::Timestamp | ColumnType::Binary => Self::Derived,
        }
    }

    /// Appends NULLs.
    pub fn push_nulls(&mut self, count: usize) {
        match self {
            Self::Text(column) => column.push_nulls(count),
            Self::Int(column) => column.push_nulls(count),
            Self::Bigint(column) => column.push_nulls(count),
            Self::Double(column) => column.push_nulls(count),
            Self::Map(column) => column.push_nulls(count),
            Self::Derived => {}
        }
    }

    /// The array, or `None` for a derived column.
    pub fn finish(self) -> Result<Option<ArrayRef>, ArrowError> {
        Ok(Some(match self {
            Self::Text(column) => Arc::new(column.finish()?),
            Self::Int(mut column) => Arc::new(Int32Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Bigint(mut column) => Arc::new(Int64Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Double(mut column) => Arc::new(Float64Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Map(column) => Arc::new(column.finish()?),
            Self::Derived => return Ok(None),
        }))
    }
}

/// A text array of optional values; the values of one derived column.
pub fn texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}

/// A boolean array of optional values.
pub fn booleans(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// Bytes of an array's values, the same for the same values whatever the room that was left for more.
#[must_use]
pub fn array_bytes(array: &ArrayRef) -> usize {
    array.to_data().get_slice_memory_size().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_maps_keep_values_and_nulls() {
        let mut text = TextColumn::default();
        text.push(b"a");
        text.push_nulls(2);
        text.push(b"");
        let array = text.finish().unwrap();
        assert_eq!(array.iter().collect::<Vec<_>>(), [Some("a"), None, None, Some("")]);

        let mut map = MapColumn::default();
        map.push_nulls(1);
        map.push([("k", &b"v"[..]), ("l", &b"w"[..])].into_iter());
        map.push(std::iter::empty());
        let array = map.finish().unwrap();
        assert_eq!((array.len(), array.is_null(0), array.value_length(1), array.is_null(2)), (3, true, 2, true));
    }

    #[test]
    fn bytes_that_are_not_text_never_become_text() {
        let mut text = TextColumn::default();
        text.push(b"\xff");
        assert!(text.finish().is_err());
    }
}
