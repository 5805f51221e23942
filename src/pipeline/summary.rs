//! What a run did: its counts, the first of what it met, and the exit code that follows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::committed::CommittedBatch;
use crate::compact::Compacted;
use crate::edge::objects::Calls;
use crate::error::{EXIT_DONE, EXIT_DONE_WITH_DAMAGE};
use crate::job::Job;
use crate::kernel::ledger::plan::Grouped;
use crate::model::{Partition, Table};
use crate::stats::RunStats;

/// At most this many damaged objects and rejects are named in the summary; the counts are whole.
pub(super) const NAMED_AT_MOST: usize = 5;

/// Makes [`Summary`] of a list: each field with the rule by which another part's is added to it,
/// and for the first few examples of something, the counter that counts all of them.
macro_rules! summary {
    ($($(#[$attribute:meta])* $visible:vis $name:ident: $kind:ty => $rule:ident $(of $counter:ident)?;)+) => {
        /// What a run did.
        #[derive(Clone, Debug, Default, Serialize)]
        pub struct Summary {
            $($(#[$attribute])* $visible $name: $kind,)+
        }

        impl Summary {
            /// Adds what another part of the run did.
            pub(super) fn add(&mut self, other: Self) {
                $($rule(&mut self.$name, other.$name);)+
            }

            /// The first few of what a counter counts; nothing, where none are named.
            #[must_use]
            pub fn examples(&self, counter: &str) -> Option<&[String]> {
                $($(
                    if counter == stringify!($counter) {
                        return Some(&self.$name);
                    }
                )?)+
                None
            }

            /// The counters of which the summary names the first few.
            pub const EXAMPLES_OF: &[&str] = &[$($(stringify!($counter),)?)+];
        }
    };
}

/// Counters are added by their own rules.
#[expect(clippy::needless_pass_by_value, reason = "as every rule of the list takes it")]
fn added(ours: &mut RunStats, theirs: RunStats) {
    *ours += &theirs;
}

/// The first few of both.
fn few(ours: &mut Vec<String>, theirs: Vec<String>) {
    ours.extend(theirs);
    ours.sort_unstable();
    ours.truncate(NAMED_AT_MOST);
}

/// How many of each.
fn summed<K: Ord>(ours: &mut BTreeMap<K, u64>, theirs: BTreeMap<K, u64>) {
    for (what, number) in theirs {
        *ours.entry(what).or_default() += number;
    }
}

/// The first that was found.
fn first(ours: &mut Option<String>, theirs: Option<String>) {
    *ours = ours.take().or(theirs);
}

/// All of both, each once.
fn joined<T: Ord>(ours: &mut BTreeSet<T>, theirs: BTreeSet<T>) {
    ours.extend(theirs);
}

/// All of both.
fn appended<T>(ours: &mut Vec<T>, theirs: Vec<T>) {
    ours.extend(theirs);
}

/// Said of the whole run, never of a part.
fn kept<T>(_ours: &mut T, theirs: T) {
    drop(theirs);
}

summary! {
    /// The counts.
    #[serde(flatten)]
    pub stats: RunStats => added;
    /// Calls to the store of the logs.
    pub source_calls: Calls => kept;
    /// Calls to the lake.
    pub lake_calls: Calls => kept;
    /// The first damaged objects: key, offset, reason.
    pub damaged: Vec<String> => few of damaged_objects;
    /// The first rejected lines: key, line, reason.
    pub rejects: Vec<String> => few of rejected_lines;
    /// The first objects of which no line could be read: key, line, reason.
    pub unread: Vec<String> => few of unread_objects;
    /// The first objects that hold the same bytes as others under other keys, and which those are.
    pub same: Vec<String> => few of same_content_objects;
    /// The first objects that changed after they were converted.
    pub changed: Vec<String> => few of changed_objects;
    /// The first raw objects that could not be read when their hour was brought back: their URLs,
    /// and how many rows of them are left.
    pub gone_objects_named: Vec<String> => few of gone_objects;
    /// Hours that were to be made anew and could not be, since raw objects of theirs are gone.
    pub gone: Vec<String> => few;
    /// The first of what this run committed and its ledger has not, though every call went well:
    /// the store lost it.
    pub lost: Vec<String> => few;
    /// The first partitions whose records are gone, so that no query sees their rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unseen: Vec<String> => kept;
    /// What was mended that somebody had removed from the lake by hand.
    pub mended: Vec<String> => kept;
    /// Hours that were written anew since the lake had lost rows or records of theirs.
    pub rebuilt_units: u64 => kept;
    /// Of these, hours that nobody had asked for: rows of theirs were lost beside those that were.
    pub also: Vec<String> => kept;
    /// The first hours that objects came late to, with how many and how late.
    pub late: Vec<String> => few of late_objects;
    /// What became of hours with many small files.
    pub compacted: Compacted => kept;
    /// Objects converted, by what they were found to be.
    pub found: BTreeMap<&'static str, u64> => summed;
    /// Objects left alone, by what they are.
    pub left_alone: BTreeMap<&'static str, u64> => summed;
    /// The key of the first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_left_alone: Option<String> => first;
    /// What there is instead, where the hours, distributions, patterns or the share of the work
    /// that were asked for let no log through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_matched: Option<String> => kept;
    /// Filters that fit none of the objects that were listed, each with what there is instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub idle_filters: Vec<String> => kept;
    /// Fields that this version has never heard of, by their logged names, with the number of rows
    /// that have a value. They are in the column `extra`.
    pub new_fields: BTreeMap<String, u64> => summed;
    /// Seconds from begin to end.
    pub elapsed_seconds: f64 => kept;
    /// Whether more lines were rejected than the job finds normal.
    pub too_many_rejects: bool => kept;
    /// Rows from before that hold more of people than the lake keeps by now, in the tables of this
    /// run.
    pub rows_that_keep_more: u64 => kept;
    /// Hours that have any.
    pub hours_that_keep_more: u64 => kept;
    /// The tables of which the lake was told to keep less while this run made rows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kept_less_since: Vec<String> => kept;
    /// The commands that write them anew.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mending: Vec<String> => kept;
    /// Whether rows were written anew that were there before.
    #[serde(skip)]
    pub(super) wrote_anew: bool => kept;
    /// Partitions that got rows.
    #[serde(skip)]
    pub(super) touched: BTreeSet<Partition> => joined;
    /// Partitions with a rewrite that this run opened.
    #[serde(skip)]
    pub(super) rewritten: BTreeSet<Partition> => joined;
    /// What this run committed.
    #[serde(skip)]
    pub(super) committed: Vec<CommittedBatch> => appended;
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
            || stats.gone_objects > 0
            || !self.gone.is_empty()
            || !self.lost.is_empty()
            || !self.kept_less_since.is_empty()
            || !self.unseen.is_empty()
        {
            EXIT_DONE_WITH_DAMAGE
        } else {
            EXIT_DONE
        }
    }

    /// The tables of logs of which batches were committed.
    pub(super) fn written(&self) -> BTreeSet<Table> {
        self.committed.iter().map(|committed| committed.unit.table()).collect()
    }

    /// Rejected lines per line read.
    #[must_use]
    pub fn rejected_ratio(&self) -> f64 {
        ratio(self.stats.lines.rejected_lines, self.stats.lines.lines)
    }

    /// Notes what a listing showed, and what of it is not converted.
    pub(super) fn note_listing(&mut self, job: &Job, grouped: &Grouped) {
        let stats = &mut self.stats;
        stats.listed_objects = grouped.listed_objects();
        let left_out = &grouped.left_out;
        stats.skipped_objects = left_out.skipped_objects();
        stats.outside_objects = left_out.outside_objects;
        stats.filtered_objects = left_out.filtered_objects;
        stats.excluded_objects = left_out.excluded_objects;
        stats.other_shard_objects = left_out.other_shard_objects;
        self.left_alone.clone_from(&left_out.skipped);
        self.first_left_alone.clone_from(&left_out.first_skipped);
        self.nothing_matched = grouped.nothing_matched(job.hours, &job.shard.to_string());
        self.idle_filters = left_out.idle_filters(&job.naming);
    }

    /// What the list of counters says to people, of those that are not zero, each with its first
    /// few examples.
    pub fn told(&self) -> impl Iterator<Item = (String, &[String])> {
        self.stats.counted().filter(|(_, number)| *number > 0).filter_map(|(counter, number)| {
            let (line, examples) = (counter.line?.of(number), self.examples(counter.name));
            Some(match examples {
                Some(examples) => (format!("{line}:"), examples),
                None => (line, [].as_slice()),
            })
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "a ratio of counts needs no more than a double's precision")]
pub(super) fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
