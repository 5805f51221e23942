//! What somebody removed from a lake by hand comes back: from what is left, or from the raw logs,
//! with one command. Every row once, as queries and as readers of the folders see it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]
#![allow(clippy::print_stdout, reason = "how many cases were tried is part of the result")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::DataType;
use common::{FIELDS, binary, convert, exits, files, gzip, row, run, text};
use edgemill::edge::claims::Claims;
use edgemill::edge::objects::Objects;
use edgemill::location::Location;
use edgemill::model::{Table, UnitId};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

/// One line in six is no row here.
const USUAL: [&str; 2] = ["--reject-warn-ratio", "0.9"];

const DAY: &str = "2026-11-21";
const HOUR: &str = "cloudfront_logs/year=2026/month=11/day=21/hour=06";

/// Logs of three hours in two parts: each object has a row of its hour and one of the hour before,
/// one in three a line that is no row.
struct Place {
    dir: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
    /// What a lake is that is made of the logs at once.
    whole: std::cell::OnceCell<(String, [Vec<String>; 2])>,
}

fn object(logs: &Path, hour: u32, id: &str, is_broken: bool) {
    let of = |hour: u32, of_hour: &str| {
        row(DAY, &format!("{hour:02}:{of_hour}"), &format!("{id}{hour:02}{}", &of_hour[..2]))
    };
    let broken = if is_broken { "no row\n" } else { "" };
    let lines = format!("{FIELDS}{}{broken}{}", of(hour, "00:00"), of(hour - 1, "59:59"));
    fs::write(logs.join(format!("E1EXAMPLE.{DAY}-{hour:02}.{id}.gz")), gzip(lines.as_bytes())).unwrap();
}

fn place() -> Place {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    fs::create_dir(&logs).unwrap();
    // The dead send nothing late, and nobody reads while a folder is brought up to date.
    exits(0, &["init", "--to", text(&lake), "--no-late", "--queries", "0s"]);
    (5..8).for_each(|hour| object(&logs, hour, "aaaaaaaa", hour == 6));
    convert(&logs, &lake, &USUAL);
    (5..8).for_each(|hour| object(&logs, hour, "bbbbbbbb", hour == 7));
    convert(&logs, &lake, &USUAL);
    Place { dir, logs, lake, whole: std::cell::OnceCell::new() }
}

impl Place {
    /// The rows and files of a lake that is made of the logs at once.
    fn whole(&self) -> &(String, [Vec<String>; 2]) {
        self.whole.get_or_init(|| {
            let lake = self.dir.path().join("whole");
            convert(&self.logs, &lake, &USUAL);
            (values(&lake), folders(&lake))
        })
    }

