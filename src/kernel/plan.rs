//! What there is to do: a listing against what the ledger knows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use super::names::{self, Layout, Named};
use super::records::InputName;
use super::same::{SameContent, Twins};
use crate::model::{Granularity, HourRange, ObjectId, Period, Table, UnitId};

/// Stored bytes of the objects that are converted together: some 250,000 rows of gzip logs, which fill a row group. A
/// larger chunk would sort more rows together and need more memory; a smaller one would make more files of a large hour.
pub const CHUNK_STORED_BYTES: u64 = 32 << 20;

/// How objects are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Naming {
    /// The table of every object, whatever its name; by names and first bytes where none is given.
    pub table: Option<Table>,
    /// What the folders of keys are, where a user laid them out.
    pub layout: Option<Layout>,
    /// URLs below which nothing is a log to convert: where converted ones were moved to.
    pub archives: Vec<String>,
    /// The distributions whose logs are wanted; all, where none are named.
    pub distributions: BTreeSet<String>,
    /// How long the lake's units are.
    pub unit: Granularity,
}

impl Naming {
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
        self.distributions.is_empty() || distribution.is_some_and(|of| self.distributions.contains(of))
    }
}

/// What is told of objects with a path part that begins with `.` or `_`.
pub const HIDDEN: &str = "hidden";

/// What is told of objects that neither their names nor their first bytes make a log.
pub const UNNAMED: &str = "neither named as a log nor beginning like one";

/// A listing, told apart by unit.
#[derive(Debug, Default)]
pub struct Grouped {
    /// The objects of each unit, in key order.
    pub units: BTreeMap<UnitId, Vec<ObjectId>>,
    /// Objects that were left alone, by what they are.
    pub skipped: BTreeMap<&'static str, u64>,
    /// The key of the first of them.
    pub first_skipped: Option<String>,
    /// Objects whose names say nothing, and whose first bytes may.
    pub unnamed: Vec<ObjectId>,
    /// Objects in the archive.
    pub archived_objects: u64,
    /// Logs whose hour is outside the range.
    pub outside_objects: u64,
}

impl Grouped {
    /// Adds an object of the listing.
    pub fn add(&mut self, source: &str, object: ObjectId, naming: &Naming, hours: Option<HourRange>) {
        if naming.is_archived(source, &object.key) {
            self.archived_objects += 1;
            return;
        }
        if names::is_hidden(&object.key) {
            return self.skip(object, HIDDEN);
        }
        let path = path(source, &object.key);
        let distribution = names::distribution(&path, naming.layout.as_ref());
        if !naming.wants(distribution.as_deref()) {
            self.outside_objects += 1;
            return;
        }
        let (unit, hour) = match names::read(&path, naming.layout.as_ref()) {
            Named::Log { table, hour, .. } => {
                (UnitId::Timed(naming.table.unwrap_or(table), Period::of(naming.unit, hour)), Some(hour))
            }
            Named::Other(what) => return self.skip(object, what),
            Named::Unknown => match naming.table {
                Some(table) => (UnitId::Untimed(table, names::folder(&path).to_owned()), None),
                // A look at first bytes is a call for each: it is not made where hours are asked for, since an object
                // without a time belongs to none.
                None if hours.is_some() => return self.skip(object, UNNAMED),
                None => return self.unnamed.push(object),
            },
        };
        // An object without a time belongs to no range, so it is converted only where none is asked for.
        let inside = hours.is_none_or(|range| hour.is_some_and(|hour| range.contains(hour)));
        if inside {
            self.units.entry(unit).or_default().push(object);
        } else {
            self.outside_objects += 1;
        }
    }

    /// Adds an object whose name said nothing, by what its first bytes say.
    pub fn add_unnamed(&mut self, source: &str, object: ObjectId, table: Option<Table>) {
        match table {
            Some(table) => {
                let unit = UnitId::Untimed(table, names::folder(&path(source, &object.key)).to_owned());
                self.units.entry(unit).or_default().push(object);
            }
            None => self.skip(object, UNNAMED),
        }
    }

    /// Leaves out what lies in the archives of a naming that was not known when it was listed.
    pub fn leave_out_archived(&mut self, source: &str, naming: &Naming) {
        for objects in self.units.values_mut() {
            let before = objects.len();
            objects.retain(|object| !naming.is_archived(source, &object.key));
            self.archived_objects += (before - objects.len()) as u64;
        }
        self.units.retain(|_, objects| !objects.is_empty());
    }

    fn skip(&mut self, object: ObjectId, what: &'static str) {
        *self.skipped.entry(what).or_default() += 1;
        self.first_skipped.get_or_insert(object.key);
    }

    /// Objects that were left alone.
    #[must_use]
    pub fn skipped_objects(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Puts every unit's objects into key order, whatever the order of the listing.
    pub fn sort(&mut self) {
        self.units.values_mut().for_each(|objects| objects.sort_unstable());
    }
}

/// Where an object lies from the root of its bucket or file system, by the URL of its source.
#[must_use]
pub fn path(source: &str, key: &str) -> String {
    let (_, root) = source.split_once("://").unwrap_or(("", source));
    format!("{}/{key}", root.trim_end_matches('/'))
}

/// What is left to do in one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitPlan {
    /// Objects to convert, in key order.
    pub inputs: Vec<ObjectId>,
    /// Objects that were converted before.
    pub known_objects: u64,
    /// Keys that were converted before with other bytes. They are never new inputs: their old rows are in the table.
    pub changed: Vec<String>,
    /// Objects that the store's etags tell to be the same as some under other keys, and the URLs of these.
    pub same: Vec<(ObjectId, Arc<str>)>,
    /// What the rest may turn out to be the same as.
    pub twins: Twins,
}

