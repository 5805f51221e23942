//! What a listing costs: a page of 1,000 keys is a call, and every call is paid.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its counts"
)]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use edgemill::edge::objects::Objects;
use edgemill::edge::source;
use edgemill::kernel::ledger::plan::Naming;
use edgemill::model::HourRange;
use futures::stream::BoxStream;
use futures::{StreamExt, stream};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Keys in memory, listed as S3 lists them: in their order, 1,000 a call, and each call counted
/// when it is made.
#[derive(Debug)]
struct Bucket {
    /// In their order.
    keys: Arc<Vec<String>>,
    pages: Arc<AtomicU64>,
    /// What is told of every object but its key.
    any: ObjectMeta,
}

impl std::fmt::Display for Bucket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bucket")
    }
}

impl Bucket {
    fn behind(&self, offset: &str) -> BoxStream<'static, Result<ObjectMeta>> {
        let (keys, first) = (Arc::clone(&self.keys), self.keys.partition_point(|key| key.as_str() <= offset));
        let (pages, any) = (Arc::clone(&self.pages), self.any.clone());
        pages.fetch_add(1, Ordering::SeqCst);
        let meta = move |place: usize| {
            if place > 0 && place.is_multiple_of(1_000) {
                pages.fetch_add(1, Ordering::SeqCst);
            }
            Ok(ObjectMeta { location: Path::from(keys[first + place].as_str()), ..any.clone() })
        };
        stream::iter(0..self.keys.len() - first).map(meta).boxed()
    }
}

fn unused() -> object_store::Error {
    object_store::Error::NotImplemented { operation: "anything but a listing".into(), implementer: "Bucket".into() }
}

#[async_trait]
impl ObjectStore for Bucket {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        Err(unused())
    }
    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        Err(unused())
    }
    async fn get_opts(&self, _: &Path, _: GetOptions) -> Result<GetResult> {
        Err(unused())
    }
    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        stream::once(async { Err(unused()) }).boxed()
    }
    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.behind("")
    }
    fn list_with_offset(&self, _: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.behind(offset.as_ref())
    }
    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        Err(unused())
    }
    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unused())
    }
}

/// Objects of each of some distributions, spread evenly over four years of hours.
fn flat(distributions: usize, objects: usize) -> Arc<Vec<String>> {
    let start = "2023-01-01T00".parse::<edgemill::model::Hour>().unwrap();
    let mut keys = BTreeSet::new();
    for distribution in 0..distributions {
        for object in 0..objects {
            let hour = start.plus(i64::try_from(object * 35_040 / objects).unwrap()).to_string().replace('T', "-");
            keys.insert(format!("E{distribution:03}EXAMPLE0000.{hour}.{object:08x}.gz"));
        }
    }
    Arc::new(keys.into_iter().collect())
}

async fn listed(keys: Arc<Vec<String>>, hours: &str) -> (u64, u64, u64) {
    listed_as(keys, hours, &Naming::default()).await
}

async fn listed_as(keys: Arc<Vec<String>>, hours: &str, naming: &Naming) -> (u64, u64, u64) {
    let pages = Arc::new(AtomicU64::new(0));
    let memory = InMemory::new();
    memory.put(&Path::from("any"), "x".into()).await.unwrap();
    let any = memory.head(&Path::from("any")).await.unwrap();
    let objects = Objects::of_store(Arc::new(Bucket { keys, pages: Arc::clone(&pages), any }), "s3://logs").in_order();
    let hours: HourRange = hours.parse().unwrap();
    let grouped = source::list(&objects, naming, Some(hours)).await.unwrap();
    let found: usize = grouped.units.values().map(Vec::len).sum();
    (found as u64, pages.load(Ordering::SeqCst), objects.calls().list)
}

#[tokio::test]
async fn a_million_keys_cost_what_their_hours_cost() {
    for (distributions, objects) in [(1, 1_000_000), (20, 50_000)] {
        let keys = flat(distributions, objects);
        for hours in [
            "2025-06-01T00..2025-06-02T00",
            "2025-06-01T00..2025-09-01T00",
            "2023-01-01T00..2023-01-02T00",
            "2026-12-30T00..2027-01-01T00",
        ] {
            let range: HourRange = hours.parse().unwrap();
            let inside = |key: &String| range.contains(format!("{}T{}", &key[16..26], &key[27..29]).parse().unwrap());
            let mut of_each = std::collections::BTreeMap::new();
            for key in keys.iter().filter(|key| inside(key)) {
                *of_each.entry(key[..15].to_owned()).or_insert(0_u64) += 1;
            }
            let expected: u64 = of_each.values().sum();
            let (found, pages, counted) = listed(Arc::clone(&keys), hours).await;
            assert_eq!(found, expected, "{hours}");
            assert_eq!(pages, counted, "what is told is what was called");
            let bound = distributions as u64 * 2 + of_each.values().map(|count| count.div_ceil(1_000)).sum::<u64>();
            assert!(
                pages <= bound,
                "{distributions} distributions, {hours}: {pages} calls for {expected} keys, at most {bound}"
            );
            println!("{distributions} distributions of {objects} keys, {hours}: {expected} keys in {pages} calls");
        }
    }
}

#[tokio::test]
async fn distributions_that_are_named_cost_what_they_hold() {
    let keys = flat(100, 5_000);
    let hours = "2025-06-01T00..2025-06-08T00";
    let (all, pages_of_all, _) = listed(Arc::clone(&keys), hours).await;
    let distributions = ["E003EXAMPLE0000", "E097EXAMPLE0000"].map(str::to_owned).into();
    let naming = Naming { distributions, ..Naming::default() };
    let (found, pages, counted) = listed_as(keys, hours, &naming).await;
    assert_eq!(found * 50, all, "two of a hundred");
    assert_eq!(pages, counted);
    // The first page; where each begins, its hours, and what comes right behind them; one of each
    // distribution behind the last.
    assert!(pages <= 10 && pages_of_all >= 100, "{pages} of {pages_of_all}");
}

#[tokio::test]
async fn few_keys_cost_no_more_than_a_listing_of_all() {
    let keys = flat(100, 24);
    let (found, pages, _) = listed(keys, "2025-06-01T00..2025-09-01T00").await;
    assert!(found > 0 && pages <= 3, "{found} in {pages}");
}
