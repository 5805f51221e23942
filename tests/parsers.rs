//! The fast parser against the slow one, on logs as they are made, mutated and damaged; and the
//! columns that come of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;
mod oracle;

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use bytes::Bytes;
use common::gzip;
use edgemill::generate;
use edgemill::generate::{Delivery, Spec};
use edgemill::kernel::columns::convert::{RawObject, convert_chunk};
use edgemill::kernel::policy::recipe::Recipe;
use edgemill::kernel::schema::columns;
use edgemill::kernel::source::inflate;
use edgemill::kernel::source::parse::Settings;
use edgemill::model::{Hour, ObjectId, Table};
use oracle::{Line, compare, lines, typed};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

fn settings(table: Table, fields: Option<&str>) -> Settings {
    let fields = fields.map(|fields| fields.split(' ').map(str::to_owned).collect());
    Settings { fields, ..Settings::of(table) }
}

/// The texts of some generated objects.
fn generated(table: Table, delivery: Delivery, rows: u64) -> Vec<Vec<u8>> {
    let dir = tempfile::tempdir().unwrap();
    let hours = "2026-11-21T23..2026-11-22T01".parse().unwrap();
    let out = dir.path().join("logs");
    let spec = Spec { out: out.clone(), table, delivery, rows, hours, distributions: 2, seed: 11, threads: 2 };
    generate::run(&spec, &|_| ()).unwrap();
    common::files(&out).iter().map(|path| inflate::head(&std::fs::read(path).unwrap(), usize::MAX)).collect()
}

const KINDS: [(Table, Delivery); 6] = [
    (Table::CloudfrontLogs, Delivery::Classic),
    (Table::CloudfrontLogs, Delivery::W3c),
    (Table::CloudfrontLogs, Delivery::Json),
    (Table::AlbLogs, Delivery::Classic),
    (Table::AlbLogs, Delivery::W3c),
    (Table::AlbLogs, Delivery::Json),
];

#[test]
fn both_parsers_agree_on_generated_logs() {
    for (table, delivery) in KINDS {
        for text in generated(table, delivery, 3_000) {
            compare(&text, &Settings::of(table), usize::MAX);
            compare(&text, &Settings::of(table), 10_007);
        }
    }
}

/// One change of a text: some bytes replaced, removed, or put in.
#[derive(Clone, Debug)]
struct Change {
    place: proptest::sample::Index,
    removed: usize,
    put_in: Vec<u8>,
}

fn change() -> impl Strategy<Value = Change> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\t".to_vec()),
        Just(b" ".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\\\"".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\xff".to_vec()),
        Just(b"{\"a\":\"b\"}\n".to_vec()),
        Just(format!("\n#Fields: date time {}\n", common::unknown_field()).into_bytes()),
        Just(b"\n#Fields: x-event date time\n".to_vec()),
        Just(b"#".to_vec()),
        Just(b"\n#fields: date\n".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b",\"n\":{\"a\":[1, \"}\"]},\"m\":1e5".to_vec()),
        Just(",\"a\":1.50,\"b\":null,\"c\":\"\\u00e9\\n\"".as_bytes().to_vec()),
        Just(b"- - -".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..6),
    ];
    (any::<proptest::sample::Index>(), 0_usize..40, piece).prop_map(|(place, removed, put_in)| Change {
        place,
        removed,
        put_in,
    })
}

fn changed(text: &[u8], changes: &[Change]) -> Vec<u8> {
    let mut text = text.to_vec();
    for Change { place, removed, put_in } in changes {
        let at = place.index(text.len() + 1);
        let end = text.len().min(at + removed);
        text.splice(at..end, put_in.iter().copied());
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn both_parsers_agree_on_mutated_logs(
        kind in 0_usize..KINDS.len(),
        changes in proptest::collection::vec(change(), 0..12),
        piece_bytes in 1_usize..4_000,
        fields in proptest::option::weighted(0.2, Just("date time c-ip sc-bytes")),
        delimiter in proptest::option::weighted(0.2, prop_oneof![Just(b"\t".to_vec()), Just(b",".to_vec()), Just(b" ".to_vec()), Just(b"20".to_vec())]),
        line_limit_bytes in prop_oneof![3 => Just(1 << 20), 1 => 1_usize..600],
    ) {
        thread_local! {
            static TEXTS: Vec<Vec<u8>> =
                KINDS.iter().map(|(table, delivery)| generated(*table, *delivery, 120).swap_remove(0)).collect();
        }
        let text = TEXTS.with(|texts| changed(&texts[kind], &changes));
        let settings = Settings { delimiter, line_limit_bytes, ..settings(KINDS[kind].0, fields) };
        compare(&text, &settings, piece_bytes);
    }

    #[test]
    fn both_parsers_agree_on_anything(
        text in prop_oneof![
            "[ -~\\t\\n\"#{}:,]{0,200}".prop_map(String::into_bytes),
            "(#Fields: a b c\\n)?([a-c]{0,2}[\\t ,;|\\r]){0,4}\\n(\\{(\"[ab]\":\"[xy]\",?){0,3}\\}\\n){0,3}".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..200),
        ],
        alb in any::<bool>(),
        piece_bytes in 1_usize..50,
        line_limit_bytes in prop_oneof![Just(1 << 20), 1_usize..12],
    ) {
        let table = if alb { Table::AlbLogs } else { Table::CloudfrontLogs };
        compare(&text, &Settings { line_limit_bytes, ..Settings::of(table) }, piece_bytes);
    }
}

