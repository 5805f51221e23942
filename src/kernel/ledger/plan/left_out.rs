//! What a listing holds that is not to be converted, and the words for filters of which nothing is
//! left, or that fit nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::naming::{KeyMeaning, NO_HOUR, Naming};
use crate::model::{Hour, HourRange, UnitId};
use crate::stats::count;

/// Distributions that are kept to be told of.
const TOLD_DISTRIBUTIONS: usize = 5;

/// What a listing holds that is not to be converted, and why.
#[derive(Clone, Debug, Default)]
pub struct LeftOut {
    /// Objects that were left alone, by what they are.
    pub skipped: BTreeMap<&'static str, u64>,
    /// The key of the first of them.
    pub first_skipped: Option<String>,
    /// Objects in the archive.
    pub archived_objects: u64,
    /// Logs whose hour is outside the range.
    pub outside_objects: u64,
    /// The first and the last hour of these.
    pub outside_hours: Option<(Hour, Hour)>,
    /// Logs of distributions that are not wanted.
    pub filtered_objects: u64,
    /// Some of these distributions.
    pub filtered_distributions: BTreeSet<String>,
    /// Objects that the job excludes.
    pub excluded_objects: u64,
    /// Logs of units that other shares of the work have.
    pub other_shard_objects: u64,
    /// The first of these units, and how many they are.
    pub other_shard_units: Option<(UnitId, u64)>,
    met: Met,
}

/// Which filters have met an object that they fit, and what they have met instead.
#[derive(Clone, Debug, Default)]
struct Met {
    objects: u64,
    first: Option<String>,
    /// By their places among the patterns.
    patterns: BTreeSet<usize>,
    /// Of those that are wanted, as they are wanted.
    wanted: BTreeSet<String>,
    /// Some of all that there are.
    distributions: BTreeSet<String>,
}

impl LeftOut {
    /// Notes what the listing showed: which filters it fits, and what keeps it from being
    /// converted, if its key tells that. Whether it does.
    pub fn note(&mut self, source: &str, key: &str, meaning: &KeyMeaning, naming: &Naming) -> bool {
        match meaning {
            KeyMeaning::Archived => self.archived_objects += 1,
            KeyMeaning::Excluded => self.excluded_objects += 1,
            KeyMeaning::LeftAlone(what) => self.skip(key, what),
            KeyMeaning::Filtered(distribution) => {
                self.filtered_objects += 1;
                if self.filtered_distributions.len() < TOLD_DISTRIBUTIONS {
                    self.filtered_distributions.extend(distribution.clone());
                }
            }
            KeyMeaning::Outside(hour) => {
                self.outside_objects += 1;
                let (first, last) = self.outside_hours.unwrap_or((*hour, *hour));
                self.outside_hours = Some((first.min(*hour), last.max(*hour)));
            }
            KeyMeaning::Unit(_) | KeyMeaning::Unnamed => {}
        }
        if *meaning != KeyMeaning::Archived {
            self.met.note(source, key, naming);
        }
        !matches!(meaning, KeyMeaning::Unit(_) | KeyMeaning::Unnamed)
    }

    /// Counts an object that is left alone.
    pub fn skip(&mut self, key: &str, what: &'static str) {
        *self.skipped.entry(what).or_default() += 1;
        self.first_skipped.get_or_insert_with(|| key.to_owned());
    }

    /// Counts the logs of a unit that another share of the work has.
    pub fn leave_to_others(&mut self, unit: UnitId, objects: u64) {
        self.other_shard_objects += objects;
        let (first, units) = self.other_shard_units.take().unwrap_or_else(|| (unit.clone(), 0));
        self.other_shard_units = Some((first.min(unit), units + 1));
    }

