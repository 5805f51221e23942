//! Bytes, calls, minutes and money, of what there is to convert.
//!
//! Reckoned from what was measured: 4.2 million rows of CloudFront logs in 1,962 gzip objects of
//! 501 MB (docs/speed.md) took 11.5 CPU seconds and became 282.9 MB, of which the three queries
//! read 6.8, 11.6 and 6.3 MB.

use super::figures::{Container, Forecast};
use crate::prices::Prices;

/// Of the bytes of gzip logs, those of the Parquet files made of them.
const OUTPUT_RATIO: f64 = 282.9 / 501.0;

/// Stored bytes that one core converts in a second.
const CORE_BYTES_PER_SECOND: f64 = 501e6 / 11.5;

/// Of the Parquet files, what each of the three queries reads.
const QUERY_RATIOS: [f64; 3] = [6.8 / 282.9, 11.6 / 282.9, 6.3 / 282.9];

/// A unit's calls to the lake beside those for its objects and files, to a ledger in `DynamoDB`,
/// and to Glue: counted in `tests/cloud.rs`, which fails where a run makes many more or fewer.
const UNIT_PUTS: u64 = 2;
const UNIT_GETS: u64 = 2;
const UNIT_LEDGER_WRITES: u64 = 6;
const UNIT_LEDGER_READS: u64 = 13;
const UNIT_CATALOG_CALLS: u64 = 4;

/// Of a unit whose records are objects of the lake: those that are put, got, and listed for their
/// newest version.
const UNIT_RECORD_PUTS: u64 = 4;
const UNIT_RECORD_GETS: u64 = 7;
const UNIT_RECORD_LISTS: u64 = 11;

/// What a file has besides its rows: of small ones it is most.
const FILE_BYTES: f64 = 10_000.0;

/// Files of a unit besides those of its chunks: rows that its objects have of the hour before or
/// after.
pub(super) const NEIGHBOUR_FILES: u64 = 1;

/// Seconds of a run that pass whatever there is to convert: a container starts, places are looked
/// at.
const RUN_SECONDS: f64 = 30.0;

/// Seconds of a unit that pass waiting for the store, and units that wait at a time.
const UNIT_SECONDS: f64 = 1.5;
const UNITS_AT_A_TIME: f64 = 32.0;

/// Days of the month of queries that is reckoned.
const MONTH_DAYS: f64 = 30.0;

/// Reckons what follows from objects, bytes and files that are counted already.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate needs no more than a double's precision, and none is negative"
)]
pub(super) fn reckon(forecast: &mut Forecast, in_dynamodb: bool, in_glue: bool, container: Container, prices: &Prices) {
    let input_bytes = forecast.input_bytes as f64;
    forecast.output_bytes = (input_bytes * OUTPUT_RATIO + forecast.output_files as f64 * FILE_BYTES) as u64;
    // Each file is written aside and copied into its place.
    forecast.put_calls = 2 * forecast.output_files + UNIT_PUTS * forecast.units;
    forecast.get_calls = forecast.objects + UNIT_GETS * forecast.units;
    let (writes, reads) = (UNIT_LEDGER_WRITES * forecast.units, UNIT_LEDGER_READS * forecast.units);
    if in_dynamodb {
        (forecast.ledger_writes, forecast.ledger_reads) = (writes, reads);
    } else {
        forecast.put_calls += UNIT_RECORD_PUTS * forecast.units;
        forecast.get_calls += UNIT_RECORD_GETS * forecast.units;
        forecast.list_calls += UNIT_RECORD_LISTS * forecast.units;
    }
    forecast.catalog_calls = if in_glue { UNIT_CATALOG_CALLS * forecast.units } else { 0 };
    let work = input_bytes / CORE_BYTES_PER_SECOND / container.vcpus;
    let waits = forecast.units as f64 * UNIT_SECONDS / UNITS_AT_A_TIME;
    forecast.minutes = (RUN_SECONDS + work.max(waits)) / 60.0;
    forecast.s3_dollars = prices.s3(forecast.put_calls + forecast.list_calls, forecast.get_calls);
    forecast.ledger_dollars = prices.ledger(forecast.ledger_writes, forecast.ledger_reads);
    forecast.catalog_dollars = prices.catalog(forecast.catalog_calls);
    // A container is paid for a minute at least.
    forecast.container_dollars = prices.container(container.vcpus, container.memory_bytes, forecast.minutes.max(1.0));
    forecast.dollars =
        forecast.s3_dollars + forecast.ledger_dollars + forecast.catalog_dollars + forecast.container_dollars;
    forecast.storage_month_dollars = prices.month(forecast.output_bytes);
    let read = |ratio: &f64| prices.scan((forecast.output_bytes as f64 * ratio) as u64);
    forecast.queries_table_month_dollars = MONTH_DAYS * QUERY_RATIOS.iter().map(read).sum::<f64>();
    forecast.queries_raw_month_dollars = MONTH_DAYS * 3.0 * prices.scan(forecast.input_bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terabyte_is_reckoned() {
        let mut forecast =
            Forecast { units: 720, objects: 1_000_000, input_bytes: 1_000_000_000_000, ..Forecast::default() };
        forecast.output_files = 40_000;
        let container = Container { vcpus: 4.0, memory_bytes: 8_000_000_000 };
        reckon(&mut forecast, true, true, container, &Prices::of(None).unwrap());
        assert!((forecast.queries_raw_month_dollars - 450.0).abs() < 0.01, "three queries a day at $5 each");
        assert!(forecast.queries_table_month_dollars < forecast.queries_raw_month_dollars / 15.0);
        // 23,000 core seconds on four.
        assert!((forecast.minutes - 96.0).abs() < 2.0, "{}", forecast.minutes);
        assert!((forecast.s3_dollars - 0.81).abs() < 0.05, "{}", forecast.s3_dollars);
        assert!((forecast.container_dollars - 0.317).abs() < 0.02, "{}", forecast.container_dollars);
        let sum = forecast.s3_dollars + forecast.ledger_dollars + forecast.catalog_dollars + forecast.container_dollars;
        assert!((forecast.dollars - sum).abs() < 1e-9);
    }
}
