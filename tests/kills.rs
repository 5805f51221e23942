//! The real program, killed: at every named step of the protocol, and at random instants. Run again
//! at once, the tables are byte by byte those of an undisturbed lake.
//!
//! `EDGEMILL_KILLS=N` kills at so many random instants instead of 200.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]
#![allow(clippy::print_stdout, reason = "how much was tried is part of the result")]

mod common;

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use common::{binary, convert, exits, files, fingerprint, query, text};
use edgemill::crash::NAMES;
use parquet::file::reader::{FileReader, SerializedFileReader};
use sha2::{Digest, Sha256};

const TABLES: [&str; 2] = ["cloudfront_logs", "rejects"];

fn tables(lake: &Path) -> [String; 2] {
    TABLES.map(|table| fingerprint(&lake.join(table)))
}

/// The bytes of a table's files by folder, whatever their names: a reprocessing that is done twice
/// names them anew.
fn contents(lake: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let of = |table: &str| files(&lake.join(table));
    let content = |path: PathBuf| {
        let folder = path.parent().unwrap().strip_prefix(lake).unwrap().to_path_buf();
        (folder, Sha256::digest(fs::read(&path).unwrap()).to_vec())
    };
    let mut all: Vec<_> = TABLES.into_iter().flat_map(of).map(content).collect();
    all.sort();
    all
}

const COUNT: &str = "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs";

/// The rows that a reader sees who takes every file of the folders that the catalog names.
fn rows_by_catalog(lake: &Path) -> i64 {
    let rows = |path: PathBuf| {
        let reader = SerializedFileReader::new(fs::File::open(path).unwrap()).unwrap();
        reader.metadata().file_metadata().num_rows()
    };
    let folder = |path: &PathBuf| lake.join(fs::read_to_string(path).unwrap().trim());
    // A write that was killed leaves a file of another ending, which no reader of the catalog takes
    // for one of its own.
    let of = |folder: &Path, endings: &'static [&'static str]| {
        let is_of =
            move |path: &PathBuf| path.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending));
        files(folder).into_iter().filter(is_of)
    };
    let folders = of(&lake.join("_edgemill/catalog/cloudfront_logs"), &["txt"]);
    // While a rewrite is open the catalog points beside the table, where no glob of Parquet files
    // is to find anything.
    folders.flat_map(|path| of(&folder(&path), &["parquet", "aside"])).map(rows).sum()
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let place = to.join(path.strip_prefix(from).unwrap());
        // What is there already stays: written again it would be another object.
        if !place.exists() {
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(path, place).unwrap();
        }
    }
}

