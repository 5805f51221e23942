//! What there is to do: a listing against what the ledger knows.

mod naming;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

pub use naming::{Exclude, HIDDEN, KeyMeaning, NO_HOUR, Naming, path};

use super::records::InputName;
use super::same::{SameContent, Twins};
use super::staging::STAGING;
use crate::kernel::source::names;
use crate::kernel::source::parse::sniff::{LAKE_FILE, Told};
use crate::model::{Hour, HourRange, ObjectId, Table, UnitId};

pub use crate::kernel::source::parse::sniff::UNNAMED;

/// Stored bytes of the objects that are converted together: some 250,000 rows of gzip logs, which
/// fill a row group. A larger chunk would sort more rows together and need more memory; a smaller
/// one would make more files of a large hour.
pub const CHUNK_STORED_BYTES: u64 = 32 << 20;

/// Distributions that are kept to be told of.
const TOLD_DISTRIBUTIONS: usize = 5;

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
    /// The first and the last hour of these.
    pub outside_hours: Option<(Hour, Hour)>,
    /// Logs of distributions that are not wanted.
    pub filtered_objects: u64,
    /// Some of these distributions.
    pub filtered_distributions: BTreeSet<String>,
    /// Objects that the job excludes.
    pub excluded_objects: u64,
    /// The folders of lakes that the listing showed, each with a slash at its end.
    lakes: BTreeSet<String>,
}

impl Grouped {
    /// Adds an object of the listing.
    pub fn add(&mut self, source: &str, object: ObjectId, naming: &Naming, hours: Option<HourRange>) {
        self.lakes.extend(lake_of(&object.key));
        match naming.place(source, &object.key, hours) {
            KeyMeaning::Archived => self.archived_objects += 1,
            KeyMeaning::Excluded => self.excluded_objects += 1,
            KeyMeaning::LeftAlone(what) => self.skip(object, what),
            KeyMeaning::Filtered(distribution) => {
                self.filtered_objects += 1;
                if self.filtered_distributions.len() < TOLD_DISTRIBUTIONS {
                    self.filtered_distributions.extend(distribution);
                }
            }
            KeyMeaning::Outside(hour) => {
                self.outside_objects += 1;
                let (first, last) = self.outside_hours.unwrap_or((hour, hour));
                self.outside_hours = Some((first.min(hour), last.max(hour)));
            }
            KeyMeaning::Unit(unit) => self.units.entry(unit).or_default().push(object),
            KeyMeaning::Unnamed => self.unnamed.push(object),
        }
    }

    /// Leaves alone what the tables of lakes hold that the listing showed, wherever in it they were
    /// shown. Comes after the last object, and before unnamed ones are looked at.
    pub fn leave_lakes_alone(&mut self) {
        if self.lakes.is_empty() {
            return;
        }
        let lakes = std::mem::take(&mut self.lakes);
        let mut theirs = Vec::new();
        for objects in self.units.values_mut().chain([&mut self.unnamed]) {
            theirs.extend(objects.extract_if(.., |object| is_of_lake(&lakes, &object.key)));
        }
        self.units.retain(|_, objects| !objects.is_empty());
        theirs.into_iter().for_each(|object| self.skip(object, LAKE_FILE));
    }

    /// Adds an object whose name said nothing, by what its first bytes say.
    pub fn add_unnamed(&mut self, source: &str, object: ObjectId, told: Told) {
        match told {
            Told::Log(table) => {
                let unit = UnitId::Untimed(table, names::folder(&path(source, &object.key)).to_owned());
                self.units.entry(unit).or_default().push(object);
            }
            Told::Other(what) => self.skip(object, what),
            Told::Nothing => self.skip(object, UNNAMED),
        }
    }

    /// Objects that the listing showed, those in archives left out.
    #[must_use]
    pub fn listed_objects(&self) -> u64 {
        let in_units: usize = self.units.values().map(Vec::len).sum();
        in_units as u64 + self.skipped_objects() + self.outside_objects + self.filtered_objects + self.excluded_objects
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

/// The folder of the lake that an object is the identity of, with a slash at its end.
#[must_use]
pub fn lake_of(key: &str) -> Option<String> {
    let folder = key.strip_suffix("_edgemill/lake.json")?;
    (folder.is_empty() || folder.ends_with('/')).then(|| folder.to_owned())
}

/// Whether an object lies in a table of one of these lakes, or is on its way into one.
#[must_use]
pub fn is_of_lake(lakes: &BTreeSet<String>, key: &str) -> bool {
    let is_inside = |lake: &String| {
        let below = key.strip_prefix(lake.as_str()).and_then(|rest| rest.split_once('/'));
        below.is_some_and(|(folder, _)| folder == STAGING || Table::ALL.iter().any(|table| table.name() == folder))
    };
    lakes.iter().any(is_inside)
}

/// What is left to do in one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UnitPlan {
    /// Objects to convert, in key order.
    pub inputs: Vec<ObjectId>,
    /// Objects that were converted before.
    pub known_objects: u64,
    /// Keys that were converted before with other bytes. They are never new inputs: their old rows
    /// are in the table.
    pub changed: Vec<String>,
    /// Objects that the store's etags tell to be the same as some under other keys, and the URLs of
    /// these.
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

    /// Sets apart what is the same as something known under another key, as far as etags tell;
    /// where it is wanted all the same, it is for whoever reads it to tell.
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

/// Cuts a unit's inputs into chunks by their listed sizes and nothing else, so that the files do
/// not depend on the computer.
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
