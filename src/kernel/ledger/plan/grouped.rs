//! A listing, told apart by unit.

use std::collections::{BTreeMap, BTreeSet};

use super::left_out::LeftOut;
use super::naming::{KeyMeaning, Naming, path};
use crate::kernel::ledger::staging::STAGING;
use crate::kernel::source::names;
use crate::kernel::source::parse::sniff::{LAKE_FILE, Told, UNNAMED};
use crate::model::{HourRange, ObjectId, Table, UnitId};

/// A listing, told apart by unit.
#[derive(Debug, Default)]
pub struct Grouped {
    /// The objects of each unit, in key order.
    pub units: BTreeMap<UnitId, Vec<ObjectId>>,
    /// Objects whose names say nothing, and whose first bytes may.
    pub unnamed: Vec<ObjectId>,
    /// What is not to be converted, and why.
    pub left_out: LeftOut,
    /// The folders of lakes that the listing showed, each with a slash at its end.
    lakes: BTreeSet<String>,
}

impl Grouped {
    /// Adds an object of the listing.
    pub fn add(&mut self, source: &str, object: ObjectId, naming: &Naming, hours: Option<HourRange>) {
        self.lakes.extend(lake_of(&object.key));
        let meaning = naming.place(source, &object.key, hours);
        self.left_out.note(source, &object.key, &meaning, naming);
        match meaning {
            KeyMeaning::Unit(unit) => self.units.entry(unit).or_default().push(object),
            KeyMeaning::Unnamed => self.unnamed.push(object),
            _ => {}
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
        theirs.iter().for_each(|object| self.left_out.skip(&object.key, LAKE_FILE));
    }

    /// Adds an object whose name said nothing, by what its first bytes say.
    pub fn add_unnamed(&mut self, source: &str, object: ObjectId, told: Told) {
        match told {
            Told::Log(table) => {
                let unit = UnitId::Untimed(table, names::folder(&path(source, &object.key)).to_owned());
                self.units.entry(unit).or_default().push(object);
            }
            Told::Other(what) => self.left_out.skip(&object.key, what),
            Told::Nothing => self.left_out.skip(&object.key, UNNAMED),
        }
    }

    /// Objects that the listing showed, those in archives left out.
    #[must_use]
    pub fn listed_objects(&self) -> u64 {
        let in_units: usize = self.units.values().map(Vec::len).sum();
        in_units as u64 + self.left_out.listed_objects()
    }

    /// Leaves out what lies in the archives of a naming that was not known when it was listed.
    pub fn leave_out_archived(&mut self, source: &str, naming: &Naming) {
        for objects in self.units.values_mut() {
            let before = objects.len();
            objects.retain(|object| !naming.is_archived(source, &object.key));
            self.left_out.archived_objects += (before - objects.len()) as u64;
        }
        self.units.retain(|_, objects| !objects.is_empty());
    }

    /// Leaves to others what is not of this share of the work.
    pub fn leave_to_others(&mut self, takes: impl Fn(&UnitId) -> bool) {
        for (unit, objects) in self.units.extract_if(.., |unit, _| !takes(unit)) {
            self.left_out.leave_to_others(unit, objects.len() as u64);
        }
    }

    /// What there is instead, where what was asked for let no log through.
    #[must_use]
    pub fn nothing_matched(&self, hours: Option<HourRange>, shard: &str) -> Option<String> {
        self.left_out.instead(hours, shard).filter(|_| self.units.is_empty())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, etag: &str, size_bytes: u64) -> ObjectId {
        ObjectId { key: key.into(), etag: etag.into(), size_bytes }
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
        assert_eq!((grouped.left_out.skipped_objects(), grouped.left_out.outside_objects), (2, 1));

        let mut forced = Grouped::default();
        let naming = Naming { table: Some(Table::CloudfrontLogs), ..Naming::default() };
        forced.add("s3://bucket", object("p/access.log", "", 1), &naming, None);
        assert_eq!(forced.units.keys().next(), Some(&UnitId::Untimed(Table::CloudfrontLogs, "bucket/p".into())));
    }
}
