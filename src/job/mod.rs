//! What a conversion is to do: arguments and environment, checked and made whole before anything is
//! touched.

pub mod cloud;
mod file;
pub mod logs;
mod resolved;
pub mod rows;
pub mod said;

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use crate::compact::{SMALL_FILES, TARGET_BYTES};
use crate::edge::claims::LEASE;
use crate::edge::location::{Location, refuse_overlap};
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::Naming;
use crate::kernel::ledger::same::SameContent;
use crate::kernel::source::names::Layout;
use crate::kernel::source::parse::{OBJECT_LIMIT_BYTES, Settings};
use crate::lake::LedgerChoice;
use crate::model::{Granularity, HOUR_SECONDS, Hour, HourRange, Table, UnitId};
use crate::recovery::ORPHAN_AGE;

/// Memory that a run may use unless it is told otherwise.
pub const DEFAULT_MEMORY_BYTES: u64 = 1 << 30;

/// The least that a run can do its work in: one chunk in flight and the next one fetched.
/// `tests/memory.rs` keeps it.
pub const LEAST_MEMORY_BYTES: u64 = 512 << 20;

use cloud::{Cloud, TypedCloud};
use rows::{RowChoices, TypedRows};

/// The memory that a run may use, checked.
pub fn memory_bytes(typed: Option<u64>) -> Result<u64> {
    let memory_bytes = typed.unwrap_or(DEFAULT_MEMORY_BYTES);
    if memory_bytes < LEAST_MEMORY_BYTES {
        let (given, least) = (bytesize::ByteSize(memory_bytes), bytesize::ByteSize(LEAST_MEMORY_BYTES));
        return Err(Error::usage(
            format!("--memory is {given}"),
            format!("give at least {least}: one chunk needs that"),
        ));
    }
    Ok(memory_bytes)
}

/// A checked conversion.
#[derive(Clone, Debug)]
pub struct Job {
    /// Where the logs lie.
    pub from: String,
    /// Where the lake lies, or will.
    pub to: String,
    /// Where a new lake keeps its records; an old one where it always did.
    pub ledger: Option<LedgerChoice>,
    /// How long the partitions of a new lake are; those of an old one are as they are.
    pub partition: Option<Granularity>,
    /// How objects are told apart.
    pub naming: Naming,
    /// The fields of logs without a header, by name.
    pub fields: Option<Vec<String>>,
    /// What separates values, where a log does not show it.
    pub delimiter: Option<Vec<u8>>,
    /// The most text of one object.
    pub object_limit_bytes: u64,
    /// The hours that are wanted; all, where none are named.
    pub hours: Option<HourRange>,
    /// Whether the hours count back from now, so that a longer outage is caught up.
    pub catches_up: bool,
    /// How far they count back, where they do.
    pub last: Option<Duration>,
    /// The share of the units that this process works on.
    pub shard: Shard,
    /// How long another machine's claim holds that nobody renews.
    pub lease: Duration,
    /// How old a folder of unfinished work is that is taken for a dead process's.
    pub orphan_age: Duration,
    /// Small files of one unit in one hour from which on they are merged; 0 for never.
    pub compact_files: usize,
    /// The size that files are merged up to.
    pub target_bytes: u64,
    /// Threads that work.
    pub threads: usize,
    /// Memory that chunks in flight may need.
    pub memory_bytes: u64,
    /// Rejected lines per line read above which the exit code tells.
    pub reject_warn_ratio: f64,
    /// Rejected lines per line read of one unit above which it is not committed.
    pub reject_fail_ratio: Option<f64>,
    /// What becomes of objects that are the same as others under other keys.
    pub same_content: SameContent,
    /// How rows are made.
    pub rows: RowChoices,
    /// How the places are reached, and what becomes of the logs.
    pub cloud: Cloud,
}

/// What was typed, with nothing decided.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is the field of `Job` of its name")]
pub struct Typed {
    pub from: Option<String>,
    pub to: Option<String>,
    pub ledger: Option<LedgerChoice>,
    pub partition: Option<Granularity>,
    pub table: Option<Table>,
    pub layout: Option<Layout>,
    pub distributions: Option<Vec<String>>,
    pub exclude: Option<Vec<String>>,
    pub fields: Option<String>,
    pub delimiter: Option<String>,
    pub object_limit_bytes: Option<u64>,
    pub hours: Option<HourRange>,
    pub last: Option<Duration>,
    pub shard: Option<Shard>,
    pub lease: Option<Duration>,
    pub orphan_age: Option<Duration>,
    pub compact_files: Option<usize>,
    pub target_bytes: Option<u64>,
    pub threads: Option<usize>,
    pub memory_bytes: Option<u64>,
    pub reject_warn_ratio: Option<f64>,
    pub reject_fail_ratio: Option<f64>,
    pub same_content: Option<SameContent>,
    pub rows: TypedRows,
    pub cloud: TypedCloud,
}

