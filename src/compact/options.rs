//! What is to be merged, and how much memory that may take.

use crate::kernel::columns::convert::FILE_ROWS;

/// What is to be merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactOptions {
    /// The size that files are merged up to.
    pub target_bytes: u64,
    /// Fewer small files of a unit than this are left alone; at least 2.
    pub small_files: usize,
    /// Memory that merging may need.
    pub memory_bytes: u64,
}

/// Memory that a row needs while it is merged: 523,000 rows of `edgemill generate` in five files
/// took 604 MiB in all (`tests/memory.rs` with 1 KiB here and nothing below).
pub(super) const ROW_COST_BYTES: u64 = 1_400;

/// The same by the bytes of a file, for rows that are longer.
const FILE_COST: u64 = 8;

/// Memory that is needed besides.
pub(super) const BASE_COST_BYTES: u64 = 64 << 20;

impl CompactOptions {
    /// The most rows of a merged file.
    pub(super) const fn most_rows(&self) -> u64 {
        let fit = self.memory_bytes.saturating_sub(BASE_COST_BYTES) / ROW_COST_BYTES;
        if fit < FILE_ROWS as u64 { fit } else { FILE_ROWS as u64 }
    }

    /// The most bytes of the files that become one.
    pub(super) const fn most_bytes(&self) -> u64 {
        let fit = self.memory_bytes.saturating_sub(BASE_COST_BYTES) / FILE_COST;
        if fit < self.target_bytes { fit } else { self.target_bytes }
    }
}
