//! Reads a key: what log it is, for which distribution and hour. What each source calls its objects
//! stands in the file of the source; what AWS writes beside logs is told in `neighbours.rs`.

use std::collections::BTreeSet;

use super::layout::Layout;
use super::{layout, neighbours};
use crate::kernel::schema::{Named, SOURCES, Source};
use crate::model::{Granularity, Hour, Period, Table, UnitId};

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
    if let Some(named) = SOURCES.iter().find_map(|source| (source.read_name)(name)) {
        return named;
    }
    if let Some(what) = neighbours::of(&folders, name) {
        return Named::Other(what);
    }
    let said = layout.map_or_else(|| layout::guess(&folders), |layout| layout.read(&folders));
    match said.and_then(|said| said.hour.map(|hour| (said.distribution, hour))).zip(source_of(&folders)) {
        Some(((distribution, hour), source)) => Named::Log { table: source.table, distribution, hour, by_name: false },
        None => Named::Unknown,
    }
}

/// The source of a log that lies in these folders, where its name tells nothing: the one that names
/// one of them, or the one that owns all others.
fn source_of(folders: &[&str]) -> Option<&'static Source> {
    let named = |source: &&&Source| source.folder.is_some_and(|folder| folders.contains(&folder));
    SOURCES.iter().find(named).or_else(|| SOURCES.iter().find(|source| source.folder.is_none())).copied()
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
