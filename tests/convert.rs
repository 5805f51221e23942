//! `convert` through the binary: what becomes of a folder of logs, once and again.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::{FIELDS, convert, exits, fingerprint, generate, gzip, query, row, text, unknown_field};

fn count(lake: &Path) -> String {
    query(lake, "SELECT COUNT(*) AS n FROM cloudfront_logs").lines().nth(1).unwrap().to_owned()
}

/// Every row with every column, in an order of its own.
fn all_rows(lake: &Path) -> String {
    query(lake, "SELECT * FROM cloudfront_logs ORDER BY x_edge_request_id")
}

fn assert_sums(summary: &serde_json::Value) {
    let number = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(number("lines"), number("rows") + number("rejected_lines") + number("comment_lines"), "{summary}");
}

#[test]
fn every_row_once_and_the_second_run_does_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 20_000, 3);
    let first = convert(&logs, &lake, &[]);
    assert_sums(&first);
    assert_eq!((first["rows"].as_u64(), first["rejected_lines"].as_u64()), (Some(20_000), Some(0)));
    assert_eq!(count(&lake), "20000");
    let before = fingerprint(&lake);
    let again = convert(&logs, &lake, &[]);
    assert_eq!(again["converted_objects"], 0);
    assert_eq!(again["known_objects"], first["converted_objects"]);
    assert_eq!(fingerprint(&lake), before, "nothing was written");
    assert_eq!(again["lake_calls"]["put"], 0);
    assert_eq!(query(&lake, "SELECT COUNT(DISTINCT x_edge_request_id) AS n FROM cloudfront_logs"), "n\n20000\n");
    assert!(!lake.join("staging").exists(), "staging is empty at rest");
    assert!(!common::files(&lake).iter().any(|file| text(file).contains('#')), "no half-made copies");
}

#[test]
fn the_lake_does_not_depend_on_threads_or_memory() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    generate(&logs, 20_000, 5);
    let tables = |name: &str, more: &[&str]| {
        let lake = dir.path().join(name);
        convert(&logs, &lake, more);
        fingerprint(&lake.join("cloudfront_logs"))
    };
    let one = tables("one", &["--threads", "1"]);
    assert_eq!(one, tables("two", &["--threads", "2", "--memory", "512MiB"]));
    assert_eq!(one, tables("many", &["--threads", "9", "--memory", "4GiB"]));
}

#[test]
fn what_comes_late_is_added() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, whole) = (dir.path().join("logs"), dir.path().join("lake"), dir.path().join("whole"));
    generate(&logs, 20_000, 4);
    convert(&logs, &whole, &[]);
    let objects = common::files(&logs);
    let aside = dir.path().join("late");
    fs::create_dir(&aside).unwrap();
    let late: Vec<_> = objects.iter().step_by(objects.len() / 10).take(10).collect();
    for object in &late {
        fs::rename(object, aside.join(object.file_name().unwrap())).unwrap();
    }
    let first = convert(&logs, &lake, &[]);
    assert_eq!(first["converted_objects"].as_u64(), Some(objects.len() as u64 - 10));
    for object in &late {
        fs::rename(aside.join(object.file_name().unwrap()), object).unwrap();
    }
    let second = convert(&logs, &lake, &[]);
    assert_eq!(second["converted_objects"], 10);
    assert_eq!(count(&lake), "20000");
    assert_eq!(all_rows(&lake), all_rows(&whole), "byte for byte the rows of one go");
}

#[test]
fn hours_and_shares_choose_units() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 5_000, 6);
    let objects = common::files(&logs).len() as u64;
    let some = convert(&logs, &lake, &["--hours", "2026-11-21T05..2026-11-21T08"]);
    assert_eq!(some["units"], 3);
    let mut converted = some["converted_objects"].as_u64().unwrap();
    for share in ["0/3", "1/3", "2/3"] {
        converted += convert(&logs, &lake, &["--shard", share])["converted_objects"].as_u64().unwrap();
    }
    assert_eq!((converted, count(&lake).as_str()), (objects, "5000"));
}

