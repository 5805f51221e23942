//! What a decoder hands on: blocks of rows, split into values, and lines that are no rows.

/// Rows in a block. 512 rows of 500 bytes and their spans fit in a core's second-level cache.
pub const BLOCK_ROWS: usize = 512;

/// A line that is no row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reject {
    /// The line's number in the decompressed object, from 1.
    pub line_number: u64,
    /// The line's offset in the decompressed object, from 0.
    pub byte_offset: u64,
    /// Why it is no row; names the field where one is to blame.
    pub reason: String,
    /// The line as it was, without its end.
    pub raw_line: Vec<u8>,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ValueSpan {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowPlace {
    /// Offset of its line in the bytes that were decoded.
    pub(super) start: u32,
    /// Offset of its end, a surplus of empty values included.
    pub(super) end: u32,
    /// Line number in the object, from 1.
    pub(super) line_number: u64,
}

/// Rows of one file with the same fields, split into values.
#[derive(Debug)]
pub struct Block<'a> {
    /// Where the lines stand.
    pub(super) lines: &'a [u8],
    /// Where the values stand: in the lines, or in a copy without escapes.
    pub(super) values: &'a [u8],
    pub(super) places: &'a [RowPlace],
    pub(super) spans: &'a [ValueSpan],
    pub(super) width: usize,
    /// Whether a row has a place in a text at all.
    pub(super) placed: bool,
}

impl<'a> Block<'a> {
    /// Number of rows.
    #[must_use]
    pub const fn rows(&self) -> usize {
        self.places.len()
    }

    /// One value, as logged; `-` where the row has none.
    #[must_use]
    pub fn value(&self, row: usize, field: usize) -> &'a [u8] {
        let ValueSpan { start, end } = self.spans[row * self.width + field];
        &self.values[start as usize..end as usize]
    }

    /// Line number (from 1) and bytes of a row.
    #[must_use]
    pub fn line(&self, row: usize) -> (u64, &'a [u8]) {
        let RowPlace { start, end, line_number } = self.places[row];
        (line_number, &self.lines[start as usize..end as usize])
    }

    /// Offset of a row in the bytes that were decoded; 0 where rows have no such place.
    #[must_use]
    pub fn offset(&self, row: usize) -> u64 {
        if self.placed { u64::from(self.places[row].start) } else { 0 }
    }
}

/// What takes a decoder's output.
pub trait Sink {
    /// The names of the fields of the rows that follow.
    fn fields(&mut self, names: &[String]);
    /// Rows; `base_bytes` is the object's offset of the bytes that were decoded.
    fn block(&mut self, block: &Block<'_>, base_bytes: u64);
    /// A line that is no row.
    fn reject(&mut self, reject: Reject);
}
