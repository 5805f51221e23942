//! A service that takes nothing now is asked again, for a while and with pauses: every call is
//! paid, and so is every reading of a record that comes before it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::edge::clock;
use crate::error::{Error, Result};

/// A service that takes nothing for so long is given up.
const PATIENCE: Duration = Duration::from_mins(10);

/// Between two tries.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a service has taken nothing.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    since: Mutex<Option<Duration>>,
    paused: Mutex<Option<Duration>>,
}

impl Throttle {
    /// Waits a moment, and says that the caller is to try again; the error, where that has been
    /// said for long enough.
    pub(super) async fn again(&self, error: Error) -> Result<bool> {
        let now = clock::since_boot();
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(now);
        if now.saturating_sub(since) > PATIENCE {
            return Err(error);
        }
        tracing::warn!("the catalog takes nothing now, trying again: {error}");
        // Many entries of one call may say the same.
        let paused = self.paused.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if paused.is_none_or(|paused| now.saturating_sub(paused) >= PAUSE) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(false)
    }

    /// The service has taken something.
    pub(super) fn well(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
