//! Writes that rest on what is there: an object only where there is none, and a copy of one that
//! must be there.
//!
//! Such a write is always one PUT: nothing that goes up in parts has a condition, so nothing rests
//! on the condition of a `CompleteMultipartUpload`, which some stores ignore that keep the one of a
//! PUT.

use std::time::Duration;

use bytes::Bytes;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutMode, PutOptions};

use super::Objects;
use crate::edge::clock;
use crate::edge::local;
use crate::edge::local::Lasting;
use crate::edge::store_error::{has_no_conditions, is_absent, is_conflict, is_final, shown};
use crate::edge::waiting;
use crate::error::{Certainty, Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;

use std::sync::atomic::Ordering;

/// Tries of a write that meets others of its name, which S3 answers with 409 and
/// `ConditionalRequestConflict`: the first pause between two, and the longest. All of them take
/// some 10 s, far less than what `max_call_delay` has beyond the time of one call.
const CONFLICT_TRIES: u32 = 12;
const CONFLICT_PAUSE: Duration = Duration::from_millis(50);
const CONFLICT_PAUSE_AT_MOST: Duration = Duration::from_millis(1_600);

/// Times that an object of our own is put whose writing was answered by nothing that says what
/// became of it, and the pause.
const OWN_TRIES: u32 = 3;
const OWN_PAUSE: Duration = Duration::from_millis(500);

/// Times that a copy is asked for of an object that the store shows and does not find, the pause,
/// and until when: the copy rests on a reading that grows old.
const COPY_TRIES: u32 = 3;
const COPY_PAUSE: Duration = Duration::from_millis(200);
const COPY_AGAIN_FOR: Duration = Duration::from_secs(5);

impl Objects {
    /// Says that nothing here rests on a write under a condition, since the records lie elsewhere:
    /// where the store has none, objects are looked for and then put.
    #[must_use]
    pub fn sparing_conditions(self) -> Self {
        Self { spares_conditions: true, ..self }
    }

    /// Puts an object only if there is none of its name.
    ///
    /// A store behind a network is asked again by its library when an answer is lost, and then
    /// finds what it has just written: that an object is there says nothing of whose it is. Only
    /// other bytes do.
    pub async fn put_new(&self, path: &Path, bytes: Bytes) -> Result<CasOutcome> {
        self.put_new_as(path, bytes, Lasting::Both).await
    }

    /// As [`Self::put_new`], of something on which nothing correct rests: it may be lost with the
    /// power.
    pub async fn put_new_hint(&self, path: &Path, bytes: Bytes) -> Result<CasOutcome> {
        self.put_new_as(path, bytes, Lasting::Neither).await
    }

    async fn put_new_as(&self, path: &Path, bytes: Bytes, lasting: Lasting) -> Result<CasOutcome> {
        if let Some(file) = self.file(path) {
            self.calls.put.fetch_add(1, Ordering::Relaxed);
            return waiting::blocking(move || local::put_new(&file, &bytes, lasting)).await;
        }
        for attempt in 0..CONFLICT_TRIES {
            if self.spares_conditions && self.has_no_conditions.load(Ordering::Relaxed) {
                return self.put_where_none_is_seen(path, bytes).await;
            }
            match self.try_new(path, bytes.clone()).await {
                Ok(()) => return Ok(CasOutcome::Committed),
                Err(error @ (object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. })) => {
                    match self.get(path).await? {
                        Some(there) if there == bytes => return Ok(CasOutcome::Indeterminate),
                        Some(_) => return Ok(CasOutcome::Conflict),
                        None if !is_conflict(&error) => return Ok(CasOutcome::Indeterminate),
                        None => {
                            tracing::debug!(%path, attempt, "the store met another write of this name, trying again");
                        }
                    }
                }
                Err(error) => match has_no_conditions(&error) {
                    Some(_) if self.spares_conditions => self.has_no_conditions.store(true, Ordering::Relaxed),
                    Some(said) => return Err(self.without_conditions(&said)),
                    // What was refused was not done, and will not be.
                    None if is_final(&error) => return Err(self.failed("write", path, error)),
                    None => return Ok(CasOutcome::Indeterminate),
                },
            }
            tokio::time::sleep(jittered(CONFLICT_PAUSE * 2_u32.pow(attempt.min(5)))).await;
        }
        let said = "the store answered 409 (ConditionalRequestConflict) each time";
        Err(self.unwritten(path, Certainty::DidNotHappen, said))
    }

    /// One such write as the library does it.
    pub(in crate::edge) async fn try_new(&self, path: &Path, bytes: Bytes) -> object_store::Result<()> {
        self.calls.put.fetch_add(1, Ordering::Relaxed);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        self.store.put_opts(path, bytes.into(), options).await.map(|_| ())
    }

    async fn put_where_none_is_seen(&self, path: &Path, bytes: Bytes) -> Result<CasOutcome> {
        if let Some(there) = self.get(path).await? {
            return Ok(if there == bytes { CasOutcome::Indeterminate } else { CasOutcome::Conflict });
        }
        self.put(path, bytes).await.map(|()| CasOutcome::Committed)
    }

    /// Puts an object whose name nobody gives to other bytes: once this has returned it is there.
    pub async fn put_own(&self, path: &Path, bytes: Bytes) -> Result<()> {
        for _ in 0..OWN_TRIES {
            match self.put_new(path, bytes.clone()).await? {
                CasOutcome::Committed | CasOutcome::Conflict => return Ok(()),
                CasOutcome::Indeterminate if self.size(path).await?.is_some() => return Ok(()),
                CasOutcome::Indeterminate => tokio::time::sleep(OWN_PAUSE).await,
            }
        }
        Err(self.unclear(path))
    }

    /// That nothing tells what became of a write, but that it is not there.
    pub(crate) fn unclear(&self, path: &Path) -> Error {
        self.unwritten(path, Certainty::MayHaveHappened, "no answer said whether it was written, and it is not there")
    }

    fn unwritten(&self, path: &Path, certainty: Certainty, said: &str) -> Error {
        let source = format!("{said}; run again, nothing is lost").into();
        Error::Storage { action: "write", path: shown(&self.name(path)), certainty, source }
    }

    /// That a ledger cannot be kept here, and where it can.
    pub(in crate::edge) fn without_conditions(&self, said: &str) -> Error {
        let unset = if said.contains("AWS_CONDITIONAL_PUT") { "unset it, or " } else { "" };
        Error::usage(
            format!("the store of '{}' cannot write an object only where there is none: {said}", self.url()),
            format!("{unset}{}", self.elsewhere()),
        )
    }

    /// How a lake is made here whose records are elsewhere.
    pub(in crate::edge) fn elsewhere(&self) -> String {
        format!(
            "keep the ledger in DynamoDB: edgemill init --to {} --ledger dynamodb:TABLE (a lake that is there keeps the ledger \
             that it was made with: make a new one)",
            self.url()
        )
    }

    /// Copies an object on the side of the store to a name that holds the same bytes wherever it is
    /// there already; whether there was an object to copy.
    ///
    /// Locally this is a hard link made only if absent: putting a link in the place of another link
    /// to the same file is no change to POSIX, and would leave the helper's temporary name behind.
    pub async fn copy(&self, from: &Path, to: &Path) -> Result<bool> {
        if let (Some(from), Some(to)) = (self.file(from), self.file(to)) {
            self.calls.copy.fetch_add(1, Ordering::Relaxed);
            return waiting::blocking(move || local::link(&from, &to)).await;
        }
        let begun = clock::since_boot();
        for attempt in 1.. {
            self.calls.copy.fetch_add(1, Ordering::Relaxed);
            let error = match self.store.copy(from, to).await {
                Ok(()) | Err(object_store::Error::AlreadyExists { .. }) => return Ok(true),
                Err(error) => error,
            };
            if !is_absent(&error) {
                return Err(self.failed("copy to", to, error));
            }
            // Some stores show an object and do not find it when it is to be copied.
            if self.size(from).await?.is_none() {
                return Ok(false);
            }
            if attempt >= COPY_TRIES || clock::since_boot().saturating_sub(begun) > COPY_AGAIN_FOR {
                break;
            }
            tokio::time::sleep(COPY_PAUSE).await;
        }
        let said = format!(
            "the store answered 404 to the copy, and '{from}' is there: it cannot copy what it holds; use a store whose CopyObject \
             takes every key"
        );
        let (path, certainty) = (shown(&self.name(to)), Certainty::DidNotHappen);
        Err(Error::Storage { action: "copy to", path, certainty, source: said.into() })
    }
}

/// A pause from half to one and a half of this, so that those who met do not meet again.
fn jittered(pause: Duration) -> Duration {
    let random = u32::from(uuid::Uuid::new_v4().as_bytes()[0]);
    pause.min(CONFLICT_PAUSE_AT_MOST) * (128 + random) / 256
}