#[test]
fn partitions_may_be_days_or_months() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    let hours = ["--hours", "2026-10-31T20..2026-11-02T04"];
    exits(0, &[&["generate", "--out", text(&logs), "--rows", "8000", "--seed", "3"], &hours[..]].concat());
    let per_hour = "SELECT year, month, day, hour, COUNT(*) AS n FROM cf_logs GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4";
    let some_hours = "SELECT COUNT(*) FROM cf_logs WHERE month = '11' AND hour BETWEEN '03' AND '05' AND day < '02'";
    let by_time = "SELECT COUNT(*) FROM cloudfront_logs WHERE event_time >= '2026-11-01T05:00:00Z' AND event_time < '2026-11-01T06:00:00Z'";
    let answers = |lake: &Path| [per_hour, some_hours, by_time].map(|sql| query(lake, sql));
    let hourly = dir.path().join("hour");
    convert(&logs, &hourly, &[]);
    for (granularity, first, others) in [("day", "year=2026/month=10/day=31", 3), ("month", "year=2026/month=10", 2)] {
        let lake = dir.path().join(granularity);
        convert(&logs, &lake, &["--partition", granularity, "--compact-files", "0"]);
        assert_eq!(answers(&lake), answers(&hourly));
        let folders: BTreeSet<_> =
            common::files(&lake.join("cloudfront_logs")).iter().map(|file| file.parent().unwrap().to_owned()).collect();
        assert!(folders.contains(&lake.join("cloudfront_logs").join(first)), "{folders:?}");
        assert_eq!(folders.len(), others);
        // Nothing to do, files that are merged, rows that are made anew, and all of it holds.
        assert_eq!(convert(&logs, &lake, &[])["converted_objects"], 0);
        exits(0, &["compact", "--lake", text(&lake), "--hours", "2026-11-01T05..2026-11-01T06"]);
        exits(
            0,
            &["reprocess", "--lake", text(&lake), "--from", text(&logs), "--hours", "2026-11-01T05..2026-11-01T07"],
        );
        exits(0, &["verify", "--deep", "--lake", text(&lake), "--from", text(&logs)]);
        exits(0, &["verify", "--deep", "--lake", text(&lake), "--hours", "2026-11-01T05..2026-11-01T06"]);
        assert_eq!(answers(&lake), answers(&hourly));
        // A lake stays as it was made.
        let hour = ["convert", "--from", text(&logs), "--to", text(&lake), "--partition", "hour"];
        assert!(exits(2, &hour).1.contains(&format!("a partition for each {granularity}")));
    }
}

#[test]
fn bad_lines_are_rejected_and_damage_keeps_good_lines() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let good: String = (0..3_000).map(|n| row("2026-11-21", "05:00:00", &format!("good{n}"))).collect();
    let bad = row("2026-11-21", "05:00:01", "bad").replace("1045619", "abc");
    let mut mixed = format!("{FIELDS}{good}{bad}short\tline\n").into_bytes();
    mixed.extend_from_slice(b"\xff\xfe\n");
    fs::write(logs.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz"), gzip(&mixed)).unwrap();
    let mut cut = gzip(
        format!(
            "{FIELDS}{}",
            (0..3_000).map(|n| row("2026-11-21", "06:00:00", &format!("cut{n}"))).collect::<String>()
        )
        .as_bytes(),
    );
    cut.truncate(cut.len() * 2 / 3);
    fs::write(logs.join("E1EXAMPLE.2026-11-21-06.bbbbbbbb.gz"), cut).unwrap();

    let (out, _) = exits(3, &["convert", "--json", "--from", text(&logs), "--to", text(&lake)]);
    let summary: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_sums(&summary);
    assert_eq!(summary["damaged_objects"], 1);
    let cut_rows: u64 = query(&lake, "SELECT COUNT(*) FROM cf_logs WHERE requestid LIKE 'cut%'")
        .lines()
        .nth(1)
        .unwrap()
        .parse()
        .unwrap();
    assert!((1_000..3_000).contains(&cut_rows), "{cut_rows} rows came before the damage");

    let rejects = query(&lake, "SELECT filename, line_number, byte_offset, reason, hour FROM rejects ORDER BY 1, 2");
    let lines: Vec<&str> = rejects.lines().skip(1).collect();
    let offset = FIELDS.len() + good.len();
    let place = |line: usize, offset: usize| format!("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz,{line},{offset},");
    assert!(
        lines[0].starts_with(&place(3_003, offset)) && lines[0].contains("sc_bytes: cannot read 'abc'"),
        "{}",
        lines[0]
    );
    assert!(
        lines[1].starts_with(&place(3_004, offset + bad.len())) && lines[1].contains("2 values where #Fields names 33"),
        "{}",
        lines[1]
    );
    assert!(lines[2].contains("not UTF-8"), "{}", lines[2]);
    assert!(
        lines[3].starts_with("E1EXAMPLE.2026-11-21-06.bbbbbbbb.gz") && lines[3].contains("cut short"),
        "{}",
        lines[3]
    );
    assert_eq!(lines.len(), 4);
    let raw = query(&lake, "SELECT CAST(raw_line AS VARCHAR) FROM rejects WHERE reason LIKE 'sc_bytes%'");
    assert!(raw.contains(bad.trim_end()), "{raw}");
}