/// What is said where an argument is missing that a job file may have.
#[must_use]
pub fn missing(name: &str) -> Error {
    Error::usage(format!("no {name} was named"), format!("give --{name}, or a --job file that has it"))
}

impl Typed {
    /// What a job file says wherever nothing was typed.
    pub fn over_file(self, path: Option<&Path>) -> Result<Self> {
        match path {
            Some(path) => Ok(self.or(file::read(path)?)),
            None => Ok(self),
        }
    }

    fn or(self, file: Self) -> Self {
        // Two ways of naming hours exclude each other: what was typed is meant.
        let last = if self.hours.is_some() { None } else { self.last.or(file.last) };
        Self {
            from: self.from.or(file.from),
            to: self.to.or(file.to),
            ledger: self.ledger.or(file.ledger),
            partition: self.partition.or(file.partition),
            table: self.table.or(file.table),
            layout: self.layout.or(file.layout),
            distributions: self.distributions.or(file.distributions),
            exclude: self.exclude.or(file.exclude),
            fields: self.fields.or(file.fields),
            delimiter: self.delimiter.or(file.delimiter),
            object_limit_bytes: self.object_limit_bytes.or(file.object_limit_bytes),
            hours: self.hours.or(file.hours.filter(|_| self.last.is_none())),
            last,
            shard: self.shard.or(file.shard),
            lease: self.lease.or(file.lease),
            orphan_age: self.orphan_age.or(file.orphan_age),
            compact_files: self.compact_files.or(file.compact_files),
            target_bytes: self.target_bytes.or(file.target_bytes),
            threads: self.threads.or(file.threads),
            memory_bytes: self.memory_bytes.or(file.memory_bytes),
            reject_warn_ratio: self.reject_warn_ratio.or(file.reject_warn_ratio),
            reject_fail_ratio: self.reject_fail_ratio.or(file.reject_fail_ratio),
            same_content: self.same_content.or(file.same_content),
            rows: TypedRows {
                bots: self.rows.bots.or(file.rows.bots),
                ua_regexes: self.rows.ua_regexes.or(file.rows.ua_regexes),
                http_libraries: self.rows.http_libraries.or(file.rows.http_libraries),
                client_ip: self.rows.client_ip.or(file.rows.client_ip),
                client_ip_key_file: self.rows.client_ip_key_file.or(file.rows.client_ip_key_file),
                drop: self.rows.drop.or(file.rows.drop),
                redact: self.rows.redact.or(file.rows.redact),
            },
            cloud: self.cloud.or(file.cloud),
        }
    }
}

impl Job {
    /// Checks what was typed. `now` is in seconds since 1970.
    pub fn new(typed: Typed, now: i64) -> Result<Self> {
        let from = typed.from.clone().ok_or_else(|| missing("from"))?;
        let to = typed.to.clone().ok_or_else(|| missing("to"))?;
        refuse_overlap(&from, &to)?;
        let naming = typed.naming()?;
        let cloud = Cloud::new(typed.cloud, &from, &to)?;
        let counted = typed.last.filter(|_| typed.hours.is_none());
        let last = typed.last.map(|last| last_hours(last, now)).transpose()?;
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = typed.threads.unwrap_or(cores);
        if threads == 0 {
            return Err(Error::usage("--threads is 0", "give at least 1"));
        }
        let memory_bytes = memory_bytes(typed.memory_bytes)?;
        if typed.object_limit_bytes == Some(0) {
            return Err(Error::usage(
                "--object-limit is 0",
                "give at least what the largest object holds, such as 1GiB",
            ));
        }
        for ratio in typed.reject_warn_ratio.iter().chain(&typed.reject_fail_ratio) {
            if !(0.0..=1.0).contains(ratio) {
                return Err(Error::usage(format!("a reject ratio is {ratio}"), "give a number from 0 to 1"));
            }
        }
        Ok(Self {
            from,
            to,
            ledger: typed.ledger,
            partition: typed.partition,
            naming,
            fields: typed.fields.as_deref().map(field_names).transpose()?,
            delimiter: typed.delimiter.as_deref().map(delimiter).transpose()?,
            object_limit_bytes: typed.object_limit_bytes.unwrap_or(OBJECT_LIMIT_BYTES),
            hours: typed.hours.or(last),
            catches_up: typed.hours.is_none() && last.is_some(),
            last: counted,
            lease: typed.lease.unwrap_or(LEASE),
            orphan_age: typed.orphan_age.unwrap_or(ORPHAN_AGE),
            compact_files: typed.compact_files.unwrap_or(SMALL_FILES),
            target_bytes: typed.target_bytes.unwrap_or(TARGET_BYTES),
            shard: typed.shard.unwrap_or(Shard { index: 0, count: 1 }),
            threads,
            memory_bytes,
            reject_warn_ratio: typed.reject_warn_ratio.unwrap_or(0.01),
            reject_fail_ratio: typed.reject_fail_ratio,
            same_content: typed.same_content.unwrap_or_default(),
            rows: RowChoices::new(typed.rows)?,
            cloud,
        })
    }
}

