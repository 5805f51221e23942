//! Answers of any size take the same memory, come row by row, and end when their reader does; and
//! what a query is told when it can't be answered.

#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints what it measured"
)]

mod common;

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use common::{FIELDS, binary, convert, exits, files, generate, gzip, query, row, text};
use edgemill::model::Table;

/// Rows of the large lake: as CSV half a gigabyte, as text in memory more than twice as much.
const ROWS: u64 = 700_000;

struct Lakes {
    _dir: tempfile::TempDir,
    large: PathBuf,
    small: PathBuf,
}

/// A lake that does not fit in the memory that queries get here, and one of some thousand rows.
static LAKES: LazyLock<Lakes> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let lake = |name: &str, rows| {
        let (logs, lake) = (dir.path().join(format!("{name}-logs")), dir.path().join(name));
        generate(&logs, rows, 7);
        convert(&logs, &lake, &[]);
        fs::remove_dir_all(&logs).unwrap();
        lake
    };
    let (large, small) = (lake("large", ROWS), lake("small", 3_000));
    Lakes { _dir: dir, large, small }
});

const ALL: &str = "SELECT * FROM cloudfront_logs";

/// The most memory that a process ever had so far, by the kernel's own account.
fn peak_kib(process: &Child) -> u64 {
    let told = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap_or_default();
    let line = told.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.map_or(0, |line| line.trim().trim_end_matches(" kB").parse().unwrap())
}

struct Asked {
    peak_kib: u64,
    code: Option<i32>,
    lines: u64,
    err: String,
}

/// Asks, reads everything, and watches.
fn watched(arguments: &[&str], environment: &[(&str, &Path)]) -> Asked {
    let mut command = binary();
    command.arg("query").args(arguments).envs(environment.iter().copied());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = process.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let (mut lines, mut buffer) = (0, vec![0; 1 << 16]);
        loop {
            let read = out.read(&mut buffer).unwrap();
            if read == 0 {
                return lines;
            }
            lines += memchr::memchr_iter(b'\n', &buffer[..read]).count() as u64;
        }
    });
    let mut peak = 0;
    let ended = loop {
        peak = peak.max(peak_kib(&process));
        if let Some(ended) = process.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let err = std::io::read_to_string(process.stderr.unwrap()).unwrap();
    Asked { peak_kib: peak, code: ended.code(), lines: reader.join().unwrap(), err }
}

#[test]
fn an_answer_of_any_size_takes_the_memory_it_is_given() {
    for (format, extra_lines) in [("csv", 1), ("json", 0), ("table", 4)] {
        let arguments = ["--lake", text(&LAKES.large), "--memory", "384MiB", "--format", format, ALL];
        let asked = watched(&arguments, &[]);
        println!("{format}: {} MiB", asked.peak_kib >> 10);
        assert_eq!((asked.code, asked.lines), (Some(0), ROWS + extra_lines), "{format}: {}", asked.err);
        assert!(asked.peak_kib < 384 << 10, "{format}: {} KiB", asked.peak_kib);
    }
}

#[test]
fn sorting_what_does_not_fit_goes_on_with_the_disk() {
    let temporary = tempfile::tempdir().unwrap();
    // With less than a GiB one thread reads; with more they are several, and must not sort each for
    // itself.
    for memory_mib in [512, 1024] {
        let (sql, memory) = (format!("{ALL} ORDER BY x_edge_request_id"), format!("{memory_mib}MiB"));
        let arguments = ["--lake", text(&LAKES.large), "--memory", &memory, "--format", "csv", &sql];
        let asked = watched(&arguments, &[("TMPDIR", temporary.path())]);
        println!("sorted in {memory}: {} MiB", asked.peak_kib >> 10);
        assert_eq!((asked.code, asked.lines), (Some(0), ROWS + 1), "{}", asked.err);
        assert!(asked.peak_kib < memory_mib << 10, "{} KiB", asked.peak_kib);
    }
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0, "nothing stays behind");
}

