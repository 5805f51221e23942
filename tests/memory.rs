//! Memory follows from `--memory`, not from the input: what 1 GiB is to an hour of 20 GB, or to an
//! object of 5 GB, 512 MiB is to the hour of 10 GB and the object of 2.5 GB that are converted
//! here.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints what it measured"
)]

mod common;

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use common::{FIELDS, binary, exits, files, gzip, query, row, text};
use parquet::arrow::ArrowWriter;

const MEMORY: &str = "512MiB";
const MEMORY_KIB: u64 = 512 << 10;

/// Rows of the logs that everything here is made of: 1 GB as text.
const ROWS: u64 = 2_000_000;

/// Runs to the end; the most memory that it ever had, by the kernel's own account, and what it
/// printed.
fn peak_kib(arguments: &[&str]) -> (u64, serde_json::Value) {
    let mut process = binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let status = PathBuf::from(format!("/proc/{}/status", process.id()));
    let mut peak = 0;
    let ended = loop {
        let told = fs::read_to_string(&status).unwrap_or_default();
        let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        peak = peak.max(line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap()));
        if let Some(ended) = process.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(ended.success(), "{arguments:?}");
    let printed = std::io::read_to_string(process.stdout.unwrap()).unwrap();
    (peak, serde_json::from_str(printed.lines().last().unwrap()).unwrap())
}

fn convert(logs: &Path, lake: &Path) -> (u64, serde_json::Value) {
    peak_kib(&["convert", "--json", "--from", text(logs), "--to", text(lake), "--memory", MEMORY, "--threads", "2"])
}

fn one_hour(folder: &Path) -> Vec<PathBuf> {
    let rows = ROWS.to_string();
    let hour = "2026-11-21T05..2026-11-21T06";
    exits(0, &["generate", "--out", text(folder), "--rows", &rows, "--hours", hour, "--seed", "7"]);
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|end| end == "gz")).collect()
}

#[test]
fn an_hour_and_an_object_of_any_size_take_the_same_memory() {
    let dir = tempfile::tempdir().unwrap();
    let [gigabyte, hour, object] = ["gigabyte", "hour", "object"].map(|name| dir.path().join(name));
    let logs = one_hour(&gigabyte);

    // The same bytes under ten names each.
    fs::create_dir(&hour).unwrap();
    for path in &logs {
        let name = path.file_name().unwrap().to_str().unwrap();
        for copy in 0..10 {
            fs::hard_link(path, hour.join(name.replace(".gz", &format!("{copy}.gz")))).unwrap();
        }
    }
    // All of them in one object, two and a half times: gzip members may follow each other.
    fs::create_dir(&object).unwrap();
    let mut joined = File::create(object.join("E2EXAMPLE1234.2026-11-21-05.0123abcd.gz")).unwrap();
    for path in logs.iter().chain(&logs).chain(&logs[..logs.len() / 2]) {
        joined.write_all(&fs::read(path).unwrap()).unwrap();
    }
    drop(joined);

    let peaks = [&gigabyte, &hour, &object].map(|from| {
        let lake = dir.path().join(format!("{}-lake", from.file_name().unwrap().to_str().unwrap()));
        let (peak, summary) = convert(from, &lake);
        let (rows, raw) = (summary["rows"].as_u64().unwrap(), summary["raw_bytes"].as_u64().unwrap());
        println!("{}: {rows} rows, {} MB raw, peak {} MiB", from.display(), raw / 1_000_000, peak >> 10);
        assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cloudfront_logs").trim(), format!("n\n{rows}"));
        (peak, rows, lake)
    });
    let [(small, ..), (large, large_rows, _), (single, ..)] = peaks;
    assert_eq!((peaks[0].1, large_rows), (ROWS, 10 * ROWS));
    assert!(small.max(large).max(single) < MEMORY_KIB, "{peaks:?}");
    assert!(large < small * 5 / 4, "ten times the input took {large} KiB, not {small}");
}

