//! A catalog in the lake itself: one small object a partition,
//! `_edgemill/catalog/<table>/<time>.txt`, which holds its folder.
//!
//! For engines that are told their partitions by a script, and to see how a lake behaves behind a
//! catalog without an account.

use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::interface::{Catalog, CatalogEntry, Publication};
use crate::edge::clock;
use crate::edge::objects::Objects;
use crate::error::Result;
use crate::model::{Partition, Table};

const READS_AT_A_TIME: usize = 32;

/// A catalog inside a lake.
#[derive(Clone, Debug)]
pub struct LakeCatalog {
    lake: Objects,
}

impl LakeCatalog {
    /// The catalog of a lake.
    #[must_use]
    pub const fn new(lake: Objects) -> Self {
        Self { lake }
    }

    async fn read(&self, path: &Path) -> Result<Option<String>> {
        let body = self.lake.get(path).await?;
        Ok(body.map(|body| String::from_utf8_lossy(&body).trim().to_owned()))
    }
}

fn folder_of(table: Table) -> String {
    format!("_edgemill/catalog/{table}")
}

fn path_of(partition: Partition) -> Path {
    Path::from(format!("{}/{}.txt", folder_of(partition.table), partition.time()))
}

#[async_trait]
impl Catalog for LakeCatalog {
    async fn publish(&self, publication: &Publication, until: Duration) -> Result<bool> {
        if clock::since_boot() > until {
            return Ok(false);
        }
        let body = format!("{}\n", publication.location);
        self.lake.put(&path_of(publication.partition), body.into()).await.map(|()| true)
    }

    async fn withdraw(&self, partition: Partition, until: Duration) -> Result<bool> {
        if clock::since_boot() > until {
            return Ok(false);
        }
        self.lake.delete(&path_of(partition)).await.map(|()| true)
    }

    fn knows_numbers(&self, _: &Publication) -> bool {
        true
    }

    async fn shown(&self, partition: Partition) -> Result<Option<String>> {
        self.read(&path_of(partition)).await
    }

    async fn list(&self, table: Table) -> Result<Vec<CatalogEntry>> {
        let listed: Vec<_> = self.lake.list(&folder_of(table)).try_collect().await?;
        let named = |name: &str| Partition::at(table, name.strip_suffix(".txt")?);
        let mut partitions: Vec<_> = listed.iter().filter_map(|object| named(object.location.filename()?)).collect();
        partitions.sort_unstable();
        let read = |partition| async move {
            let location = self.shown(partition).await?;
            let entry = |location| CatalogEntry { partition, location, has_current_columns: true, rows: None };
            Ok(location.map(entry))
        };
        futures::stream::iter(partitions.into_iter().map(read))
            .buffered(READS_AT_A_TIME)
            .try_filter_map(|found| async { Ok(found) })
            .try_collect()
            .await
    }
}
