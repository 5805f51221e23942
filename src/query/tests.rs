//! Queries over small lakes in memory.

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, new_null_array,
};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig};
use datafusion::datasource::source::DataSourceExec;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;

use crate::error::{EXIT_USAGE, Error, Result};
use crate::kernel::schema;
use crate::model::{Granularity, Hour, Partition, Table};
use crate::query::answer::QueryAnswer;
use crate::query::engine::{open, parse, plan};
use crate::query::*;

fn limits() -> Limits {
    Limits::new(NonZeroUsize::new(2).unwrap(), None).unwrap()
}

fn hour(text: &str) -> Hour {
    text.parse().unwrap()
}

/// One row of `cloudfront_logs` as the tests need it: seconds into its hour, bytes, viewer, edge
/// location, is it a bot.
type TestRow = (i64, i64, &'static str, &'static str, Option<bool>);

/// A batch of the first `width` columns of `cloudfront_logs`, NULL where the rows say nothing.
fn batch(hour: Hour, rows: &[TestRow], width: usize) -> RecordBatch {
    let schema = schema::arrow_schema(Table::CloudfrontLogs);
    let instants = rows.iter().map(|row| (hour.start_unix_seconds() + row.0) * 1_000_000);
    let text = |value: fn(&TestRow) -> &str| Arc::new(rows.iter().map(|row| Some(value(row))).collect::<StringArray>());
    let mut given: HashMap<&str, ArrayRef> = HashMap::new();
    given.insert("event_time", Arc::new(TimestampMicrosecondArray::from_iter_values(instants).with_timezone("UTC")));
    given.insert("sc_bytes", Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.1))));
    given.insert("c_ip", text(|row| row.2));
    given.insert("x_edge_location", text(|row| row.3));
    given.insert("distribution", text(|_| "E1"));
    given.insert("sc_status", Arc::new(Int32Array::from_iter_values(rows.iter().map(|_| 200))));
    given.insert("is_bot", Arc::new(rows.iter().map(|row| row.4).collect::<BooleanArray>()));
    let columns = schema.fields().iter().take(width).map(|field| {
        given.remove(field.name().as_str()).unwrap_or_else(|| new_null_array(field.data_type(), rows.len()))
    });
    let columns = columns.collect();
    RecordBatch::try_new(Arc::new(schema.project(&(0..width).collect::<Vec<_>>()).unwrap()), columns).unwrap()
}

async fn put(store: &InMemory, name: &str, hour: Hour, batch: &RecordBatch) -> SnapshotFile {
    let mut bytes = Vec::new();
    let mut writer = ArrowWriter::try_new(&mut bytes, batch.schema(), None).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    let partition = Partition::of(Table::CloudfrontLogs, Granularity::Hour, hour);
    let path = Path::from(format!("{}/{name}", partition.folder()));
    let file = SnapshotFile { path, size_bytes: bytes.len() as u64, rows: batch.num_rows() as u64, partition };
    store.put(&file.path, PutPayload::from(bytes)).await.unwrap();
    file
}

const EARLY: &[TestRow] = &[
    (0, 100, "10.0.0.1", "HEL51-P6", Some(true)),
    (1, 50, "10.0.0.2", "HEL51-P6", Some(false)),
    (2, 7, "::1", "FRA2", None),
];
const LATE: &[TestRow] = &[(3_599, 30, "10.0.0.1", "FRA2", Some(true)), (60, 20, "10.0.0.1", "FRA2", Some(true))];

