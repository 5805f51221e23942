//! The records of units and partitions, and notes, over any ledger: their keys, and how they are
//! read and written.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::interface::{Ledger, Versioned};
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::records::{FORMAT_VERSION, PartitionRecord, UnitRecord};
use crate::kernel::ledger::staging::{UNTIMED, unit_name};
use crate::model::{Granularity, HourRange, Partition, Period, Table, UnitId};

/// Unit and partition records over any ledger.
#[derive(Clone, Debug)]
pub struct Records {
    ledger: Arc<dyn Ledger>,
    /// How long partitions are.
    partition: Granularity,
    /// How long units are.
    unit: Granularity,
    /// Whether a record that cannot be read says nothing, as one that is gone.
    forgives: bool,
}

impl Records {
    /// Records over a ledger, of a lake whose partitions and units are so long.
    #[must_use]
    pub fn new(ledger: Arc<dyn Ledger>, partition: Granularity, unit: Granularity) -> Self {
        Self { ledger, partition, unit, forgives: false }
    }

    /// The same records for whoever mends a lake: one that cannot be read says nothing, and has the
    /// version that its place tells, so that the next one takes its place.
    #[must_use]
    pub fn forgiving(&self) -> Self {
        Self { forgives: true, ..self.clone() }
    }

    /// A unit's record; version 0 where nothing is known of the unit.
    pub async fn unit(&self, unit: &UnitId) -> Result<UnitRecord> {
        let key = unit_key(unit);
        let blank = || UnitRecord::new(unit.clone());
        let found = self.ledger.head(&key).await?;
        let record = found.map_or_else(|| Ok(blank()), |found| self.decode(&key, &found, blank))?;
        // Whoever ended an attempt of a unit without a time knew its key only.
        Ok(UnitRecord { unit: unit.clone(), ..record })
    }

    /// The record at a unit's key; version 0, of a unit without a time and a folder, where there is
    /// none.
    pub async fn unit_at(&self, key: &str) -> Result<UnitRecord> {
        let blank = unit_of(key).map(UnitRecord::new).ok_or_else(|| damaged(key, "it is no unit's key"))?;
        match self.ledger.head(key).await? {
            Some(found) => self.decode(key, &found, || blank),
            None => Ok(blank),
        }
    }

    /// Replaces a unit's record by its next version.
    pub async fn swap_unit(&self, next: &UnitRecord) -> Result<CasOutcome> {
        self.swap_unit_at(&unit_key(&next.unit), next).await
    }

    /// Replaces the record at a unit's key by its next version.
    pub async fn swap_unit_at(&self, key: &str, next: &UnitRecord) -> Result<CasOutcome> {
        self.swap(key, next.version, next).await
    }

    /// Any small thing that the ledger remembers beside units and partitions; its version, and what
    /// it is.
    pub async fn note<R: DeserializeOwned>(&self, key: &str) -> Result<Option<(u64, R)>> {
        let Some(record) = self.ledger.head(key).await? else { return Ok(None) };
        let value = serde_json::from_slice(&record.body).map_err(|error| damaged(key, error))?;
        Ok(Some((record.version, value)))
    }

    /// The notes below a folder, by their names in it; one that is damaged is an error.
    pub async fn notes<R: DeserializeOwned>(&self, folder: &str) -> Result<Vec<(String, u64, R)>> {
        let found = self.ledger.scan(&format!("{folder}/"), &format!("{folder}0")).await?;
        let read = |(key, record): &(String, Versioned)| {
            let value = serde_json::from_slice(&record.body).map_err(|error| damaged(key, error))?;
            Ok((key[folder.len() + 1..].to_owned(), record.version, value))
        };
        found.iter().map(read).collect()
    }

    /// Replaces a note by its next version.
    pub async fn swap_note(&self, key: &str, version: u64, value: &(impl Serialize + Sync)) -> Result<CasOutcome> {
        self.swap(key, version, value).await
    }

