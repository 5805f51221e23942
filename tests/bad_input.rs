//! What should not be in a folder of logs, and is: never a panic, never a lost line, bounded
//! memory.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{FIELDS, exits, gzip, query, row, text, unknown_field};
use tempfile::TempDir;

struct Case {
    _dir: TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

const KEY: &str = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz";
const ALB_KEY: &str = "123456789012_elasticloadbalancing_us-east-2_app.my-lb.50dc6c495c0c9188_20261121T0505Z_172.160.1.192_20sg8hgm.log.gz";

fn case(objects: &[(&str, &[u8])]) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    for (key, bytes) in objects {
        let path = logs.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    Case { _dir: dir, logs, lake }
}

impl Case {
    /// Converts; lines, rows, rejected lines and damaged objects, and the whole summary.
    fn convert(&self, code: i32, more: &[&str]) -> ([u64; 4], serde_json::Value) {
        let mut arguments = vec!["convert", "--json", "--from", text(&self.logs), "--to", text(&self.lake)];
        arguments.extend(more);
        sums(&exits(code, &arguments).0)
    }

    fn rejects(&self) -> String {
        self.ask("SELECT line_number, byte_offset, reason FROM rejects ORDER BY 1")
    }

    fn ask(&self, sql: &str) -> String {
        query(&self.lake, sql).trim_end().split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default()
    }
}

fn sums(out: &str) -> ([u64; 4], serde_json::Value) {
    let summary: serde_json::Value = serde_json::from_str(out).unwrap();
    let number = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(number("lines"), number("rows") + number("rejected_lines") + number("comment_lines"), "{summary}");
    (["lines", "rows", "rejected_lines", "damaged_objects"].map(number), summary)
}

fn log(rows: usize) -> String {
    let rows: String = (0..rows).map(|n| row("2026-11-21", "05:00:00", &format!("id{n}"))).collect();
    format!("{FIELDS}{rows}")
}

#[test]
fn garbage_after_the_last_member_is_damage_and_zeros_are_not() {
    let garbage = [gzip(log(3).as_bytes()), b"garbage".to_vec()].concat();
    let (counts, summary) = case(&[(KEY, &garbage)]).convert(3, &[]);
    assert_eq!(counts, [5, 3, 0, 1]);
    assert!(summary["damaged"][0].as_str().unwrap().contains("7 bytes after the last gzip member"), "{summary}");
    let padded = [gzip(log(3).as_bytes()), vec![0; 512]].concat();
    assert_eq!(case(&[(KEY, &padded)]).convert(0, &[]).0, [5, 3, 0, 0]);
}

#[test]
fn every_member_of_a_load_balancers_object_is_read() {
    let line = |n: u32| {
        format!(
            "http 2026-11-21T05:00:0{n}.5Z app/a/1 192.0.2.1:1 - -1 -1 -1 503 - 0 0 \"GET http://a:80/ HTTP/1.1\" \"-\" - -\n"
        )
    };
    let members = [gzip(line(1).as_bytes()), gzip(&[]), gzip(line(2).as_bytes())].concat();
    let case = case(&[(ALB_KEY, &members)]);
    assert_eq!(case.convert(0, &[]).0, [2, 2, 0, 0]);
    assert_eq!(case.ask("SELECT COUNT(*) FROM alb_logs"), "2");
}

#[test]
fn truncated_gzip_keeps_its_good_lines() {
    let mut cut = gzip(log(2_000).as_bytes());
    cut.truncate(cut.len() / 2);
    let ([lines, rows, rejected, damaged], _) = case(&[(KEY, &cut)]).convert(3, &[]);
    assert!(rows > 500 && rows < 2_000 && rejected <= 1 && damaged == 1, "{lines} {rows} {rejected}");
}

#[test]
fn odd_bytes_in_lines_reject_the_line_or_are_kept() {
    let mut text_bytes = log(1).into_bytes();
    text_bytes.extend_from_slice(b"\xff\xfe\n");
    text_bytes.extend(row("2026-11-21", "05:00:01", "nul\0id").into_bytes());
    text_bytes.extend(row("2026-11-21", "05:00:02", "crlf").replace('\n', "\r\n").into_bytes());
    text_bytes.extend_from_slice("2026-11-21\té\n".as_bytes());
    let case = case(&[(KEY, &gzip(&text_bytes))]);
    assert_eq!(case.convert(3, &[]).0, [7, 3, 2, 0]);
    assert_eq!(case.ask("SELECT COUNT(*) FROM cloudfront_logs WHERE x_edge_request_id = 'nul' || chr(0) || 'id'"), "1");
    assert_eq!(
        case.ask("SELECT sc_range_end, sc_content_type FROM cloudfront_logs WHERE x_edge_request_id = 'crlf'"),
        ",text/html"
    );
    let offset = log(1).len();
    let after =
        offset + 3 + row("2026-11-21", "05:00:01", "nul\0id").len() + row("2026-11-21", "05:00:02", "crlf").len() + 1;
    let wanted = format!("4,{offset},not UTF-8\n7,{after},2 values where #Fields names 33");
    assert_eq!(case.rejects(), wanted);
}

#[test]
fn a_line_of_ten_megabytes_is_a_row_or_a_reject() {
    let long = "x".repeat(10 << 20);
    let good = row("2026-11-21", "05:00:01", "long").replace("/index.html", &format!("/{long}"));
    let bad = row("2026-11-21", "05:00:02", "bad").replace("1045619", &long);
    let case = case(&[(KEY, &gzip(format!("{}{good}{bad}", log(1)).as_bytes()))]);
    assert_eq!(case.convert(3, &["--memory", "512MiB"]).0, [5, 2, 1, 0]);
    assert_eq!(case.ask("SELECT MAX(length(cs_uri_stem)) FROM cloudfront_logs"), ((10 << 20) + 1).to_string());
    let rejects = case.rejects();
    assert!(
        rejects.contains("sc_bytes: cannot read 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' as a number"),
        "{rejects}"
    );
}

#[test]
fn other_things_in_the_folder_lose_no_line() {
    let picture: Vec<u8> = [b"\x89PNG\r\n\x1a\n".as_slice(), &(0..=255).collect::<Vec<u8>>()].concat();
    let alb_line = b"http 2026-11-21T05:00:00.5Z app/a/1 192.0.2.1:1 - -1 -1 -1 503 - 0 0 \"GET http://a:80/ HTTP/1.1\" \"-\" - -\n";
    let case = case(&[
        (KEY, &gzip(log(2).as_bytes())),
        // Under the names of logs: a picture, a header alone, rows without one, nothing at all, a
        // load balancer's log.
        ("E2EXAMPLE1234.2026-11-21-05.00000001.gz", &picture),
        ("E2EXAMPLE1234.2026-11-21-05.00000002.gz", &gzip(FIELDS.as_bytes())),
        ("E2EXAMPLE1234.2026-11-21-05.00000003.gz", &gzip(row("2026-11-21", "05:00:00", "headless").as_bytes())),
        ("E2EXAMPLE1234.2026-11-21-05.00000004.gz", b""),
        ("E2EXAMPLE1234.2026-11-21-05.00000005.gz", &gzip(alb_line)),
        // Under their own.
        ("AWSLogs/123456789012/ELBAccessLogTestFile", b"Enable AccessLog for ELB: my-lb at 2026-11-21T00:00:00Z"),
        (&format!("conn_log.{ALB_KEY}"), b"2026-11-21T05:00:00Z 192.0.2.1 1 443 - - - - - - - TID_1\n"),
        (&format!("health_check_log.{ALB_KEY}"), b"x\n"),
        ("notes.txt", b"hello\n"),
        (ALB_KEY, b""),
    ]);
    let (counts, summary) = case.convert(3, &[]);
    assert_eq!(counts, [4 + 2, 2, 0, 0], "{summary}");
    assert_eq!(summary["found"]["empty object"], 2, "{summary}");
    // Of three not a line could be read: they are told, and taken once somebody says what they are.
    assert_eq!(
        (summary["unread_objects"].as_u64(), summary["converted_objects"].as_u64()),
        (Some(3), Some(4)),
        "{summary}"
    );
    let told = summary["unread"].to_string();
    assert!(told.contains("00000005") && told.contains("it looks like a load balancer log"), "{told}");
    assert_eq!(summary["left_alone"]["connection log of a load balancer"], 1, "{summary}");
    assert_eq!(summary["left_alone"]["health-check log of a load balancer"], 1);
    assert_eq!(summary["left_alone"]["test file of a load balancer"], 1);
    assert_eq!(summary["left_alone"]["neither named as a log nor beginning like one"], 1);
    let (counts, summary) = case.convert(3, &["--fields", &FIELDS[FIELDS.find("date").unwrap()..]]);
    assert_eq!((counts, summary["unread_objects"].as_u64()), ([1, 1, 0, 0], Some(2)), "{summary}");
    let (counts, summary) = case.convert(3, &[]);
    assert_eq!((counts, summary["known_objects"].as_u64()), ([0, 0, 0, 0], Some(5)), "{summary}");
}

#[test]
fn a_wrong_description_takes_nothing_and_a_right_one_all() {
    let plain: String = (0..5).map(|n| format!("2026-11-21 05:00:0{n} 192.0.2.1\n")).collect();
    let case = case(&[(KEY, &gzip(plain.as_bytes()))]);
    let (counts, summary) = case.convert(3, &[]);
    assert_eq!((counts, summary["unread_objects"].as_u64()), ([0; 4], Some(1)));
    assert!(summary["unread"][0].as_str().unwrap().contains("--fields"), "{summary}");
    let (_, summary) = case.convert(3, &["--fields", "date time c-ip", "--delimiter", "||"]);
    assert!(summary["unread"][0].as_str().unwrap().contains("--delimiter"), "{summary}");
    assert_eq!(case.convert(0, &["--fields", "date time c-ip"]).0, [5, 5, 0, 0]);
    assert_eq!(case.ask("SELECT COUNT(*) FROM cloudfront_logs"), "5");
    assert_eq!(case.ask("SELECT COUNT(*) FROM rejects"), "0");
}

/// The same objects through another folder, by another layout, as another kind: they are known,
/// whatever a run is told.
#[test]
fn no_description_takes_an_object_twice() {
    let hive = "logs/in/h05/2026-11-21/E2EXAMPLE1234.x/part-0";
    let case = case(&[
        ("in/x/access.log", log(2).as_bytes()),
        ("in/CloudFront/2026/11/21/05/part-0.gz", &gzip(log(3).as_bytes())),
        (hive, log(4).as_bytes()),
    ]);
    assert_eq!(case.convert(0, &[]).0, [4 + 5 + 6, 9, 0, 0]);
    let layout = ["--layout", "h{HH}/{yyyy}-{MM}-{dd}/{DistributionId}.x"];
    for (from, more) in [
        ("", &layout[..]),
        ("", &[]),
        ("", &["--format", "alb"]),
        ("in", &[]),
        ("in/x", &[]),
        ("in/CloudFront", &[]),
        ("in/CloudFront/2026/11", &["--format", "cloudfront"]),
        ("logs", &layout),
        ("", &["--hours", "2026-11-21T05..2026-11-21T06"]),
    ] {
        let logs = case.logs.join(from);
        let mut arguments = vec!["convert", "--json", "--from", text(&logs), "--to", text(&case.lake)];
        arguments.extend(more);
        let (counts, summary) = sums(&exits(0, &arguments).0);
        assert_eq!(counts, [0; 4], "{from} {more:?}: {summary}");
    }
    assert_eq!(case.ask("SELECT COUNT(*) FROM cloudfront_logs"), "9");
    assert_eq!(case.ask("SELECT COUNT(*) FROM alb_logs"), "0");
    // And a lake that began with the layout knows them without it.
    let other = case.lake.with_file_name("other");
    let run = |more: &[&str]| {
        let mut arguments = vec!["convert", "--json", "--from", text(&case.logs), "--to", text(&other)];
        arguments.extend(more);
        sums(&exits(0, &arguments).0).0[1]
    };
    assert_eq!((run(&layout), run(&[]), run(&["--format", "alb"])), (9, 0, 0));
    assert_eq!(query(&other, "SELECT COUNT(*) FROM cloudfront_logs").lines().nth(1), Some("9"));
}

#[test]
fn logs_under_any_name_are_known_by_how_they_begin() {
    let alb_line =
        b"h2 2026-11-21T05:00:00.5Z elb1 192.0.2.1:1 - -1 -1 -1 503 - 0 0 \"GET http://a:80/ HTTP/1.1\" \"-\" - -\n";
    let case = case(&[
        ("some/cloudfront.log", log(3).as_bytes()),
        ("some/cloudfront.gz", &gzip(log(4).as_bytes())),
        ("some/alb.log", alb_line),
        ("README.md", b"# Logs\n"),
        (KEY, b""),
    ]);
    let (counts, summary) = case.convert(0, &[]);
    assert_eq!(counts, [3 + 2 + 4 + 2 + 1, 8, 0, 0]);
    assert_eq!(summary["left_alone"]["neither named as a log nor beginning like one"], 1);
    assert_eq!(case.convert(0, &[]).0, [0, 0, 0, 0], "the second run does nothing");
    // Where hours are asked for, no object without one is looked into.
    let (_, summary) = case.convert(0, &["--hours", "2026-11-21T05..2026-11-21T06"]);
    assert_eq!(summary["source_calls"]["get"], 0, "{summary}");
}

/// Runs under a limit of address space, so that memory that grows with the input fails.
fn limited(case: &Case, kibibytes: u64, more: &[&str]) -> ([u64; 4], serde_json::Value) {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -v {kibibytes}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_edgemill")]);
    command.args(["convert", "--json", "--from", text(&case.logs), "--to", text(&case.lake)]).args(more);
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{err}");
    sums(&String::from_utf8(output.stdout).unwrap())
}

/// Gzip that inflates to a thousand times its size, member after member.
fn bomb(byte: u8, members: usize) -> Vec<u8> {
    gzip(&vec![byte; 32 << 20]).repeat(members)
}

#[test]
fn a_bomb_of_blank_lines_stops_at_the_limit() {
    let case = case(&[(KEY, &[gzip(log(2).as_bytes()), bomb(b'\n', 64)].concat())]);
    let (counts, summary) =
        limited(&case, 1 << 20, &["--object-limit", "200MB", "--memory", "512MiB", "--threads", "1"]);
    let limit = 200_000_000;
    let lines = 4 + (limit - log(2).len() as u64) + 1;
    assert_eq!(counts, [lines, 2, 1, 1], "{summary}");
    assert_eq!(summary["raw_bytes"], limit);
    let told = summary["damaged"][0].as_str().unwrap();
    assert!(told.contains("more than 200000000 bytes of text, the limit of one object"), "{told}");
    assert!(case.rejects().contains("cut short: it holds more than 200000000 bytes"), "{}", case.rejects());
}

#[test]
fn of_a_line_without_end_the_beginning_is_kept() {
    // Two gigabytes of one line, and a row after it.
    let after = gzip(format!("\n{}", row("2026-11-21", "05:00:01", "after")).as_bytes());
    let case = case(&[(KEY, &[gzip(log(2).as_bytes()), bomb(b'x', 64), after].concat())]);
    let (counts, summary) = limited(&case, 1 << 20, &["--memory", "512MiB", "--threads", "1"]);
    assert_eq!(counts, [6, 3, 1, 0], "{summary}");
    let kept = 16 << 20;
    assert_eq!(case.rejects(), format!("5,{},longer than {kept} bytes; its beginning is kept", log(2).len()));
    assert_eq!(case.ask("SELECT length(CAST(raw_line AS VARCHAR)) FROM rejects"), kept.to_string());
}

#[test]
fn a_small_object_has_the_limit_too() {
    let case = case(&[(KEY, &gzip(log(100).as_bytes()))]);
    let limit = log(40).len() + 20;
    let (counts, _) = case.convert(3, &["--object-limit", &limit.to_string()]);
    assert_eq!(counts, [43, 40, 1, 1]);
    assert!(case.rejects().starts_with(&format!("43,{},\"cut short", log(40).len())), "{}", case.rejects());
}

#[test]
fn long_names_of_unknown_fields_are_held_once() {
    let names: String = (0..100).map(|n| format!(" {}{n}", "x".repeat(2_000))).collect();
    let rows = format!("2026-11-21\t05:00:00\t192.0.2.1{}\n", "\ta".repeat(100)).repeat(3_000);
    let case = case(&[(KEY, &gzip(format!("#Fields: date time c-ip{names}\n{rows}").as_bytes()))]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1000000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_edgemill")]);
    command.args(["convert", "--json", "--from", text(&case.logs), "--to", text(&case.lake), "--threads", "1"]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let (counts, summary) = sums(&String::from_utf8(output.stdout).unwrap());
    assert_eq!(counts, [3_001, 3_000, 0, 0]);
    assert_eq!(
        summary["new_fields"].as_object().unwrap().values().map(|rows| rows.as_u64().unwrap()).sum::<u64>(),
        300_000
    );
    let key = format!("{}99", "x".repeat(2_000));
    assert_eq!(case.ask(&format!("SELECT COUNT(*) FROM cloudfront_logs WHERE extra['{key}'] = 'a'")), "3000");
}

#[test]
fn members_that_claim_nothing_are_worked_within_memory() {
    // Sixty megabytes, then an empty member whose size is what a reader of the last bytes is told.
    let blank = gzip(&vec![b'\n'; 60 << 20]);
    let objects: Vec<(String, Vec<u8>)> = (0..14)
        .map(|n| {
            let bytes = [gzip(log(1).as_bytes()), blank.clone(), gzip(b"")].concat();
            (format!("E2EXAMPLE1234.2026-11-21-05.{n:08x}.gz"), bytes)
        })
        .collect();
    let objects: Vec<(&str, &[u8])> = objects.iter().map(|(key, bytes)| (key.as_str(), bytes.as_slice())).collect();
    let case = case(&objects);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -v 1500000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_edgemill")]);
    command.args([
        "convert",
        "--json",
        "--from",
        text(&case.logs),
        "--to",
        text(&case.lake),
        "--memory",
        "512MiB",
        "--threads",
        "2",
    ]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(sums(&String::from_utf8(output.stdout).unwrap()).0, [14 * (3 + (60 << 20)), 14, 0, 0]);
}

#[test]
fn a_bucket_without_logs_yet_is_no_mistake() {
    let case = case(&[(
        "AWSLogs/123456789012/ELBAccessLogTestFile",
        b"Enable AccessLog for ELB: my-lb at 2026-11-21T00:00:00Z",
    )]);
    assert_eq!(case.convert(0, &[]).0, [0; 4]);
}

#[test]
fn new_fields_are_counted_in_large_objects_too() {
    let line = format!("2026-11-21\t05:00:00\t{}\tnew\n", "x".repeat(1_000));
    let (rows, unknown) = (80_000, unknown_field());
    let object = format!("#Fields: date time cs-uri-stem {unknown}\n{}", line.repeat(rows));
    let case = case(&[(KEY, &gzip(object.as_bytes()))]);
    let (counts, summary) = case.convert(0, &["--object-limit", &object.len().to_string()]);
    assert_eq!((counts, summary["new_fields"][&unknown].as_u64()), ([80_001, 80_000, 0, 0], Some(80_000)), "{summary}");
}

/// Found by fuzzing: the library panicked on what Arrow had written of its own types beside the
/// file's schema.
#[test]
fn a_damaged_parquet_file_is_damage_and_no_panic() {
    let key = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.parquet";
    let case = case(&[(key, include_bytes!("damaged/arrow-schema.parquet"))]);
    let (counts, summary) = case.convert(3, &[]);
    assert_eq!(counts, [0, 0, 0, 1], "{summary}");
    assert!(summary["damaged"][0].as_str().unwrap().contains("Parquet"), "{summary}");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let case = case(&[(KEY, b"")]);
    for (more, word) in [
        (["--delimiter", ""], "--delimiter is ''"),
        (["--object-limit", "0"], "--object-limit is 0"),
        (["--fields", " , "], "--fields names no field"),
        (["--layout", "{yyyy}/{MM}"], "tells no hour"),
        (["--format", "clb"], "cloudfront"),
    ] {
        let mut arguments = vec!["convert", "--from", text(&case.logs), "--to", text(&case.lake)];
        arguments.extend(more);
        let (_, err) = exits(2, &arguments);
        assert!(err.contains(word), "{err}");
    }
    assert!(!Path::new(&case.lake).exists());
}
