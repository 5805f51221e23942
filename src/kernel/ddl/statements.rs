//! Statements, and scripts of them.

use std::fmt::Write as _;

use super::dialect::Dialect;
use super::expression;
use super::views::{Select, VIEWS, View};
use crate::kernel::schema;
use crate::kernel::schema::Column;
use crate::model::{Granularity, Table};

/// A name as Hive's grammar quotes it.
#[must_use]
pub fn backtick(name: &str) -> String {
    format!("`{name}`")
}

/// A text literal for Hive and Spark, which both read a backslash as an escape.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// One line of a list of columns. Semicolons become commas: many a tool cuts a script at each of
/// them, literal or not.
fn column_line(column: &Column, dialect: Dialect) -> String {
    let comment = literal(&column.doc.replace(';', ","));
    format!("  {} {} COMMENT {comment}", backtick(column.name), dialect.type_name(column.kind))
}

/// The statement that makes a table known over the files of a lake, without its `;`.
///
/// `DataFusion` reads the columns from the files themselves, so its statement names only the
/// partitions.
#[must_use]
pub fn create_table(table: Table, dialect: Dialect, lake_url: &str, granularity: Granularity) -> String {
    let location = location(table, lake_url);
    let columns = schema::columns(table).iter().map(|column| column_line(column, dialect));
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection => {
            let partitions = joined(granularity, |name| format!("{} string", backtick(name)), ", ");
            let projected = dialect == Dialect::AthenaProjection;
            let properties = table_properties(table, lake_url, projected.then_some(granularity));
            let properties = properties.iter().map(|(name, value)| format!("{}={}", literal(name), literal(value)));
            format!(
                "CREATE EXTERNAL TABLE IF NOT EXISTS {} (\n{}\n)\nPARTITIONED BY ({partitions})\nSTORED AS PARQUET\n\
                 LOCATION {}\nTBLPROPERTIES (\n  {}\n)",
                backtick(table.name()),
                columns.collect::<Vec<_>>().join(",\n"),
                literal(&location),
                properties.collect::<Vec<_>>().join(",\n  "),
            )
        }
        Dialect::Spark => {
            let partitions = granularity.columns().iter().map(|name| format!("  {} STRING", backtick(name)));
            format!(
                "CREATE TABLE IF NOT EXISTS {} (\n{}\n)\nUSING PARQUET\nPARTITIONED BY ({})\nLOCATION {}",
                backtick(table.name()),
                columns.chain(partitions).collect::<Vec<_>>().join(",\n"),
                joined(granularity, backtick, ", "),
                literal(&location),
            )
        }
        Dialect::DataFusion => format!(
            "CREATE EXTERNAL TABLE IF NOT EXISTS {table}\nSTORED AS PARQUET\nPARTITIONED BY ({})\nLOCATION '{}'",
            granularity.columns().join(", "),
            location.replace('\'', "''"),
        ),
    }
}

fn joined(granularity: Granularity, text: impl Fn(&str) -> String, by: &str) -> String {
    granularity.columns().iter().map(|name| text(name)).collect::<Vec<_>>().join(by)
}

/// The folder of a table, with a `/` at its end.
#[must_use]
pub fn location(table: Table, lake_url: &str) -> String {
    format!("{}/{table}/", lake_url.trim_end_matches('/'))
}

/// Years that projected partitions may be of: from the first logs of `CloudFront` on.
const PROJECTED_YEARS: &str = "2009,2039";

/// The properties that Athena and Glue know a table by; with `projected`, those of partition
/// projection too.
#[must_use]
pub fn table_properties(table: Table, lake_url: &str, projected: Option<Granularity>) -> Vec<(String, String)> {
    let mut properties = vec![
        ("classification".to_owned(), "parquet".to_owned()),
        ("parquet.compression".to_owned(), "ZSTD".to_owned()),
    ];
    let Some(granularity) = projected else { return properties };
    properties.push(("projection.enabled".to_owned(), "true".to_owned()));
    let mut folder = location(table, lake_url);
    for (name, range, digits) in
        [("year", PROJECTED_YEARS, "4"), ("month", "1,12", "2"), ("day", "1,31", "2"), ("hour", "0,23", "2")]
    {
        if granularity.columns().contains(&name) {
            properties.push((format!("projection.{name}.type"), "integer".to_owned()));
            properties.push((format!("projection.{name}.range"), range.to_owned()));
            properties.push((format!("projection.{name}.digits"), digits.to_owned()));
            // Writing to a String cannot fail.
            let _ = write!(folder, "{name}=${{{name}}}/");
        }
    }
    properties.push(("storage.location.template".to_owned(), folder));
    properties
}

/// What a view selects, over a lake whose partitions are so long.
#[must_use]
pub fn view_sql(view: &View, dialect: Dialect, granularity: Granularity) -> String {
    let selects: Vec<String> = view.selects.iter().map(|select| select_sql(select, dialect, granularity)).collect();
    selects.join("\nUNION ALL\n")
}

/// The statement that makes a view, without its `;`.
#[must_use]
pub fn create_view(view: &View, dialect: Dialect, granularity: Granularity) -> String {
    let verb = if dialect == Dialect::DataFusion { "CREATE VIEW" } else { "CREATE OR REPLACE VIEW" };
    format!("{verb} {} AS\n{}", dialect.quote(view.name), view_sql(view, dialect, granularity))
}

