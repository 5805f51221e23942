//! The protocol as pure state machines: what a worker does next, given what it has just seen.
//!
//! Write aside, commit, publish, register; and for what takes the place of rows that are seen
//! already: write aside, switch, settle. Each machine's `step` takes an event and answers with the
//! next action; whoever carries the action out (`carry.rs` in a real run, the model checker in
//! `tests/model`) brings back what came of it. A machine holds no clock, no identity but its
//! attempt's, and no belief about a record other than the one it was just shown.
//!
//! | machine | what it brings about |
//! |-|-|
//! | [`Commit`] | an attempt's batch counts, is seen in every partition, and its staging is gone |
//! | [`Switch`] | a partition's record names new files in the place of some, in a folder of their own: a rewrite is open |
//! | [`Settle`] | the canonical folder and the catalog agree with the record again: the rewrite is closed |
//! | [`Register`] | the catalog has a partition where its files lie |
//! | [`Fold`] | a unit's record names many published batches as one |
//! | [`End`] | an attempt that never came to its commit never will, so that its folder may be cleared |
//! | [`Lose`] | a partition's record says which of its files are gone, so that what is left can go on |
//! | [`GiveUp`] | a batch of which staged files are gone holds its unit up no longer |
//!
//! # Why each row is in the table exactly once
//!
//! - The only instant that decides is the compare-and-set that names the batch in its unit's
//!   record. Before it nothing that a reader follows has changed, and a crash leaves only a folder
//!   in `staging`.
//! - A worker adds a batch only to a record whose inputs it has all seen and that share none with
//!   its own, or in the place of all of the unit's batches, each published, which it was made from.
//! - While a batch is taking the place of others ([`UnitRecord::replacing`]), no other is committed
//!   to the unit. So what a unit has in a partition is replaced as a whole, whatever compactions
//!   have merged there.
//! - A batch that was applied to a partition stays named there, also when it has been replaced: it
//!   is never applied a second time. Of batches that a [`Fold`] named as one, the one takes their
//!   place there once none of their staging is left: who would apply one of them again finds
//!   neither its files nor its name in the unit's record.
//! - After the commit every step can be repeated by anyone: copying a file to a name that follows
//!   from the batch, adding a batch to a set that has it already.
//! - Staging is cleared only when the batch is marked published, so whoever finishes the work finds
//!   the files, or finds the batch marked.
//! - A compare-and-set whose answer was lost is answered by reading again: the attempt in the
//!   record tells whose it is.
//!
//! What somebody removed by hand is no step of this, and is taken up by two more machines, which
//! nothing else runs:
//! - A file that is gone is moved to [`Part::lost`](super::records::UnitFiles::lost) by a
//!   compare-and-set on the version by which it must have been there. So no live worker's file is
//!   ever taken for gone, and what is lost stays written down, and is told, until its unit is
//!   written anew.
//! - A batch that can't be published since staged files are gone is marked as published, never
//!   taken back: its inputs stay known, so nobody converts them a second time, and its rows, here
//!   and missing, are replaced as a whole as any unit's are.
//!
//! # The one assumption about time
//!
//! No copy, deletion or catalog call takes effect later than D after the reading of the record that
//! it rests on. Whoever carries actions out keeps it: before each such call it looks how old the
//! reading is, and answers [`Event::TooLate`] rather than send it. [`Wait::MaxCallDelay`] is a wait
//! of D; after it nothing that rests on an older reading is still under way. It is needed where
//! something that is visible goes:
//! - a catalog is pointed to another folder, and read back, only D after the record names that
//!   folder, or a sleeper's older call might point it back;
//! - a file is deleted only D after its source was seen gone, or a sleeper's copy might bring it
//!   back;
//! - a rewrite is opened only when the sources of what it replaces are gone, so settling one never
//!   waits for another.
//!
//! Then [`Wait::Queries`]: who had listed the old folder before the catalog was pointed away from
//! it may still be reading.

mod commit;
mod end;
mod fold;
mod register;
mod repair;
mod settle;
mod switch;

use std::collections::BTreeSet;

pub use commit::Commit;
pub use end::{End, Ended};
pub use fold::Fold;
pub use register::Register;
pub use repair::{GiveUp, Lose};
pub use settle::Settle;
pub use switch::{Change, Folded, Switch};

use super::records::{BatchEntry, PartitionRecord, UnitRecord};
use super::staging::FileCopy;
use crate::model::Partition;

