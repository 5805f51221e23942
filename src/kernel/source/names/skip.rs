//! Where to go on listing, once a key is of no hour that is asked for: keys are listed in their
//! order, and hours stand in them in theirs, so what lies between need not be listed.
//!
//! Known are the two ways in which AWS writes keys: `<folder>/<distribution>.YYYY-MM-DD-HH.<id>`,
//! and folders of year, month and day, bare or Hive-style. Of any other key nothing is known, and
//! nothing is skipped behind it; nor behind folders that a user laid out, whose numbers may mean
//! anything.

use std::collections::BTreeSet;
use std::ops::Bound;

use super::key::read;
use super::layout::Layout;
use crate::kernel::schema::Named;
use crate::model::{Hour, HourRange};

/// Hours that an object may lie in another day's folder than its own: a load balancer's folders are
/// the day of delivery.
const FOLDER_SLACK_HOURS: i64 = 24;

/// What comes right behind every digit in the order of keys, and is allowed in one.
const AFTER_DIGITS: &str = ":";

/// The key behind which listing may go on after `key`, if anything may be left out: no object of an
/// hour in the range has a key between the two. `None` where the key's hour is inside, or not told
/// by its place.
#[must_use]
pub fn skip(key: &str, layout: Option<&Layout>, hours: HourRange) -> Option<String> {
    let (folder, name) = key.rsplit_once('/').map_or(("", key), |(folder, name)| (folder, name));
    let base = key.len() - name.len();
    if let Some((distribution, hour)) = of_name(name) {
        let before = &key[..=base + distribution.len()];
        return match hour {
            hour if hour < hours.start => Some(format!("{before}{}", written(hours.start))),
            hour if hour >= hours.end => Some(format!("{before}{AFTER_DIGITS}")),
            _ => None,
        };
    }
    let Named::Log { hour, .. } = read(key, None) else { return None };
    if layout.is_some() { None } else { of_folders(folder, hour, hours) }
}

/// The key behind which listing may go on after `key`, where its name is of a distribution that is
/// not wanted: where the next wanted one begins, or behind this one. `None` where it is wanted,
/// nothing is named, or the name tells no distribution.
#[must_use]
pub fn skip_unwanted(key: &str, wanted: &BTreeSet<String>) -> Option<String> {
    let name = key.rsplit_once('/').map_or(key, |(_, name)| name);
    let folder = &key[..key.len() - name.len()];
    let (distribution, _) = of_name(name)?;
    if wanted.is_empty() || wanted.contains(distribution) {
        return None;
    }
    let next = wanted.range::<str, _>((Bound::Excluded(distribution), Bound::Unbounded)).next();
    Some(next.map_or_else(|| format!("{folder}{distribution}.{AFTER_DIGITS}"), |next| format!("{folder}{next}")))
}

/// As CloudFront writes an hour into names.
fn written(hour: Hour) -> String {
    hour.to_string().replace('T', "-")
}

