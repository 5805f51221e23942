//! What others began and did not end: published, settled or cleared by whoever comes next.
//!
//! Everything that is not at rest has a folder right below `staging`, so one listing finds it, in a
//! lake of any size.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use crate::edge::claims::{Claims, Holder};
use crate::edge::clock;
use crate::edge::ledger::unit_key_of;
use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::protocol::{EndTarget, Outcome};
use crate::kernel::ledger::records::{AttemptId, BatchEntry};
use crate::kernel::ledger::staging::{STAGING, StagingDir};
use crate::lake::Lake;
use crate::model::{Partition, Table, UnitId};
use crate::protocol_driver;

/// Folders of `staging` dealt with at a time; most of the time they wait.
const AT_A_TIME: usize = 64;

/// What was found and done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Batches published that others had committed.
    pub batches: u64,
    /// Partitions with a rewrite that others opened. Closing one takes waits, and rows may be added
    /// while it is open, so it is left to the end of a run ([`settle_others`]).
    pub open: Vec<Partition>,
    /// Folders cleared that belonged to nothing any more.
    pub orphans: u64,
    /// Folders of work that is claimed, nobody knows yet by whom: looked at again later
    /// ([`finish_claimed`]).
    pub claimed: Vec<String>,
    /// Folders left alone, since they are somebody's work or too young to tell.
    pub left: u64,
}

impl std::ops::AddAssign for Recovery {
    fn add_assign(&mut self, other: Self) {
        self.batches += other.batches;
        self.open.extend(other.open);
        self.claimed.extend(other.claimed);
        self.orphans += other.orphans;
        self.left += other.left;
    }
}

/// Brings everything to its end that another run began, except what somebody is believed to be
/// working on right now.
pub async fn recover(lake: &Lake, claims: &Claims, orphan_age: Duration) -> Result<Recovery> {
    claims.clear_dead().await?;
    let names = lake.objects.list_names(STAGING).await?;
    let folders = names.into_iter().map(|name| recover_folder(lake, claims, name, orphan_age));
    let all = futures::stream::iter(folders).buffer_unordered(AT_A_TIME);
    all.try_fold(Recovery::default(), |mut sum, one| async move {
        sum += one;
        Ok(sum)
    })
    .await
}

/// As [`recover`], and waits for what takes time: rewrites that others opened, and what is claimed
/// by owners that may be dead. The second figure is how many rewrites were closed.
pub async fn recover_fully(lake: &Lake, claims: &Claims, orphan_age: Duration) -> Result<(Recovery, u64)> {
    let mut recovery = recover(lake, claims, orphan_age).await?;
    let claimed = std::mem::take(&mut recovery.claimed);
    recovery += finish_claimed(lake, claims, claimed, orphan_age).await?;
    let closed = settle_others(lake, &recovery.open).await?;
    Ok((recovery, closed))
}

/// What is damaged is told and left: it must not keep the rest of the lake from going on. Whoever
/// needs it fails by itself.
async fn recover_folder(lake: &Lake, claims: &Claims, name: String, orphan_age: Duration) -> Result<Recovery> {
    match try_recover_folder(lake, claims, &name, orphan_age).await {
        Err(error) if error.is_damage() => {
            tracing::warn!("{STAGING}/{name} is left as it is: {error}");
            Ok(Recovery { left: 1, ..Recovery::default() })
        }
        recovery => recovery,
    }
}

async fn try_recover_folder(lake: &Lake, claims: &Claims, name: &str, orphan_age: Duration) -> Result<Recovery> {
    match StagingDir::parse(name) {
        Some(StagingDir::Batch { table, unit, attempt }) => {
            batch(lake, claims, name, table, &unit, attempt, orphan_age).await
        }
        Some(StagingDir::Rewrite { partition, id, version }) => {
            rewrite(lake, claims, name, (partition, version), id, orphan_age).await
        }
        Some(StagingDir::Written { partition, id }) => {
            let record = lake.records.partition(partition).await?;
            let used = record.rewrite.as_ref().is_some_and(|open| open.id == id) || record.ended.contains(&id);
            if used {
                return remove(lake, name).await;
            }
            orphan(lake, name, EndTarget::Rewrite(format!("{STAGING}/{name}"), partition, id), None, orphan_age).await
        }
        // Not ours to judge.
        None => Ok(Recovery { left: 1, ..Recovery::default() }),
    }
}

async fn batch(
    lake: &Lake,
    claims: &Claims,
    name: &str,
    table: Table,
    unit: &str,
    attempt: AttemptId,
    orphan_age: Duration,
) -> Result<Recovery> {
    let key = unit_key_of(table, unit);
    let record = lake.records.unit_at(&key).await?;
    let Some(entry) = record.entry(&attempt) else {
        return orphan(lake, name, EndTarget::Batch(format!("{STAGING}/{name}"), attempt), Some(key), orphan_age).await;
    };
    if let Some(claimed) = claimed(claims, &record.unit, name).await? {
        return Ok(claimed);
    }
    tracing::info!("{}: publishing batch {} that another run committed", record.unit, entry.batch.0);
    protocol_driver::finish(lake, entry).await?;
    Ok(Recovery { batches: 1, ..Recovery::default() })
}