/// Three files: two hours of one day, and an hour of the next day.
async fn lake() -> (Arc<InMemory>, LakeSnapshot) {
    let store = InMemory::new();
    let width = schema::columns(Table::CloudfrontLogs).len();
    let (five, six, next) = (hour("2026-11-21T05"), hour("2026-11-21T06"), hour("2026-11-22T05"));
    let files = vec![
        put(&store, "a.parquet", five, &batch(five, EARLY, width)).await,
        put(&store, "b%20.parquet", six, &batch(six, LATE, width)).await,
        put(&store, "c.parquet", next, &batch(next, &EARLY[..1], width)).await,
    ];
    // Not committed, so no query may see it.
    put(&store, "stray.parquet", five, &batch(five, LATE, width)).await;
    (
        Arc::new(store),
        LakeSnapshot {
            granularity: Granularity::Hour,
            files: vec![(Table::CloudfrontLogs, files), (Table::Rejects, Vec::new())],
        },
    )
}

async fn ask(sql: &str, format: AnswerFormat) -> String {
    let (store, snapshot) = lake().await;
    text(run(store, &snapshot, sql, &limits()).await.unwrap(), format).await.unwrap()
}

async fn text(answer: QueryAnswer, format: AnswerFormat) -> Result<String> {
    let mut out = Vec::new();
    print(answer, format, &mut out).await?;
    Ok(String::from_utf8(out).unwrap())
}

/// How many files a query would open.
async fn files_scanned(sql: &str) -> usize {
    let (store, snapshot) = lake().await;
    let context = open(store, &snapshot, &limits()).await.unwrap();
    let plan = plan(&context, parse(sql).unwrap(), sql).await.unwrap();
    let mut nodes = vec![plan];
    let mut files = 0;
    while let Some(node) = nodes.pop() {
        nodes.extend(node.children().into_iter().cloned());
        let Some(scan) = node.downcast_ref::<DataSourceExec>() else { continue };
        let config = scan.data_source().downcast_ref::<FileScanConfig>();
        files += config.map_or(0, |config| config.file_groups.iter().map(FileGroup::len).sum());
    }
    files
}

#[tokio::test]
async fn the_named_queries_answer() {
    let bots = "requestip,location,ct\n10.0.0.1,FRA2,2\n10.0.0.1,HEL51-P6,2\n";
    let bytes = "distribution,location,totalbytes\nE1,HEL51-P6,250\nE1,FRA2,57\n";
    let viewers = "requestip,ct\n10.0.0.1,4\n10.0.0.2,1\n::1,1\n";
    for (name, answer) in NAMES.into_iter().zip([bots, bytes, viewers]) {
        assert_eq!(ask(named(name).unwrap(), AnswerFormat::Csv).await, answer, "{name}");
    }
    for (name, answer) in NAMES.into_iter().skip(3).zip([
        "source,client_ip,location,ct\ncloudfront,10.0.0.1,FRA2,2\ncloudfront,10.0.0.1,HEL51-P6,2\n",
        "source,site,location,totalbytes\ncloudfront,E1,HEL51-P6,250\ncloudfront,E1,FRA2,57\n",
        "client_ip,ct\n10.0.0.1,4\n10.0.0.2,1\n::1,1\n",
    ]) {
        assert_eq!(ask(named(name).unwrap(), AnswerFormat::Csv).await, answer, "{name}");
    }
    let unknown = named("bot").unwrap_err().to_string();
    assert!(
        unknown.starts_with("there is no query 'bot'; the names are bots, bytes, viewers, access_bots"),
        "{unknown}"
    );
}

#[tokio::test]
async fn views_give_dates_times_and_bots_as_text() {
    let sql = "SELECT logdate, logtime, isbot, referrer, year, month, day, hour FROM cf_logs ORDER BY logdate, logtime";
    assert_eq!(
        ask(sql, AnswerFormat::Csv).await,
        "logdate,logtime,isbot,referrer,year,month,day,hour\n\
         2026-11-21,05:00:00,True,,2026,11,21,05\n\
         2026-11-21,05:00:01,False,,2026,11,21,05\n\
         2026-11-21,05:00:02,False,,2026,11,21,05\n\
         2026-11-21,06:01:00,True,,2026,11,21,06\n\
         2026-11-21,06:59:59,True,,2026,11,21,06\n\
         2026-11-22,05:00:00,True,,2026,11,22,05\n"
    );
    let sql = "SELECT date, time, sc_bytes FROM cloudfront_standard_logs WHERE date = DATE '2026-11-22'";
    assert_eq!(ask(sql, AnswerFormat::Csv).await, "date,time,sc_bytes\n2026-11-22,05:00:00,100\n");
}

