//! What to generate.

use std::path::PathBuf;

use crate::model::{HourRange, Table};

/// What to generate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spec {
    /// The folder for the objects; made where missing, refused where it holds anything.
    pub out: PathBuf,
    /// The table that the logs are converted to.
    pub table: Table,
    /// How they are delivered.
    pub delivery: Delivery,
    /// Data rows in total.
    pub rows: u64,
    /// The hours in the objects' names; rows follow a daily curve over them.
    pub hours: HourRange,
    /// Distributions; the first has most of the rows.
    pub distributions: u32,
    /// Another seed gives other logs of the same shape.
    pub seed: u64,
    /// Threads to use; changes nothing in the result.
    pub threads: usize,
}

/// How it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// By the service itself: CloudFront's version 1, a load balancer's own files.
    Classic,
    /// Vended, with a `#Fields` line, in Hive-style folders.
    W3c,
    /// Vended, values without a header, under flat names.
    Plain,
    /// Vended, one JSON object a line, in folders of year, month, day and hour.
    Json,
    /// Vended, as Parquet, in folders of year, month, day and hour.
    Parquet,
}
