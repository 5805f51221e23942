//! Partitions: the hour, day or month of a table that a catalog knows as one folder.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::hour::{Hour, HourRange};
use super::table::Table;

/// How long the partitions of a lake are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Granularity {
    /// An hour.
    #[default]
    Hour,
    /// A day, for logs of few rows: their hours would be files too small to be worth a look each.
    Day,
    /// A month.
    Month,
}

impl Granularity {
    /// The columns that name a partition: as many of year, month, day and hour as it takes.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        const ALL: [&str; 4] = ["year", "month", "day", "hour"];
        ALL.split_at(self.depth()).0
    }

    const fn depth(self) -> usize {
        match self {
            Self::Hour => 4,
            Self::Day => 3,
            Self::Month => 2,
        }
    }

    /// The first hour of the partition that holds an hour.
    #[must_use]
    pub fn start(self, hour: Hour) -> Hour {
        let (year, month, _, of_day) = hour.civil();
        match self {
            Self::Hour => hour,
            Self::Day => hour.plus(-i64::from(of_day)),
            Self::Month => Hour::from_civil(year, month, 1, 0).unwrap_or(hour),
        }
    }

    /// The first hour after the partition that begins with `start`.
    #[must_use]
    pub fn end(self, start: Hour) -> Hour {
        match self {
            Self::Hour => start.plus(1),
            Self::Day => start.plus(24),
            // No month is shorter than 28 days or longer than 31.
            Self::Month => self.start(start.plus(32 * 24)),
        }
    }

    /// The hours of all partitions that hold an hour of a range.
    #[must_use]
    pub fn whole(self, hours: HourRange) -> HourRange {
        let last = self.start(hours.end.plus(-1));
        HourRange { start: self.start(hours.start), end: self.end(last) }
    }
}

impl fmt::Display for Granularity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        })
    }
}

impl FromStr for Granularity {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Hour, Self::Day, Self::Month]
            .into_iter()
            .find(|granularity| granularity.to_string() == text)
            .ok_or_else(|| format!("'{text}' is no length of a partition; write hour, day or month"))
    }
}

/// An hour, day or month: what the names of a unit's objects have in common.
///
/// Written `2026-11-21T05`, `2026-11-21` or `2026-11`. Those of one lake are of one length, so
/// their texts sort by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Period {
    start: Hour,
    granularity: Granularity,
}

impl Period {
    /// The period that holds an hour.
    #[must_use]
    pub fn of(granularity: Granularity, hour: Hour) -> Self {
        Self { start: granularity.start(hour), granularity }
    }

    /// How long it is.
    #[must_use]
    pub const fn granularity(self) -> Granularity {
        self.granularity
    }

    /// Its hours.
    #[must_use]
    pub fn hours(self) -> HourRange {
        HourRange { start: self.start, end: self.granularity.end(self.start) }
    }

    /// As file names have it: `2026112105`, `20261121` or `202611`.
    #[must_use]
    pub fn compact(self) -> String {
        self.start.folders().into_iter().take(self.granularity.depth()).collect()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.start.to_string();
        let end = match self.granularity {
            Granularity::Hour => text.len(),
            Granularity::Day => 10,
            Granularity::Month => 7,
        };
        f.write_str(text.get(..end).unwrap_or_default())
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (granularity, rest) = match text.len() {
            7 => (Granularity::Month, "-01T00"),
            10 => (Granularity::Day, "T00"),
            _ => (Granularity::Hour, ""),
        };
        Ok(Self { start: format!("{text}{rest}").parse()?, granularity })
    }
}

written_as_text!(Period);

/// An hour, day or month of one table: the folder that a catalog knows as one partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "WrittenPartition", into = "WrittenPartition")]
pub struct Partition {
    /// The table.
    pub table: Table,
    /// The first hour of the rows' own time.
    pub hour: Hour,
    /// How many hours it holds.
    pub granularity: Granularity,
}

#[derive(Serialize, Deserialize)]
struct WrittenPartition {
    table: Table,
    hour: String,
}

impl From<Partition> for WrittenPartition {
    fn from(partition: Partition) -> Self {
        Self { table: partition.table, hour: partition.time() }
    }
}

