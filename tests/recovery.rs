//! Runs that were interrupted: whatever they left, the next run ends in the lake that an
//! undisturbed one makes.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{binary, convert, exits, files, fingerprint, generate, query, text};

fn rows(lake: &Path) -> String {
    query(lake, "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs")
}

fn tables(lake: &Path) -> [String; 2] {
    ["cloudfront_logs", "rejects"].map(|table| fingerprint(&lake.join(table)))
}

/// A lake of one hour, brought back to what a crash right after its commit leaves: files in
/// staging, nothing published. The unit's first version says committed, its second says published.
fn committed_only(dir: &Path) -> (PathBuf, PathBuf, Vec<PathBuf>) {
    let (logs, lake) = (dir.join("logs"), dir.join("lake"));
    exits(0, &["generate", "--out", text(&logs), "--rows", "3000", "--hours", "2026-11-21T05..2026-11-21T06"]);
    convert(&logs, &lake, &[]);
    let versions = files(&lake.join("_edgemill/units"));
    assert_eq!(versions.len(), 2, "{versions:?}");
    let record: serde_json::Value = serde_json::from_slice(&fs::read(&versions[0]).unwrap()).unwrap();
    let attempt = record["batches"][0]["attempt"].as_str().unwrap();
    assert_eq!(record["batches"][0]["state"], "committed");
    fs::remove_file(&versions[1]).unwrap();
    fs::remove_dir_all(lake.join("_edgemill/partitions")).unwrap();
    let staging = lake.join(format!("staging/batch.cloudfront_logs.2026-11-21T05.{attempt}"));
    fs::create_dir_all(&staging).unwrap();
    let published = files(&lake.join("cloudfront_logs"));
    for file in &published {
        let name = file.file_stem().unwrap().to_str().unwrap();
        let number = name.rsplit_once('-').unwrap().1;
        fs::rename(file, staging.join(format!("_{number}.staged"))).unwrap();
    }
    (logs, lake, published)
}

#[test]
fn a_committed_batch_is_published_by_the_next_run() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, _) = committed_only(dir.path());
    assert_eq!(rows(&lake), "n,d\n0,0\n", "nothing is seen before it is published");
    let summary = convert(&logs, &lake, &[]);
    assert_eq!((summary["finished_batches"].as_u64(), summary["converted_objects"].as_u64()), (Some(1), Some(0)));
    assert_eq!(rows(&lake), "n,d\n3000,3000\n");
    assert!(!lake.join("staging").exists());
}

#[test]
fn files_that_were_copied_already_are_no_obstacle() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, published) = committed_only(dir.path());
    let staged = files(&lake.join("staging"));
    for file in &published {
        let number = file.file_stem().unwrap().to_str().unwrap().rsplit_once('-').unwrap().1;
        let staged = staged.iter().find(|path| path.ends_with(format!("_{number}.staged"))).unwrap();
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::hard_link(staged, file).unwrap();
    }
    assert_eq!(rows(&lake), "n,d\n0,0\n", "a file that no record names is not seen");
    convert(&logs, &lake, &[]);
    assert_eq!(rows(&lake), "n,d\n3000,3000\n");
    assert_eq!(files(&lake.join("cloudfront_logs")).len(), staged.len(), "no helper's file is left");
}

#[test]
fn staging_that_no_record_names_does_no_harm() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 2_000, 1);
    let folder = lake.join("staging/0123456789abcdef/cloudfront_logs/year=2026/month=11/day=21/hour=05");
    convert(&logs, &lake, &[]);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("x-0.parquet"), "half").unwrap();
    convert(&logs, &lake, &[]);
    assert_eq!(rows(&lake), "n,d\n2000,2000\n");
}

#[test]
fn a_folder_is_written_to_before_its_first_file_has_a_name() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 1000, 5);
    convert(&logs, &lake, &[]);
    // As it looks from outside while another run writes the first file of an attempt.
    let unfinished =
        lake.join("staging/batch.cloudfront_logs.2026-11-21T08.0123456789abcdef0123456789abcdef/_0.staged#7");
    fs::create_dir_all(unfinished.parent().unwrap()).unwrap();
    fs::write(&unfinished, "PAR1").unwrap();
    assert_eq!(convert(&logs, &lake, &[])["cleared_attempts"], 0);
    assert!(unfinished.exists(), "somebody is at work there");
    assert_eq!(convert(&logs, &lake, &["--orphan-age", "0s"])["cleared_attempts"], 1);
    assert!(!lake.join("staging").exists());
}

#[test]
fn killed_at_any_instant_and_run_again() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, whole) = (dir.path().join("logs"), dir.path().join("whole"));
    generate(&logs, 30_000, 2);
    convert(&logs, &whole, &[]);
    for (round, milliseconds) in [20, 60, 90, 120, 160, 200, 250, 300, 400, 550].into_iter().enumerate() {
        let lake = dir.path().join(format!("lake{round}"));
        let mut run = start(&logs, &lake);
        std::thread::sleep(Duration::from_millis(milliseconds));
        run.kill().unwrap();
        run.wait().unwrap();
        convert(&logs, &lake, &[]);
        assert_eq!(rows(&lake), "n,d\n30000,30000\n", "killed after {milliseconds} ms");
        assert_eq!(tables(&lake), tables(&whole), "killed after {milliseconds} ms");
    }
}

#[test]
fn three_runs_at_once_convert_everything_once() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, whole) = (dir.path().join("logs"), dir.path().join("lake"), dir.path().join("whole"));
    generate(&logs, 30_000, 3);
    convert(&logs, &whole, &[]);
    let runs: Vec<_> = (0..3).map(|_| start(&logs, &lake)).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(rows(&lake), "n,d\n30000,30000\n");
    assert_eq!(tables(&lake), tables(&whole));
    assert!(!lake.join("staging").exists(), "{:?}", files(&lake.join("staging")));
}

#[test]
fn asked_to_stop_it_stops_cleanly() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 300_000, 2);
    let run = start(&logs, &lake);
    std::thread::sleep(Duration::from_millis(400));
    assert!(Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success());
    let output = run.wait_with_output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains("stopped by SIGTERM") && err.contains("run again"), "{err}");
    convert(&logs, &lake, &[]);
    assert_eq!(rows(&lake), "n,d\n300000,300000\n");
}

fn start(logs: &Path, lake: &Path) -> std::process::Child {
    let arguments = ["convert", "--from", text(logs), "--to", text(lake)];
    binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}
