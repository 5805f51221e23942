//! The catalogs behind Glue and Athena, on a server that keeps AWS's limits: `scripts/test` starts
//! it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::double::Double;
use edgemill::edge::athena::Athena;
use edgemill::edge::aws;
use edgemill::edge::catalog::{AthenaCatalog, Catalog, GlueCatalog, GlueTables, Publication, statement_output};
use edgemill::edge::contract;
use edgemill::kernel::ledger::records::FileEntry;
use edgemill::model::{Granularity, Partition, Table};
use serde_json::json;

/// Tables in a database of the test's own, for a lake that need not be there.
async fn tables(double: &Double) -> (String, String) {
    let (database, lake) = (double.name.clone(), double.lake());
    let made = GlueTables::of(&database, &lake, Granularity::Hour, false).await.upgrade().await.unwrap();
    assert_eq!(made.len(), 7, "{made:?}");
    (database, lake)
}

fn hours(count: i64) -> Vec<Partition> {
    let first = "2026-11-01T00".parse::<edgemill::model::Hour>().unwrap();
    (0..count).map(|hour| Partition::of(Table::CloudfrontLogs, Granularity::Hour, first.plus(hour))).collect()
}

/// Two files in the partition's folder, which have so many rows together.
fn publication(partition: Partition, rows: u64) -> Publication {
    let file = |name: &str, rows| FileEntry { name: name.to_owned(), rows, size_bytes: 400, crc32: 0 };
    let files = vec![file("a.parquet", 1), file("b.parquet", rows - 1)];
    Publication { partition, location: partition.folder(), files }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalogs_keep_their_contract() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = tables(&double).await;
    assert_eq!(contract::catalog(&GlueCatalog::open(&database, &lake).await).await, Ok(()));
    let double = Double::new("test").unwrap();
    let (database, lake) = tables(&double).await;
    assert_eq!(contract::catalog(&AthenaCatalog::open("primary", &database, &lake).await).await, Ok(()));
}

/// 250 partitions at once: in few calls, none of more than Glue takes; all of them listed, whatever
/// the pages.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_come_in_groups_and_pages() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = tables(&double).await;
    for catalog in [
        Arc::new(GlueCatalog::open(&database, &lake).await) as Arc<dyn Catalog>,
        Arc::new(AthenaCatalog::open("primary", &database, &lake).await),
    ] {
        let before = double.http("GET", "/_double/calls?since=0", "").1;
        let before = serde_json::from_str::<Vec<serde_json::Value>>(&before).unwrap().len();
        let published = hours(250).into_iter().map(|partition| {
            let catalog = Arc::clone(&catalog);
            async move { catalog.publish(&publication(partition, 7), Duration::MAX).await.unwrap() }
        });
        assert!(futures::future::join_all(published).await.into_iter().all(|published| published));
        let ours = |action: &str| {
            let calls = double.http("GET", &format!("/_double/calls?since={before}"), "").1;
            let calls: Vec<serde_json::Value> = serde_json::from_str(&calls).unwrap();
            let of = |call: &&serde_json::Value| {
                call["action"] == action && call["resources"].to_string().contains(&database)
            };
            calls.iter().filter(of).count()
        };
        assert!(ours("glue:BatchCreatePartition") <= 5, "{}", ours("glue:BatchCreatePartition"));
        double.set(&json!({"glue_page": 7, "unprocessed_once": true}));
        let listed = catalog.list(Table::CloudfrontLogs).await.unwrap();
        assert_eq!(listed.iter().map(|entry| entry.partition).collect::<Vec<_>>(), hours(250));
        assert!(listed.iter().all(|entry| entry.has_current_columns && entry.location == entry.partition.folder()));
        let read = hours(250).into_iter().map(|partition| {
            let catalog = Arc::clone(&catalog);
            async move { (catalog.shown(partition).await.unwrap(), partition.folder()) }
        });
        assert!(futures::future::join_all(read).await.into_iter().all(|(read, folder)| read == Some(folder)));
        double.http("DELETE", "/_double/settings", "");
        // All but the first are withdrawn, in few calls too; ten of them are not there.
        let withdrawn = hours(260).into_iter().skip(1).map(|partition| {
            let catalog = Arc::clone(&catalog);
            async move { catalog.withdraw(partition, Duration::MAX).await.unwrap() }
        });
        assert!(futures::future::join_all(withdrawn).await.into_iter().all(|withdrawn| withdrawn));
        assert!(ours("glue:BatchDeletePartition") <= 40, "{}", ours("glue:BatchDeletePartition"));
        let left = catalog.list(Table::CloudfrontLogs).await.unwrap();
        assert_eq!(left.iter().map(|entry| entry.partition).collect::<Vec<_>>(), hours(1));
    }
}

