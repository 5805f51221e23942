//! Records of partitions that somebody deleted: queries follow them, so their rows are not seen.
//! Every verb says so, and what it says brings them back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{FIELDS, convert, exits, files, gzip, row, text};
use serde_json::Value;

/// Logs, and a lake of them.
struct Place {
    _dir: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

impl Place {
    /// Three hours; rows of the last hour's log are of the hour after it too, and one line of it is
    /// none.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
        fs::create_dir(&logs).unwrap();
        let place = Self { _dir: dir, logs, lake };
        (0..2).for_each(|hour| place.log(hour, "a", &row("2026-11-21", &format!("{hour:02}:00:00"), "one")));
        let rows: String = (0..200).map(|n| row("2026-11-21", "02:00:00", &format!("id{n}"))).collect();
        place.log(2, "a", &format!("{rows}{}no row\n", row("2026-11-21", "03:00:00", "next")));
        place
    }

    fn log(&self, hour: u32, id: &str, rows: &str) {
        let path = self.logs.join(format!("E1EXAMPLE.2026-11-21-{hour:02}.{id}.gz"));
        fs::write(path, gzip(format!("{FIELDS}{rows}").as_bytes())).unwrap();
    }

    fn lose(&self, partition: &str) {
        fs::remove_dir_all(self.lake.join("_edgemill/partitions").join(partition)).unwrap();
    }

    fn convert(&self, code: i32, more: &[&str]) -> (Value, String) {
        let place = ["convert", "--json", "--from", text(&self.logs), "--to", text(&self.lake)];
        let (out, err) = exits(code, &[&place[..], more].concat());
        (serde_json::from_str(&out).unwrap(), err)
    }

    /// The rows that a query sees, and what it says.
    fn seen(&self) -> (u64, String) {
        let sql = "SELECT count(*) FROM cloudfront_logs";
        let (out, err) = exits(0, &["query", "--lake", text(&self.lake), "--format", "csv", sql]);
        (out.lines().nth(1).unwrap().parse().unwrap(), err)
    }
}

/// Types the command that a message names; its exit code.
fn type_it(said: &str) -> i32 {
    let at = said.find("edgemill verify").unwrap_or_else(|| panic!("no command in: {said}"));
    let command = said[at..].lines().next().unwrap().split(", and").next().unwrap();
    let command = command.replacen("edgemill", env!("CARGO_BIN_EXE_edgemill"), 1);
    Command::new("sh").args(["-c", &command]).output().unwrap().status.code().unwrap()
}

#[test]
fn what_queries_do_not_see_is_told_and_brought_back_by_what_is_said() {
    for (lost, absent, is_seen_by_query) in [
        ("cloudfront_logs/2026-11-21T01", 1, true),
        ("cloudfront_logs", 4, true),
        ("", 5, true),
        // What only rows of other hours are in is told by a run alone.
        ("cloudfront_logs/2026-11-21T03", 1, false),
        ("rejects", 1, false),
    ] {
        let place = Place::new();
        convert(&place.logs, &place.lake, &[]);
        let (all, said) = place.seen();
        assert_eq!((all, said.as_str()), (203, ""), "a lake that has lost nothing is silent");
        place.lose(lost);
        let (rows, said) = place.seen();
        assert_eq!(said.contains("this answer is not whole"), is_seen_by_query, "{lost}: {said}");
        assert_eq!(rows < all, lost != "rejects", "{lost}");
        let (summary, said) = place.convert(3, &[]);
        assert_eq!(summary["unseen"].as_array().unwrap().len(), absent, "{lost}: {summary}");
        assert!(said.contains("no query sees their rows"), "{said}");
        assert_eq!(type_it(&said), 0, "{lost}");
        assert_eq!(place.seen(), (all, String::new()), "{lost}");
        assert_eq!(place.convert(0, &[]).0.get("unseen"), None, "{lost}");
    }
}

/// What belongs into a partition without a record waits: it would make one that hides the loss.
#[test]
fn nothing_is_put_over_a_loss_and_no_log_is_taken_away() {
    let place = Place::new();
    convert(&place.logs, &place.lake, &[]);
    place.lose("cloudfront_logs/2026-11-21T01");
    place.log(1, "b", &row("2026-11-21", "01:00:01", "late"));
    place.log(4, "a", &row("2026-11-21", "04:00:00", "new"));
    for converted in [1, 0] {
        let (summary, said) = place.convert(3, &["--after", "delete"]);
        assert_eq!((&summary["waiting_objects"], &summary["converted_objects"]), (&1.into(), &converted.into()));
        assert!(said.contains("cloudfront_logs/2026-11-21T01"), "{said}");
        assert_eq!(files(&place.logs).len(), 5);
    }
    let (_, said) = place.convert(3, &[]);
    assert_eq!(type_it(&said), 0);
    let (summary, _) = place.convert(0, &[]);
    assert_eq!((&summary["waiting_objects"], &summary["converted_objects"]), (&0.into(), &1.into()));
    assert_eq!(place.seen(), (205, String::new()));
    exits(0, &["verify", "--lake", text(&place.lake), "--from", text(&place.logs)]);
}

/// Of a unit whose record is of a version that named no partitions, that of its own time is looked
/// for, and its manifest tells the rest.
#[test]
fn records_of_before_tell_it_too() {
    let place = Place::new();
    convert(&place.logs, &place.lake, &[]);
    for path in files(&place.lake.join("_edgemill/units")) {
        let record = fs::read_to_string(&path).unwrap();
        let Some((before, _)) = record.split_once(",\"partitions\":") else { panic!("{record}") };
        fs::write(&path, format!("{before}}}]}}")).unwrap();
    }
    assert_eq!(place.convert(0, &[]).0.get("unseen"), None);
    place.lose("cloudfront_logs/2026-11-21T02");
    assert_eq!(place.convert(3, &[]).0["unseen"], serde_json::json!(["cloudfront_logs/2026-11-21T02"]));
}
