//! Logs and lakes in S3, through the program, on a server that speaks its protocol: `scripts/test`
//! starts one.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use common::{FIELDS, binary, exits, files, gzip, row, text};
use edgemill::edge::aws;
use edgemill::edge::contract;
use edgemill::edge::ledger::LakeLedger;
use edgemill::edge::objects::Objects;
use edgemill::location::Location;
use edgemill::model::access::Access;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::Value;

/// A new bucket, or `None` where there is no server.
fn bucket() -> Option<String> {
    let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_S3") else {
        eprintln!("not run: no AWS_ENDPOINT_URL_S3 names a server; scripts/test starts one");
        return None;
    };
    let host = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let name = format!("edgemill-{}", uuid::Uuid::new_v4().simple());
    let mut server = TcpStream::connect(&host).unwrap();
    write!(server, "PUT /{name} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    server.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    Some(name)
}

async fn put(bucket: &str, key: &str, body: Vec<u8>) {
    aws::bucket(bucket, &Access::default()).await.unwrap().put(&Path::from(key), body.into()).await.unwrap();
}

fn log(hour: &str, id: &str) -> (String, Vec<u8>) {
    let (date, of_day) = hour.split_once('T').unwrap();
    let name = format!("E1EXAMPLE.{date}-{of_day}.{id}.gz");
    (name, gzip(format!("{FIELDS}{}", row(date, &format!("{of_day}:00:00"), id)).as_bytes()))
}

fn convert(from: &str, to: &str, more: &[&str]) -> Value {
    let arguments = [&["convert", "--json", "--from", from, "--to", to], more].concat();
    serde_json::from_str(&exits(0, &arguments).0).unwrap()
}

fn query(lake: &str, sql: &str) -> String {
    exits(0, &["query", "--lake", lake, "--format", "csv", sql]).0
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_in_a_bucket_become_a_lake_in_a_bucket() {
    let Some(name) = bucket() else { return };
    let (logs, lake) = (format!("s3://{name}/logs"), format!("s3://{name}/lake"));
    let dir = tempfile::tempdir().unwrap();
    let local: PathBuf = dir.path().join("logs");
    exits(0, &["generate", "--out", text(&local), "--rows", "20000", "--hours", "2026-11-21T00..2026-11-21T04"]);
    for file in files(&local).into_iter().filter(|file| file.extension().is_some_and(|end| end == "gz")) {
        let key = format!("logs/{}", file.file_name().unwrap().to_str().unwrap());
        put(&name, &key, std::fs::read(&file).unwrap()).await;
    }
    let summary = convert(&logs, &lake, &[]);
    assert_eq!(summary["rows"], 20_000, "{summary}");
    // The same rows as from a folder, byte for byte but for the objects' names and the ids that
    // follow from them.
    let here = dir.path().join("lake");
    convert(text(&local), text(&here), &[]);
    for sql in [
        "SELECT COUNT(*), COUNT(DISTINCT x_edge_request_id), SUM(sc_bytes) FROM cloudfront_logs",
        "SELECT hour, is_bot, COUNT(*) FROM cloudfront_logs GROUP BY 1, 2 ORDER BY 1, 2",
    ] {
        assert_eq!(query(&lake, sql), query(text(&here), sql));
    }
    // Nothing to do, then what came late, and that only.
    assert_eq!(convert(&logs, &lake, &[])["converted_objects"], 0);
    let (late, body) = log("2026-11-21T02", "late0000");
    put(&name, &format!("logs/{late}"), body).await;
    let summary = convert(&logs, &lake, &["--hours", "2026-11-21T01..2026-11-21T03"]);
    assert_eq!((summary["converted_objects"].as_u64(), summary["late_objects"].as_u64()), (Some(1), Some(1)));
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cloudfront_logs"), "n\n20001\n");
    let report: Value =
        serde_json::from_str(&exits(0, &["verify", "--json", "--deep", "--lake", &lake, "--from", &logs]).0).unwrap();
    assert_eq!(report["findings"], serde_json::json!([]), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn several_runs_at_once_count_each_row_once() {
    let Some(name) = bucket() else { return };
    let (logs, lake) = (format!("s3://{name}/logs"), format!("s3://{name}/lake"));
    for hour in 0..6 {
        for object in 0..4 {
            let (key, body) = log(&format!("2026-11-21T{hour:02}"), &format!("{object:08x}"));
            put(&name, &format!("logs/{key}"), body).await;
        }
    }
    let start = || {
        let arguments = ["convert", "--json", "--from", &logs, "--to", &lake, "--threads", "1"];
        binary().args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let runs: Vec<_> = (0..4).map(|_| start()).collect();
    for run in runs {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(query(&lake, "SELECT COUNT(*) AS n FROM cloudfront_logs"), "n\n24\n");
    exits(0, &["verify", "--deep", "--lake", &lake, "--from", &logs]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ledger_holds_in_a_bucket_and_large_files_come_in_parts() {
    let Some(name) = bucket() else { return };
    let objects = Objects::open(&Location::created(&format!("s3://{name}/a/b")).unwrap()).await.unwrap();
    assert_eq!(contract::ledger(&LakeLedger::new(objects.clone())).await, Ok(()));
    let large: Vec<u8> = (0..40_000_000_u32).map(|n| n.to_le_bytes()[(n % 4) as usize]).collect();
    objects.put(&Path::from("large"), large.clone().into()).await.unwrap();
    assert!(objects.get(&Path::from("large")).await.unwrap().unwrap() == large);
    let whole: Arc<dyn ObjectStore> = Arc::new(aws::bucket(&name, &Access::default()).await.unwrap());
    assert_eq!(whole.head(&Path::from("a/b/large")).await.unwrap().size, 40_000_000);
}

#[test]
fn a_bucket_that_is_not_there_is_told() {
    let Some(_) = bucket() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (_, err) = exits(2, &["convert", "--from", "s3://no-such-bucket/logs", "--to", text(dir.path())]);
    assert!(err.contains("s3://no-such-bucket/logs") && err.contains("aws s3 mb s3://no-such-bucket"), "{err}");
}
