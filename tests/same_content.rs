//! Logs that were moved or copied: the same bytes under another key are not rows a second time.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::Path;

use common::double::Double;
use common::{FIELDS, convert, exits, files, generate, gzip, query, row, run, text};

fn count(lake: &Path) -> String {
    query(lake, "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs")
}

fn figures(summary: &serde_json::Value) -> [u64; 3] {
    ["converted_objects", "same_content_objects", "known_objects"].map(|name| summary[name].as_u64().unwrap())
}

#[test]
fn logs_that_were_moved_are_not_taken_again() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, moved, lake) = (dir.path().join("logs"), dir.path().join("moved"), dir.path().join("lake"));
    generate(&logs, 3_000, 7);
    let objects = files(&logs).len() as u64;
    convert(&logs, &lake, &[]);
    fs::rename(&logs, &moved).unwrap();
    let (out, _) = exits(0, &["convert", "--from", text(&moved), "--to", text(&lake)]);
    assert!(out.contains(&format!("{objects} objects with the bytes of another under another key")), "{out}");
    assert_eq!(count(&lake), "n,d\n3000,3000\n");
    // They are known from then on, and nothing is read again.
    assert_eq!(figures(&convert(&moved, &lake, &[])), [0, 0, objects]);
    let (out, _) = exits(0, &["verify", "--lake", text(&lake), "--from", text(&moved)]);
    assert!(out.contains("whose rows are there once"), "{out}");
    // An hour can be written anew from what was moved.
    exits(0, &["reprocess", "--all", "--from", text(&moved), "--lake", text(&lake)]);
    assert_eq!(count(&lake), "n,d\n3000,3000\n");
    exits(0, &["verify", "--deep", "--lake", text(&lake), "--from", text(&moved)]);
}

#[test]
fn a_copy_beside_its_original_is_told_and_what_becomes_of_it_is_the_jobs_word() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let name = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz";
    let bytes = gzip(
        format!("{FIELDS}{}{}", row("2026-11-21", "05:00:00", "a"), row("2026-11-21", "05:00:01", "b")).as_bytes(),
    );
    for folder in ["raw", "backup"] {
        fs::create_dir_all(logs.join(folder)).unwrap();
        fs::write(logs.join(folder).join(name), &bytes).unwrap();
    }
    for (what, rows, converted) in [("skip", "n,d\n2,2\n", 1), ("take", "n,d\n4,2\n", 2)] {
        let lake = dir.path().join(what);
        let summary = convert(&logs, &lake, &["--same-content", what]);
        assert_eq!(figures(&summary), [converted, 1, 0], "{what}: {summary}");
        assert!(summary["same"][0].as_str().unwrap().contains("backup"), "{summary}");
        assert_eq!(count(&lake), rows, "{what}");
        // Of rows that are there twice by choice nobody is told that they are there once.
        let arguments = ["verify", "--lake", text(&lake), "--from", text(&logs)];
        let (told, _) = exits(0, &arguments);
        let twice = "1 object with the bytes of another object, whose rows are there too: 2 rows more";
        assert_eq!(told.contains(twice), what == "take", "{told}");
        let (told, _) = exits(0, &[&arguments[..], &["--json"]].concat());
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let wanted = if what == "take" { [1, 2] } else { [0, 0] };
        assert_eq!(["twice_taken_objects", "twice_taken_rows"].map(|name| told[name].as_u64().unwrap()), wanted);
    }
    let lake = dir.path().join("fail");
    let (_, told) = exits(2, &["convert", "--from", text(&logs), "--to", text(&lake), "--same-content", "fail"]);
    assert!(told.contains("holds the same bytes as") && told.contains("--same-content skip"), "{told}");
    assert_eq!(count(&lake), "n,d\n0,0\n");
    assert!(!lake.join("staging").exists());
}

