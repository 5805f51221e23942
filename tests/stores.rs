//! What servers that speak S3 do otherwise than S3, each as a server of this process: rows are
//! never lost without a word, a store that cannot keep a ledger is refused with the way out, and
//! what is told is what the store has said.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::s3_server::{Condition, Server, Ways};
use common::{FIELDS, exits, files, gzip, row, text};
use serde_json::Value;

const LOGS: &str = "s3://logs/cf";
const LAKE: &str = "s3://lake/l";
const CONVERT: [&str; 6] = ["convert", "--json", "--from", LOGS, "--to", LAKE];
const COUNT: &str = "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs";

/// Generated logs as keys and bytes.
fn logs(rows: u64, hours: &str) -> Vec<(String, Vec<u8>)> {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("logs");
    exits(0, &["generate", "--out", text(&folder), "--rows", &rows.to_string(), "--hours", hours, "--seed", "7"]);
    let logs = files(&folder).into_iter().filter(|file| file.extension().is_some_and(|end| end == "gz"));
    logs.map(|file| (key(file.strip_prefix(&folder).unwrap()), std::fs::read(&file).unwrap())).collect()
}

fn key(file: &Path) -> String {
    format!("logs/cf/{}", text(file))
}

fn server(ways: Ways, logs: &[(String, Vec<u8>)]) -> Server {
    let server = Server::start(ways);
    logs.iter().for_each(|(key, bytes)| server.put(key, bytes.clone()));
    server
}

fn log(hour: &str, id: &str) -> (String, Vec<u8>) {
    let (date, of_day) = hour.split_once('T').unwrap();
    let bytes = gzip(format!("{FIELDS}{}", row(date, &format!("{of_day}:00:00"), id)).as_bytes());
    (format!("logs/cf/E1EXAMPLE.{date}-{of_day}.{id}.gz"), bytes)
}

fn count(server: &Server) -> String {
    server.exits(0, &["query", "--lake", LAKE, "--format", "csv", COUNT]).0
}

/// One line, in words: no XML, and no number of a request.
fn is_in_words(err: &str) {
    assert_eq!(err.lines().count(), 1, "{err}");
    for never in ["<", "4442587FB7D0A2F9", "is damaged", "restore it"] {
        assert!(!err.contains(never), "{err}");
    }
}

#[test]
fn a_store_that_lets_many_win_is_refused_before_a_lake_is_made() {
    for condition in [Condition::Ignored, Condition::Raced] {
        let server = server(Ways { condition, ..Ways::default() }, &[log("2026-11-21T05", "a")]);
        for attempt in 0..12 {
            let init = ["init", "--to", LAKE];
            let (_, err) = server.exits(2, if attempt % 2 == 0 { &CONVERT } else { &init });
            is_in_words(&err);
            for word in ["s3://lake/l", "http://127.0.0.1", "16 writers", "edgemill init", "--ledger dynamodb:TABLE"] {
                assert!(err.contains(word), "{condition:?}: {err}");
            }
            assert_eq!(server.keys("lake/"), Vec::<String>::new(), "{condition:?}: nothing is left behind");
        }
    }
}

#[test]
fn a_store_is_tried_out_once_for_each_server_that_a_lake_is_reached_at() {
    let server = server(Ways::default(), &[log("2026-11-21T05", "a")]);
    server.exits(0, &CONVERT);
    let made: Value = serde_json::from_str(&server.text("lake/l/_edgemill/lake.json")).unwrap();
    assert!(made["probed_endpoint"].as_str().unwrap().starts_with("http://127.0.0.1"), "{made}");
    assert_eq!(server.keys("lake/l/_edgemill/prob"), Vec::<String>::new(), "lake.json says it");
    // Elsewhere it is tried out before the first record, and never again.
    let other = server.elsewhere();
    let puts = |late: &str| {
        let (key, bytes) = log("2026-11-21T05", late);
        server.put(&key, bytes);
        let before = server.calls("PUT");
        other.exits(0, &CONVERT);
        server.calls("PUT") - before
    };
    let (first, second) = (puts("b"), puts("c"));
    assert_eq!(first, second + 49, "three rounds of 16, and a note");
    assert_eq!(server.keys("lake/l/_edgemill/prob").len(), 1);
    assert_eq!(count(&server), "n,d\n3,3\n");
    // A lake from before is tried out, too, and where it cannot be trusted nothing is written.
    let third = server.elsewhere();
    server.behave(Ways { condition: Condition::Ignored, ..Ways::default() });
    let (key, bytes) = log("2026-11-21T05", "d");
    server.put(&key, bytes);
    let units = || server.keys("lake/l/_edgemill/units/");
    let before = units();
    let (_, err) = third.exits(2, &CONVERT);
    assert!(err.contains("does not keep a ledger") && err.contains("make a new one"), "{err}");
    assert_eq!(units(), before);
    server.behave(Ways::default());
    third.exits(0, &CONVERT);
    assert_eq!(count(&server), "n,d\n4,4\n");
}

