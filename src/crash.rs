//! Where a run can be made to die, for the tests that kill it: `EDGEMILL_CRASH=NAME:N` ends the
//! process, as SIGKILL would, right before its N-th action of that name. Nothing else looks at the
//! variable.

use crate::kernel::ledger::protocol::Action;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

static ORDER: OnceLock<Option<(String, u64)>> = OnceLock::new();
static SEEN: AtomicU64 = AtomicU64::new(0);

fn order() -> Option<&'static (String, u64)> {
    let read = || {
        let text = std::env::var("EDGEMILL_CRASH").ok()?;
        let (name, count) = text.split_once(':')?;
        Some((name.to_owned(), count.parse().ok()?))
    };
    ORDER.get_or_init(read).as_ref()
}

/// Every name that an action has here, in the order of the protocol; the last are the pipeline's
/// own.
pub const NAMES: [&str; 17] = [
    "manifest",
    "read-unit",
    "swap-unit",
    "read-partition",
    "copy",
    "swap-partition",
    "list-staging",
    "look",
    "delete",
    "remove",
    "wait",
    "set-catalog",
    "read-catalog",
    "stage",
    "claim",
    "staged",
    "restore",
];

/// Dies here, if that was ordered.
pub fn point(action: &Action) {
    if order().is_some() {
        here(name(action));
    }
}

/// Dies at a place of this name, if that was ordered.
pub fn here(name: &str) {
    let Some((ordered, count)) = order() else { return };
    if ordered == name && SEEN.fetch_add(1, Ordering::SeqCst) + 1 == *count {
        #[cfg(unix)]
        #[expect(unsafe_code, reason = "the standard library cannot send a signal")]
        // SAFETY: a signal to ourselves, which nothing survives.
        unsafe {
            libc::kill(libc::getpid(), libc::SIGKILL);
        }
        std::process::abort();
    }
}

const fn name(action: &Action) -> &'static str {
    match action {
        Action::WriteManifest => "manifest",
        Action::ReadUnit | Action::ReadInputs(_) => "read-unit",
        Action::SwapUnit(_) => "swap-unit",
        Action::ReadPartition(_) => "read-partition",
        Action::Copy(_) | Action::Mark(_) => "copy",
        Action::SwapPartition(_) => "swap-partition",
        Action::ListStaging => "list-staging",
        Action::Look(_) => "look",
        Action::Delete(_) => "delete",
        Action::RemoveFolder(_) => "remove",
        Action::Wait(_) => "wait",
        Action::SetCatalog(..) => "set-catalog",
        Action::ReadCatalog(_) => "read-catalog",
        Action::Finish(_) | Action::Settle(_) | Action::Done(_) => "",
    }
}
