//! What the tests through the binary share.

#![allow(dead_code, reason = "each test file uses its own part, and some use all")]

pub(crate) mod double;
pub(crate) mod s3_server;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use edgemill::kernel::ledger::records::FORMAT_VERSION;
use edgemill::kernel::schema::is_logged_field;
use edgemill::lake::Identity;
use edgemill::model::{Granularity, Table};
use sha2::{Digest, Sha256};

/// The 33 fields of a CloudFront log of today.
pub(crate) const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem \
sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header \
cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type \
cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type \
sc-content-type sc-content-len sc-range-start sc-range-end\n";

/// A field that no table knows, whatever columns later versions append.
pub(crate) fn unknown_field() -> String {
    let is_known = |name: &str| Table::LOGS.iter().any(|table| is_logged_field(*table, name));
    (1..1_000).map(|number| format!("x-unknown-{number}")).find(|name| !is_known(name)).unwrap()
}

/// What a lake is that lies in no place, by its `max_call_delay`.
pub(crate) fn identity(max_call_delay_seconds: u64) -> Identity {
    Identity {
        format: FORMAT_VERSION,
        lake_id: "test".into(),
        ledger: "lake".into(),
        partition: Granularity::Hour,
        unit: Granularity::Hour,
        max_call_delay_seconds,
        query_seconds: 0,
        probed_endpoint: None,
    }
}

/// A row of 33 values; the id makes it one of its kind.
pub(crate) fn row(date: &str, time: &str, id: &str) -> String {
    format!(
        "{date}\t{time}\tHEL51-P6\t1045619\t192.0.2.183\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t\
Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/140.0.0.0%20Safari/537.36\t\
-\t-\tHit\t{id}\twww.example.com\thttps\t23\t0.042\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t\
0.001\tHit\ttext/html\t78\t-\t-\n"
    )
}

/// The ledgers that can be tried here: DynamoDB only where `scripts/test` has started a server.
pub(crate) fn ledgers() -> Vec<String> {
    let mut ledgers = vec!["lake".to_owned()];
    if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_some() {
        ledgers.push(format!("dynamodb:edgemill-{}", uuid::Uuid::new_v4().simple()));
    } else {
        eprintln!("not run on DynamoDB: no AWS_ENDPOINT_URL_DYNAMODB names a server; scripts/test starts one");
    }
    ledgers
}

pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn binary() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edgemill"));
    command.env_remove("EDGEMILL_LAKE").env_remove("EDGEMILL_LOG");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    binary().args(arguments).output().unwrap()
}

/// Runs and expects an exit code; what it printed.
pub(crate) fn exits(code: i32, arguments: &[&str]) -> (String, String) {
    let output = run(arguments);
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "edgemill {arguments:?}\n{out}\n{err}");
    (out, err)
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub(crate) fn convert(logs: &Path, lake: &Path, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["convert", "--json", "--from", text(logs), "--to", text(lake)];
    arguments.extend(more);
    serde_json::from_str(&exits(0, &arguments).0).unwrap()
}

pub(crate) fn generate(logs: &Path, rows: u64, seed: u64) {
    exits(0, &["generate", "--out", text(logs), "--rows", &rows.to_string(), "--seed", &seed.to_string()]);
}

pub(crate) fn query(lake: &Path, sql: &str) -> String {
    exits(0, &["query", "--lake", text(lake), "--format", "csv", sql]).0
}

pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if let Ok(entries) = std::fs::read_dir(folder) {
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// One hash over the names and bytes of everything below a folder.
pub(crate) fn fingerprint(folder: &Path) -> String {
    let mut hash = Sha256::new();
    for path in files(folder) {
        hash.update(text(path.strip_prefix(folder).unwrap()));
        hash.update([0]);
        hash.update(Sha256::digest(std::fs::read(&path).unwrap()));
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