#[test]
fn what_can_not_go_to_disk_is_refused_with_the_way_out() {
    let sql = "SELECT COUNT(*) FROM cloudfront_logs a JOIN cloudfront_logs b ON a.user_agent = b.cs_user_agent \
               AND a.cs_uri_stem || a.x_edge_request_id < b.cs_uri_stem || b.x_edge_request_id";
    let asked = watched(&["--lake", text(&LAKES.large), "--memory", "256MiB", sql], &[]);
    assert_eq!(asked.code, Some(2), "{}", asked.err);
    assert!(
        asked.err.contains("more memory than it may: a join of it") && asked.err.contains("--memory"),
        "{}",
        asked.err
    );
}

#[test]
fn the_first_rows_come_before_the_last_are_read_and_a_reader_may_go() {
    for format in ["csv", "json", "table"] {
        let begun = Instant::now();
        let mut process = binary()
            .args(["query", "--lake", text(&LAKES.large), "--format", format, ALL])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        for _ in 0..5 {
            line.clear();
            out.read_line(&mut line).unwrap();
        }
        assert!(line.len() > 300, "{format}: {line}");
        // All that may be held ready is far less than all there is: who reads everything first has
        // not begun to write.
        let read = processed_bytes(process.id());
        let all: u64 =
            files(&LAKES.large.join("cloudfront_logs")).iter().map(|path| fs::metadata(path).unwrap().len()).sum();
        println!("{format}: first rows after {:?}, with {} of {} KiB read", begun.elapsed(), read >> 10, all >> 10);
        assert!(process.try_wait().unwrap().is_none(), "{format}: it goes on");
        drop(out);
        let gone = Instant::now();
        let ended = process.wait().unwrap();
        let err = std::io::read_to_string(process.stderr.unwrap()).unwrap();
        assert_eq!((ended.code(), err.as_str()), (Some(0), ""), "{format}");
        assert!(gone.elapsed() < Duration::from_secs(5), "{format}: it ended after {:?}", gone.elapsed());
    }
}

/// Bytes that a process has read from files so far.
fn processed_bytes(process: u32) -> u64 {
    let told = fs::read_to_string(format!("/proc/{process}/io")).unwrap_or_default();
    told.lines().find_map(|line| line.strip_prefix("rchar: ")).map_or(0, |bytes| bytes.parse().unwrap())
}

#[test]
fn rows_come_in_the_order_of_the_hours_each_time() {
    let lake = text(&LAKES.large);
    let sql = "SELECT day, hour, x_edge_request_id FROM cloudfront_logs";
    let first = query(&LAKES.large, sql);
    let hours: Vec<&str> = first.lines().skip(1).map(|line| &line[..5]).collect();
    assert!(hours.is_sorted() && hours.len() as u64 == ROWS);
    assert!(first == query(&LAKES.large, sql), "the same rows in the same order");
    let view = "SELECT logdate, requestid FROM cf_logs WHERE bytes > 1000";
    assert!(exits(0, &["query", "--lake", lake, view]).0 == exits(0, &["query", "--lake", lake, view]).0);
}

#[test]
fn a_value_that_is_longer_further_down_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    let long = format!("/{}", "long".repeat(60));
    let rows: String = (0..1_500).map(|n| row("2026-11-21", "05:00:00", &format!("id{n:04}"))).collect();
    let last = row("2026-11-21", "06:00:00", "last").replace("/index.html", &long);
    for (hour, rows) in [(5, rows), (6, last)] {
        fs::write(
            logs.join(format!("E2EXAMPLE.2026-11-21-0{hour}.0123abcd.gz")),
            gzip(format!("{FIELDS}{rows}").as_bytes()),
        )
        .unwrap();
    }
    convert(&logs, &lake, &[]);
    let (out, err) =
        exits(0, &["query", "--lake", text(&lake), "SELECT x_edge_request_id, cs_uri_stem FROM cloudfront_logs"]);
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines[1], "| x_edge_request_id | cs_uri_stem |");
    assert_eq!(lines[lines.len() - 2], format!("| last              | {long} |"));
    assert_eq!((lines.len(), err.as_str()), (1_505, "(1,501 rows)\n"));
}

