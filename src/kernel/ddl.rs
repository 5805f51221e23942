//! SQL that describes the lake to other engines: its tables, from the one list of columns, and the views under which
//! people's existing queries run unchanged. Text in, text out.

use std::fmt::Write as _;

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

/// How a column of a view comes from the columns of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The column as it is.
    Same(&'static str),
    /// The UTC date of a timestamp.
    DateOf(&'static str),
    /// The UTC time of day of a timestamp, as text: `HH:MM:SS`.
    TimeOf(&'static str),
    /// A boolean as `'True'` or `'False'`; NULL counts as false.
    TrueOrFalse(&'static str),
}

impl Expression {
    /// The column of the table that it reads.
    #[must_use]
    pub const fn source(self) -> &'static str {
        match self {
            Self::Same(name) | Self::DateOf(name) | Self::TimeOf(name) | Self::TrueOrFalse(name) => name,
        }
    }

    fn sql(self, dialect: Dialect) -> String {
        let column = dialect.quote(self.source());
        match (self, dialect) {
            (Self::Same(_), _) => column,
            (Self::TrueOrFalse(_), _) => format!("CASE WHEN {column} THEN 'True' ELSE 'False' END"),
            (Self::DateOf(_), Dialect::Athena | Dialect::DataFusion) => format!("CAST({column} AS DATE)"),
            (Self::TimeOf(_), Dialect::Athena) => format!("date_format({column}, '%H:%i:%s')"),
            (Self::TimeOf(_), Dialect::DataFusion) => format!("to_char({column}, '%H:%M:%S')"),
            // Spark's casts and formats work in the zone of the session, and no zone can be subtracted rightly around
            // the hour in which clocks change. Seconds since 1970 know no zone, so both are computed from those.
            (Self::DateOf(_), Dialect::Spark) => {
                format!("date_from_unix_date(CAST(floor(unix_seconds({column}) / 86400) AS INT))")
            }
            (Self::TimeOf(_), Dialect::Spark) => {
                let second = format!("pmod(unix_seconds({column}), 86400)");
                let two_digits = |number: String| format!("lpad(CAST({number} AS STRING), 2, '0')");
                let hour = two_digits(format!("{second} DIV 3600"));
                let minute = two_digits(format!("{second} % 3600 DIV 60"));
                let second = two_digits(format!("{second} % 60"));
                format!("concat({hour}, ':', {minute}, ':', {second})")
            }
        }
    }
}

/// Names that people's queries already use, over a table of the lake.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Its name in SQL.
    pub name: &'static str,
    /// The table that it reads.
    pub table: Table,
    /// Whose names they are.
    pub doc: &'static str,
    /// Its columns, in order.
    pub columns: &'static [(&'static str, Expression)],
}

use Expression::{DateOf, Same, TimeOf, TrueOrFalse};

/// Every view, in the order in which they are printed.
pub const VIEWS: &[View] = &[
    View {
        name: "cf_logs",
        table: Table::CloudfrontLogs,
        doc: "The table of the AWS blog of 2017 on analysing CloudFront logs, name by name",
        columns: CF_LOGS,
    },
    View {
        name: "cloudfront_standard_logs",
        table: Table::CloudfrontLogs,
        doc: "The table of Athena's own documentation, name by name",
        columns: CLOUDFRONT_STANDARD_LOGS,
    },
];

