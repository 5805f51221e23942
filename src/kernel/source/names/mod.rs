//! What an object's key says: which log it is, for which distribution and hour.
//!
//! Sources of the formats. CloudFront: the Developer Guide, "Access logs (standard logs)",
//! `<prefix>/<distribution id>.YYYY-MM-DD-HH.<unique id>.gz`, the hour in UTC; version 2 writes the
//! same name into folders of the user's choice (`layout.rs`). Load balancers: the user guides,
//! "Access log files",
//! `AWSLogs/<account>/elasticloadbalancing/<region>/yyyy/mm/dd/<account>_elasticloadbalancing_<region>_app.<name>.<id>_`
//! `<end time>_<node address>_<random>.log.gz`: the folders are the day of delivery, the time is
//! the end of five minutes. Connection and health-check logs lie in the same tree, under names that
//! begin with what they are. What else AWS writes beside them under paths and names of its own is
//! told in `neighbours.rs`.

mod layout;
mod neighbours;
mod skip;

pub use layout::Layout;
pub use skip::{skip, skip_unwanted};

use std::collections::BTreeSet;

use crate::model::{Granularity, HOUR_SECONDS, Hour, Period, Table, UnitId};

/// Told of connection logs of load balancers, by names and by fields.
pub const LB_CONNECTION: &str = "connection log of a load balancer";
/// Told of their health-check logs.
pub const LB_HEALTH: &str = "health-check log of a load balancer";
/// Told of Network Load Balancers' logs.
pub const NETWORK_LB: &str = "Network Load Balancer log";
/// Told of Classic Load Balancers' logs.
const CLASSIC_LB: &str = "Classic Load Balancer log";
/// Told of the file by which a load balancer tries whether it may write.
const LB_TEST: &str = "test file of a load balancer";
/// What load balancers write into the folders of their access logs, or where those are to come.
pub const BESIDE_LOGS: [&str; 5] = [LB_CONNECTION, LB_HEALTH, NETWORK_LB, CLASSIC_LB, LB_TEST];
/// Told of AWS WAF's logs.
pub const WAF: &str = "WAF log";
/// Told of flow logs of a VPC.
pub const VPC_FLOW: &str = "VPC flow log";
/// Told of the logs of `CloudTrail`.
pub const CLOUDTRAIL: &str = "CloudTrail log";

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A log that has a table.
    Log {
        /// The table.
        table: Table,
        /// The distribution's id, or a load balancer's `app/name/id`, where it is told.
        distribution: Option<String>,
        /// The hour in which its requests happened, most of them.
        hour: Hour,
        /// Whether the file's own name says that it is such a log; if not, only its folders do,
        /// which may hold anything.
        by_name: bool,
    },
    /// Something that AWS writes beside the logs that are read here; its name.
    Other(&'static str),
    /// A name that no source gives.
    Unknown,
}

/// Whether a key is something that no reader of a lake or a log bucket looks at: a part of it
/// begins with `.` or `_`.
#[must_use]
pub fn is_hidden(key: &str) -> bool {
    key.split('/').any(|part| part.starts_with(['.', '_']))
}

/// Reads a path, from the root of its bucket or file system, so that it says the same through
/// whichever folder it was listed; `layout` is what its folders are by the user's word.
#[must_use]
pub fn read(key: &str, layout: Option<&Layout>) -> Named {
    let mut folders: Vec<&str> = key.split('/').collect();
    let name = folders.pop().unwrap_or(key);
    if let Some(named) = cloudfront(name).or_else(|| load_balancer(name)) {
        return named;
    }
    if let Some(what) = neighbours::of(&folders, name) {
        return Named::Other(what);
    }
    let said = layout.map_or_else(|| layout::guess(&folders), |layout| layout.read(&folders));
    let table = if folders.contains(&"elasticloadbalancing") { Table::AlbLogs } else { Table::CloudfrontLogs };
    match said.and_then(|said| said.hour.map(|hour| (said.distribution, hour))) {
        Some((distribution, hour)) => Named::Log { table, distribution, hour, by_name: false },
        None => Named::Unknown,
    }
}

/// What a file may end with: as AWS writes it, or as somebody decompressed or renamed it.
fn is_end(part: &str) -> bool {
    matches!(part, "gz" | "log" | "txt" | "json" | "parquet")
}

