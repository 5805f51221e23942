//! Hours of UTC time and ranges of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Seconds in an hour.
pub const HOUR_SECONDS: i64 = 3_600;

/// An hour of UTC time, counted from 1970-01-01T00.
///
/// Written `2026-11-21T05` on the command line and in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hour(i64);

impl Hour {
    /// The hour that holds an instant, given in seconds since 1970 (earlier instants are negative).
    #[must_use]
    pub const fn of_unix_seconds(seconds: i64) -> Self {
        Self(seconds.div_euclid(HOUR_SECONDS))
    }

    /// The hour of a civil date, or `None` where there is no such date or hour.
    #[must_use]
    pub fn from_civil(year: i16, month: i8, day: i8, hour: i8) -> Option<Self> {
        if !(0..24).contains(&hour) {
            return None;
        }
        let days = days_from_civil(year, month, day)?;
        Some(Self(days * 24 + i64::from(hour)))
    }

    /// The first second of this hour, counted from 1970.
    #[must_use]
    pub const fn start_unix_seconds(self) -> i64 {
        self.0 * HOUR_SECONDS
    }

    /// The hour `count` hours later (earlier, where negative).
    #[must_use]
    pub const fn plus(self, count: i64) -> Self {
        Self(self.0 + count)
    }

    /// Hours from `earlier` to this one.
    #[must_use]
    pub const fn hours_since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Year, month, day and hour as the partition folders write them: zero-padded decimal strings.
    #[must_use]
    pub fn folders(self) -> [String; 4] {
        let (year, month, day) = civil_from_days(self.0.div_euclid(24));
        let hour = self.0.rem_euclid(24);
        [format!("{year:04}"), format!("{month:02}"), format!("{day:02}"), format!("{hour:02}")]
    }

    /// As file names have it: `2026112105`.
    #[must_use]
    pub fn compact(self) -> String {
        self.folders().concat()
    }

    /// The civil date and hour of day.
    #[must_use]
    pub fn civil(self) -> (i16, i8, i8, i8) {
        let (year, month, day) = civil_from_days(self.0.div_euclid(24));
        (year, month, day, i8::try_from(self.0.rem_euclid(24)).unwrap_or(0))
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day, hour) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}")
    }
}

impl FromStr for Hour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no hour; write it as 2026-11-21T05 (UTC)");
        let (date, hour) = text.split_once('T').ok_or_else(wrong)?;
        let mut parts = date.split('-');
        let (Some(year), Some(month), Some(day), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(wrong());
        };
        let well_formed = [(year, 4), (month, 2), (day, 2), (hour, 2)]
            .iter()
            .all(|(part, len)| part.len() == *len && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !well_formed {
            return Err(wrong());
        }
        let number = |part: &str| part.parse::<i16>().map_err(|_| wrong());
        let small = |part: &str| part.parse::<i8>().map_err(|_| wrong());
        Self::from_civil(number(year)?, small(month)?, small(day)?, small(hour)?).ok_or_else(wrong)
    }
}

written_as_text!(Hour);

/// A half-open range of hours, written `2026-11-21T00..2026-11-22T00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HourRange {
    /// The first hour inside.
    pub start: Hour,
    /// The first hour after it that is outside.
    pub end: Hour,
}

impl HourRange {
    /// Whether two ranges have an hour in common.
    #[must_use]
    pub fn meets(&self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// The smallest range that holds both.
    #[must_use]
    pub fn join(&self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// Whether the range holds an hour.
    #[must_use]
    pub fn contains(&self, hour: Hour) -> bool {
        self.start <= hour && hour < self.end
    }

    /// How many hours it holds.
    #[must_use]
    pub fn hours(&self) -> u64 {
        u64::try_from(self.end.hours_since(self.start)).unwrap_or(0)
    }
}

impl FromStr for HourRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (start, end) = text
            .split_once("..")
            .ok_or_else(|| format!("'{text}' is no range of hours; write it as 2026-11-21T00..2026-11-22T00"))?;
        let range = Self { start: start.parse()?, end: end.parse()? };
        if range.start >= range.end {
            return Err(format!("'{text}' holds no hour: its end must come after its start"));
        }
        Ok(range)
    }
}

written_as_text!(HourRange);

impl fmt::Display for HourRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar, or `None` where there is no
/// such date.
#[must_use]
pub fn days_from_civil(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    Some(date.duration_since(epoch).as_hours() / 24)
}

fn civil_from_days(days: i64) -> (i16, i8, i8) {
    let epoch = jiff::civil::Date::constant(1970, 1, 1);
    let days = jiff::Span::new().try_days(days);
    let date = days.and_then(|span| epoch.checked_add(span)).unwrap_or(epoch);
    (date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_written_and_read_alike() {
        for text in ["2026-11-21T05", "1969-12-31T23", "2000-02-29T00"] {
            assert_eq!(text.parse::<Hour>().unwrap().to_string(), text);
        }
        for text in
            ["2026-11-21", "2026-11-21T24", "2026-02-30T00", "2026-11-21T5", "26-11-21T05", "2026-11-21T05:00", ""]
        {
            assert!(text.parse::<Hour>().is_err(), "{text} is no hour");
        }
    }

    #[test]
    fn instants_fall_into_their_hour() {
        let hour: Hour = "2026-11-21T05".parse().unwrap();
        let start = hour.start_unix_seconds();
        assert_eq!(Hour::of_unix_seconds(start - 1), hour.plus(-1));
        assert_eq!(Hour::of_unix_seconds(start), hour);
        assert_eq!(Hour::of_unix_seconds(start + 3_599), hour);
        assert_eq!(Hour::of_unix_seconds(-1).to_string(), "1969-12-31T23");
    }

    #[test]
    fn ranges_are_half_open_and_never_empty() {
        let range: HourRange = "2026-11-21T00..2026-11-22T00".parse().unwrap();
        assert_eq!(range.hours(), 24);
        assert!(range.contains("2026-11-21T23".parse().unwrap()));
        assert!(!range.contains("2026-11-22T00".parse().unwrap()));
        assert!("2026-11-21T00..2026-11-21T00".parse::<HourRange>().is_err());
        assert!("2026-11-21T00".parse::<HourRange>().is_err());
    }
}