    /// The units of a table that have a record, those that meet a range of hours or all.
    pub async fn units(&self, table: Table, hours: Option<HourRange>) -> Result<Vec<UnitRecord>> {
        let Some(hours) = hours.map(|hours| self.unit.whole(hours)) else {
            return self.units_between(&format!("units/{table}/"), &format!("units/{table}0")).await;
        };
        let key = |hour| format!("units/{table}/{}", Period::of(self.unit, hour));
        self.units_between(&key(hours.start), &key(hours.end)).await
    }

    /// The units of a table whose objects' names carry no time.
    pub async fn untimed_units(&self, table: Table) -> Result<Vec<UnitRecord>> {
        let prefix = format!("units/{table}/{UNTIMED}");
        // '.' is the byte after '-'.
        self.units_between(&prefix, &format!("{}.", prefix.trim_end_matches('-'))).await
    }

    /// A partition's record; version 0 where it has no file yet.
    pub async fn partition(&self, partition: Partition) -> Result<PartitionRecord> {
        let key = partition_key(partition);
        let found = self.ledger.head(&key).await?;
        let blank = || PartitionRecord::new(partition);
        found.map_or_else(|| Ok(blank()), |found| self.decode(&key, &found, blank))
    }

    /// Replaces a partition's record by its next version.
    pub async fn swap_partition(&self, next: &PartitionRecord) -> Result<CasOutcome> {
        self.swap(&partition_key(next.partition), next.version, next).await
    }

    /// The partitions of a table that hold an hour of a range, or all.
    pub async fn partitions(&self, table: Table, hours: Option<HourRange>) -> Result<Vec<PartitionRecord>> {
        let (from, to) = self.partition_keys(table, hours);
        let blank = |key: &str| {
            let time = key.rsplit_once('/').map_or("", |(_, time)| time);
            Partition::at(table, time).map(PartitionRecord::new)
        };
        self.scan_between(&from, &to, blank).await
    }

    /// The keys of the partitions of a table that have a record, as [`partition_key`] makes them:
    /// those that hold an hour of a range, or all.
    pub async fn partitions_there(&self, table: Table, hours: Option<HourRange>) -> Result<Vec<String>> {
        let (from, to) = self.partition_keys(table, hours);
        self.ledger.keys(&from, &to).await
    }

    /// The keys of the units of a table that have a record.
    pub async fn units_there(&self, table: Table) -> Result<Vec<String>> {
        self.ledger.keys(&format!("units/{table}/"), &format!("units/{table}0")).await
    }

    fn partition_keys(&self, table: Table, hours: Option<HourRange>) -> (String, String) {
        let Some(hours) = hours.map(|hours| self.partition.whole(hours)) else {
            return (format!("partitions/{table}/"), format!("partitions/{table}0"));
        };
        let key = |hour| partition_key(Partition { table, hour, granularity: self.partition });
        (key(hours.start), key(hours.end))
    }

    async fn swap(&self, key: &str, version: u64, record: &(impl Serialize + Sync)) -> Result<CasOutcome> {
        let body = serde_json::to_vec(record).map_err(|error| damaged(key, error))?;
        self.ledger.swap(key, Versioned { version, body: body.into() }).await
    }

    async fn units_between(&self, from: &str, to: &str) -> Result<Vec<UnitRecord>> {
        // Of a unit without a time the key does not tell the folder: partitions do.
        let blank = |key: &str| unit_of(key).filter(|unit| unit_key(unit) == key).map(UnitRecord::new);
        self.scan_between(from, to, blank).await
    }

    /// '0' is the byte after '/': a key that ends with it comes behind everything in a folder.
    async fn scan_between<R: LedgerRecord>(
        &self,
        from: &str,
        to: &str,
        blank: impl Fn(&str) -> Option<R>,
    ) -> Result<Vec<R>> {
        let mut records = Vec::new();
        for (key, found) in self.ledger.scan(from, to).await? {
            match blank(&key) {
                Some(blank) => records.push(self.decode(&key, &found, || blank)?),
                None => match decode(&key, &found) {
                    Err(Error::LedgerDamaged { .. }) if self.forgives => {}
                    record => records.push(record?),
                },
            }
        }
        Ok(records)
    }

