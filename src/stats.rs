//! Every counter, its unit last. Counters are returned values: stages return them, callers add them
//! up.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// A count in words: `1 object`, `2 objects`.
#[must_use]
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", plural(number))
}

/// What stands behind a word of which there are so many.
#[must_use]
pub const fn plural(number: u64) -> &'static str {
    if number == 1 { "" } else { "s" }
}

/// What became of the lines of some objects. Always
/// `lines == rows + rejected_lines + comment_lines`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineStats {
    /// Lines read; a last line without an end counts as one.
    pub lines: u64,
    /// Lines that became rows.
    pub rows: u64,
    /// Lines that went to the rejects.
    pub rejected_lines: u64,
    /// Header, comment and blank lines, and those of logs that are recognised and skipped.
    pub comment_lines: u64,
    /// Of the comment lines, those that hold a request and that no table takes: of streaming logs.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skipped_lines: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

impl AddAssign for LineStats {
    fn add_assign(&mut self, other: Self) {
        self.lines += other.lines;
        self.rows += other.rows;
        self.rejected_lines += other.rejected_lines;
        self.comment_lines += other.comment_lines;
        self.skipped_lines += other.skipped_lines;
    }
}

/// What one run of `convert` did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RunStats {
    /// Units (hours, mostly) that had something to convert.
    pub units: u64,
    /// Raw objects found by the listing, of any name.
    pub listed_objects: u64,
    /// Raw objects converted and committed by this run.
    pub converted_objects: u64,
    /// Raw objects that an earlier run had converted.
    pub known_objects: u64,
    /// Raw objects with the bytes, size and name of one under another key; they have no rows of
    /// their own, unless the job takes them.
    pub same_content_objects: u64,
    /// Raw objects whose bytes changed after they were converted.
    pub changed_objects: u64,
    /// Those of them whose old rows were replaced by new ones.
    pub replaced_objects: u64,
    /// Raw objects that came to an hour of which others had been converted before.
    pub late_objects: u64,
    /// The longest that any of them came after the end of its hour.
    pub lateness_seconds: u64,
    /// Objects left alone: they are no logs that are read here, by their names, their first bytes
    /// or their fields.
    pub skipped_objects: u64,
    /// Logs of other hours than those that were asked for. What the listing could skip unseen is in
    /// no counter.
    pub outside_objects: u64,
    /// Logs of other distributions or load balancers than those that were asked for.
    pub filtered_objects: u64,
    /// Objects that the job excludes.
    pub excluded_objects: u64,
    /// Logs of hours that other shares of the work have.
    pub other_shard_objects: u64,
    /// Objects that were moved to the archive, or deleted, since their rows are seen everywhere.
    pub archived_objects: u64,
    /// Objects with damage; their good lines were kept.
    pub damaged_objects: u64,
    /// Objects of which no line could be read as a row; they are left out, and the next run tries
    /// again.
    pub unread_objects: u64,
    /// Stored bytes of the converted objects.
    pub input_bytes: u64,
    /// The same, decompressed.
    pub raw_bytes: u64,
    /// Lines, rows and rejects.
    #[serde(flatten)]
    pub lines: LineStats,
    /// Parquet files written.
    pub output_files: u64,
    /// Their bytes.
    pub output_bytes: u64,
    /// Batches that another run had committed and this one published.
    pub finished_batches: u64,
    /// Rewrites that another run had opened and this one closed.
    pub finished_rewrites: u64,
    /// Attempts of dead runs whose folders were cleared.
    pub cleared_attempts: u64,
}

impl AddAssign<&Self> for RunStats {
    fn add_assign(&mut self, other: &Self) {
        self.units += other.units;
        self.listed_objects += other.listed_objects;
        self.converted_objects += other.converted_objects;
        self.known_objects += other.known_objects;
        self.same_content_objects += other.same_content_objects;
        self.changed_objects += other.changed_objects;
        self.skipped_objects += other.skipped_objects;
        self.outside_objects += other.outside_objects;
        self.filtered_objects += other.filtered_objects;
        self.excluded_objects += other.excluded_objects;
        self.other_shard_objects += other.other_shard_objects;
        self.archived_objects += other.archived_objects;
        self.damaged_objects += other.damaged_objects;
        self.unread_objects += other.unread_objects;
        self.input_bytes += other.input_bytes;
        self.raw_bytes += other.raw_bytes;
        self.lines += other.lines;
        self.output_files += other.output_files;
        self.output_bytes += other.output_bytes;
        self.finished_batches += other.finished_batches;
        self.replaced_objects += other.replaced_objects;
        self.late_objects += other.late_objects;
        self.lateness_seconds = self.lateness_seconds.max(other.lateness_seconds);
        self.finished_rewrites += other.finished_rewrites;
        self.cleared_attempts += other.cleared_attempts;
    }
}
