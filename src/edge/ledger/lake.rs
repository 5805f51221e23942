//! The embedded ledger: each version of a record is an object, created only if absent, in the lake
//! itself.
//!
//! `_edgemill/<key>/<version>.json`, the version in ten digits. Creating an object only where there
//! is none is a compare-and-set, on a local file system as on S3; the greatest number is the
//! present version.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use tokio::sync::OnceCell;

use super::interface::{Ledger, Versioned};
use crate::edge::objects::Objects;
use crate::edge::probe;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;

/// A ledger inside a lake.
#[derive(Clone, Debug)]
pub struct LakeLedger {
    lake: Objects,
    /// The server that the lake was made at, where that one was tried out.
    probed: Option<String>,
    /// Set once the store has shown, in this run or one before, that it lets one of many writers
    /// win.
    sound: Arc<OnceCell<()>>,
}

impl LakeLedger {
    /// The ledger of a lake.
    #[must_use]
    pub fn new(lake: Objects) -> Self {
        Self { lake, probed: None, sound: Arc::default() }
    }

    /// The ledger of a lake whose store was tried out at this server when it was made.
    #[must_use]
    pub fn probed_at(self, endpoint: Option<String>) -> Self {
        Self { probed: endpoint, ..self }
    }

    async fn read(&self, key: &str, version: u64) -> Result<Versioned> {
        versioned(key, version, self.lake.get(&path(key, version)).await?)
    }

    /// The greatest version of every record below a folder.
    async fn versions(&self, folder: &str) -> Result<BTreeMap<String, u64>> {
        let mut versions = BTreeMap::new();
        for path in self.lake.list_paths(&format!("_edgemill/{folder}")).await? {
            // Other things in the folder (a copy that somebody made, say) are no versions.
            if let Some((key, version)) = parse(&path) {
                let greatest = versions.entry(key).or_insert(version);
                *greatest = version.max(*greatest);
            }
        }
        Ok(versions)
    }

    /// The greatest version of every record with `from <= key < to`.
    async fn versions_between(&self, from: &str, to: &str) -> Result<BTreeMap<String, u64>> {
        let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
        let mut inside = self.versions(folder).await?;
        inside.retain(|key, _| from <= key.as_str() && key.as_str() < to);
        Ok(inside)
    }
}

fn path(key: &str, version: u64) -> Path {
    Path::from(format!("_edgemill/{key}/{version:010}.json"))
}

fn versioned(key: &str, version: u64, body: Option<Bytes>) -> Result<Versioned> {
    let path = || path(key, version).to_string();
    let missing = || Error::LedgerDamaged { path: path(), source: "it was listed and is gone".into() };
    Ok(Versioned { version, body: body.ok_or_else(missing)? })
}

fn parse(path: &str) -> Option<(String, u64)> {
    let (key, name) = path.strip_prefix("_edgemill/")?.rsplit_once('/')?;
    let digits = name.strip_suffix(".json").filter(|digits| digits.len() == 10)?;
    Some((key.to_owned(), digits.parse().ok()?))
}

#[async_trait]
impl Ledger for LakeLedger {
    async fn head(&self, key: &str) -> Result<Option<Versioned>> {
        match self.versions(key).await?.get(key) {
            Some(version) => self.read(key, *version).await.map(Some),
            None => Ok(None),
        }
    }

    async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome> {
        self.sound.get_or_try_init(|| probe::before_a_record(&self.lake, self.probed.as_deref())).await?;
        self.lake.put_new(&path(key, next.version), next.body).await
    }

    async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>> {
        let inside = self.versions_between(from, to).await?;
        let bodies = self.lake.get_many(inside.iter().map(|(key, version)| path(key, *version)).collect()).await?;
        let read = |((key, version), body): ((String, u64), Option<Bytes>)| {
            let record = versioned(&key, version, body)?;
            Ok((key, record))
        };
        inside.into_iter().zip(bodies).map(read).collect()
    }

    async fn keys(&self, from: &str, to: &str) -> Result<Vec<String>> {
        Ok(self.versions_between(from, to).await?.into_keys().collect())
    }
}
