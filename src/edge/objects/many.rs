//! Many small objects at a time, for a ledger of ten thousand records: in a folder of this computer
//! they are read on a few tasks.

use std::path::PathBuf;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::ObjectMeta;
use object_store::path::Path;

use super::{Objects, PAGE_KEYS};
use crate::edge::{local, waiting};
use crate::error::Result;

/// Files of this computer read on one task, and tasks side by side.
const FILES_A_TASK: usize = 512;
const TASKS_AT_A_TIME: usize = 4;

/// Calls sent at a time to a store behind a network.
const CALLS_AT_A_TIME: usize = 32;

impl Objects {
    /// The paths of everything below a folder, in no order that matters.
    pub async fn list_paths(&self, folder: &str) -> Result<Vec<String>> {
        let Some(root) = self.local.clone() else {
            return self.list(folder).map_ok(|object| String::from(object.location)).try_collect().await;
        };
        let folder = folder.to_owned();
        let found = waiting::blocking(move || local::paths(&root, &folder)).await?;
        self.calls.list.fetch_add(1 + found.len() as u64 / PAGE_KEYS, Ordering::Relaxed);
        Ok(found)
    }

    /// When something was last written below a folder; nothing where it holds nothing. A folder of
    /// this computer is written to before its first file has a name: a run that began beside
    /// another took such a folder for one that a dead run had left, and cleared it.
    pub async fn last_written_unix_seconds(&self, folder: &str) -> Result<Option<i64>> {
        let objects: Vec<ObjectMeta> = self.list(folder).try_collect().await?;
        let newest = objects.iter().map(|object| object.last_modified.timestamp()).max();
        let Some(folder) = self.file(&Path::from(folder)) else { return Ok(newest) };
        Ok(newest.max(waiting::blocking(move || Ok(local::modified_unix_seconds(&folder))).await?))
    }

    /// The bytes of some objects in their order, each as by [`Self::get`].
    pub async fn get_many(&self, paths: Vec<Path>) -> Result<Vec<Option<Bytes>>> {
        if self.local.is_none() {
            let read = |path: Path| async move { self.get(&path).await };
            return futures::stream::iter(paths.into_iter().map(read)).buffered(CALLS_AT_A_TIME).try_collect().await;
        }
        self.calls.get.fetch_add(paths.len() as u64, Ordering::Relaxed);
        let files: Vec<PathBuf> = paths.iter().filter_map(|path| self.file(path)).collect();
        let tasks: Vec<_> = files
            .chunks(FILES_A_TASK)
            .map(<[PathBuf]>::to_vec)
            .map(|files| {
                waiting::blocking(move || files.iter().map(|file| local::get(file)).collect::<Result<Vec<_>>>())
            })
            .collect();
        let read: Vec<Vec<Option<Bytes>>> =
            futures::stream::iter(tasks).buffered(TASKS_AT_A_TIME).try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }
}
