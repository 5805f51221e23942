//! The slow, obvious parser: what every log means, written without a thought for speed, from the
//! formats' documentation. The fast one is held against it, here and by the fuzz targets. It shares
//! nothing with it but the lists of columns and of a load balancer's fields.

#![allow(dead_code, reason = "the tests and each fuzz target use their own part")]

use std::collections::BTreeMap;

use edgemill::kernel::schema::{ColumnType, columns, source};
use edgemill::kernel::source::parse::{Block, Decoder, Reject, Settings, Sink};
use edgemill::model::Table;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

/// What a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Header, comment, blank, or of a log that is skipped.
    Comment,
    /// Names and values, those that say `-` left out, in order of name.
    Row(Vec<(String, String)>),
    /// No row; how its reason begins.
    Reject(&'static str),
}

enum Format {
    Unknown,
    Delimited(Option<String>),
    Json,
    Alb,
    Skipped,
    Unbelieved,
}

/// What is known of the text so far.
struct State {
    format: Format,
    names: Vec<String>,
    /// Whether a header or an object was one of such a log.
    proven: bool,
    /// Whether a comment before said that it is another server's.
    foreign: bool,
}

/// Every line of a text.
pub(crate) fn lines(text: &[u8], settings: &Settings) -> Vec<Line> {
    let mut pieces: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    if pieces.last().is_some_and(|last| last.is_empty()) {
        pieces.pop();
    }
    let mut state = State { format: Format::Unknown, names: Vec::new(), proven: false, foreign: false };
    pieces.into_iter().map(|piece| line(piece.strip_suffix(b"\r").unwrap_or(piece), settings, &mut state)).collect()
}

/// Whether fields are those of a log of the table: three that it knows, a time and one of the
/// request among them; without a header at least half of them. (Logs with renamed fields have
/// tests of their own.)
fn believes(table: Table, names: &[String], is_header: bool) -> bool {
    let names: Vec<String> = names.iter().map(|name| column_name(name)).collect();
    let (times, others, tell): (&[&str], &[&str], &[&str]) = match table {
        Table::AlbLogs => (
            &["time"],
            &["request", "request_line", "error_reason"],
            &["request", "request_line", "elb_status_code", "target_status_code", "target_processing_time"],
        ),
        _ => (
            &["date", "time", "timestamp", "timestamp_ms"],
            &["distributionid", "distribution_id", "cs_referrer"],
            &[
                "x_edge_location",
                "sc_bytes",
                "c_ip",
                "cs_method",
                "cs_host",
                "cs_uri_stem",
                "sc_status",
                "cs_user_agent",
                "cs_uri_query",
                "x_edge_result_type",
                "x_edge_request_id",
                "x_host_header",
            ],
        ),
    };
    let is_time = |name: &String| times.contains(&name.as_str());
    let is_known = |name: &String| {
        others.contains(&name.as_str()) || columns(table).iter().any(|column| column.is_logged() && column.name == name)
    };
    let tells = |name: &String| tell.contains(&name.as_str());
    let known = names.iter().filter(|name| is_time(name) || is_known(name)).count();
    let neighbours: [&[&str]; 14] = [
        &["event_time", "is_bot", "filename"],
        &["source_table", "filename", "byte_offset"],
        &["webaclid"],
        &["connectionstatus", "tlsprotocol"],
        &["eventtimestamp", "connectionid"],
        &["tls_handshake_latency"],
        &["leaf_client_cert_subject"],
        &["target_addr", "reason_code"],
        &["target_addr", "target_group_id"],
        &["tls_handshake_time", "listener"],
        &["sc_win32_status"],
        &["s_computername"],
        &["srcaddr", "dstaddr"],
        &["eventversion", "eventsource"],
    ];
    known >= 3
        && (is_header || 2 * known >= names.len())
        && names.iter().any(|name| is_time(name) && name != "date")
        && names.iter().any(tells)
        && !neighbours.iter().any(|fields| fields.iter().all(|field| names.iter().any(|name| name == field)))
}

