//! A small server that speaks S3, in this process: right as it comes, and wrong in each of the ways
//! in which servers in use are.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::binary;

/// What a server makes of `If-None-Match: *` on a PUT.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Condition {
    /// It keeps it.
    #[default]
    Kept,
    /// It writes whatever is there.
    Ignored,
    /// It looks, and writes a moment later: one after the other is refused, several at once all
    /// win.
    Raced,
    /// It answers with this status and code.
    Refused(u16, &'static str),
}

/// How a server behaves.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ways {
    /// See [`Condition`].
    pub(crate) condition: Condition,
    /// Of 100 writes under a condition so many are answered 409 `ConditionalRequestConflict`.
    pub(crate) conflict_percent: u64,
    /// What the call that deletes many keys is answered with, where the server has none.
    pub(crate) no_bulk_delete: Option<u16>,
    /// Whether every copy is answered 404.
    pub(crate) copies_not_found: bool,
    /// An answer to every call: status, code.
    pub(crate) always: Option<(u16, &'static str)>,
    /// How long a PUT takes.
    pub(crate) put_takes: Duration,
}

#[derive(Clone, Debug)]
struct Object {
    bytes: Vec<u8>,
    written: jiff::Timestamp,
}

impl Object {
    fn etag(&self) -> String {
        Sha256::digest(&self.bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

#[derive(Debug, Default)]
struct State {
    ways: Ways,
    buckets: BTreeSet<String>,
    /// By bucket and key.
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, BTreeMap<u32, Vec<u8>>>,
    /// Calls by method, and `POST ?delete`.
    calls: BTreeMap<String, u64>,
}

/// Keys of a page of a listing.
const PAGE_KEYS: usize = 1_000;

/// A server that listens as long as this process lives.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    url: String,
    state: Arc<Mutex<State>>,
    drawn: Arc<AtomicU64>,
}

struct Request {
    method: String,
    /// Bucket and key, or the bucket alone.
    path: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

type Answer = (u16, Vec<(String, String)>, Vec<u8>);

impl Server {
    pub(crate) fn start(ways: Ways) -> Self {
        let buckets = ["logs", "lake"].map(str::to_owned).into();
        Self::listen(Arc::new(Mutex::new(State { ways, buckets, ..State::default() })))
    }

    fn listen(state: Arc<Mutex<State>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = Self { url, state, drawn: Arc::new(AtomicU64::new(7)) };
        let this = server.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let this = this.clone();
                // A client that goes away in mid-request is none of ours.
                std::thread::spawn(move || this.serve(client));
            }
        });
        server
    }

    /// The same server at another address.
    pub(crate) fn elsewhere(&self) -> Self {
        Self::listen(Arc::clone(&self.state))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Behaves otherwise from now on.
    pub(crate) fn behave(&self, ways: Ways) {
        self.state().ways = ways;
    }

    /// Puts an object: `logs/name`.
    pub(crate) fn put(&self, path: &str, bytes: Vec<u8>) {
        self.state().objects.insert(path.to_owned(), Object { bytes, written: jiff::Timestamp::now() });
    }

    /// Bucket and key of everything below a prefix.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        self.state().objects.keys().filter(|key| key.starts_with(prefix)).cloned().collect()
    }

    pub(crate) fn text(&self, path: &str) -> String {
        String::from_utf8(self.state().objects[path].bytes.clone()).unwrap()
    }

    /// Calls so far: of a method, or `POST ?delete`.
    pub(crate) fn calls(&self, what: &str) -> u64 {
        self.state().calls.get(what).copied().unwrap_or(0)
    }

