//! Threads that may wait for files: a task of its own for each wait, or a whole piece of work on
//! one of them.
//!
//! A task for each file costs two switches of threads. Where a unit is small, as most are in a year
//! of 70,000 objects, those were 260 calls of `futex` a unit (`strace -f -c`), more than anything
//! else that a run asked of the kernel.

use std::cell::Cell;

use tokio::runtime::Handle;
use tokio::task::JoinError;

use crate::error::{Error, Result};

/// Bytes of files that are read or written on a task of their own, whatever thread asks: other work
/// of the same unit goes on meanwhile.
pub(super) const LONG_BYTES: u64 = 1 << 20;

thread_local! {
    /// Whether this thread may wait.
    static MAY_WAIT: Cell<bool> = const { Cell::new(false) };
}

/// Does something that may wait: here where this thread may, else on one that may.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    if MAY_WAIT.get() { work() } else { aside(work).await }
}

/// Does something that waits for long: on a thread of its own, so that the caller's goes on.
pub(super) async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|error| panicked(&error))?
}

/// Does a whole piece of work on one thread that may wait. Once begun it is not ended from outside,
/// even where nobody waits for it any more.
pub async fn on_one_thread<T, F>(work: impl FnOnce() -> F + Send + 'static) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>>,
{
    let runtime = Handle::current();
    let done = tokio::task::spawn_blocking(move || {
        let _may_wait = MayWait::begin();
        runtime.block_on(work())
    });
    done.await.map_err(|error| panicked(&error))?
}

fn panicked(error: &JoinError) -> Error {
    Error::Panicked { doing: "working on files".into(), message: error.to_string() }
}

/// While it lives, its thread may wait; a thread is lent to others after.
struct MayWait;

impl MayWait {
    fn begin() -> Self {
        MAY_WAIT.set(true);
        Self
    }
}

impl Drop for MayWait {
    fn drop(&mut self) {
        MAY_WAIT.set(false);
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn one_thread_does_all_of_it_and_none_of_what_is_long() {
        let threads = on_one_thread(|| async {
            let here = thread::current().id();
            let there = blocking(|| Ok(thread::current().id())).await?;
            let long = aside(|| Ok(thread::current().id())).await?;
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            Ok((here, there, long, thread::current().id()))
        });
        let (here, there, long, after) = threads.await.unwrap();
        assert_eq!((here, here), (there, after));
        assert_ne!(here, long);
        // Whoever gets that thread next knows nothing of it.
        for _ in 0..8 {
            assert!(!aside(|| Ok(MAY_WAIT.get())).await.unwrap());
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_and_leaves_the_thread_as_it_was() {
        let told = on_one_thread::<(), _>(|| async { panic!("a step") }).await;
        assert!(told.is_err());
        assert!(!aside(|| Ok(MAY_WAIT.get())).await.unwrap());
    }
}