#[test]
fn what_the_asker_can_mend_is_told_as_such() {
    let lake = text(&LAKES.small);
    let tables = format!("the tables are {}; the views cf_logs", Table::ALL.map(Table::name).join(", "));
    for (sql, told) in [
        ("SELECT 1 / 0", "NULLIF"),
        ("SELECT sc_bytes / (sc_status - sc_status) FROM cloudfront_logs", "NULLIF"),
        ("SELECT * FROM cloudfront_logs WHERE sc_status = 'abc'", "'abc'"),
        ("SELECT CAST(cs_uri_stem AS INT) FROM cloudfront_logs", "TRY_CAST"),
        (
            "SELECT * FROM cloudfront_logs WHERE event_time > '2026-11-28 10:00'",
            "write an instant as 2026-11-28T10:00:00",
        ),
        ("SELECT to_timestamp(cs_uri_stem) FROM cloudfront_logs", "write an instant as 2026-11-28T10:00:00"),
        ("SELECT CAST('2026-13-01' AS DATE)", "a day as 2026-11-28"),
        ("SELECT * FROM cf_logs WHERE uri ~ '('", "mend the pattern"),
        ("SELECT regexp_replace(uri, '(', 'a') FROM cf_logs", "mend the pattern"),
        ("SELECT INTERVAL 'x'", "INTERVAL '1 hour'"),
        ("SELECT date_trunc('hou', event_time) FROM cloudfront_logs", "granularity"),
        ("SELECT CAST(300 AS TINYINT)", "300"),
        ("SELECT (SELECT bytes FROM cf_logs)", "more than one row"),
        ("SELECT statu FROM cf_logs", "did you mean cf_logs.status? DESCRIBE cf_logs lists the columns"),
        ("SELECT target_status FROM alb_logs", "DESCRIBE alb_logs lists the columns"),
        ("SELECT * FROM cf_logs WHERE method = \"GET\"", "a text takes single quotes: 'GET'"),
        ("SELECT * FROM logs", &tables),
        ("SELECT quantile(bytes, 0.5) FROM cf_logs", "approx_percentile_cont"),
        ("SELECT substr(uri, 'a') FROM cf_logs", "substr"),
        ("SELECT COUNT(*) FROM cf_logs GROUP BY", "does not parse"),
    ] {
        let (out, err) = exits(2, &["query", "--lake", lake, "--format", "json", sql]);
        assert_eq!(out, "", "{sql}");
        assert!(err.contains(told), "{sql}: {err}");
        assert!(err.len() < 400 && err.lines().count() == 1 && !err.contains("bug"), "{sql}: {err}");
    }
    let table = LAKES.small.join("cloudfront_logs");
    // The world's failures stay what they are.
    let dir = tempfile::tempdir().unwrap();
    let lost = dir.path().join("lost");
    copy(&LAKES.small, &lost);
    let file = &files(&lost.join("cloudfront_logs"))[1];
    fs::remove_file(file).unwrap();
    exits(1, &["query", "--lake", text(&lost), "SELECT COUNT(c_ip) FROM cloudfront_logs"]);
    assert!(table.exists());
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let place = to.join(path.strip_prefix(from).unwrap());
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        fs::copy(&path, place).unwrap();
    }
}

/// A file that goes while the answer is written is told; what was written can't be taken back.
#[test]
fn a_file_that_goes_after_the_first_rows_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let lake = dir.path().join("lake");
    copy(&LAKES.large, &lake);
    let mut process = binary()
        .args(["query", "--lake", text(&lake), "--format", "csv", "--memory", "256MiB", ALL])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(process.stdout.take().unwrap());
    out.read_line(&mut String::new()).unwrap();
    fs::remove_file(files(&lake.join("cloudfront_logs")).last().unwrap()).unwrap();
    std::io::copy(&mut out, &mut std::io::sink()).unwrap();
    let ended = process.wait().unwrap();
    let err = std::io::read_to_string(process.stderr.unwrap()).unwrap();
    assert_eq!(ended.code(), Some(1), "{err}");
    assert!(err.contains("what was written is not whole") && err.contains("run it again"), "{err}");
}

