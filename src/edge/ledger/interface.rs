//! The trait of ledgers: what each can do with records, which it takes as bytes.
//!
//! A new kind of ledger implements [`Ledger`], and is opened in `mod.rs`; no caller changes.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

use crate::error::Result;
use crate::kernel::ledger::protocol::CasOutcome;

/// A record as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// Its version, from 1.
    pub version: u64,
    /// Its bytes.
    pub body: Bytes,
}

/// Where records are kept.
///
/// # Contract
/// - A key is a path of parts joined by `/`; records are scanned in the order of their keys' bytes.
/// - A caller swaps in version `n` only after it has read version `n - 1` (0: no record).
///   [`swap`](Ledger::swap) writes each version of a record at most once, whoever asks. It answers
///   [`CasOutcome::Conflict`] only if it certainly did not write, [`CasOutcome::Committed`] only if
///   it certainly did, and [`CasOutcome::Indeterminate`] in every other case.
/// - A read that begins after a swap was answered [`CasOutcome::Committed`] sees it or a later
///   version.
#[async_trait]
pub trait Ledger: Debug + Send + Sync {
    /// The present version of a record.
    async fn head(&self, key: &str) -> Result<Option<Versioned>>;

    /// Replaces a record by its next version.
    async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome>;

    /// The present versions of all records with `from <= key < to`, by key.
    async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>>;

    /// The keys of all records with `from <= key < to`; a ledger that can tell them without the
    /// records does.
    async fn keys(&self, from: &str, to: &str) -> Result<Vec<String>> {
        Ok(self.scan(from, to).await?.into_iter().map(|(key, _)| key).collect())
    }
}
