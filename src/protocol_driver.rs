//! Carries out what the protocol says. All decisions are those of the machines in
//! [`kernel::ledger::protocol`](crate::kernel::ledger::protocol); this file only does and reports.

use std::collections::{BTreeSet, HashSet};
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;

use crate::edge::catalog::Publication;
use crate::edge::clock;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::{
    Action, Commit, End, EndTarget, Event, Fold, GiveUp, Lose, Machine, Outcome, Register, Settle, Switch, UnitChange,
    Wait,
};
use crate::kernel::ledger::records::{AttemptId, BatchEntry, Manifest, UnitFiles, UnitRecord};
use crate::kernel::ledger::staging::{FileCopy, STAGING, file_path};
use crate::lake::Lake;
use crate::model::{Partition, UnitId};

/// Copies and deletions sent at a time for one partition.
const SENDS_AT_A_TIME: usize = 16;

/// A wait longer than this is told.
const TOLD_WAIT: Duration = Duration::from_secs(5);

/// Commits and publishes an attempt whose files are staged and synced.
pub async fn commit(lake: &Lake, manifest: &Manifest, planned: &UnitRecord) -> Result<Outcome> {
    Driver::new(lake, manifest.unit.to_string()).drive(&mut Commit::new(lake.setting(), manifest, planned)).await
}

/// Publishes what of a unit was committed and is not published, whoever committed it; how many
/// batches that were.
pub async fn finish_unit(lake: &Lake, record: &UnitRecord) -> Result<u64> {
    let mut finished = 0;
    for entry in record.unpublished() {
        tracing::info!("{}: publishing batch {} that another run committed", record.unit, entry.batch.0);
        finish(lake, entry).await?;
        finished += 1;
    }
    Ok(finished)
}

/// Publishes a batch that somebody committed.
pub async fn finish(lake: &Lake, entry: &BatchEntry) -> Result<Outcome> {
    let manifest = manifests::read(&lake.objects, &entry.attempt).await?;
    Driver::new(lake, manifest.unit.to_string()).drive(&mut Commit::finish(lake.setting(), &manifest)).await
}

/// Names published batches of a unit as one.
pub async fn fold(lake: &Lake, manifest: &Manifest) -> Result<Outcome> {
    Driver::new(lake, manifest.unit.to_string()).drive(&mut Fold::new(manifest)).await
}

/// Opens a rewrite of a partition whose new files are written.
pub async fn switch(lake: &Lake, id: &AttemptId, partition: Partition, changes: Vec<UnitChange>) -> Result<Outcome> {
    Driver::new(lake, partition.to_string())
        .drive(&mut Switch::new(lake.setting(), id.clone(), partition, changes))
        .await
}

/// Closes what is open in a partition.
pub async fn settle(lake: &Lake, partition: Partition) -> Result<Outcome> {
    Driver::new(lake, partition.to_string()).drive(&mut Settle::new(lake.setting(), partition)).await
}

/// Lets the catalog know of a partition, whatever was noted of it before.
pub async fn register(lake: &Lake, partition: Partition) -> Result<Outcome> {
    Driver::new(lake, partition.to_string()).drive(&mut Register::again(partition)).await
}

/// Tells the catalog how much a partition holds by now, where it knows the partition and was told
/// less. Nothing rests on it.
pub async fn tell(lake: &Lake, partition: Partition) -> Result<()> {
    let Some(catalog) = &lake.catalog else { return Ok(()) };
    loop {
        let read_at = clock::since_boot();
        let record = lake.records.partition(partition).await?;
        let publication = Publication::of(&record);
        let settled = record.rewrite.is_none() && record.registered.as_ref() == Some(&record.folder);
        // As safe as registering it: the folder is that of a record which was just read, and the
        // call is not sent late.
        if !settled
            || catalog.knows_numbers(&publication)
            || catalog.publish(&publication, until(lake, read_at)).await?
        {
            return Ok(());
        }
    }
}

/// Until when a call may be sent: half of the longest delay of a call after the reading that it
/// rests on. The other half is left for the call.
pub(crate) fn until(lake: &Lake, read_at: Duration) -> Duration {
    let max_call_delay = lake.delay(Wait::MaxCallDelay);
    if max_call_delay.is_zero() { Duration::MAX } else { read_at + max_call_delay / 2 }
}

/// Ends an attempt that no record names; [`Outcome::Busy`] where one does after all. `unit_key` is
/// the unit's key in the ledger, where it is a batch's.
pub async fn end(lake: &Lake, target: EndTarget, unit_key: Option<String>) -> Result<Outcome> {
    let mut driver = Driver::new(lake, format!("{target:?}"));
    driver.unit_key = unit_key;
    driver.drive(&mut End::new(target)).await
}

/// Writes down which files of a partition are gone, and which of those are there again.
pub async fn lose(lake: &Lake, partition: Partition) -> Result<Outcome> {
    Driver::new(lake, partition.to_string()).drive(&mut Lose::new(partition)).await
}

