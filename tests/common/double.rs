//! The strict double of AWS that `scripts/test` starts (`tests/cloud/server.py`): its buckets, its
//! faults and its log of calls.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use edgemill::edge::aws;
use edgemill::model::access::Access;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use serde_json::{Value, json};

use super::{FIELDS, binary, gzip, row};

/// One principal's view of the double, with a bucket of its own for logs and one for a lake.
#[derive(Clone, Debug)]
pub(crate) struct Double {
    host: String,
    /// The access key id of what runs in this test's name.
    pub(crate) principal: String,
    /// A name that no other test has: letters, digits and `_`.
    pub(crate) name: String,
}

impl Double {
    /// A principal of this test; nothing where no server was started.
    pub(crate) fn new(role: &str) -> Option<Self> {
        let Ok(endpoint) = std::env::var("AWS_ENDPOINT_URL_S3") else {
            eprintln!("not run: no AWS_ENDPOINT_URL_S3 names a server; scripts/test starts one");
            return None;
        };
        let host = endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let name = format!("t{}", &uuid::Uuid::new_v4().simple().to_string()[..16]);
        let double = Self { host, principal: format!("{role}-{name}"), name };
        for bucket in [double.bucket("logs"), double.bucket("lake")] {
            let (status, answer) = double.http("PUT", &format!("/{bucket}"), "");
            assert_eq!(status, 200, "{answer}");
        }
        Some(double)
    }

    /// The same place as somebody else sees it.
    pub(crate) fn as_role(&self, role: &str) -> Self {
        Self { principal: format!("{role}-{}", self.name), ..self.clone() }
    }

    pub(crate) fn bucket(&self, of: &str) -> String {
        format!("{of}-{}", self.name)
    }

    pub(crate) fn logs(&self) -> String {
        format!("s3://{}/cf", self.bucket("logs"))
    }

    pub(crate) fn lake(&self) -> String {
        format!("s3://{}/lake", self.bucket("lake"))
    }

    /// One request; its status and its body.
    pub(crate) fn http(&self, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut server = TcpStream::connect(&self.host).unwrap();
        let length = body.len();
        write!(
            server,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{body}",
            self.host
        )
        .unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split_whitespace().nth(1).unwrap().parse().unwrap();
        (status, body.to_owned())
    }

    fn control(&self, path: &str, body: &Value) {
        let (status, answer) = self.http("POST", &format!("/_double/{path}"), &body.to_string());
        assert_eq!(status, 200, "{answer}");
    }

    /// Has calls of this principal fail.
    pub(crate) fn fault(&self, action: &str, error: &str, times: u64) {
        self.control(
            "faults",
            &json!([{"action": action, "error": error, "times": times, "principal": self.principal}]),
        );
    }

    /// Has calls of this principal take their time.
    pub(crate) fn slow(&self, action: &str, seconds: f64) {
        self.slow_at_first(action, seconds, 1_000_000);
    }

    /// Has the first calls of this principal take their time.
    pub(crate) fn slow_at_first(&self, action: &str, seconds: f64, times: u64) {
        let fault = json!({"action": action, "delay": seconds, "times": times, "principal": self.principal});
        self.control("faults", &json!([fault]));
    }

    pub(crate) fn set(&self, settings: &Value) {
        self.control("settings", settings);
    }

    /// What this principal called: the lines of the log.
    pub(crate) fn calls(&self) -> Vec<Value> {
        let (_, body) = self.http("GET", "/_double/calls?since=0", "");
        let all: Vec<Value> = serde_json::from_str(&body).unwrap();
        all.into_iter().filter(|call| call["principal"] == self.principal.as_str()).collect()
    }

    /// How often this principal called something.
    pub(crate) fn count(&self, action: &str) -> usize {
        self.calls().iter().filter(|call| call["action"] == action).count()
    }

    /// The program in this principal's name.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.args(arguments).env("AWS_ACCESS_KEY_ID", &self.principal).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs the program and expects an exit code; what it printed.
    pub(crate) fn exits(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let output = self.command(arguments).output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "edgemill {arguments:?}\n{out}\n{err}");
        (out, err)
    }

    pub(crate) fn init(&self, more: &[&str]) -> Value {
        let lake = self.lake();
        let (out, _) = self.exits(0, &[&["init", "--json", "--to", &lake], more].concat());
        serde_json::from_str(&out).unwrap()
    }

    pub(crate) fn convert(&self, more: &[&str]) -> Value {
        let (logs, lake) = (self.logs(), self.lake());
        let (out, _) = self.exits(0, &[&["convert", "--json", "--from", &logs, "--to", &lake], more].concat());
        serde_json::from_str(&out).unwrap()
    }

    pub(crate) fn query(&self, sql: &str, more: &[&str]) -> String {
        let lake = self.lake();
        self.exits(0, &[&["query", "--lake", &lake, "--format", "csv", sql], more].concat()).0
    }

    pub(crate) async fn put(&self, of: &str, key: &str, body: Vec<u8>) {
        let bucket = aws::bucket(&self.bucket(of), &Access::default()).await.unwrap();
        bucket.put(&Path::from(key), body.into()).await.unwrap();
    }

    /// Keys of a bucket.
    pub(crate) async fn keys(&self, of: &str) -> Vec<String> {
        use futures::TryStreamExt;
        let bucket = aws::bucket(&self.bucket(of), &Access::default()).await.unwrap();
        let listed: Vec<_> = bucket.list(None).try_collect().await.unwrap();
        listed.into_iter().map(|object| object.location.to_string()).collect()
    }

    /// Puts a log of some rows, named for an hour, whose id tells it from others.
    pub(crate) async fn put_log(&self, hour: &str, id: &str, rows: usize) {
        let (date, of_day) = hour.split_once('T').unwrap();
        let rows: String = (0..rows).map(|n| row(date, &format!("{of_day}:00:00"), &format!("{id}-{n}"))).collect();
        let key = format!("cf/E1EXAMPLE.{date}-{of_day}.{id}.gz");
        self.put("logs", &key, gzip(format!("{FIELDS}{rows}").as_bytes())).await;
    }
}
