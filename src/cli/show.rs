//! Results as people and scripts read them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::pipeline::Summary;
use crate::stats::{count, either};
use crate::verify::VerifyReport;

/// One line to stdout. A reader that went away is told as an error, not as a panic.
pub(super) fn line(text: &str) -> Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").map_err(|error| Error::io("write", Path::new("stdout"), error))
}

/// A line for people beside the result.
pub(super) fn aside(text: &str) {
    // A closed stderr is nobody's loss.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// One JSON object to stdout.
pub(super) fn json(value: &impl Serialize) -> Result<()> {
    line(&serde_json::to_string(value).map_err(|error| Error::encode("the summary", error))?)
}

/// Fields that are told by name.
const NAMED_FIELDS: usize = 10;

/// A conversion for people.
pub(super) fn summary(summary: &Summary, lake: &str) -> Result<()> {
    let stats = &summary.stats;
    let lines = &stats.lines;
    line(&format!(
        "{} converted ({} already were): {} from {} ({} unpacked) in {:.1} s",
        count(stats.converted_objects, "object"),
        stats.known_objects,
        count(lines.rows, "row"),
        ByteSize(stats.input_bytes),
        ByteSize(stats.raw_bytes),
        summary.elapsed_seconds,
    ))?;
    if stats.converted_objects > 0 {
        let files = count(stats.output_files, "Parquet file");
        line(&format!("{files}, {}, in {lake}", ByteSize(stats.output_bytes)))?;
    }
    if !summary.found.is_empty() {
        line(&format!("found: {}", counted(&summary.found)))?;
    }
    if !summary.new_fields.is_empty() {
        let names: Vec<&str> = summary.new_fields.keys().map(String::as_str).collect();
        let more = names.len().saturating_sub(NAMED_FIELDS);
        line(&format!(
            "{} that this version does not know, kept in the column extra: {}{}",
            count(names.len() as u64, "field"),
            names[..names.len() - more].join(", "),
            if more > 0 { format!(" and {more} more") } else { String::new() }
        ))?;
    }
    if lines.rejected_lines > 0 {
        let (rejected, all) = (lines.rejected_lines, count(lines.lines, "line"));
        line(&format!("rejected: {rejected} of {all}, kept in the table rejects:"))?;
        list(&summary.rejects)?;
    }
    if stats.changed_objects > 0 {
        let changed = count(stats.changed_objects, "object");
        let replaced = stats.replaced_objects;
        let became = if replaced >= stats.changed_objects {
            either(stats.changed_objects, "its rows were replaced", "their rows were replaced").to_owned()
        } else {
            format!("the rows of {replaced} were replaced, of the others the lake holds the earlier ones")
        };
        line(&format!("{changed} changed after conversion; {became}:"))?;
        list(&summary.changed)?;
    }
    summary.mended.iter().try_for_each(|mended| line(&format!("mended: {mended}")))?;
    if summary.rebuilt_units > 0 {
        line(&format!("{} brought back of which rows or records were lost", count(summary.rebuilt_units, "hour")))?;
    }
    if !summary.also.is_empty() {
        line("among them hours that were not asked for, since rows of theirs were lost beside those that were:")?;
        list(&summary.also)?;
    }
    if !summary.gone.is_empty() {
        line("hours that stay as they were, since raw logs of theirs are gone:")?;
        list(&summary.gone)?;
    }
    if !summary.unseen.is_empty() {
        line("partitions whose records are gone, so that no query sees their rows:")?;
        list(&summary.unseen)?;
    }
    let compacted = &summary.compacted;
    if compacted.compacted_partitions > 0 {
        let (before, after) = (compacted.replaced_files, compacted.output_files);
        let before = count(before, "file");
        line(&format!("{} compacted: {before} to {after}", count(compacted.compacted_partitions, "partition")))?;
    }
    left_out(summary)?;
    for (told, examples) in summary.told() {
        line(&told)?;
        list(examples)?;
    }
    keep_more(summary.rows_that_keep_more, summary.hours_that_keep_more, &summary.mending)
}

/// Rows that hold more of people than the lake keeps by now, and the commands that mend them.
pub(super) fn keep_more(rows: u64, hours: u64, mending: &[String]) -> Result<()> {
    if rows == 0 {
        return Ok(());
    }
    line(&format!(
        "{} of {} {} made before; written anew from {} by:",
        count(rows, "row"),
        count(hours, "hour"),
        either(
            rows,
            "holds more of people than the lake keeps now, since it was",
            "hold more of people than the lake keeps now, since they were"
        ),
        either(rows, "its log", "their logs"),
    ))?;
    list(mending)
}

/// What was listed and not converted.
fn left_out(summary: &Summary) -> Result<()> {
    let stats = &summary.stats;
    if stats.skipped_objects > 0 {
        let first = summary.first_left_alone.as_ref().map_or_else(String::new, |first| format!("; first: '{first}'"));
        line(&format!("left alone: {}{first}", counted(&summary.left_alone)))?;
    }
    if let Some(what) = &summary.nothing_matched {
        line(what)?;
    }
    summary.idle_filters.iter().try_for_each(|what| line(what))
}

/// Findings that are told.
const TOLD_FINDINGS: usize = 20;

/// A verification for people.
pub(super) fn verified(report: &VerifyReport, orphan_age: Duration) -> Result<()> {
    line(&format!(
        "{} in {}, {} in {}: {} of {}, {} rejected",
        count(report.objects, "object"),
        count(report.units, "unit"),
        count(report.files, "file"),
        count(report.partitions, "partition"),
        count(report.rows, "row"),
        count(report.lines, "line"),
        report.rejected_lines,
    ))?;
    for finding in report.findings.iter().take(TOLD_FINDINGS) {
        line(&format!("  {}: {}", finding.kind, finding.about))?;
    }
    if report.findings.len() > TOLD_FINDINGS {
        line(&format!("  and {} more", report.findings.len() - TOLD_FINDINGS))?;
    }
    for mended in &report.mended {
        line(&format!("  mended: {mended}"))?;
    }
    if !report.notes.is_empty() {
        let notes = count(report.notes.len() as u64, "folder");
        line(&format!(
            "{notes} of unfinished work, which no reader sees: of a live run, or of a dead one, and cleared once nobody \
             has touched it for {} (--orphan-age)",
            humantime::format_duration(orphan_age)
        ))?;
    }
    if report.taken_over_objects > 0 {
        let objects = count(report.taken_over_objects, "object");
        line(&format!(
            "{objects} not there when the hour was brought back, of which only the rows that were left are kept"
        ))?;
    }
    if !report.dead_claims.is_empty() {
        let claims = report.dead_claims.len() as u64;
        let (claims, are) = (count(claims, "claim"), either(claims, "a dead process, which", "dead processes, which"));
        line(&format!("{claims} of {are} nothing heeds: the next run clears it"))?;
    }
    if report.same_content_objects > 0 {
        let same = count(report.same_content_objects, "object");
        line(&format!("{same} with the bytes of another under another key, whose rows are there once"))?;
    }
    if report.listed_objects > 0 {
        let listed = count(report.listed_objects, "raw object");
        let others = [
            (report.left_alone_objects, "left alone"),
            (report.excluded_objects, "excluded"),
            (report.filtered_objects, "of other distributions"),
        ];
        let others =
            others.iter().filter(|(objects, _)| *objects > 0).map(|(objects, what)| format!(", {objects} {what}"));
        line(&format!("{listed} listed and compared{}", others.collect::<String>()))?;
    }
    if !report.findings.is_empty() {
        line(
            "not everything agrees. --fix publishes, registers, closes and clears what was left, and makes lost records of what is \
             left; convert takes what is not converted or has changed; reprocess writes anew what is missing, damaged or differs",
        )?;
        return report.commands.iter().try_for_each(|command| line(&format!("with the raw logs: {command}")));
    }
    report.nothing_matched.iter().chain(&report.idle_filters).try_for_each(|what| line(what))?;
    if report.units == 0 && !report.nothing_matched.is_empty() {
        return line("so there was nothing to verify");
    }
    verdict(report)
}

/// What is proven where nothing was found.
fn verdict(report: &VerifyReport) -> Result<()> {
    let hours = report.hours.as_ref().map_or_else(String::new, |hours| format!(" of {hours}"));
    line(&match report.listed_objects {
        0 => format!(
            "every row of every object{hours} that the lake took is in the table exactly once (no logs were compared)"
        ),
        _ => format!("every row of every listed object{hours} is in the table exactly once"),
    })?;
    if report.twice_taken_objects == 0 {
        return Ok(());
    }
    line(&format!(
        "but {} with the bytes of another object, whose rows are there too: {} more for the same requests (--same-content take)",
        count(report.twice_taken_objects, "object"),
        count(report.twice_taken_rows, "row"),
    ))
}

/// `3 of this, 1 of that`.
fn counted(counts: &BTreeMap<&'static str, u64>) -> String {
    counts.iter().map(|(what, objects)| format!("{objects} ({what})")).collect::<Vec<_>>().join(", ")
}

/// `1,500,000`.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn list(entries: &[String]) -> Result<()> {
    entries.iter().try_for_each(|entry| line(&format!("  {entry}")))
}
