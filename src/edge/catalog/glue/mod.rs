//! The Glue catalog: partitions in groups, whoever registers them.
//!
//! Partitions are created by `BatchCreatePartition`; one that is there already is compared, and put
//! right by `BatchUpdatePartition` where it differs. Limits: the Glue API reference (100 entries to
//! create or update, 1,000 to get).

mod tables;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_glue::Client;
use aws_sdk_glue::config::timeout::TimeoutConfig;
use aws_sdk_glue::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_glue::types::{
    BatchUpdatePartitionRequestEntry, Column, ErrorDetail, PartitionInput, PartitionValueList, SerDeInfo,
    StorageDescriptor,
};

use futures::future::BoxFuture;
pub use tables::{Change, Tables};

use super::coalesce::Coalesce;
use super::throttle::Throttle;
use super::{Catalog, Listed, PartitionLocation};
use crate::edge::{aws, aws_error, clock};
use crate::error::{Certainty, Error, Result};
use crate::kernel::ddl::Dialect;
use crate::kernel::schema;
use crate::model::{Partition, Table};

/// Partitions that one call creates or updates at most.
const SET_AT_A_TIME: usize = 100;

/// Partitions that one call gets at most.
const GOT_AT_A_TIME: usize = 1_000;

/// Calls until all keys of a look are answered; of those that are not by then nothing is known.
const GETS_AT_MOST: usize = 20;

/// One try of a call, and a call with all its tries. Creating, comparing and updating are three
/// calls, begun before half of D has passed; together with them D must not.
const TRY_SECONDS: u64 = 10;
const CALL_SECONDS: u64 = 28;

/// A lake whose D is shorter than this cannot have the catalog.
pub(super) const LEAST_LATE_SECONDS: u64 = 2 * 3 * CALL_SECONDS;

const INPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat";
const OUTPUT_FORMAT: &str = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat";
/// Hive's name for a partition's rows.
const ROWS: &str = "numRows";

const SERDE: &str = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe";

type Set = (Partition, PartitionLocation, Duration);

/// A lake's partitions in a Glue database.
#[derive(Debug)]
pub struct GlueCatalog {
    client: Client,
    database: String,
    lake_url: String,
    setting: [Coalesce<Set, Result<bool>>; Table::ALL.len()],
    getting: [Coalesce<Partition, Result<Found>>; Table::ALL.len()],
    /// What this process has told.
    told: Mutex<HashMap<Partition, PartitionLocation>>,
    patience: Throttle,
}

/// What came of a look.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// The folder that it has.
    At(String),
    Nowhere,
    /// The call failed for somebody who will tell.
    Again,
}

/// What the catalog says of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct State {
    pub(super) folder: String,
    /// Columns of today that it lacks, with their types.
    pub(super) missing_columns: Vec<(String, String)>,
}

async fn client() -> Client {
    let timeouts = TimeoutConfig::builder()
        .operation_attempt_timeout(Duration::from_secs(TRY_SECONDS))
        .operation_timeout(Duration::from_secs(CALL_SECONDS))
        .build();
    let config = aws_sdk_glue::config::Builder::from(&aws::config().await).timeout_config(timeouts).build();
    Client::from_conf(config)
}

impl GlueCatalog {
    /// The partitions of a lake in a database.
    pub async fn open(database: &str, lake_url: &str) -> Self {
        Self {
            client: client().await,
            database: database.to_owned(),
            lake_url: lake_url.to_owned(),
            setting: Default::default(),
            getting: Default::default(),
            told: Mutex::default(),
            patience: Throttle::default(),
        }
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
    async fn put_off<E>(&self, permission: &str, table: Table, error: SdkError<E>) -> Result<bool>
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let failed = self.failed(permission, "register in", table, &error);
        if aws_error::may_pass(&error) { self.patience.again(failed).await } else { Err(failed) }
    }