fn line(line: &[u8], settings: &Settings, state: &mut State) -> Line {
    let State { format, names, proven, foreign } = state;
    if line.is_empty() {
        return Line::Comment;
    }
    if line.len() > settings.line_limit_bytes {
        return if matches!(format, Format::Skipped) { Line::Comment } else { Line::Reject("longer than") };
    }
    if line.starts_with(b"#") {
        *foreign |= line.starts_with(b"#Software: Microsoft") && !*proven;
        if line.len() >= 8 && line[..8].eq_ignore_ascii_case(b"#fields:") {
            *names = header_names(&String::from_utf8_lossy(&line[8..]), settings);
            *format =
                Format::Delimited(settings.delimiter.clone().map(|delimiter| String::from_utf8(delimiter).unwrap()));
            if names.contains(&"x-event".to_owned()) {
                *format = Format::Skipped;
                *proven = true;
            } else if believes(settings.table, names, true) && !*foreign {
                *proven = true;
            } else {
                *format = Format::Unbelieved;
            }
        }
        return Line::Comment;
    }
    if matches!(format, Format::Skipped) {
        return Line::Comment;
    }
    if matches!(format, Format::Unknown) {
        if line.starts_with(b"{") {
            *format = Format::Json;
        } else if let Some(fields) = &settings.fields {
            names.clone_from(fields);
            *format =
                Format::Delimited(settings.delimiter.clone().map(|delimiter| String::from_utf8(delimiter).unwrap()));
        } else if settings.table == Table::AlbLogs {
            *format = Format::Alb;
        }
    }
    let Ok(line) = std::str::from_utf8(line) else { return Line::Reject("not UTF-8") };
    match format {
        Format::Delimited(delimiter) => {
            if delimiter.is_none() {
                let fits = |candidate: &&str| line.split(*candidate).count() == names.len();
                *delimiter = ["\t", ",", ";", "|", " "].into_iter().find(fits).map(str::to_owned);
            }
            delimited(line, delimiter.as_deref().unwrap_or("\t"), names)
        }
        Format::Json => match json(line) {
            (members, Line::Row(_)) if *foreign || !believes(settings.table, &members, false) => Line::Reject(""),
            (_, Line::Row(values)) => {
                *proven = true;
                Line::Row(values)
            }
            (_, other) => other,
        },
        Format::Alb => alb(line),
        Format::Unbelieved => Line::Reject(""),
        Format::Unknown | Format::Skipped => Line::Reject("no #Fields header"),
    }
}

fn header_names(header: &str, settings: &Settings) -> Vec<String> {
    let mut names: Vec<String> = header.split(|c: char| c.is_ascii_whitespace()).map(str::to_owned).collect();
    names.retain(|name| !name.is_empty());
    if names.len() == 1 {
        let delimiter = settings.delimiter.clone().map(|delimiter| String::from_utf8(delimiter).unwrap());
        names = match delimiter.filter(|delimiter| names[0].contains(delimiter)) {
            Some(delimiter) => names[0].split(&delimiter).map(str::to_owned).collect(),
            None => names[0].split([',', ';', '|']).map(str::to_owned).collect(),
        };
        names.retain(|name| !name.is_empty());
    }
    names
}

fn row(mut values: Vec<(String, String)>) -> Line {
    values.retain(|(_, value)| value != "-");
    values.sort();
    Line::Row(values)
}

fn delimited(line: &str, delimiter: &str, names: &[String]) -> Line {
    let values: Vec<&str> = line.split(delimiter).collect();
    if names.is_empty() || values.len() < names.len() || values[names.len()..].iter().any(|surplus| !surplus.is_empty())
    {
        // A header that names nothing has no row: splitting makes one value at least.
        return Line::Reject("");
    }
    row(names.iter().cloned().zip(values.into_iter().map(str::to_owned)).collect())
}

fn alb(line: &str) -> Line {
    let (mut values, mut rest) = (Vec::new(), line);
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let ends = |(at, _): &(usize, &str)| matches!(quoted.as_bytes().get(at + 1), None | Some(b' '));
            let Some((end, _)) = quoted.match_indices('"').find(ends) else { return Line::Reject("") };
            values.push(quoted[..end].to_owned());
            rest = &quoted[end + 1..];
        } else {
            let end = rest.find(' ').unwrap_or(rest.len());
            values.push(rest[..end].to_owned());
            rest = &rest[end..];
        }
        match rest.strip_prefix(' ') {
            Some("") | None => break,
            Some(more) => rest = more,
        }
    }
    if values.len() < 12 || values.len() > 200 {
        return Line::Reject("");
    }
    if !line.contains('-') {
        return Line::Reject("time");
    }
    let fields = source(Table::AlbLogs).unwrap().positional.as_ref().unwrap().fields;
    let name =
        |place: usize| fields.get(place).map_or_else(|| format!("field_{}", place + 1), |name| (*name).to_owned());
    row(values.into_iter().enumerate().map(|(place, value)| (name(place), value)).collect())
}

