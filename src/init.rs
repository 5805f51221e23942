//! Makes what a lake needs beside its files, or brings it up to date: the ledger's table, the
//! catalog's tables and views, and every partition in it.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use crate::edge::athena::Athena;
use crate::edge::catalog::{CatalogChange, GlueTables, statement_output};
use crate::edge::claims::Claims;
use crate::edge::ledger::DynamoLedger;
use crate::error::Result;
use crate::kernel::ledger::records::PartitionRecord;
use crate::lake::people::Chosen;
use crate::lake::{CatalogChoice, Lake, LedgerChoice, NewLake};
use crate::model::access::Access;
use crate::model::{Partition, Table};
use crate::progress::{Measure, Progress};
use crate::protocol_driver;
use crate::recovery;

/// Partitions registered at a time: calls to the catalog take up to 100 of a table.
const REGISTERED_AT_A_TIME: usize = 256;

/// What a lake is to be.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// Where it lies.
    pub to: String,
    /// What it is made with.
    pub new: NewLake,
    /// Its catalog, where one is named.
    pub catalog: Option<CatalogChoice>,
    /// How its place is reached.
    pub access: Access,
    /// What it keeps of people from now on, as a stamp, and in which tables of logs; as before,
    /// where nothing is said.
    pub keeps: Option<(String, Vec<Table>)>,
    /// How long another machine's claim holds that nobody renews.
    pub lease: Duration,
    /// How old a folder of unfinished work is that is taken for a dead process's.
    pub orphan_age: Duration,
}

/// What was done.
#[derive(Debug)]
pub struct InitReport {
    /// The lake.
    pub lake: Lake,
    /// What was made and upgraded in the catalog.
    pub changes: Vec<CatalogChange>,
    /// Partitions that the catalog did not have, or had otherwise.
    pub registered: u64,
    /// What it keeps of people in each table of logs of which it knows.
    pub kept: Vec<Chosen>,
}

/// Makes or upgrades a lake.
pub async fn init(options: &InitOptions) -> Result<InitReport> {
    if let Some(LedgerChoice::Dynamodb { table }) = &options.new.ledger {
        DynamoLedger::create_table(table).await?;
    }
    let mut lake = Lake::open_or_create(&options.to, &options.new, &options.access).await?;
    if let Some(catalog) = &options.catalog {
        lake.choose_catalog(catalog.clone(), options.lease).await?;
    }
    let kept = choose_kept(&lake, options).await?;
    let changes = upgrade(&lake).await?;
    let registered = register_all(&lake, options).await?;
    Ok(InitReport { lake, changes, registered, kept })
}

/// What the lake keeps of people, once that is as the options ask.
async fn choose_kept(lake: &Lake, options: &InitOptions) -> Result<Vec<Chosen>> {
    let mut kept = Vec::new();
    for table in Table::LOGS {
        match &options.keeps {
            Some((keeps, tables)) if tables.contains(&table) => {
                kept.push(lake.choose_kept(table, keeps, options.lease).await?);
            }
            _ => {
                let known = lake.kept_of_people(table).await?;
                kept.extend(known.map(|(_, now)| Chosen { table, was: Some(now.keeps.clone()), now }));
            }
        }
    }
    Ok(kept)
}

/// The tables and views of the lake's catalog.
async fn upgrade(lake: &Lake) -> Result<Vec<CatalogChange>> {
    let Some((database, projected)) = lake.chosen.database() else { return Ok(Vec::new()) };
    let url = lake.objects.url();
    let tables = GlueTables::of(database, url, lake.identity.partition, projected).await;
    let tables = match &lake.chosen {
        CatalogChoice::Athena { workgroup, database } => {
            tables.by_statements(Athena::open(workgroup, database, statement_output(url)).await)
        }
        _ => tables,
    };
    tables.upgrade().await
}

/// Registers every partition that the catalog has not, has elsewhere, or has with other rows or the
/// columns of another version.
async fn register_all(lake: &Lake, options: &InitOptions) -> Result<u64> {
    let Some(catalog) = lake.catalog.as_ref() else { return Ok(0) };
    if lake.objects.list_names("_edgemill/manifests").await?.is_empty() {
        return Ok(0);
    }
    // Rewrites that were opened before the lake had a catalog end first; they point the catalog
    // themselves.
    recovery::recover_fully(lake, &Claims::new(lake.objects.clone(), options.lease), options.orphan_age).await?;
    let mut wanted: Vec<Partition> = Vec::new();
    for table in Table::ALL {
        let records = lake.records.partitions(table, None).await?;
        if records.is_empty() {
            continue;
        }
        let listed = catalog.list(table).await?;
        let current = |record: &PartitionRecord| {
            let place = listed.binary_search_by_key(&record.partition, |of| of.partition);
            let found = place.ok().map(|place| &listed[place]);
            let rows: u64 = record.files().map(|file| file.rows).sum();
            found.is_some_and(|of| {
                of.has_current_columns && of.location == record.folder && of.rows.is_none_or(|told| told == rows)
            })
        };
        let missing = records.iter().filter(|record| {
            let rests = record.rewrite.is_none() && !record.parts.is_empty();
            let noted = record.registered.as_ref() == Some(&record.folder);
            rests && !(noted && current(record))
        });
        wanted.extend(missing.map(|record| record.partition));
    }
    let count = wanted.len() as u64;
    let progress = Progress::begin(Measure::Partitions, count, count);
    let one = |partition: Partition| async move { protocol_driver::register(lake, partition).await };
    let mut registered = futures::stream::iter(wanted.into_iter().map(one)).buffer_unordered(REGISTERED_AT_A_TIME);
    while registered.try_next().await?.is_some() {
        progress.add(1);
    }
    Ok(count)
}
