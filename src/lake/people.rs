//! What a lake keeps of people, remembered for each table of logs, and which of its rows hold more
//! than that.
//!
//! It is a note of the ledger, `privacy/<table>`, and no part of `lake.json`: that file is made
//! once and never changes, which is why every run may rest on it, while this choice is changed by a
//! person (`edgemill init --client-ip ...`). A note changes by compare-and-set in every ledger, so
//! of two first runs that say different things at the same time one wins, and the other knows. The
//! choice is copied beside it, and is in manifests and files too (`traces.rs`).
//!
//! A run looks at the note before it writes anything, before each batch counts, and after its last
//! ([`crate::pipeline`]); a choice is not changed while a run is seen at work. What a run committed
//! between its last look and a change that nobody saw coming, it finds at its end, and says how it
//! is mended; where it died before that, `verify` does, since it asks the manifests and not the
//! note.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use serde::{Deserialize, Serialize};

use super::Lake;
use crate::edge::claims::Claims;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::records::Manifest;
use crate::kernel::policy::privacy::{ALL, holds_more, in_words, least};
use crate::model::{Table, UnitId};

/// The notes' folder in the ledger.
const FOLDER: &str = "privacy";

const READS_AT_A_TIME: usize = 32;

/// What a lake keeps of people in a table of logs, and in the rejects of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// As a stamp ([`crate::kernel::policy::privacy::Privacy::stamp`]): a key is in it by its name
    /// only.
    pub keeps: String,
    /// Rows that hold more, being older; nothing where there are none. New rows never do, so they
    /// are counted again only where the choice was changed or rows were written anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub older: Option<Older>,
}

/// Rows that hold more of people than their lake keeps by now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// Whether they were counted: a choice has just been changed where they were not.
    pub counted: bool,
    /// Rows, those of the table of rejects among them.
    pub rows: u64,
    /// Hours that have any, and folders of logs without a time.
    pub hours: u64,
    /// The URLs of the logs that they were made from.
    pub sources: BTreeSet<String>,
}

/// What became of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The table of logs.
    pub table: Table,
    /// What the lake kept before, where it knew.
    pub was: Option<String>,
    /// What it keeps now.
    pub now: Remembered,
}

/// What a lake keeps of people in a table, by what is left of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recalled {
    /// What the note is to be.
    pub remembered: Remembered,
    /// Whether nothing else can have been chosen. It can where the rows that are left hold all of
    /// people and records of others are gone: then a person has to say it.
    pub is_certain: bool,
}

/// The rows of a table by what was kept of people when they were made.
#[derive(Clone, Debug, Default)]
pub struct Census(BTreeMap<String, Made>);

/// Rows that were made with one choice.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// How many, those of the table of rejects among them.
    pub rows: u64,
    /// The units that have any.
    pub units: BTreeSet<UnitId>,
    /// The URLs of the logs that they were made from.
    pub sources: BTreeSet<String>,
}

impl Census {
    /// Counts the rows of a batch.
    pub fn add(&mut self, manifest: &Manifest) {
        let rows: u64 = manifest.outputs.iter().map(|output| output.file.rows).sum();
        if rows == 0 {
            return;
        }
        let made = self.0.entry(stamp_or_all(&manifest.stamp.privacy).to_owned()).or_default();
        made.rows += rows;
        made.units.insert(manifest.unit.clone());
        made.sources.insert(manifest.source.clone());
    }

    /// What a lake keeps that has these rows and remembers nothing: the least that any of them was
    /// made with.
    ///
    /// Not the last: the rows of a run that forgot its arguments come last, and the next such run
    /// is to be refused. Who really wanted to keep more from some hour on is asked once, and says
    /// so. Of choices that cannot be compared it is the last.
    #[must_use]
    pub fn least(&self) -> Option<&str> {
        let mut stamps: Vec<(&str, &Made)> = self.0.iter().map(|(stamp, made)| (stamp.as_str(), made)).collect();
        stamps.sort_by(|a, b| a.1.units.last().cmp(&b.1.units.last()));
        let stamps: Vec<&str> = stamps.into_iter().map(|(stamp, _)| stamp).collect();
        least(&stamps)
    }

    /// Rows that hold more than a lake keeps, by the stamp of the choice that they were made with.
    pub fn more(&self, keeps: &str) -> impl Iterator<Item = (&str, &Made)> {
        self.0.iter().filter(move |(stamp, _)| holds_more(stamp, keeps)).map(|(stamp, made)| (stamp.as_str(), made))
    }