/// Lets a unit go on whose batch cannot be published, since staged files or its manifest are gone.
pub async fn give_up(lake: &Lake, unit: &UnitId, attempt: &AttemptId) -> Result<Outcome> {
    let mut driver = Driver::new(lake, unit.to_string());
    driver.unit_key = Some(crate::edge::ledger::unit_key(unit));
    driver.drive(&mut GiveUp::new(attempt.clone())).await
}

/// What a machine's actions need beside the lake.
struct Driver<'a> {
    lake: &'a Lake,
    /// What it is about, for people.
    about: String,
    /// The key of the unit that the machine is about, where no manifest tells it.
    unit_key: Option<String>,
    /// The partition that was read last, and where its files lie.
    partition: Option<Partition>,
    publication: Option<Publication>,
    /// When the record was read that copies, deletions and catalog calls rest on; counted from the
    /// start of the computer, suspension included.
    read_at: Duration,
    /// Copies that were made of an action that was broken off since its reading grew old: it is
    /// asked for again after the next reading, and goes on where it was. Any other copy is made in
    /// full, since its source may be gone.
    copied: HashSet<FileCopy>,
}

impl<'a> Driver<'a> {
    fn new(lake: &'a Lake, about: String) -> Self {
        Self {
            lake,
            about,
            unit_key: None,
            partition: None,
            publication: None,
            read_at: Duration::ZERO,
            copied: HashSet::new(),
        }
    }

    /// Runs a machine from its first event to its end.
    async fn drive(&mut self, machine: &mut (dyn Machine + Send + Sync)) -> Result<Outcome> {
        let mut event = Event::Start;
        loop {
            let action = machine.step(event);
            tracing::debug!(about = self.about, ?action, "protocol");
            crate::crash::point(&action);
            event = match action {
                Action::Done(Outcome::FileMissing(path)) => return Err(self.missing(path).await),
                Action::Done(outcome) => return Ok(outcome),
                action => self.carry_out(action, machine.manifest()).await?,
            };
        }
    }

    /// Says whose rows a missing file held: it is that unit which can be written anew, not whoever
    /// came upon it.
    async fn missing(&self, path: String) -> Error {
        let record = match self.partition {
            Some(partition) => self.lake.records.partition(partition).await.ok(),
            None => None,
        };
        let owner = record.as_ref().and_then(|record| {
            let holds = |part: &&UnitFiles| part.files.iter().any(|file| file_path(&record.folder, &file.name) == path);
            record.parts.iter().find(holds)
        });
        let about = owner.map_or_else(|| self.about.clone(), |part| part.unit.to_string());
        Error::FileMissing { path, about }
    }

    async fn carry_out(&mut self, action: Action, manifest: Option<&Manifest>) -> Result<Event> {
        let lake = self.lake;
        Ok(match action {
            Action::WriteManifest => {
                if let Some(manifest) = manifest {
                    manifests::write(&lake.objects, manifest).await?;
                }
                Event::ManifestWritten
            }
            Action::ReadUnit => Event::Unit(self.unit(manifest).await?),
            Action::ReadInputs(entries) => Event::Inputs { overlap: self.overlap(manifest, &entries).await? },
            Action::SwapUnit(next) => {
                let key = self.unit_key.clone().unwrap_or_else(|| crate::edge::ledger::unit_key(&next.unit));
                Event::Swapped(lake.records.swap_unit_at(&key, &next).await?)
            }
            Action::Finish(entry) => {
                Box::pin(finish(lake, &entry)).await?;
                Event::Finished
            }
            Action::ReadPartition(partition) => {
                self.read_at = clock::since_boot();
                self.partition = Some(partition);
                let record = lake.records.partition(partition).await?;
                if lake.catalog.is_some() {
                    self.publication = Some(Publication::of(&record));
                }
                Event::Partition(record)
            }
            Action::SwapPartition(next) => Event::Swapped(lake.records.swap_partition(&next).await?),
            Action::Settle(partition) => {
                Box::pin(settle(lake, partition)).await?;
                Event::Finished
            }
            Action::ListStaging => Event::Staging(lake.objects.list_names(STAGING).await?.into_iter().collect()),
            Action::Look(wanted) => Event::Gone(self.look(wanted).await?),
            Action::Mark(path) => {
                lake.objects.put(&Path::from(path), Bytes::new()).await?;
                Event::Marked
            }
            Action::Copy(wanted) => self.copy(wanted).await?,
            Action::Delete(paths) => self.delete(paths).await?,
            Action::RemoveFolder(folder) => {
                lake.objects.delete_folder(&folder).await?;
                Event::Removed
            }
            Action::Wait(wait) => {
                let delay = self.lake.delay(wait);
                if delay > TOLD_WAIT {
                    let what = match wait {
                        Wait::MaxCallDelay => "calls that may be under way",
                        Wait::Queries => "queries that may be reading its old files",
                    };
                    tracing::info!("{}: waiting {} s for {what}", self.about, delay.as_secs());
                }
                tokio::time::sleep(delay).await;
                Event::Waited
            }
            Action::SetCatalog(partition, folder) => match &lake.catalog {
                Some(catalog) => {
                    let read = self.publication.as_ref().filter(|read| read.partition == partition);
                    let files = read.map(|read| read.files.clone()).unwrap_or_default();
                    let publication = Publication { partition, location: folder, files };
                    let taken = catalog.publish(&publication, self.until()).await?;
                    if taken { Event::CatalogSet } else { Event::TooLate }
                }
                None => Event::CatalogSet,
            },
            Action::ReadCatalog(partition) => match &lake.catalog {
                Some(catalog) => Event::Catalog(catalog.shown(partition).await?),
                None => Event::Catalog(None),
            },
            // Answered by `drive`.
            Action::Done(_) => Event::Start,
        })
    }

