//! The hours that the names of a unit's objects tell, and which of these came late.

use super::context::RunContext;
use super::summary::Summary;
use crate::edge::clock;
use crate::kernel::ledger::plan::path;
use crate::kernel::ledger::records::{Manifest, ManifestInput, UnitRecord};
use crate::kernel::source::names;
use crate::model::{Granularity, Hour, HourRange, ObjectId, UnitId};
use crate::stats::count;

/// Says which hour's objects came when others of it had been converted already, and how late that
/// is.
pub(super) fn note_lateness(context: &RunContext, summary: &mut Summary, before: &UnitRecord, manifest: &Manifest) {
    if before.batches.is_empty() || before.unit.period().is_none() {
        return;
    }
    // Of a unit of many hours, up to where its batches come is what had been converted.
    let known_until = before.batches.iter().filter_map(|entry| entry.hours).map(|hours| hours.end).max();
    let hour = |input: &ManifestInput| name_hour(context, &before.unit, &input.object);
    // A copy of an object has its rows there already: it is told as a copy.
    let converted = manifest.inputs.iter().filter(|input| input.same_as.is_none());
    let late = converted.filter_map(hour).filter(|hour| known_until.is_none_or(|end| *hour < end));
    let (mut objects, mut first) = (0_u64, None::<Hour>);
    for hour in late {
        objects += 1;
        first = Some(first.map_or(hour, |first| first.min(hour)));
    }
    let Some(first) = first else { return };
    summary.stats.late_objects += objects;
    let now = clock::now_unix_seconds();
    let lateness_seconds = u64::try_from(now - first.plus(1).start_unix_seconds()).unwrap_or(0);
    summary.stats.lateness_seconds = summary.stats.lateness_seconds.max(lateness_seconds);
    let hours = Hour::of_unix_seconds(now).hours_since(first.plus(1));
    summary.late.push(format!("{}: {}, {hours} h after its end", before.unit, count(objects, "object")));
}

/// The hour that an object's name tells; of a unit of one hour, that hour.
pub(super) fn name_hour(context: &RunContext, unit: &UnitId, object: &ObjectId) -> Option<Hour> {
    let period = unit.period()?;
    if period.granularity() == Granularity::Hour {
        return Some(period.hours().start);
    }
    let hour = names::hour(&path(context.source.url(), &object.key), context.job.naming.layout.as_ref());
    hour.or_else(|| Some(period.hours().start))
}

/// The hours that the names of some inputs of a unit of many hours tell; nothing for a unit of one.
pub(super) fn name_hours(context: &RunContext, unit: &UnitId, inputs: &[ManifestInput]) -> Option<HourRange> {
    unit.period().filter(|period| period.granularity() != Granularity::Hour)?;
    let hours = inputs.iter().filter_map(|input| name_hour(context, unit, &input.object));
    hours.map(|hour| HourRange { start: hour, end: hour.plus(1) }).reduce(|all, hour| all.join(hour))
}
