//! The program in the cloud, on a server that keeps AWS's limits: how buckets are reached, what
//! becomes of raw objects, queries through Athena, catalogs of lakes that have rows, interruptions.
//! `scripts/test` starts the server.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::process::{Child, Output};
use std::time::{Duration, Instant};

use common::double::Double;
use common::{exits, files, text};
use serde_json::{Value, json};

fn wait(mut child: Child, limit: Duration) -> (Output, Duration) {
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < limit, "it does not end");
        std::thread::sleep(Duration::from_millis(20));
    }
    (child.wait_with_output().unwrap(), begun.elapsed())
}

fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(sent.success());
}

/// Waits until this principal has called something so often.
fn until_called(double: &Double, action: &str, times: usize) {
    let begun = Instant::now();
    while double.count(action) < times {
        assert!(begun.elapsed() < Duration::from_secs(30), "{action} is not called");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// An interruption of Spot: SIGTERM, and some time later the end. The next run goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_asked_to_stop_ends_within_seconds_and_the_next_goes_on() {
    let Some(double) = Double::new("CONVERT") else { return };
    for hour in 0..6 {
        for object in ["a", "b", "c"] {
            double.put_log(&format!("2026-11-21T{hour:02}"), object, 20).await;
        }
    }
    let table = format!("dynamodb:{}", double.name);
    double.init(&["--ledger", &table, "--catalog", &format!("glue:{}", double.name)]);
    let (logs, lake) = (double.logs(), double.lake());
    // At every stage: while logs are read, files written, records changed, partitions registered.
    let stages = ["s3:GetObject", "s3:PutObject", "dynamodb:PutItem", "glue:BatchCreatePartition"];
    for (stage, action) in stages.into_iter().enumerate() {
        let slow = double.as_role(&format!("SLOW{stage}"));
        slow.slow(action, 4.0);
        let child = slow.command(&["convert", "--from", &logs, "--to", &lake]).spawn().unwrap();
        until_called(&slow, if stage == 0 { "s3:ListBucket" } else { "s3:GetObject" }, 2);
        std::thread::sleep(Duration::from_millis(500));
        signal(&child, "-TERM");
        let (output, took) = wait(child, Duration::from_secs(20));
        assert!(took < Duration::from_secs(20), "{action}: {took:?}");
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && err.contains("stopped by SIGTERM"), "{action}: {err}");
    }
    // What was under way when a run was stopped has arrived by then: a claim, say, that nobody
    // withdraws any more.
    std::thread::sleep(Duration::from_secs(5));
    let begun = Instant::now();
    double.convert(&[]);
    assert!(begun.elapsed() < Duration::from_secs(30), "claims were withdrawn: {:?}", begun.elapsed());
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &[]), "n\n360\n");
    double.exits(0, &["verify", "--deep", "--lake", &lake, "--from", &logs]);
}

/// Before there is anything to withdraw, too: the first process of a container gets no signal that
/// it does not listen for.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_stops_while_it_lists() {
    let Some(double) = Double::new("LISTING") else { return };
    double.put_log("2026-11-21T05", "a", 3).await;
    double.slow("s3:ListBucket", 30.0);
    let (logs, lake) = (double.logs(), double.lake());
    let child = double.command(&["convert", "--from", &logs, "--to", &lake]).spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1_500));
    signal(&child, "-TERM");
    let (output, took) = wait(child, Duration::from_secs(20));
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && err.contains("stopped by SIGTERM"), "{err}");
    assert!(took < Duration::from_secs(5), "nothing is to be tidied yet: {took:?}");
}

/// A run that opened the lake before it had a catalog tells the catalog of what it publishes.
#[tokio::test(flavor = "multi_thread")]
async fn a_catalog_that_comes_meanwhile_misses_nothing() {
    let Some(double) = Double::new("EARLY") else { return };
    double.put_log("2026-11-21T05", "a", 7).await;
    let init = double.as_role("INIT");
    init.init(&[]);
    // Long between its look at the lake and its first claim.
    double.slow_at_first("s3:ListBucket", 5.0, 1);
    let (logs, lake) = (double.logs(), double.lake());
    let child = double.command(&["convert", "--from", &logs, "--to", &lake]).spawn().unwrap();
    until_called(&double, "s3:GetObject", 2);
    init.init(&["--catalog", &format!("glue:{}", double.name)]);
    let (output, _) = wait(child, Duration::from_mins(1));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(init.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &["--engine", "athena"]), "n\n7\n");
}

