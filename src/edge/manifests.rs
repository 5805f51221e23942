//! Manifests: immutable JSON objects beside the tables, one per attempt.

use futures::{Stream, StreamExt};
use object_store::path::Path;

use super::ledger::other_version;
use super::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::ledger::records::{AttemptId, FORMAT_VERSION, Manifest};

/// Where they lie.
pub const FOLDER: &str = "_edgemill/manifests";

fn path(attempt: &AttemptId) -> Path {
    Path::from(format!("{FOLDER}/{}.json", attempt.0))
}

/// Writes an attempt's manifest. Its name is the attempt's own, so one that is there already is
/// this one.
pub async fn write(lake: &Objects, manifest: &Manifest) -> Result<()> {
    let path = path(&manifest.attempt);
    let bytes = serde_json::to_vec(manifest).map_err(|error| damaged(&path, error))?;
    lake.put_own(&path, bytes.into()).await
}

/// Whether an attempt has a manifest.
pub async fn exists(lake: &Objects, attempt: &AttemptId) -> Result<bool> {
    Ok(lake.size(&path(attempt)).await?.is_some())
}

/// Reads an attempt's manifest.
pub async fn read(lake: &Objects, attempt: &AttemptId) -> Result<Manifest> {
    let path = path(attempt);
    let bytes = lake.get(&path).await?.ok_or_else(|| damaged(&path, "it is missing"))?;
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error))?;
    match value.get("format").and_then(serde_json::Value::as_u64) {
        Some(format) if format != u64::from(FORMAT_VERSION) => Err(other_version(path.as_ref(), format)),
        _ => serde_json::from_value(value).map_err(|error| damaged(&path, error)),
    }
}

/// Reads the manifests of some attempts in their order, so many at a time.
pub fn read_all(
    lake: &Objects,
    attempts: Vec<AttemptId>,
    at_a_time: usize,
) -> impl Stream<Item = Result<Manifest>> + Send + Unpin + use<> {
    let read = |lake: Objects, attempt: AttemptId| async move { read(&lake, &attempt).await };
    let lake = lake.clone();
    futures::stream::iter(attempts).map(move |attempt| read(lake.clone(), attempt)).buffered(at_a_time).boxed()
}

fn damaged(path: &Path, source: impl Into<crate::error::Cause>) -> Error {
    Error::LedgerDamaged { path: path.to_string(), source: source.into() }
}
