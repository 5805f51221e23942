//! An hour of which the lake has lost something: what it is made from anew, where its own manifests
//! do not say.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use object_store::path::Path;

use super::context::RunContext;
use super::inputs::{ListedLogs, UnitInputs, as_listed};
use crate::edge::ledger::unit_key;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::columns::origins;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::path;
use crate::kernel::ledger::protocol::EndTarget;
use crate::kernel::ledger::records;
use crate::kernel::ledger::records::{BatchId, InputName, UnitRecord, unit_time};
use crate::kernel::ledger::staging::{STAGING, file_path, staging};
use crate::kernel::source::names;
use crate::model::{HourRange, ObjectId, Partition, UnitId};
use crate::protocol_driver;
use crate::repair::{Loss, Losses, ends_with, placed};

/// The hours that are listed where rows of others are lost in the partitions of those that are
/// asked for.
pub(super) fn widened(asked: Option<HourRange>, losses: &Losses) -> Option<HourRange> {
    let asked = asked?;
    let hours = in_reach(Some(asked), losses).filter_map(|(unit, _)| unit.hours());
    Some(hours.fold(asked, |all, hours| all.join(hours)))
}

/// The losses that a run for some hours makes good: of these hours, and of others that lost rows in
/// partitions of these hours, or in partitions in which these hours lost some.
pub(super) fn in_reach(asked: Option<HourRange>, losses: &Losses) -> impl Iterator<Item = (&UnitId, &Loss)> {
    let is_asked = move |unit: &UnitId| unit.meets(asked);
    let own = losses.units.iter().filter(|(unit, _)| is_asked(unit));
    let beside: BTreeSet<Partition> = own.flat_map(|(_, loss)| loss.lacking.iter().copied()).collect();
    losses.units.iter().filter(move |(unit, loss)| {
        let meets = |partition: &Partition| {
            beside.contains(partition) || asked.is_some_and(|hours| hours.meets(partition.hours()))
        };
        is_asked(unit) || loss.lacking.iter().any(meets)
    })
}

/// Names that no batch of a unit may have: those of what was ever applied, and of files that no
/// record names.
pub(super) fn taken_names(unit: &UnitId, loss: Option<&Loss>, losses: &Losses) -> BTreeSet<BatchId> {
    let unnamed = losses.unnamed.get(&unit_time(unit)).into_iter().flatten();
    loss.into_iter().flat_map(|loss| &loss.applied).chain(unnamed).cloned().collect()
}

/// Ends the attempts that partitions have applied of a unit whose record knows nothing of them any
/// more: what they staged is a source of files that are about to go, and a rewrite waits until its
/// sources are gone.
pub(super) async fn end_forgotten(context: &RunContext, unit: &UnitId, loss: &Loss) -> Result<()> {
    let lake = &context.lake;
    let names = lake.objects.list_names(STAGING).await?;
    let record = lake.records.unit(unit).await?;
    let mut attempts = BTreeSet::new();
    for partition in loss.partitions.iter().filter(|_| !names.is_empty()) {
        let here = lake.records.partition(*partition).await?;
        attempts.extend(here.part(unit).into_iter().flat_map(|part| part.applied.values().cloned()));
    }
    for attempt in attempts.into_iter().filter(|attempt| record.entry(attempt).is_none()) {
        let folder = staging(unit, &attempt);
        if names.iter().any(|name| folder.ends_with(&format!("/{name}"))) {
            protocol_driver::end(lake, EndTarget::Batch(folder, attempt), Some(unit_key(unit))).await?;
        }
    }
    Ok(())
}