/// Where nobody tried the store out, the run itself says that rows are missing.
#[test]
fn rows_that_a_store_loses_are_told_by_the_run_that_wrote_them() {
    let logs = logs(6_000, "2026-11-21T00..2026-11-21T12");
    let ways = Ways { condition: Condition::Ignored, put_takes: Duration::from_millis(2), ..Ways::default() };
    let (mut lost, mut whole) = (0, 0);
    for attempt in 0..40 {
        let server = server(ways, &logs);
        // Waits as short as a test's: a rewrite has some.
        let (code, _, err) = server.run(&["init", "--to", LAKE, "--max-call-delay", "1s", "--queries", "1s"], true);
        assert_eq!(code, 0, "{err}");
        let (code, out, err) = server.run(&CONVERT, true);
        let counted = count(&server);
        let summary: Value = serde_json::from_str(&out).unwrap_or_default();
        if counted == "n,d\n6000,6000\n" {
            whole += 1;
            assert!(code == 0 || code == 3, "{err}");
            continue;
        }
        lost += 1;
        assert_eq!(code, 3, "attempt {attempt}: {counted}{err}");
        assert!(!summary["lost"].as_array().unwrap().is_empty(), "{summary}");
        for word in [
            "edgemill reprocess --hours 2026-11-21T",
            " --from s3://logs/cf --lake s3://lake/l --client-ip keep",
            "edgemill verify --fix --lake s3://lake/l",
        ] {
            assert!(err.contains(word), "{err}");
        }
        if lost == 1 {
            // What it advises mends it, on a store that keeps the condition.
            server.behave(Ways::default());
            server.exits(0, &["reprocess", "--from", LOGS, "--lake", LAKE, "--all"]);
            assert_eq!(count(&server), "n,d\n6000,6000\n");
        }
        if lost == 5 {
            break;
        }
    }
    assert!(lost >= 3, "only {lost} runs lost rows, {whole} did not: this shows nothing");
}

#[test]
fn conflicts_are_tried_again() {
    let logs = logs(1_500, "2026-11-21T00..2026-11-21T04");
    std::thread::scope(|scope| {
        for conflict_percent in [5, 20] {
            for _ in 0..2 {
                let logs = &logs;
                scope.spawn(move || {
                    for _ in 0..10 {
                        let server = server(Ways { conflict_percent, ..Ways::default() }, logs);
                        server.exits(0, &CONVERT);
                        assert_eq!(count(&server), "n,d\n1500,1500\n");
                    }
                });
            }
        }
    });
}

#[test]
fn a_store_without_such_writes_is_told_as_what_it_is() {
    for (status, code) in [(501, "NotImplemented"), (400, "InvalidArgument")] {
        let condition = Condition::Refused(status, code);
        let server = server(Ways { condition, ..Ways::default() }, &[log("2026-11-21T05", "a")]);
        let (_, err) = server.exits(2, &CONVERT);
        is_in_words(&err);
        for word in [&status.to_string(), code, "cannot write an object only where there is none", "dynamodb:TABLE"] {
            assert!(err.contains(word), "{err}");
        }
        assert!(server.calls("PUT") <= 16, "no answer like this is asked for ten times");
        // So is a lake that was made before.
        server.behave(Ways::default());
        server.exits(0, &["init", "--to", LAKE]);
        server.behave(Ways { condition, ..Ways::default() });
        let (_, err) = server.exits(2, &CONVERT);
        is_in_words(&err);
        assert!(err.contains(&format!("it answered {status}")), "{err}");
    }
    let server = server(Ways::default(), &[log("2026-11-21T05", "a")]);
    let output = server.command(&CONVERT).env("AWS_CONDITIONAL_PUT", "disabled").output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    assert!(err.contains("AWS_CONDITIONAL_PUT=disabled") && err.contains("unset it"), "{err}");
}

