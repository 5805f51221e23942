//! Whole runs, read back from their files.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::generate::*;
use crate::model::{Hour, Table};

fn spec(out: &Path, rows: u64, threads: usize) -> Spec {
    let hours = "2026-11-21T23..2026-11-22T02".parse().unwrap();
    Spec {
        out: out.to_owned(),
        table: Table::CloudfrontLogs,
        delivery: Delivery::Classic,
        rows,
        hours,
        distributions: 3,
        seed: 42,
        threads,
    }
}

/// The files of a folder: name to compressed bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entry = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    };
    fs::read_dir(folder).unwrap().map(entry).collect()
}

fn unpacked(gzip: &[u8]) -> String {
    let len = u32::from_le_bytes(*gzip.last_chunk().unwrap()) as usize;
    let mut text = vec![0; len];
    libdeflater::Decompressor::new().gzip_decompress(gzip, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// A run's report, and its data lines beside the names of their files.
fn generated(rows: u64) -> (Generated, Vec<(String, String)>) {
    let folder = tempfile::tempdir().unwrap();
    let told = AtomicU64::new(0);
    let progress = |rows| {
        told.fetch_add(rows, Ordering::Relaxed);
    };
    let report = run(&spec(folder.path(), rows, 2), &progress).unwrap();
    assert_eq!(told.into_inner(), rows, "progress adds up");
    let mut lines = Vec::new();
    for (name, gzip) in files(folder.path()) {
        let text = unpacked(&gzip);
        assert!(text.starts_with("#Version: 1.0\n#Fields: date time x-edge-location ") && text.ends_with('\n'));
        let fields = text.lines().nth(1).unwrap().trim_start_matches("#Fields: ");
        assert_eq!(fields.split(' ').count(), 33);
        lines.extend(text.lines().skip(2).map(|line| (name.clone(), line.to_owned())));
    }
    (report, lines)
}

#[test]
fn threads_change_nothing_and_seeds_everything() {
    let [one, three, other] = [(42, 1), (42, 3), (43, 1)].map(|(seed, threads)| {
        let folder = tempfile::tempdir().unwrap();
        let spec = Spec { seed, ..spec(folder.path(), 3_000, threads) };
        (run(&spec, &|_| ()).unwrap(), files(folder.path()))
    });
    assert_eq!(one, three);
    assert_ne!(one.1, other.1);
}

#[test]
fn the_report_tells_what_lies_in_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let report = run(&spec(folder.path(), 1_234, 2), &|_| ()).unwrap();
    let files = files(folder.path());
    let raw_bytes = files.values().map(|gzip| unpacked(gzip).len() as u64).sum::<u64>();
    let gzip_bytes = files.values().map(|gzip| gzip.len() as u64).sum::<u64>();
    assert_eq!(report, Generated { objects: files.len() as u64, rows: 1_234, raw_bytes, gzip_bytes });
}

#[test]
fn rows_are_counted_whole_and_unique() {
    for rows in [1, 2, 9, 20_000] {
        let (report, lines) = generated(rows);
        assert_eq!((report.rows, lines.len() as u64), (rows, rows));
        assert!(lines.iter().all(|(_, line)| line.split('\t').count() == 33));
        let ids: HashSet<&str> = lines.iter().map(|(_, line)| line.split('\t').nth(14).unwrap()).collect();
        assert_eq!(ids.len() as u64, rows);
        assert!(ids.iter().all(|id| id.len() == 56 && id.ends_with("==") && !id[..54].contains('=')));
    }
}

#[test]
fn file_names_are_those_of_the_edge() {
    let (_, lines) = generated(3_000);
    for (name, _) in lines {
        let parts: Vec<&str> = name.split('.').collect();
        let [distribution, hour, unique, "gz"] = parts[..] else { panic!("{name}") };
        assert!(distribution.starts_with('E') && (13..=14).contains(&distribution.len()));
        assert!(distribution.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        let hour: Hour = format!("{}T{}", &hour[..10], &hour[11..]).parse().unwrap();
        assert!(spec(Path::new(""), 1, 1).hours.contains(hour));
        assert!(unique.len() == 8 && unique.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)));
    }
}

#[test]
fn a_few_rows_are_from_before_their_files_hour_and_none_from_after() {
    let (_, lines) = generated(20_000);
    let early = lines.iter().filter(|(name, line)| {
        let (date, rest) = line.split_once('\t').unwrap();
        let row = format!("{date}-{}", &rest[..2]);
        let file = name.split('.').nth(1).unwrap();
        assert!(row.as_str() <= file, "{name}: {line}");
        row.as_str() < file
    });
    assert!((120..290).contains(&early.count()));
    let times: Vec<&str> = lines.iter().map(|(_, line)| &line[..19]).collect();
    assert!(!times.is_sorted());
}

#[test]
fn every_field_that_may_be_absent_is_absent_somewhere_and_present_elsewhere() {
    let (_, lines) = generated(20_000);
    let share = |field: usize| {
        let absent = lines.iter().filter(|(_, line)| line.split('\t').nth(field - 1) == Some("-")).count();
        absent * 1_000 / lines.len()
    };
    for field in [10, 11, 12, 13, 18, 20, 21, 22, 30, 31, 32, 33] {
        assert!((1..999).contains(&share(field)), "field {field}: {} of 1000 absent", share(field));
    }
    assert!((2..12).contains(&share(11)), "user agents: {}", share(11));
    for field in [1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 15, 16, 17, 19, 23, 24, 27, 28, 29] {
        assert_eq!(share(field), 0, "field {field}");
    }
}

#[test]
fn values_agree_with_each_other() {
    let (_, lines) = generated(20_000);
    let mut statuses = HashSet::new();
    for (_, line) in &lines {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |field: usize| fields[field - 1].parse::<f64>().unwrap();
        statuses.insert(fields[8]);
        assert!(number(28) <= number(19), "first byte after the last: {line}");
        assert_eq!(fields[8] == "206", fields[31] != "-", "ranges belong to 206: {line}");
        assert_eq!(fields[16] == "http", fields[20] == "-", "TLS belongs to https: {line}");
        assert!(fields[8] != "000" || fields[13] == "Error", "{line}");
        assert!(fields[4].parse::<std::net::IpAddr>().is_ok(), "{line}");
        assert!(line.bytes().all(|byte| byte == b'\t' || byte == b' ' || byte.is_ascii_graphic()), "{line}");
    }
    for status in ["200", "206", "301", "302", "304", "403", "404", "000", "500", "502", "503", "504"] {
        assert!(statuses.contains(status), "no {status}");
    }
}

#[test]
fn folders_in_use_and_senseless_orders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("notes.txt"), "mine").unwrap();
    let message = run(&spec(folder.path(), 10, 1), &|_| ()).unwrap_err().to_string();
    assert!(message.contains("notes.txt") && message.contains("name a new folder"), "{message}");
    assert_eq!(files(folder.path()).len(), 1, "nothing was written");

    let fresh = folder.path().join("deep/fresh");
    let usual = spec(&fresh, 10, 1);
    assert!(run(&Spec { rows: 0, ..usual.clone() }, &|_| ()).is_err());
    assert!(run(&Spec { distributions: 0, ..usual.clone() }, &|_| ()).is_err());
    assert!(!fresh.exists(), "an order that is refused leaves no folder");
    assert_eq!(run(&usual, &|_| ()).unwrap().rows, 10);
}