/// `<distribution id>.YYYY-MM-DD-HH.<unique id>`, then nothing or what a file may end with, twice
/// at most.
fn cloudfront(name: &str) -> Option<Named> {
    let mut parts: Vec<&str> = name.split('.').collect();
    while parts.len() > 3 && parts.len() <= 5 && parts.last().is_some_and(|part| is_end(part)) {
        parts.pop();
    }
    let [distribution, time, unique] = parts[..] else { return None };
    let alphanumeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !alphanumeric(distribution) || !alphanumeric(unique) || is_end(unique) || time.len() != 13 {
        return None;
    }
    let (date, hour) = time.split_at_checked(10)?;
    let hour = format!("{date}T{}", hour.strip_prefix('-')?).parse().ok()?;
    let distribution = Some(distribution.to_owned());
    Some(Named::Log { table: Table::CloudfrontLogs, distribution, hour, by_name: true })
}

/// `<account>_elasticloadbalancing_<region>_<kind>.<name>_<end time>_<address>_<random>`.
fn load_balancer(name: &str) -> Option<Named> {
    let (before, after) = name.split_once("_elasticloadbalancing_")?;
    // AWS's pages show a dot behind the first words, its objects an underscore.
    if before.strip_prefix("conn_log").is_some_and(|rest| rest.starts_with(['.', '_'])) {
        return Some(Named::Other(LB_CONNECTION));
    }
    if before.strip_prefix("health_check_log").is_some_and(|rest| rest.starts_with(['.', '_'])) {
        return Some(Named::Other(LB_HEALTH));
    }
    let mut parts = after.split('_');
    let (_region, id, end) = (parts.next()?, parts.next()?, parts.next()?);
    if id.starts_with("net.") {
        return Some(Named::Other(NETWORK_LB));
    }
    if !id.starts_with("app.") {
        return Some(Named::Other(CLASSIC_LB));
    }
    let hour = interval_hour(end)?;
    let balancer = Some(id.replace('.', "/"));
    Some(Named::Log { table: Table::AlbLogs, distribution: balancer, hour, by_name: true })
}

/// The hour of the last second before an end such as `20261121T0500Z`.
fn interval_hour(end: &str) -> Option<Hour> {
    let digits = end.strip_suffix('Z').filter(|end| end.len() == 13 && end.is_ascii())?;
    let (date, time) = digits.split_once('T').filter(|(date, _)| date.len() == 8)?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i16>().ok())?;
    let small = |text: &str| number(text).and_then(|number| i8::try_from(number).ok());
    let hour = Hour::from_civil(number(&date[..4])?, small(&date[4..6])?, small(&date[6..])?, small(&time[..2])?)?;
    let minute = small(&time[2..]).filter(|minute| *minute < 60)?;
    let seconds = hour.start_unix_seconds() + i64::from(minute) * 60 - 1;
    debug_assert!(seconds < hour.start_unix_seconds() + HOUR_SECONDS);
    Some(Hour::of_unix_seconds(seconds))
}

/// The distribution in a key, or nothing where the key has none.
#[must_use]
pub fn distribution(key: &str, layout: Option<&Layout>) -> Option<String> {
    match read(key, layout) {
        Named::Log { distribution, .. } => distribution,
        _ => None,
    }
}

/// The hour in a key, or nothing where the key has none.
#[must_use]
pub fn hour(key: &str, layout: Option<&Layout>) -> Option<Hour> {
    match read(key, layout) {
        Named::Log { hour, .. } => Some(hour),
        _ => None,
    }
}

/// Every unit that an object may have been in, whatever a run was told of it: by its name or by any
/// layout, or without a time, as a log of any table. `granularity` is how long the lake's units
/// are.
#[must_use]
pub fn possible_units(path: &str, layouts: &[Layout], granularity: Granularity) -> BTreeSet<UnitId> {
    let readings = std::iter::once(None).chain(layouts.iter().map(Some)).map(|layout| read(path, layout));
    let periods = readings.filter_map(|named| match named {
        Named::Log { hour, .. } => Some(Period::of(granularity, hour)),
        Named::Other(_) | Named::Unknown => None,
    });
    let periods: BTreeSet<Period> = periods.collect();
    let of = |table| {
        let untimed = UnitId::Untimed(table, folder(path).to_owned());
        periods.iter().map(move |period| UnitId::Timed(table, *period)).chain([untimed])
    };
    Table::LOGS.into_iter().flat_map(of).collect()
}

