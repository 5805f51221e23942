//! Memory, shared out: who wants some waits until it is free.

use tokio::sync::{AcquireError, Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// What a budget is counted in, so that any amount of memory fits a semaphore's count.
const GRAIN_BYTES: u64 = 1 << 16;

/// Some memory.
#[derive(Debug)]
pub(super) struct Budget {
    grains: u32,
    free: Semaphore,
}

impl Budget {
    /// A budget of at least one grain.
    pub(super) fn new(bytes: u64) -> Self {
        let grains = u32::try_from(bytes / GRAIN_BYTES).unwrap_or(u32::MAX >> 4).clamp(1, u32::MAX >> 4);
        Self { grains, free: Semaphore::new(grains as usize) }
    }

    /// Waits for memory and holds it as long as the permit lives. Who wants more than there is gets
    /// all of it, alone.
    pub(super) async fn take(&self, bytes: u64) -> Result<SemaphorePermit<'_>> {
        let wanted = u32::try_from(bytes.div_ceil(GRAIN_BYTES)).unwrap_or(u32::MAX).min(self.grains);
        self.free.acquire_many(wanted).await.map_err(closed)
    }
}

/// Units that may be claimed and not yet converted. A claim keeps other runs away, so no more are
/// taken than keep the threads at work in the memory that there is. (Where another run was faster,
/// or objects changed, a unit converts a second time without a turn.)
#[derive(Debug)]
pub(super) struct Turns {
    count: Semaphore,
    /// What converting all of them at the same time would take.
    memory: Budget,
}

/// A unit's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'t>(#[expect(dead_code, reason = "held, not read")] [SemaphorePermit<'t>; 2]);

/// Units that are claimed and fetched while others are converted, where calls take a while: on S3
/// that takes half a second, twice as long as two threads take for an hour of 170,000 rows.
const TURNS_AHEAD: usize = 8;

/// How often the memory for converting is promised: to what is converted, and to what is claimed
/// and fetched meanwhile.
const PROMISED_TIMES: u64 = 3;

impl Turns {
    /// As many as so many threads and so much memory for converting are worth.
    pub(super) fn new(threads: usize, convert_bytes: u64, local: bool) -> Self {
        let ahead = if local { 1 } else { TURNS_AHEAD };
        Self { count: Semaphore::new(threads + ahead), memory: Budget::new(convert_bytes * PROMISED_TIMES) }
    }

    /// Waits for a turn of a unit that takes so much memory to convert.
    pub(super) async fn take(&self, convert_bytes: u64) -> Result<Turn<'_>> {
        let count = self.count.acquire().await.map_err(closed)?;
        Ok(Turn([count, self.memory.take(convert_bytes).await?]))
    }
}

fn closed(_: AcquireError) -> Error {
    Error::Panicked { doing: "waiting for memory".into(), message: "the budget is closed".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn any_wish_is_granted_in_any_budget() {
        for bytes in [0, 1, GRAIN_BYTES - 1, GRAIN_BYTES + 1, 300_000_000, 1 << 30, u64::MAX] {
            let budget = Budget::new(bytes);
            for wish in [0, 1, bytes / 2, bytes, u64::MAX] {
                drop(budget.take(wish).await.unwrap());
            }
        }
    }

    #[tokio::test]
    async fn turns_are_as_many_as_threads_and_memory_are_worth() {
        for (threads, convert_bytes, local, wish, expected) in
            [(2, 1 << 30, true, 1 << 20, 3), (2, 1 << 30, false, 1 << 20, 10), (16, 400 << 20, true, 352 << 20, 3)]
        {
            let turns = Turns::new(threads, convert_bytes, local);
            let mut held = Vec::new();
            while let Some(turn) = futures::FutureExt::now_or_never(turns.take(wish)) {
                held.push(turn.unwrap());
            }
            assert_eq!(held.len(), expected, "{threads} threads");
        }
    }

    #[tokio::test]
    async fn what_is_held_is_not_free() {
        let budget = Budget::new(10 * GRAIN_BYTES);
        let held = budget.take(6 * GRAIN_BYTES).await.unwrap();
        assert!(futures::FutureExt::now_or_never(budget.take(6 * GRAIN_BYTES)).is_none());
        drop(held);
        assert!(futures::FutureExt::now_or_never(budget.take(6 * GRAIN_BYTES)).is_some());
    }
}
