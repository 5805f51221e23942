//! What logs and counters are told when a run has ended.

use super::output::Metrics;
use super::show;
use crate::edge::clock::now_unix_seconds;
use crate::error::Result;
use crate::job::Job;
use crate::metrics;
use crate::pipeline;
use crate::pipeline::Summary;
use crate::stats::RunLine;

/// Tells logs and counters of a run that has ended.
pub(super) async fn tell(verb: &str, job: &Job, summary: &Summary, metrics: Option<Metrics>) -> Result<()> {
    summary.stats.log_run(&RunLine {
        verb,
        lake: &job.to,
        source: &job.from,
        first_left_alone: summary.first_left_alone.as_deref(),
        nothing_matched: summary.nothing_matched.as_deref(),
        rows_that_keep_more: summary.rows_that_keep_more,
        duration_seconds: summary.elapsed_seconds,
        exit_code: summary.exit_code(),
    });
    if metrics == Some(Metrics::Emf) {
        let now = now_unix_seconds();
        let freshness_seconds = pipeline::freshness_seconds(job, now).await?;
        show::aside(&metrics::line(&job.to, summary, freshness_seconds, now).to_string());
    }
    Ok(())
}
