//! The catalog: which folder an engine reads for a partition.

mod lake;

use std::fmt::Debug;

use async_trait::async_trait;

pub use lake::LakeCatalog;

use crate::error::Result;
use crate::model::{Partition, Table};

/// What engines that know partitions by a catalog follow.
///
/// # Contract
/// - [`set`](Catalog::set) creates the partition or corrects its folder, whatever was there; the last to take effect stands.
/// - A read that begins after a `set` was answered sees it, or a later one.
/// - Folders are paths below the lake.
#[async_trait]
pub trait Catalog: Debug + Send + Sync {
    /// The folder of a partition, where the catalog knows it.
    async fn folder(&self, partition: Partition) -> Result<Option<String>>;

    /// Creates or corrects a partition.
    async fn set(&self, partition: Partition, folder: &str) -> Result<()>;

    /// All partitions of a table, by hour.
    async fn partitions(&self, table: Table) -> Result<Vec<(Partition, String)>>;
}