/// What a unit is made from whose manifests do not say it: all listed objects of its name that no
/// other unit has, and what those of its manifests name that are left.
///
/// What of them is gone is told, and what is left of its rows is taken over.
///
/// # Errors
/// `Error::RawGone` where nothing is listed, or rows of what is gone are left where no record says
/// whether they count.
pub(super) async fn lost_inputs(
    context: &RunContext,
    record: &UnitRecord,
    logs: &ListedLogs,
    loss: &Loss,
    losses: &Losses,
) -> Result<UnitInputs> {
    let unit = &record.unit;
    let source = context.source.url();
    let listed = logs.by_unit.get(unit).map(Vec::as_slice).unwrap_or_default();
    let elsewhere = elsewhere(context, unit, listed).await?;
    let mut objects: BTreeMap<String, ObjectId> = BTreeMap::new();
    for object in plan::unit(source, listed, &elsewhere).inputs {
        objects.insert(InputName { source, object: &object }.url(), object);
    }
    let (mut gone, mut same, mut changed) = (BTreeSet::new(), BTreeSet::new(), 0);
    for entry in record.batches.iter().chain(&record.replacing) {
        let manifest = match manifests::read(&context.lake.objects, &entry.attempt).await {
            Ok(manifest) => manifest,
            Err(error) if error.is_damage() => continue,
            Err(error) => return Err(error),
        };
        for kept in &manifest.taken_over {
            match as_listed(context, &logs.by_url, &kept.url).await? {
                Some(now) => drop(objects.insert(kept.url.clone(), now)),
                None => drop(gone.insert(kept.url.clone())),
            }
        }
        for input in &manifest.inputs {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            match as_listed(context, &logs.by_url, &url).await? {
                Some(now) => {
                    changed += u64::from(now.etag != input.object.etag);
                    objects.insert(url, now);
                }
                None if input.same_as.is_some() => {}
                None => {
                    gone.insert(url);
                }
            }
            same.extend(input.same_as.clone());
        }
    }
    // What is gone may have been moved: an object that is the same stands in for it.
    gone.retain(|url| !same.contains(url));
    let urls: Vec<String> = objects.keys().chain(&gone).cloned().collect();
    let rows = rows_without_logs(context, unit, &urls, loss, losses).await?;
    gone.extend(rows.named.into_iter().map(|key| format!("{source}/{key}")));
    let known = record.inputs().objects;
    let lacking = known.saturating_sub((objects.len() + gone.len()) as u64);
    for number in 1..=lacking {
        gone.insert(format!("object {number} of {lacking} of {unit} whose names were in a manifest that is gone"));
    }
    if !rows.unnamed.is_empty() || objects.is_empty() {
        gone.extend(rows.unnamed);
        return Err(Error::RawGone {
            unit: unit.to_string(),
            objects: gone.len().max(1),
            first: gone.pop_first().unwrap_or_else(|| "its name was in the manifest that is gone".to_owned()),
        });
    }
    let unread = gone.into_iter().map(|url| (url, None)).collect();
    let mut objects: Vec<ObjectId> = objects.into_values().collect();
    objects.sort_unstable();
    Ok(UnitInputs { objects, partitions: loss.partitions.clone(), changed, unread })
}

/// What other units have of some objects, as far as their manifests are there.
async fn elsewhere(context: &RunContext, unit: &UnitId, listed: &[ObjectId]) -> Result<HashMap<String, String>> {
    let of = |input: &ObjectId| {
        names::possible_units(&path(context.source.url(), &input.key), &context.layouts, context.lake.identity.unit)
    };
    let mut units: BTreeSet<UnitId> = listed.iter().flat_map(of).collect();
    units.remove(unit);
    let mut known = HashMap::new();
    for other in units {
        for entry in context.lake.records.unit(&other).await?.batches {
            match manifests::read(&context.lake.objects, &entry.attempt).await {
                Ok(manifest) => known.extend(manifest.inputs.into_iter().map(|input| {
                    let url = InputName { source: &manifest.source, object: &input.object }.url();
                    (url, input.object.etag)
                })),
                Err(error) if error.is_damage() => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(known)
}

/// The keys of raw objects whose rows the lake still has of a unit and that are not among those
/// that it is to be made from.
#[derive(Default)]
struct RowsWithoutLogs {
    /// In files that records name.
    named: BTreeSet<String>,
    /// In files that no record names.
    unnamed: BTreeSet<String>,
}

async fn rows_without_logs(
    context: &RunContext,
    unit: &UnitId,
    urls: &[String],
    loss: &Loss,
    losses: &Losses,
) -> Result<RowsWithoutLogs> {
    let lake = &context.lake;
    let mut paths = BTreeSet::new();
    for partition in &loss.partitions {
        let record = lake.records.partition(*partition).await?;
        let files = record.part(unit).into_iter().flat_map(|part| &part.files);
        paths.extend(files.map(|file| (file_path(&record.folder, &file.name), true)));
    }
    let start = format!("{}-", records::unit_time(unit));
    let unnamed = losses.unnamed_files.iter().filter(|path| is_of(path, unit, &start));
    paths.extend(unnamed.map(|path| (path.clone(), false)));
    let mut without = RowsWithoutLogs::default();
    for (path, is_named) in paths {
        let Some(bytes) = lake.objects.get(&Path::from(path.as_str())).await? else { continue };
        // What cannot be read holds no rows any more.
        let Ok(keys) = origins::raw_objects(bytes) else { continue };
        let found = if is_named { &mut without.named } else { &mut without.unnamed };
        found.extend(keys.into_iter().filter(|key| !ends_with(urls.iter(), key)));
    }
    Ok(without)
}

/// Whether a file that no record names may be a unit's: of its time, and of its table or with
/// rejects.
fn is_of(path: &str, unit: &UnitId, start: &str) -> bool {
    placed(path).is_some_and(|(Partition { table, .. }, name)| table == unit.table() && name.starts_with(start))
}