/// Two hours of logs, of which one object is no log in part, and more of them that come late.
fn logs(dir: &Path) -> (PathBuf, PathBuf) {
    let (first, all) = (dir.join("logs"), dir.join("all"));
    exits(0, &["generate", "--out", text(&all), "--rows", "3000", "--hours", "2026-11-21T05..2026-11-21T07"]);
    let broken = all.join("E1EXAMPLE.2026-11-21-05.aaaaaaaa.gz");
    let lines = format!("{}{}no row\n", common::FIELDS, common::row("2026-11-21", "05:00:00", "whole"));
    fs::write(broken, common::gzip(lines.as_bytes())).unwrap();
    for (number, path) in files(&all).into_iter().enumerate() {
        if number % 3 != 0 {
            let place = first.join(path.strip_prefix(&all).unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(&path, place).unwrap();
        }
    }
    (first, all)
}

/// A step of a lake's life: its name, its arguments, and whether its files keep their names when it
/// is done twice.
struct Step {
    name: &'static str,
    arguments: Vec<String>,
    same_names: bool,
}

fn steps(logs: &Path) -> Vec<Step> {
    let step = |name, arguments: &[&str], same_names| Step {
        name,
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
        same_names,
    };
    vec![
        step("convert", &["convert", "--threads", "1", "--from", text(logs), "--to"], true),
        step("convert what is late", &["convert", "--threads", "1", "--from", text(logs), "--to"], true),
        step("compact", &["compact", "--threads", "1", "--lake"], true),
        step("reprocess", &["reprocess", "--all", "--threads", "1", "--from", text(logs), "--lake"], false),
    ]
}

fn run_step(step: &Step, lake: &Path, crash: Option<&str>) -> std::process::Output {
    let mut command = binary();
    if let Some(crash) = crash {
        command.env("EDGEMILL_CRASH", crash);
    }
    command.args(&step.arguments).arg(lake).output().unwrap()
}

fn well(output: &std::process::Output, what: &str) {
    assert!(output.status.success(), "{what}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Kills one step at every one of its actions, and runs it again.
fn kill_everywhere(dir: &Path, before: &Path, step: &Step, logs: &Path) -> u64 {
    let whole = dir.join(format!("whole {}", step.name));
    copy(before, &whole);
    well(&run_step(step, &whole, None), step.name);
    let (wanted, wanted_contents) = (tables(&whole), contents(&whole));
    let mut kills = 0;
    for name in NAMES {
        for count in 1.. {
            let lake = dir.join(format!("{} {name} {count}", step.name));
            copy(before, &lake);
            let what = format!("{}, killed at {name}:{count}", step.name);
            let killed = run_step(step, &lake, Some(&format!("{name}:{count}")));
            if killed.status.signal().is_none() {
                well(&killed, &what);
                fs::remove_dir_all(&lake).unwrap();
                break;
            }
            kills += 1;
            if !step.name.starts_with("convert") {
                // Readers see all rows and none twice, whenever it was killed.
                assert_eq!(query(&lake, COUNT), "n,d\n3001,3001\n", "{what}");
                assert_eq!(rows_by_catalog(&lake), 3_001, "{what}");
            }
            well(&run_step(step, &lake, None), &what);
            if step.same_names {
                assert_eq!(tables(&lake), wanted, "{what}");
            } else {
                assert_eq!(contents(&lake), wanted_contents, "{what}");
            }
            // The proof by other means, once for each name: what was left in staging is younger
            // than an orphan.
            if count == 1 && step.name != "convert" {
                let verified = common::run(&["verify", "--json", "--lake", text(&lake), "--from", text(logs)]);
                let report: serde_json::Value = serde_json::from_slice(&verified.stdout).unwrap();
                let wrong = report["findings"].as_array().unwrap();
                assert!(wrong.iter().all(|finding| finding["kind"] == "left_over"), "{what}: {wrong:?}");
            }
            fs::remove_dir_all(&lake).unwrap();
        }
    }
    assert!(kills > 20, "{}: only {kills} kills", step.name);
    kills
}

#[test]
fn killed_at_every_step_of_the_protocol() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, all) = logs(dir.path());
    let mut lake = dir.path().join("lake 0");
    // The dead send nothing late, and nobody reads through the catalog: no wait is needed to see
    // what comes after a kill.
    exits(0, &["init", "--to", text(&lake), "--catalog", "lake", "--no-late", "--queries", "0s"]);
    for (number, step) in steps(&logs).iter().enumerate() {
        if number == 1 {
            copy(&all, &logs);
        }
        let kills = kill_everywhere(dir.path(), &lake, step, &logs);
        println!("{}: killed {kills} times", step.name);
        let next = dir.path().join(format!("lake {}", number + 1));
        copy(&lake, &next);
        well(&run_step(step, &next, None), step.name);
        lake = next;
    }
    assert_eq!(query(&lake, COUNT), "n,d\n3001,3001\n");
}

/// A process that was killed and of which its parent has not heard yet claims nothing: the next run
/// goes on at once, and clears what it left. A claim that is left all the same is no fault.
#[test]
fn a_claim_of_a_killed_run_is_no_fault_of_the_lake() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    exits(0, &["generate", "--out", text(&logs), "--rows", "100", "--hours", "2026-11-21T05..2026-11-21T06"]);
    exits(0, &["init", "--to", text(&lake), "--no-late", "--queries", "0s"]);
    let claims = lake.join("_edgemill/claims");
    let verified = || exits(0, &["verify", "--lake", text(&lake), "--from", text(&logs)]).0;
    let arguments = ["convert", "--from", text(&logs), "--to", text(&lake)];
    let mut killed = binary();
    killed.args(arguments).env("EDGEMILL_CRASH", "swap-partition:1");
    let mut killed = killed.stderr(Stdio::null()).spawn().unwrap();
    let stat = format!("/proc/{}/stat", killed.id());
    while !fs::read_to_string(&stat).unwrap().contains(") Z ") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let claim = files(&claims).pop().unwrap();
    let body = fs::read(&claim).unwrap();
    let begun = std::time::Instant::now();
    convert(&logs, &lake, &[]);
    assert!(begun.elapsed() < Duration::from_secs(50), "nobody waits for the dead");
    killed.wait().unwrap();
    assert!(files(&claims).is_empty() && !verified().contains("claim"));
    // As of a run that dies after the last one has looked.
    fs::create_dir_all(&claims).unwrap();
    fs::write(&claim, body).unwrap();
    assert!(verified().contains("1 claim of a dead process, which nothing heeds"));
    exits(0, &["verify", "--fix", "--lake", text(&lake)]);
    assert!(files(&claims).is_empty());
}

/// The ledgers that can be tried here: DynamoDB only where `scripts/test` has started a server.
fn ledgers() -> Vec<(String, u32)> {
    let kills: u32 = std::env::var("EDGEMILL_KILLS").map_or(200, |text| text.parse().unwrap());
    let mut ledgers = vec![("lake".to_owned(), kills)];
    if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        ledgers.push((format!("dynamodb:edgemill-{}", uuid::Uuid::new_v4().simple()), kills / 5));
    } else {
        eprintln!("not run on DynamoDB: no AWS_ENDPOINT_URL_DYNAMODB names a server; scripts/test starts one");
    }
    ledgers
}

#[test]
fn killed_at_random_instants() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, whole) = (dir.path().join("logs"), dir.path().join("whole"));
    exits(0, &["generate", "--out", text(&logs), "--rows", "6000", "--hours", "2026-11-21T00..2026-11-21T06"]);
    let begun = std::time::Instant::now();
    convert(&logs, &whole, &[]);
    let (took, wanted) = (begun.elapsed().as_secs_f64(), tables(&whole));
    for (ledger, kills) in ledgers() {
        // Long enough that some runs come to their end.
        let longest = took * if ledger == "lake" { 1.1 } else { 4.0 };
        let (mut killed, mut rounds) = (0, 0);
        while killed < kills {
            let round = rounds;
            rounds += 1;
            let lake = dir.path().join(format!("lake {} {round}", ledger.len()));
            exits(0, &["init", "--to", text(&lake), "--ledger", &ledger]);
            let arguments = ["convert", "--from", text(&logs), "--to", text(&lake)];
            let mut run = binary().args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            // The golden ratio's multiples fall evenly into the time, however many there are.
            std::thread::sleep(Duration::from_secs_f64((f64::from(round) * 0.618_033_988_75).fract() * longest));
            run.kill().unwrap();
            killed += u32::from(run.wait().unwrap().signal().is_some());
            convert(&logs, &lake, &[]);
            assert_eq!(tables(&lake), wanted, "{ledger}: round {round}");
            fs::remove_dir_all(&lake).unwrap();
        }
        println!("{ledger}: killed {killed} runs of {rounds}");
    }
}
