//! What a key alone tells of an object: the one answer of every verb that lists logs.

use std::collections::BTreeSet;

use glob::{MatchOptions, Pattern};

use crate::kernel::source::names;
use crate::kernel::source::names::{Layout, Named};
use crate::model::{Granularity, Hour, HourRange, Period, Table, UnitId};

/// What is told of objects with a path part that begins with `.` or `_`.
pub const HIDDEN: &str = "hidden";

/// What is told of objects whose names tell no hour where hours are asked for.
pub const NO_HOUR: &str = "its name tells no hour";

/// How objects are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// The table of every object, whatever its name; by names and first bytes where none is given.
    pub table: Option<Table>,
    /// What the folders of keys are, where a user laid them out.
    pub layout: Option<Layout>,
    /// URLs below which nothing is a log to convert: where converted ones were moved to.
    pub archives: Vec<String>,
    /// The distributions and load balancers whose logs are wanted; all, where none are named.
    pub distributions: BTreeSet<String>,
    /// Objects that are never looked at.
    pub exclude: Exclude,
    /// Whether the job names the fields of logs without a header: then a first line need not tell
    /// that it is one of a log.
    pub names_fields: bool,
    /// How long the lake's units are.
    pub unit: Granularity,
}

/// Where an object lies from the root of its bucket or file system, by the URL of its source.
#[must_use]
pub fn path(source: &str, key: &str) -> String {
    let (_, root) = source.split_once("://").unwrap_or(("", source));
    format!("{}/{key}", root.trim_end_matches('/'))
}

/// What is to be done with an object, by its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyMeaning {
    /// Nothing: the job excludes it.
    Excluded,
    /// Nothing: it was converted and moved here.
    Archived,
    /// Nothing, by what it is.
    LeftAlone(&'static str),
    /// Nothing: it is of another distribution than those that are wanted, which is named where the
    /// key tells it.
    Filtered(Option<String>),
    /// Nothing: it is of this hour, which is not asked for.
    Outside(Hour),
    /// It is converted, with its unit.
    Unit(UnitId),
    /// Its key says nothing, and its first bytes may.
    Unnamed,
}

impl Naming {
    /// What is to be done with an object. Whatever asks, asks this.
    #[must_use]
    pub fn place(&self, source: &str, key: &str, hours: Option<HourRange>) -> KeyMeaning {
        if self.exclude.holds(key) {
            return KeyMeaning::Excluded;
        }
        if self.is_archived(source, key) {
            return KeyMeaning::Archived;
        }
        if names::is_hidden(key) {
            return KeyMeaning::LeftAlone(HIDDEN);
        }
        let path = path(source, key);
        let named = names::read(&path, self.layout.as_ref());
        let distribution = match &named {
            Named::Other(what) => return KeyMeaning::LeftAlone(what),
            Named::Log { distribution, .. } => distribution.as_deref(),
            Named::Unknown => None,
        };
        if !self.wants(distribution) {
            return KeyMeaning::Filtered(distribution.map(str::to_owned));
        }
        match (named, self.table, hours) {
            (Named::Log { hour, .. }, _, Some(range)) if !range.contains(hour) => KeyMeaning::Outside(hour),
            (Named::Log { table, hour, .. }, _, _) => {
                KeyMeaning::Unit(UnitId::Timed(self.table.unwrap_or(table), Period::of(self.unit, hour)))
            }
            // An object without a time belongs to no range, so it is converted only where none is
            // asked for. Nor is it looked at then: each look is a call.
            (_, _, Some(_)) => KeyMeaning::LeftAlone(NO_HOUR),
            (_, Some(table), None) => KeyMeaning::Unit(UnitId::Untimed(table, names::folder(&path).to_owned())),
            (_, None, None) => KeyMeaning::Unnamed,
        }
    }

    /// Whether an object's own name, or the job, says that it is a log; if not, only its first line
    /// can.
    #[must_use]
    pub fn is_named(&self, source: &str, key: &str) -> bool {
        self.table.is_some() || self.names_fields || self.is_named_itself(source, key)
    }

    /// Whether an object's own name is that of a log.
    #[must_use]
    pub fn is_named_itself(&self, source: &str, key: &str) -> bool {
        matches!(names::read(&path(source, key), None), Named::Log { by_name: true, .. })
    }

    /// Whether an object lies in the archive, by the URL of its source.
    #[must_use]
    pub fn is_archived(&self, source: &str, key: &str) -> bool {
        let url = format!("{source}/{key}");
        self.archives.iter().any(|archive| url.strip_prefix(archive).is_some_and(|rest| rest.starts_with('/')))
    }

