//! The order of a verification: check, mend where that is wished, check again.

use super::options::VerifyOptions;
use super::report::VerifyReport;
use super::{commands, files, fix, left_over, people, units};
use crate::error::Result;
use crate::lake::Lake;
use crate::model::Table;

/// Checks, mends where that is wished, and checks again.
pub async fn verify(lake: &Lake, options: &VerifyOptions) -> Result<VerifyReport> {
    let mut report = check(lake, options).await?;
    if options.fix && !(report.findings.is_empty() && report.dead_claims.is_empty()) {
        let mended = fix::mend(lake, options, &report).await?;
        report = check(lake, options).await?;
        report.mended = mended;
    }
    report.commands = commands::of_lost(lake, options, &report).await?;
    report.reprocess = report.commands.first().and_then(|first| first.strip_prefix("edgemill ")).map(str::to_owned);
    Ok(report)
}

async fn check(lake: &Lake, options: &VerifyOptions) -> Result<VerifyReport> {
    let mut report = VerifyReport { hours: options.hours.map(|hours| hours.to_string()), ..VerifyReport::default() };
    let expected = units::check_units(lake, options, &mut report).await?;
    for table in Table::ALL {
        files::check_table(lake, table, options, &expected, &mut report).await?;
    }
    left_over::check(lake, options, &mut report).await?;
    people::check_people(lake, &expected.people, &options.said, &mut report).await?;
    Ok(report)
}