    /// Creates or corrects partitions of one table; what became of each.
    async fn set_all(&self, table: Table, wanted: Vec<Set>) -> Vec<Result<bool>> {
        let now = clock::since_boot();
        let (mut outcomes, mut inputs) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (index, (partition, place, until)) in wanted.iter().enumerate() {
            // The same partition twice in a call would be refused as a whole.
            let twice = wanted[..index].iter().any(|(of, ..)| of == partition);
            let sent = now <= *until && !twice;
            outcomes.push(Ok(false));
            if sent {
                inputs.push((index, input(*partition, place, &self.lake_url)));
            }
        }
        let until = wanted.iter().map(|(.., until)| *until).filter(|until| now <= *until).min().unwrap_or(now);
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
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        for ((partition, place, _), outcome) in wanted.into_iter().zip(&outcomes) {
            if matches!(outcome, Ok(true)) {
                told.insert(partition, place);
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
            Err(error) => return Err(self.put_off("BatchCreatePartition", table, error).await),
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
            self.patience.well();
        }
        let mut outcomes = Vec::with_capacity(inputs.len());
        for (_, input) in inputs {
            outcomes.push(match (error_of(input), corrected.remove(input.values())) {
                (None, _) => Ok(true),
                (_, Some(outcome)) => outcome,
                (Some(error), None) => self.entry(table, input, error).await,
            });
        }
        Ok(outcomes)
    }

    /// What an entry's own error means.
    async fn entry(&self, table: Table, input: &PartitionInput, error: &ErrorDetail) -> Result<bool> {
        let (code, message) = (error.error_code().unwrap_or_default(), error.error_message().unwrap_or_default());
        let source = format!("{}: {code}: {message}", input.values().join("/")).into();
        let certainty = Certainty::DidNotHappen;
        let failed = Error::Storage { action: "register in", path: self.path(table), certainty, source };
        if aws_error::is_passing(code) { self.patience.again(failed).await } else { Err(failed) }
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
            Err(error) => return Err(self.put_off("BatchGetPartition", table, error).await),
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
            self.patience.well();
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
            Err(error) => return Err(self.put_off("BatchUpdatePartition", table, error).await),
        };
        if updated.errors().is_empty() {
            self.patience.well();
        }
        for failure in updated.errors() {
            let input = differing.iter().find(|input| input.values() == failure.partition_value_list());
            if let (Some(input), Some(error)) = (input, failure.error_detail()) {
                // Somebody removed it in between: then it is created at the next try.
                let gone = error.error_code() == Some("EntityNotFoundException");
                let outcome = if gone { Ok(false) } else { self.entry(table, input, error).await };
                outcomes.insert(input.values().to_vec(), outcome);
            }
        }
        Ok(outcomes)
    }

