//! Bad input through the binary: each is one clear line that names the thing and the way out, with
//! the right exit code, and nothing half-written that counts as done.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use common::{convert, exits, generate, query, text};

/// Expects wrong usage in one line that holds these words.
fn refused(arguments: &[&str], words: &[&str]) {
    let (out, err) = exits(2, arguments);
    assert_eq!((out.as_str(), err.lines().count()), ("", 1), "{err}");
    for word in words {
        assert!(err.contains(word), "'{word}' is not in: {err}");
    }
}

#[test]
fn folders_that_are_no_logs() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let arguments = ["convert", "--from", text(&logs), "--to", text(&lake)];
    refused(&arguments, &["there is no folder", text(&logs)]);
    fs::create_dir(&logs).unwrap();
    refused(&arguments, &["there is no object in", text(&logs), "E2EXAMPLE.2026-11-21-05.abcd1234.gz"]);
    fs::write(logs.join("notes.txt"), "hello").unwrap();
    refused(&arguments, &["but 1 other object", "notes.txt", "--format cloudfront"]);
    assert!(!lake.exists(), "no lake is made for nothing");
    refused(&["convert", "--from", text(&logs.join("notes.txt")), "--to", text(&lake)], &["is no folder"]);
    refused(
        &["convert", "--from", "gs://bucket/logs", "--to", text(&lake)],
        &["gs://bucket/logs", "s3://BUCKET/PREFIX"],
    );
}

#[test]
fn a_plan_is_refused_as_the_conversion_is_and_neither_leaves_anything() {
    let dir = tempfile::tempdir().unwrap();
    let place = |name: &str| dir.path().join(name);
    let (logs, junk, file, foreign) = (place("logs"), place("junk"), place("file"), place("foreign"));
    let (lake, people) = (place("lake"), place("people"));
    generate(&logs, 100, 1);
    [&junk, &foreign].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    [&junk.join("notes.txt"), &foreign.join("x"), &file].iter().for_each(|path| fs::write(path, "hello").unwrap());
    convert(&logs, &lake, &[]);
    exits(0, &["init", "--to", text(&people), "--client-ip", "truncate"]);
    let (new, inside) = (place("new"), file.join("lake"));
    let cases: [(&Path, &Path, &[&str], &str); 9] = [
        (&junk, &new, &[], "notes.txt"),
        (&junk, &lake, &[], "notes.txt"),
        // Where logs are taken away nothing may be left: but not something else.
        (&junk, &lake, &["--after", "delete"], "notes.txt"),
        (&logs, &lake, &["--partition", "month"], "not for each month"),
        (&logs, &lake, &["--catalog", "lake"], "has the catalog 'none'"),
        (&logs, &new, &["--catalog", "lake"], "edgemill init"),
        (&logs, &foreign, &[], "holds something that is no lake's: 'x'"),
        (&logs, &inside, &[], "is no folder"),
        (&logs, &people, &[], "this run says nothing of them"),
    ];
    let before = common::files(dir.path());
    for (from, to, more, words) in cases {
        let told = |verb| {
            let arguments = [&[verb, "--from", text(from), "--to", text(to)], more].concat();
            refused(&arguments, &[words]);
            exits(2, &arguments).1
        };
        assert_eq!(told("plan"), told("convert"));
    }
    assert_eq!(common::files(dir.path()), before, "nothing was made, and nothing taken away");
    assert!(!new.exists());
    // Where logs are taken away, none may be left.
    fs::remove_file(junk.join("notes.txt")).unwrap();
    for verb in ["plan", "convert"] {
        exits(0, &[verb, "--from", text(&junk), "--to", text(&lake), "--after", "delete"]);
        refused(&[verb, "--from", text(&junk), "--to", text(&lake)], &["there is no object"]);
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_place_that_cannot_be_written_is_told_with_the_way_out() {
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    generate(&logs, 100, 1);
    // A folder in which not even root makes one.
    let words = ["'/proc/none'", "name a place that this user may write to"];
    refused(&["convert", "--from", text(&logs), "--to", "/proc/none"], &words);
    refused(&["init", "--to", "/proc/none"], &words);
    refused(&["generate", "--out", "/proc/none"], &words);
}

#[test]
fn lakes_that_are_none() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 100, 1);
    fs::create_dir(&lake).unwrap();
    fs::write(lake.join("thesis.doc"), "mine").unwrap();
    refused(&["convert", "--from", text(&logs), "--to", text(&lake)], &["thesis.doc", "an empty or a new folder"]);
    assert_eq!(common::files(&lake).len(), 1, "nothing was written beside it");
    refused(&["query", "--lake", text(&lake), "SELECT 1"], &["is no lake", "edgemill convert"]);
    refused(&["convert", "--from", text(&logs), "--to", text(&logs)], &["overlap"]);
    refused(&["convert", "--from", text(&logs), "--to", text(&logs.join("lake"))], &["overlap"]);
    refused(&["convert", "--from", text(&logs), "--to", text(dir.path())], &["overlap"]);
    refused(&["generate", "--out", text(&logs)], &[text(&logs)]);
}

