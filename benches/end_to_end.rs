//! A day of logs to a lake, listing, ledger and disk included, in bytes of raw log a second.
//! `cargo bench --bench end_to_end`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use divan::Bencher;
use divan::counter::BytesCount;
use edgemill::generate;
use edgemill::job::{Job, Typed};
use edgemill::model::Table;
use edgemill::pipeline;

fn main() {
    divan::main();
}

#[divan::bench(sample_count = 5, sample_size = 1, args = [1, 2])]
fn convert(bencher: Bencher<'_, '_>, threads: usize) {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let hours = "2026-11-21T00..2026-11-22T00".parse().unwrap();
    let spec = generate::Spec {
        out: logs.clone(),
        table: Table::CloudfrontLogs,
        delivery: generate::Delivery::Classic,
        rows: 400_000,
        hours,
        distributions: 4,
        seed: 7,
        threads: 2,
    };
    let report = generate::run(&spec, &|_| ()).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let text = |path: &std::path::Path| path.display().to_string();
    let fresh = || {
        let _ = std::fs::remove_dir_all(&lake);
        let typed =
            Typed { from: Some(text(&logs)), to: Some(text(&lake)), threads: Some(threads), ..Typed::default() };
        Job::new(typed, 0).unwrap()
    };
    let raw_bytes = usize::try_from(report.raw_bytes).unwrap();
    bencher.counter(BytesCount::new(raw_bytes)).with_inputs(fresh).bench_local_values(|job| {
        assert_eq!(runtime.block_on(pipeline::convert(job)).unwrap().stats.lines.rows, 400_000);
    });
}