    async fn unit(&self, manifest: Option<&Manifest>) -> Result<UnitRecord> {
        match (&self.unit_key, manifest) {
            (Some(key), _) => self.lake.records.unit_at(key).await,
            (None, Some(manifest)) => self.lake.records.unit(&manifest.unit).await,
            (None, None) => Err(Error::usage("a step of the protocol names no unit", "report it")),
        }
    }

    /// Whether a call that rests on the last reading might take effect too late. Half of the time
    /// is left for the call. A lake whose longest delay is zero lies where every call takes effect
    /// before it returns and nothing is ever stopped: in a test.
    fn too_late(&self) -> bool {
        clock::since_boot() > self.until()
    }

    /// When it is too late for a call that rests on the last reading.
    fn until(&self) -> Duration {
        until(self.lake, self.read_at)
    }

    async fn copy(&mut self, wanted: Vec<FileCopy>) -> Result<Event> {
        let missing: Vec<FileCopy> = wanted.iter().filter(|copy| !self.copied.contains(copy)).cloned().collect();
        let this = &*self;
        let sent = futures::stream::iter(missing.into_iter().map(|copy| async move {
            if this.too_late() {
                return Ok::<_, Error>((copy, None));
            }
            let (from, to) = (Path::from(copy.from.as_str()), Path::from(copy.to.as_str()));
            let there = this.lake.objects.copy(&from, &to).await?;
            Ok((copy, Some(there)))
        }));
        let sent: Vec<(FileCopy, Option<bool>)> = sent.buffer_unordered(SENDS_AT_A_TIME).try_collect().await?;
        let (mut too_late, mut gone) = (false, None);
        for (copy, there) in sent {
            match there {
                None => too_late = true,
                Some(true) => {
                    self.copied.insert(copy);
                }
                Some(false) => gone = Some(copy.from),
            }
        }
        if let Some(path) = gone {
            self.copied.clear();
            return Ok(Event::SourceGone(path));
        }
        if too_late {
            return Ok(Event::TooLate);
        }
        self.copied.clear();
        let names: Vec<Path> = wanted.iter().map(|copy| Path::from(copy.to.as_str())).collect();
        self.lake.objects.sync_names(&names).await?;
        Ok(Event::Copied)
    }

    /// Of some files, those that are not there, or not of their size.
    async fn look(&self, wanted: Vec<(String, u64)>) -> Result<BTreeSet<String>> {
        let looks = futures::stream::iter(wanted.into_iter().map(|(path, size_bytes)| async move {
            let there = self.lake.objects.size(&Path::from(path.as_str())).await?;
            Ok::<_, Error>((there != Some(size_bytes)).then_some(path))
        }));
        looks.buffer_unordered(SENDS_AT_A_TIME).try_filter_map(|gone| async move { Ok(gone) }).try_collect().await
    }

    async fn delete(&self, paths: Vec<String>) -> Result<Event> {
        let paths: BTreeSet<String> = paths.into_iter().collect();
        let sent = futures::stream::iter(paths.into_iter().map(|path| async move {
            if self.too_late() {
                return Ok::<bool, Error>(false);
            }
            self.lake.objects.delete(&Path::from(path)).await.map(|()| true)
        }));
        let sent: Vec<bool> = sent.buffer_unordered(SENDS_AT_A_TIME).try_collect().await?;
        Ok(if sent.into_iter().all(|sent| sent) { Event::Deleted } else { Event::TooLate })
    }

    /// Whether some batches have an input of this one's.
    async fn overlap(&self, manifest: Option<&Manifest>, entries: &[BatchEntry]) -> Result<bool> {
        let Some(manifest) = manifest else { return Ok(false) };
        let url = |source: &str, key: &str| format!("{source}/{key}");
        let ours = manifest.inputs.iter().map(|input| url(&manifest.source, &input.object.key));
        let ours: HashSet<String> = ours.collect();
        for entry in entries {
            let other = manifests::read(&self.lake.objects, &entry.attempt).await?;
            // Sources differ where one batch was read through a parent folder; whole URLs are what
            // counts.
            if other.inputs.iter().any(|input| ours.contains(&url(&other.source, &input.object.key))) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
