//! The catalog: which folder an engine reads for a partition.

mod athena;
mod coalesce;
mod glue;
mod lake;
mod throttle;

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

pub use athena::{AthenaCatalog, statement_output};
pub use glue::{Change, GlueCatalog, Tables};
pub use lake::LakeCatalog;

use crate::error::Result;
use crate::model::{Partition, Table};

/// A lake whose D is shorter than this cannot have a catalog behind a network: its calls may take
/// effect later.
pub const LEAST_LATE_SECONDS: u64 = glue::LEAST_LATE_SECONDS;

/// Where the files of a partition lie, and how much that is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionLocation {
    /// The folder below the lake.
    pub folder: String,
    /// Rows.
    pub rows: u64,
    /// Bytes of its files.
    pub size_bytes: u64,
    /// Files.
    pub files: u64,
}

/// A partition as a catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The partition.
    pub partition: Partition,
    /// Its folder below the lake, or whatever the catalog has.
    pub folder: String,
    /// Whether it has the columns of today.
    pub current: bool,
    /// Rows, where the catalog was told.
    pub rows: Option<u64>,
}

/// What engines that know partitions by a catalog follow.
///
/// # Contract
/// - [`set`](Catalog::set) creates the partition or corrects it, whatever was there; the last to
///   take effect stands. It begins no call later than `until`, which is counted as
///   [`super::clock::since_boot`] counts, and answers `false` where it was too late, or where the
///   service would not take it now: then the caller reads its record and asks again.
/// - A read that begins after a `set` was answered sees it, or a later one.
/// - Folders are paths below the lake.
#[async_trait]
pub trait Catalog: Debug + Send + Sync {
    /// The folder of a partition, where the catalog knows it.
    async fn folder(&self, partition: Partition) -> Result<Option<String>>;

    /// Creates or corrects a partition.
    async fn set(&self, partition: Partition, place: &PartitionLocation, until: Duration) -> Result<bool>;

    /// Whether this process has already told the catalog these very numbers, or it takes none.
    fn has_told(&self, partition: Partition, place: &PartitionLocation) -> bool;

    /// All partitions of a table, by time.
    async fn partitions(&self, table: Table) -> Result<Vec<Listed>>;
}
