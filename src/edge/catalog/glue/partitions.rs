//! Partitions by Glue's own calls, many in one call, whoever publishes them.
//!
//! Partitions are created by `BatchCreatePartition`; one that is there already is compared, and put
//! right by `BatchUpdatePartition` where it differs. Limits: the Glue API reference (100 entries to
//! create or update, 25 to delete, 1,000 to get).

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_glue::Client;
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::operation::batch_get_partition::BatchGetPartitionError;
use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, ErrorDetail, Partition as GluePartition, PartitionInput, PartitionValueList,
    StorageDescriptor,
};
use futures::future::BoxFuture;

use super::client::{client, failed};
use super::shape::{PartitionState, ROWS, alike, columns, input, missing, same_columns};
use crate::edge::catalog::coalesce::{Coalesce, PublishRequest, WithdrawRequest, in_time};
use crate::edge::catalog::interface::{Catalog, CatalogEntry, Publication};
use crate::edge::catalog::throttle::Throttle;
use crate::edge::{aws_error, clock};
use crate::error::{Certainty, Error, Result};
use crate::model::{Partition, Table};

/// Partitions that one call creates or updates at most.
const PUBLISHED_AT_A_TIME: usize = 100;

/// Partitions that one call deletes at most.
const DELETED_AT_A_TIME: usize = 25;

/// Partitions that one call gets at most.
const GOT_AT_A_TIME: usize = 1_000;

/// Calls until all keys of a look are answered; of those that are not by then nothing is known.
const GETS_AT_MOST: usize = 20;

/// A lake's partitions in a Glue database.
#[derive(Debug)]
pub struct GlueCatalog {
    client: Client,
    database: String,
    lake_url: String,
    publishing: [Coalesce<PublishRequest, Result<bool>>; Table::ALL.len()],
    withdrawing: [Coalesce<WithdrawRequest, Result<bool>>; Table::ALL.len()],
    getting: [Coalesce<Partition, Result<Lookup>>; Table::ALL.len()],
    /// The numbers that this process has published.
    published: Mutex<HashMap<Partition, PublishedNumbers>>,
    throttle: Throttle,
}

/// Where a partition's files lie, and how much that is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct PublishedNumbers {
    location: String,
    rows: u64,
    size_bytes: u64,
    files: usize,
}

impl PublishedNumbers {
    fn of(publication: &Publication) -> Self {
        let (rows, size_bytes) = (publication.rows(), publication.size_bytes());
        Self { location: publication.location.clone(), rows, size_bytes, files: publication.files.len() }
    }
}

/// What a call said of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Lookup {
    /// The location that it has.
    At(String),
    Nowhere,
    /// The call failed for somebody who will tell.
    Again,
}

impl GlueCatalog {
    /// The partitions of a lake in a database.
    pub async fn open(database: &str, lake_url: &str) -> Self {
        Self {
            client: client().await,
            database: database.to_owned(),
            lake_url: lake_url.to_owned(),
            publishing: Default::default(),
            withdrawing: Default::default(),
            getting: Default::default(),
            published: Mutex::default(),
            throttle: Throttle::default(),
        }
    }

