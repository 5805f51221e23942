//! Mends what can be mended. Each mend can be repeated.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use super::options::VerifyOptions;
use super::people;
use super::report::{FindingKind, VerifyReport};
use crate::edge::catalog::{Catalog, CatalogEntry};
use crate::edge::claims::Claims;
use crate::edge::clock;
use crate::error::Result;
use crate::kernel::ledger::protocol::Wait;
use crate::lake::Lake;
use crate::model::{Partition, Table};
use crate::protocol_driver;
use crate::recovery;
use crate::repair;
use crate::repair::Losses;

/// Partitions withdrawn at a time: one call to the catalog takes up to 100 of a table.
const WITHDRAWN_AT_A_TIME: usize = 128;

/// Mends what can be mended; what that was.
pub(super) async fn mend(lake: &Lake, options: &VerifyOptions, report: &VerifyReport) -> Result<Vec<String>> {
    let mut mended = Vec::new();
    let mut say = |count: u64, one: &str, many: &str, done: &str| mended.extend(repair::told(count, one, many, done));
    let claims = Claims::new(lake.objects.clone(), options.lease);
    say(claims.clear_dead().await?, "claim of a dead process", "claims of dead processes", "removed");
    let (tidied, closed) = recovery::recover_fully(lake, &claims, options.orphan_age).await?;
    say(tidied.batches, "batch", "batches", "published");
    say(closed, "rewrite", "rewrites", "closed");
    say(tidied.orphans, "left-over folder", "left-over folders", "cleared");
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
    say(batches, "batch", "batches", "published");
    let losses = match repair::mend(lake, None, options.lease).await {
        // What cannot be read is told by the findings; nothing else can be told from it.
        Err(error) if error.is_damage() => Losses::default(),
        losses => losses?,
    };
    let mut open = Vec::new();
    for table in Table::ALL {
        let records = lake.records.each_partition(table, None).await?.into_iter().flatten();
        open.extend(records.filter(|record| record.rewrite.is_some()).map(|record| record.partition));
    }
    say(recovery::settle_others(lake, &open).await?, "rewrite", "rewrites", "closed");
    say(register(lake).await?, "partition", "partitions", "registered");
    say(withdraw(lake, report).await?, "partition", "partitions", "withdrawn from the catalog");
    say(delete_unnamed(lake, report).await?, "file that nothing names", "files that nothing names", "deleted");
    let remembered = people::remember(lake).await?;
    mended.extend(repair::told(remembered, "table", "tables", "of which what is kept of people is remembered again"));
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
            if catalog.shown(record.partition).await?.as_ref() != Some(&record.folder) {
                protocol_driver::register(lake, record.partition).await?;
                registered += 1;
            }
        }
    }
    Ok(registered)
}

/// Withdraws partitions that the catalog has and the ledger has not, where no file is left that an
/// engine could read.
async fn withdraw(lake: &Lake, report: &VerifyReport) -> Result<u64> {
    let Some(catalog) = &lake.catalog else { return Ok(0) };
    if !report.findings.iter().any(|finding| finding.kind == FindingKind::Unregistered) {
        return Ok(0);
    }
    let mut withdrawn = 0;
    for table in Table::ALL {
        let records = lake.records.each_partition(table, None).await?.into_iter().collect::<Result<Vec<_>>>();
        // A record that cannot be read may be that of any of them.
        let Ok(records) = records else { continue };
        let known: BTreeSet<Partition> = records.into_iter().map(|record| record.partition).collect();
        let unknown = catalog.list(table).await?.into_iter().filter(|entry| !known.contains(&entry.partition));
        let withdrawals = unknown.map(|entry| async move {
            Ok(has_no_file(lake, &entry).await? && withdraw_one(lake, catalog.as_ref(), entry.partition).await?)
        });
        let mut withdrawals = futures::stream::iter(withdrawals).buffer_unordered(WITHDRAWN_AT_A_TIME);
        while let Some(is_withdrawn) = withdrawals.try_next().await? {
            withdrawn += u64::from(is_withdrawn);
        }
    }
    Ok(withdrawn)
}

/// Whether there is certainly no file where a catalog has a partition, nor in its own folder.
async fn has_no_file(lake: &Lake, entry: &CatalogEntry) -> Result<bool> {
    // What lies outside of the lake cannot be seen from here.
    if entry.location.contains("://") {
        return Ok(false);
    }
    for folder in [&entry.location, &entry.partition.folder()] {
        if !lake.objects.list_names(folder).await?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Withdraws a partition unless the ledger knows it by now; whether it was withdrawn.
async fn withdraw_one(lake: &Lake, catalog: &dyn Catalog, partition: Partition) -> Result<bool> {
    loop {
        let read_at = clock::since_boot();
        if lake.records.partition(partition).await?.version > 0 {
            return Ok(false);
        }
        if catalog.withdraw(partition, protocol_driver::until(lake, read_at)).await? {
            break;
        }
    }
    // A run may have made the partition after that reading, and published it before the call.
    if lake.records.partition(partition).await?.version > 0 {
        protocol_driver::register(lake, partition).await?;
        return Ok(false);
    }
    Ok(true)
}

/// Deletes files in tables' folders that nothing names and nothing will: files of edgemill's own
/// names, in partitions whose records are sound, that are no batch's which counts, unless it was
/// applied there and its file replaced since, and that hold no row which is not in the lake
/// otherwise. A batch that is committed from now on has another name, so what is unnamed now stays
/// unnamed.
async fn delete_unnamed(lake: &Lake, report: &VerifyReport) -> Result<u64> {
    let found = report.findings.iter().filter(|finding| finding.kind == FindingKind::UnnamedFile);
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
