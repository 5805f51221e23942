//! Every counter of a run, declared once: see the list at the end of this file.
//!
//! A new figure is one entry in that list and the place that counts it. The struct, the addition,
//! the keys of `--json`, the log lines, the line for people, the CloudWatch metric and
//! `docs/counters.md` come from the list.
//!
//! Counters are returned values: stages return them, callers add them up. A unit of measure ends
//! the name.

use std::fmt::Display;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// The target of the log lines of hours, and of runs: for machines, so that they can be left out
/// where a person reads.
pub const HOUR_TARGET: &str = "edgemill_hour";
/// See [`HOUR_TARGET`].
pub const RUN_TARGET: &str = "edgemill_run";

/// A count in words: `1 object`, `2 objects`.
#[must_use]
pub fn count(number: u64, what: &str) -> String {
    format!("{number} {what}{}", plural(number))
}

/// What stands behind a word of which there are so many.
#[must_use]
pub const fn plural(number: u64) -> &'static str {
    either(number, "", "s")
}

/// The word that goes with so many: `is` or `are`, `hour has` or `hours have`.
#[must_use]
pub const fn either<'t>(number: u64, one: &'t str, many: &'t str) -> &'t str {
    if number == 1 { one } else { many }
}

/// What the list says of one counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    /// Its key in `--json`.
    pub name: &'static str,
    /// What it counts.
    pub doc: &'static str,
    /// How two are added: `sum` or `max`.
    pub adding: &'static str,
    /// Its field in the log line of a run.
    pub run_field: Option<&'static str>,
    /// Its field in the log line of an hour.
    pub hour_field: Option<&'static str>,
    /// Its CloudWatch metric, and that one's unit. Counters of one metric are added up there.
    pub metric: Option<(&'static str, &'static str)>,
    /// The line for people that tells it where it is not zero.
    pub line: Option<CounterLine>,
}

/// The words around a count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterLine {
    /// What stands before it.
    pub before: &'static str,
    /// What is counted, of one.
    pub one: &'static str,
    /// What stands behind.
    pub after: &'static str,
}

impl CounterLine {
    /// The line of so many.
    #[must_use]
    pub fn of(&self, number: u64) -> String {
        format!("{}{}{}", self.before, count(number, self.one), self.after)
    }
}

/// What the log line of a run says beside its counters.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "each is the field of the log line of its name")]
pub struct RunLine<'a> {
    pub verb: &'a str,
    pub lake: &'a str,
    pub source: &'a str,
    pub first_left_alone: Option<&'a str>,
    pub nothing_matched: Option<&'a str>,
    pub rows_that_keep_more: u64,
    pub duration_seconds: f64,
    pub exit_code: u8,
}

const fn sum(ours: &mut u64, theirs: u64) {
    *ours += theirs;
}

