//! Bytes and values in, bytes and values out. Nothing in this folder reads a clock, a file, the network, the environment
//! or a random number, or logs; time and chance are arguments. A test in the crate keeps that.

pub mod columns;
pub mod convert;
pub mod ddl;
pub mod encode;
pub mod enrich;
pub mod footer;
pub mod inflate;
pub mod mapping;
pub mod merge;
pub mod names;
pub mod origins;
pub mod parse;
pub mod places;
pub mod plan;
pub mod privacy;
pub mod protocol;
pub mod recipe;
pub mod records;
pub mod rejects;
pub mod restore;
pub mod rows;
pub mod same;
pub mod schema;
pub mod sort;
pub mod stored;
pub mod texts;
