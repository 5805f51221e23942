//! Whether an object is a log of the table that it was taken for. Its name is only a hint:
//! neighbours of AWS's lie under folders and names of logs, and a row made of them has nothing but
//! NULLs. So no row is made of a header or an object that does not have some of the fields of such
//! logs.

use super::sniff;
use super::sniff::{FEWEST_KNOWN_FIELDS, NamesOf, Told};
use crate::kernel::schema::{Source, source};
use crate::model::Table;

/// What an object's own lines say of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belief {
    /// Whether something in it is as only logs of the table have it.
    pub proven: bool,
    /// What it is instead, as far as it is known; of what spoke against it first.
    pub told: Told,
    /// What spoke against it first: the line, from 1 (0 for all of a file), and a reason.
    pub against: Option<(u64, String)>,
    /// What the comment lines say of it.
    of_comment: Told,
}

impl Belief {
    /// What a comment line says.
    pub(super) fn comment(&mut self, line: &[u8]) {
        if self.of_comment == Told::Nothing && !self.proven {
            self.of_comment = sniff::comment(line);
        }
    }

    /// Whether fields are those of a log of the table; a reason where they are not.
    pub(super) fn fields(
        &mut self,
        table: Table,
        names: &[String],
        of: NamesOf,
        line_number: u64,
    ) -> Result<(), String> {
        let told = match self.of_comment {
            Told::Nothing => sniff::neighbour(names).map_or(Told::Nothing, Told::Other),
            of_comment => of_comment,
        };
        if told == Told::Nothing && sniff::is_log_of(table, names, of) {
            self.proven = true;
            return Ok(());
        }
        let told = if told == Told::Nothing { sniff::by_names(names, of) } else { told };
        Err(self.refuse(table, told, line_number))
    }

    /// Whether an object of which neither name nor header says anything begins with a log's line.
    pub(super) fn first_line(&mut self, table: Table, line: &[u8], line_number: u64) -> Result<(), String> {
        let told = match self.of_comment {
            Told::Nothing => sniff::first_line(line),
            of_comment => of_comment,
        };
        if told == Told::Log(table) {
            self.proven = true;
            return Ok(());
        }
        Err(self.refuse(table, told, line_number))
    }

    fn refuse(&mut self, table: Table, told: Told, line_number: u64) -> String {
        let reason = reason(table, told);
        if self.against.is_none() {
            self.told = told;
            self.against = Some((line_number, reason.clone()));
        }
        reason
    }
}

/// Why a line or a file is none of a table. No quotation mark may stand in it: what stands between
/// marks is taken for a value.
fn reason(table: Table, told: Told) -> String {
    match told {
        Told::Other(what) => format!("it is a {what}, which is not read here"),
        Told::Log(other) if other != table => source(other).map_or_else(String::new, looks_like),
        Told::Log(_) | Told::Nothing => {
            let what = source(table).map_or("a log", |source| source.words.logs);
            format!(
                "too few of its fields are those of {what}: {FEWEST_KNOWN_FIELDS} must be, a time and one of the \
                 request among them, and in JSON and Parquet no fewer than those of other names; for logs without a header name their \
                 fields (--fields)"
            )
        }
    }
}

/// Why an object is not read that is a log of another source than its name says.
pub(super) fn looks_like(source: &Source) -> String {
    let (log, name) = (source.words.short, source.cli_name);
    format!("it looks like a {log}, under the name of another log (--format {name} reads it)")
}