#[test]
fn arguments_that_say_nothing_sensible() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 100, 1);
    let with = |more: &[&'static str]| {
        let paths = [text(&logs).to_owned(), text(&lake).to_owned()];
        let mut arguments: Vec<String> = ["convert", "--from", &paths[0], "--to", &paths[1]].map(str::to_owned).into();
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        exits(2, &arguments).1
    };
    assert!(with(&["--memory", "1MB"]).contains("512"));
    assert!(with(&["--threads", "0"]).contains("--threads"));
    assert!(with(&["--hours", "2026-11-21"]).contains("2026-11-21T00..2026-11-22T00"));
    assert!(with(&["--hours", "2026-11-22T00..2026-11-21T00"]).contains("no hour"));
    assert!(with(&["--shard", "4/4"]).contains("0/4"));
    assert!(with(&["--reject-warn-ratio", "7"]).contains("from 0 to 1"));
    assert!(with(&["--format", "apache"]).contains("cloudfront"));
    convert(&logs, &lake, &[]);
    refused(&["query", "--lake", text(&lake), "--name", "nobody"], &["bots, bytes, viewers"]);
    refused(&["query", "--lake", text(&lake), "DROP TABLE cloudfront_logs"], &["more than read"]);
    refused(&["query", "--lake", text(&lake), "SELECT nothing FROM cf_logs"], &["nothing"]);
    refused(&["ddl", "--table", "nobody"], &["nobody", "cloudfront_logs"]);
}

#[test]
fn a_damaged_ledger_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 500, 1);
    convert(&logs, &lake, &[]);
    let records = common::files(&lake.join("_edgemill/units"));
    fs::write(records.last().unwrap(), "{").unwrap();
    let (_, err) = exits(1, &["convert", "--from", text(&logs), "--to", text(&lake)]);
    assert!(err.contains("_edgemill/units/cloudfront_logs/") && err.contains("damaged"), "{err}");
}

/// A copy of the binary in a folder that any user may enter, and the command to run it as nobody
/// where this is root, for whom nothing is forbidden.
fn as_nobody(dir: &Path) -> Command {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let binary = dir.join("edgemill");
    fs::copy(env!("CARGO_BIN_EXE_edgemill"), &binary).unwrap();
    fs::set_permissions(dir, fs::Permissions::from_mode(0o777)).unwrap();
    let mut command = Command::new(binary);
    let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
    if root {
        command.uid(65_534).gid(65_534);
    }
    command
}

#[test]
fn what_may_not_be_read_or_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 2_000, 1);
    let object = common::files(&logs).pop().unwrap();
    let mode = |path: &Path, bits: u32| fs::set_permissions(path, fs::Permissions::from_mode(bits)).unwrap();
    let attempt = || {
        let output =
            as_nobody(dir.path()).args(["convert", "--from", text(&logs), "--to", text(&lake)]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    mode(&object, 0o000);
    let (code, err) = attempt();
    assert_eq!(code, Some(1), "{err}");
    assert!(
        err.contains(object.file_name().unwrap().to_str().unwrap()) && err.contains("give this user the right"),
        "{err}"
    );
    mode(&object, 0o644);
    mode(&logs, 0o000);
    let (code, err) = attempt();
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains(text(&logs)) && err.contains("ermission denied"), "{err}");
    mode(&logs, 0o755);
    let (code, err) = attempt();
    assert_eq!(code, Some(0), "once mended it goes on: {err}");
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cf_logs"), "n\n2000\n");
    let writable =
        |how: &str| assert!(Command::new("chmod").args(["-R", how, text(&lake)]).status().unwrap().success());
    writable("a-w");
    generate(&dir.path().join("more"), 500, 2);
    let more = dir.path().join("more");
    let output = as_nobody(dir.path()).args(["convert", "--from", text(&more), "--to", text(&lake)]).output().unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(text(&lake)) && err.contains("give this user the right"), "{err}");
    writable("u+w");
}

/// A disk of 1 MB, as a file system in memory that only this test's processes see.
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 30_000, 1);
    fs::create_dir(&lake).unwrap();
    let script = r#"mount -t tmpfs -o size=1m none "$2" || exit 77
        "$0" convert --from "$1" --to "$2" 2>"$3"; code=$?
        "$0" query --lake "$2" --format csv "SELECT COUNT(*) AS n FROM cf_logs" >"$4" || exit 78
        mount -o remount,size=200m "$2"
        "$0" convert --from "$1" --to "$2" >/dev/null 2>&1 || exit 79
        "$0" query --lake "$2" --format csv "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs" >>"$4"
        exit $code"#;
    let (err, out) = (dir.path().join("err"), dir.path().join("out"));
    let binary = env!("CARGO_BIN_EXE_edgemill");
    let status = Command::new("unshare")
        .args(["-rm", "sh", "-c", script, binary, text(&logs), text(&lake), text(&err), text(&out)])
        .status();
    match status.map(|status| status.code()) {
        Ok(Some(1)) => {}
        Err(_) | Ok(Some(77)) => {
            // Not through println!, which the harness hides.
            writeln!(std::io::stderr(), "NOT RUN: a small disk needs unshare and the right to mount").unwrap();
            return;
        }
        other => panic!("{other:?}: {}", fs::read_to_string(&err).unwrap_or_default()),
    }
    let (err, out) = (fs::read_to_string(err).unwrap(), fs::read_to_string(out).unwrap());
    assert!(err.contains("free some space") && err.contains("nothing half-written counts as done"), "{err}");
    let counts: Vec<&str> = out.lines().collect();
    assert!(counts[1].parse::<u64>().unwrap() < 30_000, "{out}");
    assert_eq!(counts[3], "30000,30000", "run again, and every row is there once");
}
