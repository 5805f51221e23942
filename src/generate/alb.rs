//! One row of an Application Load Balancer's access log: 34 values in their order, from the same
//! sessions and exchanges as CloudFront's rows, as if the balancer stood where the edge stands.

use super::delivery::{ACCOUNT, Vended, vended_key};
use super::digits::{push_hex, push_number, push_seconds, push_two};
use super::draw::{Dice, mix_all, scale};
use super::exchange::{Exchange, Moment};
use super::plan::Task;
use super::sessions::{Session, Sessions};
use super::sites::{Site, World};
use super::spec::Delivery;
use crate::error::Result;
use crate::kernel::policy::enrich::Escapes;
use crate::kernel::policy::enrich::decode::decode_logged;
use crate::kernel::schema::source;
use crate::model::{Hour, Table};

/// The region that the names tell.
const REGION: &str = "us-east-1";

/// Which values stand in double quotes, by their place.
const QUOTED: [usize; 15] = [12, 13, 17, 18, 19, 22, 23, 24, 25, 26, 27, 28, 30, 31, 32];

/// Seconds of the interval that one object is of.
const INTERVAL_SECONDS: u32 = 300;

/// Rows of a thousand that lack the newest value: AWS brings each in node by node.
const WITHOUT_NEWEST: u32 = 20;

/// Writes an object's bytes, not yet compressed, over what `out` held; its key.
pub(super) fn write(world: &World, task: &Task, delivery: Delivery, out: &mut Vec<u8>) -> Result<String> {
    let frame = AlbFrame::new(world, task);
    write_rows(world, task, &frame, delivery, out)?;
    let id = &world.sites[task.site].id;
    Ok(match delivery {
        Delivery::Classic => frame.key(task.seed),
        _ => vended_key("elasticloadbalancing", delivery, task, id),
    })
}

/// The names of the fields, in their order, as the delivery service calls them; the load balancer
/// itself writes none.
pub(super) fn field_names(_: Delivery) -> Vec<String> {
    let fields =
        source(Table::AlbLogs).and_then(|source| source.positional.as_ref()).map_or(&[][..], |rows| rows.fields);
    let vended = |name: &&str| match *name {
        "request" => "request_line".to_owned(),
        other => other.replace(':', "_"),
    };
    fields.iter().map(vended).collect()
}

fn write_rows(world: &World, task: &Task, frame: &AlbFrame<'_>, delivery: Delivery, out: &mut Vec<u8>) -> Result<()> {
    out.clear();
    let mut vended = Vended::new(delivery, field_names(delivery));
    let dice = &mut Dice::of(&[task.seed]);
    let (mut sessions, mut values) = (Sessions::default(), RowValues::default());
    for _ in 0..task.rows {
        let session = sessions.next(world, dice);
        let row = Exchange::draw(world, &world.sites[task.site], session, dice);
        frame.fill(&mut values, session, &row, dice);
        if delivery == Delivery::Classic {
            push_line(out, &values);
        } else {
            vended.push(values.iter());
        }
    }
    if delivery != Delivery::Classic {
        *out = vended.finish()?;
    }
    Ok(())
}

/// The values of one row, one behind another.
#[derive(Default)]
pub(super) struct RowValues {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl RowValues {
    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.end();
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

/// The five minutes and the node of an object.
pub(super) struct AlbFrame<'w> {
    world: &'w World,
    site: &'w Site,
    hour: Hour,
    slot: u32,
    node: String,
    elb: String,
}

impl<'w> AlbFrame<'w> {
    pub(super) fn new(world: &'w World, task: &Task) -> Self {
        let site = &world.sites[task.site];
        let index = u32::try_from(task.index).unwrap_or(u32::MAX);
        Self {
            world,
            site,
            hour: task.hour,
            slot: index % 12,
            node: format!("10.0.{}.{}", task.site % 256, 10 + index / 12 % 200),
            elb: format!("app/{}/{:016x}", balancer_name(site), mix_all(&[task.site as u64, 0xA1B])),
        }
    }

