//! The conformance suite that every ledger passes, beside the trait's contract. It answers with the
//! first breach, in words.

use futures::future::join_all;

use std::time::Duration;

use super::catalog::{Catalog, CatalogEntry, Publication};
use super::ledger::{Ledger, Versioned};
use crate::error::Result;
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::records::FileEntry;
use crate::model::{Granularity, Partition, Table};

/// Writers that race for one version.
const RACERS: usize = 16;

/// Holds an empty ledger against its contract.
pub async fn ledger(ledger: &dyn Ledger) -> Result<(), String> {
    let failed = |error: crate::error::Error| error.to_string();
    versions_follow_each_other(ledger).await.map_err(failed)??;
    one_racer_wins_each_version(ledger).await.map_err(failed)??;
    scans_are_ordered_and_bounded(ledger).await.map_err(failed)??;
    Ok(())
}

/// Holds an empty catalog against its contract.
pub async fn catalog(catalog: &dyn Catalog) -> Result<(), String> {
    let held: Held = async {
        let at = |hour: &str| {
            Partition::of(Table::AlbLogs, Granularity::Hour, hour.parse().unwrap_or_else(|_| first_hour()))
        };
        let file = || FileEntry { name: "a.parquet".to_owned(), rows: 3, size_bytes: 400, crc32: 0 };
        let (five, six) = (at("2026-11-21T05"), at("2026-11-21T06"));
        let empty = (catalog.shown(five).await?, catalog.list(Table::AlbLogs).await?);
        if empty != (None, Vec::new()) {
            return Ok(Err(format!("an empty catalog has {empty:?}")));
        }
        for (partition, folder) in [(six, "six"), (five, "staging/aside.x"), (five, "staging/aside.x"), (five, "five")]
        {
            let location = folder.to_owned();
            let publication = Publication { partition, location, files: vec![file()] };
            if catalog.publish(&publication, Duration::ZERO).await? {
                return Ok(Err(format!("{partition} was published too late")));
            }
            while !catalog.publish(&publication, Duration::MAX).await? {}
            let read = catalog.shown(partition).await?;
            if read.as_deref() != Some(folder) {
                return Ok(Err(format!("{partition} was published at {folder} and is {read:?}")));
            }
        }
        let locations = |of: Vec<CatalogEntry>| -> Vec<(Partition, String)> {
            of.into_iter().map(|entry| (entry.partition, entry.location)).collect()
        };
        let entry = |partition, folder: &str| (partition, folder.to_owned());
        let all = locations(catalog.list(Table::AlbLogs).await?);
        let others = catalog.list(Table::CloudfrontLogs).await?;
        if all != [entry(five, "five"), entry(six, "six")] || !others.is_empty() {
            return Ok(Err(format!("it lists {all:?} and {others:?}")));
        }
        if catalog.withdraw(five, Duration::ZERO).await? {
            return Ok(Err(format!("{five} was withdrawn too late")));
        }
        // A second time, one that is not published.
        for _ in 0..2 {
            while !catalog.withdraw(five, Duration::MAX).await? {}
        }
        let (read, left) = (catalog.shown(five).await?, locations(catalog.list(Table::AlbLogs).await?));
        let holds = read.is_none() && left == [entry(six, "six")];
        if !holds {
            return Ok(Err(format!("{five} was withdrawn, is {read:?}, and it lists {left:?}")));
        }
        let back = Publication { partition: five, location: "five".to_owned(), files: vec![file()] };
        while !catalog.publish(&back, Duration::MAX).await? {}
        let read = catalog.shown(five).await?;
        Ok(expect(read.as_deref() == Some("five"), || format!("{five} was published again and is {read:?}")))
    }
    .await;
    held.map_err(|error| error.to_string())?
}

fn first_hour() -> crate::model::Hour {
    crate::model::Hour::of_unix_seconds(0)
}

type Held = Result<Result<(), String>>;

