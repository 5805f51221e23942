//! Builders of columns, filled block by block.
//!
//! A text column is a number per row into the texts of the task ([`super::interner`]), so that a
//! text that repeats is kept once. A column whose values follow from the user agent or the object's
//! name is not built per row at all: a row keeps the number of its user agent and object, and the
//! values are looked up when the column is written. Numbers, times and maps are Arrow arrays.

use std::borrow::Cow;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, MapArray, NullBufferBuilder,
    StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::Int32Type;
use arrow::error::ArrowError;

use super::interner::{Interner, NULL, StringPool};
use crate::kernel::schema::{Coding, Column, ColumnType, MapKeys, map_entries};

/// The values of a map column.
#[derive(Debug)]
pub struct TextColumn {
    values: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
    sound: bool,
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { values: Vec::new(), offsets: vec![0], nulls: NullBufferBuilder::new(0), sound: true }
    }
}

impl TextColumn {
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

    /// Past 2 GiB the offset stays behind and `finish` refuses; an object and a task hold far less
    /// (convert's limits).
    #[inline]
    fn close_value(&mut self) {
        let end = i32::try_from(self.values.len());
        self.sound &= end.is_ok();
        self.offsets.push(end.unwrap_or(i32::MAX));
    }

    /// The array; fails where the bytes are not UTF-8 or more than 2 GiB.
    pub fn finish(mut self) -> Result<StringArray, ArrowError> {
        if !self.sound {
            return Err(ArrowError::OffsetOverflowError(self.values.len()));
        }
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

/// A column of text to text. Its keys are few and are kept once, however many rows have them.
#[derive(Debug, Default)]
pub struct MapColumn {
    names: Interner,
    keys: Vec<i32>,
    values: TextColumn,
    lengths: Vec<usize>,
    nulls: Option<NullBufferBuilder>,
}

impl MapColumn {
    /// Appends one row's entries; none is NULL.
    pub fn push<'a>(&mut self, entries: impl Iterator<Item = (&'a str, impl AsRef<[u8]>)>) {
        let before = self.keys.len();
        for (key, value) in entries {
            // Names are counted from 1, an array's values from 0; there are far fewer than 2^31.
            self.keys.push(i32::try_from(self.names.number(key.as_bytes())).unwrap_or(1) - 1);
            self.values.push(value.as_ref());
        }
        let count = self.keys.len() - before;
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
        let entries = map_entries(MapKeys::Numbered);
        let arrow::datatypes::DataType::Struct(fields) = entries.data_type() else {
            return Err(ArrowError::SchemaError("a map's entries are a struct".to_owned()));
        };
        let names = self.names.take();
        let texts = (1..=u32::try_from(names.len()).unwrap_or(0)).map(|number| std::str::from_utf8(names.get(number)));
        let texts = texts.collect::<Result<Vec<_>, _>>().map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        let keys = DictionaryArray::<Int32Type>::try_new(self.keys.into(), Arc::new(StringArray::from(texts)))?;
        let arrays: Vec<ArrayRef> = vec![Arc::new(keys), Arc::new(self.values.finish()?)];
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
    /// Per row the number of its text.
    Text(Vec<u32>),
    Int(NumberColumn<i32>),
    Bigint(NumberColumn<i64>),
    Timestamp(NumberColumn<i64>),
    Double(NumberColumn<f64>),
    Map(Box<MapColumn>),
    /// Not built per row: its values are looked up when the column is written.
    Derived,
}

impl Builder {
    /// A builder for logged values of a type; other types are derived.
    #[must_use]
    pub fn for_type(kind: ColumnType) -> Self {
        match kind {
            ColumnType::String => Self::Text(Vec::new()),
            ColumnType::Int => Self::Int(NumberColumn::default()),
            ColumnType::Bigint => Self::Bigint(NumberColumn::default()),
            ColumnType::Double => Self::Double(NumberColumn::default()),
            ColumnType::StringMap => Self::Map(Box::default()),
            ColumnType::Timestamp => Self::Timestamp(NumberColumn::default()),
            ColumnType::Boolean | ColumnType::Binary => Self::Derived,
        }
    }

    /// Appends NULLs.
    pub fn push_nulls(&mut self, count: usize) {
        match self {
            Self::Text(numbers) => numbers.resize(numbers.len() + count, NULL),
            Self::Int(column) => column.push_nulls(count),
            Self::Bigint(column) | Self::Timestamp(column) => column.push_nulls(count),
            Self::Double(column) => column.push_nulls(count),
            Self::Map(column) => column.push_nulls(count),
            Self::Derived => {}
        }
    }

