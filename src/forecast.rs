//! What a conversion would do, in objects, bytes, calls, minutes and money, without doing any of
//! it.
//!
//! Objects, bytes and what is already converted are looked up as `convert` does it. The rest is
//! reckoned from what was measured: 4.2 million rows of CloudFront logs in 1,962 gzip objects of
//! 501 MB (docs/speed.md) took 11.5 CPU seconds and became 282.9 MB, of which the three queries
//! read 6.8, 11.6 and 6.3 MB.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::edge::source;
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::{CHUNK_STORED_BYTES, Naming, UnitPlan};
use crate::kernel::ledger::records::{InputName, UnitRecord, digest};
use crate::kernel::source::parse::sniff::Told;
use crate::lake::Lake;
use crate::location::Location;
use crate::model::{ObjectId, Table, UnitId};
use crate::prices::Prices;
use crate::progress::distinct_hours;

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
const NEIGHBOUR_FILES: u64 = 1;

/// Seconds of a run that pass whatever there is to convert: a container starts, places are looked
/// at.
const RUN_SECONDS: f64 = 30.0;

/// Seconds of a unit that pass waiting for the store, and units that wait at a time.
const UNIT_SECONDS: f64 = 1.5;
const UNITS_AT_A_TIME: f64 = 32.0;

/// Days of the month of queries that is reckoned.
const MONTH_DAYS: f64 = 30.0;

const READS_AT_A_TIME: usize = 16;

/// The container that it is reckoned for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Container {
    /// Virtual CPUs.
    pub vcpus: f64,
    /// Memory.
    pub memory_bytes: u64,
}

/// What a conversion would do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecast {
    /// Units in which there is something to do: hours of a table.
    pub units: u64,
    /// The different hours of these; a folder whose names tell no hour counts as one.
    pub distinct_hours: u64,
    /// Objects to convert.
    pub objects: u64,
    /// Their stored bytes.
    pub input_bytes: u64,
    /// Objects that are converted already.
    pub known_objects: u64,
    /// Objects that changed since, whose hours would be made anew.
    pub changed_objects: u64,
    /// Objects outside of the hours that are asked for.
    pub outside_objects: u64,
    /// Logs of distributions that are not asked for.
    pub filtered_objects: u64,
    /// Objects that the job excludes.
    pub excluded_objects: u64,
    /// Objects that are no logs.
    pub skipped_objects: u64,
    /// What there is instead, where what was asked for let no log through.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nothing_matched: Option<String>,
    /// The first and the last hour with something to do.
    pub hours: Option<(String, String)>,
    /// Files that it would write.
    pub output_files: u64,
    /// Their bytes, about.
    pub output_bytes: u64,
    /// LIST calls: those that were made for this forecast, and those for records of the lake.
    pub list_calls: u64,
    /// PUT and COPY calls.
    pub put_calls: u64,
    /// GET and HEAD calls.
    pub get_calls: u64,
    /// Units written to a ledger in `DynamoDB`; none where the lake keeps its own.
    pub ledger_writes: u64,
    /// Units read from it.
    pub ledger_reads: u64,
    /// Calls to Glue; none without a catalog there.
    pub catalog_calls: u64,
    /// Minutes that the container would run.
    pub minutes: f64,
    /// Dollars for S3's calls.
    pub s3_dollars: f64,
    /// Dollars for the ledger.
    pub ledger_dollars: f64,
    /// Dollars for the catalog.
    pub catalog_dollars: f64,
    /// Dollars for the container, on demand.
    pub container_dollars: f64,
    /// All of these.
    pub dollars: f64,
    /// Dollars a month for keeping the files.
    pub storage_month_dollars: f64,
    /// Dollars for a month in which the three queries (bots, bytes, viewers) are asked once a day,
    /// over raw logs like these.
    pub queries_raw_month_dollars: f64,
    /// The same over the table.
    pub queries_table_month_dollars: f64,
    /// Where and when the prices hold.
    pub prices: String,
}