    async fn get(
        &self,
        table: Table,
        values: Vec<Vec<String>>,
    ) -> Result<
        Vec<aws_sdk_glue::types::Partition>,
        SdkError<aws_sdk_glue::operation::batch_get_partition::BatchGetPartitionError>,
    > {
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
    pub(super) async fn states(&self, table: Table, partitions: &[Partition]) -> Result<Vec<Option<State>>> {
        let values = partitions.iter().map(Partition::values).collect();
        let found = self.get(table, values).await;
        let found = found.map_err(|error| self.failed("BatchGetPartition", "read", table, &error))?;
        let state = |partition: &Partition| {
            let descriptor = found.iter().find(|found| found.values() == partition.values())?.storage_descriptor()?;
            Some(State {
                folder: self.folder_of(descriptor.location().unwrap_or_default()),
                missing_columns: missing(descriptor.columns(), &columns(table)),
            })
        };
        Ok(partitions.iter().map(state).collect())
    }

    async fn folders(&self, table: Table, partitions: Vec<Partition>) -> Vec<Result<Found>> {
        let values = partitions.iter().map(Partition::values).collect();
        let found = match self.get(table, values).await {
            Ok(found) => found,
            Err(error) => {
                let told = Err(self.failed("BatchGetPartition", "read", table, &error));
                return std::iter::once(told).chain(partitions.iter().skip(1).map(|_| Ok(Found::Again))).collect();
            }
        };
        let folder = |partition: &Partition| {
            let found = found.iter().find(|found| found.values() == partition.values());
            let location = found.and_then(|found| found.storage_descriptor()?.location());
            location.map_or(Found::Nowhere, |location| Found::At(self.folder_of(location)))
        };
        partitions.iter().map(|partition| Ok(folder(partition))).collect()
    }

    /// A folder below the lake; of another place the whole location, which is no folder of ours.
    fn folder_of(&self, location: &str) -> String {
        let below = location.strip_prefix(&self.lake_url).and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(location).trim_end_matches('/').to_owned()
    }
}

fn failed<E>(permission: &str, action: &'static str, path: String, error: &SdkError<E>) -> Error
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    aws_error::failed("glue", permission, action, path, error)
}

/// Columns as Glue has them.
fn columns(table: Table) -> Vec<Column> {
    let column = |column: &schema::Column| {
        let kind = Dialect::Athena.type_name(column.kind);
        Column::builder().name(column.name).r#type(kind).comment(column.doc).build().ok()
    };
    schema::columns(table).iter().filter_map(column).collect()
}

fn descriptor(table: Table, location: String) -> StorageDescriptor {
    let serde = SerDeInfo::builder().serialization_library(SERDE).parameters("serialization.format", "1").build();
    StorageDescriptor::builder()
        .set_columns(Some(columns(table)))
        .location(location)
        .input_format(INPUT_FORMAT)
        .output_format(OUTPUT_FORMAT)
        .serde_info(serde)
        .build()
}

/// A partition as the catalog is to have it. `numRows`, `totalSize` and `numFiles` are Hive's
/// names, which planners read.
fn input(partition: Partition, place: &PartitionLocation, lake_url: &str) -> PartitionInput {
    PartitionInput::builder()
        .set_values(Some(partition.values()))
        .storage_descriptor(descriptor(partition.table, format!("{lake_url}/{}/", place.folder)))
        .parameters(ROWS, place.rows.to_string())
        .parameters("totalSize", place.size_bytes.to_string())
        .parameters("numFiles", place.files.to_string())
        .build()
}

/// Whether two descriptors say the same of where the files lie and how they are read.
fn alike(ours: &StorageDescriptor, theirs: &StorageDescriptor) -> bool {
    let location =
        |descriptor: &StorageDescriptor| descriptor.location().unwrap_or_default().trim_end_matches('/').to_owned();
    location(ours) == location(theirs) && same_columns(ours.columns(), theirs.columns())
}

fn same_columns(ours: &[Column], theirs: &[Column]) -> bool {
    let names = |columns: &[Column]| -> Vec<(String, String)> {
        columns
            .iter()
            .map(|column| (column.name().to_owned(), column.r#type().unwrap_or_default().to_owned()))
            .collect()
    };
    names(ours) == names(theirs)
}

/// Names and types of columns that others lack.
fn missing(theirs: &[Column], ours: &[Column]) -> Vec<(String, String)> {
    let lacks = |column: &&Column| !theirs.iter().any(|there| there.name() == column.name());
    let of = |column: &Column| (column.name().to_owned(), column.r#type().unwrap_or_default().to_owned());
    ours.iter().filter(lacks).map(of).collect()
}

#[async_trait]
impl Catalog for GlueCatalog {
    async fn folder(&self, partition: Partition) -> Result<Option<String>> {
        let table = partition.table;
        let send = |partitions| -> BoxFuture<'_, _> { Box::pin(self.folders(table, partitions)) };
        loop {
            match self.getting[table as usize].ask(partition, GOT_AT_A_TIME, &send).await {
                Some(Ok(Found::At(folder))) => return Ok(Some(folder)),
                Some(Ok(Found::Nowhere)) => return Ok(None),
                Some(Err(error)) => return Err(error),
                Some(Ok(Found::Again)) | None => {}
            }
        }
    }

    async fn set(&self, partition: Partition, place: &PartitionLocation, until: Duration) -> Result<bool> {
        let table = partition.table;
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.set_all(table, wanted)) };
        let wanted = (partition, place.clone(), until);
        self.setting[table as usize].ask(wanted, SET_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    fn has_told(&self, partition: Partition, place: &PartitionLocation) -> bool {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(&partition) == Some(place)
    }

    async fn partitions(&self, table: Table) -> Result<Vec<Listed>> {
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
                let current = descriptor.is_some_and(|descriptor| same_columns(&today, descriptor.columns()));
                let rows = found.parameters().and_then(|parameters| parameters.get(ROWS)?.parse().ok());
                listed.push(Listed { partition, folder: self.folder_of(location), current, rows });
            }
        }
        listed.sort_by_key(|listed| listed.partition);
        Ok(listed)
    }
}
