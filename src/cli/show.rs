//! Results as people and scripts read them.

use std::io::Write;
use std::path::Path;

use bytesize::ByteSize;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::pipeline::Summary;

/// One line to stdout. A reader that went away is told as an error, not as a panic.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(|error| Error::io("write", Path::new("stdout"), error))
}

/// One JSON object to stdout.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value).map_err(|error| Error::encode("the summary", error))?)
}

/// A conversion for people.
pub(super) fn summary(summary: &Summary, lake: &str) -> Result<()> {
    let stats = &summary.stats;
    let lines = &stats.lines;
    line(&format!(
        "{} objects converted ({} already were): {} rows from {} ({} unpacked) in {:.1} s",
        stats.converted_objects,
        stats.known_objects,
        lines.rows,
        ByteSize(stats.input_bytes),
        ByteSize(stats.raw_bytes),
        summary.elapsed_seconds,
    ))?;
    if stats.converted_objects > 0 {
        line(&format!("{} Parquet files, {}, in {lake}", stats.output_files, ByteSize(stats.output_bytes)))?;
    }
    if lines.rejected_lines > 0 {
        line(&format!(
            "{} of {} lines were rejected, they are in the table rejects:",
            lines.rejected_lines, lines.lines
        ))?;
        list(&summary.rejects)?;
    }
    if stats.damaged_objects > 0 {
        line(&format!("{} objects are damaged, what came before the damage was kept:", stats.damaged_objects))?;
        list(&summary.damaged)?;
    }
    if stats.changed_objects > 0 {
        let count = stats.changed_objects;
        line(&format!("{count} objects changed after they were converted; the lake holds their earlier rows:"))?;
        list(&summary.changed)?;
    }
    if stats.skipped_objects > 0 {
        line(&format!("{} objects are not named as logs and were left", stats.skipped_objects))?;
    }
    if stats.finished_batches > 0 {
        line(&format!("{} batches of an interrupted run were published", stats.finished_batches))?;
    }
    Ok(())
}

fn list(entries: &[String]) -> Result<()> {
    entries.iter().try_for_each(|entry| line(&format!("  {entry}")))
}
