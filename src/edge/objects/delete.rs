//! Deletions: of one object, and of everything below a folder.

use std::sync::atomic::Ordering;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::Objects;
use crate::edge::store_error::is_absent;
use crate::edge::{local, waiting};
use crate::error::Result;

/// Deletions sent at a time.
const DELETIONS_AT_A_TIME: usize = 16;

impl Objects {
    /// Deletes an object; one that is gone is fine.
    pub async fn delete(&self, path: &Path) -> Result<()> {
        self.calls.delete.fetch_add(1, Ordering::Relaxed);
        if let (Some(root), Some(file)) = (self.local.clone(), self.file(path)) {
            return waiting::blocking(move || local::delete(&root, &file)).await;
        }
        match self.store.delete(path).await {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(self.failed("delete", path, error)),
        }
    }

    /// Deletes everything below a folder.
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        let Some(root) = self.local.clone() else {
            let objects: Vec<ObjectMeta> = self.list(folder).try_collect().await?;
            let deletions = objects.into_iter().map(|object| async move { self.delete(&object.location).await });
            return futures::stream::iter(deletions).buffer_unordered(DELETIONS_AT_A_TIME).try_collect::<()>().await;
        };
        self.calls.delete.fetch_add(self.list_paths(folder).await?.len() as u64, Ordering::Relaxed);
        // What a killed process left half-written is no object, and an empty folder is still a
        // folder.
        let folder = root.join(folder);
        waiting::blocking(move || local::delete_folder(&root, &folder)).await
    }
}
