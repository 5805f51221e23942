//! Bytes to rows, totally: every line becomes a row, a comment or a reject with its reason and place. Nothing here can fail.

pub mod values;
pub mod w3c;

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