    /// Objects that were left alone.
    #[must_use]
    pub fn skipped_objects(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// All of them but those in archives.
    #[must_use]
    pub fn listed_objects(&self) -> u64 {
        let filtered = self.outside_objects + self.filtered_objects + self.excluded_objects;
        self.skipped_objects() + filtered + self.other_shard_objects
    }

    /// What a listing has instead, of which what was asked for (`hours`, a `shard`) let no log
    /// through: for who knows that none is left.
    #[must_use]
    pub fn instead(&self, hours: Option<HourRange>, shard: &str) -> Option<String> {
        let mut said = Vec::new();
        if let (Some((first, last)), Some(hours)) = (self.outside_hours, hours) {
            let are = if self.outside_objects == 1 { "is" } else { "are" };
            let objects = count(self.outside_objects, "object");
            said.push(format!("of {hours} there is none: {objects} {are} of other hours, {first} to {last}"));
        }
        if self.filtered_objects > 0 {
            let objects = count(self.filtered_objects, "object");
            let named: Vec<&str> = self.filtered_distributions.iter().map(String::as_str).collect();
            let of = if named.is_empty() {
                "whose names tell none".to_owned()
            } else {
                format!("such as {}", named.join(", "))
            };
            said.push(format!("--distributions leaves out {objects} of others, {of}"));
        }
        if self.excluded_objects > 0 {
            said.push(format!("--exclude leaves out {}", count(self.excluded_objects, "object")));
        }
        if let Some((first, units)) = &self.other_shard_units {
            let objects = count(self.other_shard_objects, "object");
            let units = count(*units, "hour");
            said.push(format!("--shard {shard} leaves {objects} of {units} to other shares, first: {first}"));
        }
        if let Some(objects) = self.skipped.get(NO_HOUR) {
            said.push(format!("{} whose names tell no hour", count(*objects, "object")));
        }
        (!said.is_empty()).then(|| format!("no object matched: {}", said.join("; ")))
    }

    /// Filters that fit none of the objects that were listed, each with what there is instead: most
    /// likely they are written wrong.
    #[must_use]
    pub fn idle_filters(&self, naming: &Naming) -> Vec<String> {
        let Some(first) = &self.met.first else { return Vec::new() };
        let listed = count(self.met.objects, "object");
        let patterns = naming.exclude.patterns().enumerate().filter(|(place, _)| !self.met.patterns.contains(place));
        let mut said: Vec<String> = patterns
            .map(|(_, pattern)| format!("--exclude '{pattern}' fits none of {listed} listed, first: '{first}'"))
            .collect();
        // Where none of them is met, `instead` has told it.
        if self.met.wanted.is_empty() && self.filtered_objects > 0 {
            return said;
        }
        let there: Vec<&str> = self.met.distributions.iter().map(String::as_str).collect();
        let there = if there.is_empty() {
            "their names tell none".to_owned()
        } else {
            format!("there are logs of {}", there.join(", "))
        };
        let idle = naming.distributions.iter().filter(|wanted| !self.met.wanted.contains(*wanted));
        said.extend(idle.map(|wanted| format!("--distributions {wanted} fits none of {listed} listed: {there}")));
        said
    }
}

impl Met {
    /// Looks only for what no object has fitted yet.
    fn note(&mut self, source: &str, key: &str, naming: &Naming) {
        self.objects += 1;
        self.first.get_or_insert_with(|| key.to_owned());
        if self.patterns.len() < naming.exclude.patterns().count() {
            self.patterns.extend(naming.exclude.fitting(key));
        }
        if self.wanted.len() < naming.distributions.len()
            && let Some(distribution) = naming.distribution(source, key)
        {
            self.wanted.extend(naming.wanted_as(&distribution).cloned());
            if self.distributions.len() < TOLD_DISTRIBUTIONS {
                self.distributions.insert(distribution);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::naming::Exclude;
    use super::*;

    fn noted(keys: &[&str], naming: &Naming) -> LeftOut {
        let mut left_out = LeftOut::default();
        for key in keys {
            left_out.note("s3://logs", key, &naming.place("s3://logs", key, None), naming);
        }
        left_out
    }

    #[test]
    fn a_filter_that_fits_nothing_is_told_with_what_there_is() {
        let patterns = ["bakup/**", "backup/**", "**/*.gz"].map(str::to_owned).to_vec();
        let wanted = ["E1EXAMPLE".to_owned(), "E9EXAMPLE".to_owned()].into();
        let naming = Naming { exclude: Exclude::new(patterns).unwrap(), distributions: wanted, ..Naming::default() };
        let keys = ["backup/E1EXAMPLE.2026-11-21-05.a.gz", "E2EXAMPLE.2026-11-21-05.a.gz"];
        assert_eq!(
            noted(&keys, &naming).idle_filters(&naming),
            [
                "--exclude 'bakup/**' fits none of 2 objects listed, first: 'backup/E1EXAMPLE.2026-11-21-05.a.gz'",
                "--distributions E9EXAMPLE fits none of 2 objects listed: there are logs of E1EXAMPLE, E2EXAMPLE",
            ]
        );
        assert!(noted(&[], &naming).idle_filters(&naming).is_empty(), "of nothing nothing is said");
    }
}