#[tokio::test]
async fn only_files_that_can_answer_are_opened() {
    for (files, sql) in [
        (3, "SELECT c_ip FROM cloudfront_logs"),
        (2, "SELECT c_ip FROM cloudfront_logs WHERE day = '21'"),
        (1, "SELECT c_ip FROM cf_view WHERE day = '21' AND hour > '05'"),
        (1, "SELECT c_ip FROM cloudfront_logs WHERE concat(day, hour) = '2106' AND c_ip = '::1'"),
        (1, "SELECT c_ip FROM cloudfront_logs WHERE event_time >= '2026-11-22T00:00:00Z'"),
        (1, "SELECT c_ip FROM cloudfront_logs WHERE event_time < '2026-11-21T06:00:00Z'"),
        (2, "SELECT c_ip FROM cloudfront_logs WHERE event_time <= '2026-11-21T06:00:00Z'"),
        (
            2,
            "SELECT c_ip FROM cloudfront_logs WHERE (hour = '06' AND sc_bytes > 1) OR (day = '22' AND sc_status = 200)",
        ),
        (1, "SELECT logtime FROM cf_logs WHERE logdate = DATE '2026-11-22'"),
        (1, "SELECT logtime FROM cf_logs WHERE logdate = '2026-11-22' AND bytes > 1"),
        (0, "SELECT c_ip FROM cloudfront_logs WHERE year = '2025'"),
        (0, "SELECT COUNT(*) FROM cloudfront_logs WHERE day = '21'"),
        (1, "SELECT c_ip FROM cloudfront_logs LIMIT 2"),
        (2, "SELECT c_ip FROM cloudfront_logs LIMIT 4"),
        (3, "SELECT c_ip FROM cloudfront_logs WHERE sc_bytes > 1 LIMIT 2"),
    ] {
        let sql = sql.replace("cf_view", "(SELECT requestip AS c_ip, day, hour FROM cf_logs)");
        assert_eq!(files_scanned(&sql).await, files, "{sql}");
    }
}

