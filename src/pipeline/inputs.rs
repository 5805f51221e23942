//! The objects that a unit was made from, as they are listed now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::context::RunContext;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::ledger::records::{InputName, UnitRecord};
use crate::model::{ObjectId, Partition, UnitId};

/// Listed objects.
#[derive(Default)]
pub(super) struct ListedLogs {
    /// By URL.
    pub(super) by_url: HashMap<String, ObjectId>,
    /// By the unit that their names say.
    pub(super) by_unit: BTreeMap<UnitId, Vec<ObjectId>>,
}

impl ListedLogs {
    /// Those of a source.
    pub(super) fn of(source: &str, by_unit: BTreeMap<UnitId, Vec<ObjectId>>) -> Self {
        let all = by_unit.values().flatten();
        let by_url = all.map(|object| (InputName { source, object }.url(), object.clone())).collect();
        Self { by_url, by_unit }
    }
}

/// What a unit was made from.
pub(super) struct UnitInputs {
    /// As they are listed now, in key order.
    pub(super) objects: Vec<ObjectId>,
    /// Where its rows are.
    pub(super) partitions: BTreeSet<Partition>,
    /// How many of the objects have changed since.
    pub(super) changed: u64,
    /// What cannot be read, by URL, with its etag where all rows of it are there. What is left of
    /// its rows is taken over.
    pub(super) unread: BTreeMap<String, Option<String>>,
}

/// Whether an object lies where a run reads.
pub(super) fn is_of_source(context: &RunContext, url: &str) -> bool {
    url.strip_prefix(context.source.url()).is_some_and(|rest| rest.starts_with('/'))
}

/// What a unit was made from, by the manifests of its batches. What came from another place than
/// this run's is not read; where the unit has lost something, neither is what is gone.
///
/// # Errors
/// `Error::RawGone` where one of them is gone and no other stands in for it; of a unit that has
/// lost something, where all are.
pub(super) async fn unit_inputs(
    context: &RunContext,
    record: &UnitRecord,
    logs: &ListedLogs,
    has_lost: bool,
) -> Result<UnitInputs> {
    let mut unread = BTreeMap::new();
    let (mut objects, mut partitions, mut changed) = (Vec::new(), BTreeSet::new(), 0);
    // What is gone may have been moved: an object that is the same stands in for it.
    let (mut gone, mut same) = (Vec::new(), BTreeSet::new());
    for entry in &record.batches {
        let manifest = manifests::read(&context.lake.objects, &entry.attempt).await?;
        partitions.extend(manifest.partitions());
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            match as_listed(context, &logs.by_url, &url).await? {
                Some(now) => {
                    changed += u64::from(now.etag != input.object.etag);
                    objects.push(now);
                    same.extend(input.same_as.clone());
                }
                None if input.same_as.is_some() => {}
                None if !is_of_source(context, &url) => {
                    unread.insert(url, Some(input.object.etag.clone()).filter(|_| !has_lost));
                }
                None => gone.push(url),
            }
        }
        for kept in &manifest.taken_over {
            match as_listed(context, &logs.by_url, &kept.url).await? {
                Some(now) => {
                    changed += u64::from(kept.etag.as_ref() != Some(&now.etag));
                    objects.push(now);
                }
                None => {
                    unread.insert(kept.url.clone(), kept.etag.clone().filter(|_| !has_lost));
                }
            }
        }
    }
    gone.retain(|url| !same.contains(url));
    unread.retain(|url, _| !same.contains(url));
    if has_lost && !objects.is_empty() {
        unread.extend(gone.drain(..).map(|url| (url, None)));
    }
    if objects.is_empty() && gone.is_empty() {
        gone.extend(unread.keys().cloned());
    }
    if let Some(first) = gone.first() {
        return Err(Error::RawGone { unit: record.unit.to_string(), objects: gone.len(), first: first.clone() });
    }
    objects.sort_unstable();
    Ok(UnitInputs { objects, partitions, changed, unread })
}

/// An object as it is now, where it is there: it may have come since the listing, or lie outside of
/// what was listed.
pub(super) async fn as_listed(
    context: &RunContext,
    by_url: &HashMap<String, ObjectId>,
    url: &str,
) -> Result<Option<ObjectId>> {
    match (by_url.get(url), url.strip_prefix(&format!("{}/", context.source.url()))) {
        (Some(now), _) => Ok(Some(now.clone())),
        (None, Some(key)) => context.source.object(key).await,
        (None, None) => Ok(None),
    }
}