/// Looks at the logs and the ledger, and reckons. Nothing is changed or made.
pub async fn forecast(job: &Job, container: Container, prices: &Prices) -> Result<Forecast> {
    let source = Objects::open_as(&Location::existing(&job.from)?, &job.cloud.source).await?;
    let lake = Lake::open_if_there(&job.to, &job.cloud.lake).await?;
    let hours = match &lake {
        Some(lake) if job.catches_up => crate::pipeline::hours(lake, source.url(), job).await?,
        _ => job.hours,
    };
    let mut naming = job.naming.clone();
    naming.unit = lake.as_ref().map_or(job.partition.unwrap_or_default(), |lake| lake.identity.unit);
    if let Some(lake) = &lake {
        naming.archives.extend(lake.archives(None).await?);
    }
    let grouped = source::list(&source, &naming, hours).await?;
    let mut forecast = Forecast {
        outside_objects: grouped.outside_objects,
        filtered_objects: grouped.filtered_objects,
        excluded_objects: grouped.excluded_objects,
        skipped_objects: grouped.skipped_objects(),
        nothing_matched: crate::pipeline::nothing_matched(hours, &grouped),
        prices: format!("{}, {}", prices.region, prices.date),
        ..Forecast::default()
    };
    let units: BTreeMap<UnitId, Vec<ObjectId>> =
        grouped.units.into_iter().filter(|(unit, _)| job.shard.takes(unit)).collect();
    plan_units(&mut forecast, (&source, &naming), lake.as_ref(), units).await?;
    forecast.list_calls = source.calls().list;
    let in_dynamodb = match &lake {
        Some(lake) => lake.identity.ledger != "lake",
        None => job.ledger.as_ref().is_some_and(|ledger| ledger.to_string() != "lake"),
    };
    let catalog = lake.map(|lake| lake.chosen).or_else(|| job.cloud.catalog.clone()).unwrap_or_default();
    reckon(&mut forecast, in_dynamodb, catalog.registers() && catalog.database().is_some(), container, prices);
    Ok(forecast)
}

/// What is new of each unit.
async fn plan_units(
    forecast: &mut Forecast,
    (source, naming): (&Objects, &Naming),
    lake: Option<&Lake>,
    units: BTreeMap<UnitId, Vec<ObjectId>>,
) -> Result<()> {
    let mut known: HashMap<UnitId, UnitRecord> = HashMap::new();
    if let Some(lake) = lake {
        for table in Table::LOGS {
            let records = lake.records.units(table, None).await?;
            known.extend(records.into_iter().map(|record| (record.unit.clone(), record)));
        }
    }
    let plans = units.into_iter().map(|(unit, listed)| {
        let record = known.remove(&unit);
        async move { Ok::<_, crate::error::Error>((plan_unit(source, lake, record, &listed).await?, unit)) }
    });
    let mut plans = std::pin::pin!(futures::stream::iter(plans).buffered(READS_AT_A_TIME));
    let mut with_work = Vec::new();
    while let Some((mut plan, unit)) = plans.try_next().await? {
        forecast.skipped_objects += leave_alone(source, naming, &mut plan).await?;
        forecast.known_objects += plan.known_objects;
        forecast.changed_objects += plan.changed.len() as u64;
        if plan.inputs.is_empty() && plan.changed.is_empty() {
            continue;
        }
        with_work.push(unit.clone());
        let input_bytes: u64 = plan.inputs.iter().map(|input| input.size_bytes).sum();
        forecast.units += 1;
        forecast.objects += plan.inputs.len() as u64;
        forecast.input_bytes += input_bytes;
        forecast.output_files += input_bytes.div_ceil(CHUNK_STORED_BYTES).max(1) + NEIGHBOUR_FILES;
        if let Some(period) = unit.period() {
            let time = period.to_string();
            let (first, last) = forecast.hours.take().unwrap_or_else(|| (time.clone(), time.clone()));
            forecast.hours = Some((first.min(time.clone()), last.max(time)));
        }
    }
    forecast.distinct_hours = distinct_hours(with_work.iter());
    Ok(())
}

/// Takes out what only its folders call a log and its first bytes do not, as a conversion would;
/// how many those are. What has a log's own name is not looked at: that would be a call for each.
async fn leave_alone(source: &Objects, naming: &Naming, plan: &mut UnitPlan) -> Result<u64> {
    let unnamed: Vec<ObjectId> =
        plan.inputs.extract_if(.., |input| !naming.is_named(source.url(), &input.key)).collect();
    let mut left_alone = 0;
    for (object, told) in source::look_into_all(source, unnamed).await? {
        match told {
            Told::Log(_) => plan.inputs.push(object),
            Told::Other(_) | Told::Nothing => left_alone += 1,
        }
    }
    plan.inputs.sort_unstable();
    Ok(left_alone)
}

async fn plan_unit(
    source: &Objects,
    lake: Option<&Lake>,
    record: Option<UnitRecord>,
    listed: &[ObjectId],
) -> Result<UnitPlan> {
    let (Some(lake), Some(record)) = (lake, record) else {
        return Ok(UnitPlan { inputs: listed.to_vec(), ..UnitPlan::default() });
    };
    if record.inputs() == digest(source.url(), listed.iter()) {
        return Ok(UnitPlan { known_objects: listed.len() as u64, ..UnitPlan::default() });
    }
    let mut known = HashMap::new();
    for entry in &record.batches {
        let manifest = manifests::read(&lake.objects, &entry.attempt).await?;
        for input in manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            known.insert(url, input.object.etag);
        }
    }
    Ok(plan::unit(source.url(), listed, &known))
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate needs no more than a double's precision, and none is negative"
)]
fn reckon(forecast: &mut Forecast, in_dynamodb: bool, in_glue: bool, container: Container, prices: &Prices) {
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
