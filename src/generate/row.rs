//! One row as text: 33 fields in their order, `-` where there is nothing to say.

use super::clients::Address;
use super::digits::{push_hex, push_number, push_seconds, push_two};
use super::draw::{Dice, mix_all};
use super::exchange::{Exchange, Moment};
use super::family::Manner;
use super::sessions::Session;
use super::sites::{Site, World};
use super::uris::PathKind;

/// The names of the fields, as the second line of an object gives them.
pub(super) const FIELDS: &str = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
    cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol \
    cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version \
    fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type \
    sc-content-len sc-range-start sc-range-end";

/// Pages elsewhere that lead here, the commonest first.
const ELSEWHERE: [&[u8]; 8] = [
    b"https://www.google.com/",
    b"https://www.google.de/",
    b"https://www.bing.com/",
    b"https://l.instagram.com/",
    b"https://duckduckgo.com/",
    b"https://l.facebook.com/l.php?u=https%253A%252F%252Fwww.example%252F",
    b"https://www.partner.example/weekly%2520picks",
    b"android-app://com.google.android.gm/",
];

const REQUEST_ID_ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// Random characters of a request id, in pieces of one draw of the dice each; `==` follows.
const REQUEST_ID_PIECES: [usize; 6] = [9; 6];

/// What the rows of one object have in common.
pub(super) struct Frame<'w> {
    pub(super) world: &'w World,
    pub(super) site: &'w Site,
    /// Date and hour of the object's hour, up to the minute: `2026-11-21<TAB>05:`.
    pub(super) within: String,
    /// The same of the hour before.
    pub(super) before: String,
}

impl Frame<'_> {
    /// Writes a row with its line feed.
    pub(super) fn push_row(&self, out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        self.push_request(out, session, row);
        self.push_headers(out, session, row, dice);
        self.push_connection(out, session, row, dice);
        push_answer(out, session, row, dice);
    }

    /// Fields 1 to 9: when, where and what.
    fn push_request(&self, out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>) {
        let (stamp, second) = match row.moment {
            Moment::Within(second) => (&self.within, second),
            Moment::Before(second) => (&self.before, second),
        };
        out.extend_from_slice(stamp.as_bytes());
        push_two(out, second / 60);
        out.push(b':');
        push_two(out, second % 60);
        out.push(b'\t');
        field(out, self.world.edges.name(session.edge));
        push_number(out, row.sent_bytes);
        out.push(b'\t');
        field(out, session.address.text());
        field(out, row.method.as_bytes());
        field(out, &self.site.domain);
        field(out, self.site.uris.text(row.uri));
        field(out, row.outcome.status.as_bytes());
    }

    /// Fields 10 to 13: what the viewer's headers said.
    fn push_headers(&self, out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        self.push_referer(out, session, row, dice);
        out.push(b'\t');
        field(out, session.agent.map_or(b"-", |agent| &self.world.agents.get(agent).text));
        field(out, self.world.queries.draw(row.kind, row.uri, dice).unwrap_or(b"-"));
        if self.site.logs_cookies && session.has_cookie {
            out.extend_from_slice(b"session_id=");
            push_hex(out, mix_all(&[session.hash, u64::from(session.second)]));
            field(out, b";%20theme=dark;%20consent=%257B%2522ads%2522%253Afalse%257D");
        } else {
            field(out, b"-");
        }
    }

    fn push_referer(&self, out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        let chance = dice.below(100);
        let is_page = row.kind == PathKind::Page;
        match session.page {
            _ if session.manner != Manner::Person && chance < 93 => out.push(b'-'),
            Some(page) if chance < if is_page { 52 } else { 88 } => {
                out.extend_from_slice(b"https://");
                out.extend_from_slice(&self.site.host);
                out.extend_from_slice(self.site.uris.text(page));
            }
            // Most referring sites name themselves only.
            None if !is_page && chance < 70 => {
                out.extend_from_slice(b"https://");
                out.extend_from_slice(&self.site.host);
                out.push(b'/');
            }
            _ if is_page && chance < 76 => out.extend_from_slice(ELSEWHERE[dice.low_index(ELSEWHERE.len(), 2)]),
            _ => out.push(b'-'),
        }
    }

    /// Fields 14 to 24: how the edge took it, and over which connection.
    fn push_connection(&self, out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        field(out, row.outcome.result.as_bytes());
        push_request_id(out, dice);
        field(out, &self.site.host);
        field(out, if session.tls.is_some() { b"https" } else { b"http" });
        if dice.per_mille(8) {
            out.push(b'-');
        } else {
            let body = if matches!(row.method, "POST" | "PUT" | "PATCH") { dice.below(6_000) } else { 0 };
            push_number(out, u64::from(70 + dice.below(640) + body));
        }
        out.push(b'\t');
        push_seconds(out, row.taken_ms);
        out.push(b'\t');
        push_forwarded_for(out, session);
        let (protocol, cipher) = session.tls.unwrap_or(("-", "-"));
        field(out, protocol.as_bytes());
        field(out, cipher.as_bytes());
        field(out, row.outcome.response.as_bytes());
        field(out, session.version.as_bytes());
    }
}

/// Fields 25 to 33: rare features, the port, and what was sent back.
fn push_answer(out: &mut Vec<u8>, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
    // Field-level encryption belongs to forms; hardly anybody has it.
    let encrypted = row.kind == PathKind::Api && row.method == "POST" && dice.per_mille(15);
    out.extend_from_slice(if encrypted { b"Processed\t2\t" } else { b"-\t-\t" });
    push_number(out, u64::from(session.port));
    out.push(b'\t');
    push_seconds(out, row.first_byte_ms);
    out.push(b'\t');
    field(out, row.outcome.detailed.as_bytes());
    field(out, row.content_type.unwrap_or("-").as_bytes());
    push_optional(out, row.content_bytes);
    out.push(b'\t');
    push_optional(out, row.range.map(|(first, _)| first));
    out.push(b'\t');
    push_optional(out, row.range.map(|(_, last)| last));
    out.push(b'\n');
}

fn field(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(value);
    out.push(b'\t');
}

fn push_optional(out: &mut Vec<u8>, value: Option<u32>) {
    match value {
        Some(value) => push_number(out, u64::from(value)),
        None => out.push(b'-'),
    }
}

/// 54 random characters and the padding: nothing a compressor could use, as in real logs.
fn push_request_id(out: &mut Vec<u8>, dice: &mut Dice) {
    let mut id = [b'='; 57];
    let mut at = 0;
    for len in REQUEST_ID_PIECES {
        let mut bits = dice.bits();
        for place in &mut id[at..at + len] {
            *place = REQUEST_ID_ALPHABET[usize::from(bits.to_le_bytes()[0] & 63)];
            bits >>= 6;
        }
        at += len;
    }
    id[56] = b'\t';
    out.extend_from_slice(&id);
}

/// The addresses that proxies added; their spelling differs from proxy to proxy.
fn push_forwarded_for(out: &mut Vec<u8>, session: &Session) {
    if session.proxies == 0 {
        field(out, b"-");
        return;
    }
    let mut scratch = Vec::new();
    out.extend_from_slice(Address::of(mix_all(&[session.hash, 20]), &mut scratch).text());
    if session.proxies > 1 {
        out.extend_from_slice(if session.hash.is_multiple_of(2) { b", " } else { b"," });
        out.extend_from_slice(Address::of(mix_all(&[session.hash, 21]), &mut scratch).text());
    }
    out.push(b'\t');
}
