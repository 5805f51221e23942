//! Each kernel stage in bytes of raw log a second, on one thread. `cargo bench --bench kernel`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::sync::LazyLock;

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use edgemill::generate;
use edgemill::kernel::columns::builder::{BatchBuilder, HourBatch};
use edgemill::kernel::columns::convert::{RawObject, convert_chunk};
use edgemill::kernel::columns::encode::{CodedText, ColumnValues, FileEncoder};
use edgemill::kernel::columns::sort::{Gathered, gather, order};
use edgemill::kernel::policy::enrich::{Additions, Agents, Enricher, Escapes};
use edgemill::kernel::policy::recipe::{Fingerprint, Recipe};
use edgemill::kernel::schema::{Coding, columns};
use edgemill::kernel::source::inflate;
use edgemill::kernel::source::inflate::{Inflater, Whole, stream};
use edgemill::kernel::source::names;
use edgemill::kernel::source::parse::{Block, Decoder, Reject, Settings, Sink};
use edgemill::model::{Granularity, Hour, ObjectId, Table};

fn main() {
    divan::main();
}

const TABLE: Table = Table::CloudfrontLogs;

struct Sample {
    objects: Vec<RawObject>,
    raw: Vec<Vec<u8>>,
    raw_bytes: usize,
}

/// One hour of logs, 40,000 rows, always the same.
static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("logs");
    let hours = "2026-11-21T05..2026-11-21T06".parse().unwrap();
    let spec = generate::Spec {
        out: out.clone(),
        table: Table::CloudfrontLogs,
        delivery: generate::Delivery::Classic,
        rows: 40_000,
        hours,
        distributions: 4,
        seed: 7,
        threads: 2,
    };
    generate::run(&spec, &|_| ()).unwrap();
    let mut paths: Vec<_> = std::fs::read_dir(out).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let objects: Vec<RawObject> = paths
        .iter()
        .map(|path| {
            let key = path.file_name().unwrap().to_str().unwrap().to_owned();
            let stored = std::fs::read(path).unwrap();
            RawObject {
                filename: key.as_str().into(),
                distribution: names::distribution(&key, None),
                hour: Some("2026-11-21T05".parse::<Hour>().unwrap()),
                named: true,
                id: ObjectId { key, etag: String::new(), size_bytes: stored.len() as u64 },
                stored: bytes::Bytes::from(stored).into(),
            }
        })
        .collect();
    let raw: Vec<Vec<u8>> = objects
        .iter()
        .map(|object| {
            let mut raw = Vec::new();
            assert!(
                stream(&mut object.stored.reader(0), &mut |piece| {
                    raw.extend_from_slice(piece);
                    true
                })
                .is_none()
            );
            raw
        })
        .collect();
    let raw_bytes = raw.iter().map(Vec::len).sum();
    Sample { objects, raw, raw_bytes }
});

fn over_raw<T>(bencher: Bencher<'_, '_>, work: impl FnMut() -> T) {
    bencher.counter(BytesCount::new(SAMPLE.raw_bytes)).bench_local(work);
}

#[divan::bench]
fn inflate_whole_object(bencher: Bencher<'_, '_>) {
    let mut inflater = Inflater::default();
    over_raw(bencher, || {
        SAMPLE
            .objects
            .iter()
            .map(|object| match inflater.whole(object.stored.in_memory().unwrap(), usize::MAX) {
                Whole::Bytes(raw, _) => raw.len(),
                Whole::TooLarge => 0,
            })
            .sum::<usize>()
    });
}

#[divan::bench]
fn inflate_streaming(bencher: Bencher<'_, '_>) {
    over_raw(bencher, || {
        let mut total = 0;
        for object in &SAMPLE.objects {
            stream(&mut object.stored.reader(0), &mut |piece| {
                total += piece.len();
                true
            });
        }
        total
    });
}

struct Nothing(usize);

impl Sink for Nothing {
    fn fields(&mut self, _: &[String]) {}

    fn block(&mut self, block: &Block<'_>, _: u64) {
        self.0 += block.rows();
    }

    fn reject(&mut self, _: Reject) {}
}

/// The texts of the objects of another source or delivery, 20,000 rows.
fn texts_of(table: Table, delivery: generate::Delivery) -> Vec<Vec<u8>> {
    fn files(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut found: Vec<_> =
            entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
        found.sort();
        found
    }
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("logs");
    let hours = "2026-11-21T05..2026-11-21T06".parse().unwrap();
    let spec = generate::Spec {
        out: out.clone(),
        table,
        delivery,
        rows: 20_000,
        hours,
        distributions: 4,
        seed: 7,
        threads: 2,
    };
    generate::run(&spec, &|_| ()).unwrap();
    files(&out).iter().map(|path| inflate::head(&std::fs::read(path).unwrap(), usize::MAX)).collect()
}