#[test]
fn merging_the_files_of_an_hour_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let [all, logs, lake] = ["all", "logs", "lake"].map(|name| dir.path().join(name));
    fs::create_dir(&logs).unwrap();
    for objects in one_hour(&all).chunks(40) {
        for path in objects {
            fs::rename(path, logs.join(path.file_name().unwrap())).unwrap();
        }
        exits(0, &["convert", "--from", text(&logs), "--to", text(&lake), "--memory", MEMORY, "--compact-files", "0"]);
    }
    let before = files(&lake.join("cloudfront_logs")).len();
    let (peak, summary) = peak_kib(&["compact", "--json", "--lake", text(&lake), "--memory", MEMORY, "--threads", "2"]);
    println!("compact: {summary}, peak {} MiB", peak >> 10);
    assert!(peak < MEMORY_KIB, "{peak} KiB");
    assert!(summary["rows"].as_u64().unwrap() > ROWS / 2 && files(&lake.join("cloudfront_logs")).len() < before / 2);
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cloudfront_logs").trim(), format!("n\n{ROWS}"));
}

#[test]
fn many_threads_and_long_rows_take_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let [logs, lake] = ["logs", "lake"].map(|name| dir.path().join(name));
    fs::create_dir(&logs).unwrap();
    let mut state = 1_u64;
    let mut words = |count: usize| {
        let word = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            format!("{state:016x}")
        });
        word.take(count).collect::<String>()
    };
    for object in 0..32 {
        let rows: String = (0..700)
            .map(|n| {
                let long = row("2026-11-21", &format!("{:02}:00:00", object % 8), &format!("{object}id{n}"));
                long.replace("/index.html", &format!("/{}", words(200))).replace("Windows%20NT", &words(40))
            })
            .collect();
        let body = gzip(format!("{FIELDS}{rows}").as_bytes());
        for copy in 0..8 {
            fs::write(logs.join(format!("E2EXAMPLE.2026-11-21-{:02}.{object:04x}{copy:04x}.gz", object % 8)), &body)
                .unwrap();
        }
    }
    let (peak, summary) = peak_kib(&[
        "convert",
        "--json",
        "--from",
        text(&logs),
        "--to",
        text(&lake),
        "--memory",
        MEMORY,
        "--threads",
        "16",
    ]);
    println!("16 threads, {} MB raw: peak {} MiB", summary["raw_bytes"].as_u64().unwrap() / 1_000_000, peak >> 10);
    assert_eq!(summary["rows"], 32 * 700 * 8);
    assert!(peak < MEMORY_KIB, "{peak} KiB");
}

#[test]
fn a_small_file_of_long_values_takes_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let [logs, lake] = ["logs", "lake"].map(|name| dir.path().join(name));
    fs::create_dir(&logs).unwrap();
    // Long values that repeat where none should: their dictionary holds them once a row group, the
    // lake once a row.
    let (groups, rows) = (24, 5_000);
    let long: Vec<String> = (0..8).map(|n| format!("{n}{}", "path".repeat(2_000))).collect();
    let mut writer: Option<ArrowWriter<Vec<u8>>> = None;
    for _ in 0..groups {
        let columns: [(&str, ArrayRef); 3] = [
            ("date", Arc::new(StringArray::from(vec!["2026-11-21"; rows]))),
            ("time", Arc::new(StringArray::from(vec!["05:00:00"; rows]))),
            ("x-edge-request-id", Arc::new(StringArray::from_iter_values((0..rows).map(|n| &long[n % 8])))),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let writer = writer.get_or_insert_with(|| ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap());
        writer.write(&batch).unwrap();
        writer.flush().unwrap();
    }
    let stored = writer.unwrap().into_inner().unwrap();
    assert!(stored.len() < 8 << 20, "{} bytes", stored.len());
    fs::write(logs.join("E2EXAMPLE1234.2026-11-21-05.0123abcd.parquet"), stored).unwrap();
    let (peak, summary) = convert(&logs, &lake);
    println!("Parquet, {} MB of values: peak {} MiB", summary["raw_bytes"].as_u64().unwrap() / 1_000_000, peak >> 10);
    assert_eq!(summary["rows"], groups * rows);
    assert!(peak < MEMORY_KIB, "{peak} KiB");
}