    /// Where the object lies, from the root of the bucket.
    pub(super) fn key(&self, seed: u64) -> String {
        let end = self.hour.start_unix_seconds() + i64::from((self.slot + 1) * INTERVAL_SECONDS);
        let [year, month, day, hour] = Hour::of_unix_seconds(end).folders();
        let minute = (self.slot + 1) * INTERVAL_SECONDS / 60 % 60;
        let id = self.elb.replace('/', ".");
        format!(
            "AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{year}/{month}/{day}/{ACCOUNT}_elasticloadbalancing_{REGION}_{id}_\
             {year}{month}{day}T{hour}{minute:02}Z_{}_{:08x}.log.gz",
            self.node,
            seed >> 32,
        )
    }

    /// Draws the values of a row.
    pub(super) fn fill(&self, out: &mut RowValues, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        out.clear();
        let lost = row.outcome.status == "000";
        let reached = !lost && !matches!(row.outcome.status, "502" | "503" | "504");
        let target = format!("10.1.{}.{}:8080", session.hash % 4, 10 + session.hash % 23);
        let target = if reached { target.as_bytes() } else { b"-" };
        let second = self.second(row.moment);
        self.push_who(out, session, second, target, dice);
        push_times(out, row, reached);
        out.push(if lost { b"460" } else { row.outcome.status.as_bytes() });
        out.push(if reached { row.outcome.status.as_bytes() } else { b"-" });
        push_number(&mut out.bytes, u64::from(70 + dice.below(640)));
        out.end();
        push_number(&mut out.bytes, row.sent_bytes);
        out.end();
        self.push_request(out, session, row, dice);
        self.push_rest(out, session, row, second, target, dice);
        if dice.per_mille(WITHOUT_NEWEST) {
            out.ends.pop();
        }
    }

    /// Seconds since the hour began; a few rows had ended before the object's minutes did begin.
    fn second(&self, moment: Moment) -> i64 {
        let start = i64::from(self.slot * INTERVAL_SECONDS);
        match moment {
            Moment::Within(second) => start + i64::from(second % INTERVAL_SECONDS),
            Moment::Before(second) => start - i64::from(3_600 - second.min(3_599)),
        }
    }

    fn push_time(&self, out: &mut Vec<u8>, second: i64, micros: u32) {
        let second = self.hour.start_unix_seconds() + second;
        let hour = Hour::of_unix_seconds(second);
        let [year, month, day, of_day] = hour.folders();
        let rest = u32::try_from(second - hour.start_unix_seconds()).unwrap_or(0);
        out.extend_from_slice(format!("{year}-{month}-{day}T{of_day}:").as_bytes());
        push_two(out, rest / 60);
        out.push(b':');
        push_two(out, rest % 60);
        out.push(b'.');
        for part in [micros / 10_000, micros / 100 % 100, micros % 100] {
            push_two(out, part);
        }
        out.push(b'Z');
    }

    /// Values 1 to 5.
    fn push_who(&self, out: &mut RowValues, session: &Session, second: i64, target: &[u8], dice: &mut Dice) {
        out.push(match (session.tls.is_some(), session.version) {
            (false, _) => b"http",
            (true, "HTTP/1.1" | "HTTP/1.0") => b"https",
            (true, _) => b"h2",
        });
        self.push_time(&mut out.bytes, second, dice.below(1_000_000));
        out.end();
        out.push(self.elb.as_bytes());
        out.bytes.extend_from_slice(session.address.text());
        out.bytes.push(b':');
        push_number(&mut out.bytes, u64::from(session.port));
        out.end();
        out.push(target);
    }

    /// Values 13 to 16.
    fn push_request(&self, out: &mut RowValues, session: &Session, row: &Exchange<'_>, dice: &mut Dice) {
        let bytes = &mut out.bytes;
        bytes.extend_from_slice(row.method.as_bytes());
        bytes.extend_from_slice(if session.tls.is_some() { b" https://" } else { b" http://" });
        bytes.extend_from_slice(&self.site.host);
        bytes.extend_from_slice(if session.tls.is_some() { b":443" } else { b":80" });
        bytes.extend_from_slice(self.site.uris.text(row.uri));
        if let Some(query) = self.world.queries.draw(row.kind, row.uri, dice) {
            bytes.push(b'?');
            bytes.extend_from_slice(query);
        }
        // Load balancers speak HTTP/2 at most.
        let version = if session.version == "HTTP/3.0" { "HTTP/2.0" } else { session.version };
        bytes.push(b' ');
        bytes.extend_from_slice(version.as_bytes());
        out.end();
        match session.agent {
            Some(agent) => push_escaped(&mut out.bytes, &self.world.agents.get(agent).text),
            None => out.bytes.push(b'-'),
        }
        out.end();
        let (protocol, cipher) = session.tls.unwrap_or(("-", "-"));
        out.push(cipher.as_bytes());
        out.push(protocol.as_bytes());
    }