    fn published(&self) -> MutexGuard<'_, HashMap<Partition, PublishedNumbers>> {
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, table: Table) -> String {
        format!("glue:{}.{table}", self.database)
    }

    fn failed<E>(&self, permission: &str, action: &'static str, table: Table, error: &SdkError<E>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        failed(permission, action, self.path(table), error)
    }

    /// What a failed call means for those that it was sent for: a service that will not take it now
    /// is asked again after the record has been read again.
    async fn put_off<E>(&self, permission: &str, action: &'static str, table: Table, error: SdkError<E>) -> Result<bool>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let failed = self.failed(permission, action, table, &error);
        if aws_error::may_pass(&error) { self.throttle.again(failed).await } else { Err(failed) }
    }

    /// Creates or corrects partitions of one table; what became of each.
    async fn publish_all(&self, table: Table, wanted: Vec<PublishRequest>) -> Vec<Result<bool>> {
        let now = clock::since_boot();
        let (mut outcomes, mut inputs) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (index, request) in wanted.iter().enumerate() {
            // The same partition twice in a call would be refused as a whole.
            let partition = request.publication.partition;
            let twice = wanted[..index].iter().any(|earlier| earlier.publication.partition == partition);
            outcomes.push(Ok(false));
            if now <= request.until && !twice {
                inputs.push((index, input(&request.publication, &self.lake_url)));
            }
        }
        let until = wanted.iter().map(|request| request.until).filter(|until| now <= *until).min().unwrap_or(now);
        match self.create(table, &inputs, until).await {
            Ok(created) => {
                for ((index, _), outcome) in inputs.iter().zip(created) {
                    outcomes[*index] = outcome;
                }
            }
            // One tells the error; the others read their records and ask again.
            Err(outcome) => {
                if let Some((index, _)) = inputs.first() {
                    outcomes[*index] = outcome;
                }
            }
        }
        let mut published = self.published();
        for (request, outcome) in wanted.iter().zip(&outcomes) {
            if matches!(outcome, Ok(true)) {
                published.insert(request.publication.partition, PublishedNumbers::of(&request.publication));
            }
        }
        outcomes
    }

    async fn create(
        &self,
        table: Table,
        inputs: &[(usize, PartitionInput)],
        until: Duration,
    ) -> Result<Vec<Result<bool>>, Result<bool>> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        let call = self.client.batch_create_partition().database_name(&self.database).table_name(table.name());
        let call = call.set_partition_input_list(Some(inputs.iter().map(|(_, input)| input.clone()).collect()));
        let created = match call.send().await {
            Ok(created) => created,
            Err(error) => return Err(self.put_off("BatchCreatePartition", "register in", table, error).await),
        };
        let errors: HashMap<Vec<String>, &ErrorDetail> = created
            .errors()
            .iter()
            .filter_map(|entry| Some((entry.partition_values().to_vec(), entry.error_detail()?)))
            .collect();
        let error_of = |input: &PartitionInput| errors.get(input.values()).copied();
        let there: Vec<&PartitionInput> = inputs
            .iter()
            .map(|(_, input)| input)
            .filter(|input| error_of(input).is_some_and(|error| error.error_code() == Some("AlreadyExistsException")))
            .collect();
        let mut corrected = self.correct(table, &there, until).await?;
        if inputs.iter().any(|(_, input)| error_of(input).is_none()) {
            self.throttle.well();
        }
        let mut outcomes = Vec::with_capacity(inputs.len());
        for (_, input) in inputs {
            outcomes.push(match (error_of(input), corrected.remove(input.values())) {
                (None, _) => Ok(true),
                (_, Some(outcome)) => outcome,
                (Some(error), None) => self.entry("register in", table, input.values(), error).await,
            });
        }
        Ok(outcomes)
    }

    /// What an entry's own error means.
    async fn entry(&self, action: &'static str, table: Table, values: &[String], error: &ErrorDetail) -> Result<bool> {
        let (code, message) = (error.error_code().unwrap_or_default(), error.error_message().unwrap_or_default());
        let source = format!("{}: {code}: {message}", values.join("/")).into();
        let certainty = Certainty::DidNotHappen;
        let failed = Error::Storage { action, path: self.path(table), certainty, source };
        if aws_error::is_passing(code) { self.throttle.again(failed).await } else { Err(failed) }
    }

    /// Puts partitions right that are there already; what became of each, by its values.
    async fn correct(
        &self,
        table: Table,
        wanted: &[&PartitionInput],
        until: Duration,
    ) -> Result<HashMap<Vec<String>, Result<bool>>, Result<bool>> {
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let values: Vec<Vec<String>> = wanted.iter().map(|input| input.values().to_vec()).collect();
        let there = match self.get(table, values).await {
            Ok(there) => there,
            Err(error) => return Err(self.put_off("BatchGetPartition", "register in", table, error).await),
        };
        let same = |input: &PartitionInput| {
            let found = there.iter().find(|found| found.values() == input.values());
            found.is_some_and(|found| {
                let (ours, theirs) = (input.storage_descriptor(), found.storage_descriptor());
                let numbers = |name: &str| found.parameters().and_then(|parameters| parameters.get(name));
                let told = |(name, value): (&String, &String)| numbers(name) == Some(value);
                ours.zip(theirs).is_some_and(|(ours, theirs)| alike(ours, theirs))
                    && input.parameters().is_some_and(|parameters| parameters.iter().all(told))
            })
        };
        let mut outcomes: HashMap<Vec<String>, Result<bool>> =
            wanted.iter().map(|input| (input.values().to_vec(), Ok(true))).collect();
        let differing: Vec<&PartitionInput> = wanted.iter().copied().filter(|input| !same(input)).collect();
        if differing.is_empty() {
            self.throttle.well();
            return Ok(outcomes);
        }
        if clock::since_boot() > until {
            return Err(Ok(false));
        }
        let entry = |input: &&PartitionInput| {
            let entry = BatchUpdatePartitionRequestEntry::builder();
            entry.set_partition_value_list(Some(input.values().to_vec())).partition_input((*input).clone()).build().ok()
        };
        let call = self.client.batch_update_partition().database_name(&self.database).table_name(table.name());
        let call = call.set_entries(Some(differing.iter().filter_map(entry).collect()));
        let updated = match call.send().await {
            Ok(updated) => updated,
            Err(error) => return Err(self.put_off("BatchUpdatePartition", "register in", table, error).await),
        };
        if updated.errors().is_empty() {
            self.throttle.well();
        }
        for failure in updated.errors() {
            let input = differing.iter().find(|input| input.values() == failure.partition_value_list());
            if let (Some(input), Some(error)) = (input, failure.error_detail()) {
                // Somebody removed it in between: then it is created at the next try.
                let gone = error.error_code() == Some("EntityNotFoundException");
                let outcome =
                    if gone { Ok(false) } else { self.entry("register in", table, input.values(), error).await };
                outcomes.insert(input.values().to_vec(), outcome);
            }
        }
        Ok(outcomes)
    }

    /// Deletes partitions of one table; what became of each. One that is not there is fine.
    async fn withdraw_all(&self, table: Table, wanted: Vec<WithdrawRequest>) -> Vec<Result<bool>> {
        let sent = in_time(&wanted);
        let mut outcomes: Vec<Result<bool>> = wanted.iter().map(|_| Ok(false)).collect();
        let Some(first) = sent.first().copied() else { return outcomes };
        let values_of = |index: usize| wanted[index].partition.values();
        let key = |index: &usize| PartitionValueList::builder().set_values(Some(values_of(*index))).build().ok();
        let keys = sent.iter().filter_map(key).collect();
        let call = self.client.batch_delete_partition().database_name(&self.database).table_name(table.name());
        let deleted = match call.set_partitions_to_delete(Some(keys)).send().await {
            Ok(deleted) => deleted,
            // One tells the error; the others read their records and ask again.
            Err(error) => {
                outcomes[first] = self.put_off("BatchDeletePartition", "withdraw from", table, error).await;
                return outcomes;
            }
        };
        let errors: HashMap<&[String], &ErrorDetail> = deleted
            .errors()
            .iter()
            .filter_map(|entry| Some((entry.partition_values(), entry.error_detail()?)))
            .filter(|(_, error)| error.error_code() != Some("EntityNotFoundException"))
            .collect();
        if errors.len() < sent.len() {
            self.throttle.well();
        }
        for index in sent {
            let values = values_of(index);
            outcomes[index] = match errors.get(values.as_slice()) {
                None => Ok(true),
                Some(error) => self.entry("withdraw from", table, &values, error).await,
            };
        }
        outcomes
    }

    async fn get(
        &self,
        table: Table,
        values: Vec<Vec<String>>,
    ) -> Result<Vec<GluePartition>, SdkError<BatchGetPartitionError>> {
        let key = |values: Vec<String>| PartitionValueList::builder().set_values(Some(values)).build().ok();
        let mut keys: Vec<PartitionValueList> = values.into_iter().filter_map(key).collect();
        let mut found = Vec::new();
        for _ in 0..GETS_AT_MOST {
            if keys.is_empty() {
                break;
            }
            let call = self.client.batch_get_partition().database_name(&self.database).table_name(table.name());
            let got = call.set_partitions_to_get(Some(keys)).send().await?;
            found.extend(got.partitions().iter().cloned());
            // What the service did not get to, as it says.
            keys = got.unprocessed_keys().to_vec();
        }
        Ok(found)
    }

    /// What the catalog says of partitions of one table, each where it knows it.
    pub(crate) async fn states(&self, table: Table, partitions: &[Partition]) -> Result<Vec<Option<PartitionState>>> {
        let values = partitions.iter().map(Partition::values).collect();
        let found = self.get(table, values).await;
        let found = found.map_err(|error| self.failed("BatchGetPartition", "read", table, &error))?;
        let state = |partition: &Partition| {
            let descriptor = found.iter().find(|found| found.values() == partition.values())?.storage_descriptor()?;
            Some(PartitionState {
                location: self.below_the_lake(descriptor.location().unwrap_or_default()),
                missing_columns: missing(descriptor.columns(), &columns(table)),
            })
        };
        Ok(partitions.iter().map(state).collect())
    }

    async fn look_up(&self, table: Table, partitions: Vec<Partition>) -> Vec<Result<Lookup>> {
        let values = partitions.iter().map(Partition::values).collect();
        let found = match self.get(table, values).await {
            Ok(found) => found,
            Err(error) => {
                let told = Err(self.failed("BatchGetPartition", "read", table, &error));
                return std::iter::once(told).chain(partitions.iter().skip(1).map(|_| Ok(Lookup::Again))).collect();
            }
        };
        let location = |partition: &Partition| {
            let found = found.iter().find(|found| found.values() == partition.values());
            let location = found.and_then(|found| found.storage_descriptor()?.location());
            location.map_or(Lookup::Nowhere, |location| Lookup::At(self.below_the_lake(location)))
        };
        partitions.iter().map(|partition| Ok(location(partition))).collect()
    }

    /// A folder below the lake; of another place the whole location, which is no folder of ours.
    fn below_the_lake(&self, location: &str) -> String {
        let below = location.strip_prefix(&self.lake_url).and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(location).trim_end_matches('/').to_owned()
    }
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn publish(&self, publication: &Publication, until: Duration) -> Result<bool> {
        let table = publication.partition.table;
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.publish_all(table, wanted)) };
        let request = PublishRequest { publication: publication.clone(), until };
        self.publishing[table as usize].ask(request, PUBLISHED_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    async fn withdraw(&self, partition: Partition, until: Duration) -> Result<bool> {
        let table = partition.table;
        self.published().remove(&partition);
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.withdraw_all(table, wanted)) };
        let request = WithdrawRequest { partition, until };
        self.withdrawing[table as usize].ask(request, DELETED_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    fn knows_numbers(&self, publication: &Publication) -> bool {
        self.published().get(&publication.partition) == Some(&PublishedNumbers::of(publication))
    }

    async fn shown(&self, partition: Partition) -> Result<Option<String>> {
        let table = partition.table;
        let send = |partitions| -> BoxFuture<'_, _> { Box::pin(self.look_up(table, partitions)) };
        loop {
            match self.getting[table as usize].ask(partition, GOT_AT_A_TIME, &send).await {
                Some(Ok(Lookup::At(location))) => return Ok(Some(location)),
                Some(Ok(Lookup::Nowhere)) => return Ok(None),
                Some(Err(error)) => return Err(error),
                Some(Ok(Lookup::Again)) | None => {}
            }
        }
    }

    async fn list(&self, table: Table) -> Result<Vec<CatalogEntry>> {
        let call = self.client.get_partitions().database_name(&self.database).table_name(table.name());
        let mut pages = call.into_paginator().send();
        let (mut listed, today) = (Vec::new(), columns(table));
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| self.failed("GetPartitions", "list", table, &error))?;
            for found in page.partitions() {
                let values: Vec<&str> = found.values().iter().map(String::as_str).collect();
                let Some(partition) = Partition::of_values(table, &values) else {
                    tracing::warn!(
                        "{}: a partition that edgemill did not make: {}",
                        self.path(table),
                        values.join("/")
                    );
                    continue;
                };
                let descriptor = found.storage_descriptor();
                let location = descriptor.and_then(StorageDescriptor::location).unwrap_or_default();
                let has_current_columns =
                    descriptor.is_some_and(|descriptor| same_columns(&today, descriptor.columns()));
                let rows = found.parameters().and_then(|parameters| parameters.get(ROWS)?.parse().ok());
                let location = self.below_the_lake(location);
                listed.push(CatalogEntry { partition, location, has_current_columns, rows });
            }
        }
        listed.sort_by_key(|entry| entry.partition);
        Ok(listed)
    }
}