    /// The same together, if there are any.
    #[must_use]
    pub fn older(&self, keeps: &str) -> Option<Older> {
        let (mut older, mut units) = (Older { counted: true, ..Older::default() }, BTreeSet::new());
        for (_, made) in self.more(keeps) {
            older.rows += made.rows;
            older.sources.extend(made.sources.iter().cloned());
            units.extend(&made.units);
        }
        older.hours = units.len() as u64;
        (older.rows > 0).then_some(older)
    }
}

/// The stamp of a choice. Batches from before choices had one hold all of people.
pub(super) fn stamp_or_all(stamp: &str) -> &str {
    if stamp.is_empty() { ALL } else { stamp }
}

impl Lake {
    /// What is remembered of a table of logs, and the version of the note.
    pub async fn kept_of_people(&self, table: Table) -> Result<Option<(u64, Remembered)>> {
        self.records.note(&key(table)).await
    }

    /// What is remembered of every table of logs, in one look.
    pub async fn kept_of_all(&self) -> Result<BTreeMap<Table, Remembered>> {
        let notes = self.records.notes(FOLDER).await?;
        let of = |(name, _, known)| Some((Table::LOGS.into_iter().find(|table| table.name() == name)?, known));
        Ok(notes.into_iter().filter_map(of).collect())
    }

    /// Remembers what is kept of a table, where nothing is yet; what is remembered then, by
    /// whomever.
    pub async fn remember(&self, table: Table, wanted: &Remembered) -> Result<Remembered> {
        loop {
            if let Some((_, known)) = self.kept_of_people(table).await? {
                return Ok(known);
            }
            if self.records.swap_note(&key(table), 1, wanted).await? == CasOutcome::Committed {
                self.copy_choice(table, &wanted.keeps).await?;
                return Ok(wanted.clone());
            }
        }
    }

    /// What is kept of a table of which the ledger has no note, by what is left of it; nothing
    /// where there are neither rows nor a choice.
    ///
    /// Where the table has no files, only `deep` asks the manifests too: that lists all of the
    /// lake's, so a run asks for it where it adds rows to the table.
    pub async fn recall(&self, table: Table, deep: bool) -> Result<Option<Recalled>> {
        if let Some(keeps) = self.copied_choice(table).await? {
            // Whether rows hold more is counted by the next run that ends.
            let remembered = Remembered { keeps, older: Some(Older::default()) };
            return Ok(Some(Recalled { remembered, is_certain: true }));
        }
        let mut made = self.made_with(table).await?;
        if deep || made.is_some() {
            made.get_or_insert_default().extend(self.made_by_manifests(table).await?);
        }
        let Some(made) = made.filter(|made| !made.is_empty()) else { return Ok(None) };
        let (census, unread) = self.census(table).await?;
        let by_manifests = census.least();
        let stamps: Vec<&str> = made.iter().map(String::as_str).chain(by_manifests).collect();
        let Some(keeps) = least(&stamps).map(str::to_owned) else { return Ok(None) };
        let is_certain = keeps != ALL || (by_manifests.is_some() && unread == 0);
        // What was found in files alone is counted when their records are there again.
        let is_counted = by_manifests.is_some() && unread == 0;
        let older = if is_counted { census.older(&keeps) } else { Some(Older::default()) };
        Ok(Some(Recalled { remembered: Remembered { keeps, older }, is_certain }))
    }

    /// Remembers what was found again of a table.
    pub async fn remember_again(&self, table: Table, recalled: &Recalled) -> Result<Remembered> {
        let found = in_words(&recalled.remembered.keeps);
        tracing::info!("{table}: nothing was remembered of what is kept of people; what is left of it says {found}");
        self.remember(table, &recalled.remembered).await
    }

    /// Lets a lake keep something else of people from now on, and counts the rows that hold more.
    ///
    /// A run that began before would go on by the earlier choice, so this is refused while one is
    /// at work, as far as its claims tell, which hold for `lease` where nobody renews them.
    pub async fn choose_kept(&self, table: Table, keeps: &str, lease: Duration) -> Result<Chosen> {
        let known = if let Some((_, known)) = self.kept_of_people(table).await? {
            known
        } else if let Some(recalled) = self.recall(table, true).await? {
            self.remember_again(table, &recalled).await?
        } else {
            let now = self.remember(table, &Remembered { keeps: keeps.to_owned(), older: None }).await?;
            if now.keeps == keeps {
                return Ok(Chosen { table, was: None, now });
            }
            // A first run was faster.
            now
        };
        let was = Some(known.keeps.clone());
        if known.keeps != keeps {
            self.refuse_while_at_work(lease).await?;
            self.swap_kept(table, keeps).await?;
        }
        self.copy_choice(table, keeps).await?;
        self.count_older(table).await?;
        let now = self.kept_of_people(table).await?.map_or(known, |(_, now)| now);
        Ok(Chosen { table, was, now })
    }

