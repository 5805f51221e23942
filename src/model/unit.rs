//! Raw objects, and the units in which they are converted.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::hour::{Hour, HourRange};
use super::partition::{Granularity, Period};
use super::table::Table;

/// A raw object as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// The key, from the root of the source.
    pub key: String,
    /// What the store says identifies these very bytes.
    pub etag: String,
    /// Stored (compressed) size.
    pub size_bytes: u64,
}

/// What one worker takes as a whole: the raw objects of one source whose names belong together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum UnitId {
    /// The objects named for one hour; in a lake of longer partitions for one day or month, since
    /// files hold rows of one unit only, and many hours of few rows are to become few files.
    #[serde(rename = "Hour")]
    Timed(Table, Period),
    /// The objects of one folder whose names carry no time; the text is the folder.
    Untimed(Table, String),
}

impl UnitId {
    /// The table that the unit's rows go to.
    #[must_use]
    pub const fn table(&self) -> Table {
        match self {
            Self::Timed(table, _) | Self::Untimed(table, _) => *table,
        }
    }

    /// The unit of a table whose objects are named for one hour.
    #[must_use]
    pub fn of_hour(table: Table, hour: Hour) -> Self {
        Self::Timed(table, Period::of(Granularity::Hour, hour))
    }

    /// The hour, day or month in the names of the unit's objects.
    #[must_use]
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Timed(_, period) => Some(*period),
            Self::Untimed(..) => None,
        }
    }

    /// The hours in the names of the unit's objects.
    #[must_use]
    pub fn hours(&self) -> Option<HourRange> {
        self.period().map(Period::hours)
    }

    /// Whether the unit is asked for by a range of hours, or by no range. One without a time
    /// belongs to no range.
    #[must_use]
    pub fn meets(&self, asked: Option<HourRange>) -> bool {
        asked.is_none_or(|asked| self.hours().is_some_and(|hours| hours.meets(asked)))
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Timed(table, period) => write!(f, "{table}/{period}"),
            Self::Untimed(table, folder) => write!(f, "{table}/untimed/{folder}"),
        }
    }
}
