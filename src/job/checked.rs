//! A checked conversion: what was typed, made whole and judged before anything is touched.

use std::ops::Deref;
use std::time::Duration;

use super::cloud::{Cloud, archive_url_of};
use super::options::{Options, Typed};
use super::rows::RowChoices;
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::Naming;
use crate::kernel::source::parse::Settings;
use crate::location::refuse_overlap;
use crate::model::{Granularity, HOUR_SECONDS, Hour, HourRange, Table};

/// The least memory that a run can do its work in: one chunk in flight and the next one fetched.
/// `tests/memory.rs` keeps it.
pub const LEAST_MEMORY_BYTES: u64 = 512 << 20;

/// Refuses memory in which no chunk fits.
pub fn refuse_little_memory(memory_bytes: u64) -> Result<()> {
    if memory_bytes < LEAST_MEMORY_BYTES {
        let (given, least) = (bytesize::ByteSize(memory_bytes), bytesize::ByteSize(LEAST_MEMORY_BYTES));
        return Err(Error::usage(
            format!("--memory is {given}"),
            format!("give at least {least}: one chunk needs that"),
        ));
    }
    Ok(())
}

/// Refuses to work with no thread.
pub fn refuse_no_threads(threads: usize) -> Result<()> {
    if threads == 0 { Err(Error::usage("--threads is 0", "give at least 1")) } else { Ok(()) }
}

/// What is said where an argument is missing that a job file may have.
#[must_use]
pub fn missing(name: &str) -> Error {
    Error::usage(format!("no {name} was named"), format!("give --{name}, or a --job file that has it"))
}

/// A checked conversion. An option that needs no more than its value is read from `options`, or as
/// a field of the job: `job.lease` is `job.options.lease`. The other fields are what was made of
/// an option, or follows from several.
#[derive(Clone, Debug)]
pub struct Job {
    /// Every option, with its default where nothing was said.
    pub options: Options,
    /// Where the logs lie.
    pub from: String,
    /// Where the lake lies, or will.
    pub to: String,
    /// How objects are told apart.
    pub naming: Naming,
    /// The fields of logs without a header, by name.
    pub fields: Option<Vec<String>>,
    /// What separates values, where a log does not show it.
    pub delimiter: Option<Vec<u8>>,
    /// The hours that are wanted; all, where none are named.
    pub hours: Option<HourRange>,
    /// Whether the hours count back from now, so that a longer outage is caught up.
    pub catches_up: bool,
    /// How rows are made.
    pub rows: RowChoices,
    /// How the places are reached, and what becomes of the logs.
    pub cloud: Cloud,
}

impl Deref for Job {
    type Target = Options;

    fn deref(&self) -> &Options {
        &self.options
    }
}

impl Job {
    /// Checks what was typed. `now` is in seconds since 1970.
    pub fn new(typed: Typed, now: i64) -> Result<Self> {
        let mut options = typed.decided();
        let from = options.from.clone().ok_or_else(|| missing("from"))?;
        let to = options.to.clone().ok_or_else(|| missing("to"))?;
        refuse_overlap(&from, &to)?;
        let naming = options.naming()?;
        let cloud = Cloud::new(&options, &from, &to)?;
        let last = options.last.map(|last| last_hours(last, now)).transpose()?;
        refuse_no_threads(options.threads)?;
        refuse_little_memory(options.memory_bytes)?;
        if options.object_limit_bytes == 0 {
            return Err(Error::usage(
                "--object-limit is 0",
                "give at least what the largest object holds, such as 1GiB",
            ));
        }
        for ratio in [Some(options.reject_warn_ratio), options.reject_fail_ratio].into_iter().flatten() {
            if !(0.0..=1.0).contains(&ratio) {
                return Err(Error::usage(format!("a reject ratio is {ratio}"), "give a number from 0 to 1"));
            }
        }
        let fields = options.fields.as_deref().map(field_names).transpose()?;
        let delimiter = options.delimiter.as_deref().map(delimiter).transpose()?;
        let (hours, catches_up) = (options.hours.or(last), options.hours.is_none() && last.is_some());
        let rows = RowChoices::new(&options)?;
        // As `show-config` shows them: each choice in one spelling.
        options.last = options.last.filter(|_| options.hours.is_none());
        options.fields = fields.as_ref().map(|names| names.join(" "));
        options.delimiter = delimiter.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        options.distributions = naming.distributions.iter().cloned().collect();
        options.exclude = naming.exclude.patterns().map(str::to_owned).collect();
        Ok(Self { options, from, to, naming, fields, delimiter, hours, catches_up, rows, cloud })
    }

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

#[cfg(test)]
mod tests {
    use super::*;

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
}
