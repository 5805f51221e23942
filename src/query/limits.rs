//! What a query may use, and how its memory is shared out.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use bytesize::ByteSize;
use datafusion::error::DataFusionError;
use datafusion::execution::disk_manager::DiskManager;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};

use super::failed::failed;
use crate::error::{Error, Result};

/// Memory that a query may use unless it is told otherwise.
pub const DEFAULT_MEMORY_BYTES: u64 = 1 << 30;

/// The least that the reading of one part and the writing of its rows fit in.
pub const LEAST_MEMORY_BYTES: u64 = 256 << 20;

/// What reading a part takes at most: a row group as it is stored, a page of each column as it is
/// read, some thousand rows of them all, and what the allocator keeps of it.
const PART_BYTES: u64 = 160 << 20;

/// Rows that the engine takes at a time. The rows of logs are wide: as JSON so many take 7 MB, and
/// a sort that merges what it put on disk holds as many of each piece.
pub(super) const BATCH_ROWS: usize = 4_096;

/// What a query may use.
#[derive(Clone, Debug)]
pub struct Limits {
    threads: NonZeroUsize,
    memory_bytes: u64,
    /// Nothing is done beside anything else.
    is_alone: bool,
    /// Holds what does not fit in memory, in a folder of the system's temporary files that is made
    /// when it is needed.
    disk: Arc<DiskManager>,
}

/// How it is shared out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shares {
    /// Parts of a plan that are read at the same time, and threads that the engine may plan for.
    pub(super) parts: usize,
    /// Rows that are ready to be written before their turn.
    ahead_bytes: u64,
    /// What sorting, grouping and joining may hold before they go to disk. What they do not count
    /// (rows on their way to and from the disk, what the allocator keeps) was measured at more than
    /// as much again, beside a part that is being read.
    pool_bytes: usize,
}

impl Limits {
    /// So many threads, and so much memory in bytes.
    ///
    /// # Errors
    /// `Error::Usage` where the memory is less than the least.
    pub fn new(threads: NonZeroUsize, memory_bytes: Option<u64>) -> Result<Self> {
        let memory_bytes = memory_bytes.unwrap_or(DEFAULT_MEMORY_BYTES);
        if memory_bytes < LEAST_MEMORY_BYTES {
            return Err(Error::usage(
                format!("--memory is {}", ByteSize(memory_bytes)),
                format!("give at least {}: reading one file needs that", ByteSize(LEAST_MEMORY_BYTES)),
            ));
        }
        let disk = DiskManager::builder().build().map_err(failed)?;
        Ok(Self { threads, memory_bytes, is_alone: false, disk: Arc::new(disk) })
    }

    /// The same for a plan whose every step is done by one thread. Of several that sort at the same
    /// time, the first that merges what it put on disk takes the memory that the others need to go
    /// on.
    pub(super) fn alone(&self) -> Self {
        Self { is_alone: true, ..self.clone() }
    }

    /// The folders of what did not fit in memory. A query removes them at its end; whoever ends the
    /// process before has to.
    #[must_use]
    pub fn spill_folders(&self) -> Vec<PathBuf> {
        self.disk.temp_dir_paths()
    }

    pub(super) fn runtime(&self) -> Result<Arc<RuntimeEnv>, DataFusionError> {
        let pool = Arc::new(FairSpillPool::new(self.shares().pool_bytes));
        let runtime = RuntimeEnvBuilder::new().with_memory_pool(pool).build()?;
        Ok(Arc::new(RuntimeEnv { disk_manager: Arc::clone(&self.disk), ..runtime }))
    }

    pub(super) fn shares(&self) -> Shares {
        let fit = usize::try_from(self.memory_bytes / 2 / PART_BYTES).unwrap_or(usize::MAX);
        Shares {
            // One more than threads, so that none of them waits while the first part ends.
            parts: if self.is_alone { 1 } else { fit.clamp(1, self.threads.get() + 1) },
            ahead_bytes: self.memory_bytes / 4,
            pool_bytes: usize::try_from(self.memory_bytes / 6).unwrap_or(usize::MAX),
        }
    }
}

impl Shares {
    /// What one part may hold ready. Were it one sum for all, those further on could take what the
    /// first one needs.
    pub(super) fn part_ahead_bytes(&self) -> usize {
        usize::try_from(self.ahead_bytes).unwrap_or(usize::MAX) / self.parts
    }
}