/// Throttled, stumbling and vanishing answers of S3 lose and double nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stumbling_store_is_waited_out() {
    let Some(double) = Double::new("CONVERT") else { return };
    for hour in 0..4 {
        double.put_log(&format!("2026-11-21T{hour:02}"), "a", 50).await;
    }
    for (action, error) in [
        ("s3:GetObject", "503"),
        ("s3:PutObject", "503"),
        ("s3:PutObject", "drop_after"),
        ("s3:GetObject", "drop_before"),
        ("s3:GetObject", "truncate"),
        ("s3:ListBucket", "500"),
        ("s3:DeleteObject", "drop_after"),
    ] {
        double.fault(action, error, 2);
    }
    double.convert(&[]);
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &[]), "n\n200\n");
    let (logs, lake) = (double.logs(), double.lake());
    double.exits(0, &["verify", "--deep", "--lake", &lake, "--from", &logs]);
}

#[tokio::test(flavor = "multi_thread")]
async fn converted_objects_move_to_the_archive_or_go() {
    let Some(double) = Double::new("CONVERT") else { return };
    for hour in 0..3 {
        double.put_log(&format!("2026-11-21T{hour:02}"), "a", 10).await;
    }
    double.put("logs", "cf/E1EXAMPLE.2026-11-21-01.damaged.gz", common::gzip(b"#Version: 1.0\n")[..20].to_vec()).await;
    let (logs, lake, archive) = (double.logs(), double.lake(), format!("{}/old", double.logs()));
    let moving = ["--after", "move", "--archive", &archive];
    let convert = [&["convert", "--json", "--from", &logs, "--to", &lake], &moving[..]].concat();
    // A run that dies after it has published leaves objects where they are; the next one moves
    // them.
    assert_eq!(double.convert(&["--hours", "2026-11-21T00..2026-11-21T01"])["rows"], 10);
    let (out, _) = double.exits(3, &convert);
    let summary: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&summary["rows"], &summary["archived_objects"]), (&json!(20), &json!(3)));
    let keys = double.keys("logs").await;
    let hour = |hour: u32| {
        format!("cf/old/cloudfront_logs/year=2026/month=11/day=21/hour=0{hour}/cf/E1EXAMPLE.2026-11-21-0{hour}.a.gz")
    };
    let damaged = "cf/E1EXAMPLE.2026-11-21-01.damaged.gz".to_owned();
    assert_eq!(keys, [damaged.clone(), hour(0), hour(1), hour(2)]);
    // Whatever a later run is told, what lies in the archive is no log.
    assert_eq!(double.convert(&[])["converted_objects"], 0);
    let (out, _) = double.exits(0, &["plan", "--json", "--from", &logs, "--to", &lake]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["objects"], 0);
    let (out, _) = double.exits(0, &["verify", "--json", "--lake", &lake, "--from", &logs]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["listed_objects"], 1);
    // Of lines that are nowhere else the object stays.
    let bad = format!("{}{}", common::FIELDS, "no\tlog\n".repeat(50) + &common::row("2026-11-21", "03:00:00", "good"));
    double.put("logs", "cf/E1EXAMPLE.2026-11-21-03.bad.gz", common::gzip(bad.as_bytes())).await;
    let rejected = [&["convert", "--json", "--from", &logs, "--to", &lake], &moving[..]].concat();
    let (out, _) = double.exits(3, &rejected);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["archived_objects"], 0);
    // What is new is deleted, where that is said.
    double.put_log("2026-11-21T04", "b", 5).await;
    let summary = double.convert(&["--after", "delete", "--archive", &archive]);
    assert_eq!((&summary["rows"], &summary["archived_objects"]), (&json!(5), &json!(1)));
    let bad = "cf/E1EXAMPLE.2026-11-21-03.bad.gz".to_owned();
    assert_eq!(double.keys("logs").await, [damaged, bad, hour(0), hour(1), hour(2)]);
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &[]), "n\n36\n");
    // Where nothing is left, nothing is to be done.
    let elsewhere = Double::new("CONVERT").unwrap();
    elsewhere.put_log("2026-11-21T04", "b", 5).await;
    elsewhere.convert(&["--after", "delete"]);
    assert_eq!(elsewhere.convert(&["--after", "delete"])["rows"], 0);
    // Places that cannot be right.
    for (archive, said) in [
        (format!("{lake}/old"), "overlap"),
        (format!("s3://{}", double.bucket("logs")), "lie in the archive"),
        ("s3://another-bucket/old".to_owned(), "not in the bucket"),
    ] {
        let wrong = ["convert", "--from", &logs, "--to", &lake, "--after", "move", "--archive", &archive];
        assert!(double.exits(2, &wrong).1.contains(said), "{archive}");
    }
    assert!(double.exits(2, &["convert", "--from", &logs, "--to", &lake, "--after", "move"]).1.contains("--archive"));
}