#[test]
fn a_unit_with_too_many_rejects_is_not_committed_where_the_job_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let text_of_one_row = format!("{FIELDS}this is no row\nat all\n{}", row("2026-11-21", "05:00:00", "good"));
    fs::write(logs.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz"), gzip(text_of_one_row.as_bytes())).unwrap();
    let arguments = ["convert", "--from", text(&logs), "--to", text(&lake), "--reject-fail-ratio", "0.3"];
    let (_, err) = exits(1, &arguments);
    assert!(
        err.contains("cloudfront_logs/2026-11-21T05") && err.contains("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz:3"),
        "{err}"
    );
    assert_eq!((count(&lake).as_str(), lake.join("staging").exists()), ("0", false));
    exits(3, &arguments[..5]);
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM rejects"), "n\n2\n");
}

#[test]
fn a_changed_object_is_told_and_its_rows_are_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let (object, other) =
        (logs.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz"), logs.join("E1EXAMPLE.2026-11-21-05.bbbbbbbb.gz"));
    let write = |path: &Path, rows: &str| fs::write(path, gzip(format!("{FIELDS}{rows}").as_bytes())).unwrap();
    write(&object, &row("2026-11-21", "05:00:00", "a"));
    write(&other, &row("2026-11-21", "05:00:00", "other"));
    convert(&logs, &lake, &[]);
    // Its new rows are more, and one is of another hour.
    write(&object, &[row("2026-11-21", "05:00:00", "b"), row("2026-11-21", "06:00:00", "c")].concat());
    let summary = convert(&logs, &lake, &[]);
    assert_eq!((summary["changed_objects"].as_u64(), summary["replaced_objects"].as_u64()), (Some(1), Some(1)));
    assert_eq!(summary["changed"][0], "E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz");
    let ids = || query(&lake, "SELECT x_edge_request_id AS id FROM cloudfront_logs ORDER BY 1");
    assert_eq!(ids(), "id\nb\nc\nother\n");
    assert_eq!(convert(&logs, &lake, &[])["changed_objects"], 0);
    exits(0, &["verify", "--lake", text(&lake), "--from", text(&logs)]);
    // Where another object of the hour is gone, its rows could not be made again: nothing is
    // touched, and the exit code tells.
    write(&object, &row("2026-11-21", "05:00:00", "d"));
    fs::remove_file(&other).unwrap();
    let (out, err) = exits(3, &["convert", "--from", text(&logs), "--to", text(&lake)]);
    assert!(out.contains("the rows of 0 were replaced") && err.contains("bbbbbbbb.gz"), "{out}\n{err}");
    assert_eq!(ids(), "id\nb\nc\nother\n");
}

#[test]
fn columns_are_mapped_by_the_files_own_header() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let unknown = unknown_field();
    let odd = format!(
        "#Version: 1.0\n#Fields: c-ip {unknown} time sc-bytes date\n192.0.2.1\tx\t05:00:00\t12\t2026-11-21\n\
#Fields:\tdate\ttime\tc-ip\n2026-11-21\t05:00:01\t2001:db8::1\n"
    );
    fs::write(logs.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz"), gzip(odd.as_bytes())).unwrap();
    convert(&logs, &lake, &[]);
    let rows = query(
        &lake,
        &format!(
            "SELECT event_time, c_ip, sc_bytes, cs_method, is_bot, extra['{unknown}'] AS extra FROM cloudfront_logs ORDER BY 1"
        ),
    );
    assert_eq!(
        rows,
        "event_time,c_ip,sc_bytes,cs_method,is_bot,extra\n2026-11-21T05:00:00Z,192.0.2.1,12,,,x\n2026-11-21T05:00:01Z,2001:db8::1,,,,\n"
    );
}

#[test]
fn one_row_in_every_column() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let object = format!("{FIELDS}{}", row("2026-11-21", "05:00:00", "id=="));
    fs::write(logs.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz"), gzip(object.as_bytes())).unwrap();
    convert(&logs, &lake, &[]);
    let mut golden = String::new();
    for name in ["cloudfront_logs", "cf_logs", "cloudfront_standard_logs"] {
        let json = exits(0, &["query", "--lake", text(&lake), "--json", &format!("SELECT * FROM {name}")]).0;
        let row: serde_json::Value = serde_json::from_str(&json).unwrap();
        writeln!(golden, "-- {name}\n{}", serde_json::to_string_pretty(&row).unwrap()).unwrap();
    }
    insta::assert_snapshot!(golden);
}