const fn max(ours: &mut u64, theirs: u64) {
    if theirs > *ours {
        *ours = theirs;
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Something that the list need not say of a counter.
macro_rules! optional {
    () => {
        None
    };
    ($said:expr) => {
        Some($said)
    };
}

/// Makes [`RunStats`], [`LineStats`] and all that follows from the list. An entry is
///
/// ```text
/// /// What it counts.
/// name: sum or max[, run FIELD][, hour FIELD][, metric NAME UNIT][, line (BEFORE, ONE, AFTER)];
/// ```
///
/// `run` and `hour` name its field in the log line of a run, and of an hour.
macro_rules! counters {
    (
        $(
            $(#[doc = $doc:literal])+
            $name:ident: $rule:ident
            $(, run $run:ident)? $(, hour $hour:ident)? $(, metric $metric:ident $unit:ident)?
            $(, line ($before:literal, $one:literal, $after:literal))?;
        )+
        lines {
            $(
                $(#[doc = $ldoc:literal])+
                $(#[serde($($lserde:tt)+)])?
                $lname:ident: $lrule:ident
                $(, run $lrun:ident)? $(, hour $lhour:ident)? $(, metric $lmetric:ident $lunit:ident)?;
            )+
        }
        $(
            $(#[doc = $tdoc:literal])+
            $tname:ident: $trule:ident
            $(, run $trun:ident)? $(, hour $thour:ident)? $(, metric $tmetric:ident $tunit:ident)?
            $(, line ($tbefore:literal, $tone:literal, $tafter:literal))?;
        )+
    ) => {
        /// What became of the lines of some objects. Always
        /// `lines == rows + rejected_lines + comment_lines`.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        pub struct LineStats {
            $($(#[doc = $ldoc])+ $(#[serde($($lserde)+)])? pub $lname: u64,)+
        }

        /// What one run of `convert` or `reprocess` did.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
        pub struct RunStats {
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// Lines, rows and rejects.
            #[serde(flatten)]
            pub lines: LineStats,
            $($(#[doc = $tdoc])+ pub $tname: u64,)+
        }

        /// The counters of [`RunStats`], those of its lines among them, in their order.
        pub const COUNTERS: &[Counter] = &[
            $(Counter {
                name: stringify!($name),
                doc: concat!($($doc),+),
                adding: stringify!($rule),
                run_field: optional!($(stringify!($run))?),
                hour_field: optional!($(stringify!($hour))?),
                metric: optional!($((stringify!($metric), stringify!($unit)))?),
                line: optional!($(CounterLine { before: $before, one: $one, after: $after })?),
            },)+
            $(Counter {
                name: stringify!($lname),
                doc: concat!($($ldoc),+),
                adding: stringify!($lrule),
                run_field: optional!($(stringify!($lrun))?),
                hour_field: optional!($(stringify!($lhour))?),
                metric: optional!($((stringify!($lmetric), stringify!($lunit)))?),
                line: None,
            },)+
            $(Counter {
                name: stringify!($tname),
                doc: concat!($($tdoc),+),
                adding: stringify!($trule),
                run_field: optional!($(stringify!($trun))?),
                hour_field: optional!($(stringify!($thour))?),
                metric: optional!($((stringify!($tmetric), stringify!($tunit)))?),
                line: optional!($(CounterLine { before: $tbefore, one: $tone, after: $tafter })?),
            },)+
        ];

        impl RunStats {
            /// The counters with their values, in the order of [`COUNTERS`].
            pub fn counted(&self) -> impl Iterator<Item = (&'static Counter, u64)> {
                let values = [$(self.$name,)+ $(self.lines.$lname,)+ $(self.$tname,)+];
                COUNTERS.iter().zip(values)
            }

            /// The same, to be changed.
            pub fn counted_mut(&mut self) -> impl Iterator<Item = (&'static Counter, &mut u64)> {
                let values = [$(&mut self.$name,)+ $(&mut self.lines.$lname,)+ $(&mut self.$tname,)+];
                COUNTERS.iter().zip(values)
            }

            /// Writes the log line of a run.
            pub fn log_run(&self, run: &RunLine<'_>) {
                tracing::info!(
                    target: RUN_TARGET,
                    verb = run.verb,
                    lake = run.lake,
                    source = run.source,
                    $($($run = self.$name,)?)+
                    $($($lrun = self.lines.$lname,)?)+
                    $($($trun = self.$tname,)?)+
                    first_left_alone = run.first_left_alone,
                    nothing_matched = run.nothing_matched,
                    rows_that_keep_more = run.rows_that_keep_more,
                    duration_seconds = run.duration_seconds,
                    exit_code = run.exit_code,
                    "run ended"
                );
            }

            /// Writes the log line of an hour.
            pub fn log_hour(&self, unit: &dyn Display, duration_seconds: f64) {
                tracing::info!(
                    target: HOUR_TARGET,
                    unit = %unit,
                    $($($hour = self.$name,)?)+
                    $($($lhour = self.lines.$lname,)?)+
                    $($($thour = self.$tname,)?)+
                    duration_seconds,
                    "hour converted"
                );
            }
        }

        impl AddAssign for LineStats {
            fn add_assign(&mut self, other: Self) {
                $($lrule(&mut self.$lname, other.$lname);)+
            }
        }

        impl AddAssign<&Self> for RunStats {
            fn add_assign(&mut self, other: &Self) {
                $($rule(&mut self.$name, other.$name);)+
                self.lines += other.lines;
                $($trule(&mut self.$tname, other.$tname);)+
            }
        }
    };
}

counters! {
    /// Units (hours, mostly) that had something to convert.
    units: sum, run hours;
    /// Raw objects found by the listing, of any name.
    listed_objects: sum, run listed_objects;
    /// Raw objects converted and committed by this run.
    converted_objects: sum, run converted_objects, hour converted_objects, metric ConvertedObjects Count;
    /// Raw objects that an earlier run had converted.
    known_objects: sum, run known_objects;
    /// Raw objects with the bytes, size and name of one under another key; they have no rows of
    /// their own, unless the job takes them.
    same_content_objects: sum,
        line ("", "object", " with the bytes of another under another key (--same-content says what becomes of them)");
    /// Raw objects whose bytes changed after they were converted.
    changed_objects: sum;
    /// Changed raw objects whose old rows were replaced by new ones.
    replaced_objects: sum;
    /// Raw objects that were gone, or of another place, when their hour was brought back; of their
    /// rows it keeps what was left.
    gone_objects: sum, run gone_objects,
        line ("", "raw object", " not there to bring back the hours from; the rows that were left are kept");
    /// Converted raw objects that came to an hour of which others had been converted before.
    late_objects: sum, run late_objects, hour late_objects, metric LateObjects Count,
        line ("", "object", " came late");
    /// The longest time between the end of an hour and a late object of it.
    lateness_seconds: max, run lateness_seconds, hour lateness_seconds, metric LatenessSeconds Seconds;
    /// Objects left alone: they are no logs that are read here, by their names, their first bytes
    /// or their fields.
    skipped_objects: sum, run left_alone_objects;
    /// Logs of other hours than those that were asked for. What the listing could skip unseen is in
    /// no counter.
    outside_objects: sum, run outside_objects;
    /// Logs of other distributions or load balancers than those that were asked for.
    filtered_objects: sum, run filtered_objects;
    /// Objects that the job excludes.
    excluded_objects: sum, run excluded_objects, line ("excluded: ", "object", "");
    /// Logs of hours that other shares of the work have.
    other_shard_objects: sum;
    /// Objects that were moved to the archive, or deleted, since their rows are seen everywhere.
    archived_objects: sum, run archived_objects, line ("", "object", " moved to the archive or deleted");
    /// Objects with damage; their good lines were kept.
    damaged_objects: sum, run damaged_objects, hour damaged_objects, metric DamagedObjects Count,
        line ("", "damaged object", ", what came before the damage was kept");
    /// Objects of which no line could be read as a row; they are left out, and the next run tries
    /// again.
    unread_objects: sum, run unread_objects, metric DamagedObjects Count,
        line ("", "object", " not taken, since no line could be read; the next run tries again");
    /// Objects that wait until the lake is mended: rows of theirs belong into partitions whose
    /// records are gone.
    waiting_objects: sum, run waiting_objects, metric DamagedObjects Count,
        line ("", "object", " waiting until the lake is mended");
    /// Stored bytes of the converted objects.
    input_bytes: sum, run input_bytes, hour input_bytes, metric InputBytes Bytes;
    /// Bytes of the converted objects, decompressed.
    raw_bytes: sum, hour raw_bytes;
    lines {
        /// Lines read; a last line without an end counts as one.
        lines: sum;
        /// Lines that became rows.
        rows: sum, run rows, hour rows, metric Rows Count;
        /// Lines that went to the rejects.
        rejected_lines: sum, run rejected_lines, hour rejected_lines, metric RejectedLines Count;
        /// Header, comment and blank lines, and those of logs that are recognised and skipped.
        comment_lines: sum;
        /// Comment lines that hold a request of a streaming log; no table takes them.
        #[serde(default, skip_serializing_if = "is_zero")]
        skipped_lines: sum;
    }
    /// Parquet files written.
    output_files: sum, run output_files, hour output_files;
    /// Bytes of the Parquet files written.
    output_bytes: sum, run output_bytes, hour output_bytes, metric OutputBytes Bytes;
    /// Batches that another run had committed and this one published.
    finished_batches: sum, line ("", "hour", " of an interrupted run published");
    /// Rewrites that another run had opened and this one closed.
    finished_rewrites: sum, line ("", "rewrite", " of an interrupted run closed");
    /// Attempts of dead runs whose folders were cleared.
    cleared_attempts: sum;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_agree_with_their_number() {
        for (number, said) in [(0, "0 objects are"), (1, "1 object is"), (2, "2 objects are")] {
            assert_eq!(format!("{} {}", count(number, "object"), either(number, "is", "are")), said);
        }
    }
}
