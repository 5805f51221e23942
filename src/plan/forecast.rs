//! What there is to convert, looked up as `convert` does it.

use super::figures::{Container, Forecast};
use super::reckon::{NEIGHBOUR_FILES, reckon};
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::plan::CHUNK_STORED_BYTES;
use crate::pipeline::{Survey, UnitOutlook};
use crate::prices::Prices;
use crate::progress::distinct_hours;

/// Looks at the logs and the ledger, and reckons. Nothing is changed or made.
///
/// # Errors
/// Where `convert` would refuse the same job, as it would.
pub async fn forecast(job: Job, container: Container, prices: &Prices) -> Result<Forecast> {
    let outlook = Survey::of(job).await?.look_ahead().await?;
    let left_out = &outlook.left_out;
    let mut forecast = Forecast {
        outside_objects: left_out.outside_objects,
        filtered_objects: left_out.filtered_objects,
        excluded_objects: left_out.excluded_objects,
        other_shard_objects: left_out.other_shard_objects,
        skipped_objects: left_out.skipped_objects(),
        list_calls: outlook.source_calls.list,
        prices: format!("{}, {}", prices.region, prices.date),
        ..Forecast::default()
    };
    (forecast.nothing_matched, forecast.idle_filters) = (outlook.nothing_matched, outlook.idle_filters);
    add_units(&mut forecast, &outlook.units);
    let catalog = &outlook.catalog;
    let in_glue = catalog.registers() && catalog.database().is_some();
    reckon(&mut forecast, !outlook.keeps_own_records, in_glue, container, prices);
    Ok(forecast)
}

/// What is new of each unit.
fn add_units(forecast: &mut Forecast, units: &[UnitOutlook]) {
    let mut with_work = Vec::new();
    for UnitOutlook { unit, plan, left_alone_objects, same_content_objects } in units {
        forecast.skipped_objects += left_alone_objects;
        forecast.same_content_objects += same_content_objects;
        forecast.known_objects += plan.known_objects;
        forecast.changed_objects += plan.changed.len() as u64;
        if plan.inputs.is_empty() && plan.changed.is_empty() {
            continue;
        }
        with_work.push(unit);
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
    forecast.distinct_hours = distinct_hours(with_work.into_iter());
}
