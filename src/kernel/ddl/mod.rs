//! SQL that describes the lake to other engines: its tables, from the one list of columns, and the views under which
//! people's existing queries run unchanged. Text in, text out.

mod views;

use std::fmt::Write as _;

pub use views::{Expression, Select, VIEWS, View};

use super::schema::{self, Column, ColumnType, PARTITION_COLUMNS};
use crate::model::Table;

/// An engine's way of writing SQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Amazon Athena: Hive's grammar for tables, Trino's for views.
    Athena,
    /// Spark SQL, 3.1 and later.
    Spark,
    /// `DataFusion`, which answers local queries.
    DataFusion,
}

impl Dialect {
    /// A name inside a query.
    fn quote(self, name: &str) -> String {
        match self {
            Self::Athena | Self::DataFusion => format!("\"{name}\""),
            Self::Spark => backtick(name),
        }
    }

    fn type_name(self, kind: ColumnType) -> &'static str {
        let (hive, spark) = match kind {
            ColumnType::String => ("string", "STRING"),
            ColumnType::Int => ("int", "INT"),
            ColumnType::Bigint => ("bigint", "BIGINT"),
            ColumnType::Double => ("double", "DOUBLE"),
            ColumnType::Boolean => ("boolean", "BOOLEAN"),
            ColumnType::Timestamp => ("timestamp", "TIMESTAMP"),
            ColumnType::Binary => ("binary", "BINARY"),
            ColumnType::StringMap => ("map<string,string>", "MAP<STRING, STRING>"),
        };
        if self == Self::Spark { spark } else { hive }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Athena => "Amazon Athena",
            Self::Spark => "Spark SQL",
            Self::DataFusion => "DataFusion",
        }
    }
}

fn backtick(name: &str) -> String {
    format!("`{name}`")
}

/// A text literal for Hive and Spark, which both read a backslash as an escape.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// One line of a list of columns. Semicolons become commas: many a tool cuts a script at each of them, literal or not.
fn column_line(column: &Column, dialect: Dialect) -> String {
    let comment = literal(&column.doc.replace(';', ","));
    format!("  {} {} COMMENT {comment}", backtick(column.name), dialect.type_name(column.kind))
}

/// The statement that makes a table known over the files of a lake, without its `;`.
///
/// `DataFusion` reads the columns from the files themselves, so its statement names only the partitions.
#[must_use]
pub fn create_table(table: Table, dialect: Dialect, lake_url: &str) -> String {
    let location = format!("{}/{table}/", lake_url.trim_end_matches('/'));
    let columns = schema::columns(table).iter().map(|column| column_line(column, dialect));
    match dialect {
        Dialect::Athena => {
            let partitions = PARTITION_COLUMNS.map(|name| format!("{} string", backtick(name))).join(", ");
            format!(
                "CREATE EXTERNAL TABLE IF NOT EXISTS {} (\n{}\n)\nPARTITIONED BY ({partitions})\nSTORED AS PARQUET\n\
                 LOCATION {}\nTBLPROPERTIES ('classification'='parquet', 'parquet.compression'='ZSTD')",
                backtick(table.name()),
                columns.collect::<Vec<_>>().join(",\n"),
                literal(&location),
            )
        }
        Dialect::Spark => {
            let partitions = PARTITION_COLUMNS.map(|name| format!("  {} STRING", backtick(name)));
            format!(
                "CREATE TABLE IF NOT EXISTS {} (\n{}\n)\nUSING PARQUET\nPARTITIONED BY ({})\nLOCATION {}",
                backtick(table.name()),
                columns.chain(partitions).collect::<Vec<_>>().join(",\n"),
                PARTITION_COLUMNS.map(backtick).join(", "),
                literal(&location),
            )
        }
        Dialect::DataFusion => format!(
            "CREATE EXTERNAL TABLE IF NOT EXISTS {table}\nSTORED AS PARQUET\nPARTITIONED BY ({})\nLOCATION '{}'",
            PARTITION_COLUMNS.join(", "),
            location.replace('\'', "''"),
        ),
    }
}

/// The statement that makes a view, without its `;`.
#[must_use]
pub fn create_view(view: &View, dialect: Dialect) -> String {
    let verb = if dialect == Dialect::DataFusion { "CREATE VIEW" } else { "CREATE OR REPLACE VIEW" };
    let selects: Vec<String> = view.selects.iter().map(|select| select_sql(select, dialect)).collect();
    format!("{verb} {} AS\n{}", dialect.quote(view.name), selects.join("\nUNION ALL\n"))
}

fn select_sql(select: &Select, dialect: Dialect) -> String {
    let mut sql = "SELECT".to_owned();
    for (index, (name, expression)) in select.columns.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (expression, name) = (expression.sql(dialect), dialect.quote(name));
        let alias = if expression == name { String::new() } else { format!(" AS {name}") };
        // Writing to a String cannot fail.
        let _ = write!(sql, "{comma}\n  {expression}{alias}");
    }
    sql + "\nFROM " + &dialect.quote(select.table.name())
}

/// The views that can be made once a table is there: those of which it is the last.
fn views_after(table: Table) -> impl Iterator<Item = &'static View> {
    VIEWS.iter().filter(move |view| view.selects.iter().map(|select| select.table).max() == Some(table))
}

