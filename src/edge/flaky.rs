//! A store, ledger and catalog that fail as the world fails, from a seed: before the call happened,
//! after it did, and both reported alike. For tests; a run never has one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::stream::BoxStream;
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult, Result as StoreResult,
};

use super::catalog::{Catalog, CatalogEntry, Publication};
use super::ledger::{Ledger, Versioned};
use crate::error::{Certainty, Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::model::{Partition, Table};

/// Where faults come from: each call draws one number.
#[derive(Debug)]
pub struct Faults {
    state: AtomicU64,
    /// Of 1,000 calls so many fail.
    per_mille: AtomicU64,
    made: AtomicU64,
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    /// It never arrives, and a time-out is reported.
    Before,
    /// It is done, and a time-out is reported.
    After,
}

impl Faults {
    /// From a seed.
    #[must_use]
    pub fn new(seed: u64, per_mille: u64) -> Arc<Self> {
        let (state, per_mille) = (AtomicU64::new(seed), AtomicU64::new(per_mille));
        Arc::new(Self { state, per_mille, made: AtomicU64::new(0) })
    }

    /// From now on nothing fails.
    pub fn stop(&self) {
        self.per_mille.store(0, Ordering::SeqCst);
    }

    /// Faults made so far.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.load(Ordering::SeqCst)
    }

    fn draw(&self) -> Fate {
        // SplitMix64 (constants of its publication by Steele, Lea and Flood).
        let mut mixed =
            self.state.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst).wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        if mixed % 1_000 >= self.per_mille.load(Ordering::SeqCst) {
            return Fate::Well;
        }
        self.made.fetch_add(1, Ordering::SeqCst);
        if mixed >> 32 & 1 == 0 { Fate::Before } else { Fate::After }
    }
}

fn timed_out() -> object_store::Error {
    object_store::Error::Generic { store: "flaky", source: "the request timed out".into() }
}

fn ours(path: &str) -> Error {
    Error::Storage {
        action: "reach",
        path: path.to_owned(),
        certainty: Certainty::MayHaveHappened,
        source: "the request timed out".into(),
    }
}

/// A store with faults.
#[derive(Clone, Debug)]
pub struct FlakyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Arc<Faults>,
}

impl FlakyStore {
    /// Puts faults before a store.
    #[must_use]
    pub const fn new(inner: Arc<dyn ObjectStore>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }

    async fn call<T>(&self, call: impl Future<Output = StoreResult<T>>) -> StoreResult<T> {
        match self.faults.draw() {
            Fate::Well => call.await,
            Fate::Before => Err(timed_out()),
            Fate::After => {
                call.await?;
                Err(timed_out())
            }
        }
    }
}

impl std::fmt::Display for FlakyStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "flaky {}", self.inner)
    }
}

#[async_trait]
impl ObjectStore for FlakyStore {
    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> StoreResult<PutResult> {
        self.call(self.inner.put_opts(path, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        path: &Path,
        options: PutMultipartOptions,
    ) -> StoreResult<Box<dyn MultipartUpload>> {
        self.call(self.inner.put_multipart_opts(path, options)).await
    }

    async fn get_opts(&self, path: &Path, options: GetOptions) -> StoreResult<GetResult> {
        self.call(self.inner.get_opts(path, options)).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, StoreResult<Path>>) -> BoxStream<'static, StoreResult<Path>> {
        let fate = self.faults.draw();
        if fate == Fate::Before {
            return futures::stream::once(async { Err(timed_out()) }).boxed();
        }
        let deleted = self.inner.delete_stream(paths);
        if fate == Fate::Well {
            return deleted;
        }
        let all = async move {
            let _: Vec<_> = deleted.collect().await;
            Err(timed_out())
        };
        all.into_stream().boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, StoreResult<ObjectMeta>> {
        if self.faults.draw() == Fate::Well {
            return self.inner.list(prefix);
        }
        futures::stream::once(async { Err(timed_out()) }).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> StoreResult<ListResult> {
        self.call(self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> StoreResult<()> {
        self.call(self.inner.copy_opts(from, to, options)).await
    }
}

/// A ledger with faults: a swap answers that it may have happened, whether it did or not.
#[derive(Debug)]
pub struct FlakyLedger {
    inner: Arc<dyn Ledger>,
    faults: Arc<Faults>,
}

impl FlakyLedger {
    /// Puts faults before a ledger.
    #[must_use]
    pub const fn new(inner: Arc<dyn Ledger>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }
}

#[async_trait]
impl Ledger for FlakyLedger {
    async fn head(&self, key: &str) -> Result<Option<Versioned>> {
        if self.faults.draw() == Fate::Well { self.inner.head(key).await } else { Err(ours(key)) }
    }

    async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome> {
        match self.faults.draw() {
            Fate::Well => self.inner.swap(key, next).await,
            Fate::Before => Ok(CasOutcome::Indeterminate),
            Fate::After => self.inner.swap(key, next).await.map(|_| CasOutcome::Indeterminate),
        }
    }

    async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>> {
        if self.faults.draw() == Fate::Well { self.inner.scan(from, to).await } else { Err(ours(from)) }
    }

    async fn keys(&self, from: &str, to: &str) -> Result<Vec<String>> {
        if self.faults.draw() == Fate::Well { self.inner.keys(from, to).await } else { Err(ours(from)) }
    }
}

/// A catalog with faults.
#[derive(Debug)]
pub struct FlakyCatalog {
    inner: Arc<dyn Catalog>,
    faults: Arc<Faults>,
}

impl FlakyCatalog {
    /// Puts faults before a catalog.
    #[must_use]
    pub const fn new(inner: Arc<dyn Catalog>, faults: Arc<Faults>) -> Self {
        Self { inner, faults }
    }

    async fn change(&self, call: impl Future<Output = Result<bool>>) -> Result<bool> {
        match self.faults.draw() {
            Fate::Well => call.await,
            Fate::Before => Err(ours("catalog")),
            Fate::After => {
                call.await?;
                Err(ours("catalog"))
            }
        }
    }
}

#[async_trait]
impl Catalog for FlakyCatalog {
    async fn publish(&self, publication: &Publication, until: Duration) -> Result<bool> {
        self.change(self.inner.publish(publication, until)).await
    }

    async fn withdraw(&self, partition: Partition, until: Duration) -> Result<bool> {
        self.change(self.inner.withdraw(partition, until)).await
    }

    fn knows_numbers(&self, publication: &Publication) -> bool {
        self.inner.knows_numbers(publication)
    }

    async fn shown(&self, partition: Partition) -> Result<Option<String>> {
        if self.faults.draw() == Fate::Well { self.inner.shown(partition).await } else { Err(ours("catalog")) }
    }

    async fn list(&self, table: Table) -> Result<Vec<CatalogEntry>> {
        if self.faults.draw() == Fate::Well { self.inner.list(table).await } else { Err(ours("catalog")) }
    }
}
