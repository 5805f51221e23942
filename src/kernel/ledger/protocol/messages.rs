//! What a machine and whoever drives it say to each other: actions one way, events the other.

use std::collections::BTreeSet;

use crate::kernel::ledger::records::{BatchEntry, PartitionRecord, UnitRecord};
use crate::kernel::ledger::staging::FileCopy;
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
    /// That nothing which rests on a reading from before the wait is still under way. It is as long
    /// as the longest delay of a call.
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
