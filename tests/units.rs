//! Lakes of days and months: their units are as long as their partitions, so many hours of few rows
//! are few files and few records, however they came.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{FIELDS, binary, convert, exits, files, gzip, query, row, text};

const ALL: &str = "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d, SUM(bytes) AS b FROM cf_logs";

fn logs(folder: &Path, hours: &str, rows: u64) {
    let rows = rows.to_string();
    exits(0, &["generate", "--out", text(folder), "--rows", &rows, "--seed", "7", "--hours", hours]);
}

/// Bytes of the ledger: records of units and partitions in every version, and manifests.
fn ledger_bytes(lake: &Path) -> u64 {
    let folders = ["units", "partitions", "manifests"].map(|name| lake.join("_edgemill").join(name));
    folders.iter().flat_map(|folder| files(folder)).map(|file| fs::metadata(file).unwrap().len()).sum()
}

fn parquet(lake: &Path) -> Vec<PathBuf> {
    files(&lake.join("cloudfront_logs"))
}

fn verified(lake: &Path, logs: &Path) {
    let (out, _) = exits(0, &["verify", "--deep", "--lake", text(lake), "--from", text(logs)]);
    assert!(out.contains("exactly once"), "{out}");
}

#[test]
fn a_month_of_hours_is_a_file_and_its_ledger_grows_as_the_hours_do() {
    let dir = tempfile::tempdir().unwrap();
    let mut bytes = Vec::new();
    for (name, hours, rows) in
        [("three", "2026-11-01T00..2026-11-04T00", 600), ("thirty", "2026-11-01T00..2026-12-01T00", 6_000)]
    {
        let from = dir.path().join(name);
        logs(&from, hours, rows);
        for (partition, most_files) in [("month", 2), ("day", 31)] {
            let lake = dir.path().join(format!("{name}-{partition}"));
            convert(&from, &lake, &["--partition", partition]);
            assert!(parquet(&lake).len() <= most_files, "{:?}", parquet(&lake));
            verified(&lake, &from);
            bytes.push(ledger_bytes(&lake));
        }
        let lake = dir.path().join(format!("{name}-hour"));
        convert(&from, &lake, &[]);
        for partition in ["month", "day"] {
            let other = dir.path().join(format!("{name}-{partition}"));
            assert_eq!(query(&other, ALL), query(&lake, ALL), "{partition}");
        }
    }
    let [three_month, three_day, thirty_month, thirty_day] = bytes[..] else { panic!("{bytes:?}") };
    assert!(thirty_month <= 11 * three_month, "{three_month} bytes for 3 days, {thirty_month} for 30");
    assert!(thirty_day <= 11 * three_day, "{three_day} bytes for 3 days, {thirty_day} for 30");
}

/// An object of one row for each of some hours.
fn hourly(logs: &Path, hour: usize) {
    let (day, of_day) = (1 + hour / 24, hour % 24);
    let text =
        format!("{FIELDS}{}", row(&format!("2026-11-{day:02}"), &format!("{of_day:02}:10:00"), &format!("id{hour}")));
    fs::create_dir_all(logs).unwrap();
    fs::write(logs.join(format!("E2EXAMPLE1234.2026-11-{day:02}-{of_day:02}.a{hour}.gz")), gzip(text.as_bytes()))
        .unwrap();
}

fn convert_hour(logs: &Path, lake: &Path, hour: usize) {
    let (day, of_day) = (1 + hour / 24, hour % 24);
    let end =
        if of_day == 23 { format!("2026-11-{:02}T00", day + 1) } else { format!("2026-11-{day:02}T{:02}", of_day + 1) };
    hourly(logs, hour);
    let hours = format!("2026-11-{day:02}T{of_day:02}..{end}");
    let summary = convert(logs, lake, &["--partition", "month", "--hours", &hours]);
    assert_eq!(
        (summary["converted_objects"].as_u64(), summary["late_objects"].as_u64()),
        (Some(1), Some(0)),
        "{hours}"
    );
}

