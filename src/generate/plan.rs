//! What is to be written: which objects there are, what each is called and how many rows it holds.
//!
//! Shares are whole numbers, so that the plan adds up to exactly the rows asked for and is the same
//! on every machine.

use super::draw::{low32, mix_all, scale};
use super::spec::Spec;
use crate::model::Hour;

/// Rows that a large object holds on average; the edge closes them at a few hundred kilobytes.
const ROWS_PER_OBJECT: u64 = 2_200;

/// Below this many rows an object is not worth splitting further.
const FEWEST_ROWS_PER_OBJECT: u64 = 40;

/// How busy each hour of the day (UTC) is.
const HOUR_WEIGHTS: [u64; 24] =
    [46, 38, 33, 30, 31, 36, 47, 60, 72, 81, 87, 91, 94, 97, 100, 103, 107, 112, 118, 121, 116, 101, 81, 61];

/// One object to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Task {
    /// Which distribution, from 0.
    pub(super) site: usize,
    /// The hour in the name.
    pub(super) hour: Hour,
    /// Which object of this distribution and hour.
    pub(super) index: u64,
    /// Data rows in it.
    pub(super) rows: u64,
    /// Seeds everything in it.
    pub(super) seed: u64,
}

impl Task {
    /// The object's file name. Its last part differs between all objects of one distribution and
    /// hour.
    pub(super) fn file_name(&self, distribution: &str) -> String {
        let [year, month, day, hour] = self.hour.folders();
        let unique = permuted(low32(self.index), low32(mix_all(&[hour_number(self.hour), self.site as u64])));
        format!("{distribution}.{year}-{month}-{day}-{hour}.{unique:08x}.gz")
    }
}

/// Every object of the order, in the order of distributions, hours and indices.
pub(super) fn tasks(spec: &Spec) -> Vec<Task> {
    let hours: Vec<Hour> = (0..spec.hours.hours()).map(|hour| spec.hours.start.plus(hour.cast_signed())).collect();
    let cells: Vec<(usize, Hour)> =
        (0..spec.distributions as usize).flat_map(|site| hours.iter().map(move |hour| (site, *hour))).collect();
    let weights: Vec<u64> = cells.iter().map(|(site, hour)| site_weight(*site) * hour_weight(*hour)).collect();
    let rows = split(spec.rows, &weights);
    cells.iter().zip(rows).flat_map(|((site, hour), rows)| objects(spec.seed, *site, *hour, rows)).collect()
}

/// The objects of one distribution and hour: of unequal sizes, none empty.
fn objects(seed: u64, site: usize, hour: Hour, rows: u64) -> impl Iterator<Item = Task> {
    let cell = mix_all(&[seed, site as u64, hour_number(hour)]);
    let few = (rows / FEWEST_ROWS_PER_OBJECT).clamp(2, 4 + cell % 4);
    let count = rows.div_ceil(ROWS_PER_OBJECT).max(few).min(rows);
    let weights: Vec<u64> = (0..count).map(|index| 700 + u64::from(scale(mix_all(&[cell, index]), 600))).collect();
    split(rows, &weights).into_iter().zip(0..).filter(|(rows, _)| *rows > 0).map(move |(rows, index)| Task {
        site,
        hour,
        index,
        rows,
        seed: mix_all(&[seed, site as u64, hour_number(hour), index]),
    })
}

/// The first distribution has most of the traffic, the last ones little.
const fn site_weight(site: usize) -> u64 {
    1_000 / (site as u64 + 1) + 60
}

fn hour_weight(hour: Hour) -> u64 {
    let (_, _, _, of_day) = hour.civil();
    HOUR_WEIGHTS[usize::from(of_day.unsigned_abs()) % HOUR_WEIGHTS.len()]
}

fn hour_number(hour: Hour) -> u64 {
    hour.start_unix_seconds().cast_unsigned()
}

/// Splits a total in proportion to weights; the parts add up to the total exactly.
fn split(total: u64, weights: &[u64]) -> Vec<u64> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum::<u128>().max(1);
    let (mut weight_so_far, mut given) = (0_u128, 0_u64);
    let part = |weight: &u64| {
        weight_so_far += u128::from(*weight);
        let due = u64::try_from(u128::from(total) * weight_so_far / sum).unwrap_or(total);
        let part = due - given;
        given = due;
        part
    };
    weights.iter().map(part).collect()
}

/// A permutation of the 32-bit numbers, another one for each key: each step can be undone, so no
/// two inputs meet.
const fn permuted(value: u32, key: u32) -> u32 {
    let value = (value ^ key).wrapping_mul(0x9E37_79B1);
    let value = (value ^ (value >> 15)).wrapping_mul(0x85EB_CA6B);
    let value = (value ^ (value >> 13)).wrapping_mul(0xC2B2_AE35);
    value ^ (value >> 16) ^ key.rotate_left(7)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::PathBuf;

    use super::*;
    use crate::generate::Delivery;
    use crate::model::Table;

    fn spec(rows: u64, hours: &str, distributions: u32) -> Spec {
        Spec {
            out: PathBuf::new(),
            table: Table::CloudfrontLogs,
            delivery: Delivery::Classic,
            rows,
            hours: hours.parse().unwrap(),
            distributions,
            seed: 5,
            threads: 1,
        }
    }

    #[test]
    fn the_plan_adds_up_whatever_the_numbers() {
        for (rows, hours, distributions) in [
            (1, "2026-11-21T00..2026-11-22T00", 4),
            (7, "2026-11-21T23..2026-11-22T01", 3),
            (200_000, "2026-11-21T00..2026-11-22T00", 4),
            (5_500_001, "2026-11-21T00..2026-11-28T00", 5),
        ] {
            let tasks = tasks(&spec(rows, hours, distributions));
            assert_eq!(tasks.iter().map(|task| task.rows).sum::<u64>(), rows);
            assert!(tasks.iter().all(|task| task.rows > 0));
            let names: HashSet<String> = tasks.iter().map(|task| task.file_name(&format!("E{}", task.site))).collect();
            assert_eq!(names.len(), tasks.len(), "names are unique");
        }
    }

    #[test]
    fn objects_are_many_at_small_sizes_and_full_at_large_ones() {
        let small = tasks(&spec(200_000, "2026-11-21T00..2026-11-22T00", 4));
        assert!((300..900).contains(&small.len()), "{} objects", small.len());
        let large = tasks(&spec(5_500_000, "2026-11-21T00..2026-11-22T00", 2));
        assert!(large.iter().all(|task| (1_200..3_200).contains(&task.rows)));
    }

    #[test]
    fn evenings_are_busier_than_nights() {
        let tasks = tasks(&spec(1_000_000, "2026-11-21T00..2026-11-22T00", 2));
        let rows_at = |hour: &str| {
            let hour: Hour = hour.parse().unwrap();
            tasks.iter().filter(|task| task.hour == hour).map(|task| task.rows).sum::<u64>()
        };
        assert!(rows_at("2026-11-21T19") > 3 * rows_at("2026-11-21T03"));
    }
}