#[test]
fn converted_files_of_a_folder_move_too() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, archive) = (dir.path().join("logs"), dir.path().join("lake"), dir.path().join("logs/old"));
    common::generate(&logs, 2_000, 5);
    let before = files(&logs).len();
    let moving = ["--after", "move", "--archive", text(&archive)];
    let summary = common::convert(&logs, &lake, &moving);
    let moved = usize::try_from(summary["archived_objects"].as_u64().unwrap()).unwrap();
    assert!(moved > 0 && files(&archive).len() == moved && files(&logs).len() == before);
    let summary = common::convert(&logs, &lake, &moving);
    assert_eq!((&summary["converted_objects"], &summary["known_objects"]), (&json!(0), &json!(0)));
    assert_eq!(common::query(&lake, "SELECT COUNT(*) AS n FROM cloudfront_logs"), "n\n2000\n");
    exits(0, &["verify", "--lake", text(&lake)]);
}

/// Encryption, who pays, and another account's role are said with every call that they are for.
#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_reached_as_the_job_says() {
    let Some(double) = Double::new("CONVERT") else { return };
    double.put_log("2026-11-21T05", "a", 3).await;
    let key = "arn:aws:kms:us-east-1:123456789012:key/1234";
    let role = "arn:aws:iam::999999999999:role/read-logs";
    let mine = double.principal.clone();
    double.convert(&[
        "--encryption",
        &format!("kms:{key}"),
        "--requester-pays",
        "--from-role",
        role,
        "--from-external-id",
        "word",
    ]);
    let (_, calls) = double.http("GET", "/_double/calls?since=0", "");
    let calls: Vec<Value> = serde_json::from_str(&calls).unwrap();
    let about = |call: &&Value, of: &str| call["resources"].to_string().contains(&double.bucket(of));
    let lake: Vec<&Value> =
        calls.iter().filter(|call| about(call, "lake") && call["action"] == "s3:PutObject").collect();
    assert!(lake.len() > 3 && lake.iter().all(|call| call["kms_key"] == key && call["principal"] == mine.as_str()));
    let reads = ["s3:GetObject", "s3:ListBucket"];
    let read = |call: &&Value| about(call, "logs") && reads.iter().any(|action| call["action"] == *action);
    let logs: Vec<&Value> = calls.iter().filter(read).collect();
    assert!(logs.len() >= 2, "{logs:?}");
    assert!(logs.iter().all(|call| call["requester_pays"] == true && call["principal"] != mine.as_str()), "{logs:?}");
    assert!(double.count("sts:AssumeRole") >= 1);
    assert!(!lake.iter().any(|call| call["requester_pays"] == true), "the lake is our own");
}

