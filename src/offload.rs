//! The one bridge from tokio to rayon: it carries the work over, and the result or the panic back.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tokio::sync::oneshot;

use crate::error::{Error, Result};

/// The threads that work.
pub type Pool = rayon::ThreadPool;

/// So many of them.
pub fn pool(threads: usize) -> Result<Pool> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).thread_name(|n| format!("work-{n}")).build();
    pool.map_err(|error| Error::Panicked { doing: "starting threads".into(), message: error.to_string() })
}

/// Runs CPU work on a rayon pool and waits for it without holding up I/O. `doing` names the work if
/// it panics.
pub async fn offload<T: Send + 'static>(
    pool: &Pool,
    doing: String,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (send, receive) = oneshot::channel();
    pool.spawn(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        // Nobody waits any more where the run was stopped.
        let _ = send.send(result);
    });
    let panicked = |message: String| Error::Panicked { doing: doing.clone(), message };
    match receive.await {
        Ok(Ok(result)) => result,
        Ok(Err(panic)) => Err(panicked(message(panic.as_ref()))),
        Err(_) => Err(panicked("the worker is gone".to_owned())),
    }
}

fn message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn results_and_panics_come_back() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(offload(&pool, "adding".into(), || Ok(1 + 1)).await.unwrap(), 2);
        let error = offload::<()>(&pool, "hour 5".into(), || panic!("out of {}", "range")).await.unwrap_err();
        assert!(error.to_string().contains("while hour 5: out of range"), "{error}");
    }
}