#[test]
fn output_is_a_new_file_and_whole() {
    let (lake, dir) = (text(&LAKES.small), tempfile::tempdir().unwrap());
    let sql = "SELECT event_time, cs_uri_stem, sc_bytes FROM cloudfront_logs";
    let place = |name: &str| dir.path().join(name);
    for (name, format) in [("a.csv", "csv"), ("a.json", "json"), ("a.jsonl", "json"), ("a.txt", "table")] {
        let (out, err) = exits(0, &["query", "--lake", lake, "--output", text(&place(name)), sql]);
        assert_eq!(out, "");
        assert!(err.contains("3,000 rows in") && err.contains(name), "{err}");
        let printed = exits(0, &["query", "--lake", lake, "--format", format, sql]).0;
        assert!(fs::read_to_string(place(name)).unwrap() == printed, "{name}");
    }
    let mut command = binary();
    command.current_dir(dir.path()).args(["query", "--lake", lake, "--format", "csv", "--output", "-", sql]);
    let printed = exits(0, &["query", "--lake", lake, "--format", "csv", sql]).0;
    assert!(command.output().unwrap().stdout == printed.as_bytes(), "- is standard output, and no file");
    exits(0, &["query", "--lake", lake, "--output", text(&place("b.dat")), "--format", "csv", sql]);
    fs::write(place("mine.csv"), "mine").unwrap();
    let refused = |name: &str, more: &[&str], told: &str| {
        let path = place(name);
        let arguments = [&["query", "--lake", lake, "--output", text(&path)], more].concat();
        let err = exits(2, &arguments).1;
        assert!(err.contains(told), "{err}");
    };
    refused("mine.csv", &[sql], "there is a file");
    refused("c.parquet", &[sql], "--format");
    refused("no-folder/c.csv", &[sql], "no folder");
    refused("wrong.csv", &["SELECT CAST(cs_uri_stem AS INT) FROM cloudfront_logs"], "TRY_CAST");
    let url = exits(2, &["query", "--lake", lake, "--format", "csv", "--output", "s3://bucket/a.csv", sql]).1;
    assert!(url.contains("--engine athena"), "{url}");
    assert_eq!(fs::read_to_string(place("mine.csv")).unwrap(), "mine");
    let names: Vec<_> = files(dir.path()).iter().map(|path| path.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.csv", "a.json", "a.jsonl", "a.txt", "b.dat", "mine.csv"], "nothing half-written stays");
}

#[test]
fn no_option_is_without_effect() {
    let lake = text(&LAKES.small);
    for more in [
        &["--workgroup", "a"][..],
        &["--database", "a"],
        &["--prices", "a"],
        &["--engine", "athena", "--memory", "1GiB"],
        &["--json", "--format", "csv"],
        &["--memory", "1MiB"],
    ] {
        let (out, err) = exits(2, &[&["query", "--lake", lake, "SELECT 1"], more].concat());
        assert!(out.is_empty() && err.contains(more[more.len() - 2]), "{more:?}: {err}");
    }
    // The environment is for whom it concerns.
    let mut command = binary();
    command.args(["query", "--lake", lake, "--format", "csv", "SELECT 1 AS a"]);
    for name in ["EDGEMILL_WORKGROUP", "EDGEMILL_DATABASE", "EDGEMILL_OUTPUT", "EDGEMILL_PRICES"] {
        command.env(name, "s3://of/athena");
    }
    assert_eq!(String::from_utf8(command.output().unwrap().stdout).unwrap(), "a\n1\n");
    let small = binary().args(["query", "--lake", lake, "SELECT 1"]).env("EDGEMILL_MEMORY", "1MiB").output().unwrap();
    assert_eq!(small.status.code(), Some(2));
}

/// Whoever stops a query finds nothing of it in the folder of temporary files, nor half an answer.
#[test]
fn a_stopped_query_leaves_nothing() {
    let (dir, temporary) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let file = dir.path().join("a.csv");
    let sql = format!("{ALL} ORDER BY x_edge_request_id");
    let mut process = binary()
        .args(["query", "--lake", text(&LAKES.large), "--memory", "512MiB", "--output", text(&file), &sql])
        .env("TMPDIR", temporary.path())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while files(temporary.path()).is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(2) && process.try_wait().unwrap().is_none(), "it spills");
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = process.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(process.wait().unwrap().code(), Some(130));
    assert_eq!((files(temporary.path()), files(dir.path())), (Vec::new(), Vec::new()));
    let _ = File::open(&file).unwrap_err();
}
