//! What becomes of raw objects once their rows are published and registered: nothing, unless the
//! job says so.

use std::collections::{BTreeMap, HashMap};

use futures::{StreamExt, TryStreamExt};

use super::context::RunContext;
use super::summary::Summary;
use crate::edge::archive::Archive;
use crate::edge::manifests;
use crate::error::Result;
use crate::job::cloud::After;
use crate::kernel::ledger::plan::path;
use crate::kernel::ledger::records::{InputName, ManifestInput, UnitRecord};
use crate::kernel::source::names;
use crate::model::{ObjectId, UnitId};

/// Units whose records are read, and objects that are taken away, at a time.
const AT_A_TIME: usize = 32;

/// Takes away what a listing showed and whose rows are seen everywhere, by the ledger as it is now:
/// what this run converted, and what one before converted and did not come to take away.
pub(super) async fn take_away(
    context: &RunContext,
    listed: BTreeMap<UnitId, Vec<ObjectId>>,
    summary: &mut Summary,
) -> Result<()> {
    let archive = match &context.job.cloud.after {
        After::Keep => return Ok(()),
        After::Delete => Archive::Nowhere,
        After::Move(place) => Archive::at(place, &context.job.from, &context.job.cloud.source).await?,
    };
    let archive = &archive;
    let units = listed.into_iter().map(|(unit, objects)| converted_objects(context, unit, objects));
    let mut units = std::pin::pin!(futures::stream::iter(units).buffer_unordered(AT_A_TIME));
    while let Some((unit, objects)) = units.try_next().await? {
        let taken = objects.into_iter().map(|object| {
            let name = archive_name(context, &unit, &object);
            async move { archive.take(&context.source, &object, &name).await }
        });
        let taken: Vec<bool> = futures::stream::iter(taken).buffer_unordered(AT_A_TIME).try_collect().await?;
        summary.stats.archived_objects += taken.into_iter().filter(|taken| *taken).count() as u64;
    }
    Ok(())
}

/// The objects of a unit that have been converted as they are, where all of the unit is published:
/// only then is it certain that nobody will ask for them again.
async fn converted_objects(
    context: &RunContext,
    unit: UnitId,
    listed: Vec<ObjectId>,
) -> Result<(UnitId, Vec<ObjectId>)> {
    let record: UnitRecord = context.lake.records.unit(&unit).await?;
    if record.unpublished().next().is_some() {
        return Ok((unit, Vec::new()));
    }
    let (source, mut known) = (context.source.url(), HashMap::new());
    for entry in &record.batches {
        let manifest = manifests::read(&context.lake.objects, &entry.attempt).await?;
        let proven = |input: &ManifestInput| {
            manifest.proven || context.job.naming.is_named_itself(&manifest.source, &input.object.key)
        };
        for input in manifest.inputs.iter().filter(|input| proven(input) && is_whole(input)) {
            let url = InputName { source: &manifest.source, object: &input.object }.url();
            known.insert(url, input.object.etag.clone());
        }
    }
    let is_known = |object: &&ObjectId| known.get(&InputName { source, object }.url()) == Some(&object.etag);
    let converted = listed.into_iter().filter(|object| is_known(&object)).collect();
    Ok((unit, converted))
}

/// Whether the lake has all that an object holds, as rows: every line of it but comments is one. Of
/// a damaged object it has the lines before the damage, of a rejected line it may have the reason
/// alone, and of streaming logs nothing.
const fn is_whole(input: &ManifestInput) -> bool {
    let lines = &input.lines;
    lines.rows > 0 && lines.rejected_lines == 0 && lines.skipped_lines == 0 && input.damage.is_none()
}

/// An object's name in the archive: its hour's folder, and below that its key from the root of the
/// bucket, since two folders may hold one name and be sources of their own.
fn archive_name(context: &RunContext, unit: &UnitId, object: &ObjectId) -> String {
    let key = path(context.source.url(), &object.key);
    let hour = unit.period().and_then(|_| names::hour(&key, context.job.naming.layout.as_ref()));
    let folder = match hour {
        Some(hour) => {
            let [year, month, day, hour] = hour.folders();
            format!("year={year}/month={month}/day={day}/hour={hour}")
        }
        None => "untimed".to_owned(),
    };
    let key = match context.source.folder() {
        Some(_) => object.key.clone(),
        // The path begins with the bucket.
        None => key.split_once('/').map_or_else(String::new, |(_, key)| key.to_owned()),
    };
    format!("{}/{folder}/{key}", unit.table())
}
