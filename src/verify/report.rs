//! What a verification found.

use std::fmt;

use serde::Serialize;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
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
    /// Rows that hold more of people than the lake keeps by now.
    KeepsMore,
    /// What the lake keeps of people is not remembered in every place where it is to be.
    NotRemembered,
}

impl fmt::Display for FindingKind {
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
            Self::KeepsMore => "keeps more of people than the lake does",
            Self::NotRemembered => "not remembered",
        })
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What.
    pub kind: FindingKind,
    /// Of what, and by how much.
    pub about: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct VerifyReport {
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
    /// Raw objects that have rows although they hold the same bytes as others under other keys,
    /// which have rows too: a job took them all the same.
    pub twice_taken_objects: u64,
    /// The rows of these.
    pub twice_taken_rows: u64,
    /// Raw objects that were not there when their hour was brought back, of which the rows that
    /// were left are kept.
    pub taken_over_objects: u64,
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
    /// What there is instead, where what was asked for let nothing through.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub nothing_matched: Vec<String>,
    /// Filters that fit none of the objects that were listed, each with what there is instead.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub idle_filters: Vec<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What is there and harms nothing: work in progress, or left by a dead run and cleared once
    /// nobody has touched it for as long as the options say (`orphan_age`).
    pub notes: Vec<String>,
    /// Claims of dead processes, which nothing heeds: the next run clears them.
    pub dead_claims: Vec<String>,
    /// What was mended.
    pub mended: Vec<String>,
    /// Where raw logs are needed to mend the lake: the commands that do it, one for each source,
    /// and for each table where tables keep different things of people.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<String>,
    /// The first of them, without the program's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reprocess: Option<String>,
}

impl VerifyReport {
    /// Adds a finding.
    pub(super) fn find(&mut self, kind: FindingKind, about: impl fmt::Display) {
        self.findings.push(Finding { kind, about: about.to_string() });
    }
}
