//! A source: everything that tells its logs from those of another. Each has a file in
//! [`super::sources`].

use super::column::Column;
use super::object_name::Named;
use super::view::{SourceView, ViewColumns};
use crate::model::Table;

/// Everything about one source of logs.
#[derive(Debug)]
pub struct Source {
    /// The table that its rows go to.
    pub table: Table,
    /// What `--format`, a job file and the column `source` of the view `access_logs` call it.
    pub cli_name: &'static str,
    /// What it is called in sentences.
    pub words: Words,
    /// The columns of its table, without those of the partition. Only ever appended.
    pub columns: &'static [Column],
    /// The columns that the rows of a file are sorted by, the first first, people before bots.
    /// They are columns of text, the last of them an address, and then the time: numbers are not
    /// ranked (`columns/sort.rs`).
    pub sort: &'static [&'static str],
    /// Reads the name of an object, its folders left out; `None` where the source gives no such
    /// name.
    pub read_name: fn(&str) -> Option<Named>,
    /// The folder below which its deliveries lie whose file names tell nothing. `None` for the
    /// source that is meant wherever the folders name no other.
    pub folder: Option<&'static str>,
    /// What AWS writes into the folders of these logs, or where they are to come.
    pub beside: &'static [&'static str],
    /// What its logs are called where they are known as neighbours of logs that are read
    /// (`object_name.rs`). What was known under these words is read from now on.
    pub neighbour_names: &'static [&'static str],
    /// The fields that tell the time of a row; normalised, as all fields below.
    pub time_fields: &'static [&'static str],
    /// The fields that are not one column of their own name, and the columns that each falls into.
    pub split_fields: &'static [SplitField],
    /// The fields of which one must be there: what a row without any of them tells is not worth a
    /// row, and fields of the connection alone are in other logs too.
    pub telling_fields: &'static [&'static str],
    /// The columns whose fields every log has in which others have renamed fields: all of them must
    /// be there, under their own names or under aliases, before an alias counts. Where none are
    /// named, no alias does.
    pub indispensable: &'static [&'static str],
    /// Fields, as logged, that only logs have whose rows no table holds; and what those are called.
    pub skipped: &'static [(&'static str, &'static str)],
    /// What its formats are called.
    pub formats: FormatNames,
    /// How rows are written that have neither a header nor names, where the source writes such.
    pub positional: Option<PositionalRows>,
    /// How it writes the bytes that a log may not hold.
    pub escapes: Escapes,
    /// Views with names that people's queries use, over its table alone.
    pub views: &'static [SourceView],
    /// Its part of the view `access_logs`: the same names, in the same order, as every source.
    pub access: ViewColumns,
}

/// What a source is called in sentences.
#[derive(Clone, Copy, Debug)]
pub struct Words {
    /// One log, with its article, as help texts say it.
    pub one: &'static str,
    /// Its logs, as help texts say it.
    pub many: &'static str,
    /// One log in short, without an article.
    pub short: &'static str,
    /// Its logs in short.
    pub logs: &'static str,
    /// Who writes them, with an article where there is one.
    pub writer: &'static str,
    /// What an object is called, for example.
    pub example_name: &'static str,
}

/// The names of a source's formats, as a summary says what was found.
#[derive(Clone, Copy, Debug)]
pub struct FormatNames {
    /// `#Version` and `#Fields`.
    pub w3c_versioned: &'static str,
    /// `#Fields` without `#Version`.
    pub w3c: &'static str,
    /// One JSON object a line.
    pub json: &'static str,
    /// Values without a header, by a list of fields.
    pub plain: &'static str,
    /// Apache Parquet.
    pub parquet: &'static str,
}

/// Rows of values in a fixed order between single spaces, some of them in double quotes.
#[derive(Debug, PartialEq, Eq)]
pub struct PositionalRows {
    /// The name of the format, as a summary says what was found.
    pub found: &'static str,
    /// Who writes them, with an article.
    pub writer: &'static str,
    /// What the values are, in their order. New ones come at the end.
    pub fields: &'static [&'static str],
    /// A shorter row is cut.
    pub fewest_values: usize,
    /// A longer one is no such row.
    pub most_values: usize,
    /// What the first values must be, so that a line is believed to be such a row.
    pub begins: &'static [FirstValue],
}

/// What a value at the beginning of a line must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstValue {
    /// One of these words.
    OneOf(&'static [&'static [u8]]),
    /// A time in ISO 8601.
    Time,
    /// No number.
    NoNumber,
}

/// How a source writes the bytes that its log may not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// `%20`, as CloudFront does.
    Percent,
    /// `\x22`, as load balancers do.
    Hex,
}

/// A field that is not one column of its own name.
#[derive(Clone, Copy, Debug)]
pub struct SplitField {
    /// Its names, normalised.
    pub names: &'static [&'static str],
    /// The columns that it falls into.
    pub columns: &'static [(&'static str, Subfield)],
}

/// Part of a logged value that is a column of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subfield {
    /// All of it.
    Whole,
    /// `address:port`: what stands before the last colon. An IPv6 address stands without brackets.
    Address,
    /// `address:port`: what stands after the last colon, or all of it.
    Port,
    /// `METHOD url version`: what stands before the first space.
    Verb,
    /// What stands between the first space and the last; a URL may hold spaces.
    Url,
    /// What stands after the last space.
    Version,
}
