//! What an object is, by its first line or its fields: asked of those whose names do not tell, and
//! of every other before a row is made of it, since a name is a promise and the fields are the
//! thing.
//!
//! Sources of the neighbours' fields: AWS's pages of each log, and the lists of fields of its
//! vended logs. IIS's are those of "W3C Logging" in Microsoft's documentation.

use serde::de::{IgnoredAny, MapAccess, Visitor};

use super::{delimited, values};
use crate::kernel::schema::{
    CLOUDTRAIL, EVENT_TIME, FILENAME, FirstValue, LB_CONNECTION, LB_HEALTH, NETWORK_LB, SOURCES, Source, VPC_FLOW, WAF,
    has_aliases, is_logged_field, is_neighbour, normalise_field_name, source, tells_time,
};
use crate::model::Table;

/// Fields that must be known before a header or an object is believed.
pub const FEWEST_KNOWN_FIELDS: usize = 3;

/// What is told of objects that neither their names nor their first bytes make a log.
pub const UNNAMED: &str = "neither named as a log nor beginning like one";

/// What an object is found to be whose lines nothing explains; all of them are rejected.
pub(super) const UNKNOWN: &str = "nothing that is read here";

/// What an object is found to be in which no line says anything.
pub(super) const EMPTY: &str = "empty object";

/// Told of files that edgemill itself wrote.
pub const LAKE_FILE: &str = "file of a lake";

/// Told of connection logs of CloudFront.
const CLOUDFRONT_CONNECTION: &str = "connection log of CloudFront";

/// Told of the logs of another web server.
const IIS: &str = "log of Internet Information Services";

/// What an object was found to be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Told {
    /// A log of this table.
    Log(Table),
    /// Another log, or something else that is known; its name.
    Other(&'static str),
    /// Nothing that is known.
    #[default]
    Nothing,
}

impl Told {
    /// What it is, where it is known not to be a log that is read here.
    #[must_use]
    pub const fn other(self) -> Option<&'static str> {
        match self {
            Self::Other(what) => Some(what),
            Self::Log(_) | Self::Nothing => None,
        }
    }
}

/// What an object is, by the beginning of its text.
#[must_use]
pub fn text(text: &[u8]) -> Told {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut of_comments = Told::Nothing;
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines.filter(|line| !line.is_empty()) {
        if line.starts_with(b"#") {
            if of_comments == Told::Nothing {
                of_comments = comment(line);
            }
            match line.split_at_checked(FIELDS.len()) {
                Some((begin, _)) if begin.eq_ignore_ascii_case(FIELDS) && of_comments != Told::Nothing => {
                    return of_comments;
                }
                Some((begin, names)) if begin.eq_ignore_ascii_case(FIELDS) => {
                    return by_names(&delimited::header_names(names, None), NamesOf::Header);
                }
                _ => continue,
            }
        }
        return if of_comments == Told::Nothing { first_line(line) } else { of_comments };
    }
    of_comments
}

/// How the line that names the fields begins, in any case.
pub(super) const FIELDS: &[u8] = b"#Fields:";

/// What a comment line says of the log.
#[must_use]
pub(super) fn comment(line: &[u8]) -> Told {
    const SOFTWARE: &[u8] = b"#Software: Microsoft";
    if line.starts_with(SOFTWARE) { Told::Other(IIS) } else { Told::Nothing }
}

/// What a line is that has no header before it.
#[must_use]
pub(super) fn first_line(line: &[u8]) -> Told {
    if line.starts_with(b"{") {
        return names_of_object(line).map_or(Told::Nothing, |names| by_names(&names, NamesOf::Table));
    }
    by_first_values(line).map_or(Told::Nothing, |source| Told::Log(source.table))
}

/// Where names of fields stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamesOf {
    /// In the header of a log, which is a sign by itself.
    Header,
    /// In JSON or Parquet, as in any table of anybody's.
    Table,
}

/// What has these fields: a neighbour that is known, or the table that knows most of them.
#[must_use]
pub fn by_names(names: &[String], of: NamesOf) -> Told {
    if let Some(what) = neighbour(names) {
        return Told::Other(what);
    }
    let table = Table::LOGS.into_iter().filter(|table| is_log_of(*table, names, of));
    let most = table.max_by_key(|table| known_fields(*table, names));
    most.map_or(Told::Nothing, Told::Log)
}

