//! Bytes to rows, totally: every line becomes a row, a comment or a reject with its reason and
//! place. Nothing here can fail.
//!
//! | file | what it knows |
//! |-|-|
//! | [`sniff`], `belief` | what an object is, by its first line or its fields |
//! | `decoder` | lines, whatever their format, into blocks |
//! | `delimited`, `json`, `positional` | how a line of the format falls into values |
//! | [`parquet`] | rows of a Parquet file into blocks |
//! | `block` | what is handed on: [`Block`], [`Reject`], [`Sink`] |
//! | [`values`] | numbers and times |
//!
//! Advice to hackers. A block holds at most [`BLOCK_ROWS`] rows so that its bytes and its spans
//! stay in the cache while every column passes over them; a column pass over a whole object costs
//! more than twice as much. A block borrows the input, so it must be used before the input goes
//! away: a decoder lends it to the [`Sink`] and forgets it. All rows of a block have the same
//! fields.

mod belief;
mod block;
mod decoder;
mod delimited;
mod json;
pub mod parquet;
mod positional;
pub mod sniff;
pub mod values;

pub use belief::Belief;
pub use block::{BLOCK_ROWS, Block, Reject, Sink};
pub use decoder::{Decoder, OBJECT_LIMIT_BYTES, Settings};
