//! A DynamoDB that throttles, and credentials that expire in mid-run: a wait or a clear error, and
//! never a double.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::{binary, exits, generate, query, text};

/// What the server in the middle answers by itself, given how many requests it has seen.
type Answer = dyn Fn(usize) -> Option<&'static str> + Send + Sync;

/// A server between the program and DynamoDB; its URL.
fn between(upstream: String, answer: Arc<Answer>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(AtomicUsize::new(0));
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let (upstream, answer, seen) = (upstream.clone(), Arc::clone(&answer), Arc::clone(&seen));
            std::thread::spawn(move || {
                // A client that goes away in mid-request is none of ours.
                let _ = serve(client, &upstream, &*answer, &seen);
            });
        }
    });
    url
}

/// One message: its head, and its body of the length that the head says.
fn message(from: &mut impl BufRead) -> std::io::Result<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let before = head.len();
        if from.read_line(&mut head)? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[before..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok((head, body))
}

fn serve(client: TcpStream, upstream: &str, answer: &Answer, seen: &AtomicUsize) -> std::io::Result<()> {
    let mut requests = BufReader::new(client.try_clone()?);
    let mut client = client;
    loop {
        let (head, body) = message(&mut requests)?;
        if let Some(kind) = answer(seen.fetch_add(1, Ordering::SeqCst)) {
            let said =
                format!("{{\"__type\":\"com.amazonaws.dynamodb.v20120810#{kind}\",\"message\":\"said by the test\"}}");
            let length = said.len();
            write!(
                client,
                "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{said}"
            )?;
            continue;
        }
        let mut server = TcpStream::connect(upstream)?;
        server.write_all(head.as_bytes())?;
        server.write_all(&body)?;
        let (head, body) = message(&mut BufReader::new(server))?;
        client.write_all(head.as_bytes())?;
        client.write_all(&body)?;
    }
}

fn upstream() -> Option<String> {
    let url = std::env::var("AWS_ENDPOINT_URL_DYNAMODB").ok();
    if url.is_none() {
        eprintln!("not run: no AWS_ENDPOINT_URL_DYNAMODB names a server; scripts/test starts one");
    }
    url.map(|url| url.trim_start_matches("http://").trim_end_matches('/').to_owned())
}

fn convert(logs: &Path, lake: &Path, endpoint: &str) -> std::process::Output {
    let arguments = ["convert", "--from", text(logs), "--to", text(lake)];
    binary().args(arguments).env("AWS_ENDPOINT_URL_DYNAMODB", endpoint).output().unwrap()
}

const COUNT: &str = "SELECT COUNT(*) AS n, COUNT(DISTINCT requestid) AS d FROM cf_logs";

#[test]
fn throttling_is_waited_for() {
    let Some(upstream) = upstream() else { return };
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    generate(&logs, 2_000, 5);
    exits(
        0,
        &["init", "--to", text(&lake), "--ledger", &format!("dynamodb:throttled-{}", uuid::Uuid::new_v4().simple())],
    );
    let throttles = |seen: usize| seen.is_multiple_of(9).then_some("ProvisionedThroughputExceededException");
    let output = convert(&logs, &lake, &between(upstream, Arc::new(throttles)));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(query(&lake, COUNT), "n,d\n2000,2000\n");
}

#[test]
fn credentials_that_expire_are_told_and_nothing_is_doubled() {
    let Some(upstream) = upstream() else { return };
    let dir = tempfile::tempdir().unwrap();
    let logs = dir.path().join("logs");
    generate(&logs, 2_000, 5);
    for after in [3, 9, 20, 41, 77] {
        let lake = dir.path().join(format!("lake{after}"));
        let table = format!("dynamodb:expired-{}", uuid::Uuid::new_v4().simple());
        exits(0, &["init", "--to", text(&lake), "--ledger", &table]);
        let expires = move |seen: usize| (seen >= after).then_some("ExpiredTokenException");
        let output = convert(&logs, &lake, &between(upstream.clone(), Arc::new(expires)));
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{after}: {err}");
        assert!(err.contains("ExpiredTokenException") && err.contains("renew the credentials"), "{after}: {err}");
        exits(0, &["convert", "--from", text(&logs), "--to", text(&lake)]);
        assert_eq!(query(&lake, COUNT), "n,d\n2000,2000\n", "{after}");
    }
}
