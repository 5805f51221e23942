//! What a compaction did.

use serde::Serialize;

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compacted {
    /// Partitions looked at.
    pub partitions: u64,
    /// Partitions of which files were merged.
    pub compacted_partitions: u64,
    /// Partitions left alone, since somebody was at work there.
    pub busy_partitions: u64,
    /// Files before.
    pub replaced_files: u64,
    /// Their bytes.
    pub replaced_bytes: u64,
    /// Files after.
    pub output_files: u64,
    /// Their bytes.
    pub output_bytes: u64,
    /// Rows moved.
    pub rows: u64,
    /// Batches that units' records name in one with others from now on.
    pub folded_batches: u64,
}

impl Compacted {
    /// Adds what was merged in a partition.
    pub(super) const fn add_merged(&mut self, of: &Self) {
        self.replaced_files += of.replaced_files;
        self.replaced_bytes += of.replaced_bytes;
        self.output_files += of.output_files;
        self.output_bytes += of.output_bytes;
        self.rows += of.rows;
    }
}
