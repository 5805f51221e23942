//! From a raw object to values: is it a log, of which source and format, and what do its lines say?
//!
//! | module | what it does |
//! |-|-|
//! | [`names`] | what an object's key tells: table, hour, distribution; which listings can be skipped |
//! | [`object_bytes`] | an object as stored: whole in memory, or read piece by piece from where it is |
//! | [`inflate`] | gzip and zlib, bounded |
//! | [`parse`] | the format by the first bytes, then lines into blocks of values |

pub mod inflate;
pub mod names;
pub mod object_bytes;
pub mod parse;
