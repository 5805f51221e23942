//! What can go wrong, said so that a person knows which thing it was and what to do next; and the
//! exit codes.
//!
//! A bad line is not an error: it goes to the rejects table. A damaged object is not one either:
//! its good lines are kept and the summary says so.

use std::path::Path;

use crate::stats::{count, either};

/// The library's result.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Exit code: all done, a few rejected lines included.
pub const EXIT_DONE: u8 = 0;
/// Exit code: failed; nothing is lost, run it again once the cause is mended.
pub const EXIT_FAILED: u8 = 1;
/// Exit code: wrong usage; the same call can never succeed.
pub const EXIT_USAGE: u8 = 2;
/// Exit code: done and committed, but an object was damaged or could not be read, or too many lines
/// were rejected.
pub const EXIT_DONE_WITH_DAMAGE: u8 = 3;

/// A cause of any type, kept for the message.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Whether a failed write certainly left nothing behind. Only a certain failure may be answered by
/// doing something else; an uncertain one is answered by reading again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certainty {
    /// Nothing was changed.
    DidNotHappen,
    /// The change may have been made although the caller was told otherwise (time-outs, lost
    /// connections, 5xx).
    MayHaveHappened,
}

/// Everything that ends a run early.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The call itself is wrong; `what` names the thing, `hint` the way out.
    #[error("{what}; {hint}")]
    Usage {
        /// What is wrong, with its name.
        what: String,
        /// What to do instead.
        hint: String,
    },
    /// A file, folder, bucket or object could not be read or written.
    #[error("cannot {action} '{path}': {source}{}", hint_of(source))]
    Storage {
        /// A verb: `read`, `write`, `list`, ...
        action: &'static str,
        /// The path or key.
        path: String,
        /// Whether a write may have happened all the same.
        certainty: Certainty,
        /// What the store said.
        source: Cause,
    },
    /// A record or manifest of the ledger is not what this version wrote.
    #[error("ledger object '{path}' is damaged: {source}; {}", way_out(path))]
    LedgerDamaged {
        /// The object below the lake.
        path: String,
        /// What the decoder said.
        source: Cause,
    },
    /// A record, manifest or lake is of another version of the format.
    #[error("'{path}' was written by {by}")]
    LedgerVersion {
        /// The object below the lake.
        path: String,
        /// Who wrote it, and what to do.
        by: &'static str,
    },
    /// Somebody else is at work where this may not be done meanwhile.
    #[error("{what}; nothing was done, run this again when it has ended")]
    Busy {
        /// Who, and where.
        what: String,
    },
    /// Raw objects that rows were made from are gone, so the rows cannot be made again.
    #[error(
        "{unit}: {objects} of its raw objects {}, first: '{first}'; its rows cannot be made again and stay as they \
         are: bring the objects back, or name other hours",
        either(*objects as u64, "is gone", "are gone")
    )]
    RawGone {
        /// The unit.
        unit: String,
        /// How many.
        objects: usize,
        /// The URL of the first.
        first: String,
    },
    /// A file that the records rely on is gone, and no step of the protocol removed it.
    #[error("'{path}' is gone, and edgemill did not remove it: restore it, or write the rows of {about} anew")]
    FileMissing {
        /// The file below the lake.
        path: String,
        /// The unit whose rows it holds, or the partition.
        about: String,
    },
    /// A Parquet file of the lake is not what was written.
    #[error("'{path}' is damaged: {source}; restore it, or write its hour anew")]
    FileDamaged {
        /// The file below the lake.
        path: String,
        /// What the reader said.
        source: Cause,
    },
    /// Something of a lake is damaged, with the command that mends it.
    #[error("{source}; the command that mends it, or says which one does: {command}")]
    Mendable {
        /// The command.
        command: String,
        /// What is damaged.
        source: Box<Self>,
    },
    /// A raw object changed between its listing and its reading.
    #[error("'{key}' ({unit}) changed while it was read: {what}; run again to read it anew")]
    InputChanged {
        /// The raw object's key.
        key: String,
        /// The unit (source and hour) that it belongs to.
        unit: String,
        /// What did not fit.
        what: String,
    },
    /// More lines of a unit were rejected than the job allows.
    #[error(
        "{unit}: {rejected_lines} of {} {} rejected, more than reject_fail_ratio allows; nothing of this \
         hour was committed, first: {first}",
        count(*lines, "line"),
        either(*rejected_lines, "was", "were")
    )]
    TooManyRejects {
        /// The unit that was not committed.
        unit: String,
        /// Lines rejected.
        rejected_lines: u64,
        /// Lines read.
        lines: u64,
        /// Object, line and reason of the first one.
        first: String,
    },
    /// Arrow or Parquet refused what the kernel gave it: a defect of this program.
    #[error("cannot encode {what}: {source}; this is a defect of edgemill, please report it")]
    Encode {
        /// The table and hour, or the file.
        what: String,
        /// What the library said.
        source: Cause,
    },
    /// A query failed.
    #[error("query failed: {source}")]
    Query {
        /// What the engine said.
        source: Cause,
    },
    /// The user, or the scheduler, asked the run to stop.
    #[error("stopped by {signal}: what was committed stays, run again to go on")]
    Stopped {
        /// The signal's name.
        signal: &'static str,
    },
    /// Work on another thread panicked: a defect of this program.
    #[error("a worker panicked while {doing}: {message}; this is a defect of edgemill, please report it")]
    Panicked {
        /// What the worker was doing.
        doing: String,
        /// The panic's message.
        message: String,
    },
}