#[test]
fn hourly_runs_into_a_month_leave_few_files_and_short_records() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    exits(0, &["init", "--to", text(&lake), "--partition", "month", "--no-late", "--queries", "0s"]);
    let hours = 40;
    for hour in 0..hours {
        convert_hour(&logs, &lake, hour);
    }
    assert_eq!(query(&lake, ALL).lines().nth(1).unwrap().split(',').next(), Some("40"));
    assert!(parquet(&lake).len() < 20, "{} files", parquet(&lake).len());
    let newest = |folder: &str| {
        let versions = files(&lake.join("_edgemill").join(folder).join("cloudfront_logs/2026-11"));
        let text = fs::read_to_string(versions.last().unwrap()).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let batches = newest("units")["batches"].as_array().unwrap().len();
    assert!(batches < 20, "40 batches are {batches} entries");
    let remembered = newest("partitions")["parts"][0]["applied"].as_object().unwrap().len();
    assert!(remembered < 40, "a partition remembers {remembered}");
    verified(&lake, &logs);
    // What is known is known whatever hours are asked for, and whatever was folded.
    for more in [&[][..], &["--hours", "2026-11-01T03..2026-11-01T09"], &["--last", "9000h"]] {
        let summary = convert(&logs, &lake, more);
        assert_eq!(summary["converted_objects"], 0, "{more:?}");
    }
    // An object that comes late is late, and is told with its own hour.
    let late = format!("{FIELDS}{}", row("2026-11-01", "05:20:00", "late"));
    fs::write(logs.join("E2EXAMPLE1234.2026-11-01-05.late.gz"), gzip(late.as_bytes())).unwrap();
    let summary = convert(&logs, &lake, &["--hours", "2026-11-01T05..2026-11-01T06"]);
    assert_eq!(
        (summary["converted_objects"].as_u64(), summary["late_objects"].as_u64()),
        (Some(1), Some(1)),
        "{summary}"
    );
    // The month is written anew as a whole, from any hour of it.
    exits(0, &["reprocess", "--from", text(&logs), "--lake", text(&lake), "--hours", "2026-11-01T05..2026-11-01T06"]);
    assert_eq!(query(&lake, ALL).lines().nth(1).unwrap().split(',').next(), Some("41"));
    assert_eq!(parquet(&lake).len(), 1);
    verified(&lake, &logs);
}

#[test]
fn an_object_that_changes_is_replaced_in_its_month() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    for hour in [3, 30] {
        hourly(&logs, hour);
    }
    convert(&logs, &lake, &["--partition", "month"]);
    let text = format!("{FIELDS}{}{}", row("2026-11-01", "03:10:00", "id3"), row("2026-11-01", "03:11:00", "more"));
    fs::write(logs.join("E2EXAMPLE1234.2026-11-01-03.a3.gz"), gzip(text.as_bytes())).unwrap();
    let summary = convert(&logs, &lake, &[]);
    assert_eq!((summary["changed_objects"].as_u64(), summary["replaced_objects"].as_u64()), (Some(1), Some(1)));
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cf_logs"), "n\n3\n");
    verified(&lake, &logs);
}

#[test]
fn two_runs_on_one_month_take_every_object_once() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    (0..60).for_each(|hour| hourly(&logs, hour));
    exits(0, &["init", "--to", text(&lake), "--partition", "month"]);
    let run = |hours: &str| {
        let arguments = ["convert", "--from", text(&logs), "--to", text(&lake), "--hours", hours];
        binary().args(arguments).stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let runs = [run("2026-11-01T00..2026-11-02T12"), run("2026-11-02T00..2026-11-04T00")];
    for mut run in runs {
        assert!(run.wait().unwrap().success());
    }
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs"), "n,d\n60,60\n");
    verified(&lake, &logs);
}
