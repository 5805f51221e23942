//! The same questions through Athena: its answer, what it scanned, and what the raw logs would have
//! cost.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use futures::{StreamExt, stream};
use tokio::sync::mpsc;

use super::answer::QueryAnswer;
use super::print::{AnswerFormat, print};
use crate::edge::athena::{Athena, AthenaPage, Scanned};
use crate::error::{Error, Result};
use crate::kernel::ddl;
use crate::kernel::ddl::View;
use crate::lake::{Lake, LedgerChoice};
use crate::model::Table;

/// Athena ends every query after 30 minutes by itself, unless an account has another quota.
const LIMIT: Duration = Duration::from_hours(1);

/// Carries out one statement in Athena: its id, and what it scanned. Where the caller goes away, it
/// is cancelled.
pub async fn run_athena(athena: &Athena, sql: &str) -> Result<(String, Scanned)> {
    let sql = sql.trim().trim_end_matches(';');
    refuse_writes(sql)?;
    athena.run(sql, LIMIT).await
}

/// Writes the answer of a statement that has ended, page by page; how many rows there were.
pub async fn print_athena(
    athena: &Athena,
    id: &str,
    format: AnswerFormat,
    out: &mut (dyn Write + Send),
) -> Result<u64> {
    // Both sides are one task, and writing waits: so no page is read before the one before is
    // written.
    let (sender, mut pages) = mpsc::unbounded_channel();
    let read = async move {
        let mut take = move |page: &AthenaPage| {
            // Who reads has ended only where it failed, and tells so.
            let _ = sender.send(batch(page)?);
            Ok(())
        };
        athena.pages(id, &mut take).await
    };
    let written = async move {
        let first = pages.recv().await;
        let schema = first.as_ref().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let rest = stream::unfold(pages, async |mut pages| Some((Ok(pages.recv().await?), pages)));
        print(QueryAnswer::of(schema, stream::iter(first.map(Ok)).chain(rest)), format, out).await
    };
    let ((), rows) = tokio::try_join!(read, written)?;
    Ok(rows)
}

/// Refuses what does more than read, as the local engine does.
fn refuse_writes(sql: &str) -> Result<()> {
    const READS: [&str; 7] = ["SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "VALUES"];
    let code = sql.lines().filter(|line| !line.trim_start().starts_with("--")).collect::<Vec<_>>().join(" ");
    let code = code.trim_start().trim_start_matches('(').trim_start();
    let word = code.split(|letter: char| !letter.is_ascii_alphabetic()).next().unwrap_or_default();
    if READS.contains(&word.to_ascii_uppercase().as_str()) {
        return Ok(());
    }
    Err(Error::usage(
        format!("the statement does more than read, or is none: '{word}'"),
        "a query must be a SELECT, WITH, EXPLAIN, SHOW or DESCRIBE; edgemill init makes tables and views",
    ))
}

/// Stored bytes of the raw logs that the tables of a statement were made from: what an engine would
/// read without partitions. Nothing where the lake was filled by a version that did not note it, or
/// keeps its own records.
pub async fn raw_bytes(lake: &Lake, sql: &str) -> Result<u64> {
    // One query reads all records of a ledger in DynamoDB; of one in the lake itself each is a
    // call, and would cost more than the answer.
    if !matches!(lake.identity.ledger.parse(), Ok(LedgerChoice::Dynamodb { .. })) {
        return Ok(0);
    }
    let mut sum = 0;
    for table in tables(sql) {
        for record in lake.records.units(table, None).await? {
            sum += record.batches.iter().map(|batch| batch.input_bytes).sum::<u64>();
        }
    }
    Ok(sum)
}

/// The tables of logs that a statement reads, by the names in it.
fn tables(sql: &str) -> Vec<Table> {
    let names: Vec<String> =
        sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').map(str::to_ascii_lowercase).collect();
    let named = |wanted: &str| names.iter().any(|name| name == wanted);
    let reads = |view: &View, table: Table| view.selects.iter().any(|select| select.table == table);
    let of =
        |table: &Table| named(table.name()) || ddl::VIEWS.iter().any(|view| reads(view, *table) && named(view.name));
    Table::LOGS.into_iter().filter(of).collect()
}

/// Athena's text as columns of their types, so that it is printed as a local answer is.
fn batch(rows: &AthenaPage) -> Result<RecordBatch> {
    let mut fields = Vec::with_capacity(rows.columns.len());
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(rows.columns.len());
    for (index, (name, kind)) in rows.columns.iter().enumerate() {
        let values = || rows.rows.iter().map(|row| row.get(index).and_then(Option::as_deref));
        let column: ArrayRef = match kind.as_str() {
            "tinyint" | "smallint" | "integer" | "int" | "bigint" => {
                Arc::new(values().map(|value| value?.parse().ok()).collect::<Int64Array>())
            }
            "double" | "float" | "real" => {
                Arc::new(values().map(|value| value?.parse().ok()).collect::<Float64Array>())
            }
            "boolean" => Arc::new(values().map(|value| value?.parse().ok()).collect::<BooleanArray>()),
            _ => Arc::new(values().collect::<StringArray>()),
        };
        let data_type: DataType = column.data_type().clone();
        fields.push(Field::new(name, data_type, true));
        columns.push(column);
    }
    let schema = Arc::new(Schema::new(fields));
    if columns.is_empty() {
        return Ok(RecordBatch::new_empty(schema));
    }
    RecordBatch::try_new(schema, columns).map_err(|error| Error::encode("the answer of Athena", error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn text_becomes_what_its_type_says() {
        let columns = [("n", "bigint"), ("x", "double"), ("b", "boolean"), ("s", "varchar")];
        let row = |values: [Option<&str>; 4]| values.map(|value| value.map(str::to_owned)).to_vec();
        let rows = AthenaPage {
            columns: columns.map(|(name, kind)| (name.to_owned(), kind.to_owned())).to_vec(),
            rows: vec![row([Some("1"), Some("0.5"), Some("true"), Some("a")]), row([None; 4])],
        };
        let mut out = Vec::new();
        let batch = batch(&rows).unwrap();
        let answer = QueryAnswer::of(batch.schema(), stream::iter([Ok(batch)]));
        assert_eq!(print(answer, AnswerFormat::Json, &mut out).await.unwrap(), 2);
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with(r#"{"n":1,"x":0.5,"b":true,"s":"a"}"#), "{text}");
    }

    #[test]
    fn only_what_reads_is_asked() {
        for sql in
            ["select 1", "-- all of it\n  WITH a AS (SELECT 1) SELECT * FROM a", "(SELECT 1)", "describe cf_logs"]
        {
            refuse_writes(sql).unwrap();
        }
        for sql in ["DROP VIEW cf_logs", "", "INSERT INTO a SELECT 1", "-- SELECT\nDELETE FROM a", "selects"] {
            assert_eq!(refuse_writes(sql).unwrap_err().exit_code(), 2, "{sql}");
        }
    }

    #[test]
    fn a_statement_reads_the_tables_that_it_names() {
        assert_eq!(tables("SELECT * FROM cf_logs"), [Table::CloudfrontLogs]);
        assert_eq!(tables(r#"SELECT 1 FROM "lake"."access_logs";"#), Table::LOGS);
        assert_eq!(tables("SELECT 1 FROM my_alb_logs, rejects"), []);
    }
}