#[tokio::test(flavor = "multi_thread")]
async fn athena_answers_pages_fails_and_is_cancelled() {
    let Some(double) = Double::new("ANALYST") else { return };
    for hour in 0..3 {
        double.put_log(&format!("2026-11-21T{hour:02}"), "a", 400).await;
    }
    let ledger = format!("dynamodb:{}", double.name);
    double.init(&["--catalog", &format!("glue:{}", double.name), "--ledger", &ledger]);
    double.convert(&[]);
    let lake = double.lake();
    let ask = |sql: &str, more: &[&str]| {
        let arguments = ["query", "--lake", &lake, "--engine", "athena", "--format", "csv", sql];
        double.command(&[&arguments, more].concat()).output().unwrap()
    };
    // 1,200 rows come on two pages and more.
    let sql = "SELECT x_edge_request_id, sc_bytes FROM cloudfront_logs ORDER BY 1";
    let output = ask(sql, &[]);
    let answer = String::from_utf8(output.stdout).unwrap();
    assert_eq!(answer, double.query(sql, &[]));
    assert!(double.count("athena:GetQueryResults") >= 2);
    let bill = String::from_utf8(output.stderr).unwrap();
    assert!(bill.contains("scanned") && bill.contains("the raw logs, which have no partitions"), "{bill}");
    for name in ["bots", "bytes", "viewers", "access_bots", "access_bytes", "access_viewers"] {
        let json =
            |engine| double.exits(0, &["query", "--lake", &lake, "--json", "--name", name, "--engine", engine]).0;
        // Athena writes names in lower case.
        assert_eq!(json("athena").to_lowercase(), json("local").to_lowercase(), "{name}");
    }
    let failed = ask("SELECT no_such_column FROM cf_logs", &[]);
    assert!(failed.status.code() == Some(1) && String::from_utf8_lossy(&failed.stderr).contains("no_such_column"));
    let denied = double.as_role("DENIED");
    denied.fault("athena:StartQueryExecution", "denied", 100);
    let (_, err) = denied.exits(1, &["query", "--lake", &lake, "--engine", "athena", "SELECT 1 FROM cf_logs"]);
    assert!(err.contains("allow this user or role athena:StartQueryExecution"), "{err}");
    let stumbling = double.as_role("STUMBLING");
    for action in ["athena:StartQueryExecution", "athena:GetQueryExecution", "athena:GetQueryResults"] {
        stumbling.fault(action, "too_many", 2);
        stumbling.fault(action, "drop_after", 1);
    }
    stumbling.exits(0, &["query", "--lake", &lake, "--engine", "athena", "SELECT COUNT(*) FROM cf_logs"]);
    for sql in ["DROP VIEW cf_logs", "MSCK REPAIR TABLE cloudfront_logs"] {
        assert_eq!(ask(sql, &[]).status.code(), Some(2), "{sql}");
    }
    let refused = ask("SELECT 1", &["--workgroup", "no-such-group"]);
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    // Ctrl-C cancels the statement: it would go on and be paid for.
    let patient = double.as_role("PATIENT");
    patient.slow("athena:GetQueryExecution", 1.0);
    let child = patient
        .command(&["query", "--lake", &lake, "--engine", "athena", "SELECT COUNT(*) FROM cf_logs"])
        .spawn()
        .unwrap();
    until_called(&patient, "athena:StartQueryExecution", 1);
    signal(&child, "-INT");
    let (output, _) = wait(child, Duration::from_secs(20));
    assert!(String::from_utf8_lossy(&output.stderr).contains("stopped by Ctrl-C"));
    assert_eq!(patient.count("athena:StopQueryExecution"), 1);
}

/// A lake that has rows gets a catalog, with every partition; not while a run is at work.
#[tokio::test(flavor = "multi_thread")]
async fn a_lake_gets_its_catalog_later() {
    let Some(double) = Double::new("INIT") else { return };
    for hour in 0..5 {
        double.put_log(&format!("2026-11-21T{hour:02}"), "a", 4).await;
    }
    let (logs, lake) = (double.logs(), double.lake());
    let catalog = format!("glue:{}", double.name);
    let wants = ["convert", "--from", &logs, "--to", &lake, "--catalog", &catalog];
    assert!(double.exits(2, &wants).1.contains("make them with edgemill init"));
    assert!(double.keys("lake").await.is_empty(), "nothing was made");
    double.convert(&[]);
    assert!(double.exits(2, &wants).1.contains("give it this one with edgemill init"));
    let done = double.init(&["--catalog", &catalog]);
    assert_eq!((done["changes"].as_array().unwrap().len(), &done["registered_partitions"]), (7, &json!(5)));
    double.exits(0, &wants);
    let athena = ["--engine", "athena"];
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &athena), "n\n20\n");
    assert_eq!(double.init(&[])["registered_partitions"], 0);
    double.exits(0, &["verify", "--lake", &lake, "--from", &logs]);
    let other = double.command(&["init", "--to", &lake, "--catalog", "glue:another"]).output().unwrap();
    assert!(other.status.code() == Some(2), "a lake has one catalog for ever");
    // Days are registered as days.
    let days = Double::new("INIT").unwrap();
    days.put_log("2026-11-21T05", "a", 4).await;
    days.put_log("2026-11-22T05", "a", 4).await;
    let done = days.init(&["--partition", "day", "--catalog", &format!("athena:primary/{}", days.name)]);
    assert_eq!(done["changes"].as_array().unwrap().len(), 7);
    days.convert(&[]);
    let sql = "SELECT day, hour, COUNT(*) AS n FROM cf_logs GROUP BY day, hour ORDER BY day";
    assert_eq!(days.query(sql, &athena), "day,hour,n\n21,05,4\n22,05,4\n");
    // Projected partitions need no registration.
    let projected = Double::new("INIT").unwrap();
    projected.put_log("2026-11-21T05", "a", 4).await;
    projected.init(&["--catalog", &format!("projection:{}", projected.name)]);
    projected.convert(&[]);
    let sql = "SELECT COUNT(*) AS n FROM cf_logs WHERE year = '2026' AND month = '11'";
    assert_eq!(projected.query(sql, &athena), "n\n4\n");
    assert_eq!(projected.count("glue:BatchCreatePartition"), 0);
}