/// What came of a compare-and-set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CasOutcome {
    /// The record is now ours.
    Committed,
    /// Another version was there first; nothing was written.
    Conflict,
    /// No telling: it may have happened.
    Indeterminate,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Wait {
    /// That nothing which rests on a reading from before the wait is still under way: D.
    MaxCallDelay,
    /// That queries which began before the wait have ended: the grace period.
    Queries,
}

/// What the worker does next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Write the manifest; its name is the attempt's, so nobody else writes it.
    WriteManifest,
    /// Read the unit's record.
    ReadUnit,
    /// Read the inputs of these batches of the unit.
    ReadInputs(Vec<BatchEntry>),
    /// Replace the unit's record, whose version is one less than this one's.
    SwapUnit(UnitRecord),
    /// Bring a batch that is taking the place of the unit's others to its end, with a machine of
    /// its own.
    Finish(BatchEntry),
    /// Read a partition's record.
    ReadPartition(Partition),
    /// Replace a partition's record, whose version is one less than this one's.
    SwapPartition(PartitionRecord),
    /// Close the partition's open rewrite, with a machine of its own.
    Settle(Partition),
    /// List the names right below `staging`.
    ListStaging,
    /// Look whether files are there, by their paths below the lake, and have so many bytes.
    Look(Vec<(String, u64)>),
    /// Put an empty object, whose name hides it from engines, so that a folder without files is
    /// found by a listing.
    Mark(String),
    /// Copy files; those that are there stay.
    Copy(Vec<FileCopy>),
    /// Delete these files; those that are gone are fine.
    Delete(Vec<String>),
    /// Delete a folder of `staging` and all below it.
    RemoveFolder(String),
    /// Wait.
    Wait(Wait),
    /// Create the partition in the catalog, or correct it, with the folder.
    SetCatalog(Partition, String),
    /// Ask the catalog for the partition's folder.
    ReadCatalog(Partition),
    /// Nothing more.
    Done(Outcome),
}

/// What the worker has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A machine's first event.
    Start,
    /// The manifest lies in the store, and so do the staged files.
    ManifestWritten,
    /// The unit's record as it is.
    Unit(UnitRecord),
    /// Whether the batches that were asked for have any of this batch's inputs.
    Inputs {
        /// They have at least one in common.
        overlap: bool,
    },
    /// What came of a compare-and-set.
    Swapped(CasOutcome),
    /// The other batch, or the rewrite, has come to its end.
    Finished,
    /// A partition's record as it is.
    Partition(PartitionRecord),
    /// The names right below `staging`.
    Staging(BTreeSet<String>),
    /// Of the files that were looked for, those that are gone or of another size.
    Gone(BTreeSet<String>),
    /// The empty object is there.
    Marked,
    /// The files lie where they were asked to be.
    Copied,
    /// This file, which was to be copied, is not there.
    SourceGone(String),
    /// The files are gone.
    Deleted,
    /// The folder is gone.
    Removed,
    /// The time has passed.
    Waited,
    /// The catalog took it.
    CatalogSet,
    /// The folder that the catalog has.
    Catalog(Option<String>),
    /// The reading that the call would have rested on is too old; it was not sent.
    TooLate,
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// What the machine is there for has come about.
    Done,
    /// Another was there first, or the attempt was given up: nothing of it counts, plan anew.
    Superseded,
    /// What is to be replaced was not at rest: try again later.
    Busy,
    /// A file that the records rely on is gone, and no protocol step removed it: somebody did by
    /// hand.
    FileMissing(String),
}

/// Sentences of the protocol, which the proof takes out one at a time to see that each is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sentence {
    /// The catalog is pointed to another folder only after [`Wait::MaxCallDelay`].
    CatalogWaits,
    /// The catalog is read back after [`Wait::MaxCallDelay`], not before.
    ReadsBackLate,
    /// A rewrite is opened only when the sources of the files that go were seen gone.
    SourcesGoneFirst,
    /// Deleted are only files that the rewrite names as replaced, not whatever the record does not
    /// name.
    DeletesOnlyReplaced,
    /// A batch takes the place of exactly the batches that it was made from, all of them published.
    ReplacesExactly,
    /// No batch is committed while another is taking the place of the unit's.
    OneReplacement,
}

/// What the machines of a lake have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Setting {
    /// Whether partitions are registered in a catalog.
    pub catalog: bool,
    /// The sentence that is taken out: none, outside of the proof.
    pub without: Option<Sentence>,
}

impl Setting {
    /// The whole protocol, with or without a catalog.
    #[must_use]
    pub const fn new(catalog: bool) -> Self {
        Self { catalog, without: None }
    }

    fn keeps(self, sentence: Sentence) -> bool {
        self.without != Some(sentence)
    }
}
