//! What a lake keeps of people is never forgotten because one place that says it is lost, and a
//! choice that changes under a run is found by it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]
#![allow(clippy::large_futures, reason = "the few futures of a test may lie on its stack")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use common::{FIELDS, convert, exits, files, fingerprint, gzip, identity, query, row, text};
use edgemill::edge::ledger::{LakeLedger, Ledger, Records, Versioned};
use edgemill::edge::objects::Objects;
use edgemill::error::Result;
use edgemill::job::{Job, Typed};
use edgemill::kernel::ledger::protocol::CasOutcome;
use edgemill::lake::{CatalogChoice, Lake};
use edgemill::location::Location;
use edgemill::model::Granularity;
use edgemill::pipeline;
use object_store::memory::InMemory;

/// Logs of four hours, a row each, and a lake of the first two.
struct Place {
    _dir: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

const FIRST: [&str; 2] = ["--hours", "2026-11-21T00..2026-11-21T02"];

fn place(first: Option<&[&str]>) -> Place {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    for hour in 0..4 {
        let log = format!("{FIELDS}{}", row("2026-11-21", &format!("{hour:02}:00:00"), &format!("id{hour}")));
        fs::write(logs.join(format!("E1EXAMPLE.2026-11-21-{hour:02}.a.gz")), gzip(log.as_bytes())).unwrap();
    }
    if let Some(more) = first {
        convert(&logs, &lake, &[&FIRST[..], more].concat());
    }
    Place { _dir: dir, logs, lake }
}

impl Place {
    fn lose(&self, folders: &[&str]) {
        for folder in folders {
            fs::remove_dir_all(self.lake.join("_edgemill").join(folder)).unwrap();
        }
    }

    fn refused(&self, word: &str) {
        let (_, err) = exits(2, &["convert", "--from", text(&self.logs), "--to", text(&self.lake)]);
        assert!(err.contains(word), "'{word}' is not in: {err}");
    }

    fn init(&self, more: &[&str]) {
        exits(0, &[&["init", "--to", text(&self.lake)][..], more].concat());
    }

    fn verify(&self, code: i32, more: &[&str]) -> String {
        exits(code, &[&["verify", "--lake", text(&self.lake)][..], more].concat()).0
    }