fn known_fields(table: Table, names: &[String]) -> usize {
    names.iter().filter(|name| is_logged_field(table, name)).count()
}

/// Whether fields are those of a table's logs: when something was, one that tells of the request
/// ([`Source::telling_fields`]), and enough that the table knows. Where no header says that it is a
/// log, these are most of them: what others have made of a log has names of their own. (Or somebody
/// has renamed them, and all are there that a log cannot lack.)
#[must_use]
pub fn is_log_of(table: Table, names: &[String], of: NamesOf) -> bool {
    let known = known_fields(table, names);
    let by_own_names = known >= FEWEST_KNOWN_FIELDS
        && (of == NamesOf::Header || is_most(known, names.len()))
        && names.iter().any(|name| tells_of(table, name));
    names.iter().any(|name| tells_time(table, name)) && (by_own_names || has_aliases(table, names))
}

/// Whether so many are at least half of all.
#[must_use]
pub(super) const fn is_most(known: usize, all: usize) -> bool {
    2 * known >= all
}

/// Whether a field says that a log is of this table: it tells of the request.
#[must_use]
pub(super) fn tells_of(table: Table, name: &str) -> bool {
    source(table).is_some_and(|source| source.telling_fields.contains(&normalise_field_name(name).as_str()))
}

/// The fields by which neighbours are told, all of which must be there; normalised. They are names
/// in other logs, and those of a lake's own files: no facts of columns.
const NEIGHBOURS: [(&[&str], &str); 14] = [
    (&[EVENT_TIME, "is_bot", FILENAME], LAKE_FILE),
    (&["source_table", FILENAME, "byte_offset"], LAKE_FILE),
    (&["webaclid"], WAF),
    (&["connectionstatus", "tlsprotocol"], CLOUDFRONT_CONNECTION),
    (&["eventtimestamp", "connectionid"], CLOUDFRONT_CONNECTION),
    (&["tls_handshake_latency"], LB_CONNECTION),
    (&["leaf_client_cert_subject"], LB_CONNECTION),
    (&["target_addr", "reason_code"], LB_HEALTH),
    (&["target_addr", "target_group_id"], LB_HEALTH),
    (&["tls_handshake_time", "listener"], NETWORK_LB),
    (&["sc_win32_status"], IIS),
    (&["s_computername"], IIS),
    (&["srcaddr", "dstaddr"], VPC_FLOW),
    (&["eventversion", "eventsource"], CLOUDTRAIL),
];

/// What is known to have these fields, and no source reads it.
#[must_use]
pub(super) fn neighbour(names: &[String]) -> Option<&'static str> {
    let names: Vec<String> = names.iter().map(|name| normalise_field_name(name)).collect();
    let has = |field: &&str| names.iter().any(|name| name == field);
    let mut left_alone = NEIGHBOURS.iter().filter(|(_, what)| is_neighbour(what));
    left_alone.find(|(fields, _)| fields.iter().all(has)).map(|(_, what)| *what)
}

/// The names of an object's members, as far as its line goes; nothing where it is no such line.
#[must_use]
pub(super) fn names_of_object(line: &[u8]) -> Option<Vec<String>> {
    struct NamesVisitor<'n>(&'n mut Vec<String>);
    impl<'de> Visitor<'de> for NamesVisitor<'_> {
        type Value = ();

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
            while let Some(name) = map.next_key::<String>()? {
                self.0.push(name);
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }
    let mut names = Vec::new();
    let mut json = serde_json::Deserializer::from_slice(line);
    let read = serde::Deserializer::deserialize_map(&mut json, NamesVisitor(&mut names));
    match read.and_then(|()| json.end()) {
        Ok(()) => Some(names),
        // Only its beginning was looked at, or it was cut.
        Err(error) if error.is_eof() => Some(names),
        Err(_) => None,
    }
}

/// The source whose rows have no names and begin as a line does.
#[must_use]
pub(super) fn by_first_values(line: &[u8]) -> Option<&'static Source> {
    let fits = |source: &&Source| {
        let mut words = line.split(|byte| *byte == b' ');
        source.positional.as_ref().is_some_and(|rows| rows.begins.iter().all(|begin| is_value(*begin, words.next())))
    };
    SOURCES.into_iter().find(fits)
}

