//! What the repository holds that follows from the code: the list of columns, their documentation,
//! and the scripts of tables and views. `scripts/renew` writes it anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use edgemill::kernel::ddl;
use edgemill::kernel::ddl::Dialect;
use edgemill::kernel::schema::columns;
use edgemill::model::{Granularity, Table};

/// Set where files are to be written anew, and not only compared.
const RENEW: &str = "EDGEMILL_RENEW";

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(path).unwrap_or_default()
}

/// Fails where a file does not hold a text, or writes the text into it.
fn holds(path: &str, text: &str) {
    if read(path) == text {
        return;
    }
    assert!(std::env::var_os(RENEW).is_some(), "{path} is out of date; renew it: scripts/renew");
    fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join(path), text).unwrap();
}

/// The lines of the list that are of one table: name and type of each column.
fn lines_of(list: &str, table: Table) -> Vec<&str> {
    let prefix = format!("{table}\t");
    list.lines().filter(|line| line.starts_with(&prefix)).collect()
}

/// Why one list of columns is not another with some appended.
fn changed(before: &str, today: &str) -> Option<String> {
    Table::ALL.into_iter().find_map(|table| {
        let (before, today) = (lines_of(before, table), lines_of(today, table));
        let mut both = before.iter().enumerate().map(|(place, line)| (line, today.get(place)));
        let (line, now) = both.find(|(line, now)| Some(*line) != *now)?;
        Some(format!("'{line}' is now '{}'", now.unwrap_or(&"gone")))
    })
}

fn list() -> String {
    let mut list = String::new();
    for table in Table::ALL {
        for column in columns(table) {
            writeln!(list, "{table}\t{}\t{}", column.name, Dialect::Athena.type_name(column.kind)).unwrap();
        }
    }
    list
}

/// A lake outlives the version that began it: a reader of today finds the columns of yesterday.
#[test]
fn columns_are_only_ever_appended() {
    const LIST: &str = "tests/golden/columns.tsv";
    let (before, today) = (read(LIST), list());
    if let Some(what) = changed(&before, &today) {
        panic!("{what}: columns are only ever appended, and a type never changes");
    }
    holds(LIST, &today);
}

#[test]
fn what_is_not_appended_is_found() {
    let of = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let before = of(&["alb_logs\ta\tint", "alb_logs\tb\tint", "rejects\tc\tint"]);
    for (today, is_changed) in [
        (vec!["alb_logs\ta\tint", "alb_logs\tb\tint", "alb_logs\td\tint", "rejects\tc\tint"], false),
        (vec!["alb_logs\ta\tint", "alb_logs\tb\tbigint", "rejects\tc\tint"], true),
        (vec!["alb_logs\tb\tint", "alb_logs\ta\tint", "rejects\tc\tint"], true),
        (vec!["alb_logs\ta\tint", "rejects\tc\tint"], true),
    ] {
        assert_eq!(changed(&before, &of(&today)).is_some(), is_changed, "{today:?}");
    }
}

#[test]
fn every_column_is_documented() {
    let mut page = String::from(
        "# The columns of every table\n\n\
         Written by `scripts/renew` from [src/kernel/schema](../src/kernel/schema/mod.rs); [formats.md](formats.md) says more of\n\
         those that several logs have. Besides them every table has the columns of its partition: `year`, `month`, `day` and\n\
         `hour`, text, as many as the lake's partitions need.\n\n\
         *From* says where the values come from: a logged field of the same name (lower case, one `_` for every run of other\n\
         characters) or something that is made of one. *Of people* says what a job can take away besides the whole column\n\
         ([privacy.md](privacy.md)): `address` and `addresses` by `--client-ip`, `keys and values` by `--redact`; a `user agent` is\n\
         redacted too, and all columns of it are dropped together.\n",
    );
    for table in Table::ALL {
        write!(page, "\n## {table}\n\n| column | type | from | of people | what it holds |\n|-|-|-|-|-|\n").unwrap();
        for column in columns(table) {
            let kind = Dialect::Athena.type_name(column.kind);
            let doc = column.doc.replace('|', "\\|");
            writeln!(page, "| `{}` | {kind} | {} | {} | {doc} |", column.name, column.origin, column.privacy).unwrap();
        }
    }
    holds("docs/columns.md", &page);
}

#[test]
fn scripts_are_the_printed_ones() {
    for (dialect, name) in
        [(Dialect::Athena, "athena"), (Dialect::AthenaProjection, "athena-projection"), (Dialect::Spark, "spark")]
    {
        holds(&format!("ddl/{name}.sql"), &ddl::script(dialect, "s3://YOUR-BUCKET/lake", None, Granularity::Hour));
    }
}
