//! The trait of catalogs: what each can do, whatever service is behind it.
//!
//! A new kind of catalog implements [`Catalog`], and is opened in `mod.rs`; no caller changes.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::error::Result;
use crate::kernel::ledger::records::{FileEntry, PartitionRecord};
use crate::model::{Partition, Table};

/// The current files of a partition, as a catalog is told of them. A catalog of folders
/// (Glue) needs their folder; one of snapshots needs the files themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Publication {
    /// The partition.
    pub partition: Partition,
    /// Where its files lie: a folder below the lake.
    pub location: String,
    /// All of them, by their names in that folder.
    pub files: Vec<FileEntry>,
}

impl Publication {
    /// The current files of a partition's record.
    #[must_use]
    pub fn of(record: &PartitionRecord) -> Self {
        let files = record.files().cloned().collect();
        Self { partition: record.partition, location: record.folder.clone(), files }
    }

    /// Rows of all its files.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    /// Bytes of all its files.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.size_bytes).sum()
    }
}

/// A partition as a catalog lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogEntry {
    /// The partition.
    pub partition: Partition,
    /// Where engines read it: a folder below the lake, or whatever else the catalog has.
    pub location: String,
    /// Whether engines read it with the columns of today. A catalog that keeps columns for a whole
    /// table says yes.
    pub has_current_columns: bool,
    /// Rows, where the catalog keeps them.
    pub rows: Option<u64>,
}

/// What engines that know partitions by a catalog follow.
///
/// # Contract
/// - [`publish`](Catalog::publish) lets engines read these files of a partition from now on,
///   whatever was published before; the last to take effect stands.
/// - [`withdraw`](Catalog::withdraw) lets engines read nothing of a partition from now on. One that
///   is not published is fine. It deletes no file of the partition.
/// - Both begin no call later than `until`, which is counted as
///   [`crate::edge::clock::since_boot`] counts. They answer `false` where it was too late, or where
///   the service would not take it now: then the caller reads its record and asks again.
/// - A read that begins after one of them was answered `true` sees it, or a later one.
/// - Locations are paths below the lake.
#[async_trait]
pub trait Catalog: Debug + Send + Sync {
    /// Publishes the current files of a partition.
    async fn publish(&self, publication: &Publication, until: Duration) -> Result<bool>;

    /// Withdraws a partition.
    async fn withdraw(&self, partition: Partition, until: Duration) -> Result<bool>;

    /// Whether another call of [`publish`](Catalog::publish) would tell the catalog nothing new,
    /// once it shows the location: this process has told it these numbers, or it keeps none.
    fn knows_numbers(&self, publication: &Publication) -> bool;

    /// The location that engines read for a partition, where one is published.
    async fn shown(&self, partition: Partition) -> Result<Option<String>>;

    /// All published partitions of a table, by time.
    async fn list(&self, table: Table) -> Result<Vec<CatalogEntry>>;
}
