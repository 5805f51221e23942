//! Does the lake hold every row of every object exactly once? Everything that says so is held
//! against everything else: the listing of the logs, the unit records, the manifests, the partition
//! records, the files and their footers, the rejects, the catalog, and what lies around unnamed.
//!
//! The chain of the proof: each object is an input of exactly one batch that counts (units,
//! manifests); its lines = rows + rejected lines + comment lines (manifests); a batch's rows are
//! those of its files (manifests); each batch is applied to each of its partitions (partition
//! records), where what a unit has is as many rows as its batches put there; each file is there
//! with as many rows as its record says (footers); the folder holds these files and no other; the
//! catalog points to it.
//!
//! Beside that chain: whether any row holds more of people than the lake keeps by now.

mod files;
mod fix;
mod people;
mod some;
mod units;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub(crate) use some::differences;

use crate::edge::access::Access;
use crate::error::Result;
use crate::job;
use crate::kernel::ledger::plan::Naming;
use crate::lake::Lake;
use crate::model::{HourRange, Table};
use crate::repair;

/// What is to be verified.
#[derive(Clone, Debug)]
pub struct Options {
    /// The logs, to see whether the lake has them all.
    pub from: Option<String>,
    /// How they are reached.
    pub source: Access,
    /// How they are told apart: as whatever converts them is told.
    pub naming: Naming,
    /// Only these hours.
    pub hours: Option<HourRange>,
    /// Whether every file is read whole.
    pub deep: bool,
    /// Whether what can be mended is mended.
    pub fix: bool,
    /// How long another machine's claim holds that nobody renews.
    pub lease: Duration,
    /// How old a folder of unfinished work is that is taken for a dead process's.
    pub orphan_age: Duration,
}

impl Default for Options {
    /// Waits as a conversion does that is told nothing.
    fn default() -> Self {
        let job::Options { lease, orphan_age, .. } = job::Typed::default().decided();
        Self {
            from: None,
            source: Access::default(),
            naming: Naming::default(),
            hours: None,
            deep: false,
            fix: false,
            lease,
            orphan_age,
        }
    }
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A raw object that no batch has.
    NotConverted,
    /// A raw object whose bytes are others than those that were converted.
    Changed,
    /// An object that two batches have.
    ConvertedTwice,
    /// A record, manifest or file that cannot be read as what it is.
    Damaged,
    /// Lines that are neither rows nor rejects nor comments.
    LinesMissing,
    /// Rows of a batch and of its files, or of a partition and its batches, that are not as many.
    RowsDiffer,
    /// A batch that counts and is not seen everywhere.
    Unpublished,
    /// A rewrite that is not closed.
    OpenRewrite,
    /// A file that a record names and that is not there, or not of its size.
    FileMissing,
    /// A file in a table's folder that no record names.
    UnnamedFile,
    /// A partition that the catalog lacks, or has at another folder.
    Unregistered,
    /// A folder of work in progress that no record names.
    LeftOver,
    /// A claim of a dead process.
    DeadClaim,
    /// Rows that hold more of people than the lake keeps by now.
    KeepsMore,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotConverted => "not converted",
            Self::Changed => "changed after conversion",
            Self::ConvertedTwice => "converted twice",
            Self::Damaged => "damaged",
            Self::LinesMissing => "lines missing",
            Self::RowsDiffer => "rows differ",
            Self::Unpublished => "not published",
            Self::OpenRewrite => "rewrite not closed",
            Self::FileMissing => "file missing",
            Self::UnnamedFile => "file that nothing names",
            Self::Unregistered => "not registered",
            Self::LeftOver => "left over",
            Self::DeadClaim => "claim of a dead process",
            Self::KeepsMore => "keeps more of people than the lake does",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Of what, and by how much.
    pub about: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Units with a record.
    pub units: u64,
    /// Raw objects that batches have.
    pub objects: u64,
    /// Their lines.
    pub lines: u64,
    /// Those that are rows.
    pub rows: u64,
    /// Those that are rejects.
    pub rejected_lines: u64,
    /// Raw objects that were left out of the table, since they hold the same bytes as others under
    /// other keys.
    pub same_content_objects: u64,
    /// Partitions with a record.
    pub partitions: u64,
    /// Files that they name.
    pub files: u64,
    /// Raw objects that were listed and compared; none, where no logs were named.
    pub listed_objects: u64,
    /// Of these, objects that a conversion leaves alone.
    pub left_alone_objects: u64,
    /// Of these, logs of distributions that were not asked for.
    pub filtered_objects: u64,
    /// Of these, objects that were excluded.
    pub excluded_objects: u64,
    /// The hours that were looked at; all, where none are named.
    pub hours: Option<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is there and harms nothing: work in progress, or left by a dead run and cleared when it
    /// is a day old.
    pub notes: Vec<String>,
    /// What was mended.
    pub mended: Vec<String>,
    /// Where raw logs are needed to mend the lake: the command that does it, without the program's
    /// name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reprocess: Option<String>,
}

impl Report {
    fn find(&mut self, kind: Kind, about: impl fmt::Display) {
        self.findings.push(Finding { kind, about: about.to_string() });
    }
}

/// Looks, mends where that is wished, and looks again.
pub async fn verify(lake: &Lake, options: &Options) -> Result<Report> {
    let mut report = look(lake, options).await?;
    if options.fix && !report.findings.is_empty() {
        let mended = fix::mend(lake, options, &report).await?;
        report = look(lake, options).await?;
        report.mended = mended;
    }
    report.reprocess = reprocess(lake, options, &report).await?;
    Ok(report)
}

/// The command that mends what takes the raw logs, with the hours that lack something.
async fn reprocess(lake: &Lake, options: &Options, report: &Report) -> Result<Option<String>> {
    use Kind::{ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished};
    let is_about_logs = |finding: &Finding| {
        let kinds =
            [ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished];
        kinds.contains(&finding.kind)
    };
    if !report.findings.iter().any(is_about_logs) {
        return Ok(None);
    }
    let losses = match repair::losses(lake, None).await {
        Err(error) if error.is_damage() => return Ok(None),
        losses => losses?,
    };
    if !losses.any() {
        return Ok(None);
    }
    let hours = losses.hours().map_or_else(|| "--all".to_owned(), |hours| format!("--hours {hours}"));
    let from = options.from.as_deref().unwrap_or("LOGS");
    Ok(Some(format!("reprocess --lake {} --from {from} {hours}", lake.objects.url())))
}

async fn look(lake: &Lake, options: &Options) -> Result<Report> {
    let mut report = Report { hours: options.hours.map(|hours| hours.to_string()), ..Report::default() };
    let expected = units::look(lake, options, &mut report).await?;
    for table in Table::ALL {
        files::look(lake, table, options, &expected, &mut report).await?;
    }
    fix::look_around(lake, options, &mut report).await?;
    people::look(lake, &expected.people, &mut report).await?;
    Ok(report)
}