impl TryFrom<WrittenPartition> for Partition {
    type Error = String;

    fn try_from(written: WrittenPartition) -> Result<Self, String> {
        let WrittenPartition { table, hour } = written;
        Self::at(table, &hour).ok_or_else(|| format!("'{hour}' is no partition's time"))
    }
}

impl Partition {
    /// The partition that holds an hour.
    #[must_use]
    pub fn of(table: Table, granularity: Granularity, hour: Hour) -> Self {
        Self { table, hour: granularity.start(hour), granularity }
    }

    /// The partition of a time as [`Self::time`] writes it.
    #[must_use]
    pub fn at(table: Table, time: &str) -> Option<Self> {
        let Period { start, granularity } = time.parse().ok()?;
        Some(Self { table, hour: start, granularity })
    }

    /// Its time: `2026-11-21T05`, `2026-11-21` or `2026-11`. Of one lake all are of one length, so
    /// they sort by time.
    #[must_use]
    pub fn time(&self) -> String {
        self.period().to_string()
    }

    /// Its hour, day or month.
    #[must_use]
    pub const fn period(&self) -> Period {
        Period { start: self.hour, granularity: self.granularity }
    }

    /// Its hours.
    #[must_use]
    pub fn hours(&self) -> HourRange {
        self.period().hours()
    }

    /// The values of [`Granularity::columns`].
    #[must_use]
    pub fn values(&self) -> Vec<String> {
        self.hour.folders().into_iter().take(self.granularity.depth()).collect()
    }

    /// The partition with these values.
    #[must_use]
    pub fn of_values(table: Table, values: &[&str]) -> Option<Self> {
        let time = match values {
            [year, month] => format!("{year}-{month}"),
            [year, month, day] => format!("{year}-{month}-{day}"),
            [year, month, day, hour] => format!("{year}-{month}-{day}T{hour}"),
            _ => return None,
        };
        Self::at(table, &time).filter(|partition| partition.values() == values)
    }

    /// The folder below the lake: `cloudfront_logs/year=2026/month=11/day=22/hour=05`.
    #[must_use]
    pub fn folder(&self) -> String {
        let named = self.granularity.columns().iter().zip(self.values());
        named.fold(self.table.to_string(), |folder, (name, value)| format!("{folder}/{name}={value}"))
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.table, self.time())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_names_its_folder() {
        let of = |granularity| Partition::of(Table::CloudfrontLogs, granularity, "2026-01-02T03".parse().unwrap());
        assert_eq!(of(Granularity::Hour).folder(), "cloudfront_logs/year=2026/month=01/day=02/hour=03");
        assert_eq!(of(Granularity::Day).folder(), "cloudfront_logs/year=2026/month=01/day=02");
        assert_eq!(of(Granularity::Month).folder(), "cloudfront_logs/year=2026/month=01");
        for (granularity, last) in [
            (Granularity::Hour, "2026-01-02T03"),
            (Granularity::Day, "2026-01-02T23"),
            (Granularity::Month, "2026-01-31T23"),
        ] {
            let partition = of(granularity);
            assert_eq!(Partition::at(partition.table, &partition.time()), Some(partition));
            let values = partition.values();
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            assert_eq!(Partition::of_values(partition.table, &values), Some(partition));
            let written = serde_json::to_string(&partition).unwrap();
            assert_eq!(serde_json::from_str::<Partition>(&written).unwrap(), partition, "{written}");
            assert_eq!(partition.hours().end.plus(-1).to_string(), last);
        }
        for values in [vec!["2026", "1"], vec!["2026"], vec!["2026", "13"], vec!["2026", "01", "02", "24"]] {
            assert_eq!(Partition::of_values(Table::AlbLogs, &values), None, "{values:?}");
        }
        let hours = "2026-01-31T05..2026-02-01T02".parse().unwrap();
        assert_eq!(Granularity::Day.whole(hours).to_string(), "2026-01-31T00..2026-02-02T00");
        assert_eq!(Granularity::Month.whole(hours).to_string(), "2026-01-01T00..2026-03-01T00");
    }
}
