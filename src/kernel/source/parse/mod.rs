//! Bytes to rows, totally: every line becomes a row, a comment or a reject with its reason and
//! place. Nothing here can fail.
//!
//! Each format has a file that knows how a line falls into values; `decoder.rs` walks the lines,
//! and hands rows on in blocks.
//!
//! Advice to hackers. A block holds at most [`BLOCK_ROWS`] rows so that its bytes and its spans
//! stay in the cache while every column passes over them; a column pass over a whole object costs
//! more than twice as much. A block borrows the input, so it must be used before the input goes
//! away: a decoder lends it to the [`Sink`] and forgets it. All rows of a block have the same
//! fields.

mod alb;
mod belief;
mod decoder;
mod delimited;
mod json;
pub mod parquet;
pub mod sniff;
pub mod values;

pub use alb::FIELDS as ALB_FIELDS;
pub use belief::Belief;
pub use decoder::{Decoder, OBJECT_LIMIT_BYTES, Settings};

/// Rows in a block. 512 rows of 500 bytes and their spans fit in a core's second-level cache.
pub const BLOCK_ROWS: usize = 512;

/// The names of formats, as a summary says what was found.
pub mod found {
    /// Tab-separated, `#Version` and `#Fields`.
    pub const CLOUDFRONT_V1: &str = "CloudFront standard log, v1";
    /// `#Fields` without `#Version`.
    pub const CLOUDFRONT_W3C: &str = "CloudFront standard log, v2 W3C";
    /// One JSON object a line.
    pub const CLOUDFRONT_JSON: &str = "CloudFront standard log, v2 JSON";
    /// Values without a header.
    pub const CLOUDFRONT_PLAIN: &str = "CloudFront standard log, v2 plain";
    /// Apache Parquet.
    pub const CLOUDFRONT_PARQUET: &str = "CloudFront standard log, v2 Parquet";
    /// Streaming logs of CloudFront, which ended in 2020.
    pub const CLOUDFRONT_RTMP: &str = "CloudFront RTMP log, skipped";
    /// The load balancer's own delivery to S3.
    pub const ALB: &str = "ALB access log";
    /// `#Fields`.
    pub const ALB_W3C: &str = "ALB access log, vended W3C";
    /// One JSON object a line.
    pub const ALB_JSON: &str = "ALB access log, vended JSON";
    /// Values without a header, by a list of fields.
    pub const ALB_PLAIN: &str = "ALB access log, vended plain";
    /// Apache Parquet.
    pub const ALB_PARQUET: &str = "ALB access log, vended Parquet";
    /// Lines that nothing explains; all of them are rejected.
    pub const UNKNOWN: &str = "nothing that is read here";
    /// No line that says anything.
    pub const EMPTY: &str = "empty object";
}

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
struct Span {
    start: u32,
    end: u32,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug)]
struct RowPlace {
    /// Offset of its line in the bytes that were decoded.
    start: u32,
    /// Offset of its end, a surplus of empty values included.
    end: u32,
    /// Line number in the object, from 1.
    line_number: u64,
}

/// Rows of one file with the same fields, split into values.
#[derive(Debug)]
pub struct Block<'a> {
    /// Where the lines stand.
    lines: &'a [u8],
    /// Where the values stand: in the lines, or in a copy without escapes.
    values: &'a [u8],
    places: &'a [RowPlace],
    spans: &'a [Span],
    width: usize,
    /// Whether a row has a place in a text at all.
    placed: bool,
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
        let Span { start, end } = self.spans[row * self.width + field];
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