    /// The program, which reaches this server and nothing of AWS.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = binary();
        command.args(arguments);
        command
            .env("AWS_ENDPOINT_URL_S3", &self.url)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env_remove("AWS_PROFILE")
            .env_remove("AWS_SESSION_TOKEN");
        command
    }

    /// Runs the program: its exit code and what it printed.
    pub(crate) fn run(&self, arguments: &[&str], without_probe: bool) -> (i32, String, String) {
        let mut command = self.command(arguments);
        if without_probe {
            command.env("EDGEMILL_NO_PROBE", "1");
        }
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code().unwrap(), out, err)
    }

    /// Runs it and expects an exit code.
    pub(crate) fn exits(&self, code: i32, arguments: &[&str]) -> (String, String) {
        let (exited, out, err) = self.run(arguments, false);
        assert_eq!(exited, code, "edgemill {arguments:?}\n{out}\n{err}");
        (out, err)
    }

    fn serve(&self, mut client: TcpStream) {
        let Ok(reading) = client.try_clone() else { return };
        let _ = client.set_nodelay(true);
        let mut requests = BufReader::new(reading);
        while let Ok(Some(request)) = read(&mut requests) {
            let is_head = request.method == "HEAD";
            let (status, headers, body) = self.answer(&request);
            let mut head = format!("HTTP/1.1 {status} Said\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                write!(head, "{name}: {value}\r\n").unwrap();
            }
            head.push_str("\r\n");
            let mut bytes = head.into_bytes();
            if !is_head {
                bytes.extend(body);
            }
            if client.write_all(&bytes).is_err() {
                return;
            }
        }
    }

    /// From 0 to 99.
    fn draw(&self) -> u64 {
        // SplitMix64 (constants of its publication by Steele, Lea and Flood).
        let mut mixed = self.drawn.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % 100
    }

    fn answer(&self, request: &Request) -> Answer {
        let ways = {
            let mut state = self.state();
            let bulk = request.query.contains_key("delete");
            let what = if bulk { "POST ?delete".to_owned() } else { request.method.clone() };
            *state.calls.entry(what).or_default() += 1;
            state.ways
        };
        if let Some((status, code)) = ways.always {
            return said(status, code);
        }
        let bucket = request.path.split('/').next().unwrap_or_default();
        if !self.state().buckets.contains(bucket) {
            return said(404, "NoSuchBucket");
        }
        let in_bucket = !request.path.contains('/');
        let has = |name: &str| request.query.contains_key(name);
        match request.method.as_str() {
            "GET" if in_bucket => self.list(request),
            "GET" | "HEAD" => self.get(request),
            "POST" if has("delete") => self.delete_many(request, ways),
            "POST" => self.upload(request),
            "PUT" if has("partNumber") => self.put_part(request),
            "PUT" if request.headers.contains_key("x-amz-copy-source") => self.copy(request, ways),
            "PUT" => self.put_object(request, ways),
            "DELETE" => {
                self.state().objects.remove(&request.path);
                (204, Vec::new(), Vec::new())
            }
            _ => said(405, "MethodNotAllowed"),
        }
    }

    fn get(&self, request: &Request) -> Answer {
        let Some(object) = self.state().objects.get(&request.path).cloned() else { return said(404, "NoSuchKey") };
        let etag = object.etag();
        if request.headers.get("if-match").is_some_and(|wanted| wanted.trim_matches('"') != etag) {
            return said(412, "PreconditionFailed");
        }
        let all = object.bytes.len();
        let mut headers = described(&object);
        let Some(range) = request.headers.get("range").and_then(|range| range.strip_prefix("bytes=")) else {
            return (200, headers, object.bytes);
        };
        let (first, last) = range.split_once('-').unwrap();
        let (start, end) = match (first.parse::<usize>(), last.parse::<usize>()) {
            (Ok(first), Ok(last)) => (first, all.min(last + 1)),
            (Ok(first), Err(_)) => (first, all),
            (Err(_), Ok(last)) => (all.saturating_sub(last), all),
            (Err(_), Err(_)) => (0, all),
        };
        if start >= end {
            return said(416, "InvalidRange");
        }
        headers.push(("Content-Range".into(), format!("bytes {start}-{}/{all}", end - 1)));
        (206, headers, object.bytes[start..end].to_vec())
    }

    fn list(&self, request: &Request) -> Answer {
        let of = |name: &str| request.query.get(name).cloned().unwrap_or_default();
        let root = format!("{}/", request.path);
        let (prefix, delimiter) = (of("prefix"), of("delimiter"));
        let behind = of("start-after").max(of("continuation-token"));
        let state = self.state();
        let keys = state.objects.iter().filter_map(|(path, object)| Some((path.strip_prefix(&root)?, object)));
        let mut keys = keys.filter(|(key, _)| key.starts_with(&prefix) && *key > behind.as_str());
        let page: Vec<(&str, &Object)> = keys.by_ref().take(PAGE_KEYS).collect();
        let is_cut = keys.next().is_some();
        let (mut listed, mut folders) = (String::new(), BTreeSet::new());
        for (key, object) in &page {
            list_one(&mut listed, &mut folders, key, &prefix, &delimiter, object);
        }
        for folder in folders {
            write!(listed, "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>", escaped(&folder)).unwrap();
        }
        if let Some((last, _)) = page.last().filter(|_| is_cut) {
            write!(listed, "<NextContinuationToken>{}</NextContinuationToken>", escaped(last)).unwrap();
        }
        let count = page.len();
        let body = format!(
            "<ListBucketResult><Name>b</Name><KeyCount>{count}</KeyCount><IsTruncated>{is_cut}</IsTruncated>{listed}\
             </ListBucketResult>"
        );
        (200, Vec::new(), body.into_bytes())
    }

    fn put_object(&self, request: &Request, ways: Ways) -> Answer {
        std::thread::sleep(ways.put_takes);
        let object = Object { bytes: request.body.clone(), written: jiff::Timestamp::now() };
        let headers = described(&object);
        let done = (200, headers, Vec::new());
        if !request.headers.contains_key("if-none-match") {
            self.state().objects.insert(request.path.clone(), object);
            return done;
        }
        if self.draw() < ways.conflict_percent {
            return said(409, "ConditionalRequestConflict");
        }
        let mut state = self.state();
        let is_there = state.objects.contains_key(&request.path);
        match ways.condition {
            Condition::Refused(status, code) => return said(status, code),
            Condition::Kept | Condition::Raced if is_there => return said(412, "PreconditionFailed"),
            Condition::Kept | Condition::Ignored => {}
            Condition::Raced => {
                drop(state);
                std::thread::sleep(Duration::from_millis(5));
                state = self.state();
            }
        }
        state.objects.insert(request.path.clone(), object);
        done
    }

    fn copy(&self, request: &Request, ways: Ways) -> Answer {
        let from = decoded(request.headers["x-amz-copy-source"].trim_start_matches('/'));
        if ways.copies_not_found {
            return said(404, "NoSuchKey");
        }
        let mut state = self.state();
        let Some(mut object) = state.objects.get(&from).cloned() else { return said(404, "NoSuchKey") };
        object.written = jiff::Timestamp::now();
        let body = format!(
            "<CopyObjectResult><LastModified>{}</LastModified><ETag>\"{}\"</ETag></CopyObjectResult>",
            object.written,
            object.etag()
        );
        state.objects.insert(request.path.clone(), object);
        (200, Vec::new(), body.into_bytes())
    }

    fn delete_many(&self, request: &Request, ways: Ways) -> Answer {
        if let Some(status) = ways.no_bulk_delete {
            return said(status, if status == 405 { "MethodNotAllowed" } else { "NotImplemented" });
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let mut answer = "<DeleteResult>".to_owned();
        let mut state = self.state();
        for part in body.split("<Key>").skip(1) {
            let key = part.split("</Key>").next().unwrap();
            let path = format!("{}/{}", request.path, unescaped(key));
            state.objects.remove(&path);
            write!(answer, "<Deleted><Key>{key}</Key></Deleted>").unwrap();
        }
        answer.push_str("</DeleteResult>");
        (200, Vec::new(), answer.into_bytes())
    }

    fn upload(&self, request: &Request) -> Answer {
        let mut state = self.state();
        let Some(id) = request.query.get("uploadId") else {
            let id = format!("u{}", state.uploads.len());
            state.uploads.insert(id.clone(), BTreeMap::new());
            let body =
                format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>");
            return (200, Vec::new(), body.into_bytes());
        };
        let bytes: Vec<u8> = state.uploads[id].values().flatten().copied().collect();
        let object = Object { bytes, written: jiff::Timestamp::now() };
        let etag = object.etag();
        state.objects.insert(request.path.clone(), object);
        let body = format!("<CompleteMultipartUploadResult><ETag>\"{etag}\"</ETag></CompleteMultipartUploadResult>");
        (200, Vec::new(), body.into_bytes())
    }

    fn put_part(&self, request: &Request) -> Answer {
        let number: u32 = request.query["partNumber"].parse().unwrap();
        let object = Object { bytes: request.body.clone(), written: jiff::Timestamp::now() };
        let headers = described(&object);
        self.state().uploads.entry(request.query["uploadId"].clone()).or_default().insert(number, object.bytes);
        (200, headers, Vec::new())
    }
}

