//! What a run did: its counts, the first of what it met, and the exit code that follows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::compact::Compacted;
use crate::edge::objects::Calls;
use crate::error::{EXIT_DONE, EXIT_DONE_WITH_DAMAGE};
use crate::model::Partition;
use crate::stats::RunStats;

/// At most this many damaged objects and rejects are named in the summary; the counts are whole.
pub(super) const NAMED_AT_MOST: usize = 5;

/// What a run did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Summary {
    /// The counts.
    #[serde(flatten)]
    pub stats: RunStats,
    /// Calls to the store of the logs.
    pub source_calls: Calls,
    /// Calls to the lake.
    pub lake_calls: Calls,
    /// The first damaged objects: key, offset, reason.
    pub damaged: Vec<String>,
    /// The first rejected lines: key, line, reason.
    pub rejects: Vec<String>,
    /// The first objects of which no line could be read: key, line, reason.
    pub unread: Vec<String>,
    /// The first objects that hold the same bytes as others under other keys, and which those are.
    pub same: Vec<String>,
    /// The first objects that changed after they were converted.
    pub changed: Vec<String>,
    /// Hours that were to be made anew and could not be, since raw objects of theirs are gone.
    pub gone: Vec<String>,
    /// What was mended that somebody had removed from the lake by hand.
    pub mended: Vec<String>,
    /// Hours that were written anew since the lake had lost rows or records of theirs.
    pub rebuilt_units: u64,
    /// Of these, hours that nobody had asked for: rows of theirs were lost beside those that were.
    pub also: Vec<String>,
    /// The first hours that objects came late to, with how many and how late.
    pub late: Vec<String>,
    /// What became of hours with many small files.
    pub compacted: Compacted,
    /// Objects converted, by what they were found to be.
    pub found: BTreeMap<&'static str, u64>,
    /// Objects left alone, by what they are.
    pub left_alone: BTreeMap<&'static str, u64>,
    /// Fields that this version has never heard of, by their logged names, with the number of rows that have a value. They are
    /// in the column `extra`.
    pub new_fields: BTreeMap<String, u64>,
    /// Seconds from begin to end.
    pub elapsed_seconds: f64,
    /// Whether more lines were rejected than the job finds normal.
    pub too_many_rejects: bool,
    /// Partitions that got rows.
    #[serde(skip)]
    pub(super) touched: BTreeSet<Partition>,
    /// Partitions with a rewrite that this run opened.
    #[serde(skip)]
    pub(super) rewritten: BTreeSet<Partition>,
}

impl Summary {
    /// The exit code that tells a script.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        let stats = &self.stats;
        let unreplaced = stats.changed_objects > stats.replaced_objects;
        if stats.damaged_objects > 0
            || stats.unread_objects > 0
            || unreplaced
            || self.too_many_rejects
            || !self.gone.is_empty()
        {
            EXIT_DONE_WITH_DAMAGE
        } else {
            EXIT_DONE
        }
    }

    /// Rejected lines per line read.
    #[must_use]
    pub fn rejected_ratio(&self) -> f64 {
        ratio(self.stats.lines.rejected_lines, self.stats.lines.lines)
    }

    /// Adds what another part of the run did.
    pub(super) fn add(&mut self, other: Self) {
        self.stats += &other.stats;
        self.touched.extend(other.touched);
        self.rewritten.extend(other.rewritten);
        for (what, objects) in other.found {
            *self.found.entry(what).or_default() += objects;
        }
        for (name, rows) in other.new_fields {
            *self.new_fields.entry(name).or_default() += rows;
        }
        for (ours, theirs) in [
            (&mut self.damaged, other.damaged),
            (&mut self.rejects, other.rejects),
            (&mut self.unread, other.unread),
            (&mut self.same, other.same),
            (&mut self.changed, other.changed),
            (&mut self.gone, other.gone),
            (&mut self.late, other.late),
        ] {
            ours.extend(theirs);
            ours.sort_unstable();
            ours.truncate(NAMED_AT_MOST);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts needs no more than a double's precision")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
