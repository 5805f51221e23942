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

    /// Waits for memory and holds it as long as the permit lives. Who wants more than there is gets all of it, alone.
    pub(super) async fn take(&self, bytes: u64) -> Result<SemaphorePermit<'_>> {
        let wanted = u32::try_from(bytes.div_ceil(GRAIN_BYTES)).unwrap_or(u32::MAX).min(self.grains);
        self.free.acquire_many(wanted).await.map_err(closed)
    }
}

/// Units that may be between their claim and the end of their conversion. A claim keeps other runs away, so no more are taken than
/// keep the threads at work.
#[derive(Debug)]
pub(super) struct Turns(Semaphore);

/// A unit's turn, until it is dropped.
#[derive(Debug)]
pub(super) struct Turn<'t>(#[expect(dead_code, reason = "held, not read")] SemaphorePermit<'t>);

/// Units that are claimed and fetched while others are converted: on S3 that takes half a second, twice as long as an hour of
/// 170,000 rows takes two threads.
const TURNS_AHEAD: usize = 4;

impl Turns {
    /// As many as so many threads need.
    pub(super) fn new(threads: usize) -> Self {
        Self(Semaphore::new(threads + TURNS_AHEAD))
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Result<Turn<'_>> {
        self.0.acquire().await.map(Turn).map_err(closed)
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
    async fn what_is_held_is_not_free() {
        let budget = Budget::new(10 * GRAIN_BYTES);
        let held = budget.take(6 * GRAIN_BYTES).await.unwrap();
        assert!(futures::FutureExt::now_or_never(budget.take(6 * GRAIN_BYTES)).is_none());
        drop(held);
        assert!(futures::FutureExt::now_or_never(budget.take(6 * GRAIN_BYTES)).is_some());
    }
}
