//! What lies around, and the mending of what can be mended. Each mend can be repeated.

use std::collections::BTreeSet;

use object_store::path::Path;

use super::{Kind, Report};
use crate::carry;
use crate::edge::claims::{Claims, LEASE};
use crate::error::Result;
use crate::kernel::places::{InProgress, STAGING};
use crate::kernel::protocol::Wait;
use crate::lake::Lake;
use crate::model::{Partition, Table};
use crate::tidy::{self, ORPHAN_AGE};

/// Folders of unfinished work that no record names, and claims of the dead.
pub(super) async fn look_around(lake: &Lake, report: &mut Report) -> Result<()> {
    for name in lake.objects.list_names(STAGING).await? {
        let about = format!("{STAGING}/{name}");
        let named = match InProgress::parse(&name) {
            Some(InProgress::Batch { table, unit, attempt }) => {
                let record = lake.records.unit_at(&crate::edge::ledger::unit_key_of(table, &unit)).await?;
                record.unpublished().any(|entry| entry.attempt == attempt)
            }
            Some(InProgress::Aside { partition, id }) => {
                let record = lake.records.partition(partition).await?;
                record.rewrite.is_some_and(|open| open.id == id) || tidy::batch_on_its_way(lake, &id).await?.is_some()
            }
            None => false,
        };
        if !named {
            report.find(Kind::LeftOver, about);
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
    let tidied = tidy::tidy(lake, &claims, ORPHAN_AGE).await?;
    say(tidied.batches, "batches published");
    say(tidied.rewrites, "rewrites closed");
    say(tidied.orphans, "left-over folders cleared");
    let mut batches = 0;
    for table in Table::LOGS {
        for record in lake.records.units(table, None).await? {
            batches += carry::finish_unit(lake, &record).await?;
        }
    }
    say(batches, "batches published");
    let mut open = Vec::new();
    for table in Table::ALL {
        let records = lake.records.partitions(table, None).await?;
        open.extend(records.into_iter().filter(|record| record.rewrite.is_some()).map(|record| record.partition));
    }
    say(open.len() as u64, "rewrites closed");
    tidy::settle(lake, open).await?;
    say(register(lake).await?, "partitions registered");
    say(delete_unnamed(lake, report).await?, "files deleted that nothing names");
    Ok(mended)
}

/// Lets the catalog know of every partition that it has not, or has elsewhere.
async fn register(lake: &Lake) -> Result<u64> {
    let Some(catalog) = &lake.catalog else { return Ok(0) };
    let mut registered = 0;
    for table in Table::ALL {
        for record in lake.records.partitions(table, None).await? {
            if record.rewrite.is_some() || record.parts.is_empty() {
                continue;
            }
            if catalog.folder(record.partition).await?.as_ref() != Some(&record.folder) {
                carry::register(lake, record.partition).await?;
                registered += 1;
            }
        }
    }
    Ok(registered)
}

/// Deletes files in tables' folders that nothing names and nothing will: files of edgemill's own names whose batch is not on
/// its way. A batch that is committed from now on has another name, so what is unnamed now stays unnamed.
async fn delete_unnamed(lake: &Lake, report: &Report) -> Result<u64> {
    let found = report.findings.iter().filter(|finding| finding.kind == Kind::UnnamedFile);
    let found: Vec<&str> = found.map(|finding| finding.about.as_str()).collect();
    if found.is_empty() {
        return Ok(0);
    }
    // A copy that was under way when we looked has arrived by then.
    tokio::time::sleep(lake.delay(Wait::Late)).await;
    let mut on_their_way = BTreeSet::new();
    for table in Table::LOGS {
        for record in lake.records.units(table, None).await? {
            on_their_way.extend(record.unpublished().map(|entry| format!("{}-", entry.batch.0)));
        }
    }
    let mut deleted = 0;
    for path in found {
        let Some((partition, name)) = placed(path) else { continue };
        let record = lake.records.partition(partition).await?;
        let named = record.files().any(|file| file.name == name);
        if named || record.rewrite.is_some() || on_their_way.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        lake.objects.delete(&Path::from(path)).await?;
        deleted += 1;
    }
    Ok(deleted)
}

/// The partition and name of a file that edgemill may have written: `<table>/year=/month=/day=/hour=/<time>-<hash>-<n>.parquet`.
fn placed(path: &str) -> Option<(Partition, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let mut parts = name.strip_suffix(".parquet")?.split('-');
    let (time, hash, number) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let ours = (time == "untimed" || time.len() == 10 && digits(time))
        && hash.len() == 20
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits(number)
        && parts.next().is_none();
    let mut folders = folder.split('/');
    let table = folders.next()?;
    let table = Table::ALL.into_iter().find(|of| of.name() == table)?;
    let values: Vec<&str> = folders.filter_map(|part| part.split_once('=').map(|(_, value)| value)).collect();
    let [year, month, day, hour] = values.as_slice() else { return None };
    let hour = format!("{year}-{month}-{day}T{hour}").parse().ok()?;
    let partition = Partition { table, hour };
    (ours && partition.folder() == folder).then_some((partition, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_our_own_names_are_ever_deleted() {
        let folder = "alb_logs/year=2026/month=11/day=21/hour=05";
        let ours = format!("{folder}/2026112105-0123456789abcdef0123-0.parquet");
        assert!(placed(&ours).is_some());
        for other in [
            format!("{folder}/mine.parquet"),
            format!("{folder}/2026112105-0123456789abcdef0123-0.csv"),
            "alb_logs/2026112105-0123456789abcdef0123-0.parquet".to_owned(),
            "other/year=2026/month=11/day=21/hour=05/2026112105-0123456789abcdef0123-0.parquet".to_owned(),
        ] {
            assert!(placed(&other).is_none(), "{other}");
        }
    }
}