/// What a partition holds is told, told again when it is more, and not told twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_says_how_much_it_holds() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = tables(&double).await;
    let catalog = GlueCatalog::open(&database, &lake).await;
    let partition = hours(1)[0];
    let client = aws_sdk_glue::Client::new(&aws::config().await);
    let there = || async {
        let call = client.get_partition().database_name(&database).table_name("cloudfront_logs");
        let found = call.set_partition_values(Some(partition.values())).send().await.unwrap().partition.unwrap();
        found.parameters.unwrap()
    };
    for rows in [7, 9] {
        let publication = publication(partition, rows);
        assert!(!catalog.knows_numbers(&publication));
        assert!(catalog.publish(&publication, Duration::MAX).await.unwrap());
        assert!(catalog.knows_numbers(&publication));
        assert_eq!(there().await["numRows"], rows.to_string());
    }
    assert_eq!((there().await["totalSize"].as_str(), there().await["numFiles"].as_str()), ("800", "2"));
}

/// Tables of an older version get their new columns, and so do their partitions; what differs
/// otherwise is refused.
#[tokio::test(flavor = "multi_thread")]
async fn tables_are_upgraded_and_never_retyped() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = tables(&double).await;
    let tables = GlueTables::of(&database, &lake, Granularity::Hour, false).await;
    assert_eq!(tables.upgrade().await.unwrap(), [], "nothing is left to do");
    let client = aws_sdk_glue::Client::new(&aws::config().await);
    let change = async |change: &dyn Fn(&mut Vec<aws_sdk_glue::types::Column>)| {
        let got = client.get_table().database_name(&database).name("alb_logs").send().await.unwrap().table.unwrap();
        let mut descriptor = got.storage_descriptor.unwrap();
        change(descriptor.columns.as_mut().unwrap());
        let input = aws_sdk_glue::types::TableInput::builder()
            .name("alb_logs")
            .set_table_type(got.table_type)
            .set_partition_keys(got.partition_keys)
            .set_parameters(got.parameters)
            .storage_descriptor(descriptor);
        client.update_table().database_name(&database).table_input(input.build().unwrap()).send().await.unwrap();
    };
    // A table of before the last column, with a column of its owner's.
    let mine = aws_sdk_glue::types::Column::builder().name("mine").r#type("int").build().unwrap();
    change(&|columns| *columns.last_mut().unwrap() = mine.clone()).await;
    let changes = tables.upgrade().await.unwrap();
    assert_eq!(changes.iter().map(ToString::to_string).collect::<Vec<_>>(), ["upgraded table alb_logs"]);
    let columns = client.get_table().database_name(&database).name("alb_logs").send().await.unwrap().table.unwrap();
    let columns = columns.storage_descriptor.unwrap().columns.unwrap();
    let last: Vec<&str> = columns.iter().rev().take(2).map(aws_sdk_glue::types::Column::name).collect();
    assert_eq!(last, ["bot_vendor", "mine"]);
    // The same by statements.
    change(&|columns| drop(columns.pop())).await;
    let athena = Athena::open("primary", &database, statement_output(&lake)).await;
    let by_statements = GlueTables::of(&database, &lake, Granularity::Hour, false).await.by_statements(athena);
    assert_eq!(by_statements.upgrade().await.unwrap().len(), 1);
    assert_eq!(tables.upgrade().await.unwrap(), []);
    // Another type, another lake, other partitions.
    change(&|columns| columns[1].r#type = Some("bigint".to_owned())).await;
    let refused = tables.upgrade().await.unwrap_err();
    assert!(refused.exit_code() == 2 && refused.to_string().contains("bigint"), "{refused}");
    change(&|columns| columns[1].r#type = Some("string".to_owned())).await;
    let other =
        GlueTables::of(&database, "s3://another/lake", Granularity::Hour, false).await.upgrade().await.unwrap_err();
    assert!(other.to_string().contains("each lake has tables of its own"), "{other}");
    let days = GlueTables::of(&database, &lake, Granularity::Day, false).await.upgrade().await.unwrap_err();
    assert!(days.to_string().contains("partitioned by"), "{days}");
}

/// A table of somebody else's at the lake's place is not taken over.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_reads_text_is_refused() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = (double.name.clone(), double.lake());
    let client = aws_sdk_glue::Client::new(&aws::config().await);
    let input = aws_sdk_glue::types::DatabaseInput::builder().name(&database).build().unwrap();
    client.create_database().database_input(input).send().await.unwrap();
    let descriptor = aws_sdk_glue::types::StorageDescriptor::builder()
        .location(format!("{lake}/cloudfront_logs/"))
        .input_format("org.apache.hadoop.mapred.TextInputFormat");
    let table = aws_sdk_glue::types::TableInput::builder()
        .name("cloudfront_logs")
        .table_type("EXTERNAL_TABLE")
        .storage_descriptor(descriptor.build());
    let call = client.create_table().database_name(&database).table_input(table.build().unwrap());
    call.send().await.unwrap();
    let refused = GlueTables::of(&database, &lake, Granularity::Hour, false).await.upgrade().await.unwrap_err();
    assert!(refused.exit_code() == 2 && refused.to_string().contains("not read as Parquet"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_by_statements_alone_has_the_same_tables() {
    let Some(double) = Double::new("test") else { return };
    let (database, lake) = (double.name.clone(), double.lake());
    let athena = Athena::open("primary", &database, statement_output(&lake)).await;
    let tables = GlueTables::of(&database, &lake, Granularity::Day, false).await.by_statements(athena);
    assert_eq!(tables.upgrade().await.unwrap().len(), 7);
    assert_eq!(tables.upgrade().await.unwrap(), []);
    let catalog = AthenaCatalog::open("primary", &database, &lake).await;
    let day = Partition::at(Table::AlbLogs, "2026-11-21").unwrap();
    assert!(catalog.publish(&publication(day, 7), Duration::MAX).await.unwrap());
    assert_eq!(catalog.shown(day).await.unwrap(), Some(day.folder()));
}

/// A service that stumbles is waited for, and an answer that was lost is no second partition.
#[tokio::test(flavor = "multi_thread")]
async fn throttling_and_lost_answers_are_waited_out() {
    let Some(double) = Double::new("CONVERT") else { return };
    double.put_log("2026-11-21T05", "a", 3).await;
    double.init(&["--catalog", &format!("glue:{}", double.name)]);
    double.fault("glue:BatchCreatePartition", "throttle", 4);
    double.fault("glue:BatchCreatePartition", "drop_after", 1);
    double.fault("glue:BatchGetPartition", "500", 2);
    assert_eq!(double.convert(&[])["rows"], 3);
    let athena = ["--engine", "athena", "--database", &double.name];
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &athena), "n\n3\n");
}

/// An entry's own error, while its neighbours are created: waited out where it may pass, told where
/// it may not.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_of_its_own_is_waited_out_or_told() {
    let Some(double) = Double::new("CONVERT") else { return };
    double.put_log("2026-11-21T05", "a", 3).await;
    double.init(&["--catalog", &format!("glue:{}", double.name)]);
    let fails = |code: &str, times: u64| {
        double.set(&json!({"glue_entry_error": {"database": double.name, "code": code, "times": times}}));
    };
    fails("InternalServiceException", 2);
    assert_eq!(double.convert(&[])["rows"], 3);
    double.put_log("2026-11-21T06", "a", 3).await;
    fails("ResourceNumberLimitExceededException", 1_000);
    let (logs, lake) = (double.logs(), double.lake());
    let begun = std::time::Instant::now();
    let (_, err) = double.exits(1, &["convert", "--from", &logs, "--to", &lake]);
    assert!(err.contains("ResourceNumberLimitExceededException") && begun.elapsed() < Duration::from_secs(10), "{err}");
    fails("", 0);
    double.convert(&[]);
    let athena = ["--engine", "athena", "--database", &double.name];
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &athena), "n\n6\n");
}

