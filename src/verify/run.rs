//! The order of a verification: check, mend where that is wished, check again.

use super::options::VerifyOptions;
use super::report::{Finding, FindingKind, VerifyReport};
use super::{files, fix, left_over, people, units};
use crate::error::Result;
use crate::lake::Lake;
use crate::model::Table;
use crate::repair;

/// Checks, mends where that is wished, and checks again.
pub async fn verify(lake: &Lake, options: &VerifyOptions) -> Result<VerifyReport> {
    let mut report = check(lake, options).await?;
    if options.fix && !report.findings.is_empty() {
        let mended = fix::mend(lake, options, &report).await?;
        report = check(lake, options).await?;
        report.mended = mended;
    }
    report.reprocess = reprocess(lake, options, &report).await?;
    Ok(report)
}

/// The command that mends what takes the raw logs, with the hours that lack something.
async fn reprocess(lake: &Lake, options: &VerifyOptions, report: &VerifyReport) -> Result<Option<String>> {
    use FindingKind::{
        ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished,
    };
    let is_about_logs = |finding: &Finding| {
        let kinds =
            [ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished];
        kinds.contains(&finding.kind)
    };
    if !report.findings.iter().any(is_about_logs) {
        return Ok(None);
    }
    let losses = match repair::losses(lake, None).await {
        Err(error) if error.is_damage() => return Ok(None),
        losses => losses?,
    };
    if !losses.any() {
        return Ok(None);
    }
    let hours = losses.hours().map_or_else(|| "--all".to_owned(), |hours| format!("--hours {hours}"));
    let from = options.from.as_deref().unwrap_or("LOGS");
    Ok(Some(format!("reprocess --lake {} --from {from} {hours}", lake.objects.url())))
}

async fn check(lake: &Lake, options: &VerifyOptions) -> Result<VerifyReport> {
    let mut report = VerifyReport { hours: options.hours.map(|hours| hours.to_string()), ..VerifyReport::default() };
    let expected = units::check_units(lake, options, &mut report).await?;
    for table in Table::ALL {
        files::check_table(lake, table, options, &expected, &mut report).await?;
    }
    left_over::check(lake, options, &mut report).await?;
    people::check_people(lake, &expected.people, &mut report).await?;
    Ok(report)
}
