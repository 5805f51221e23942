//! How far a long run is: bars where a person looks on, log lines where nobody does.

use std::collections::{HashMap, HashSet};
use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytesize::ByteSize;
use indicatif::{ProgressBar, ProgressStyle};

use crate::model::{Period, UnitId};
use crate::stats;

/// Time between two log lines.
const LOG_EVERY: Duration = Duration::from_secs(5);

/// What is counted on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Stored bytes of logs.
    Bytes,
    /// Rows.
    Rows,
    /// Hours of a table.
    Partitions,
}

impl Measure {
    fn text(self, count: u64) -> String {
        match self {
            Self::Bytes => ByteSize(count).to_string(),
            Self::Rows => stats::count(count, "row"),
            Self::Partitions => stats::count(count, "partition"),
        }
    }

    /// The bar's line: hours done (of bytes; rows are made in no order), how much of how much,
    /// rate, time left.
    const fn template(self) -> &'static str {
        match self {
            Self::Bytes => "{prefix} hours [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec}, {eta} left",
            Self::Rows => "[{bar:30}] {human_pos}/{human_len} rows {per_sec}, {eta} left",
            Self::Partitions => "[{bar:30}] {human_pos}/{human_len} partitions, {eta} left",
        }
    }
}

/// The progress of one run over hours of logs.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
    measure: Measure,
    begun: Instant,
    logged: Mutex<Instant>,
    hours: u64,
    total: u64,
    /// Units that are left of each hour: an hour of two tables is done when both are.
    left: Mutex<HashMap<HourOrFolder, usize>>,
    done_hours: AtomicU64,
    done: AtomicU64,
}

/// What a person counts units by: their hour (or day, or month), or the folder of those without
/// one.
type HourOrFolder = Result<Period, String>;

fn hour_or_folder(unit: &UnitId) -> HourOrFolder {
    match unit {
        UnitId::Untimed(_, folder) => Err(folder.clone()),
        UnitId::Timed(_, period) => Ok(*period),
    }
}

/// How many different hours some units are of; folders without hours count as one each.
#[must_use]
pub fn distinct_hours<'u>(units: impl Iterator<Item = &'u UnitId>) -> u64 {
    units.map(hour_or_folder).collect::<HashSet<HourOrFolder>>().len() as u64
}

impl Progress {
    /// Begins, with all that is to be done.
    #[must_use]
    pub fn begin(measure: Measure, hours: u64, total: u64) -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(total).with_prefix(format!("0/{hours}"));
            if let Ok(style) = ProgressStyle::with_template(measure.template()) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        let now = Instant::now();
        let (left, done_hours, done) = (Mutex::default(), AtomicU64::new(0), AtomicU64::new(0));
        Self { bar, measure, begun: now, logged: Mutex::new(now), hours, total, left, done_hours, done }
    }

    /// Begins with units of logs of so many bytes.
    #[must_use]
    pub fn of_units<'u>(units: impl Iterator<Item = &'u UnitId>, bytes: u64) -> Self {
        let mut left: HashMap<HourOrFolder, usize> = HashMap::new();
        units.for_each(|unit| *left.entry(hour_or_folder(unit)).or_default() += 1);
        let mut progress = Self::begin(Measure::Bytes, left.len() as u64, bytes);
        progress.left = Mutex::new(left);
        progress
    }

    /// Some of it was done.
    pub fn add(&self, count: u64) {
        let done = self.done.fetch_add(count, Ordering::Relaxed) + count;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            return;
        }
        let Ok(mut logged) = self.logged.lock() else { return };
        if logged.elapsed() >= LOG_EVERY {
            *logged = Instant::now();
            let rate = rate(done, self.begun.elapsed());
            let left = self.total.saturating_sub(done) / rate.max(1);
            let text = |count| self.measure.text(count);
            let hours = match self.measure {
                Measure::Bytes => format!("{}/{} hours, ", self.done_hours.load(Ordering::Relaxed), self.hours),
                Measure::Rows | Measure::Partitions => String::new(),
            };
            tracing::info!("{hours}{} of {}, {}/s, {left} s left", text(done), text(self.total), text(rate));
        }
    }

    /// A unit was done.
    pub fn unit(&self, unit: &UnitId) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(of_hour) = left.get_mut(&hour_or_folder(unit)) else { return };
        *of_hour = of_hour.saturating_sub(1);
        if *of_hour > 0 {
            return;
        }
        let done = self.done_hours.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(bar) = &self.bar {
            bar.set_prefix(format!("{done}/{}", self.hours));
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Counts a second.
fn rate(count: u64, elapsed: Duration) -> u64 {
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    count.saturating_mul(1_000) / milliseconds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Table;

    #[test]
    fn an_hour_of_two_tables_is_one() {
        let hour: crate::model::Hour = "2026-11-21T05".parse().unwrap();
        let units = [
            UnitId::of_hour(Table::CloudfrontLogs, hour),
            UnitId::of_hour(Table::AlbLogs, hour),
            UnitId::of_hour(Table::AlbLogs, hour.plus(1)),
            UnitId::Untimed(Table::AlbLogs, "folder".into()),
        ];
        let progress = Progress::of_units(units.iter(), 0);
        let done = || progress.done_hours.load(Ordering::Relaxed);
        assert_eq!((progress.hours, distinct_hours(units.iter())), (3, 3));
        progress.unit(&units[0]);
        assert_eq!(done(), 0, "the other table is still at work");
        progress.unit(&units[1]);
        progress.unit(&units[3]);
        assert_eq!(done(), 2);
        assert_eq!(Measure::Rows.text(1), "1 row");
    }

    #[test]
    fn bars_have_a_form_and_rates_a_second() {
        for measure in [Measure::Bytes, Measure::Rows] {
            assert!(ProgressStyle::with_template(measure.template()).is_ok());
        }
        assert_eq!(rate(1_000, Duration::from_millis(500)), 2_000);
        assert_eq!(rate(1_000, Duration::ZERO), 1_000_000);
    }
}
