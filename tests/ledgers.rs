//! The whole program on each ledger: many processes at once, and what a ledger that is not there
//! says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::path::Path;
use std::process::{Child, Stdio};

use common::{binary, convert, exits, fingerprint, generate, ledgers, query, text};

fn tables(lake: &Path) -> [String; 2] {
    ["cloudfront_logs", "rejects"].map(|table| fingerprint(&lake.join(table)))
}

fn start(logs: &Path, lake: &Path) -> Child {
    let arguments = ["convert", "--json", "--threads", "1", "--from", text(logs), "--to", text(lake)];
    binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn eight_processes_on_the_same_day_on_each_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, whole) = (dir.path().join("logs"), dir.path().join("whole"));
    generate(&logs, 40_000, 5);
    convert(&logs, &whole, &[]);
    for (number, ledger) in ledgers().into_iter().enumerate() {
        let lake = dir.path().join(format!("lake{number}"));
        exits(0, &["init", "--to", text(&lake), "--ledger", &ledger]);
        exits(0, &["init", "--to", text(&lake), "--ledger", &ledger]);
        let runs: Vec<Child> = (0..8).map(|_| start(&logs, &lake)).collect();
        let (mut converted, mut twice) = (0, 0);
        for run in runs {
            let output = run.wait_with_output().unwrap();
            let err = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{ledger}: {err}");
            twice += err.matches("another run was faster").count();
            let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            converted += summary["converted_objects"].as_u64().unwrap();
        }
        assert_eq!(converted, common::files(&logs).len() as u64, "{ledger}: every object is converted once");
        assert_eq!(twice, 0, "{ledger}: claims spread the work, so no hour is done in vain");
        exits(0, &["verify", "--lake", text(&lake), "--from", text(&logs)]);
        assert_eq!(
            query(&lake, "SELECT COUNT(*), COUNT(DISTINCT requestid) FROM cf_logs").lines().nth(1),
            Some("40000,40000")
        );
        assert_eq!(tables(&lake), tables(&whole), "{ledger}");
        assert!(!lake.join("staging").exists(), "{ledger}: staging is empty at rest");
        assert_eq!(convert(&logs, &lake, &[])["converted_objects"], 0, "{ledger}");
    }
}

#[test]
fn a_lake_keeps_the_ledger_that_it_was_made_with() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 100, 5);
    convert(&logs, &lake, &[]);
    let with = |ledger: &str| exits(2, &["convert", "--from", text(&logs), "--to", text(&lake), "--ledger", ledger]).1;
    assert!(with("dynamodb:t").contains("keeps its records in 'lake', not in 'dynamodb:t'"));
    assert!(with("redis:t").contains("write lake or dynamodb:TABLE"));
    convert(&logs, &lake, &["--ledger", "lake"]);
}