#[test]
fn a_copy_that_is_left_out_is_not_late_and_is_not_planned() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let log = |id: &str| gzip(format!("{FIELDS}{}", row("2026-11-21", "05:00:00", id)).as_bytes());
    let put = |path: &str, id: &str| {
        let path = logs.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, log(id)).unwrap();
    };
    let plan = |more: &[&str]| {
        let (out, _) = exits(0, &[&["plan", "--json", "--from", text(&logs), "--to", text(&lake)], more].concat());
        let told: serde_json::Value = serde_json::from_str(&out).unwrap();
        ["objects", "same_content_objects", "known_objects"].map(|name| told[name].as_u64().unwrap())
    };
    put("a/E2EX.2026-11-21-05.x.gz", "1");
    put("copy/E2EX.2026-11-21-05.x.gz", "1");
    put("b/E2EX.2026-11-21-05.x.gz", "2");
    assert_eq!(plan(&[]), [2, 1, 0], "among new ones, before there is a lake");
    assert!(!lake.exists());
    assert_eq!(figures(&convert(&logs, &lake, &[])), [2, 1, 0]);
    put("moved/E2EX.2026-11-21-05.x.gz", "2");
    assert_eq!(plan(&[]), [0, 1, 3]);
    assert_eq!(plan(&["--same-content", "take"]), [1, 1, 3]);
    let fail = ["--from", text(&logs), "--to", text(&lake), "--same-content", "fail"];
    for verb in ["plan", "convert"] {
        assert!(exits(2, &[&[verb], &fail[..]].concat()).1.contains("holds the same bytes as"), "{verb}");
    }
    let summary = convert(&logs, &lake, &[]);
    assert_eq!(figures(&summary), [0, 1, 3]);
    assert_eq!((&summary["late_objects"], &summary["lateness_seconds"]), (&0.into(), &0.into()), "{summary}");
    assert_eq!(summary["late"], serde_json::json!([]));
    // Beside a copy, what is late still is.
    put("late/E2EX.2026-11-21-05.y.gz", "3");
    put("late/E2EX.2026-11-21-05.x.gz", "1");
    let summary = convert(&logs, &lake, &[]);
    assert_eq!((figures(&summary), &summary["late_objects"]), ([1, 1, 4], &1.into()), "{summary}");
}

#[test]
fn other_bytes_or_another_name_are_another_log() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let log = |id: &str| gzip(format!("{FIELDS}{}", row("2026-11-21", "05:00:00", id)).as_bytes());
    for (path, id) in
        [("a/E2EX.2026-11-21-05.x.gz", "1"), ("b/E2EX.2026-11-21-05.x.gz", "2"), ("a/E2EX.2026-11-21-05.y.gz", "1")]
    {
        let path = logs.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, log(id)).unwrap();
    }
    assert_eq!(figures(&convert(&logs, &lake, &[])), [3, 0, 0]);
    assert_eq!(count(&lake), "n,d\n3,2\n");
}

#[test]
fn folders_without_an_hour_are_looked_through_too() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir_all(logs.join("old")).unwrap();
    let bytes = format!("{FIELDS}{}", row("2026-11-21", "05:00:00", "a"));
    fs::write(logs.join("old/access.log"), &bytes).unwrap();
    convert(&logs, &lake, &[]);
    fs::rename(logs.join("old"), logs.join("new")).unwrap();
    assert_eq!(figures(&convert(&logs, &lake, &[])), [0, 1, 0]);
    assert_eq!(count(&lake), "n,d\n1,1\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_etag_that_follows_from_the_bytes_saves_the_reading() {
    let Some(double) = Double::new("same") else { return };
    let bytes = gzip(format!("{FIELDS}{}", row("2026-11-21", "05:00:00", "a")).as_bytes());
    let name = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz";
    double.put("logs", &format!("cf/a/{name}"), bytes.clone()).await;
    let first = double.convert(&[]);
    assert_eq!(figures(&first), [1, 0, 0]);
    double.put("logs", &format!("cf/b/{name}"), bytes).await;
    let second = double.convert(&[]);
    assert_eq!(figures(&second), [0, 1, 1]);
    assert_eq!(second["source_calls"]["get"], 0, "{second}");
}

#[test]
fn half_done_work_is_in_no_glob_of_parquet_files() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 3_000, 7);
    for crash in ["staged:2", "swap-unit:2", "copy:3", "swap-partition:3"] {
        let mut command = common::binary();
        command.args(["convert", "--from", text(&logs), "--to", text(&lake)]).env("EDGEMILL_CRASH", crash);
        command.output().unwrap();
        let named = files(&lake.join("staging"));
        assert!(!named.is_empty(), "{crash} leaves something");
        let found = named.iter().filter(|path| path.extension().is_some_and(|end| end == "parquet"));
        assert_eq!(found.count(), 0, "{crash}: {named:?}");
    }
    assert!(run(&["convert", "--from", text(&logs), "--to", text(&lake)]).status.success());
    assert_eq!(count(&lake), "n,d\n3000,3000\n");
}
