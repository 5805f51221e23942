//! The signals that ask a run to stop, heeded from its first moment. No other file installs a
//! handler (`tests/house`).
//!
//! | function | who uses it |
//! |-|-|
//! | [`heeding_signals`] | `cli`, around every verb that waits for stores |
//! | [`until_stopped`] | whatever cleans up after itself: `pipeline`, and verbs of `cli` around what they wait for |
//! | [`stop_signal`] | `cli::query`, whose writer may be waiting for a pager that reads no more |

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
        StopSignal { name: signal, .. } = stop_signal() => Err(Error::Stopped { signal }),
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
        StopSignal { name: signal, .. } = stop_signal() => {
            let _ = STOPPED.set(signal);
            let ended = tokio::time::timeout(GRACE, verb).await;
            ended.unwrap_or(Err(Error::Stopped { signal }))
        }
    }
}

/// A signal that asks a process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StopSignal {
    /// Its name, as people know it.
    pub name: &'static str,
    /// Its number: a shell says 128 more than that of a process that it ended.
    pub number: i32,
}

const INTERRUPT: StopSignal = StopSignal { name: "Ctrl-C", number: 2 };
#[cfg(unix)]
const TERMINATE: StopSignal = StopSignal { name: "SIGTERM", number: 15 };
#[cfg(unix)]
const HANGUP: StopSignal = StopSignal { name: "SIGHUP", number: 1 };

/// Waits until the process is asked to stop.
pub async fn stop_signal() -> StopSignal {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) {
            return tokio::select! {
                _ = terminate.recv() => TERMINATE,
                _ = hangup.recv() => HANGUP,
                _ = tokio::signal::ctrl_c() => INTERRUPT,
            };
        }
    }
    let _ = tokio::signal::ctrl_c().await;
    INTERRUPT
}
