//! Late data, outages, claims, compaction, reprocessing and verification through the program.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{FIELDS, binary, convert, exits, files, gzip, query, row, text};
use edgemill::edge::claims::Claims;
use edgemill::edge::objects::Objects;
use edgemill::location::Location;
use edgemill::model::{Hour, Table, UnitId};
use serde_json::Value;

struct Place {
    dir: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    Place { dir, logs, lake }
}

/// Writes the object of an hour with one row; the id is its own.
fn object(logs: &Path, hour: &str, id: &str) -> PathBuf {
    let (date, of_day) = hour.split_once('T').unwrap();
    let path = logs.join(format!("E1EXAMPLE.{date}-{of_day}.{id}.gz"));
    fs::write(&path, gzip(format!("{FIELDS}{}", row(date, &format!("{of_day}:00:00"), id)).as_bytes())).unwrap();
    path
}

fn ids(lake: &Path) -> String {
    query(lake, "SELECT x_edge_request_id AS id FROM cloudfront_logs ORDER BY 1")
}

fn verify(place: &Place, code: i32, more: &[&str]) -> Value {
    let mut arguments = vec!["verify", "--json", "--lake", text(&place.lake), "--from", text(&place.logs)];
    arguments.extend(more);
    serde_json::from_str(&exits(code, &arguments).0).unwrap()
}

