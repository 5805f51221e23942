//! What was lost: of one unit, and of a lake.

use std::collections::{BTreeMap, BTreeSet};

use crate::kernel::ledger::records::BatchId;
use crate::model::{HourRange, Partition, UnitId};
use crate::stats::either;

/// What is wrong with one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Loss {
    /// Where rows of it are, or are to be.
    pub partitions: BTreeSet<Partition>,
    /// Those of them where rows are missing, or are too many.
    pub lacking: BTreeSet<Partition>,
    /// Whether its record and manifests do not say all that it was made from.
    pub forgotten: bool,
    /// Whether the ledger lacks a record, or the last versions of one.
    pub records: bool,
    /// Batches that have ever been applied: none of their names may come again.
    pub applied: BTreeSet<BatchId>,
}

impl Loss {
    pub(super) fn is_nothing(&self) -> bool {
        self.lacking.is_empty() && !self.forgotten && !self.records
    }
}

/// What is wrong with a lake.
#[derive(Clone, Debug, Default)]
pub struct Losses {
    /// By unit.
    pub units: BTreeMap<UnitId, Loss>,
    /// Whether an hour without a record may be one that lost it: there are files of an hour that
    /// has none, or the lake has no record of any hour.
    pub records: bool,
    /// Batches and merged files of which there are files that no record names, by the hour that
    /// these names begin with.
    pub unnamed: BTreeMap<String, BTreeSet<BatchId>>,
    /// The paths of those files.
    pub unnamed_files: BTreeSet<String>,
    /// What was mended.
    pub mended: Vec<String>,
}

impl Losses {
    /// Whether something is wrong.
    #[must_use]
    pub fn any(&self) -> bool {
        self.records || !self.units.is_empty()
    }

    /// The hours of units that are to be written anew, as `reprocess` takes them; nothing, where
    /// only all will do.
    #[must_use]
    pub fn hours(&self) -> Option<HourRange> {
        if self.records {
            return None;
        }
        let hours: Option<Vec<HourRange>> = self.units.keys().map(UnitId::hours).collect();
        hours?.into_iter().reduce(|all, hours| all.join(hours))
    }
}

/// What was done, and to how many; nothing, where it was to none.
#[must_use]
pub fn told(count: u64, one: &str, many: &str, done: &str) -> Option<String> {
    (count > 0).then(|| format!("{count} {} {done}", either(count, one, many)))
}