/// An object's members, each as often as it comes.
struct Members(Vec<(String, Box<serde_json::value::RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Members;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Members, M::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

/// The names of an object's members, and what its line is.
fn json(line: &str) -> (Vec<String>, Line) {
    let none = (Vec::new(), Line::Reject("not a JSON object"));
    let Ok(Members(members)) = serde_json::from_str(line) else { return none };
    let mut values = Vec::new();
    let names = members.iter().map(|(name, _)| name.clone()).collect();
    for (name, value) in members {
        // Anything but a string or null is kept as it is written.
        match serde_json::from_str(value.get()) {
            Ok(serde_json::Value::String(text)) => values.push((name, text)),
            Ok(serde_json::Value::Null) => values.push((name, "-".to_owned())),
            Err(_) if value.get().starts_with('"') => return none,
            _ => values.push((name, value.get().to_owned())),
        }
    }
    (names, row(values))
}

/// What the fast parser says of each line.
#[derive(Default)]
struct Seen {
    names: Vec<String>,
    rows: BTreeMap<u64, (u64, Vec<(String, String)>)>,
    rejects: BTreeMap<u64, Reject>,
}

impl Sink for Seen {
    fn fields(&mut self, names: &[String]) {
        self.names = names.to_vec();
    }

    fn block(&mut self, block: &Block<'_>, base_bytes: u64) {
        for number in 0..block.rows() {
            let value = |field: usize| String::from_utf8(block.value(number, field).to_vec()).unwrap();
            let values = self.names.iter().enumerate().map(|(field, name)| (name.clone(), value(field))).collect();
            let Line::Row(values) = row(values) else { unreachable!() };
            let before = self.rows.insert(block.line(number).0, (base_bytes + block.offset(number), values));
            assert!(before.is_none(), "one row a line");
        }
    }

    fn reject(&mut self, reject: Reject) {
        let before = self.rejects.insert(reject.line_number, reject);
        assert!(before.is_none(), "one reject a line");
    }
}

/// Panics where the fast parser, given the text in pieces, says anything else than the slow one.
pub(crate) fn compare(text: &[u8], settings: &Settings, piece_bytes: usize) {
    let wanted = lines(text, settings);
    let (mut decoder, mut seen) = (Decoder::new(settings), Seen::default());
    let (mut held, mut rest) = (Vec::new(), text);
    loop {
        let (piece, after) = rest.split_at(piece_bytes.clamp(1, rest.len().max(1)).min(rest.len()));
        held.extend_from_slice(piece);
        let used = decoder.decode(&held, after.is_empty(), &mut seen);
        held.drain(..used);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
    let stats = decoder.stats();
    assert_eq!(stats.lines, wanted.len() as u64, "lines");
    assert_eq!(stats.lines, stats.rows + stats.rejected_lines + stats.comment_lines, "{stats:?}");
    assert_eq!((stats.rows, stats.rejected_lines), (seen.rows.len() as u64, seen.rejects.len() as u64));
    let mut offset = 0_u64;
    let raw = text.split(|byte| *byte == b'\n');
    for (number, (wanted, raw)) in (1..).zip(wanted.iter().zip(raw)) {
        let mark = if number == 1 && raw.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        offset += mark;
        #[expect(clippy::cast_possible_truncation, reason = "three bytes")]
        let raw = &raw[mark as usize..];
        let line = raw.strip_suffix(b"\r").unwrap_or(raw);
        match (wanted, seen.rows.get(&number), seen.rejects.get(&number)) {
            (Line::Comment, None, None) => {}
            (Line::Row(values), Some((at, found)), None) => {
                assert_eq!((found, *at), (values, offset), "line {number}: {}", String::from_utf8_lossy(line));
            }
            (Line::Reject(reason), None, Some(reject)) => {
                assert!(reject.reason.starts_with(reason), "line {number}: {} is not {reason}", reject.reason);
                let kept = &line[..line.len().min(settings.line_limit_bytes)];
                assert_eq!((reject.raw_line.as_slice(), reject.byte_offset), (kept, offset), "line {number}");
            }
            (wanted, row, reject) => {
                panic!("line {number} {:?}: {wanted:?}, but {row:?} {reject:?}", String::from_utf8_lossy(line))
            }
        }
        offset += raw.len() as u64 + 1;
    }
}

/// The logged columns of a row, as text; `Err` names the column whose value does not fit. `-` and,
/// for numbers, nothing at all are NULL and left out. `None` where the row has no time.
pub(crate) fn typed(table: Table, values: &[(String, String)]) -> Result<BTreeMap<String, String>, String> {
    let mut named: BTreeMap<String, String> = BTreeMap::new();
    let mut extra: BTreeMap<String, String> = BTreeMap::new();
    for (logged, value) in values {
        let name = column_name(logged);
        let parts: Vec<(String, String)> = match (table, name.as_str()) {
            (Table::AlbLogs, "client_port" | "target_port") => {
                let side = name.trim_end_matches("_port").to_owned();
                let (ip, port) = value.rsplit_once(':').map_or_else(
                    || if value.parse::<u64>().is_ok() { ("-", value.as_str()) } else { (value.as_str(), "-") },
                    |(ip, port)| (ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip), port),
                );
                vec![(format!("{side}_ip"), ip.to_owned()), (format!("{side}_port"), port.to_owned())]
            }
            (Table::AlbLogs, "request") => request(value),
            (Table::AlbLogs, "error_reason") => vec![("lambda_error_reason".to_owned(), value.clone())],
            _ => vec![(name, value.clone())],
        };
        for (name, value) in parts.into_iter().filter(|(_, value)| value != "-") {
            let is_time = matches!(name.as_str(), "date" | "time");
            if is_time || columns(table).iter().any(|column| column.is_logged() && column.name == name) {
                named.insert(name, value);
            } else {
                extra.insert(logged.clone(), value);
            }
        }
    }
    let time = match table {
        Table::AlbLogs => named.remove("time"),
        _ => named.remove("date").zip(named.remove("time")).map(|(date, time)| format!("{date}T{time}Z")),
    };
    let micros = time.as_deref().and_then(|time| time.parse::<jiff::Timestamp>().ok()).ok_or("time")?;
    for column in columns(table).iter().filter(|column| column.is_logged()) {
        let Some(value) = named.get_mut(column.name) else { continue };
        let fits = match column.kind {
            ColumnType::Int => value.parse::<i32>().map(|number| *value = number.to_string()).is_ok(),
            ColumnType::Bigint => value.parse::<i64>().map(|number| *value = number.to_string()).is_ok(),
            ColumnType::Double => value.parse::<f64>().map(|number| *value = number.to_string()).is_ok(),
            ColumnType::Timestamp => {
                value.parse::<jiff::Timestamp>().map(|time| *value = time.as_microsecond().to_string()).is_ok()
            }
            _ => true,
        };
        if !fits && !value.is_empty() {
            return Err(column.name.to_owned());
        }
    }
    named.retain(|name, value| {
        !value.is_empty()
            || columns(table).iter().any(|column| column.name == *name && column.kind == ColumnType::String)
    });
    named.insert("event_time".to_owned(), micros.as_microsecond().to_string());
    named.extend(extra.into_iter().map(|(name, value)| (format!("extra.{name}"), value)));
    Ok(named)
}

fn request(value: &str) -> Vec<(String, String)> {
    let (verb, rest) = value.split_once(' ').unwrap_or(("-", value));
    let trimmed =
        rest.strip_suffix(' ').filter(|rest| rest.rsplit(' ').next().is_some_and(|last| last.starts_with("HTTP/")));
    let rest = trimmed.unwrap_or(rest);
    let (url, version) = if value.contains(' ') { rest.rsplit_once(' ').unwrap_or((rest, "-")) } else { (rest, "-") };
    let version = if version.is_empty() { "-" } else { version };
    [("request_verb", verb), ("request_url", url), ("request_proto", version)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
}

fn column_name(logged: &str) -> String {
    let words = logged.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("_")
}
