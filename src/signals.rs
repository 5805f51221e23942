//! The signals that ask a run to stop, heeded from its first moment.

use std::sync::OnceLock;
use std::time::Duration;

use crate::error::{Error, Result};

/// Works until the work is done or the run is asked to stop.
pub async fn until_stopped<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    if let Some(signal) = STOPPED.get() {
        return Err(Error::Stopped { signal });
    }
    tokio::select! {
        worked = work => worked,
        signal = stop_signal() => Err(Error::Stopped { signal }),
    }
}

/// The signal that asked this process to stop, once one has.
static STOPPED: OnceLock<&'static str> = OnceLock::new();

/// How long a run that is asked to stop may take to leave things tidy. Batch sends SIGKILL 30 s
/// after SIGTERM.
const GRACE: Duration = Duration::from_secs(15);

/// Does all of a verb that waits for stores. From its first moment on the process heeds signals,
/// which the first process of a container would else not get at all; whatever listens for them by
/// itself has some seconds to end, anything else is dropped then.
pub async fn heeding_signals<T>(verb: impl Future<Output = Result<T>>) -> Result<T> {
    let mut verb = std::pin::pin!(verb);
    tokio::select! {
        done = &mut verb => done,
        signal = stop_signal() => {
            let _ = STOPPED.set(signal);
            let ended = tokio::time::timeout(GRACE, verb).await;
            ended.unwrap_or(Err(Error::Stopped { signal }))
        }
    }
}

/// Waits until the run is asked to stop.
async fn stop_signal() -> &'static str {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            return tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = hangup.recv() => "SIGHUP",
                _ = tokio::signal::ctrl_c() => "Ctrl-C",
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    "Ctrl-C"
}