    /// Values 17 to 34.
    fn push_rest(
        &self,
        out: &mut RowValues,
        session: &Session,
        row: &Exchange<'_>,
        second: i64,
        target: &[u8],
        dice: &mut Dice,
    ) {
        let group = format!(
            "arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{}/{:016x}",
            balancer_name(self.site),
            mix_all(&[self.site.host.len() as u64, 0x7A6])
        );
        out.push(group.as_bytes());
        out.bytes.extend_from_slice(b"Root=1-");
        push_hex(&mut out.bytes, dice.bits());
        out.bytes.insert(out.bytes.len() - 8, b'-');
        push_hex(&mut out.bytes, dice.bits());
        out.end();
        let tls = session.tls.is_some();
        out.push(if tls { &self.site.host } else { b"-" });
        let certificate = format!("arn:aws:acm:{REGION}:{ACCOUNT}:certificate/{}", balancer_name(self.site));
        let resumed = tls && scale(mix_all(&[session.hash, 31]), 100) < 30;
        out.push(match (tls, resumed) {
            (false, _) => b"-",
            (true, true) => b"session-reused",
            (true, false) => certificate.as_bytes(),
        });
        push_number(&mut out.bytes, u64::from(dice.below(4)));
        out.end();
        self.push_time(&mut out.bytes, second - i64::from(row.taken_ms / 1_000), dice.below(1_000) * 1_000);
        out.end();
        let redirect = matches!(row.outcome.status, "301" | "302" | "307" | "308");
        let actions = if redirect { "redirect" } else { "waf,forward" };
        out.push(actions.as_bytes());
        if redirect {
            out.bytes.extend_from_slice(b"https://");
            out.bytes.extend_from_slice(&self.site.host);
            out.bytes.extend_from_slice(b":443/");
        } else {
            out.bytes.push(b'-');
        }
        out.end();
        out.push(b"-");
        out.push(target);
        out.push(if target == b"-" { b"-" } else { row.outcome.status.as_bytes() });
        let odd = dice.per_mille(4);
        out.push(if odd { b"Ambiguous" } else { b"-" });
        out.push(if odd { b"SpaceInUri" } else { b"-" });
        out.bytes.extend_from_slice(b"TID_");
        push_hex(&mut out.bytes, mix_all(&[session.hash, u64::from(session.port)]));
        out.end();
        [b"-", b"-", b"-"].into_iter().for_each(|value| out.push(value));
        out.push(self.node.as_bytes());
    }
}

fn balancer_name(site: &Site) -> String {
    String::from_utf8_lossy(&site.host).split('.').nth(1).unwrap_or("shop").to_owned()
}

/// Values 6 to 8: seconds, -1 where a stage did not happen.
fn push_times(out: &mut RowValues, row: &Exchange<'_>, reached: bool) {
    let stages = [row.first_byte_ms % 3, row.first_byte_ms, row.taken_ms - row.first_byte_ms];
    for stage in stages {
        if reached {
            push_seconds(&mut out.bytes, stage);
        } else {
            out.bytes.extend_from_slice(b"-1");
        }
        out.end();
    }
}

/// A user agent as a load balancer writes it: `\xHH` for what its quotes may not hold.
fn push_escaped(out: &mut Vec<u8>, percent_encoded: &[u8]) {
    for byte in decode_logged(percent_encoded, Escapes::Percent).bytes() {
        if matches!(byte, b'"' | b'\\' | 0..=31 | 127..) {
            out.extend_from_slice(format!("\\x{byte:02X}").as_bytes());
        } else {
            out.push(byte);
        }
    }
}

/// A row as the load balancer itself writes it.
pub(super) fn push_line(out: &mut Vec<u8>, values: &RowValues) {
    for (place, value) in values.iter().enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        let quoted = QUOTED.contains(&place);
        if quoted {
            out.push(b'"');
        }
        out.extend_from_slice(value);
        if quoted {
            out.push(b'"');
        }
    }
    out.push(b'\n');
}