/// Who may not do something is told what it was.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_is_named() {
    let Some(double) = Double::new("CONVERT") else { return };
    double.put_log("2026-11-21T05", "a", 3).await;
    let table = format!("dynamodb:{}", double.name);
    double.init(&["--catalog", &format!("glue:{}", double.name), "--ledger", &table]);
    let (logs, lake) = (double.logs(), double.lake());
    for (number, (action, error, said)) in [
        ("glue:BatchCreatePartition", "denied", "allow this user or role glue:BatchCreatePartition"),
        ("dynamodb:Query", "denied", "allow this user or role dynamodb:Query"),
        ("dynamodb:PutItem", "expired", "renew the credentials and run again, nothing is lost"),
        ("s3:PutObject", "denied", "allow this user or role s3:PutObject"),
        ("s3:ListBucket", "denied", "allow this user or role s3:ListBucket"),
        ("s3:GetObject", "expired", "renew the credentials and run again, nothing is lost"),
    ]
    .into_iter()
    .enumerate()
    {
        double.put_log(&format!("2026-11-21T{number:02}"), "b", 2).await;
        let denied = double.as_role(&format!("DENIED{number}"));
        denied.fault(action, error, 1_000);
        let (_, err) = denied.exits(1, &["convert", "--from", &logs, "--to", &lake]);
        assert!(err.contains(said), "{action}: {err}");
    }
    double.convert(&[]);
    assert_eq!(double.query("SELECT COUNT(*) AS n FROM cloudfront_logs", &[]), "n\n15\n", "nothing was lost");
}
