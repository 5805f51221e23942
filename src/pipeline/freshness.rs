//! How fresh a lake is.

use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::records::{BatchEntry, UnitRecord};
use crate::lake::Lake;
use crate::model::{Hour, HourRange, Table};

/// Hours that are looked at, at first; where there is nothing in them, all.
const RECENT_HOURS: i64 = 48;

/// How long ago the newest hour ended of which the job's lake has converted anything; nothing where
/// it has none, or is not there. `now` is in seconds since 1970.
pub async fn freshness_seconds(job: &Job, now: i64) -> Result<Option<u64>> {
    let Some(lake) = Lake::open_if_there(&job.to, &job.cloud.lake).await? else { return Ok(None) };
    let this = Hour::of_unix_seconds(now);
    let recent = HourRange { start: this.plus(-RECENT_HOURS), end: this.plus(1) };
    let newest = match newest(&lake, Some(recent)).await? {
        Some(hour) => Some(hour),
        None => newest(&lake, None).await?,
    };
    let ended = newest.map(|hour| now - hour.plus(1).start_unix_seconds());
    Ok(ended.map(|seconds| u64::try_from(seconds).unwrap_or(0)))
}

/// The last hour of which a unit has anything.
fn last_hour(record: &UnitRecord) -> Option<Hour> {
    let of = |entry: &BatchEntry| entry.hours.or_else(|| record.unit.hours()).map(|hours| hours.end.plus(-1));
    record.batches.iter().filter_map(of).max()
}

async fn newest(lake: &Lake, hours: Option<HourRange>) -> Result<Option<Hour>> {
    let mut newest = None;
    for table in Table::LOGS {
        let records = lake.records.units(table, hours).await?;
        newest = newest.max(records.iter().filter_map(last_hour).max());
    }
    Ok(newest)
}