/// The statement by which a catalog finds the partitions that a lake already has, where the engine has such a one.
#[must_use]
pub fn register_partitions(table: Table, dialect: Dialect) -> Option<String> {
    (dialect != Dialect::DataFusion).then(|| format!("MSCK REPAIR TABLE {}", backtick(table.name())))
}

/// A table's statements in the order in which they must run: the table, its partitions, the views that it completes, or, with
/// `alone`, those that read nothing else.
#[must_use]
pub fn statements(table: Table, dialect: Dialect, lake_url: &str, alone: bool) -> Vec<String> {
    let views = views_after(table).filter(|view| !alone || view.selects.len() == 1);
    let views = views.map(|view| create_view(view, dialect));
    std::iter::once(create_table(table, dialect, lake_url))
        .chain(register_partitions(table, dialect))
        .chain(views)
        .collect()
}

/// A script of every table (or one), its partitions and its views; each statement ends with `;`, an empty line between.
#[must_use]
pub fn script(dialect: Dialect, lake_url: &str, only: Option<Table>) -> String {
    let mut script = format!(
        "-- Tables and views of an edgemill lake, for {}.\n\
         -- Nothing here is ever dropped: running it again changes only what a view says.\n",
        dialect.title()
    );
    script += match dialect {
        Dialect::Athena => {
            "-- Athena runs one statement at a time. MSCK REPAIR TABLE finds the hours that the lake already has,\n\
             -- so run it again for hours that come later, or let edgemill register them as it commits them.\n\n"
        }
        Dialect::Spark => {
            "-- MSCK REPAIR TABLE finds the hours that the lake already has, so run it again for hours that come later.\n\
             -- The views' dates and times are UTC whatever the time zone of the session.\n\n"
        }
        Dialect::DataFusion => "-- The files are listed whenever a query runs, so later hours need nothing.\n\n",
    };
    for table in Table::ALL.into_iter().filter(|table| only.is_none_or(|only| only == *table)) {
        for statement in statements(table, dialect, lake_url, only.is_some()) {
            script += &statement;
            script += ";\n\n";
        }
    }
    // One line's end at the end, as a file has it.
    script.truncate(script.trim_end().len());
    script + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAKE: &str = "s3://YOUR-BUCKET/lake";

    #[test]
    fn views_read_columns_that_exist() {
        for view in VIEWS {
            let names = |select: &Select| select.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            for select in view.selects {
                for source in select.columns.iter().flat_map(|(_, expression)| expression.sources()) {
                    let known = schema::column_index(select.table, source).is_some();
                    let exists = known || PARTITION_COLUMNS.contains(&source);
                    assert!(exists, "{} reads {source}, which {} lacks", view.name, select.table);
                }
                assert_eq!(names(select), names(&view.selects[0]), "{}: one shape", view.name);
            }
            let mut unique = names(&view.selects[0]);
            unique.sort_unstable();
            unique.dedup();
            assert_eq!(unique.len(), view.selects[0].columns.len(), "{} names a column twice", view.name);
        }
    }

    #[test]
    fn scripts_in_the_repository_are_the_printed_ones() {
        for (dialect, verb, golden) in [
            (Dialect::Athena, "athena", include_str!("../../../ddl/athena.sql")),
            (Dialect::Spark, "spark", include_str!("../../../ddl/spark.sql")),
        ] {
            let printed = script(dialect, LAKE, None);
            assert!(
                printed == golden,
                "ddl/{verb}.sql is out of date; renew it: edgemill ddl --dialect {verb} > ddl/{verb}.sql"
            );
        }
    }

    #[test]
    fn a_script_can_be_cut_at_its_semicolons() {
        for dialect in [Dialect::Athena, Dialect::Spark, Dialect::DataFusion] {
            let script = script(dialect, LAKE, None);
            let statements: usize = Table::ALL.iter().map(|table| statements(*table, dialect, LAKE, false).len()).sum();
            assert_eq!(script.matches(';').count(), statements);
            assert_eq!(script.matches(";\n\n").count() + 1, statements);
            assert!(script.ends_with(";\n"));
        }
        let one = script(Dialect::Athena, LAKE, Some(Table::Rejects));
        assert!(one.contains("`rejects`") && !one.contains("cloudfront_logs"));
    }

    #[test]
    fn quotes_and_slashes_do_no_harm() {
        let doc = r"it's; a \ b";
        let column = Column {
            name: "a",
            kind: ColumnType::Int,
            coding: schema::Coding::Dictionary,
            logged: false,
            looked_up: false,
            doc,
        };
        assert_eq!(column_line(&column, Dialect::Athena), r"  `a` int COMMENT 'it\'s, a \\ b'");
        let table = create_table(Table::Rejects, Dialect::Spark, "s3://it's/lake//");
        assert!(table.ends_with(r"LOCATION 's3://it\'s/lake/rejects/'"), "{table}");
        let table = create_table(Table::Rejects, Dialect::DataFusion, "/it's");
        assert!(table.ends_with("LOCATION '/it''s/rejects/'"), "{table}");
    }
}