fn is_value(wanted: FirstValue, word: Option<&[u8]>) -> bool {
    word.is_some_and(|word| match wanted {
        FirstValue::OneOf(words) => words.contains(&word),
        FirstValue::Time => values::Clock::default().iso_micros(word).is_ok(),
        FirstValue::NoNumber => values::double(word).is_none(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_known_by_how_they_begin() {
        let alb = "h2 2026-11-21T05:00:00.000001Z app/shop/50dc6c495c0c9188 192.0.2.1:1 - -1";
        let (cloudfront, balancer) = (Told::Log(Table::CloudfrontLogs), Told::Log(Table::AlbLogs));
        let long = format!("{{\"webaclId\":\"a\",\"httpRequest\":{{\"uri\":\"{}", "a".repeat(1_000));
        for (begin, found) in [
            ("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip\n", cloudfront),
            ("#Fields: time elb client:port request\n", balancer),
            ("{\"time\":\"-\",\"c-ip\":\"-\",\"cs(Host)\":\"-\",\"sc-bytes\":\"1\"}\n", cloudfront),
            ("{\"elb\":\"-\",\"client_port\":\"-\",\"request_line\":\"-\",\"time\":\"-\"}\n", balancer),
            // Without a time there is no row; what others have made of a log has other names.
            ("#Fields: type elb client:port request\n", Told::Nothing),
            ("{\"date\":\"-\",\"c-ip\":\"-\",\"cs(Host)\":\"-\",\"sc-bytes\":\"1\"}\n", Told::Nothing),
            ("#Fields: date time c-port ssl-protocol ssl-cipher time-taken\n", Told::Nothing),
            (
                "{\"time\":\"-\",\"date\":\"-\",\"c_ip\":\"-\",\"bytes\":1,\"status\":1,\"method\":\"-\",\"uri\":\"-\"}\n",
                Told::Nothing,
            ),
            ("#Fields: date time bytes status method uri host referrer request_id\n", Told::Nothing),
            (
                "#Fields: date time location bytes request_ip method host uri status result_type request_id\n",
                cloudfront,
            ),
            (alb, balancer),
            ("2026-11-21T05:00:00Z 192.0.2.1 1 443 TLSv1.3 - - - - - - TID_1\n", Told::Nothing),
            ("https 2026-11-21T05:01:31.000000Z 0.005 10.0.0.5:80 t PASS 200 -\n", Told::Nothing),
            ("#Fields: a b c\n", Told::Nothing),
            ("#Fields: date time timestamp(ms)\n", Told::Nothing),
            ("{\"timestamp\":1,\"webaclId\":\"-\",\"action\":\"ALLOW\",\"httpRequest\":{}}\n", Told::Other("WAF log")),
            (&long, Told::Other("WAF log")),
            (
                "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-method sc-status\n",
                Told::Other("log of Internet Information Services"),
            ),
            (
                "{\"eventTimestamp\":\"1\",\"connectionId\":\"c\",\"distributionId\":\"E2\"}\n",
                Told::Other("connection log of CloudFront"),
            ),
            (
                "{\"time\":\"-\",\"elb\":\"-\",\"client_ip\":\"-\",\"client_port\":\"1\",\"tls_handshake_latency\":\"1\"}\n",
                Told::Other("connection log of a load balancer"),
            ),
            (
                "{\"type\":\"http\",\"time\":\"-\",\"elb\":\"-\",\"target_addr\":\"-\",\"reason_code\":\"-\"}\n",
                Told::Other("health-check log of a load balancer"),
            ),
            ("{\"timestamp\":\"2026-11-21T05:00:00Z\",\"level\":\"info\",\"msg\":\"hello\"}\n", Told::Nothing),
            ("{\"time\":\"-\",\"type\":\"job\",\"user_agent\":\"-\",\"domain_name\":\"-\"}\n", Told::Nothing),
            ("{\"date\":\"-\",\"c-ip\":\"-\",\"sc-bytes\":\"1\"}{\"a\":1}\n", Told::Nothing),
            ("hello\n", Told::Nothing),
            ("", Told::Nothing),
        ] {
            assert_eq!(text(begin.as_bytes()), found, "{begin}");
        }
    }
}