    /// A record; a blank one where it cannot be read and that is forgiven.
    fn decode<R: LedgerRecord>(&self, key: &str, found: &Versioned, blank: impl FnOnce() -> R) -> Result<R> {
        match decode(key, found) {
            Err(Error::LedgerDamaged { .. }) if self.forgives => Ok(blank().at_version(found.version)),
            record => record,
        }
    }

    /// As [`Self::units`], each by itself: one that is damaged hides no other.
    pub async fn each_unit(&self, table: Table) -> Result<Vec<Result<UnitRecord>>> {
        let found = self.ledger.scan(&format!("units/{table}/"), &format!("units/{table}0")).await?;
        Ok(found.iter().map(|(key, record)| decode(key, record)).collect())
    }

    /// As [`Self::partitions`], each by itself: one that is damaged hides no other.
    pub async fn each_partition(&self, table: Table, hours: Option<HourRange>) -> Result<Vec<Result<PartitionRecord>>> {
        let (from, to) = self.partition_keys(table, hours);
        let found = self.ledger.scan(&from, &to).await?;
        Ok(found.iter().map(|(key, record)| decode(key, record)).collect())
    }
}

/// A record that changes by its version.
trait LedgerRecord: DeserializeOwned {
    /// The same at another version.
    fn at_version(self, version: u64) -> Self;
}

impl LedgerRecord for UnitRecord {
    fn at_version(self, version: u64) -> Self {
        Self { version, ..self }
    }
}

impl LedgerRecord for PartitionRecord {
    fn at_version(self, version: u64) -> Self {
        Self { version, ..self }
    }
}

/// A unit's key. Keys sort by time; a unit without a time comes after all that have one.
#[must_use]
pub fn unit_key(unit: &UnitId) -> String {
    unit_key_of(unit.table(), &unit_name(unit))
}

/// A unit's key, by its name.
#[must_use]
pub fn unit_key_of(table: Table, name: &str) -> String {
    format!("units/{table}/{name}")
}

/// The unit of a key; the folder of one without a time cannot be told.
#[must_use]
pub fn unit_of(key: &str) -> Option<UnitId> {
    let (table, name) = key.strip_prefix("units/")?.split_once('/')?;
    let table = Table::ALL.into_iter().find(|of| of.name() == table)?;
    match name.parse() {
        Ok(period) => Some(UnitId::Timed(table, period)),
        Err(_) if name.starts_with(UNTIMED) => Some(UnitId::Untimed(table, String::new())),
        Err(_) => None,
    }
}

/// A partition's key.
#[must_use]
pub fn partition_key(partition: Partition) -> String {
    format!("partitions/{}/{}", partition.table, partition.time())
}

/// What tells whether the rest of a record can be read.
#[derive(Deserialize)]
struct RecordHead {
    format: Option<u64>,
    version: Option<u64>,
}

fn decode<R: DeserializeOwned>(key: &str, record: &Versioned) -> Result<R> {
    let head: RecordHead = serde_json::from_slice(&record.body).map_err(|error| damaged(key, error))?;
    match head.format {
        Some(format) if format == u64::from(FORMAT_VERSION) => {}
        Some(format) => return Err(other_version(&format!("_edgemill/{key}"), format)),
        None => return Err(damaged(key, "it says no format")),
    }
    if head.version != Some(record.version) {
        return Err(damaged(key, "its version is not that of its name"));
    }
    serde_json::from_slice(&record.body).map_err(|error| damaged(key, error))
}

/// What is said of a format that is not ours.
pub(crate) fn other_version(path: &str, format: u64) -> Error {
    let by = if format > u64::from(FORMAT_VERSION) {
        "a later version of edgemill: use that one"
    } else {
        "a version of edgemill from before the first release: convert into a new lake"
    };
    Error::LedgerVersion { path: path.to_owned(), by }
}

fn damaged(key: &str, source: impl Into<crate::error::Cause>) -> Error {
    Error::LedgerDamaged { path: format!("_edgemill/{key}"), source: source.into() }
}