/// Adds an object of a listing, or the folder that it lies in.
fn list_one(
    listed: &mut String,
    folders: &mut BTreeSet<String>,
    key: &str,
    prefix: &str,
    delimiter: &str,
    object: &Object,
) {
    let rest = &key[prefix.len()..];
    if !delimiter.is_empty()
        && let Some((folder, _)) = rest.split_once(delimiter)
    {
        folders.insert(format!("{prefix}{folder}{delimiter}"));
        return;
    }
    write!(
        listed,
        "<Contents><Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;{}&quot;</ETag><Size>{}</Size></Contents>",
        escaped(key),
        object.written,
        object.etag(),
        object.bytes.len()
    )
    .unwrap();
}

/// The headers of an object.
fn described(object: &Object) -> Vec<(String, String)> {
    let written = object.written.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    vec![("ETag".into(), format!("\"{}\"", object.etag())), ("Last-Modified".into(), written)]
}

/// An error as S3 says one.
fn said(status: u16, code: &str) -> Answer {
    let body = format!(
        "<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>Said by the test: {code}.</Message>\
         <RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
    );
    (status, vec![("Content-Type".into(), "application/xml".into())], body.into_bytes())
}

fn read(from: &mut impl BufRead) -> std::io::Result<Option<Request>> {
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        from.read_line(&mut line)?;
        match line.trim_end().split_once(':') {
            Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(&name.replace('+', " ")), decoded(&value.replace('+', " ")))
    });
    let path = decoded(path).trim_matches('/').to_owned();
    Ok(Some(Request { method, path, query: query.collect(), headers, body }))
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        match hex {
            Some(value) if byte == b'%' => {
                bytes.push(value);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
