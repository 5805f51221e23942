//! What lies around, and the mending of what can be mended. Each mend can be repeated.

use std::collections::{BTreeMap, BTreeSet};

use object_store::path::Path;

use super::{Kind, Report};
use crate::edge::claims::{Claims, LEASE};
use crate::error::Result;
use crate::kernel::ledger::protocol::Wait;
use crate::kernel::ledger::staging::{STAGING, StagingDir};
use crate::lake::Lake;
use crate::model::Table;
use crate::protocol_driver;
use crate::recovery;
use crate::recovery::ORPHAN_AGE;
use crate::repair;
use crate::repair::Losses;

/// Folders of unfinished work that no record names, and claims of the dead.
pub(super) async fn look_around(lake: &Lake, report: &mut Report) -> Result<()> {
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
        if recovery::is_orphan(lake, &name, ORPHAN_AGE).await? {
            report.find(Kind::LeftOver, about);
        } else {
            report.notes.push(about);
        }
    }
    let claims = Claims::new(lake.objects.clone(), LEASE);
    for claim in claims.dead().await? {
        report.find(Kind::DeadClaim, claim);
    }
    Ok(())
}

/// Mends what can be mended; what that was.
pub(super) async fn mend(lake: &Lake, report: &Report) -> Result<Vec<String>> {
    let mut mended = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            mended.push(format!("{count} {what}"));
        }
    };
    let claims = Claims::new(lake.objects.clone(), LEASE);
    say(claims.clear_dead().await?, "claims of dead processes removed");
    let (tidied, closed) = recovery::recover_fully(lake, &claims, ORPHAN_AGE).await?;
    say(tidied.batches, "batches published");
    say(closed, "rewrites closed");
    say(tidied.orphans, "left-over folders cleared");
    let mut batches = 0;
    for table in Table::LOGS {
        for record in lake.records.each_unit(table).await?.into_iter().flatten() {
            batches += match protocol_driver::finish_unit(lake, &record).await {
                Err(error) if error.is_damage() => {
                    tracing::warn!("{}: not published: {error}", record.unit);
                    0
                }
                finished => finished?,
            };
        }
    }
    say(batches, "batches published");
    let losses = match repair::mend(lake, None, LEASE).await {
        // What cannot be read is told by the findings; nothing else can be told from it.
        Err(error) if error.is_damage() => Losses::default(),
        losses => losses?,
    };
    let mut open = Vec::new();
    for table in Table::ALL {
        let records = lake.records.each_partition(table, None).await?.into_iter().flatten();
        open.extend(records.filter(|record| record.rewrite.is_some()).map(|record| record.partition));
    }
    say(recovery::settle_others(lake, &open).await?, "rewrites closed");
    say(register(lake).await?, "partitions registered");
    say(delete_unnamed(lake, report).await?, "files deleted that nothing names");
    mended.extend(losses.mended);
    Ok(mended)
}

/// Lets the catalog know of every partition that it has not, or has elsewhere.
async fn register(lake: &Lake) -> Result<u64> {
    let Some(catalog) = &lake.catalog else { return Ok(0) };
    let mut registered = 0;
    for table in Table::ALL {
        for record in lake.records.each_partition(table, None).await?.into_iter().flatten() {
            if record.rewrite.is_some() || record.parts.is_empty() {
                continue;
            }
            if catalog.folder(record.partition).await?.as_ref() != Some(&record.folder) {
                protocol_driver::register(lake, record.partition).await?;
                registered += 1;
            }
        }
    }
    Ok(registered)
}

/// Deletes files in tables' folders that nothing names and nothing will: files of edgemill's own
/// names, in partitions whose records are sound, that are no batch's which counts, unless it was
/// applied there and its file replaced since, and that hold no row which is not in the lake
/// otherwise. A batch that is committed from now on has another name, so what is unnamed now stays
/// unnamed.
async fn delete_unnamed(lake: &Lake, report: &Report) -> Result<u64> {
    let found = report.findings.iter().filter(|finding| finding.kind == Kind::UnnamedFile);
    let found: Vec<&str> = found.map(|finding| finding.about.as_str()).collect();
    if found.is_empty() {
        return Ok(0);
    }
    // A copy that was under way when we looked has arrived by then.
    tokio::time::sleep(lake.delay(Wait::MaxCallDelay)).await;
    // By the names that their files begin with.
    let (mut on_their_way, mut published) = (BTreeSet::new(), BTreeMap::new());
    for table in Table::LOGS {
        // A unit that cannot be read may name any of them.
        for record in lake.records.each_unit(table).await? {
            let Ok(record) = record else { return Ok(0) };
            on_their_way.extend(record.unpublished().map(|entry| format!("{}-", entry.batch.0)));
            let batches = record.batches.iter().map(|entry| (format!("{}-", entry.batch.0), entry.batch.clone()));
            published.extend(batches.map(|(start, batch)| (start, (record.unit.clone(), batch))));
        }
    }
    let mut deleted = 0;
    for path in found {
        let Some((partition, name)) = repair::placed(path) else { continue };
        let Ok(record) = lake.records.partition(partition).await else { continue };
        let named = record.files().any(|file| file.name == name);
        let coming = on_their_way.iter().any(|start: &String| name.starts_with(start));
        let counts = published.iter().find(|(start, _)| name.starts_with(*start));
        // The record may have lost what it had: then this file is all that is left of the batch's
        // rows here.
        let lost = counts.is_some_and(|(_, (unit, batch))| !record.has_applied(unit, batch));
        if named || coming || lost || record.rewrite.is_some() || record.version == 0 {
            continue;
        }
        // Where records were lost, it may hold rows that nothing else holds.
        if record.lost().next().is_some() || !repair::is_spare(lake, &record, path).await? {
            continue;
        }
        let path = Path::from(path);
        deleted += u64::from(lake.objects.size(&path).await?.is_some());
        lake.objects.delete(&path).await?;
    }
    Ok(deleted)
}
