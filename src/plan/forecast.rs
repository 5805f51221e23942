//! What there is to convert, looked up as `convert` does it.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};

use super::figures::{Container, Forecast};
use super::reckon::{NEIGHBOUR_FILES, reckon};
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

const READS_AT_A_TIME: usize = 16;

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
