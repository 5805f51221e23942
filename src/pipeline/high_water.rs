//! How far a series of runs has come: `--last` counts back from the end of the last complete run,
//! so that an outage of any length is caught up.

use serde::{Deserialize, Serialize};

use super::context::RunContext;
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::records::short_hash;
use crate::lake::Lake;
use crate::model::{Hour, HourRange};

/// When the last run of a source ended that had everything its hours held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LastRun {
    /// The end of its hours.
    until: Hour,
}

fn last_run_key(source: &str, job: &Job) -> String {
    let told = format!("{:?} {:?} {:?}", job.naming.table, job.naming.layout, job.shard);
    format!("runs/{}", short_hash([source, &told].into_iter()))
}

/// The hours to look at: those that are asked for, and where a fixed time back is asked for, as
/// much before the end of the last complete run, so that an outage of any length is caught up.
pub(super) async fn hours(lake: &Lake, source: &str, job: &Job) -> Result<Option<HourRange>> {
    let (Some(hours), true) = (job.hours, job.catches_up) else { return Ok(job.hours) };
    let last: Option<(u64, LastRun)> = lake.records.note(&last_run_key(source, job)).await?;
    let Some((_, last)) = last else { return Ok(Some(hours)) };
    let back = hours.end.hours_since(hours.start);
    Ok(Some(HourRange { start: hours.start.min(last.until.plus(-back)), end: hours.end }))
}

/// Notes that everything up to the end of the run's hours was looked at. Only a run that counts
/// back from now is one of a series.
pub(super) async fn note_end(context: &RunContext) -> Result<()> {
    let (Some(hours), true) = (context.job.hours, context.job.catches_up) else { return Ok(()) };
    let key = last_run_key(context.source.url(), &context.job);
    loop {
        let before: Option<(u64, LastRun)> = context.lake.records.note(&key).await?;
        let version = match before {
            Some((_, last)) if last.until >= hours.end => return Ok(()),
            Some((version, _)) => version,
            None => 0,
        };
        let next = LastRun { until: hours.end };
        if context.lake.records.swap_note(&key, version + 1, &next).await? == CasOutcome::Committed {
            return Ok(());
        }
    }
}