/// The way out holds on each such store.
#[test]
fn with_its_ledger_elsewhere_a_lake_needs_no_such_writes() {
    if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_none() {
        eprintln!("not run: no AWS_ENDPOINT_URL_DYNAMODB names a server; scripts/test starts one");
        return;
    }
    let logs = logs(1_500, "2026-11-21T00..2026-11-21T04");
    for condition in [Condition::Ignored, Condition::Raced, Condition::Refused(501, "NotImplemented")] {
        let server = server(Ways { condition, ..Ways::default() }, &logs);
        let ledger = format!("dynamodb:stores-{}", uuid::Uuid::new_v4().simple());
        let init = ["init", "--to", LAKE, "--ledger", &ledger, "--catalog", "lake"];
        server.exits(0, &init);
        server.exits(0, &init);
        // A choice that was made stays, whatever the store does.
        let (_, err) = server.exits(2, &["init", "--to", LAKE, "--catalog", "glue:other"]);
        assert!(err.contains("has the catalog 'lake'"), "{err}");
        std::thread::scope(|scope| {
            (0..3).for_each(|_| drop(scope.spawn(|| server.exits(0, &CONVERT))));
        });
        assert_eq!(count(&server), "n,d\n1500,1500\n", "{condition:?}");
        server.exits(0, &["verify", "--lake", LAKE, "--from", LOGS]);
    }
}

#[test]
fn keys_are_deleted_one_by_one_where_there_is_no_call_for_many() {
    for status in [405, 501] {
        let ways = Ways { no_bulk_delete: Some(status), ..Ways::default() };
        let server = server(ways, &logs(1_500, "2026-11-21T00..2026-11-21T04"));
        server.exits(0, &CONVERT);
        let (asked, single) = (server.calls("POST ?delete"), server.calls("DELETE"));
        // Those that were under way when the first was answered had been asked already.
        assert!(asked < 40 && asked < single, "{status}: {asked} asked, {single} deleted one by one");
        for left in ["lake/l/staging", "lake/l/_edgemill/claims"] {
            assert_eq!(server.keys(left), Vec::<String>::new(), "{status}");
        }
        server.exits(0, &["verify", "--lake", LAKE, "--from", LOGS]);
    }
}

#[test]
fn a_copy_that_does_not_find_what_is_there_is_told_as_that() {
    let ways = Ways { copies_not_found: true, ..Ways::default() };
    let server = server(ways, &[log("2026-11-21T05", "a")]);
    let (_, err) = server.exits(1, &CONVERT);
    is_in_words(&err);
    assert!(err.contains("answered 404 to the copy") && err.contains("is there"), "{err}");
    assert!(!err.contains("edgemill did not remove it"), "{err}");
    // What was committed is published once the store can copy.
    server.behave(Ways::default());
    server.exits(0, &CONVERT);
    assert_eq!(count(&server), "n,d\n1,1\n");
}

#[test]
fn a_wrong_place_or_nobody_is_wrong_usage_with_the_next_step() {
    let server = server(Ways::default(), &[log("2026-11-21T05", "a")]);
    let none = "s3://none/x";
    for arguments in [
        vec!["convert", "--from", none, "--to", LAKE],
        vec!["convert", "--from", LOGS, "--to", none],
        vec!["init", "--to", none],
        vec!["query", "--lake", none, "SELECT 1"],
        vec!["verify", "--lake", none],
        vec!["plan", "--from", none, "--to", LAKE],
    ] {
        let (_, err) = server.exits(2, &arguments);
        is_in_words(&err);
        assert!(
            err.contains("there is no bucket 'none'") && err.contains("aws s3 mb s3://none"),
            "{arguments:?}: {err}"
        );
    }
    for (status, code, exit, word) in [
        (403, "InvalidAccessKeyId", 2, "AWS_PROFILE"),
        (403, "SignatureDoesNotMatch", 2, "AWS_SECRET_ACCESS_KEY"),
        (301, "PermanentRedirect", 2, "AWS_REGION"),
        (400, "AuthorizationHeaderMalformed", 2, "AWS_REGION"),
        (400, "ExpiredToken", 1, "renew the credentials"),
        (403, "AccessDenied", 1, "s3:ListBucket"),
    ] {
        server.behave(Ways { always: Some((status, code)), ..Ways::default() });
        let (_, err) = server.exits(exit, &CONVERT);
        is_in_words(&err);
        assert!(err.contains(word), "{code}: {err}");
    }
    let home = tempfile::tempdir().unwrap();
    let mut command = server.command(&CONVERT);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("HOME", home.path());
    let output = command.output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{err}");
    is_in_words(&err);
    for word in ["there are no AWS credentials", "AWS_PROFILE", "aws sso login", "role"] {
        assert!(err.contains(word), "{err}");
    }
    assert!(!err.contains("s3:GetObject"), "{err}");
}
