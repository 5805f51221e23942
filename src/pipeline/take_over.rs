//! Rows of raw objects that cannot be read when their unit is written anew: the objects are gone,
//! or came from another place. What the files that are replaced hold of them goes on to be there.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use object_store::path::Path;

use super::context::RunContext;
use super::inputs::is_of_source;
use super::summary::{NAMED_AT_MOST, Summary};
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::columns::merge::rows_of;
use crate::kernel::columns::origins;
use crate::kernel::ledger::records::{FileEntry, InputName, Manifest, ManifestOutput, TakenOver, UnitRecord};
use crate::kernel::ledger::staging::{file_path, staging};
use crate::kernel::policy::privacy::holds_more;
use crate::kernel::policy::recipe::Fingerprint;
use crate::model::{ObjectId, Partition, Table};
use crate::offload::offload;
use crate::stats::{LineStats, count, either};

/// What is to be taken over in one unit.
pub(super) struct TakeOver {
    /// What cannot be read, by URL, with its etag where all of its rows are there.
    unread: BTreeMap<String, Option<String>>,
    /// The files that hold rows of it.
    files: Vec<(Partition, String, Bytes)>,
    /// How these rows were made, by URL.
    stamps: BTreeMap<String, Fingerprint>,
}

impl TakeOver {
    /// Reads the files of a unit that hold rows of what cannot be read.
    ///
    /// # Errors
    /// `Error::Usage` where these rows cannot be told from others, or hold more of people than the
    /// run keeps.
    pub(super) async fn of(
        context: &RunContext,
        record: &UnitRecord,
        partitions: &BTreeSet<Partition>,
        objects: &[ObjectId],
        unread: BTreeMap<String, Option<String>>,
    ) -> Result<Self> {
        let mut taken = Self { unread, files: Vec::new(), stamps: BTreeMap::new() };
        if taken.unread.is_empty() {
            return Ok(taken);
        }
        let read: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        for partition in partitions {
            let here = context.lake.records.partition(*partition).await?;
            for file in here.part(&record.unit).into_iter().flat_map(|part| &part.files) {
                let path = file_path(&here.folder, &file.name);
                let Some(bytes) = context.lake.objects.get(&Path::from(path.as_str())).await? else { continue };
                let Ok(keys) = origins::raw_objects(bytes.clone()) else { continue };
                let theirs: Vec<&String> = keys.iter().filter(|key| taken.url_of(key).is_some()).collect();
                if let Some(key) = theirs.iter().find(|key| read.contains(key.as_str())) {
                    return Err(taken.refused(context, record, &format!("has the name of one that is read, '{key}'")));
                }
                if !theirs.is_empty() {
                    taken.files.push((*partition, path, bytes));
                }
            }
        }
        if taken.files.is_empty() {
            return Ok(taken);
        }
        let keeps = context.job.rows.privacy.stamp();
        for entry in &record.batches {
            let manifest = match manifests::read(&context.lake.objects, &entry.attempt).await {
                Err(error) if error.is_damage() => continue,
                manifest => manifest?,
            };
            if holds_more(&manifest.stamp.privacy, &keeps) {
                return Err(taken.refused(context, record, "has rows that hold more of people than this run keeps"));
            }
            let url = |object| InputName { source: &manifest.source, object }.url();
            let read = manifest.inputs.iter().map(|input| (url(&input.object), manifest.stamp.clone()));
            taken.stamps.extend(read);
            taken.stamps.extend(manifest.taken_over.iter().map(|kept| (kept.url.clone(), kept.stamp.clone())));
        }
        Ok(taken)
    }

    fn url_of(&self, key: &str) -> Option<&String> {
        self.unread.keys().find(|url| url.strip_suffix(key).is_some_and(|before| before.ends_with('/')))
    }

    /// Says whose rows cannot be taken over.
    fn refused(&self, context: &RunContext, record: &UnitRecord, why: &str) -> Error {
        let objects = self.unread.len() as u64;
        let first = self.unread.keys().next().map_or("", String::as_str);
        let place = context.source.url();
        let (are, not_there) = (either(objects, "is", "are"), is_of_source(context, first));
        let (what, hint) = if not_there {
            ("gone", "bring the objects back, or name other hours".to_owned())
        } else {
            let hint = "give a folder that holds both as --from; where there is none, convert into a new lake";
            ("of another place than", hint.to_owned())
        };
        let place = if not_there { String::new() } else { format!(" '{place}'") };
        Error::usage(
            format!(
                "{}: {} of it {are} {what}{place}, first: '{first}', and one {why}",
                record.unit,
                count(objects, "object")
            ),
            format!("nothing of this hour was changed; {hint}"),
        )
    }

    /// Stages these rows beside those of a batch, whose manifest says so, and the summary.
    pub(super) async fn stage(
        self,
        context: &RunContext,
        manifest: &mut Manifest,
        summary: &mut Summary,
    ) -> Result<()> {
        let mut lines: BTreeMap<String, LineStats> =
            self.unread.keys().map(|url| (url.clone(), LineStats::default())).collect();
        for (partition, path, bytes) in &self.files {
            let (partition, named) = (*partition, (path.clone(), bytes.clone()));
            let urls: BTreeSet<String> = self.unread.keys().cloned().collect();
            let is_wanted =
                move |key: &str| urls.iter().any(|url| url.strip_suffix(key).is_some_and(|rest| rest.ends_with('/')));
            let work = move || rows_of(partition, &named, &is_wanted);
            let (files, counts) = offload(&context.pool, format!("taking over rows of {partition}"), work).await?;
            for (key, rows) in counts {
                let Some(of) = self.url_of(&key).and_then(|url| lines.get_mut(url)) else { continue };
                of.lines += rows;
                let kept = if partition.table == Table::Rejects { &mut of.rejected_lines } else { &mut of.rows };
                *kept += rows;
            }
            for file in files {
                let name = format!("{}-{}.parquet", manifest.batch.0, manifest.outputs.len());
                let entry = FileEntry::of(name, file.rows, &file.bytes);
                let folder = staging(&manifest.unit, &manifest.attempt);
                let place = Path::from(file_path(&folder, &entry.name));
                context.lake.objects.put(&place, Bytes::from(file.bytes)).await?;
                manifest.outputs.push(ManifestOutput { partition, file: entry });
            }
        }
        for (url, etag) in self.unread {
            let of = lines.remove(&url).unwrap_or_default();
            if etag.is_none() {
                summary.stats.gone_objects += 1;
                if summary.gone_objects_named.len() < NAMED_AT_MOST {
                    let rows = count(of.rows + of.rejected_lines, "row");
                    let hint = if is_of_source(context, &url) || !url.contains("://") {
                        ""
                    } else {
                        "; it is of another place: convert it from there"
                    };
                    summary.gone_objects_named.push(format!("{url}, {rows} of it left and kept{hint}"));
                }
            }
            // What has no row left and may be anywhere is no part of the unit any more.
            if etag.is_some() || of.lines > 0 {
                let stamp = self.stamps.get(&url).cloned().unwrap_or_default();
                manifest.taken_over.push(TakenOver { url, etag, stamp, lines: of });
            }
        }
        Ok(())
    }
}
