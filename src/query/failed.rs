//! The engine's errors as ours: whether the asker can mend the query, and how, or the world failed.

use arrow::error::ArrowError;
use datafusion::common::{Column, SchemaError};
use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

use crate::error::Error;
use crate::kernel::ddl;
use crate::model::Table;

/// What to do where nothing better is known.
const LOOK: &str = "SHOW TABLES lists the tables, DESCRIBE cf_logs the columns of one";

/// An error while a query is carried out.
pub(super) fn failed(error: DataFusionError) -> Error {
    told(&error, "").unwrap_or_else(|| Error::Query { source: Box::new(error) })
}

/// An error while a query is planned, with the text of the query.
pub(super) fn unplanned(error: DataFusionError, sql: &str) -> Error {
    told(&error, sql).unwrap_or_else(|| Error::Query { source: Box::new(error) })
}

/// The error as one that the asker can mend, if it is such.
fn told(error: &DataFusionError, sql: &str) -> Option<Error> {
    let root = error.find_root();
    match root {
        DataFusionError::SQL(parser, _) => Some(unparsed(parser)),
        DataFusionError::SchemaError(schema, _) => Some(misnamed(schema, sql)),
        DataFusionError::Plan(_) | DataFusionError::NotImplemented(_) | DataFusionError::Configuration(_) => {
            Some(unplannable(&one_line(&root.message())))
        }
        DataFusionError::ArrowError(arrow, _) => wrong_value(arrow),
        DataFusionError::Execution(said) => Some(wrong(said)),
        DataFusionError::ResourcesExhausted(said) => Some(exhausted(said)),
        // Whoever compiles a pattern hands on what the library of patterns says.
        other => {
            let said = other.to_string();
            said.split_once("regex parse error:").map(|(_, said)| wrong(&format!("no regular expression: {said}")))
        }
    }
}

fn unparsed(parser: &ParserError) -> Error {
    let said = match parser {
        ParserError::TokenizerError(said) | ParserError::ParserError(said) => said.clone(),
        ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
    };
    Error::usage(format!("the query does not parse: {}", one_line(&said)), "give one SQL statement, mended there")
}

fn unplannable(said: &str) -> Error {
    if let Some(name) = said.strip_suffix("' not found").and_then(|said| said.strip_prefix("table '")) {
        let name = name.rsplit('.').next().unwrap_or(name);
        let tables = Table::ALL.map(Table::name).join(", ");
        let views = ddl::VIEWS.iter().map(|view| view.name).collect::<Vec<_>>().join(", ");
        return Error::usage(
            format!("there is no table '{name}'"),
            format!("the tables are {tables}; the views {views}"),
        );
    }
    if let Some(rest) = said.strip_prefix("Invalid function '") {
        let name = rest.split('\'').next().unwrap_or_default();
        return Error::usage(
            format!("there is no function '{name}'"),
            match name.to_ascii_lowercase().as_str() {
                "quantile" | "percentile" | "approx_percentile" | "approx_quantile" => {
                    "approx_percentile_cont(time_taken, 0.95) gives a quantile"
                }
                "strftime" | "date_format" | "format_datetime" => {
                    "to_char(event_time, '%Y-%m-%d') writes an instant as text"
                }
                "minute" | "hour" | "day" | "month" | "year" | "second" | "week" => {
                    "date_part('minute', event_time) takes a part of an instant, date_trunc('hour', event_time) its beginning"
                }
                "yesterday" => "now() - INTERVAL '1 day' is this time of yesterday",
                _ => "the functions are those of Apache DataFusion's SQL",
            },
        );
    }
    Error::usage(format!("the query cannot be planned: {said}"), LOOK)
}

