//! What is converted, and what comes of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::kernel::source::inflate::Damage;
use crate::kernel::source::object_bytes::ObjectBytes;
use crate::model::{Hour, ObjectId, Partition};
use crate::stats::LineStats;

/// One raw object, fetched.
#[derive(Clone, Debug)]
pub struct RawObject {
    /// As it was listed.
    pub id: ObjectId,
    /// What the rows' `filename` column says.
    pub filename: Arc<str>,
    /// The distribution in its name.
    pub distribution: Option<String>,
    /// The hour in its name.
    pub hour: Option<Hour>,
    /// Whether its own name, or the job, says that it is a log of the table. If not, its first line
    /// must.
    pub named: bool,
    /// Its bytes as stored. Those that are not in memory are worked piece by piece.
    pub stored: ObjectBytes,
}

/// What became of one object.
#[derive(Clone, Debug)]
pub struct ObjectOutcome {
    /// The object.
    pub id: ObjectId,
    /// Its lines.
    pub lines: LineStats,
    /// Its size inflated.
    pub raw_bytes: u64,
    /// Where it broke off, if it did.
    pub damage: Option<Damage>,
    /// Line, reason of its first rejected line.
    pub first_reject: Option<(u64, String)>,
    /// What it was found to be.
    pub found: &'static str,
    /// Whether no line of it could be read as a row, and some should have been: most likely it is
    /// no such log, or the job describes it wrongly. Its lines are in no table, so that it can be
    /// read later.
    pub unread: bool,
    /// What it is, where it is no log of the table and never will be: its lines are in no table,
    /// and it is left alone.
    pub left_alone: Option<&'static str>,
}

impl ObjectOutcome {
    /// Whether its lines are in the tables.
    #[must_use]
    pub const fn is_taken(&self) -> bool {
        !self.unread && self.left_alone.is_none()
    }
}

/// What became of a chunk.
#[derive(Clone, Debug, Default)]
pub struct ChunkReport {
    /// Its objects, in order.
    pub outcomes: Vec<ObjectOutcome>,
    /// Fields that this version has never heard of, by their logged names, with the number of rows
    /// that have a value.
    pub new_fields: BTreeMap<String, u64>,
}

/// One finished file of one partition.
#[derive(Debug)]
pub struct OutputFile {
    /// The partition that its rows belong to.
    pub partition: Partition,
    /// The Parquet file.
    pub bytes: Vec<u8>,
    /// Its rows.
    pub rows: u64,
}