/// Merged files go live through the catalog: pointed to the new folder and back, whichever way it
/// is written.
#[tokio::test(flavor = "multi_thread")]
async fn rewrites_switch_the_catalog_and_come_back() {
    for kind in ["glue", "athena"] {
        let Some(double) = Double::new("CONVERT") else { return };
        let catalog = if kind == "glue" { "glue:" } else { "athena:primary/" };
        double.init(&["--no-late", "--queries", "0s", "--catalog", &format!("{catalog}{}", double.name)]);
        for object in 0..4 {
            double.put_log("2026-11-21T05", &format!("o{object}"), 6).await;
            double.convert(&["--compact-files", "0"]);
        }
        let lake = double.lake();
        let (out, _) = double.exits(0, &["compact", "--json", "--lake", &lake]);
        let done: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((&done["replaced_files"], &done["output_files"]), (&json!(4), &json!(1)));
        assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &["--engine", "athena"]), "n\n24\n");
        double.exits(0, &["verify", "--lake", &lake]);
    }
}

/// What a plan reckons is what a run does, within a half.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_near_what_happens() {
    let Some(double) = Double::new("CONVERT") else { return };
    let dir = tempfile::tempdir().unwrap();
    let made = ["generate", "--out", text(dir.path()), "--rows", "4000", "--hours", "2026-11-21T00..2026-11-21T12"];
    exits(0, &made);
    for file in files(dir.path()).into_iter().filter(|file| file.extension().is_some_and(|end| end == "gz")) {
        let key = format!("cf/{}", file.file_name().unwrap().to_str().unwrap());
        double.put("logs", &key, std::fs::read(&file).unwrap()).await;
    }
    let init = double.as_role("INIT");
    init.init(&["--ledger", &format!("dynamodb:{}", double.name), "--catalog", &format!("glue:{}", double.name)]);
    let (logs, lake) = (double.logs(), double.lake());
    let planner = double.as_role("PLAN");
    let (out, _) = planner.exits(0, &["plan", "--json", "--from", &logs, "--to", &lake]);
    let plan: Value = serde_json::from_str(&out).unwrap();
    let wrote = planner
        .calls()
        .iter()
        .filter(|call| {
            ["Put", "Create", "Update", "Delete"].iter().any(|word| call["action"].as_str().unwrap().contains(word))
        })
        .count();
    assert_eq!(wrote, 0, "a plan changes nothing");
    let summary = double.convert(&[]);
    assert_eq!((&plan["objects"], &plan["input_bytes"]), (&summary["converted_objects"], &summary["input_bytes"]));
    let near = |name: &str, happened: usize| {
        let (planned, happened) = (plan[name].as_u64().unwrap(), happened as u64);
        assert!(
            planned * 2 < happened * 3 && planned * 3 > happened * 2,
            "{name}: {planned} planned, {happened} happened"
        );
    };
    near("put_calls", double.count("s3:PutObject"));
    near("get_calls", double.count("s3:GetObject"));
    near("ledger_writes", double.count("dynamodb:PutItem"));
    near("ledger_reads", double.count("dynamodb:GetItem"));
    let glue = ["BatchCreatePartition", "BatchGetPartition", "BatchUpdatePartition"];
    let glue: usize = glue.iter().map(|call| double.count(&format!("glue:{call}"))).sum();
    // Many are gathered into one, and how many depends on who meets whom.
    let planned = plan["catalog_calls"].as_u64().unwrap();
    assert!(glue as u64 * 2 < planned * 3, "{planned} planned, {glue} happened");
    let (out, _) = planner.exits(0, &["plan", "--json", "--from", &logs, "--to", &lake]);
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap()["objects"], 0);
}
