//! Deletions: of one object, and of everything below a folder.

use std::sync::atomic::Ordering;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStoreExt};

use super::Objects;
use crate::edge::local;
use crate::edge::store_error::is_absent;
use crate::error::{Error, Result};

/// Deletions sent at a time.
const DELETIONS_AT_A_TIME: usize = 16;

impl Objects {
    /// Deletes an object; one that is gone is fine.
    pub async fn delete(&self, path: &Path) -> Result<()> {
        self.calls.delete.fetch_add(1, Ordering::Relaxed);
        if let (Some(root), Some(file)) = (self.local.clone(), self.file(path)) {
            return local::blocking(move || local::delete(&root, &file)).await;
        }
        match self.store.delete(path).await {
            Ok(()) => Ok(()),
            Err(error) if is_absent(&error) => Ok(()),
            Err(error) => Err(self.failed("delete", path, error)),
        }
    }

    /// Deletes everything below a folder.
    pub async fn delete_folder(&self, folder: &str) -> Result<()> {
        let objects: Vec<ObjectMeta> = self.list(folder).try_collect().await?;
        let deletions = objects.into_iter().map(|object| async move { self.delete(&object.location).await });
        futures::stream::iter(deletions).buffer_unordered(DELETIONS_AT_A_TIME).try_collect::<()>().await?;
        let Some(root) = &self.local else { return Ok(()) };
        // What a killed process left half-written is no object, and an empty folder is still a
        // folder.
        let folder = root.join(folder);
        match tokio::task::spawn_blocking(move || (local::remove_folder(|| std::fs::remove_dir_all(&folder)), folder))
            .await
        {
            Ok((Err(error), folder)) if error.kind() != std::io::ErrorKind::NotFound && folder.exists() => {
                Err(Error::io("delete", &folder, error))
            }
            _ => Ok(()),
        }
    }
}