async fn rewrite(
    lake: &Lake,
    claims: &Claims,
    name: &str,
    (partition, version): (Partition, u64),
    id: AttemptId,
    orphan_age: Duration,
) -> Result<Recovery> {
    let record = lake.records.partition(partition).await?;
    let folder = format!("{STAGING}/{name}");
    if record.rewrite.as_ref().is_some_and(|open| open.folder == folder) {
        return Ok(Recovery { open: vec![partition], ..Recovery::default() });
    }
    if version < record.version {
        // The version that it was made for has passed: nothing will ever come of it.
        return remove(lake, name).await;
    }
    if let Some((unit, entry)) = batch_on_its_way(lake, &id).await? {
        if let Some(claimed) = claimed(claims, &unit, name).await? {
            return Ok(claimed);
        }
        protocol_driver::finish(lake, &entry).await?;
        return Ok(Recovery { batches: 1, ..Recovery::default() });
    }
    orphan(lake, name, EndTarget::Rewrite(folder, partition, id), None, orphan_age).await
}

async fn remove(lake: &Lake, name: &str) -> Result<Recovery> {
    lake.objects.delete_folder(&format!("{STAGING}/{name}")).await?;
    Ok(Recovery { orphans: 1, ..Recovery::default() })
}

/// What becomes of something whose unit is claimed; nothing where nobody claims it.
async fn claimed(claims: &Claims, unit: &UnitId, name: &str) -> Result<Option<Recovery>> {
    Ok(match claims.holder(unit).await? {
        Holder::Nobody => None,
        Holder::Alive => Some(Recovery { left: 1, ..Recovery::default() }),
        Holder::Unsure => Some(Recovery { claimed: vec![name.to_owned()], ..Recovery::default() }),
    })
}

/// Brings to its end what was claimed when it was found, of owners that do not renew their claims:
/// watches them for a lease at most. (A claim is judged by how long one run sees it unchanged, so a
/// single look would leave a dead worker's for ever.)
pub async fn finish_claimed(
    lake: &Lake,
    claims: &Claims,
    mut names: Vec<String>,
    orphan_age: Duration,
) -> Result<Recovery> {
    let mut sum = Recovery::default();
    while !names.is_empty() {
        for name in std::mem::take(&mut names) {
            let one = recover_folder(lake, claims, name, orphan_age).await?;
            names.extend(one.claimed.iter().cloned());
            sum += Recovery { claimed: Vec::new(), ..one };
        }
        if !names.is_empty() {
            tokio::time::sleep(claims.look_every()).await;
        }
    }
    Ok(sum)
}

/// The batch of an attempt that takes the place of others and that its unit names as not published:
/// its folders beside partitions are not to be ended but finished, also those that no partition's
/// record names yet. (The model checker found the worker whose half-filled folder was cleared.)
pub async fn batch_on_its_way(lake: &Lake, attempt: &AttemptId) -> Result<Option<(UnitId, BatchEntry)>> {
    if !manifests::exists(&lake.objects, attempt).await? {
        return Ok(None);
    }
    let manifest = manifests::read(&lake.objects, attempt).await?;
    let record = lake.records.unit(&manifest.unit).await?;
    let entry = record.unpublished().find(|entry| entry.attempt == *attempt).cloned();
    Ok(entry.map(|entry| (record.unit, entry)))
}

/// Whether nobody has written to a folder of `staging` for long enough.
pub async fn is_orphan(lake: &Lake, name: &str, orphan_age: Duration) -> Result<bool> {
    // What is not there any more is nobody's to clear.
    let Some(newest) = lake.objects.last_written_unix_seconds(&format!("{STAGING}/{name}")).await? else {
        return Ok(false);
    };
    let age_seconds = clock::now_unix_seconds() - newest;
    Ok(u64::try_from(age_seconds).is_ok_and(|age| age >= orphan_age.as_secs()))
}

/// Ends what no record names, if nobody has written to it for long enough.
async fn orphan(
    lake: &Lake,
    name: &str,
    target: EndTarget,
    key: Option<String>,
    orphan_age: Duration,
) -> Result<Recovery> {
    if !is_orphan(lake, name, orphan_age).await? || protocol_driver::end(lake, target, key).await? != Outcome::Done {
        return Ok(Recovery { left: 1, ..Recovery::default() });
    }
    tracing::info!("{STAGING}/{name}: cleared, no record names it");
    Ok(Recovery { orphans: 1, ..Recovery::default() })
}

/// Closes the rewrites that others opened and that are still open; how many those were. One that
/// cannot be closed is told.
pub async fn settle_others(lake: &Lake, partitions: &[Partition]) -> Result<u64> {
    let one = |partition: Partition| async move {
        if lake.records.partition(partition).await?.rewrite.is_none() {
            return Ok(0);
        }
        tracing::info!("{partition}: closing a rewrite that another run opened");
        match protocol_driver::settle(lake, partition).await {
            Ok(_) => Ok(1),
            Err(error) if error.is_damage() => {
                tracing::warn!("{partition}: its rewrite stays open: {error}");
                Ok(0)
            }
            Err(error) => Err(error),
        }
    };
    let all = futures::stream::iter(partitions.iter().copied().map(one)).buffer_unordered(4 * AT_A_TIME);
    all.try_fold(0, |sum, one| async move { Ok(sum + one) }).await
}

/// Closes the open rewrites of partitions; most of the time goes by waiting, for all at once.
pub async fn settle(lake: &Lake, partitions: impl IntoIterator<Item = Partition>) -> Result<()> {
    let all = partitions
        .into_iter()
        .map(|partition| async move { protocol_driver::settle(lake, partition).await.map(|_| ()) });
    futures::stream::iter(all).buffer_unordered(4 * AT_A_TIME).try_collect().await
}