impl Error {
    /// Wrong usage, with its way out.
    pub fn usage(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { what: what.into(), hint: hint.into() }
    }

    /// A failed call on the local file system.
    #[must_use]
    pub fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        Self::Storage {
            action,
            path: path.display().to_string(),
            certainty: Certainty::DidNotHappen,
            source: Box::new(source),
        }
    }

    /// Something new that could not be made where somebody wished for it: another place is to be
    /// named, unless it was for want of space, or may pass.
    #[must_use]
    pub fn unwritable(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        use std::io::ErrorKind::{Interrupted, OutOfMemory, QuotaExceeded, ResourceBusy, StorageFull, TimedOut};
        if [Interrupted, OutOfMemory, QuotaExceeded, ResourceBusy, StorageFull, TimedOut].contains(&source.kind()) {
            return Self::io(action, path, source);
        }
        Self::usage(
            format!("cannot {action} '{}': {source}", path.display()),
            "name a place that this user may write to, or give the user the right to",
        )
    }

    /// An encoder's refusal.
    pub fn encode(what: impl Into<String>, source: impl Into<Cause>) -> Self {
        Self::Encode { what: what.into(), source: source.into() }
    }

    /// Whether something of the lake itself is damaged, so that trying again cannot help but other
    /// hours may be well.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::FileMissing { .. }
                | Self::FileDamaged { .. }
                | Self::LedgerDamaged { .. }
                | Self::LedgerVersion { .. }
                | Self::Mendable { .. }
        )
    }

    /// The same with the command that mends it, where something is lost or damaged that can be
    /// brought back.
    #[must_use]
    pub fn mended_by(self, command: impl FnOnce() -> String) -> Self {
        let is_part = match &self {
            Self::FileMissing { .. } | Self::FileDamaged { .. } => true,
            Self::LedgerDamaged { path, .. } => is_record(path),
            _ => false,
        };
        if is_part { Self::Mendable { command: command(), source: Box::new(self) } } else { self }
    }

    /// Whether the reader of our output has gone away.
    #[must_use]
    pub fn is_broken_pipe(&self) -> bool {
        match self {
            Self::Storage { source, .. } => {
                io_cause(source).is_some_and(|io| io.kind() == std::io::ErrorKind::BrokenPipe)
            }
            _ => false,
        }
    }

    /// The process exit code that tells a script what kind of failure this is.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Usage { .. } => EXIT_USAGE,
            _ => EXIT_FAILED,
        }
    }
}

/// What to do about a damaged or missing object of the ledger.
fn way_out(path: &str) -> &'static str {
    if is_record(path) {
        "restore it from a copy, or have it made of what is left or of the raw logs"
    } else {
        "restore it from a copy, or convert into a new lake"
    }
}

/// Whether an object of the ledger is one that follows from others, or from the raw logs.
fn is_record(path: &str) -> bool {
    ["units/", "partitions/", "manifests/"].iter().any(|folder| path.contains(folder))
}

/// The way out of the commonest failures of a file system.
fn hint_of(cause: &Cause) -> &'static str {
    match io_cause(cause).map(std::io::Error::kind) {
        Some(std::io::ErrorKind::PermissionDenied) => "; give this user the right to, or run as one that has it",
        Some(std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded) => {
            "; free some space and run again, nothing half-written counts as done"
        }
        _ => "",
    }
}

/// The operating system's word in a chain of causes.
fn io_cause(cause: &Cause) -> Option<&std::io::Error> {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(cause.as_ref());
    while let Some(error) = next {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            return Some(io);
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_thing_and_the_way_out() {
        let full = Error::io("write", Path::new("/lake/a"), std::io::ErrorKind::StorageFull.into());
        assert_eq!(
            full.to_string(),
            "cannot write '/lake/a': no storage space; free some space and run again, nothing half-written counts as done"
        );
        assert_eq!(full.exit_code(), EXIT_FAILED);
        assert_eq!(Error::usage("a", "b").exit_code(), EXIT_USAGE);
        let command = || "edgemill verify".to_owned();
        let missing =
            Error::FileMissing { path: "a".into(), about: "alb_logs/2026-11-21T05".into() }.mended_by(command);
        assert!(missing.is_damage() && missing.to_string().ends_with("or says which one does: edgemill verify"));
        let of = |path: &str| Error::LedgerDamaged { path: path.into(), source: "it is cut off".into() };
        assert!(of("_edgemill/units/a").mended_by(command).to_string().ends_with("edgemill verify"));
        let rest = ["_edgemill/lake.json", "_edgemill/privacy/a"];
        assert!(rest.iter().all(|path| !of(path).mended_by(command).to_string().contains("verify")));
    }
}
