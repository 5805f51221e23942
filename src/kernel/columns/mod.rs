//! From values to Parquet files.
//!
//! | module | what it does |
//! |-|-|
//! | [`mapping`] | the column of each logged field |
//! | [`interner`] | each distinct text once; columns hold numbers |
//! | [`data`] | a column under construction |
//! | [`builder`] | blocks of values into batches of columns, by hour |
//! | [`rejects`] | lines that are no rows, as a table of their own |
//! | [`sort`] | the order of rows in a file |
//! | [`encode`] | columns into Parquet pages, row groups and filters |
//! | [`convert`] | many objects on many threads: the one place where rayon works |
//! | [`merge`] | several files into one |
//! | [`footer`], [`origins`] | what a finished file tells: its rows, its raw objects |

pub mod builder;
pub mod convert;
pub mod data;
pub mod encode;
pub mod footer;
pub mod interner;
pub mod mapping;
pub mod merge;
pub mod origins;
pub mod rejects;
pub mod sort;