    async fn swap_kept(&self, table: Table, keeps: &str) -> Result<()> {
        loop {
            let Some((version, known)) = self.kept_of_people(table).await? else { return Ok(()) };
            if known.keeps == keeps {
                return Ok(());
            }
            let older = (known.older.is_some() || holds_more(&known.keeps, keeps)).then(Older::default);
            let next = Remembered { keeps: keeps.to_owned(), older };
            if self.records.swap_note(&key(table), version + 1, &next).await? == CasOutcome::Committed {
                return Ok(());
            }
        }
    }

    async fn refuse_while_at_work(&self, lease: Duration) -> Result<()> {
        if Claims::new(self.objects.clone(), lease).anyone_alive().await? {
            let url = self.objects.url();
            return Err(Error::Busy {
                what: format!("a run is at work in the lake '{url}', by what it keeps of people now"),
            });
        }
        Ok(())
    }

    /// Notes that rows were made by another choice than the present one, so that those that hold
    /// more are counted again, whoever counted before they were there.
    pub async fn note_other(&self, table: Table, made: &str) -> Result<()> {
        loop {
            let Some((version, known)) = self.kept_of_people(table).await? else { return Ok(()) };
            if !holds_more(made, &known.keeps) || known.older.as_ref().is_some_and(|older| !older.counted) {
                return Ok(());
            }
            let next = Remembered { older: Some(Older::default()), ..known };
            if self.records.swap_note(&key(table), version + 1, &next).await? == CasOutcome::Committed {
                return Ok(());
            }
        }
    }

    /// Counts the rows of a table that hold more than it keeps, where there may be any, and
    /// remembers how many there are.
    pub async fn count_older(&self, table: Table) -> Result<Option<Older>> {
        let Some((version, known)) = self.kept_of_people(table).await? else { return Ok(None) };
        if known.older.is_none() {
            return Ok(None);
        }
        let older = self.census(table).await?.0.older(&known.keeps);
        if older != known.older {
            let next = Remembered { older: older.clone(), ..known };
            // Whoever was faster counted too, or changed the choice, and then it is counted again.
            self.records.swap_note(&key(table), version + 1, &next).await?;
        }
        Ok(older)
    }

    /// Reads every manifest of a table whose rows count. What is damaged is left out: `verify`
    /// tells of it; the second figure is how many those are.
    pub(super) async fn census(&self, table: Table) -> Result<(Census, u64)> {
        let records = self.records.each_unit(table).await?.into_iter().flatten();
        let attempts = records.flat_map(|record| record.batches).map(|entry| entry.attempt);
        let read = attempts.map(|attempt| async move { manifests::read(&self.objects, &attempt).await });
        let mut read = std::pin::pin!(futures::stream::iter(read).buffer_unordered(READS_AT_A_TIME));
        let (mut census, mut unread) = (Census::default(), 0);
        while let Some(manifest) = read.next().await {
            match manifest {
                Err(error) if error.is_damage() => {
                    tracing::warn!("left out of what is kept of people: {error}");
                    unread += 1;
                }
                manifest => census.add(&manifest?),
            }
        }
        Ok((census, unread))
    }
}