#[tokio::test]
async fn counts_are_right_with_and_without_reading() {
    for (answer, sql) in [
        ("6", "SELECT COUNT(*) AS n FROM cloudfront_logs"),
        ("5", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE day = '21'"),
        ("4", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE c_ip = '10.0.0.1'"),
        ("2", "SELECT COUNT(*) AS n FROM (SELECT * FROM cloudfront_logs LIMIT 2)"),
        ("4", "SELECT COUNT(*) AS n FROM (SELECT c_ip FROM cloudfront_logs LIMIT 4)"),
        ("1", "SELECT COUNT(*) AS n FROM (SELECT c_ip FROM cloudfront_logs LIMIT 4 OFFSET 5)"),
        ("2", "SELECT COUNT(DISTINCT hour) AS n FROM cloudfront_logs"),
        ("0", "SELECT COUNT(cs_referer) AS n FROM cloudfront_logs"),
        ("1", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE day = (SELECT MAX(day) FROM cloudfront_logs)"),
        ("5", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE day IN (SELECT day FROM cf_logs WHERE bytes = 7)"),
        ("6", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE day < '9' AND random() >= 0"),
        ("6", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE now() > TIMESTAMP '2000-01-01'"),
        ("0", "SELECT COUNT(*) AS n FROM cloudfront_logs WHERE NULL"),
    ] {
        assert_eq!(ask(sql, AnswerFormat::Csv).await, format!("n\n{answer}\n"), "{sql}");
    }
}

#[tokio::test]
async fn nothing_can_be_written() {
    let (store, snapshot) = lake().await;
    for sql in [
        "CREATE TABLE a AS SELECT 1",
        "CREATE EXTERNAL TABLE a STORED AS PARQUET LOCATION '/'",
        "DROP VIEW cf_logs",
        "INSERT INTO rejects SELECT * FROM rejects",
        "DELETE FROM rejects",
        "UPDATE rejects SET reason = 'a'",
        "TRUNCATE TABLE rejects",
        "COPY rejects TO '/a.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "EXPLAIN ANALYZE INSERT INTO rejects SELECT * FROM rejects",
        "PREPARE a AS SELECT 1",
        "SELECT * FROM '/a.parquet'",
        "SELECT 1; DROP VIEW cf_logs",
        "-- nothing",
        "",
        "SELEC 1",
        "SELECT nothing FROM cf_logs",
    ] {
        let error = run(store.clone(), &snapshot, sql, &limits()).await.unwrap_err();
        assert_eq!(error.exit_code(), EXIT_USAGE, "{sql}: {error}");
        assert!(!vanished(&error));
    }
    let said = run(store, &snapshot, "SET a = 1", &limits()).await.unwrap_err().to_string();
    assert!(said.starts_with("the statement does more than read (Statement not supported: SetVariable); "), "{said}");
    assert_eq!(ask("/* one */ SELECT 1 AS a; -- done", AnswerFormat::Csv).await, "a\n1\n");
    assert!(ask("SHOW TABLES", AnswerFormat::Csv).await.contains("cloudfront_standard_logs"));
    assert!(ask("DESCRIBE rejects", AnswerFormat::Csv).await.contains("raw_line"));
    assert!(ask("EXPLAIN SELECT * FROM cf_logs", AnswerFormat::Table).await.contains("DataSourceExec"));
}

#[tokio::test]
async fn an_empty_lake_answers_no_rows() {
    for snapshot in [
        LakeSnapshot::default(),
        LakeSnapshot { granularity: Granularity::Hour, files: vec![(Table::CloudfrontLogs, Vec::new())] },
    ] {
        let store = Arc::new(InMemory::new());
        for (sql, csv) in [
            ("SELECT * FROM cf_logs WHERE year = '2026' AND bytes > 1", None),
            ("SELECT requestip FROM cf_logs LIMIT 1", Some("requestip\n")),
            ("SELECT COUNT(*) AS n FROM rejects", Some("n\n0\n")),
            (named("bots").unwrap(), Some("requestip,location,ct\n")),
        ] {
            let answer = run(store.clone(), &snapshot, sql, &limits()).await.unwrap();
            let answered = text(answer, AnswerFormat::Csv).await.unwrap();
            assert!(csv.is_none_or(|csv| csv == answered), "{sql}");
        }
        let answer = async || run(store.clone(), &snapshot, "SELECT requestip FROM cf_logs", &limits()).await.unwrap();
        assert_eq!(text(answer().await, AnswerFormat::Json).await.unwrap(), "");
        assert_eq!(
            text(answer().await, AnswerFormat::Table).await.unwrap(),
            "+-----------+\n| requestip |\n+-----------+\n+-----------+\n"
        );
    }
}

#[tokio::test]
async fn formats_are_exact() {
    let sql = "SELECT event_time, event_time + INTERVAL '1 millisecond' AS later, c_ip, x_edge_location AS \"a,b\",
               time_taken, is_bot, MAP(['k'], ['\"v\"']) AS extra
               FROM cloudfront_logs WHERE hour = '05' AND day = '21' AND sc_bytes < 100 ORDER BY event_time";
    assert_eq!(
        ask(sql, AnswerFormat::Csv).await,
        "event_time,later,c_ip,\"a,b\",time_taken,is_bot,extra\n\
         2026-11-21T05:00:01Z,2026-11-21T05:00:01.001Z,10.0.0.2,HEL51-P6,,false,\"{k: \"\"v\"\"}\"\n\
         2026-11-21T05:00:02Z,2026-11-21T05:00:02.001Z,::1,FRA2,,,\"{k: \"\"v\"\"}\"\n"
    );
    assert_eq!(
        ask(sql, AnswerFormat::Json).await,
        "{\"event_time\":\"2026-11-21T05:00:01Z\",\"later\":\"2026-11-21T05:00:01.001Z\",\"c_ip\":\"10.0.0.2\",\
         \"a,b\":\"HEL51-P6\",\"time_taken\":null,\"is_bot\":false,\"extra\":{\"k\":\"\\\"v\\\"\"}}\n\
         {\"event_time\":\"2026-11-21T05:00:02Z\",\"later\":\"2026-11-21T05:00:02.001Z\",\"c_ip\":\"::1\",\
         \"a,b\":\"FRA2\",\"time_taken\":null,\"is_bot\":null,\"extra\":{\"k\":\"\\\"v\\\"\"}}\n"
    );
    assert_eq!(
        ask(
            "SELECT event_time, concat('a', chr(27), 'b') AS text FROM cloudfront_logs WHERE c_ip = '::1'",
            AnswerFormat::Table
        )
        .await,
        "+----------------------+------+\n\
         | event_time           | text |\n\
         +----------------------+------+\n\
         | 2026-11-21T05:00:02Z | a\u{fffd}b  |\n\
         +----------------------+------+\n"
    );
}

#[tokio::test]
async fn an_older_file_lacks_its_last_columns() {
    let (store, mut snapshot) = lake().await;
    let old = hour("2026-11-21T05");
    let file = put(&store, "old.parquet", old, &batch(old, LATE, 4)).await;
    snapshot.files[0].1.push(file);
    let sql = "SELECT sc_bytes, c_ip, extra, hour, COUNT(*) OVER () AS n FROM cloudfront_logs
               WHERE day = '21' AND hour = '05' AND sc_bytes < 40 ORDER BY sc_bytes";
    let answer = run(store.clone(), &snapshot, sql, &limits()).await.unwrap();
    assert_eq!(
        text(answer, AnswerFormat::Csv).await.unwrap(),
        "sc_bytes,c_ip,extra,hour,n\n7,::1,,05,3\n20,,,05,3\n30,,,05,3\n"
    );
    let sql = "SELECT isbot, COUNT(*) AS n FROM cf_logs WHERE requestip IS NULL GROUP BY isbot";
    let answer = run(store, &snapshot, sql, &limits()).await.unwrap();
    assert_eq!(text(answer, AnswerFormat::Csv).await.unwrap(), "isbot,n\nFalse,2\n");
}

#[tokio::test]
async fn a_file_that_vanished_is_recognised() {
    let (store, snapshot) = lake().await;
    store.delete(&snapshot.files[0].1[1].path).await.unwrap();
    let answer = run(store, &snapshot, "SELECT SUM(sc_bytes) FROM cloudfront_logs", &limits()).await.unwrap();
    let error = text(answer, AnswerFormat::Csv).await.unwrap_err();
    assert!(vanished(&error), "{error}");
    assert!(matches!(error, Error::Query { .. }));
}

#[tokio::test]
async fn a_closed_pipe_is_an_error_like_any_other() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let rows = batch(hour("2026-11-21T05"), EARLY, 4);
    for format in [AnswerFormat::Table, AnswerFormat::Csv, AnswerFormat::Json] {
        let answer = QueryAnswer::of(rows.schema(), futures::stream::iter([Ok(rows.clone())]));
        let Err(Error::Storage { source, .. }) = print(answer, format, &mut Closed).await else {
            panic!("{format:?} must fail as storage does")
        };
        assert_eq!(source.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::BrokenPipe);
    }
}