impl Job {
    /// The canonical URL of the archive, where one is named.
    pub fn archive_url(&self) -> Result<Option<String>> {
        archive_url_of(self.cloud.archive.as_deref())
    }

    /// What a decoder needs to know of the logs of a table.
    #[must_use]
    pub fn settings(&self, table: Table, granularity: Granularity) -> Settings {
        let (fields, delimiter) = (self.fields.clone(), self.delimiter.clone());
        Settings { granularity, fields, delimiter, object_limit_bytes: self.object_limit_bytes, ..Settings::of(table) }
    }
}

fn archive_url_of(archive: Option<&str>) -> Result<Option<String>> {
    Ok(archive.map(Location::planned).transpose()?.map(|place| place.url()))
}

/// Names separated by spaces, commas or tabs.
fn field_names(text: &str) -> Result<Vec<String>> {
    let names = text.split([' ', ',', '\t', '\n']).filter(|name| !name.is_empty());
    let names: Vec<String> = names.map(str::to_owned).collect();
    if names.is_empty() {
        return Err(Error::usage("--fields names no field", "write it as 'date time c-ip sc-status'"));
    }
    Ok(names)
}

/// Itself, or by its usual name.
fn delimiter(text: &str) -> Result<Vec<u8>> {
    match text {
        "\\t" | "tab" => Ok(b"\t".to_vec()),
        "space" => Ok(b" ".to_vec()),
        _ if text.is_empty() || text.contains(['\n', '\r']) => Err(Error::usage(
            format!("--delimiter is '{}'", text.escape_debug()),
            "give what separates values on a line, such as ',' or '||' or tab or space",
        )),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

/// The hours of the last `last`, the current one included.
fn last_hours(last: Duration, now: i64) -> Result<HourRange> {
    let seconds = i64::try_from(last.as_secs()).unwrap_or(i64::MAX);
    let hours = seconds / HOUR_SECONDS + i64::from(seconds % HOUR_SECONDS != 0);
    if hours == 0 || hours > 24 * 366 * 100 {
        return Err(Error::usage("--last is no sensible time", "write it as 26h or 3days"));
    }
    let end = Hour::of_unix_seconds(now).plus(1);
    Ok(HourRange { start: end.plus(-hours - 1), end })
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
}

impl Shard {
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

impl std::str::FromStr for Shard {
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
    use crate::model::Table;

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
    fn the_last_hours_reach_back_from_the_current_one() {
        let now = "2026-11-21T05".parse::<Hour>().unwrap().start_unix_seconds() + 1_800;
        let range = last_hours(std::time::Duration::from_hours(26), now).unwrap();
        assert_eq!(range.to_string(), "2026-11-20T03..2026-11-21T06");
        assert!(last_hours(std::time::Duration::ZERO, now).is_err());
    }

    #[test]
    fn delimiters_and_fields_are_read_as_people_write_them() {
        for (text, bytes) in
            [("tab", "\t"), ("\\t", "\t"), ("\t", "\t"), (",", ","), ("space", " "), (" ", " "), ("||", "||")]
        {
            assert_eq!(delimiter(text).unwrap(), bytes.as_bytes(), "{text}");
        }
        assert!(delimiter("").is_err() && delimiter("\n").is_err());
        assert_eq!(field_names("date, time\tc-ip").unwrap(), ["date", "time", "c-ip"]);
        assert!(field_names(" ,").is_err());
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
