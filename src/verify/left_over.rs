//! What lies around: work in progress that no record names, and claims of the dead.

use super::options::VerifyOptions;
use super::report::{FindingKind, VerifyReport};
use crate::edge::claims::Claims;
use crate::error::Result;
use crate::kernel::ledger::staging::{STAGING, StagingDir};
use crate::lake::Lake;
use crate::recovery;

/// Folders of unfinished work that no record names, and claims of the dead.
pub(super) async fn check(lake: &Lake, options: &VerifyOptions, report: &mut VerifyReport) -> Result<()> {
    for name in lake.objects.list_names(STAGING).await? {
        let about = format!("{STAGING}/{name}");
        let named = match StagingDir::parse(&name) {
            Some(StagingDir::Batch { table, unit, attempt }) => {
                let record = lake.records.unit_at(&crate::edge::ledger::unit_key_of(table, &unit)).await?;
                record.unpublished().any(|entry| entry.attempt == attempt)
            }
            Some(StagingDir::Rewrite { partition, id, .. }) => {
                let record = lake.records.partition(partition).await?;
                record.rewrite.is_some_and(|open| open.folder == about)
                    || recovery::batch_on_its_way(lake, &id).await?.is_some()
            }
            Some(StagingDir::Written { .. }) | None => false,
        };
        if named {
            continue;
        }
        if recovery::is_orphan(lake, &name, options.orphan_age).await? {
            report.find(FindingKind::LeftOver, about);
        } else {
            report.notes.push(about);
        }
    }
    let claims = Claims::new(lake.objects.clone(), options.lease);
    report.dead_claims = claims.dead().await?;
    Ok(())
}