    fn addresses(&self) -> String {
        query(&self.lake, "SELECT DISTINCT c_ip FROM cloudfront_logs ORDER BY 1").lines().skip(1).collect()
    }
}

fn rows_of(lake: &Path) -> usize {
    files(&lake.join("cloudfront_logs")).len()
}

#[test]
fn no_loss_of_one_place_or_some_lets_a_run_forget() {
    for lost in [
        &["privacy"][..],
        &["privacy", "people"],
        &["privacy", "people", "units"],
        &["privacy", "people", "manifests"],
        &["privacy", "people", "units", "manifests"],
        &["privacy", "people", "units", "manifests", "partitions"],
    ] {
        let place = place(Some(&["--client-ip", "truncate"]));
        place.lose(lost);
        place.refused("keeps less than all of people in cloudfront_logs (--client-ip truncate)");
        assert_eq!(rows_of(&place.lake), 2, "{lost:?}");
    }
}

/// Manifests say it where no file does, whatever still names them.
#[test]
fn a_table_whose_files_are_gone_is_not_forgotten() {
    for lost in
        [&["privacy", "people"][..], &["privacy", "people", "units"], &["privacy", "people", "units", "partitions"]]
    {
        let place = place(Some(&["--client-ip", "truncate"]));
        place.lose(lost);
        fs::remove_dir_all(place.lake.join("cloudfront_logs")).unwrap();
        assert!(place.verify(3, &[]).contains("no note of what is kept of people (--client-ip truncate)"), "{lost:?}");
        place.refused("keeps less than all of people in cloudfront_logs (--client-ip truncate)");
    }
}

/// What was chosen since the rows were made is in no row: the copy says it.
#[test]
fn a_choice_without_rows_is_found_again() {
    for place in [place(Some(&[])), place(None)] {
        place.init(&["--client-ip", "truncate"]);
        place.lose(&["privacy"]);
        place.refused("(--client-ip truncate), and this run says nothing");
        place.lose(&["people"]);
        // The last refusal has remembered it.
        place.refused("(--client-ip truncate), and this run says nothing");
    }
}

/// Rows that hold everything prove nothing where records of others are gone: a person says it.
#[test]
fn what_nothing_says_for_certain_is_asked() {
    let place = place(Some(&[]));
    place.lose(&["privacy", "people", "units", "manifests"]);
    let before = fingerprint(&place.lake);
    place.refused("nothing says for certain any more what the lake");
    assert_eq!(fingerprint(&place.lake), before);
    assert!(place.verify(3, &[]).contains("nothing says for certain what is kept of people; say it"));
    let last = ["--hours", "2026-11-21T02..2026-11-21T04", "--client-ip", "keep"];
    assert_eq!(convert(&place.logs, &place.lake, &last)["rows"], 2);
    assert_eq!(convert(&place.logs, &place.lake, &last[..2])["known_objects"], 2, "it was said");
}

#[test]
fn verify_tells_what_is_not_remembered_and_brings_it_back() {
    let place = place(Some(&["--client-ip", "truncate"]));
    place.verify(0, &[]);
    for (lost, told) in [
        ("privacy", "the ledger has no note of what is kept of people (--client-ip truncate)"),
        ("people", "the lake has no copy of what it keeps of people (--client-ip truncate)"),
    ] {
        place.lose(&[lost]);
        let before = fingerprint(&place.lake);
        assert!(place.verify(3, &[]).contains(told), "{lost}");
        assert_eq!(fingerprint(&place.lake), before, "looking changes nothing");
        assert!(place.verify(0, &["--fix"]).contains("mended: 1 table of which"), "{lost}");
        place.verify(0, &[]);
    }
    place.refused("(--client-ip truncate)");
    assert_eq!(place.addresses(), "192.0.2.0");
}

/// A ledger in which a person makes a lake keep less, right before a batch counts.
#[derive(Debug)]
struct Surprising {
    inner: LakeLedger,
    is_over: AtomicBool,
}

#[async_trait]
impl Ledger for Surprising {
    async fn head(&self, key: &str) -> Result<Option<Versioned>> {
        self.inner.head(key).await
    }

    async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome> {
        if key.starts_with("units/") && !self.is_over.swap(true, Ordering::SeqCst) {
            let note = Versioned { version: 2, body: r#"{"keeps":"client_ip=truncate"}"#.into() };
            assert_eq!(self.inner.swap("privacy/cloudfront_logs", note).await?, CasOutcome::Committed);
        }
        self.inner.swap(key, next).await
    }

    async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>> {
        self.inner.scan(from, to).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_choice_that_changes_under_the_last_commit_is_told_and_no_log_is_taken_away() {
    let place = place(None);
    let objects = Objects::of_store(Arc::new(InMemory::new()), "memory://lake");
    let ledger = Surprising { inner: LakeLedger::new(objects.clone()), is_over: AtomicBool::new(false) };
    let records = Records::new(Arc::new(ledger), Granularity::Hour, Granularity::Hour);
    let lake = Lake { records, catalog: None, objects, identity: identity(0), chosen: CatalogChoice::None };
    let typed = Typed {
        from: Some(text(&place.logs).to_owned()),
        to: Some(text(&place.lake).to_owned()),
        after: Some(edgemill::job::choices::AfterChoice::Delete),
        ..Typed::default()
    };
    let job = Job::new(typed, 0).unwrap();
    let source = Objects::open(&Location::existing(text(&place.logs)).unwrap()).await.unwrap();
    let summary = pipeline::convert_into(job, source, lake.clone()).await.unwrap();
    assert_eq!((summary.exit_code(), summary.kept_less_since.as_slice()), (3, &["cloudfront_logs".to_owned()][..]));
    assert_eq!((summary.rows_that_keep_more, summary.hours_that_keep_more), (4, 4));
    assert!(summary.mending.len() == 1 && summary.mending[0].ends_with("--client-ip truncate"), "{summary:?}");
    assert_eq!(files(&place.logs).len(), 4, "what is to be written anew needs its logs");
    let kept = lake.kept_of_all().await.unwrap();
    let older = kept.values().next().unwrap().older.as_ref().unwrap();
    assert_eq!((older.counted, older.rows), (true, 4), "the next run knows it too");
}
