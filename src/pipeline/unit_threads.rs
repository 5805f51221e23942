//! Units of logs and lakes that are folders: each is worked on a thread of its own, which waits for
//! files itself ([`waiting`](crate::edge::waiting)).

use tokio::sync::watch;

use crate::edge::waiting::on_one_thread;
use crate::error::{Error, Result};

/// The threads that work on units of this run.
#[derive(Debug, Default)]
pub(super) struct UnitThreads {
    /// Whether they are to stop; each of them listens.
    stop: watch::Sender<bool>,
}

impl UnitThreads {
    /// Works on a unit, to its end or to the next moment at which it waits for something other than
    /// files once the threads are stopped.
    pub(super) async fn work<T, F>(&self, unit: impl FnOnce() -> F + Send + 'static) -> Result<T>
    where
        T: Send + 'static,
        F: Future<Output = Result<T>>,
    {
        let mut stop = self.stop.subscribe();
        on_one_thread(move || async move {
            tokio::select! {
                done = unit() => done,
                // Whoever stops the threads is told why, not they.
                _ = stop.wait_for(|stop| *stop) => Err(Error::Stopped { signal: "the end of its run" }),
            }
        })
        .await
    }

    /// Stops the threads, and waits until no unit is worked on: what they hold may be cleared then.
    pub(super) async fn stop(&self) {
        self.stop.send_replace(true);
        self.stop.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn nothing_is_worked_on_after_a_stop() {
        let (threads, ended) = (UnitThreads::default(), Arc::new(AtomicUsize::new(0)));
        assert_eq!(threads.work(|| async { Ok(7) }).await.unwrap(), 7);
        let at = |ended: Arc<AtomicUsize>| {
            move || async move {
                std::thread::sleep(Duration::from_millis(100));
                ended.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_hours(1)).await;
                Ok(())
            }
        };
        // Nobody waits for the unit any more, as where a run is asked to stop.
        let unit = threads.work(at(Arc::clone(&ended)));
        assert!(tokio::time::timeout(Duration::from_millis(20), unit).await.is_err());
        threads.stop().await;
        assert_eq!(ended.load(Ordering::SeqCst), 1);
        let late = threads.work(at(ended)).await;
        assert!(late.is_err());
    }
}