/// Every text format: the split alone.
#[divan::bench(args = ["cloudfront w3c", "cloudfront json", "alb", "alb json"])]
fn split_other_formats(bencher: Bencher<'_, '_>, name: &str) {
    use generate::Delivery;
    let (table, delivery) = match name {
        "cloudfront w3c" => (Table::CloudfrontLogs, Delivery::W3c),
        "cloudfront json" => (Table::CloudfrontLogs, Delivery::Json),
        "alb" => (Table::AlbLogs, Delivery::Classic),
        _ => (Table::AlbLogs, Delivery::Json),
    };
    let (texts, settings) = (texts_of(table, delivery), Settings::of(table));
    let raw_bytes: usize = texts.iter().map(Vec::len).sum();
    bencher.counter(BytesCount::new(raw_bytes)).bench_local(|| {
        let mut sink = Nothing(0);
        texts.iter().for_each(|text| {
            Decoder::new(&settings).decode(text, true, &mut sink);
        });
        assert_eq!(sink.0, 20_000);
    });
}

#[divan::bench]
fn split_lines_and_fields(bencher: Bencher<'_, '_>) {
    let settings = Settings::of(TABLE);
    over_raw(bencher, || {
        let mut sink = Nothing(0);
        SAMPLE.raw.iter().for_each(|raw| {
            Decoder::new(&settings).decode(raw, true, &mut sink);
        });
        sink.0
    });
}

fn parts(recipe: &Recipe) -> Vec<(Hour, HourBatch)> {
    let settings = Settings::of(TABLE);
    let mut rows = BatchBuilder::new(TABLE, Granularity::Hour, recipe, SAMPLE.raw_bytes as u64);
    for (object, raw) in SAMPLE.objects.iter().zip(&SAMPLE.raw) {
        rows.begin_object(&object.filename, object.distribution.as_deref());
        Decoder::new(&settings).decode(raw, true, &mut rows);
        rows.end_object();
    }
    rows.cut().unwrap()
}

#[divan::bench]
fn split_parse_enrich_and_build_columns(bencher: Bencher<'_, '_>) {
    let recipe = Recipe::plain().unwrap();
    over_raw(bencher, || parts(&recipe));
}

/// The distinct user agents of the sample, as logged.
fn agents() -> Vec<Vec<u8>> {
    let mut agents = std::collections::BTreeSet::new();
    for raw in &SAMPLE.raw {
        let rows = raw.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        agents.extend(rows.filter_map(|line| line.split(|byte| *byte == b'\t').nth(10)).map(<[u8]>::to_vec));
    }
    agents.into_iter().collect()
}

/// Distinct user agents a second, seen for the first time.
#[divan::bench]
fn look_at_new_user_agents(bencher: Bencher<'_, '_>) {
    let agents = agents();
    bencher
        .counter(ItemsCount::new(agents.len()))
        .with_inputs(|| (Enricher::new(&Additions::default()).unwrap(), Agents::new(Escapes::Percent)))
        .bench_local_refs(|(enricher, numbers)| agents.iter().map(|agent| numbers.number(agent, enricher)).max());
}

/// Rows a second whose user agents have been seen.
#[divan::bench]
fn look_at_known_user_agents(bencher: Bencher<'_, '_>) {
    let agents = agents();
    let (enricher, mut numbers) = (Enricher::new(&Additions::default()).unwrap(), Agents::new(Escapes::Percent));
    bencher
        .counter(ItemsCount::new(agents.len()))
        .bench_local(|| agents.iter().map(|agent| numbers.number(agent, &enricher)).max());
}

fn largest(recipe: &Recipe) -> Vec<HourBatch> {
    parts(recipe).into_iter().map(|(_, rows)| rows).max_by_key(|rows| rows.rows).into_iter().collect()
}

#[divan::bench]
fn sort_rows(bencher: Bencher<'_, '_>) {
    let parts = largest(&Recipe::plain().unwrap());
    over_raw(bencher, || order(TABLE, &parts));
}

#[divan::bench]
fn gather_and_encode(bencher: Bencher<'_, '_>) {
    let parts = largest(&Recipe::plain().unwrap());
    let order = order(TABLE, &parts).rows;
    over_raw(bencher, || {
        let mut file = FileEncoder::new(TABLE, &Fingerprint::default()).unwrap();
        let tasks = file.row_group().unwrap().into_iter().enumerate();
        let encoded = tasks.map(|(column, task)| {
            let gathered = gather(&parts, &order, column, task.field().data_type()).unwrap();
            let repeats = columns(TABLE)[column].coding == Coding::Dictionary;
            let values = match &gathered {
                Gathered::Text(text) => {
                    ColumnValues::Text(CodedText { numbers: &text.numbers, values: &text.values, repeats })
                }
                Gathered::Array(array) => ColumnValues::Array(array.clone()),
            };
            task.encode(&values).unwrap()
        });
        let encoded = encoded.collect();
        file.append(encoded).unwrap();
        file.finish().unwrap()
    });
}

#[divan::bench]
fn whole_kernel(bencher: Bencher<'_, '_>) {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let recipe = Recipe::plain().unwrap();
    over_raw(bencher, || {
        pool.install(|| {
            let mut written = 0;
            convert_chunk(&Settings::of(TABLE), &recipe, &SAMPLE.objects, &mut |file| {
                written += file.bytes.len();
                Ok(())
            })
            .unwrap();
            written
        })
    });
}