fn expect(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

fn record(version: u64, text: &str) -> Versioned {
    Versioned { version, body: text.to_owned().into() }
}

async fn versions_follow_each_other(ledger: &dyn Ledger) -> Held {
    let key = "units/a/2026-11-21T05";
    if let Some(found) = ledger.head(key).await? {
        return Ok(Err(format!("an empty ledger has a record: {found:?}")));
    }
    for version in 1..=12 {
        let next = record(version, &format!("v{version}"));
        let swapped = ledger.swap(key, next.clone()).await?;
        let repeated = ledger.swap(key, record(version, "somebody else's")).await?;
        let head = ledger.head(key).await?;
        let held = swapped == CasOutcome::Committed && repeated == CasOutcome::Conflict && head == Some(next);
        if !held {
            return Ok(Err(format!("version {version}: {swapped:?}, then {repeated:?}, then {head:?}")));
        }
    }
    Ok(Ok(()))
}

async fn one_racer_wins_each_version(ledger: &dyn Ledger) -> Held {
    let key = "units/b/2026-11-21T05";
    for version in 1..=5 {
        let racers = (0..RACERS).map(|racer| ledger.swap(key, Versioned { version, body: format!("{racer}").into() }));
        let mut winners = Vec::new();
        for (racer, swapped) in join_all(racers).await.into_iter().enumerate() {
            if swapped? == CasOutcome::Committed {
                winners.push(racer.to_string());
            }
        }
        let head = ledger.head(key).await?.map(|head| String::from_utf8_lossy(&head.body).into_owned());
        if winners.len() != 1 || head.as_ref() != winners.first() {
            return Ok(Err(format!("version {version}: winners {winners:?}, the record says {head:?}")));
        }
    }
    Ok(Ok(()))
}

async fn scans_are_ordered_and_bounded(ledger: &dyn Ledger) -> Held {
    for hour in [7, 5, 6, 23] {
        for version in 1..=2 {
            ledger.swap(&format!("partitions/c/2026-11-21T{hour:02}"), record(version, "x")).await?;
        }
    }
    ledger.swap("partitions/cc/2026-11-21T06", record(1, "x")).await?;
    let found = ledger.scan("partitions/c/2026-11-21T05", "partitions/c/2026-11-21T23").await?;
    let keys: Vec<&str> = found.iter().map(|(key, _)| key.as_str()).collect();
    let hours = ["partitions/c/2026-11-21T05", "partitions/c/2026-11-21T06", "partitions/c/2026-11-21T07"];
    let newest = found.iter().all(|(_, record)| record.version == 2);
    Ok(expect(keys == hours && newest, || format!("a scan of three hours found {found:?}")))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::edge::ledger::{DynamoLedger, LakeLedger};
    use crate::edge::objects::Objects;
    use crate::location::Location;

    #[tokio::test(flavor = "multi_thread")]
    async fn the_lake_ledger_holds_in_memory_and_on_disk() {
        let memory = Objects::of_store(Arc::new(object_store::memory::InMemory::new()), "memory://");
        assert_eq!(ledger(&LakeLedger::new(memory)).await, Ok(()));
        let dir = tempfile::tempdir().unwrap();
        let disk = Objects::open(&Location::existing(dir.path().to_str().unwrap()).unwrap()).await.unwrap();
        assert_eq!(ledger(&LakeLedger::new(disk)).await, Ok(()));
    }

    #[tokio::test]
    async fn the_lake_catalog_holds() {
        let memory = Objects::of_store(Arc::new(object_store::memory::InMemory::new()), "memory://");
        assert_eq!(catalog(&crate::edge::catalog::LakeCatalog::new(memory)).await, Ok(()));
    }

    /// DynamoDB's protocol on a real server: `scripts/test` starts one and names it.
    #[tokio::test(flavor = "multi_thread")]
    async fn the_dynamodb_ledger_holds_on_a_server() {
        if std::env::var_os("AWS_ENDPOINT_URL_DYNAMODB").is_none() {
            eprintln!("not run: no AWS_ENDPOINT_URL_DYNAMODB names a server; scripts/test starts one");
            return;
        }
        let table = format!("ledger-{}", uuid::Uuid::new_v4().simple());
        DynamoLedger::create_table(&table).await.unwrap();
        DynamoLedger::create_table(&table).await.unwrap();
        assert_eq!(ledger(&DynamoLedger::open(&table, "one").await).await, Ok(()));
        assert_eq!(ledger(&DynamoLedger::open(&table, "another lake in the same table").await).await, Ok(()));
        let missing = DynamoLedger::open("no-such-table", "one").await.head("units/a/b").await.unwrap_err();
        assert!(missing.to_string().contains("edgemill init"), "{missing}");
    }

    /// Forgets to look whether a version is there: the suite must find it.
    #[derive(Debug)]
    struct Careless(LakeLedger, Objects);

    #[async_trait::async_trait]
    impl Ledger for Careless {
        async fn head(&self, key: &str) -> Result<Option<Versioned>> {
            self.0.head(key).await
        }

        async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome> {
            let path = object_store::path::Path::from(format!("_edgemill/{key}/{:010}.json", next.version));
            self.1.put(&path, next.body).await.map(|()| CasOutcome::Committed)
        }

        async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>> {
            self.0.scan(from, to).await
        }
    }

    #[tokio::test]
    async fn a_ledger_that_overwrites_is_found_out() {
        let memory = Objects::of_store(Arc::new(object_store::memory::InMemory::new()), "memory://");
        let careless = Careless(LakeLedger::new(memory.clone()), memory);
        assert!(ledger(&careless).await.unwrap_err().contains("version 1"));
    }
}