fn select_sql(select: &Select, dialect: Dialect, granularity: Granularity) -> String {
    let mut sql = "SELECT".to_owned();
    for (index, (name, expression)) in select.columns.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (expression, name) = (expression::sql(*expression, dialect, granularity), dialect.quote(name));
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

/// The statement by which a catalog finds the partitions that a lake already has, where the engine
/// has such a one.
#[must_use]
pub fn register_partitions(table: Table, dialect: Dialect) -> Option<String> {
    matches!(dialect, Dialect::Athena | Dialect::Spark).then(|| format!("MSCK REPAIR TABLE {}", backtick(table.name())))
}

/// A table's statements in the order in which they must run: the table, its partitions, the views
/// that it completes, or, with `alone`, those that read nothing else.
#[must_use]
pub fn statements(
    table: Table,
    dialect: Dialect,
    lake_url: &str,
    granularity: Granularity,
    alone: bool,
) -> Vec<String> {
    let views = views_after(table).filter(|view| !alone || view.selects.len() == 1);
    let views = views.map(|view| create_view(view, dialect, granularity));
    std::iter::once(create_table(table, dialect, lake_url, granularity))
        .chain(register_partitions(table, dialect))
        .chain(views)
        .collect()
}

/// A script of every table (or one), its partitions and its views; each statement ends with `;`, an
/// empty line between.
#[must_use]
pub fn script(dialect: Dialect, lake_url: &str, only: Option<Table>, granularity: Granularity) -> String {
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
        Dialect::AthenaProjection => {
            "-- Athena runs one statement at a time. Partitions need no registration, and every query must say which year and month\n\
             -- it asks for, or Athena looks for folders of 30 years. While edgemill brings a folder up to date after it merged\n\
             -- or replaced its files, a query sees both, or a part: register partitions where that matters.\n\n"
        }
        Dialect::Spark => {
            "-- MSCK REPAIR TABLE finds the hours that the lake already has, so run it again for hours that come later.\n\
             -- The views' dates and times are UTC whatever the time zone of the session.\n\n"
        }
        Dialect::DataFusion => "-- The files are listed whenever a query runs, so later hours need nothing.\n\n",
    };
    for table in Table::ALL.into_iter().filter(|table| only.is_none_or(|only| only == *table)) {
        for statement in statements(table, dialect, lake_url, granularity, only.is_some()) {
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
    use crate::kernel::schema::ColumnType;

    const LAKE: &str = "s3://YOUR-BUCKET/lake";

    #[test]
    fn a_view_says_the_hour_whatever_the_partitions() {
        for (granularity, worked_out) in [(Granularity::Hour, 0), (Granularity::Day, 1), (Granularity::Month, 2)] {
            for dialect in [Dialect::Athena, Dialect::Spark, Dialect::DataFusion] {
                let sql = view_sql(&VIEWS[0], dialect, granularity);
                let said = |name: &&&str| sql.contains(&format!(" AS {}", dialect.quote(name)));
                assert_eq!(["day", "hour"].iter().filter(said).count(), worked_out, "{sql}");
            }
        }
        let table = create_table(Table::Rejects, Dialect::AthenaProjection, LAKE, Granularity::Month);
        assert!(table.contains("rejects/year=${year}/month=${month}/'"), "{table}");
    }

    #[test]
    fn views_read_columns_that_exist() {
        for view in VIEWS.iter() {
            let names = |select: &Select| select.columns.iter().map(|(name, _)| *name).collect::<Vec<_>>();
            for select in &view.selects {
                for source in select.columns.iter().flat_map(|(_, expression)| expression.sources()) {
                    let known = schema::column_index(select.table, source).is_some();
                    let exists = known || Granularity::Hour.columns().contains(&source);
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
    fn a_script_can_be_cut_at_its_semicolons() {
        for dialect in [Dialect::Athena, Dialect::AthenaProjection, Dialect::Spark, Dialect::DataFusion] {
            let script = script(dialect, LAKE, None, Granularity::Hour);
            let statements: usize =
                Table::ALL.iter().map(|table| statements(*table, dialect, LAKE, Granularity::Hour, false).len()).sum();
            assert_eq!(script.matches(';').count(), statements);
            assert_eq!(script.matches(";\n\n").count() + 1, statements);
            assert!(script.ends_with(";\n"));
        }
        let one = script(Dialect::Athena, LAKE, Some(Table::Rejects), Granularity::Hour);
        assert!(one.contains("`rejects`") && !one.contains("cloudfront_logs"));
    }

    #[test]
    fn quotes_and_slashes_do_no_harm() {
        let doc = r"it's; a \ b";
        let column = Column {
            name: "a",
            aliases: &[],
            kind: ColumnType::Int,
            origin: schema::Origin::Logged,
            coding: schema::Coding::Dictionary,
            looked_up: false,
            privacy: schema::PrivacyClass::Nothing,
            doc,
        };
        assert_eq!(column_line(&column, Dialect::Athena), r"  `a` int COMMENT 'it\'s, a \\ b'");
        let table = create_table(Table::Rejects, Dialect::Spark, "s3://it's/lake//", Granularity::Hour);
        assert!(table.ends_with(r"LOCATION 's3://it\'s/lake/rejects/'"), "{table}");
        let table = create_table(Table::Rejects, Dialect::DataFusion, "/it's", Granularity::Hour);
        assert!(table.ends_with("LOCATION '/it''s/rejects/'"), "{table}");
    }
}
