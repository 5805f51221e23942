//! An expression of a view in the SQL of each engine.

use super::dialect::Dialect;
use crate::kernel::schema::{EVENT_TIME, Expression};
use crate::model::Granularity;

/// An expression as SQL.
///
/// Of a lake whose partitions are longer than an hour, the hour comes from the row's own time.
pub(super) fn sql(expression: Expression, dialect: Dialect, granularity: Granularity) -> String {
    let quoted = |name: &str| dialect.quote(name);
    match expression {
        Expression::Same(name @ ("day" | "hour")) if !granularity.columns().contains(&name) => {
            part(&quoted(EVENT_TIME), name, dialect)
        }
        Expression::Same(name) => quoted(name),
        Expression::TrueOrFalse(name) => format!("CASE WHEN {} THEN 'True' ELSE 'False' END", quoted(name)),
        Expression::DateOf(name) => date(&quoted(name), dialect),
        Expression::TimeOf(name) => time(&quoted(name), dialect),
        Expression::Text(text) => format!("'{text}'"),
        Expression::Matched(name, pattern) => {
            let matched = match dialect {
                Dialect::DataFusion => format!("regexp_match({}, '{pattern}')[1]", quoted(name)),
                Dialect::Athena | Dialect::AthenaProjection | Dialect::Spark => {
                    format!("regexp_extract({}, '{pattern}', 1)", quoted(name))
                }
            };
            // Engines differ in whether nothing is NULL or empty.
            format!("nullif({matched}, '')")
        }
        Expression::Stages(names) => {
            let [one, two, three] = names.map(quoted);
            format!("CASE WHEN {one} >= 0 AND {two} >= 0 AND {three} >= 0 THEN {one} + {two} + {three} END")
        }
    }
}

fn date(column: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection | Dialect::DataFusion => format!("CAST({column} AS DATE)"),
        // Spark's casts and formats work in the zone of the session, and no zone can be subtracted
        // rightly around the hour in which clocks change. Seconds since 1970 know no zone, so both
        // are computed from those.
        Dialect::Spark => format!("date_from_unix_date(CAST(floor(unix_seconds({column}) / 86400) AS INT))"),
    }
}

/// The day of the month or the hour of the day, in two digits, as a partition's column has it.
fn part(column: &str, name: &str, dialect: Dialect) -> String {
    let format = if name == "day" { "%d" } else { "%H" };
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection => format!("date_format({column}, '{format}')"),
        Dialect::DataFusion => format!("to_char({column}, '{format}')"),
        Dialect::Spark if name == "day" => format!("date_format({}, 'dd')", date(column, dialect)),
        Dialect::Spark => format!("substr({}, 1, 2)", time(column, dialect)),
    }
}

fn time(column: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection => format!("date_format({column}, '%H:%i:%s')"),
        Dialect::DataFusion => format!("to_char({column}, '%H:%M:%S')"),
        Dialect::Spark => {
            let second = format!("pmod(unix_seconds({column}), 86400)");
            let two_digits = |number: String| format!("lpad(CAST({number} AS STRING), 2, '0')");
            let hour = two_digits(format!("{second} DIV 3600"));
            let minute = two_digits(format!("{second} % 3600 DIV 60"));
            let second = two_digits(format!("{second} % 60"));
            format!("concat({hour}, ':', {minute}, ':', {second})")
        }
    }
}