/// A name that is not there, or may mean two things. (The engine would list every column there is.)
fn misnamed(schema: &SchemaError, sql: &str) -> Error {
    let said = schema.to_string();
    let SchemaError::FieldNotFound { field, valid_fields } = schema else {
        return Error::usage(format!("the query cannot be planned: {}", one_line(&said)), LOOK);
    };
    let name = field.quoted_flat_name();
    let what = format!("there is no column {name}");
    if sql.contains(&format!("\"{}\"", field.name)) && !is_near(&field.name, valid_fields) {
        return Error::usage(what, format!("a text takes single quotes: '{}'", field.name));
    }
    let mut tables: Vec<&str> = valid_fields
        .iter()
        .filter_map(|field| field.relation.as_ref())
        .map(datafusion::common::TableReference::table)
        .collect();
    tables.dedup();
    let describe = match tables.as_slice() {
        [] => LOOK.to_owned(),
        tables => {
            let each: Vec<String> = tables.iter().map(|table| format!("DESCRIBE {table}")).collect();
            format!("{} lists the columns", each.join(" or "))
        }
    };
    let near = said.split_once("Did you mean '").and_then(|(_, rest)| rest.split_once("'?"));
    match near {
        Some((near, _)) => Error::usage(what, format!("did you mean {near}? {describe}")),
        None => Error::usage(what, describe),
    }
}

fn is_near(name: &str, fields: &[Column]) -> bool {
    fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
}

/// What a value of the query, or of a row under the query, cannot be.
fn wrong_value(error: &ArrowError) -> Option<Error> {
    match error {
        ArrowError::DivideByZero => Some(wrong("it divides by zero")),
        ArrowError::CastError(said)
        | ArrowError::ParseError(said)
        | ArrowError::ComputeError(said)
        | ArrowError::ArithmeticOverflow(said)
        | ArrowError::InvalidArgumentError(said)
        | ArrowError::NotYetImplemented(said) => Some(wrong(said)),
        _ => None,
    }
}

fn wrong(said: &str) -> Error {
    let said = one_line(said);
    let lower = said.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let hint = if has(&["divide by zero", "divides by zero"]) {
        "guard the divisor: a / NULLIF(b, 0)"
    } else if has(&["timestamp", "error parsing date", "date32", "date64", "time32", "time64"]) {
        "write an instant as 2026-11-28T10:00:00, a day as 2026-11-28"
    } else if has(&["interval"]) {
        "write it as INTERVAL '1 hour' or INTERVAL '7 days'"
    } else if has(&["regular expression", "regex"]) {
        "mend the pattern; a character such as ( or [ that is meant as itself takes a backslash"
    } else if has(&["overflow"]) {
        "reckon in larger numbers: CAST(a AS DOUBLE)"
    } else if has(&["cannot cast", "can't cast", "failed to cast", "to value of"]) {
        "compare a number with a number and a text with a text (DESCRIBE a table tells which it is); TRY_CAST gives NULL where a \
         text is no number"
    } else {
        "mend the statement; EXPLAIN shows how it is understood"
    };
    Error::usage(format!("the query cannot be answered: {said}"), hint)
}

/// How the error begins where memory ran out.
const TOO_MUCH: &str = "the query takes more memory than it may";

/// Whether memory ran out.
pub(super) fn is_exhausted(error: &Error) -> bool {
    matches!(error, Error::Usage { what, .. } if what.starts_with(TOO_MUCH))
}

/// Sorting, grouping or joining needed more memory than there is, and could not go on with the
/// disk.
fn exhausted(said: &str) -> Error {
    tracing::debug!(said, "the memory of the engine is used up");
    // "Failed to allocate additional 1 MB for HashJoinInput[0] with ...", or its like.
    let consumer = said.split(" for ").nth(1).and_then(|rest| rest.split([' ', '[', '(']).next()).unwrap_or_default();
    let doing = match consumer {
        name if name.contains("Join") => "a join of it",
        name if name.contains("Sort") => "sorting it",
        name if name.contains("Group") || name.contains("Aggregate") => "grouping it",
        _ => "a part of it",
    };
    Error::usage(
        format!("{TOO_MUCH}: {doing} does not fit"),
        "give it more with --memory, or less to hold: fewer columns, narrower hours, a LIMIT",
    )
}

/// In one line, without what the engine says of itself.
fn one_line(text: &str) -> String {
    let text = text.split("This issue was likely caused by a bug").next().unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    text.replace("Internal error: ", "").replace("Error during planning: ", "").trim_end_matches([' ', '.']).to_owned()
}
