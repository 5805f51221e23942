//! What is left to do in one unit.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use crate::kernel::ledger::records::InputName;
use crate::kernel::ledger::same::{SameContent, Twins};
use crate::model::ObjectId;

/// Stored bytes of the objects that are converted together: some 250,000 rows of gzip logs, which
/// fill a row group. A larger chunk would sort more rows together and need more memory; a smaller
/// one would make more files of a large hour.
pub const CHUNK_STORED_BYTES: u64 = 32 << 20;

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
/// not depend on the machine.
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
}
