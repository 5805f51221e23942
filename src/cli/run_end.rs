//! What logs and counters are told when a run has ended.

use super::output::Metrics;
use super::show;
use crate::edge::clock::now_unix_seconds;
use crate::error::Result;
use crate::job::Job;
use crate::metrics;
use crate::pipeline;
use crate::pipeline::{RUN_TARGET, Summary};

/// Tells logs and counters of a run that has ended.
pub(super) async fn tell(verb: &str, job: &Job, summary: &Summary, metrics: Option<Metrics>) -> Result<()> {
    let stats = &summary.stats;
    tracing::info!(
        target: RUN_TARGET,
        verb,
        lake = job.to,
        source = job.from,
        hours = stats.units,
        listed_objects = stats.listed_objects,
        converted_objects = stats.converted_objects,
        known_objects = stats.known_objects,
        late_objects = stats.late_objects,
        lateness_seconds = stats.lateness_seconds,
        archived_objects = stats.archived_objects,
        left_alone_objects = stats.skipped_objects,
        first_left_alone = summary.first_left_alone,
        outside_objects = stats.outside_objects,
        filtered_objects = stats.filtered_objects,
        excluded_objects = stats.excluded_objects,
        nothing_matched = summary.nothing_matched,
        damaged_objects = stats.damaged_objects,
        unread_objects = stats.unread_objects,
        rows = stats.lines.rows,
        rejected_lines = stats.lines.rejected_lines,
        input_bytes = stats.input_bytes,
        output_files = stats.output_files,
        output_bytes = stats.output_bytes,
        rows_that_keep_more = summary.rows_that_keep_more,
        duration_seconds = summary.elapsed_seconds,
        exit_code = summary.exit_code(),
        "run ended"
    );
    if metrics == Some(Metrics::Emf) {
        let now = now_unix_seconds();
        let freshness_seconds = pipeline::freshness_seconds(job, now).await?;
        show::aside(&metrics::line(&job.to, summary, freshness_seconds, now).to_string());
    }
    Ok(())
}