    fn copy(&self, name: &str) -> PathBuf {
        let to = self.dir.path().join(name);
        for path in files(&self.lake) {
            let place = to.join(path.strip_prefix(&self.lake).unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(path, place).unwrap();
        }
        to
    }
}

fn reprocess(place: &Place, lake: &Path, code: i32, more: &[&str]) -> Value {
    let mut arguments = vec!["reprocess", "--json", "--from", text(&place.logs), "--lake", text(lake)];
    arguments.extend(USUAL.iter().chain(more));
    serde_json::from_str(&exits(code, &arguments).0).unwrap()
}

fn verify(place: &Place, lake: &Path, more: &[&str]) -> Value {
    let mut arguments = vec!["verify", "--json", "--lake", text(lake), "--from", text(&place.logs)];
    arguments.extend(more);
    serde_json::from_slice(&run(&arguments).stdout).unwrap()
}

fn kinds(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap();
    let mut kinds: Vec<&str> = findings.iter().map(|finding| finding["kind"].as_str().unwrap()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

/// Every value of both tables, as a query sees them.
fn values(lake: &Path) -> String {
    let of = |sql: &str| {
        let output = run(&["query", "--json", "--lake", text(lake), sql]);
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let rows = of("SELECT * FROM cloudfront_logs ORDER BY x_edge_request_id, filename");
    format!("{rows}{}", of("SELECT * FROM rejects ORDER BY filename, line_number"))
}

/// A column of all files of a table's folder, whatever the ledger says of them.
fn globbed(lake: &Path, table: &str, column: &str) -> Vec<String> {
    let mut found = Vec::new();
    for path in files(&lake.join(table)).into_iter().filter(|path| path.extension().is_some_and(|end| end == "parquet"))
    {
        let reader = ParquetRecordBatchReaderBuilder::try_new(fs::File::open(path).unwrap()).unwrap().build().unwrap();
        for batch in reader {
            let text = cast(batch.unwrap().column_by_name(column).unwrap(), &DataType::Utf8).unwrap();
            found.extend(text.as_string::<i32>().iter().map(|value| value.unwrap().to_owned()));
        }
    }
    found.sort();
    found
}

fn folders(lake: &Path) -> [Vec<String>; 2] {
    [globbed(lake, "cloudfront_logs", "x_edge_request_id"), globbed(lake, "rejects", "filename")]
}

/// The lake is what a conversion of all logs at once makes, for the ledger, for queries and for
/// readers of the folders.
fn is_whole(place: &Place, lake: &Path, what: &str) {
    let report = verify(place, lake, &["--deep"]);
    assert!(kinds(&report).is_empty(), "{what}: {report}");
    assert_eq!(values(lake), place.whole().0, "{what}");
    assert_eq!(folders(lake), place.whole().1, "{what}");
}

const THINGS: [&str; 5] = [HOUR, "_edgemill/manifests", "_edgemill/units", "_edgemill/partitions", "staging"];

/// Removes every subset of the things from copies of a lake, and lets one command bring the rows
/// back; then whatever was on its way and had left no trace is converted as by any run.
fn every_subset(place: &Place, name: &str, converts: bool) {
    let mut tried = 0;
    for subset in 0_u32..1 << THINGS.len() {
        let gone: Vec<&str> = (0..THINGS.len()).filter(|bit| subset >> bit & 1 == 1).map(|bit| THINGS[bit]).collect();
        let lake = place.copy(&format!("{name} {subset}"));
        for thing in &gone {
            fs::remove_dir_all(lake.join(thing)).ok();
        }
        let what = format!("{name}, without {gone:?}");
        let output = run(&["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&lake)]);
        // 3: a line that is no row.
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(matches!(output.status.code(), Some(0 | 3)), "{what}: {said}");
        if converts {
            let report = verify(place, &lake, &[]);
            // A batch whose record went before it was published: its objects are not converted, its
            // first file may be there.
            let rest = ["not_converted", "unnamed_file"];
            assert!(kinds(&report).iter().all(|kind| rest.contains(kind)), "{what}: {report}\n{said}");
            run(&["convert", "--from", text(&place.logs), "--to", text(&lake)]);
        }
        is_whole(place, &lake, &format!("{what}: {said}"));
        fs::remove_dir_all(lake).unwrap();
        tried += 1;
    }
    println!("{name}: {tried} subsets");
}

#[test]
fn every_subset_of_a_lake_at_rest() {
    every_subset(&place(), "at rest", false);
}

/// Logs that come late, and a run that dies while it does something with them.
fn interrupted(arguments: &[&str], crash: &str) -> Place {
    let place = place();
    (5..8).for_each(|hour| object(&place.logs, hour, "cccccccc", false));
    let mut command = binary();
    command.args(arguments).args(["--from", text(&place.logs), "--to", text(&place.lake)]);
    let killed = command.env("EDGEMILL_CRASH", crash).output().unwrap();
    assert!(killed.status.code().is_none(), "{}", String::from_utf8_lossy(&killed.stderr));
    assert!(place.lake.join("staging").exists());
    place
}

#[test]
fn every_subset_of_a_lake_with_a_batch_that_is_not_published() {
    // Hours are at work beside each other: one or the other has a partition that has its batch and
    // one that has not, or a file that is copied and not named.
    for crash in ["copy:2", "swap-partition:3"] {
        every_subset(&interrupted(&["convert", "--threads", "1"], crash), &format!("not published, {crash}"), true);
    }
}

#[test]
fn every_subset_of_a_lake_with_a_rewrite_that_is_not_closed() {
    every_subset(&interrupted(&["reprocess", "--all", "--threads", "1"], "delete:1"), "open rewrite", true);
}

#[test]
fn a_deleted_hour_is_brought_back_by_the_command_that_verify_names() {
    let place = place();
    for (name, hours) in
        [("named", None), ("its own", Some("T06..2026-11-21T07")), ("a neighbour's", Some("T07..2026-11-21T08"))]
    {
        let lake = place.copy(name);
        fs::remove_dir_all(lake.join(HOUR)).unwrap();
        let report = verify(&place, &lake, &["--fix"]);
        assert_eq!(kinds(&report), ["file_missing"], "{name}: {report}");
        let named = report["reprocess"].as_str().unwrap();
        assert!(named.contains(" --hours 2026-11-21T06..2026-11-21T08 --from "), "{named}");
        // An answer without the rows would be a wrong one.
        let sql = "SELECT COUNT(c_ip) FROM cloudfront_logs";
        let failed = run(&["query", "--lake", text(&lake), sql]);
        assert!(!failed.status.success(), "{}", String::from_utf8_lossy(&failed.stdout));
        // Its own and the next hour's rows are in that folder: whichever was asked for, both are
        // written anew.
        match hours {
            None => {
                let arguments: Vec<&str> = named.split(' ').collect();
                run(&arguments);
            }
            Some(hours) => {
                let output = run(&[
                    "reprocess",
                    "--json",
                    "--hours",
                    &format!("{DAY}{hours}"),
                    "--from",
                    text(&place.logs),
                    "--lake",
                    text(&lake),
                ]);
                let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
                assert_eq!(
                    (summary["rebuilt_units"].as_u64(), summary["also"].as_array().unwrap().len()),
                    (Some(2), 1),
                    "{summary}"
                );
            }
        }
        is_whole(&place, &lake, name);
    }
}

#[test]
fn records_that_follow_from_what_is_left_need_no_logs() {
    let place = place();
    for gone in [&["units"][..], &["partitions"], &["units", "cloudfront only"]] {
        let lake = place.copy(&gone.concat());
        fs::remove_dir_all(lake.join("_edgemill").join(gone[0])).unwrap();
        let before = verify(&place, &lake, &[]);
        assert!(!kinds(&before).is_empty(), "{gone:?}");
        let arguments = ["verify", "--fix", "--json", "--lake", text(&lake)];
        exits(0, &arguments);
        is_whole(&place, &lake, &format!("{gone:?}"));
        let known = convert(&place.logs, &lake, &USUAL);
        assert_eq!(known["converted_objects"], 0, "{gone:?}: nothing is taken a second time");
    }
}

/// A record that was cut off, as by a full disk, is told as damaged, and comes back as one that is
/// gone does.
#[test]
fn records_that_cannot_be_read_come_back_as_those_that_are_gone() {
    let place = place();
    let cut = |lake: &Path, folder: &str, bytes: u64, all: bool| {
        let mut records = files(&lake.join("_edgemill").join(folder));
        records.sort();
        let records = if all { &records[..] } else { &records[records.len() - 1..] };
        for record in records {
            fs::OpenOptions::new().write(true).open(record).unwrap().set_len(bytes).unwrap();
        }
    };
    for (folder, needs_logs) in [("units", false), ("partitions", false), ("manifests", true)] {
        for (bytes, all) in [(0, false), (0, true), (90, true)] {
            let what = format!("{folder}, {bytes} bytes, all: {all}");
            let (lake, other) = (place.copy("cut"), place.copy("cut too"));
            for lake in [&lake, &other] {
                cut(lake, folder, bytes, all);
            }
            let report = verify(&place, &lake, &[]);
            assert!(kinds(&report).contains(&"damaged") && report["reprocess"].is_string(), "{what}: {report}");
            let report = verify(&place, &lake, &["--fix"]);
            assert_eq!(kinds(&report).is_empty(), !needs_logs, "{what}: {report}");
            // With the logs nothing else is needed before.
            for lake in [lake, other] {
                reprocess(&place, &lake, 0, &["--all"]);
                is_whole(&place, &lake, &what);
                fs::remove_dir_all(lake).unwrap();
            }
        }
    }
}

/// A partition that only the catalog knows is withdrawn where no file of it is left, and no other.
#[test]
fn what_only_the_catalog_knows_is_withdrawn_where_its_folder_is_empty() {
    let place = place();
    exits(0, &["init", "--to", text(&place.lake), "--catalog", "lake"]);
    let catalog = place.lake.join("_edgemill/catalog/cloudfront_logs");
    let known = files(&catalog);
    assert_eq!(known.len(), 4, "{known:?}");
    let add = |hour: &str| {
        let folder = format!("cloudfront_logs/year=2026/month=11/day=20/hour={hour}");
        let entry = catalog.join(format!("2026-11-20T{hour}.txt"));
        fs::write(&entry, format!("{folder}\n")).unwrap();
        (place.lake.join(folder), entry)
    };
    let ((_, empty), (folder, full)) = (add("01"), add("02"));
    let elsewhere = catalog.join("2026-11-20T03.txt");
    fs::write(&elsewhere, "s3://another/place\n").unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("somebody-elses.parquet"), "no file of edgemill's").unwrap();
    let unregistered = |report: &Value| {
        let findings = report["findings"].as_array().unwrap();
        findings.iter().filter(|finding| finding["kind"] == "unregistered").count()
    };
    let report = verify(&place, &place.lake, &[]);
    assert_eq!(unregistered(&report), 3, "{report}");
    assert!(empty.exists(), "without --fix nothing is changed");
    let report = verify(&place, &place.lake, &["--fix"]);
    assert_eq!(unregistered(&report), 2, "{report}");
    assert!(report["mended"].to_string().contains("1 partition withdrawn from the catalog"), "{report}");
    assert!(!empty.exists() && full.exists() && elsewhere.exists(), "{:?}", files(&catalog));
    assert!(known.iter().all(|entry| entry.exists()), "what the ledger knows stays");
    fs::remove_dir_all(&folder).unwrap();
    fs::remove_file(&elsewhere).unwrap();
    let report = verify(&place, &place.lake, &["--fix"]);
    assert!(kinds(&report).is_empty() && !full.exists(), "{report}");
}

/// A lake with a history: late batches, a compaction, an hour that was written anew.
#[test]
fn older_versions_of_records_that_come_to_life_are_found_and_mended() {
    let place = place();
    exits(0, &["compact", "--lake", text(&place.lake)]);
    run(&[
        "reprocess",
        "--hours",
        "2026-11-21T06..2026-11-21T07",
        "--from",
        text(&place.logs),
        "--lake",
        text(&place.lake),
    ]);
    is_whole(&place, &place.lake, "before");
    let mut tried = 0;
    for folder in ["_edgemill/units/cloudfront_logs", "_edgemill/partitions/cloudfront_logs"] {
        for record in fs::read_dir(place.lake.join(folder)).unwrap() {
            let name = record.unwrap().file_name().into_string().unwrap();
            for newest in 1..=3 {
                let lake = place.copy("older");
                let versions = files(&lake.join(folder).join(&name));
                for version in versions.iter().rev().take(newest) {
                    fs::remove_file(version).unwrap();
                }
                let what = format!("{folder}/{name} without its {newest} newest versions");
                let output = run(&["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&lake)]);
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(matches!(output.status.code(), Some(0 | 3)), "{what}: {said}");
                is_whole(&place, &lake, &what);
                fs::remove_dir_all(lake).unwrap();
                tried += 1;
            }
        }
    }
    println!("{tried} records");
}

#[test]
fn what_has_no_logs_any_more_is_named_and_the_rest_comes_back() {
    let place = place();
    place.whole();
    let lost = place.logs.join(format!("E1EXAMPLE.{DAY}-07.aaaaaaaa.gz"));
    let aside = place.dir.path().join("aside.gz");
    // With its manifests, and without: then the name stands in the rows of the next partition.
    for gone in [
        &[HOUR][..],
        &[HOUR, "_edgemill/manifests"],
        &[HOUR, "_edgemill/manifests", "_edgemill/units", "_edgemill/partitions"],
    ] {
        let lake = place.copy(&gone.len().to_string());
        gone.iter().for_each(|thing| fs::remove_dir_all(lake.join(thing)).unwrap());
        fs::rename(&lost, &aside).unwrap();
        let summary = reprocess(&place, &lake, 3, &["--all"]);
        // Where no record says whether the rows count that are left of it, its hour stays as it is.
        let stays = gone.len() == 4;
        let told = if stays { &summary["gone"] } else { &summary["gone_objects_named"] };
        assert_eq!(told.as_array().map(Vec::len), Some(1), "{gone:?}: {summary}");
        let told = told[0].as_str().unwrap();
        assert!(told.contains("07.aaaaaaaa.gz"), "{told}");
        let report = verify(&place, &lake, &["--fix"]);
        assert_eq!(kinds(&report).is_empty(), !stays, "{gone:?}: {report}");
        if !stays {
            // Every row but the one that is gone, and that of it which is left.
            assert!(told.ends_with("1 row of it left and kept"), "{told}");
            let ids = globbed(&lake, "cloudfront_logs", "x_edge_request_id");
            assert!(ids.len() == 11 && ids.contains(&"aaaaaaaa0700".to_owned()), "{ids:?}");
            assert_eq!((&summary["gone_objects"], report["objects"].as_u64()), (&1.into(), Some(5)), "{summary}");
            // Written anew once more, and merged, it is as it was.
            reprocess(&place, &lake, 3, &["--all"]);
            exits(0, &["compact", "--lake", text(&lake)]);
            assert_eq!(globbed(&lake, "cloudfront_logs", "x_edge_request_id"), ids);
            assert!(kinds(&verify(&place, &lake, &["--deep"])).is_empty());
        }
        assert!(globbed(&lake, "cloudfront_logs", "x_edge_request_id").len() >= 10, "{gone:?}");
        fs::rename(&aside, &lost).unwrap();
        reprocess(&place, &lake, 0, &["--all"]);
        is_whole(&place, &lake, &format!("{gone:?}"));
    }
}

/// Two places hold logs of the same hours: whichever is read, the rows of the other stay.
#[test]
fn an_hour_of_two_places_is_written_anew_from_either() {
    let dir = tempfile::tempdir().unwrap();
    let [first, second, lake] = ["logs/first", "logs/second", "lake"].map(|name| dir.path().join(name));
    exits(0, &["init", "--to", text(&lake), "--no-late", "--queries", "0s"]);
    for (logs, id) in [(&first, "aaaaaaaa"), (&second, "bbbbbbbb")] {
        fs::create_dir_all(logs).unwrap();
        (5..8).for_each(|hour| object(logs, hour, id, false));
        convert(logs, &lake, &[]);
    }
    let ids = || globbed(&lake, "cloudfront_logs", "x_edge_request_id");
    let all = ids();
    let known = |logs: &Path| {
        exits(0, &["verify", "--lake", text(&lake), "--from", text(logs)]);
        assert_eq!(convert(logs, &lake, &[])["known_objects"], 3);
    };
    for logs in [&first, &second, &first] {
        exits(0, &["reprocess", "--all", "--from", text(logs), "--lake", text(&lake)]);
        assert_eq!(ids(), all);
        [&first, &second].into_iter().for_each(|logs| known(logs));
    }
    // What is lost of the other is told, and comes back from there.
    fs::remove_dir_all(lake.join(HOUR)).unwrap();
    let (said, _) = exits(3, &["reprocess", "--all", "--from", text(&first), "--lake", text(&lake)]);
    assert!(said.contains("bbbbbbbb.gz, 1 row of it left and kept; it is of another place"), "{said}");
    assert_eq!(ids().len(), all.len() - 2);
    let (said, _) = exits(3, &["verify", "--lake", text(&lake)]);
    assert!(said.contains("bbbbbbbb.gz: rows of it may be missing"), "{said}");
    assert_eq!(convert(&second, &lake, &[])["replaced_objects"], 2);
    assert_eq!(ids(), all);
    [&first, &second].into_iter().for_each(|logs| known(logs));
    // Rows that hold more of people than the lake keeps are not kept for want of their logs.
    exits(0, &["init", "--to", text(&lake), "--client-ip", "truncate"]);
    let anew = ["reprocess", "--all", "--client-ip", "truncate", "--lake", text(&lake), "--from"];
    let (_, err) = exits(2, &[&anew[..], &[text(&first)]].concat());
    assert!(err.contains("of another place") && err.contains("give a folder that holds both"), "{err}");
    exits(0, &[&anew[..], &[text(first.parent().unwrap())]].concat());
    assert_eq!(ids(), all);
}

/// Converting into what is left of a lake doubles nothing: the same objects make the same files.
#[test]
fn a_heap_of_files_is_converted_into_without_doubles() {
    let place = place();
    let lake = place.copy("heap");
    for thing in ["_edgemill/manifests", "_edgemill/units", "_edgemill/partitions"] {
        fs::remove_dir_all(lake.join(thing)).unwrap();
    }
    run(&["convert", "--from", text(&place.logs), "--to", text(&lake)]);
    assert_eq!(values(&lake), place.whole().0);
    run(&["verify", "--fix", "--lake", text(&lake)]);
    is_whole(&place, &lake, "heap");
}

#[test]
fn records_are_not_made_while_somebody_is_at_work() {
    let place = place();
    fs::remove_dir_all(place.lake.join("_edgemill/units")).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let lake = Objects::open(&Location::existing(text(&place.lake)).unwrap()).await.unwrap();
        let claims = Claims::new(lake, Duration::from_secs(1));
        let unit = UnitId::of_hour(Table::CloudfrontLogs, "2026-11-21T20".parse().unwrap());
        assert!(claims.take(&unit).await.unwrap());
        let (logs, lake) = (place.logs.clone(), place.lake.clone());
        let work = tokio::task::spawn_blocking(move || {
            exits(1, &["reprocess", "--all", "--lease", "1s", "--from", text(&logs), "--lake", text(&lake)]).1
        });
        let err = claims.hold(&unit, work).await.unwrap();
        assert!(err.contains("records of the lake") && err.contains("another run is at work"), "{err}");
    });
    let summary = reprocess(&place, &place.lake, 0, &["--all"]);
    assert!(summary["mended"][0].as_str().unwrap().starts_with("3 records of hours made of"), "{summary}");
    is_whole(&place, &place.lake, "afterwards");
}

#[test]
fn a_lake_without_its_head_is_told_as_such() {
    let place = place();
    fs::remove_file(place.lake.join("_edgemill/lake.json")).unwrap();
    for arguments in [
        &["verify", "--lake", text(&place.lake)][..],
        &["convert", "--from", text(&place.logs), "--to", text(&place.lake)],
        &["reprocess", "--all", "--from", text(&place.logs), "--lake", text(&place.lake)],
    ] {
        let err = exits(2, arguments).1;
        assert!(err.contains("_edgemill/lake.json is gone; restore that file from a copy"), "{err}");
    }
}

/// A mend that dies leaves what the next one finds, and until then nothing is said to be whole that
/// is not.
#[test]
fn a_mend_that_dies_is_gone_on_with() {
    let place = place();
    let mut kills = 0;
    for (case, gone) in [&[HOUR][..], &[HOUR, "_edgemill/partitions"], &["_edgemill/units"]].into_iter().enumerate() {
        for name in ["look", "restore", "swap-unit", "swap-partition", "copy", "delete", "remove"] {
            for count in [1, 2, 4, 7] {
                let lake = place.copy("killed");
                gone.iter().for_each(|thing| fs::remove_dir_all(lake.join(thing)).unwrap());
                let what = format!("{case}: {name}:{count}");
                let arguments =
                    ["reprocess", "--all", "--threads", "1", "--from", text(&place.logs), "--lake", text(&lake)];
                let killed =
                    binary().args(arguments).env("EDGEMILL_CRASH", format!("{name}:{count}")).output().unwrap();
                if killed.status.code().is_some() {
                    fs::remove_dir_all(&lake).unwrap();
                    break;
                }
                kills += 1;
                if kinds(&verify(&place, &lake, &[])).iter().all(|kind| *kind == "left_over") {
                    assert_eq!(values(&lake), place.whole().0, "{what}: nothing was found");
                }
                run(&arguments);
                is_whole(&place, &lake, &what);
                fs::remove_dir_all(&lake).unwrap();
            }
        }
    }
    println!("killed {kills} times");
    assert!(kills > 30, "{kills}");
}