const CF_LOGS: &[(&str, Expression)] = &[
    ("logdate", DateOf("event_time")),
    ("logtime", TimeOf("event_time")),
    ("location", Same("x_edge_location")),
    ("bytes", Same("sc_bytes")),
    ("requestip", Same("c_ip")),
    ("method", Same("cs_method")),
    ("host", Same("cs_host")),
    ("uri", Same("cs_uri_stem")),
    ("status", Same("sc_status")),
    ("referrer", Same("cs_referer")),
    ("useragent", Same("cs_user_agent")),
    ("uriquery", Same("cs_uri_query")),
    ("cookie", Same("cs_cookie")),
    ("resulttype", Same("x_edge_result_type")),
    ("requestid", Same("x_edge_request_id")),
    ("header", Same("x_host_header")),
    ("csprotocol", Same("cs_protocol")),
    ("csbytes", Same("cs_bytes")),
    ("timetaken", Same("time_taken")),
    ("forwardedfor", Same("x_forwarded_for")),
    ("sslprotocol", Same("ssl_protocol")),
    ("sslcipher", Same("ssl_cipher")),
    ("responseresulttype", Same("x_edge_response_result_type")),
    ("protocolversion", Same("cs_protocol_version")),
    ("browserfamily", Same("browser_family")),
    ("osfamily", Same("os_family")),
    ("isbot", TrueOrFalse("is_bot")),
    ("filename", Same("filename")),
    ("distribution", Same("distribution")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];

const CLOUDFRONT_STANDARD_LOGS: &[(&str, Expression)] = &[
    ("date", DateOf("event_time")),
    ("time", TimeOf("event_time")),
    ("x_edge_location", Same("x_edge_location")),
    ("sc_bytes", Same("sc_bytes")),
    ("c_ip", Same("c_ip")),
    ("cs_method", Same("cs_method")),
    ("cs_host", Same("cs_host")),
    ("cs_uri_stem", Same("cs_uri_stem")),
    ("sc_status", Same("sc_status")),
    // The documentation's spelling, unlike the log's own.
    ("cs_referrer", Same("cs_referer")),
    ("cs_user_agent", Same("cs_user_agent")),
    ("cs_uri_query", Same("cs_uri_query")),
    ("cs_cookie", Same("cs_cookie")),
    ("x_edge_result_type", Same("x_edge_result_type")),
    ("x_edge_request_id", Same("x_edge_request_id")),
    ("x_host_header", Same("x_host_header")),
    ("cs_protocol", Same("cs_protocol")),
    ("cs_bytes", Same("cs_bytes")),
    ("time_taken", Same("time_taken")),
    ("x_forwarded_for", Same("x_forwarded_for")),
    ("ssl_protocol", Same("ssl_protocol")),
    ("ssl_cipher", Same("ssl_cipher")),
    ("x_edge_response_result_type", Same("x_edge_response_result_type")),
    ("cs_protocol_version", Same("cs_protocol_version")),
    ("fle_status", Same("fle_status")),
    ("fle_encrypted_fields", Same("fle_encrypted_fields")),
    ("c_port", Same("c_port")),
    ("time_to_first_byte", Same("time_to_first_byte")),
    ("x_edge_detailed_result_type", Same("x_edge_detailed_result_type")),
    ("sc_content_type", Same("sc_content_type")),
    ("sc_content_len", Same("sc_content_len")),
    ("sc_range_start", Same("sc_range_start")),
    ("sc_range_end", Same("sc_range_end")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];

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
    let mut sql = format!("{verb} {} AS\nSELECT", dialect.quote(view.name));
    for (index, (name, expression)) in view.columns.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let (expression, name) = (expression.sql(dialect), dialect.quote(name));
        let alias = if expression == name { String::new() } else { format!(" AS {name}") };
        // Writing to a String cannot fail.
        let _ = write!(sql, "{comma}\n  {expression}{alias}");
    }
    sql + "\nFROM " + &dialect.quote(view.table.name())
}

/// The statement by which a catalog finds the partitions that a lake already has, where the engine has such a one.
#[must_use]
pub fn register_partitions(table: Table, dialect: Dialect) -> Option<String> {
    (dialect != Dialect::DataFusion).then(|| format!("MSCK REPAIR TABLE {}", backtick(table.name())))
}

/// A table's statements in the order in which they must run: the table, its partitions, its views.
#[must_use]
pub fn statements(table: Table, dialect: Dialect, lake_url: &str) -> Vec<String> {
    let views = VIEWS.iter().filter(|view| view.table == table).map(|view| create_view(view, dialect));
    std::iter::once(create_table(table, dialect, lake_url))
        .chain(register_partitions(table, dialect))
        .chain(views)
        .collect()
}

/// A script of every table (or one), its partitions and its views; each statement ends with `;` and an empty line.
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
        for statement in statements(table, dialect, lake_url) {
            script += &statement;
            script += ";\n\n";
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAKE: &str = "s3://YOUR-BUCKET/lake";

    #[test]
    fn views_read_columns_that_exist() {
        for view in VIEWS {
            for (name, expression) in view.columns {
                let source = expression.source();
                let exists = schema::column_index(view.table, source).is_some() || PARTITION_COLUMNS.contains(&source);
                assert!(exists, "{}.{name} reads {source}, which {} lacks", view.name, view.table);
            }
            let mut names: Vec<_> = view.columns.iter().map(|(name, _)| *name).collect();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), view.columns.len(), "{} names a column twice", view.name);
        }
    }

    #[test]
    fn scripts_in_the_repository_are_the_printed_ones() {
        for (dialect, verb, golden) in [
            (Dialect::Athena, "athena", include_str!("../../ddl/athena.sql")),
            (Dialect::Spark, "spark", include_str!("../../ddl/spark.sql")),
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
            let statements: usize = Table::ALL.iter().map(|table| statements(*table, dialect, LAKE).len()).sum();
            assert_eq!(script.matches(';').count(), statements);
            assert_eq!(script.matches(";\n\n").count(), statements);
        }
        let one = script(Dialect::Athena, LAKE, Some(Table::Rejects));
        assert!(one.contains("`rejects`") && !one.contains("cloudfront_logs"));
    }

    #[test]
    fn quotes_and_slashes_do_no_harm() {
        let column = Column { name: "a", kind: ColumnType::Int, logged: false, unique: false, doc: r"it's; a \ b" };
        assert_eq!(column_line(&column, Dialect::Athena), r"  `a` int COMMENT 'it\'s, a \\ b'");
        let table = create_table(Table::Rejects, Dialect::Spark, "s3://it's/lake//");
        assert!(table.ends_with(r"LOCATION 's3://it\'s/lake/rejects/'"), "{table}");
        let table = create_table(Table::Rejects, Dialect::DataFusion, "/it's");
        assert!(table.ends_with("LOCATION '/it''s/rejects/'"), "{table}");
    }
}