    /// The column; its texts are those that its task's [`TextStore`] has numbered.
    pub fn finish(self, texts: &Arc<StringPool>) -> Result<ColumnData, ArrowError> {
        let array: ArrayRef = match self {
            Self::Text(numbers) => return Ok(ColumnData::Text { numbers, texts: Arc::clone(texts) }),
            Self::Int(mut column) => Arc::new(Int32Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Bigint(mut column) => Arc::new(Int64Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Timestamp(mut column) => {
                let times = TimestampMicrosecondArray::try_new(column.values.into(), column.nulls.finish())?;
                Arc::new(times.with_timezone("UTC"))
            }
            Self::Double(mut column) => Arc::new(Float64Array::try_new(column.values.into(), column.nulls.finish())?),
            Self::Map(column) => Arc::new(column.finish()?),
            Self::Derived => return Ok(ColumnData::Absent),
        };
        Ok(ColumnData::PerRow(array))
    }
}

/// The values of one column of some rows.
#[derive(Clone, Debug)]
pub enum ColumnData {
    /// A value per row.
    PerRow(ArrayRef),
    /// Per row the number of its text.
    Text {
        /// A number per row; 0 is NULL.
        numbers: Vec<u32>,
        /// The texts.
        texts: Arc<StringPool>,
    },
    /// A text per object; a row's is found by its object key.
    ObjectText(LookedUp),
    /// A text per user agent; a row's is found by its agent key.
    AgentText(LookedUp),
    /// A value per user agent; a row's is found by its agent key.
    PerAgent(ArrayRef),
    /// NULL in every row.
    Absent,
}

/// A text per object or user agent.
#[derive(Clone, Debug)]
pub struct LookedUp {
    /// Per object or user agent the number of its text; 0 is NULL.
    pub numbers: Vec<u32>,
    /// The texts.
    pub texts: Arc<StringPool>,
}

impl LookedUp {
    /// Of optional texts, in the order of their keys.
    pub fn of<'a>(values: impl Iterator<Item = Option<&'a str>>) -> Self {
        let mut interner = Interner::default();
        let numbers = values.map(|value| value.map_or(NULL, |value| interner.number(value.as_bytes()))).collect();
        Self { numbers, texts: Arc::new(interner.take()) }
    }
}

/// Changes every text of a column, each distinct one once.
#[derive(Clone, Debug)]
pub struct TextChange {
    /// The texts after it.
    pub texts: Arc<StringPool>,
    /// By the number before: the number after.
    pub numbers: Vec<u32>,
}

impl TextChange {
    /// Of texts; no text is NULL.
    pub fn of<'t>(texts: &'t StringPool, change: impl Fn(&'t [u8]) -> Option<Cow<'t, [u8]>>) -> Self {
        let (texts, numbers) = texts.changed(change);
        Self { texts: Arc::new(texts), numbers }
    }

    /// A column after it.
    #[must_use]
    pub fn apply(&self, numbers: &[u32]) -> ColumnData {
        let numbers = numbers.iter().map(|number| self.numbers[*number as usize]).collect();
        ColumnData::Text { numbers, texts: Arc::clone(&self.texts) }
    }
}

/// The texts of one column of one task: shared by all its hours.
#[derive(Debug)]
pub enum TextStore {
    /// Equal texts have one number.
    Repeating(Interner),
    /// Every row has its own: nobody looks for equals.
    Unique(StringPool),
}

impl TextStore {
    /// For a column; about `raw_bytes` of log are to come.
    #[must_use]
    pub fn new(column: &Column, raw_bytes: usize) -> Self {
        if column.coding == Coding::Unique {
            let mut texts = StringPool::default();
            // A request id is about a ninth of its line.
            texts.reserve(raw_bytes / 8);
            Self::Unique(texts)
        } else {
            Self::Repeating(Interner::default())
        }
    }

    /// The number of a text.
    #[inline]
    pub fn number(&mut self, text: &[u8]) -> u32 {
        match self {
            Self::Repeating(interner) => interner.number(text),
            Self::Unique(texts) => texts.push(text),
        }
    }

    /// The texts so far; fails where one is not UTF-8 or they are more than 4 GiB.
    pub fn take(&mut self) -> Result<Arc<StringPool>, ArrowError> {
        let texts = match self {
            Self::Repeating(interner) => interner.take(),
            Self::Unique(texts) => std::mem::take(texts),
        };
        if texts.is_sound() {
            Ok(Arc::new(texts))
        } else {
            Err(ArrowError::InvalidArgumentError("a column's text is not UTF-8, or more than 4 GiB".to_owned()))
        }
    }
}

/// A boolean array of optional values.
pub fn booleans(values: impl Iterator<Item = Option<bool>>) -> ArrayRef {
    Arc::new(values.collect::<BooleanArray>())
}

/// Bytes of an array's values, the same for the same values whatever the room that was left for
/// more.
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
        map.push(std::iter::empty::<(&str, &[u8])>());
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
