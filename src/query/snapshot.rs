//! The files that a query reads.

use object_store::path::Path;

use crate::model::{Granularity, Partition, Table};

/// A committed file of the lake.
#[derive(Clone, Debug)]
pub struct SnapshotFile {
    /// Where it lies, from the root of the store.
    pub path: Path,
    /// Its exact size; the reader finds the footer by it.
    pub size_bytes: u64,
    /// Its exact number of rows; `COUNT(*)` is answered from it.
    pub rows: u64,
    /// Its partition.
    pub partition: Partition,
}

/// The files that make up the lake at one moment. A table that is not named, or has no files, is an
/// empty table.
#[derive(Clone, Debug, Default)]
pub struct LakeSnapshot {
    /// How long the lake's partitions are.
    pub granularity: Granularity,
    /// The files of each table.
    pub files: Vec<(Table, Vec<SnapshotFile>)>,
}