/// The folder of a key, without a slash at its end; empty at the root.
#[must_use]
pub fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloudfront(hour: &str) -> Named {
        let distribution = Some("EMLARXS9EXAMPLE".into());
        Named::Log { table: Table::CloudfrontLogs, distribution, hour: hour.parse().unwrap(), by_name: true }
    }

    fn alb(hour: &str) -> Named {
        let distribution = Some("app/my-lb/1234567890abcdef".into());
        Named::Log { table: Table::AlbLogs, distribution, hour: hour.parse().unwrap(), by_name: true }
    }

    #[test]
    fn cloudfront_names_are_read_under_any_prefix() {
        for key in [
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz",
            "logs/a.b/EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.log",
            "AWSLogs/1/CloudFront/2031/01/01/01/EMLARXS9EXAMPLE.2019-11-14-20.a1b2c3d4.parquet",
            "EMLARXS9EXAMPLE.2019-11-14-20.a1b2c3d4.json.gz",
        ] {
            assert_eq!(read(key, None), cloudfront("2019-11-14T20"), "{key}");
        }
        let folders = "AWSLogs/1/CloudFront/EMLARXS9EXAMPLE/2019/11/14/20/part-0.parquet";
        let Named::Log { by_name, distribution, hour, .. } = read(folders, None) else { panic!("the folders say it") };
        let told = (distribution.as_deref(), hour.to_string());
        assert_eq!((told, by_name), ((Some("EMLARXS9EXAMPLE"), "2019-11-14T20".to_owned()), false));
    }

    #[test]
    fn a_load_balancers_name_holds_the_end_of_its_minutes() {
        let key = |time: &str| {
            format!(
                "p/AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/11/21/123456789012_elasticloadbalancing_\
us-east-2_app.my-lb.1234567890abcdef_{time}_172.160.1.192_20sg8hgm.log.gz"
            )
        };
        for (time, hour) in [
            ("20261121T0505Z", "2026-11-21T05"),
            ("20261121T0500Z", "2026-11-21T04"),
            ("20261121T0000Z", "2026-11-20T23"),
            ("20261121T0459Z", "2026-11-21T04"),
        ] {
            assert_eq!(read(&key(time), None), alb(hour), "{time}");
        }
        assert_eq!(read(&key("20261121T0505Z").replace(".gz", ""), None), alb("2026-11-21T05"), "decompressed");
        for time in ["20261121T0505", "20261121T0560Z", "20261321T0505Z", "2026112T10505Z", ""] {
            assert_eq!(read(&key(time), None), Named::Unknown, "{time}");
        }
    }

    #[test]
    fn what_lies_beside_a_load_balancers_logs_is_told_apart() {
        let name =
            "123456789012_elasticloadbalancing_us-east-2_app.my-lb.1234567890abcdef_20261121T0505Z_192.0.2.1_x.log.gz";
        for (key, what) in [
            (format!("2026/11/21/conn_log.{name}"), "connection log of a load balancer"),
            (format!("2026/11/21/conn_log_{name}"), "connection log of a load balancer"),
            (format!("2026/11/21/health_check_log.{name}"), "health-check log of a load balancer"),
            (format!("2026/11/21/health_check_log_{name}"), "health-check log of a load balancer"),
            (name.replace("app.", "net."), "Network Load Balancer log"),
            (name.replace("app.my-lb.", "my-lb."), "Classic Load Balancer log"),
            ("AWSLogs/123456789012/ELBAccessLogTestFile".to_owned(), "test file of a load balancer"),
        ] {
            assert_eq!(read(&key, None), Named::Other(what), "{key}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for key in [
            "EMLARXS9EXAMPLE.2019-11-14-24.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-31-20.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-2é.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.a.b.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4K.zip",
            "access.log",
            "",
        ] {
            assert_eq!(read(key, None), Named::Unknown, "{key}");
        }
        for key in ["_edgemill/x.gz", "a/.hidden/EMLARXS9EXAMPLE.2019-11-14-20.RT4K.gz"] {
            assert!(is_hidden(key), "{key}");
        }
        assert!(!is_hidden("a_b/c.d"));
    }
}