impl UnitPlan {
    /// Whether there is an object that the ledger does not know.
    #[must_use]
    pub fn has_new(&self) -> bool {
        !self.inputs.is_empty() || !self.same.is_empty()
    }

    /// Sets apart what is the same as something known under another key, as far as etags tell; where it is wanted all the same, it
    /// is for whoever reads it to tell.
    pub fn set_same_apart(&mut self, twins: Twins, wanted: SameContent) {
        self.twins = twins;
        if wanted == SameContent::Take {
            return;
        }
        for object in std::mem::take(&mut self.inputs) {
            match self.twins.by_etag(&object).cloned() {
                Some(url) => self.same.push((object, url)),
                None => self.inputs.push(object),
            }
        }
    }

    /// Every object that is to be an input of a batch, in key order.
    #[must_use]
    pub fn new_objects(&self) -> Vec<ObjectId> {
        let mut objects: Vec<ObjectId> =
            self.inputs.iter().chain(self.same.iter().map(|(object, _)| object)).cloned().collect();
        objects.sort_unstable();
        objects
    }

    /// Takes out what another unit has: a run that was told otherwise had taken it there.
    pub fn leave_out(&mut self, source: &str, known: &HashMap<String, String>) {
        let inputs = std::mem::take(&mut self.inputs);
        let rest = unit(source, &inputs, known);
        self.inputs = rest.inputs;
        self.known_objects += rest.known_objects;
        self.changed.extend(rest.changed);
    }
}

/// Compares a unit's listing with its known inputs (URL to etag).
#[must_use]
pub fn unit(source: &str, listed: &[ObjectId], known: &HashMap<String, String>) -> UnitPlan {
    let mut plan = UnitPlan::default();
    for object in listed {
        match known.get(&InputName { source, object }.url()) {
            None => plan.inputs.push(object.clone()),
            Some(etag) if *etag == object.etag => plan.known_objects += 1,
            Some(_) => plan.changed.push(object.key.clone()),
        }
    }
    plan
}

/// Cuts a unit's inputs into chunks by their listed sizes and nothing else, so that the files do not depend on the machine.
#[must_use]
pub fn chunks(inputs: &[ObjectId]) -> Vec<Range<usize>> {
    let (mut chunks, mut start, mut sum) = (Vec::new(), 0, 0);
    for (index, object) in inputs.iter().enumerate() {
        if index > start && sum + object.size_bytes > CHUNK_STORED_BYTES {
            chunks.push(start..index);
            (start, sum) = (index, 0);
        }
        sum += object.size_bytes;
    }
    if start < inputs.len() {
        chunks.push(start..inputs.len());
    }
    chunks
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

    fn object(key: &str, etag: &str, size_bytes: u64) -> ObjectId {
        ObjectId { key: key.into(), etag: etag.into(), size_bytes }
    }

    #[test]
    fn the_difference_is_converted_and_changes_are_not() {
        let known = [("s/a".to_owned(), "1".to_owned()), ("s/b".to_owned(), "1".to_owned())].into();
        let plan = unit("s", &[object("a", "1", 1), object("b", "2", 1), object("c", "1", 1)], &known);
        assert_eq!(
            plan,
            UnitPlan {
                inputs: vec![object("c", "1", 1)],
                known_objects: 1,
                changed: vec!["b".into()],
                ..UnitPlan::default()
            }
        );
    }

    #[test]
    fn chunks_follow_sizes_alone() {
        let half = CHUNK_STORED_BYTES / 2;
        let sizes = [half, half, 1, CHUNK_STORED_BYTES * 3, 1, 1];
        let inputs: Vec<_> = sizes.iter().map(|size| object("k", "e", *size)).collect();
        assert_eq!(chunks(&inputs), [0..2, 2..3, 3..4, 4..6]);
        assert!(chunks(&[]).is_empty());
    }

    #[test]
    fn names_decide_the_unit() {
        let mut grouped = Grouped::default();
        let range = "2026-11-21T05..2026-11-21T06".parse().unwrap();
        for key in
            ["p/E1.2026-11-21-05.b.gz", "p/E1.2026-11-21-05.a.gz", "E1.2026-11-21-06.a.gz", "notes.txt", ".x/y.gz"]
        {
            grouped.add("s3://bucket", object(key, "", 1), &Naming::default(), Some(range));
        }
        grouped.sort();
        let unit = UnitId::of_hour(Table::CloudfrontLogs, range.start);
        assert_eq!(grouped.units.len(), 1);
        assert_eq!(grouped.units[&unit][0].key, "p/E1.2026-11-21-05.a.gz");
        assert_eq!((grouped.skipped_objects(), grouped.outside_objects), (2, 1));

        let mut forced = Grouped::default();
        let naming = Naming { table: Some(Table::CloudfrontLogs), ..Naming::default() };
        forced.add("s3://bucket", object("p/access.log", "", 1), &naming, None);
        assert_eq!(forced.units.keys().next(), Some(&UnitId::Untimed(Table::CloudfrontLogs, "bucket/p".into())));
    }
}
