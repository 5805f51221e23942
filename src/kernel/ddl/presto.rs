//! Views as Athena keeps them in the Glue catalog: a JSON document in base64, inside of a comment.
//!
//! The form is that of Presto's Hive connector, which Athena and Trino read: `originalSql`,
//! `catalog`, `schema`, and the name and type of every column.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::dialect::Dialect;
use super::statements::view_sql;
use super::views::View;
use crate::kernel::schema;
use crate::kernel::schema::{ColumnType, Expression};
use crate::model::{Granularity, Table};

const BEGIN: &str = "/* Presto View: ";
const END: &str = " */";

/// A column of a view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewColumn {
    /// Its name.
    pub name: &'static str,
    /// Its type in Hive's words, which the catalog lists.
    pub hive: &'static str,
    /// Its type in Trino's words, which the view declares.
    pub trino: &'static str,
}

/// The columns of a view.
#[must_use]
pub fn columns(view: &View, granularity: Granularity) -> Vec<ViewColumn> {
    let Some(select) = view.selects.first() else { return Vec::new() };
    let column = |(name, expression): &(&'static str, Expression)| {
        let (hive, trino) = types(select.table, *expression, granularity);
        ViewColumn { name, hive, trino }
    };
    select.columns.iter().map(column).collect()
}

fn types(table: Table, expression: Expression, granularity: Granularity) -> (&'static str, &'static str) {
    let column = |name| {
        let kind = schema::column_index(table, name).map(|index| schema::columns(table)[index].kind);
        kind.map_or(("string", "varchar"), |kind| (Dialect::Athena.type_name(kind), trino(kind)))
    };
    match expression {
        // A partition's columns are text.
        Expression::Same(name) if granularity.columns().contains(&name) => ("string", "varchar"),
        Expression::Same(name) => column(name),
        Expression::DateOf(_) => ("date", "date"),
        Expression::Stages(_) => ("double", "double"),
        Expression::TimeOf(_) | Expression::TrueOrFalse(_) | Expression::Text(_) | Expression::Matched(..) => {
            ("string", "varchar")
        }
    }
}

const fn trino(kind: ColumnType) -> &'static str {
    match kind {
        ColumnType::String => "varchar",
        ColumnType::Int => "integer",
        ColumnType::Bigint => "bigint",
        ColumnType::Double => "double",
        ColumnType::Boolean => "boolean",
        ColumnType::Timestamp => "timestamp(3)",
        ColumnType::Binary => "varbinary",
        ColumnType::StringMap => "map(varchar,varchar)",
    }
}

/// A view's text in the catalog.
#[must_use]
pub fn view(view: &View, database: &str, granularity: Granularity) -> String {
    let columns: Vec<serde_json::Value> = columns(view, granularity)
        .iter()
        .map(|column| serde_json::json!({"name": column.name, "type": column.trino}))
        .collect();
    let document = serde_json::json!({
        "originalSql": view_sql(view, Dialect::Athena, granularity),
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": columns,
    });
    format!("{BEGIN}{}{END}", STANDARD.encode(document.to_string()))
}

/// The SQL in a view's text; `None` where it is no such text.
#[must_use]
pub fn original_sql(text: &str) -> Option<String> {
    let encoded = text.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let document: serde_json::Value = serde_json::from_slice(&STANDARD.decode(encoded.trim()).ok()?).ok()?;
    document.get("originalSql")?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ddl::VIEWS;

    #[test]
    fn a_view_comes_back_from_its_text() {
        for of in VIEWS.iter() {
            let text = view(of, "logs", Granularity::Hour);
            assert_eq!(original_sql(&text), Some(view_sql(of, Dialect::Athena, Granularity::Hour)));
            // Unions need one type of each column.
            for select in &of.selects {
                let types: Vec<_> =
                    select.columns.iter().map(|(_, of)| types(select.table, *of, Granularity::Hour)).collect();
                let first: Vec<_> = columns(of, Granularity::Hour).iter().map(|of| (of.hive, of.trino)).collect();
                assert_eq!(types, first, "{}", of.name);
            }
        }
        assert_eq!(original_sql("SELECT 1"), None);
    }
}