static RECIPE: std::sync::LazyLock<Recipe> = std::sync::LazyLock::new(|| Recipe::plain().unwrap());

/// The rows of a text by the fast way, each as the text of its logged columns and its time.
fn converted(text: &[u8], settings: &Settings) -> Vec<BTreeMap<String, String>> {
    let object = RawObject {
        id: ObjectId { key: "a".into(), etag: "e".into(), size_bytes: text.len() as u64 },
        filename: "a".into(),
        distribution: None,
        hour: Some("2026-11-21T05".parse::<Hour>().unwrap()),
        named: true,
        stored: Bytes::from(gzip(text)).into(),
    };
    let mut rows = Vec::new();
    convert_chunk(settings, &RECIPE, &[object], &mut |file| {
        if file.partition.table == settings.table {
            rows.extend(read(settings.table, file.bytes));
        }
        Ok(())
    })
    .unwrap();
    rows.sort();
    rows
}

fn read(table: Table, parquet: Vec<u8>) -> Vec<BTreeMap<String, String>> {
    let batches = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(parquet)).unwrap().build().unwrap();
    let mut rows = Vec::new();
    for batch in batches {
        let batch = batch.unwrap();
        for row in 0..batch.num_rows() {
            let mut values = BTreeMap::new();
            let wanted = columns(table).iter().filter(|column| column.is_logged() || column.name == "event_time");
            for column in wanted {
                let array = batch.column_by_name(column.name).unwrap();
                if array.is_valid(row) {
                    values.insert(column.name.to_owned(), shown(array, row));
                }
            }
            let extra = batch.column_by_name("extra").unwrap().as_map();
            if extra.is_valid(row) {
                let entries = extra.value(row);
                let (names, texts) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
                for entry in 0..entries.len() {
                    values.insert(format!("extra.{}", names.value(entry)), texts.value(entry).to_owned());
                }
            }
            rows.push(values);
        }
    }
    rows
}

fn shown(array: &dyn Array, row: usize) -> String {
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().value(row).to_owned(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).to_string(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).to_string(),
        DataType::Float64 => array.as_primitive::<Float64Type>().value(row).to_string(),
        _ => array.as_primitive::<TimestampMicrosecondType>().value(row).to_string(),
    }
}

/// The same log with a field that no version knows, and a few values that do not fit their columns.
fn odd(text: &str, table: Table) -> String {
    let unknown = common::unknown_field();
    let line = |(number, line): (usize, &str)| match (line.strip_prefix('#'), table) {
        (Some(_), _) if line.starts_with("#Fields:") => format!("{line} {unknown}\n"),
        (Some(_), _) => format!("{line}\n"),
        (None, Table::CloudfrontLogs) => format!("{}\tmore{number}\n", line.replace("\t7", "\t7x")),
        (None, _) => format!("{}{}\n", line.replace(" 7", " 7x"), " more".repeat(number % 3)),
    };
    text.lines().enumerate().map(line).collect()
}

#[test]
fn every_column_is_what_the_slow_parser_says() {
    for table in [Table::CloudfrontLogs, Table::AlbLogs] {
        let settings = Settings::of(table);
        let (mut good, mut bad) = (0, 0);
        for text in generated(table, Delivery::Classic, 4_000) {
            let odd = odd(&String::from_utf8(text).unwrap(), table);
            let rows = lines(odd.as_bytes(), &settings).into_iter().filter_map(|line| match line {
                Line::Row(values) => Some(typed(table, &values)),
                _ => None,
            });
            let (rows, refused): (Vec<_>, Vec<_>) = rows.partition(Result::is_ok);
            let mut rows: Vec<_> = rows.into_iter().map(Result::unwrap).collect();
            rows.sort();
            bad += refused.len();
            good += rows.len();
            assert_eq!(converted(odd.as_bytes(), &settings), rows);
        }
        assert!(good > 100 && bad > 100, "{good} rows and {bad} refused ones were compared");
    }
}