/// `<distribution>.YYYY-MM-DD-HH.`
fn of_name(name: &str) -> Option<(&str, Hour)> {
    let (distribution, rest) = name.split_once('.')?;
    let (time, _) = rest.split_once('.')?;
    let (date, hour) = time.split_at_checked(10).filter(|_| time.len() == 13)?;
    let hour = format!("{date}T{}", hour.strip_prefix('-')?).parse().ok()?;
    (!distribution.is_empty() && distribution.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        .then_some((distribution, hour))
}

/// A folder of a date: where its number begins in the key, and the number.
struct Dated {
    begin: usize,
    number: i64,
}

/// `.../2026/11/21/...` or `.../year=2026/month=11/day=21/...`: the last such run, if it is what
/// the key's hour was read from.
fn of_folders(folder: &str, hour: Hour, hours: HourRange) -> Option<String> {
    let mut begin = 0;
    let (mut run, mut last): (Vec<Dated>, Vec<Dated>) = (Vec::new(), Vec::new());
    for part in folder.split('/') {
        let (name, digits) = part.split_once('=').map_or(("", part), |(name, digits)| (name, digits));
        let place = Dated { begin: begin + part.len() - digits.len(), number: digits.parse().unwrap_or(-1) };
        let wanted = [("year", 4), ("month", 2), ("day", 2)][run.len()];
        let fits = digits.len() == wanted.1 && digits.bytes().all(|byte| byte.is_ascii_digit());
        if fits && (name.is_empty() || name.eq_ignore_ascii_case(wanted.0)) {
            run.push(place);
        } else {
            run.clear();
        }
        if run.len() == 3 {
            last = std::mem::take(&mut run);
        }
        begin += part.len() + 1;
    }
    let [year, month, day] = last.as_slice() else { return None };
    let small = |dated: &Dated| i8::try_from(dated.number).ok();
    let first = Hour::from_civil(i16::try_from(year.number).ok()?, small(month)?, small(day)?, 0)?;
    if !(-FOLDER_SLACK_HOURS..24 + FOLDER_SLACK_HOURS).contains(&hour.hours_since(first)) {
        return None;
    }
    let (least, most) = (hours.start.plus(-FOLDER_SLACK_HOURS), hours.end.plus(FOLDER_SLACK_HOURS));
    let end_of_year = || format!("{}{:04}{AFTER_DIGITS}", &folder[..year.begin], year.number);
    if first.plus(24) <= least {
        let (wanted_year, wanted_month, wanted_day, _) = least.civil();
        // Year by year: what lies between two years is not looked through, and may be anything.
        if i64::from(wanted_year) > year.number {
            return Some(end_of_year());
        }
        let between = |from: &Dated, to: &Dated, digits: usize| &folder[from.begin + digits..to.begin];
        return Some(format!("{}{wanted_month:02}{}{wanted_day:02}", &folder[..month.begin], between(month, day, 2)));
    }
    (first >= most).then(end_of_year)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(text: &str) -> HourRange {
        text.parse().unwrap()
    }

    #[test]
    fn distributions_that_are_not_wanted_are_left_out() {
        let wanted: BTreeSet<String> = ["E2", "E4"].map(str::to_owned).into();
        for (key, next) in [
            ("p/E1.2026-11-21-05.a.gz", Some("p/E2")),
            ("p/E2.2026-11-21-05.a.gz", None),
            ("p/E3.2026-11-21-05.a.gz", Some("p/E4")),
            ("p/E5.2026-11-21-05.a.gz", Some("p/E5.:")),
            ("p/other", None),
        ] {
            assert_eq!(skip_unwanted(key, &wanted).as_deref(), next, "{key}");
            assert_eq!(skip_unwanted(key, &BTreeSet::new()), None);
        }
    }

    #[test]
    fn what_lies_before_and_behind_the_hours_is_left_out() {
        let hours = range("2026-11-21T05..2026-11-21T08");
        for (key, wanted) in [
            ("p/E2EX.2026-11-01-00.a.gz", Some("p/E2EX.2026-11-21-05")),
            ("p/E2EX.2026-11-21-04.z.gz", Some("p/E2EX.2026-11-21-05")),
            ("p/E2EX.2026-11-21-05.a.gz", None),
            ("p/E2EX.2026-11-21-07.z.gz", None),
            ("p/E2EX.2026-11-21-08.a.gz", Some("p/E2EX.:")),
            ("E2EX.2027-01-01-00.a.gz", Some("E2EX.:")),
            ("E2EXAMPLE1234/us/2026/11/01/04/x.gz", Some("E2EXAMPLE1234/us/2026/11/20")),
            ("E2EXAMPLE1234/us/2025/11/01/04/x.gz", Some("E2EXAMPLE1234/us/2025:")),
            ("E2EXAMPLE1234/us/2026/11/20/04/x.gz", None),
            ("E2EXAMPLE1234/us/2026/11/22/04/x.gz", None),
            ("E2EXAMPLE1234/us/2026/11/23/04/x.gz", Some("E2EXAMPLE1234/us/2026:")),
            ("CloudFront/year=2026/month=10/day=31/hour=01/x.parquet", Some("CloudFront/year=2026/month=11/day=20")),
            ("CloudFront/year=2027/month=01/day=01/hour=01/x.parquet", Some("CloudFront/year=2027:")),
            ("2024/01/01/CloudFront/2026/11/21/05/x.parquet", None),
            ("2024/01/01/CloudFront/2026/11/01/05/x.parquet", Some("2024/01/01/CloudFront/2026/11/20")),
            ("notes/2024/01/01/x.txt", None),
            ("access.log", None),
            ("2026/11/x.log", None),
        ] {
            assert_eq!(skip(key, None, hours).as_deref(), wanted, "{key}");
        }
        let theirs: Layout = "{yyyy}/{dd}/{MM}/{HH}".parse().unwrap();
        assert_eq!(skip("CloudFront/2025/05/11/04/x.gz", Some(&theirs), hours), None, "the 5th of November, say they");
    }

    fn keys() -> impl Strategy<Value = Vec<String>> {
        let hour = (2024_i16..2028, 1_i8..13, 1_i8..29, 0_i8..24)
            .prop_map(|(y, m, d, h)| Hour::from_civil(y, m, d, h).unwrap());
        let folder = prop_oneof![
            Just(""),
            Just("p/"),
            Just("p/q/"),
            Just("AWSLogs/123456789012/"),
            Just("2024/01/01/"),
            Just("year=2025/month=02/day=03/")
        ];
        let key = (folder, hour, 0..6, "[a-z0-9]{1,3}").prop_map(|(folder, hour, kind, id)| {
            let [year, month, day, clock] = hour.folders();
            let end = hour.plus(1);
            match kind {
                0 => format!("{folder}E1EXAMPLE00001.{}.{id}.gz", written(hour)),
                1 => format!("{folder}E2EXAMPLE00002.{}.{id}.gz", written(hour)),
                2 => format!("{folder}CloudFront/{year}/{month}/{day}/{clock}/{id}.parquet"),
                3 => format!("{folder}E1EXAMPLE00001/year={year}/month={month}/day={day}/hour={clock}/{id}.json.gz"),
                4 => {
                    let [year, month, day, clock] = end.folders();
                    format!(
                        "{folder}elasticloadbalancing/us-east-1/{year}/{month}/{day}/1_elasticloadbalancing_us-east-1_app.a.b_{year}{month}{day}T{clock}00Z_1.2.3.4_{id}.log.gz"
                    )
                }
                _ => format!("{folder}{id}.log"),
            }
        });
        proptest::collection::vec(key, 1..60)
    }

    proptest! {
        #[test]
        fn no_key_of_an_hour_inside_is_ever_left_out(mut keys in keys(), first in 0_i64..35_000, count in 1_i64..2_000) {
            keys.sort();
            let start = Hour::from_civil(2024, 1, 1, 0).unwrap().plus(first);
            let hours = HourRange { start, end: start.plus(count) };
            for (place, key) in keys.iter().enumerate() {
                let Some(behind) = skip(key, None, hours) else { continue };
                prop_assert!(*key < behind, "{} goes on to {}", key, behind);
                for between in keys[place..].iter().take_while(|between| **between <= behind) {
                    let inside = matches!(read(between, None), Named::Log { hour, .. } if hours.contains(hour));
                    prop_assert!(!inside, "{} leaves {} out on the way to {}", key, between, behind);
                }
            }
        }
    }
}