    /// The archive that an object lies in, as keys of its source begin with it.
    #[must_use]
    pub fn archive(&self, source: &str, key: &str) -> Option<&str> {
        let folders = self.archives.iter().filter_map(|archive| archive.strip_prefix(source)?.strip_prefix('/'));
        folders.into_iter().find(|folder| key.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')))
    }

    /// Whether an object of a distribution is wanted, as far as its name tells.
    fn wants(&self, distribution: Option<&str>) -> bool {
        self.distributions.is_empty() || distribution.is_some_and(|of| self.wanted_as(of).is_some())
    }

    /// The distribution among those that are wanted, as it is written there. A load balancer may be
    /// named as in its logs, `app/name/id`, or as in their names, `app.name.id`.
    #[must_use]
    pub fn wanted_as(&self, distribution: &str) -> Option<&String> {
        let is = |wanted: &&String| wanted.len() == distribution.len() && wanted.replace('.', "/") == distribution;
        self.distributions.get(distribution).or_else(|| self.distributions.iter().find(is))
    }

    /// The distribution or load balancer that an object's key tells.
    #[must_use]
    pub fn distribution(&self, source: &str, key: &str) -> Option<String> {
        names::distribution(&path(source, key), self.layout.as_ref())
    }
}

/// Patterns of keys, from the root of the listing: `*` and `?` stand for anything but a slash, `**`
/// for folders, `[...]` for one of some letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exclude {
    patterns: Vec<(String, Pattern)>,
}

/// A slash is matched by `**` alone.
const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Exclude {
    /// Reads patterns; says what is wrong with one that is none. A pattern that ends in a slash
    /// stands for all below.
    pub fn new(patterns: Vec<String>) -> Result<Self, String> {
        let read = |given: String| {
            let glob = given.strip_prefix('/').unwrap_or(&given);
            let glob = if glob.ends_with('/') { format!("{glob}**") } else { glob.to_owned() };
            let pattern = Pattern::new(&glob).map_err(|error| format!("'{given}' is no pattern: {}", error.msg))?;
            Ok((given, pattern))
        };
        Ok(Self { patterns: patterns.into_iter().map(read).collect::<Result<_, String>>()? })
    }

    /// As they were given.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.patterns.iter().map(|(given, _)| given.as_str())
    }

    /// Whether a pattern fits a key.
    #[must_use]
    pub fn holds(&self, key: &str) -> bool {
        self.fitting(key).next().is_some()
    }

    /// The patterns that fit a key, by their places.
    pub fn fitting<'a>(&'a self, key: &'a str) -> impl Iterator<Item = usize> + 'a {
        let fits = |pattern: &Pattern| pattern.matches_with(key, OPTIONS);
        self.patterns.iter().enumerate().filter(move |(_, (_, pattern))| fits(pattern)).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_is_known_through_whatever_folder() {
        let naming = Naming { archives: vec!["s3://logs/cf/old".into()], ..Naming::default() };
        for (source, key, archived) in [
            ("s3://logs/cf", "old/a", true),
            ("s3://logs", "cf/old/a", true),
            ("s3://logs/cf/old/alb_logs", "a", true),
            ("s3://logs/cf", "older/a", false),
            ("s3://logs/other", "old/a", false),
        ] {
            assert_eq!(naming.is_archived(source, key), archived, "{source}/{key}");
        }
    }

    #[test]
    fn patterns_are_of_keys_from_the_root() {
        for (pattern, key, held) in [
            ("*.tmp", "a.tmp", true),
            ("*.tmp", "b/a.tmp", false),
            ("**/*.tmp", "a.tmp", true),
            ("**/*.tmp", "b/c/a.tmp", true),
            ("old/**", "old/a/b.gz", true),
            ("old/", "old/a/b.gz", true),
            ("/old/*", "old/b.gz", true),
            ("old/*", "old/a/b.gz", false),
            ("E2EX.2026-11-21-05.b.gz", "E2EX.2026-11-21-05.b.gz", true),
            ("E2EX.2026-11-2[12]-*", "E2EX.2026-11-22-05.b.gz", true),
            ("old/**/x", "old/a/b/x", true),
        ] {
            assert_eq!(Exclude::new(vec![pattern.to_owned()]).unwrap().holds(key), held, "{pattern} and {key}");
        }
        assert!(Exclude::new(vec!["[".into()]).unwrap_err().contains("'['"));
        assert!(!Exclude::default().holds("a"));
    }

    #[test]
    fn a_load_balancer_is_named_either_way() {
        let name = "1_elasticloadbalancing_eu-north-1_app.my-lb.50dc6c495c0c9188_20261121T0505Z_192.0.2.9_a.log.gz";
        let hours = None;
        for (wanted, taken) in
            [("app/my-lb/50dc6c495c0c9188", true), ("app.my-lb.50dc6c495c0c9188", true), ("app/my-lb/1", false)]
        {
            let naming = Naming { distributions: [wanted.to_owned()].into(), ..Naming::default() };
            let place = naming.place("s3://logs", name, hours);
            assert_eq!(matches!(place, KeyMeaning::Unit(_)), taken, "{wanted}: {place:?}");
        }
    }

    #[test]
    fn keys_without_an_hour_are_of_no_range() {
        let hours = Some("2026-11-21T05..2026-11-21T06".parse().unwrap());
        for table in [None, Some(Table::CloudfrontLogs)] {
            let naming = Naming { table, ..Naming::default() };
            assert_eq!(naming.place("s3://logs", "access.log", hours), KeyMeaning::LeftAlone(NO_HOUR));
        }
    }
}
