//! What says what a lake keeps of people beside the note of its ledger ([`super::people`]): losing
//! one place never makes a lake forget.
//!
//! | place | what it says |
//! |-|-|
//! | the note of the ledger, `privacy/<table>` | what is kept; every run asks it |
//! | a copy in the lake, `_edgemill/people/<table>.json` | the same, as it was last chosen |
//! | manifests | what was kept when the rows were made |
//! | the footers of Parquet files | the same |
//!
//! A place is asked only where those above it say nothing, so that a lake that has lost nothing is
//! asked once. The last two are asked together, for either may have lost some, and the least that
//! any row was made with counts.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::Lake;
use super::people::stamp_or_all;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::columns::footer;
use crate::kernel::columns::footer::{Footer, TAIL_BYTES};
use crate::kernel::ledger::records::Manifest;
use crate::kernel::policy::privacy::ALL;
use crate::model::{ObjectId, Table};

const FOLDER: &str = "_edgemill/people";

/// Files of a table whose footers are read at most, spread over those that are listed.
const FILES_AT_MOST: usize = 64;

/// Files of a table that are listed at most.
const LISTED_AT_MOST: usize = 10_000;

const READS_AT_A_TIME: usize = 16;

/// What is copied of a choice.
#[derive(Debug, Serialize, Deserialize)]
struct Copied {
    keeps: String,
}

impl Lake {
    /// The copy of a table's choice; nothing where there is none that can be read.
    pub async fn copied_choice(&self, table: Table) -> Result<Option<String>> {
        let path = path(table);
        let Some(bytes) = self.objects.get(&path).await? else { return Ok(None) };
        match serde_json::from_slice::<Copied>(&bytes) {
            Ok(copied) => Ok(Some(copied.keeps)),
            Err(error) => {
                tracing::warn!("'{path}' is passed over, it is no copy of what is kept of people: {error}");
                Ok(None)
            }
        }
    }

    /// Writes the copy of a choice.
    pub async fn copy_choice(&self, table: Table, keeps: &str) -> Result<()> {
        let path = path(table);
        let body = serde_json::to_vec(&Copied { keeps: keeps.to_owned() })
            .map_err(|error| Error::encode("what is kept of people", error))?;
        self.objects.put(&path, body.into()).await
    }

    /// What was kept of people when files of a table were written, by the footers of some; nothing
    /// where there are no files.
    pub(super) async fn made_with(&self, table: Table) -> Result<Option<BTreeSet<String>>> {
        let listing = self.objects.list(table.name()).take(LISTED_AT_MOST);
        let mut files: Vec<ObjectId> = listing
            .map_ok(|object| ObjectId {
                key: object.location.to_string(),
                etag: String::new(),
                size_bytes: object.size,
            })
            .try_collect()
            .await?;
        files.retain(|file| file.key.ends_with(".parquet") && file.size_bytes > 0);
        if files.is_empty() {
            return Ok(None);
        }
        files.sort_unstable();
        let every = files.len().div_ceil(FILES_AT_MOST).max(1);
        let looks = files.into_iter().step_by(every).map(|file| async move { self.stamp_of(&file).await });
        let mut looks = std::pin::pin!(futures::stream::iter(looks).buffer_unordered(READS_AT_A_TIME));
        let mut stamps = BTreeSet::new();
        while let Some(stamp) = looks.try_next().await? {
            stamps.extend(stamp);
        }
        Ok(Some(stamps))
    }

    /// What was kept of people when batches of a table were made, by the manifests of some, whether
    /// or not a unit's record still names them.
    pub(super) async fn made_by_manifests(&self, table: Table) -> Result<BTreeSet<String>> {
        let mut paths = self.objects.list_paths(manifests::FOLDER).await?;
        paths.sort_unstable();
        let every = paths.len().div_ceil(FILES_AT_MOST).max(1);
        let some: Vec<Path> = paths.into_iter().step_by(every).map(Path::from).collect();
        let bodies = self.objects.get_many(some).await?.into_iter().flatten();
        // What is damaged says nothing; `verify` tells of it.
        let read = bodies.filter_map(|body| serde_json::from_slice::<Manifest>(&body).ok());
        let of_table = read.filter(|manifest| manifest.unit.table() == table && !manifest.outputs.is_empty());
        Ok(of_table.map(|manifest| stamp_or_all(&manifest.stamp.privacy).to_owned()).collect())
    }

    /// What a file says; nothing where it cannot be read as one.
    async fn stamp_of(&self, file: &ObjectId) -> Result<Option<String>> {
        let mut tail_bytes = TAIL_BYTES.min(file.size_bytes);
        loop {
            let tail = self.objects.get_range(file, file.size_bytes - tail_bytes..file.size_bytes).await?;
            match footer::privacy(&tail, file.size_bytes) {
                Ok(Footer::Longer(needed)) => tail_bytes = needed,
                Ok(Footer::Told(stamp)) => return Ok(Some(stamp.unwrap_or_else(|| ALL.to_owned()))),
                Err(error) => {
                    tracing::warn!("'{}' is left out of what is kept of people: {error}", file.key);
                    return Ok(None);
                }
            }
        }
    }
}

fn path(table: Table) -> Path {
    Path::from(format!("{FOLDER}/{table}.json"))
}