fn key(table: Table) -> String {
    format!("{FOLDER}/{table}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::edge::ledger::{LakeLedger, Records};
    use crate::edge::objects::Objects;
    use crate::kernel::ledger::records::{AttemptId, BatchId, FORMAT_VERSION, FileEntry, ManifestOutput};
    use crate::kernel::policy::recipe::Fingerprint;
    use crate::lake::{CatalogChoice, Identity};
    use crate::model::{Granularity, Hour, Partition};

    fn manifest(hour: &str, privacy: &str, rows: u64) -> Manifest {
        let hour: Hour = hour.parse().unwrap();
        let partition = Partition { table: Table::AlbLogs, hour, granularity: Granularity::Hour };
        let file = FileEntry::of("a".into(), rows, b"");
        Manifest {
            format: FORMAT_VERSION,
            writer: String::new(),
            unit: UnitId::of_hour(Table::AlbLogs, hour),
            batch: BatchId(hour.to_string()),
            attempt: AttemptId(hour.to_string()),
            source: "s3://logs".into(),
            stamp: Fingerprint { rules: "1".into(), privacy: privacy.into() },
            proven: true,
            hours: None,
            inputs: Vec::new(),
            outputs: vec![ManifestOutput { partition, file }],
            replaces: None,
            folds: BTreeSet::new(),
            taken_over: Vec::new(),
        }
    }

    fn lake() -> Lake {
        let objects = Objects::of_store(Arc::new(object_store::memory::InMemory::new()), "memory://");
        Lake {
            records: Records::new(Arc::new(LakeLedger::new(objects.clone())), Granularity::Hour, Granularity::Hour),
            objects,
            identity: Identity {
                format: FORMAT_VERSION,
                lake_id: "test".into(),
                ledger: "lake".into(),
                partition: Granularity::Hour,
                unit: Granularity::Hour,
                max_call_delay_seconds: 0,
                query_seconds: 0,
                probed_endpoint: None,
            },
            catalog: None,
            chosen: CatalogChoice::None,
        }
    }

    #[tokio::test]
    async fn a_choice_is_changed_only_while_nobody_is_at_work() {
        let (lake, table, lease) = (lake(), Table::AlbLogs, Duration::from_millis(600));
        assert_eq!(lake.recall(table, true).await.unwrap(), None);
        let unit = UnitId::of_hour(table, "2026-11-21T05".parse().unwrap());
        let worker = Claims::new(lake.objects.clone(), lease);
        assert!(worker.take(&unit).await.unwrap());
        // Of a table without any row it is only set, and the same is no change: a worker harms
        // neither.
        let first = lake.choose_kept(table, "client_ip=truncate", lease).await.unwrap();
        assert_eq!((first.was, first.now.keeps.as_str()), (None, "client_ip=truncate"));
        lake.choose_kept(table, "client_ip=truncate", lease).await.unwrap();
        let (refused, ()) = tokio::join!(
            lake.choose_kept(table, "none", lease),
            worker.hold(&unit, tokio::time::sleep(Duration::from_millis(1_200)))
        );
        assert!(matches!(refused, Err(Error::Busy { .. })), "{refused:?}");
        assert_eq!(lake.kept_of_people(table).await.unwrap().unwrap().1.keeps, "client_ip=truncate");
        let changed = lake.choose_kept(table, "none", lease).await.unwrap();
        assert_eq!((changed.was.as_deref(), changed.now.keeps.as_str()), (Some("client_ip=truncate"), "none"));
        assert_eq!(changed.now.older, None, "nothing holds more than all");
    }

    #[tokio::test]
    async fn rows_that_may_hold_more_are_noted_with_the_change_and_counted_after_it() {
        let (lake, table) = (lake(), Table::AlbLogs);
        let all = Remembered { keeps: ALL.into(), older: None };
        lake.remember(table, &all).await.unwrap();
        lake.swap_kept(table, "drop=c_ip").await.unwrap();
        let (_, noted) = lake.kept_of_people(table).await.unwrap().unwrap();
        assert_eq!(noted.older, Some(Older::default()), "who dies here leaves the count to the next run");
        lake.swap_kept(table, ALL).await.unwrap();
        let (_, noted) = lake.kept_of_people(table).await.unwrap().unwrap();
        assert!(noted.older.is_some(), "and so does who changes it again");
        assert_eq!(lake.count_older(table).await.unwrap(), None);
        assert_eq!(lake.kept_of_people(table).await.unwrap().unwrap().1, all);
        // What is remembered stays, whoever comes second.
        let second = Remembered { keeps: "drop=c_ip".into(), older: None };
        assert_eq!(lake.remember(table, &second).await.unwrap(), all);
    }

    #[test]
    fn rows_that_hold_more_are_counted_by_what_they_were_made_with() {
        let mut census = Census::default();
        assert_eq!((census.least(), census.older(ALL)), (None, None));
        for (hour, privacy, rows) in [
            ("2026-11-21T00", "client_ip=truncate", 5),
            ("2026-11-21T01", "", 7),
            ("2026-11-21T02", "none", 11),
            ("2026-11-21T02", "none", 13),
            ("2026-11-21T03", "drop=c_ip", 0),
        ] {
            census.add(&manifest(hour, privacy, rows));
        }
        assert_eq!(census.least(), Some("client_ip=truncate"), "what a forgetful run added last changes nothing");
        let older = census.older("client_ip=truncate").unwrap();
        assert_eq!((older.rows, older.hours, older.counted), (31, 2, true));
        assert_eq!(census.older(ALL), None);
        assert_eq!(census.older("drop=c_ip").unwrap().rows, 36);
    }
}
