//! What an option may be where it is a word of a few.

use std::fmt;
use std::str::FromStr;

use crate::kernel::schema::{SOURCES, source, source_named};
use crate::model::{HourRange, Table, UnitId};

/// Which logs objects are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormatChoice {
    /// Each object's name and first bytes say.
    #[default]
    Auto,
    /// Logs of this table, whatever their names.
    Of(Table),
}

impl FormatChoice {
    /// Every word for it, with its meaning.
    #[must_use]
    pub fn words() -> Vec<(&'static str, String)> {
        let auto = ("auto", "By their names and first bytes".to_owned());
        let named = SOURCES.iter().map(|source| (source.cli_name, format!("Every object is {}", source.words.one)));
        std::iter::once(auto).chain(named).collect()
    }

    /// The word for the logs of a table.
    #[must_use]
    pub fn word(table: Table) -> &'static str {
        source(table).map_or("auto", |source| source.cli_name)
    }

    /// The table, where one is named.
    #[must_use]
    pub const fn table(self) -> Option<Table> {
        match self {
            Self::Auto => None,
            Self::Of(table) => Some(table),
        }
    }
}

impl FromStr for FormatChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        source_named(text).map(|source| Self::Of(source.table)).ok_or_else(|| {
            let names: Vec<&str> = SOURCES.iter().map(|source| source.cli_name).collect();
            let (last, others) = names.split_last().unwrap_or((&"auto", &[]));
            format!("'{text}' is none of auto, {} and {last}", others.join(", "))
        })
    }
}

impl fmt::Display for FormatChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table().map_or("auto", Self::word))
    }
}

/// What HTTP libraries count as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Libraries {
    /// `is_bot` is true.
    #[default]
    Bots,
    /// `is_bot` is false: they are the owner's own apps.
    Apps,
}

impl FromStr for Libraries {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "bots" => Ok(Self::Bots),
            "apps" => Ok(Self::Apps),
            _ => Err(format!("'{text}' is neither bots nor apps")),
        }
    }
}

impl fmt::Display for Libraries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bots => "bots",
            Self::Apps => "apps",
        })
    }
}

/// What is to be kept of clients' addresses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClientIpChoice {
    /// All.
    #[default]
    Keep,
    /// Their networks.
    Truncate,
    /// Hashes under a key.
    Hash,
}

impl FromStr for ClientIpChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "truncate" => Ok(Self::Truncate),
            "hash" => Ok(Self::Hash),
            _ => Err(format!("'{text}' is none of keep, truncate and hash")),
        }
    }
}

impl fmt::Display for ClientIpChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Truncate => "truncate",
            Self::Hash => "hash",
        })
    }
}

/// What becomes of a raw object once its rows are seen everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterChoice {
    /// It stays where it is.
    #[default]
    Keep,
    /// It goes to the archive, into Hive-style folders.
    Move,
    /// It goes.
    Delete,
}

impl FromStr for AfterChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "move" => Ok(Self::Move),
            "delete" => Ok(Self::Delete),
            _ => Err(format!("'{text}' is none of keep, move and delete")),
        }
    }
}

impl fmt::Display for AfterChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Move => "move",
            Self::Delete => "delete",
        })
    }
}

/// A share of the units: `index` of `count`, written `0/4`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 0.
    pub index: u64,
    /// At least 1.
    pub count: u64,
}

impl Shard {
    /// Whether a unit is in this share. Which share a unit is in depends on its name and the count
    /// alone.
    #[must_use]
    pub fn takes(&self, unit: &UnitId) -> bool {
        // FNV-1a (offset basis and prime of its specification): the same on every machine and in
        // every version.
        let hash = unit
            .to_string()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
        // The last letters of an hour's name reach the low bits and the high ones, not those
        // between: mixed, as MurmurHash3 ends.
        let mix = |hash: u64, factor: u64| (hash ^ (hash >> 33)).wrapping_mul(factor);
        let mixed = mix(mix(hash, 0xff51_afd7_ed55_8ccd), 0xc4ce_b9fe_1a85_ec53);
        (mixed ^ (mixed >> 33)) % self.count == self.index
    }

    /// This share of some hours as hours side by side; nothing where they are fewer than the
    /// shares.
    #[must_use]
    pub fn slice(&self, hours: HourRange) -> Option<HourRange> {
        let of =
            |share: u64| i64::try_from(u128::from(hours.hours()) * u128::from(share) / u128::from(self.count)).ok();
        let slice = HourRange { start: hours.start.plus(of(self.index)?), end: hours.start.plus(of(self.index + 1)?) };
        (hours.hours() >= self.count).then_some(slice)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no share; write it as 0/4 for the first of four");
        let (index, count) = text.split_once('/').ok_or_else(wrong)?;
        let shard = Self { index: index.parse().map_err(|_| wrong())?, count: count.parse().map_err(|_| wrong())? };
        if shard.index < shard.count { Ok(shard) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hour;

    #[test]
    fn slices_of_hours_make_the_whole() {
        let all: HourRange = "2026-11-21T00..2026-11-22T01".parse().unwrap();
        for count in [1, 4, 25] {
            let slices: Vec<HourRange> = (0..count).filter_map(|index| Shard { index, count }.slice(all)).collect();
            assert_eq!((slices[0].start, slices[slices.len() - 1].end), (all.start, all.end));
            assert!(slices.windows(2).all(|two| two[0].end == two[1].start && two[0].start < two[0].end));
        }
        assert_eq!(Shard { index: 0, count: 26 }.slice(all), None);
    }

    #[test]
    fn shares_of_some_days_are_alike() {
        let first = Hour::from_civil(2026, 11, 21, 0).unwrap();
        let hours: Vec<UnitId> =
            (0..240).map(|hour| UnitId::of_hour(Table::CloudfrontLogs, first.plus(hour))).collect();
        for count in [2, 4, 7] {
            let share = |index| hours.iter().filter(|unit| Shard { index, count }.takes(unit)).count() as u64;
            let shares: Vec<u64> = (0..count).map(share).collect();
            assert_eq!(shares.iter().sum::<u64>(), 240);
            assert!(shares.iter().all(|share| (120 / count..480 / count).contains(share)), "{shares:?}");
        }
    }

    #[test]
    fn every_unit_is_in_exactly_one_share() {
        let start: Hour = "2026-11-21T00".parse().unwrap();
        let mut taken = [0; 4];
        for hour in 0..1_000 {
            let unit = UnitId::of_hour(Table::CloudfrontLogs, start.plus(hour));
            let takers: Vec<u64> = (0..4).filter(|index| Shard { index: *index, count: 4 }.takes(&unit)).collect();
            assert_eq!(takers.len(), 1);
            taken[usize::try_from(takers[0]).unwrap()] += 1;
        }
        assert!(taken.iter().all(|count| (180..320).contains(count)), "{taken:?}");
        assert!("4/4".parse::<Shard>().is_err() && "1".parse::<Shard>().is_err());
    }
}