fn kinds(report: &Value) -> Vec<&str> {
    let mut kinds: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn parquet(lake: &Path) -> Vec<PathBuf> {
    files(&lake.join("cloudfront_logs"))
}

#[test]
fn what_comes_late_is_converted_and_told() {
    let place = place();
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    assert_eq!(convert(&place.logs, &place.lake, &[])["late_objects"], 0);
    object(&place.logs, "2026-11-21T05", "bbbbbbbb");
    object(&place.logs, "2026-11-21T06", "cccccccc");
    let summary = convert(&place.logs, &place.lake, &[]);
    assert_eq!((summary["late_objects"].as_u64(), summary["converted_objects"].as_u64()), (Some(1), Some(2)));
    assert!(summary["late"][0].as_str().unwrap().starts_with("cloudfront_logs/2026-11-21T05: 1 object, "));
    assert_eq!(ids(&place.lake), "id\naaaaaaaa\nbbbbbbbb\ncccccccc\n");
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
}

#[test]
fn after_an_outage_of_three_days_nothing_is_missing() {
    let place = place();
    let now = Hour::of_unix_seconds(edgemill::edge::clock::now_unix_seconds());
    object(&place.logs, &now.plus(-1).to_string(), "aaaaaaaa");
    convert(&place.logs, &place.lake, &["--last", "3h"]);
    let notes = files(&place.lake.join("_edgemill/runs"));
    assert_eq!(notes.len(), 1, "{notes:?}");
    // As if that run had been three days ago; its last hour, and every one since, got an object.
    let then = now.plus(-72);
    fs::write(&notes[0], format!("{{\"until\":\"{}\"}}", then.plus(1))).unwrap();
    for (hours, id) in [(0, "bbbbbbbb"), (1, "cccccccc"), (40, "dddddddd"), (71, "eeeeeeee")] {
        object(&place.logs, &then.plus(hours).to_string(), id);
    }
    assert_eq!(convert(&place.logs, &place.lake, &["--last", "3h"])["converted_objects"], 4);
    assert_eq!(ids(&place.lake).lines().count(), 1 + 5);
    // From now on the window is the usual one again.
    object(&place.logs, &then.plus(2).to_string(), "ffffffff");
    assert_eq!(convert(&place.logs, &place.lake, &["--last", "3h"])["converted_objects"], 0);
    assert_eq!(kinds(&verify(&place, 3, &[])), ["not_converted"]);
}

#[test]
fn a_claim_of_a_live_process_is_waited_for_and_grows_void() {
    let place = place();
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    exits(0, &["init", "--to", text(&place.lake)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let lake = runtime.block_on(Objects::open(&Location::existing(text(&place.lake)).unwrap())).unwrap();
    let ours = Claims::new(lake, Duration::from_mins(1));
    let unit = UnitId::of_hour(Table::CloudfrontLogs, "2026-11-21T05".parse().unwrap());
    assert!(runtime.block_on(ours.take(&unit)).unwrap());
    // This very process lives and never renews it: the other watches it for its own lease.
    let begun = Instant::now();
    assert_eq!(convert(&place.logs, &place.lake, &["--lease", "1s"])["converted_objects"], 1);
    let waited = begun.elapsed();
    assert!(waited >= Duration::from_secs(1) && waited < Duration::from_secs(20), "{waited:?}");
    assert!(files(&place.lake.join("_edgemill/claims")).is_empty(), "and takes it away in the end");
}

/// Converts one object after another, each with its own run.
fn one_by_one(place: &Place, count: usize, more: &[&str]) {
    for number in 0..count {
        object(&place.logs, "2026-11-21T05", &format!("{number:08}"));
        convert(&place.logs, &place.lake, more);
    }
}

#[test]
fn many_small_files_are_merged_by_themselves_and_few_by_wish() {
    let place = place();
    exits(0, &["init", "--to", text(&place.lake), "--catalog", "lake", "--max-call-delay", "1s", "--queries", "0s"]);
    one_by_one(&place, 5, &["--compact-files", "6"]);
    assert_eq!(parquet(&place.lake).len(), 5);
    let before = ids(&place.lake);
    object(&place.logs, "2026-11-21T05", "late");
    let summary = convert(&place.logs, &place.lake, &["--compact-files", "6"]);
    assert_eq!(summary["compacted"]["replaced_files"], 6);
    let merged = parquet(&place.lake);
    assert_eq!(merged.len(), 1, "the folder holds exactly the current file: {merged:?}");
    assert_eq!(ids(&place.lake), format!("{before}late\n"));
    one_by_one(&place, 8, &[]);
    assert_eq!(parquet(&place.lake).len(), 1 + 3, "three of the eight are new");
    let out = exits(0, &["compact", "--lake", text(&place.lake)]).0;
    assert!(out.starts_with("1 of 1 partition compacted: 4 files"), "{out}");
    assert_eq!(parquet(&place.lake).len(), 1);
    let out = exits(0, &["compact", "--lake", text(&place.lake)]).0;
    assert!(out.starts_with("0 of 1 partition compacted"), "{out}");
    assert_eq!(ids(&place.lake).lines().count(), 1 + 9);
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
    assert!(!place.lake.join("staging").exists());
    let catalog = fs::read_to_string(place.lake.join("_edgemill/catalog/cloudfront_logs/2026-11-21T05.txt")).unwrap();
    assert_eq!(catalog.trim(), "cloudfront_logs/year=2026/month=11/day=21/hour=05");
}

#[test]
fn a_merged_file_is_what_one_conversion_makes() {
    let place = place();
    let whole = place.dir.path().join("whole");
    exits(0, &["generate", "--out", text(&place.logs), "--rows", "3000", "--hours", "2026-11-21T05..2026-11-21T06"]);
    convert(&place.logs, &whole, &[]);
    let parts = place.dir.path().join("parts");
    for path in files(&place.logs) {
        let to = parts.join(path.strip_prefix(&place.logs).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
        convert(&parts, &place.lake, &["--compact-files", "0"]);
    }
    exits(0, &["compact", "--lake", text(&place.lake)]);
    // Rows that are equal in what they are sorted by may stand the other way round, nothing else
    // differs.
    let rows = |lake: &Path| {
        let sql = "SELECT * FROM cloudfront_logs ORDER BY hour, x_edge_location, c_ip, event_time, x_edge_request_id";
        exits(0, &["query", "--json", "--lake", text(lake), sql]).0
    };
    assert!(rows(&whole) == rows(&place.lake));
    let bytes = |lake: &Path| parquet(lake).iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    let (whole, merged) = (bytes(&whole), bytes(&place.lake));
    assert!(whole.abs_diff(merged) * 200 < whole, "{whole} bytes of one conversion, {merged} merged");
}

#[test]
fn hours_are_written_anew_with_what_is_known_today() {
    let place = place();
    fs::write(place.logs.join("a.log"), "2026-11-21 05:00:00 192.0.2.1\n2026-11-21 05:00:01 192.0.2.2 200\n").unwrap();
    let read = |fields: &'static str| ["--format", "cloudfront", "--delimiter", "space", "--fields", fields];
    let arguments = ["convert", "--from", text(&place.logs), "--to", text(&place.lake)];
    exits(3, &[&arguments[..], &read("date time c-ip")].concat());
    let rows = || query(&place.lake, "SELECT c_ip, sc_status FROM cloudfront_logs");
    let rejects = || query(&place.lake, "SELECT line_number, reason FROM rejects");
    assert_eq!(rows(), "c_ip,sc_status\n192.0.2.1,\n");
    assert!(rejects().contains("2,4 values where #Fields names 3"), "{}", rejects());
    let again = ["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&place.lake)];
    exits(3, &[&again[..], &read("date time c-ip sc-status")].concat());
    assert_eq!(rows(), "c_ip,sc_status\n192.0.2.2,200\n");
    assert!(rejects().contains("1,3 values where #Fields names 4"), "{}", rejects());
    assert_eq!(rejects().lines().count(), 2);
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
    let converted = exits(0, &[&arguments[..], &read("date time c-ip"), &["--json"]].concat()).0;
    assert_eq!(serde_json::from_str::<Value>(&converted).unwrap()["converted_objects"], 0, "nothing is new");
}

#[test]
fn an_hour_whose_logs_are_gone_is_not_touched() {
    let place = place();
    let gone = object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    object(&place.logs, "2026-11-21T05", "bbbbbbbb");
    convert(&place.logs, &place.lake, &[]);
    fs::remove_file(gone).unwrap();
    let hours = ["--hours", "2026-11-21T05..2026-11-21T06"];
    let arguments = ["reprocess", "--from", text(&place.logs), "--lake", text(&place.lake)];
    let err = exits(1, &[&arguments[..], &hours].concat()).1;
    assert!(err.contains("1 of its raw objects is gone") && err.contains("aaaaaaaa.gz"), "{err}");
    assert_eq!(ids(&place.lake), "id\naaaaaaaa\nbbbbbbbb\n");
    let others = ["--hours", "2026-11-21T07..2026-11-21T08"];
    exits(0, &[&arguments[..], &others].concat());
}

#[test]
fn what_was_done_by_hand_is_found() {
    let place = place();
    exits(0, &["init", "--to", text(&place.lake), "--catalog", "lake", "--max-call-delay", "1s", "--queries", "0s"]);
    let changed = object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    object(&place.logs, "2026-11-21T06", "bbbbbbbb");
    object(&place.logs, "2026-11-21T07", "cccccccc");
    convert(&place.logs, &place.lake, &[]);
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
    let [first, second, third]: [PathBuf; 3] = parquet(&place.lake).try_into().unwrap();
    let whole: Vec<Vec<u8>> = [&first, &second, &third].map(|path| fs::read(path).unwrap()).into();

    fs::remove_file(&first).unwrap();
    let mut bytes = whole[1].clone();
    bytes.truncate(100);
    fs::write(&second, &bytes).unwrap();
    let mut bytes = whole[2].clone();
    let end = bytes.len() - 5;
    bytes[end] ^= 0xff;
    fs::write(&third, &bytes).unwrap();
    let report = verify(&place, 3, &[]);
    assert_eq!(kinds(&report), ["damaged", "file_missing"], "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 3, "{report}");
    // A query says so too, and never answers with half of the rows.
    let err = exits(1, &["query", "--lake", text(&place.lake), "SELECT COUNT(c_ip) FROM cloudfront_logs"]).1;
    assert!(err.contains("query failed"), "{err}");
    // What is gone can be made again from the logs.
    exits(0, &["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&place.lake)]);
    assert_eq!(ids(&place.lake), "id\naaaaaaaa\nbbbbbbbb\ncccccccc\n");
    assert!(kinds(&verify(&place, 0, &[])).is_empty());

    let folder = parquet(&place.lake)[0].parent().unwrap().to_path_buf();
    fs::write(folder.join("mine.parquet"), "x").unwrap();
    fs::write(folder.join("2026112105-0123456789abcdef0123-0.parquet"), &whole[0]).unwrap();
    fs::write(place.lake.join("_edgemill/catalog/cloudfront_logs/2026-11-21T05.txt"), "elsewhere").unwrap();
    fs::remove_file(place.lake.join("_edgemill/catalog/cloudfront_logs/2026-11-21T06.txt")).unwrap();
    object(&place.logs, "2026-11-21T08", "dddddddd");
    fs::write(&changed, gzip(format!("{FIELDS}{}", row("2026-11-21", "05:00:00", "new")).as_bytes())).unwrap();
    let report = verify(&place, 3, &[]);
    assert_eq!(kinds(&report), ["changed", "not_converted", "unnamed_file", "unregistered"], "{report}");
    let report = verify(&place, 3, &["--fix"]);
    assert_eq!(kinds(&report), ["changed", "not_converted", "unnamed_file"], "{report}");
    let unnamed = report["findings"].as_array().unwrap().iter().find(|finding| finding["kind"] == "unnamed_file");
    assert!(unnamed.unwrap()["about"].as_str().unwrap().ends_with("mine.parquet"), "what is not ours stays: {report}");
    fs::remove_file(folder.join("mine.parquet")).unwrap();
    convert(&place.logs, &place.lake, &[]);
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
}

#[test]
fn what_a_dead_run_left_is_found_and_mended() {
    for (crash, found) in [
        ("read-partition:1", "unpublished"),
        ("copy:1", "unpublished"),
        ("set-catalog:1", "unpublished"),
        ("staged:1", "not_converted"),
    ] {
        let place = place();
        exits(
            0,
            &["init", "--to", text(&place.lake), "--catalog", "lake", "--max-call-delay", "1s", "--queries", "0s"],
        );
        object(&place.logs, "2026-11-21T05", "aaaaaaaa");
        let arguments = ["convert", "--from", text(&place.logs), "--to", text(&place.lake)];
        let killed = binary().args(arguments).env("EDGEMILL_CRASH", crash).output().unwrap();
        assert!(killed.status.code().is_none(), "{crash}");
        let report = verify(&place, 3, &[]);
        assert!(kinds(&report).contains(&found), "{crash}: {report}");
        assert_eq!(report["dead_claims"].as_array().unwrap().len(), 1, "{crash}: {report}");
        // What was staged and not committed is young and harms nothing; the object is not
        // converted.
        let (code, left) = if crash == "staged:1" { (3, vec!["not_converted"]) } else { (0, vec![]) };
        // Twice is as good as once.
        for _ in 0..2 {
            let report = verify(&place, code, &["--fix"]);
            assert_eq!(kinds(&report), left, "{crash}: {report}");
            assert_eq!(report["dead_claims"].as_array().unwrap().len(), 0, "{crash}: {report}");
        }
        exits(0, &[&arguments[..], &["--orphan-age", "0s"]].concat());
        assert_eq!(ids(&place.lake), "id\naaaaaaaa\n", "{crash}");
        assert!(kinds(&verify(&place, 0, &[])).is_empty(), "{crash}");
        assert!(!place.lake.join("staging").exists(), "{crash}");
    }
}

#[test]
fn a_damaged_ledger_is_a_clear_error_and_never_a_double() {
    let place = place();
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    convert(&place.logs, &place.lake, &[]);
    let unit = files(&place.lake.join("_edgemill/units")).pop().unwrap();
    let partition = files(&place.lake.join("_edgemill/partitions")).pop().unwrap();
    let manifest = files(&place.lake.join("_edgemill/manifests")).pop().unwrap();
    // The manifest is read as soon as the hour has something new.
    object(&place.logs, "2026-11-21T05", "bbbbbbbb");
    let arguments = ["convert", "--from", text(&place.logs), "--to", text(&place.lake)];
    let break_in = |path: &Path, change: &dyn Fn(&str) -> Option<String>, says: &str| {
        let before = fs::read_to_string(path).unwrap();
        match change(&before) {
            Some(text) => fs::write(path, text).unwrap(),
            None => fs::remove_file(path).unwrap(),
        }
        let err = exits(1, &arguments).1;
        assert!(err.contains(says) && err.contains("_edgemill/"), "{err}");
        fs::write(path, before).unwrap();
    };
    let newer = |text: &str| Some(text.replacen("\"format\":2", "\"format\":3", 1));
    let older = |text: &str| Some(text.replacen("\"format\":2", "\"format\":1", 1));
    let half = |text: &str| Some(text[..text.len() / 2].to_owned());
    let gone = |_: &str| None;
    break_in(&manifest, &gone, "it is missing");
    break_in(&unit, &older, "before the first release");
    // The partition comes last: by then the hour is committed, and its record is what is in the
    // way.
    for path in [&unit, &manifest, &partition] {
        break_in(path, &newer, "was written by a later version of edgemill: use that one");
        break_in(path, &half, "is damaged");
    }
    break_in(&partition, &older, "before the first release");
    exits(0, &arguments);
    assert_eq!(ids(&place.lake), "id\naaaaaaaa\nbbbbbbbb\n");
    fs::remove_file(&manifest).unwrap();
    assert_eq!(kinds(&verify(&place, 3, &[])), ["damaged", "not_converted", "rows_differ"]);
}

#[test]
fn a_missing_file_keeps_no_other_hour_from_going_on() {
    let place = place();
    exits(0, &["init", "--to", text(&place.lake), "--max-call-delay", "1s"]);
    // Each hour's object has a row of the hour before: the hours share partitions.
    let write = |hour: u32, id: &str| {
        let rows = [(hour, "00:00"), (hour - 1, "59:59")]
            .map(|(hour, of_hour)| row("2026-11-21", &format!("{hour:02}:{of_hour}"), &format!("{id}{hour}")));
        let path = place.logs.join(format!("E1EXAMPLE.2026-11-21-{hour:02}.{id}.gz"));
        fs::write(path, gzip(format!("{FIELDS}{}", rows.concat()).as_bytes())).unwrap();
    };
    (5..8).for_each(|hour| write(hour, "aaaaaaaa"));
    convert(&place.logs, &place.lake, &[]);
    let all = ids(&place.lake);
    // The file that the object of 06 has in the partition of 05.
    let lost = files(&place.lake.join("cloudfront_logs/year=2026/month=11/day=21/hour=05"))
        .into_iter()
        .find(|path| path.file_name().unwrap().to_str().unwrap().starts_with("2026112106-"))
        .unwrap();
    fs::remove_file(&lost).unwrap();
    let reprocess = ["reprocess", "--from", text(&place.logs), "--lake", text(&place.lake)];
    write(9, "bbbbbbbb");
    assert_eq!(convert(&place.logs, &place.lake, &[])["converted_objects"], 1, "other hours go on");
    // A neighbour is written anew all the same, and whoever lost the file with it.
    let out = exits(0, &[&reprocess[..], &["--hours", "2026-11-21T05..2026-11-21T06"]].concat()).0;
    assert!(out.contains("that were not asked for") && out.contains("cloudfront_logs/2026-11-21T06"), "{out}");
    let with_new = format!("{all}bbbbbbbb8\nbbbbbbbb9\n");
    assert_eq!(ids(&place.lake), with_new);
    assert!(kinds(&verify(&place, 0, &["--deep"])).is_empty());
}

#[test]
fn a_lost_record_is_found_and_nothing_is_deleted_or_doubled() {
    let place = place();
    for id in ["aaaaaaaa", "bbbbbbbb"] {
        object(&place.logs, "2026-11-21T05", id);
        convert(&place.logs, &place.lake, &[]);
    }
    let all = ids(&place.lake);
    let (units, partitions) = (place.lake.join("_edgemill/units"), place.lake.join("_edgemill/partitions"));
    let aside = place.dir.path().join("aside");
    // Without the unit's record its batches would be converted once more.
    fs::rename(&units, &aside).unwrap();
    let err = exits(1, &["convert", "--from", text(&place.logs), "--to", text(&place.lake)]).1;
    assert!(err.contains("has rows of its batches") && err.contains("units/cloudfront_logs/2026-11-21T05"), "{err}");
    assert_eq!(ids(&place.lake), all);
    fs::remove_dir_all(&units).ok();
    fs::rename(&aside, &units).unwrap();
    // Without the partition's record, or its last version, files that hold rows are unnamed: they
    // are named again.
    let last = files(&partitions).pop().unwrap();
    for gone in [&last, &partitions] {
        fs::remove_file(gone).or_else(|_| fs::remove_dir_all(gone)).unwrap();
        let report = verify(&place, 3, &[]);
        assert_eq!(kinds(&report), ["rows_differ", "unnamed_file"], "{report}");
        assert!(kinds(&verify(&place, 0, &["--fix"])).is_empty());
        assert_eq!(ids(&place.lake), all);
        assert_eq!(parquet(&place.lake).len(), 2);
    }
    // Where files were merged since, nobody can tell without the logs, and a mend leaves what holds
    // rows.
    exits(0, &["compact", "--lake", text(&place.lake)]);
    fs::remove_dir_all(&partitions).unwrap();
    let report = verify(&place, 3, &["--fix"]);
    assert_eq!(kinds(&report), ["rows_differ", "unnamed_file"], "{report}");
    assert_eq!(parquet(&place.lake).len(), 1);
    exits(0, &["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&place.lake)]);
    assert!(kinds(&verify(&place, 0, &[])).is_empty());
    assert_eq!(ids(&place.lake), all);
}

#[test]
fn what_verify_says_is_so() {
    let place = place();
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    object(&place.logs, "2026-11-21T06", "bbbbbbbb");
    fs::write(place.logs.join("notes.txt"), "no log").unwrap();
    convert(&place.logs, &place.lake, &[]);
    let report = verify(&place, 0, &[]);
    assert_eq!((report["listed_objects"].as_u64(), report["left_alone_objects"].as_u64()), (Some(3), Some(1)));
    // A byte inside a page: the size and the footer are those that they were.
    let file = &parquet(&place.lake)[0];
    let mut bytes = fs::read(file).unwrap();
    bytes[108] ^= 0x10;
    fs::write(file, &bytes).unwrap();
    assert_eq!(kinds(&verify(&place, 3, &["--deep"])), ["damaged"]);
    bytes[108] ^= 0x10;
    fs::write(file, &bytes).unwrap();
    // Two damaged records are two findings.
    for path in files(&place.lake.join("_edgemill/units")).into_iter().filter(|path| path.ends_with("0000000002.json"))
    {
        fs::write(path, "{").unwrap();
    }
    let report = verify(&place, 3, &[]);
    let damaged = report["findings"].as_array().unwrap().iter().filter(|finding| finding["kind"] == "damaged");
    assert_eq!(damaged.count(), 2, "{report}");
}

#[test]
fn an_object_that_was_not_taken_is_not_said_to_be_there() {
    let place = place();
    fs::write(place.logs.join("a.dat"), format!("{FIELDS}{}", row("2026-11-21", "05:00:00", "a"))).unwrap();
    fs::write(place.logs.join("b.dat"), "what is this\n").unwrap();
    exits(3, &["convert", "--from", text(&place.logs), "--to", text(&place.lake), "--format", "cloudfront"]);
    let report = verify(&place, 3, &["--format", "cloudfront"]);
    assert_eq!(kinds(&report), ["not_converted"]);
    // By its name and its first line it is no log, and a conversion that is told nothing leaves it
    // alone.
    assert_eq!(verify(&place, 0, &[])["left_alone_objects"], 1);
    let empty = place.dir.path().join("empty");
    fs::create_dir(&empty).unwrap();
    // A place without any object is no proof: it is refused as by a conversion.
    let told = exits(2, &["verify", "--lake", text(&place.lake), "--from", text(&empty)]).1;
    assert!(told.contains("there is no object in"), "{told}");
    let out = exits(0, &["verify", "--lake", text(&place.lake)]).0;
    assert!(out.contains("no logs were compared"), "{out}");
}

#[test]
fn a_lake_keeps_what_it_was_made_with() {
    let place = place();
    let init = |code, more: &[&str]| exits(code, &[&["init", "--to", text(&place.lake)], more].concat()).1;
    init(0, &["--max-call-delay", "1500ms"]);
    init(0, &["--max-call-delay", "2s"]);
    assert!(init(2, &["--max-call-delay", "9s"]).contains("--max-call-delay 2s"));
    assert!(init(2, &["--max-call-delay", "500ms"]).contains("less than a second"));
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    convert(&place.logs, &place.lake, &[]);
    // A catalog may come later, and then holds what is there; it stays for ever.
    assert!(init(2, &["--catalog", "glue:logs"]).contains("not in S3"));
    init(0, &["--catalog", "lake"]);
    assert_eq!(files(&place.lake.join("_edgemill/catalog/cloudfront_logs")).len(), 1);
    assert!(init(2, &["--catalog", "none"]).contains("has the catalog 'lake'"));
}

/// Of another machine, as far as anybody can tell: nobody will renew this claim.
#[test]
fn what_a_dead_worker_of_another_machine_left_is_finished_after_a_lease() {
    let place = place();
    object(&place.logs, "2026-11-21T05", "aaaaaaaa");
    let arguments = ["convert", "--from", text(&place.logs), "--to", text(&place.lake)];
    let killed = binary().args(arguments).env("EDGEMILL_CRASH", "copy:1").output().unwrap();
    assert!(killed.status.code().is_none());
    let claim = files(&place.lake.join("_edgemill/claims")).pop().unwrap();
    let mut owner: Value = serde_json::from_str(&fs::read_to_string(&claim).unwrap()).unwrap();
    owner["owner"]["machine"] = "another".into();
    fs::write(&claim, owner.to_string()).unwrap();
    // The run is asked for another hour: what it finds unfinished is not among its own work.
    object(&place.logs, "2026-11-21T09", "bbbbbbbb");
    let hours = ["--hours", "2026-11-21T09..2026-11-21T10", "--lease", "1s", "--json"];
    let summary: Value = serde_json::from_str(&exits(0, &[&arguments[..], &hours].concat()).0).unwrap();
    assert_eq!((summary["finished_batches"].as_u64(), summary["converted_objects"].as_u64()), (Some(1), Some(1)));
    assert_eq!(ids(&place.lake), "id\naaaaaaaa\nbbbbbbbb\n");
}
