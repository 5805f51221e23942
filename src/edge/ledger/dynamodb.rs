//! The ledger in a DynamoDB table: one item per record, changed by conditional writes.
//!
//! The partition key is the lake's id and the record's folder (`<lake>/units/cloudfront_logs`), the
//! sort key its name (an hour), so that a range of hours is one query and many lakes can share a
//! table. An item holds the record's version, its body, and the nonce of the write that made it: a
//! conditional write that failed may be a retry of one that had succeeded unseen, and only the
//! nonce tells.

use std::collections::HashMap;
use std::io::{Read, Write};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, ReturnValuesOnConditionCheckFailure,
    ScalarAttributeType, TableStatus,
};
use bytes::Bytes;

use super::interface::{Ledger, Versioned};
use crate::edge::{aws, aws_error};
use crate::error::{Certainty, Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;

const FOLDER: &str = "folder";
const NAME: &str = "name";
const VERSION: &str = "version";
const BODY: &str = "body";
const NONCE: &str = "nonce";

/// Bodies from this size on are compressed.
const LONG_BODY_BYTES: usize = 32 << 10;

/// Seconds that a new table is waited for.
const CREATION_SECONDS: u64 = 120;

type Item = HashMap<String, AttributeValue>;

/// A ledger in a table.
#[derive(Clone, Debug)]
pub struct DynamoLedger {
    client: Client,
    table: String,
    lake_id: String,
}

impl DynamoLedger {
    /// The ledger of a lake in a table that is there.
    pub async fn open(table: &str, lake_id: &str) -> Self {
        Self { client: Client::new(&aws::config().await), table: table.to_owned(), lake_id: lake_id.to_owned() }
    }

    /// Makes the table, with on-demand capacity, where it is not there yet; refuses one of another
    /// shape.
    pub async fn create_table(table: &str) -> Result<()> {
        let client = Client::new(&aws::config().await);
        let ledger = Self { client, table: table.to_owned(), lake_id: String::new() };
        if ledger.describe().await?.is_none() {
            ledger.create().await?;
        }
        for _ in 0..CREATION_SECONDS {
            if ledger.describe().await? == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
        Err(ledger.failed("create", Certainty::MayHaveHappened, "it is not active after two minutes".into()))
    }

    async fn create(&self) -> Result<()> {
        let attribute =
            |name| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
        let key = |name, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let refused = |error| self.failed("create", Certainty::DidNotHappen, Box::new(error));
        let created = self
            .client
            .create_table()
            .table_name(&self.table)
            .attribute_definitions(attribute(FOLDER).map_err(refused)?)
            .attribute_definitions(attribute(NAME).map_err(refused)?)
            .key_schema(key(FOLDER, KeyType::Hash).map_err(refused)?)
            .key_schema(key(NAME, KeyType::Range).map_err(refused)?)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        match created {
            Ok(_) => Ok(()),
            // Somebody else makes it at the same time.
            Err(error) if error.code() == Some("ResourceInUseException") => Ok(()),
            Err(error) => Err(self.sdk("CreateTable", "create", &error)),
        }
    }

    /// The table's state, or nothing where there is none; refuses one of another shape.
    async fn describe(&self) -> Result<Option<TableStatus>> {
        let described = match self.client.describe_table().table_name(&self.table).send().await {
            Ok(described) => described.table,
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
            Err(error) => return Err(self.sdk("DescribeTable", "describe", &error)),
        };
        let Some(description) = described else { return Ok(None) };
        let keys: Vec<(&str, &KeyType)> =
            description.key_schema().iter().map(|key| (key.attribute_name(), key.key_type())).collect();
        if keys != [(FOLDER, &KeyType::Hash), (NAME, &KeyType::Range)] {
            return Err(Error::usage(
                format!("the DynamoDB table '{}' is no ledger of edgemill: its keys are {keys:?}", self.table),
                "name another table; edgemill init makes it",
            ));
        }
        Ok(description.table_status)
    }

    fn key(&self, folder: &str) -> AttributeValue {
        AttributeValue::S(format!("{}/{folder}", self.lake_id))
    }

    fn failed(&self, action: &'static str, certainty: Certainty, source: crate::error::Cause) -> Error {
        Error::Storage { action, path: format!("dynamodb:{}", self.table), certainty, source }
    }

    /// A failed call, with what the service said and whether it may have happened.
    fn sdk<E>(&self, permission: &str, action: &'static str, error: &SdkError<E>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        if error.code() == Some("ResourceNotFoundException") {
            return Error::usage(
                format!("there is no DynamoDB table '{}'", self.table),
                format!("make it with: edgemill init --to LAKE --ledger dynamodb:{}", self.table),
            );
        }
        aws_error::failed("dynamodb", permission, action, format!("dynamodb:{}", self.table), error)
    }

    fn versioned(&self, item: &Item) -> Result<Versioned> {
        let damaged = |what: &str| Error::LedgerDamaged {
            path: format!("dynamodb:{}/{}", self.table, name_of(item)),
            source: format!("its item has no {what}").into(),
        };
        let version = item.get(VERSION).and_then(|value| value.as_n().ok()).and_then(|text| text.parse().ok());
        let body = item.get(BODY).and_then(unpacked);
        // A body that cannot be unpacked is no record, which whoever reads it says of this one.
        Ok(Versioned { version: version.ok_or_else(|| damaged(VERSION))?, body: body.unwrap_or_default() })
    }
}

/// A body as an item holds it: text, and gzip where it is long. An item holds 400 KB, and a
/// partition may have thousands of files, whose names are much alike.
fn packed(body: &[u8]) -> Result<AttributeValue, crate::error::Cause> {
    if body.len() < LONG_BODY_BYTES {
        return Ok(AttributeValue::S(String::from_utf8(body.to_vec())?));
    }
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(body)?;
    Ok(AttributeValue::B(Blob::new(encoder.finish()?)))
}

fn unpacked(value: &AttributeValue) -> Option<Bytes> {
    match value {
        AttributeValue::S(text) => Some(text.clone().into()),
        AttributeValue::B(blob) => {
            let mut body = Vec::new();
            flate2::read::GzDecoder::new(blob.as_ref()).read_to_end(&mut body).ok()?;
            Some(body.into())
        }
        _ => None,
    }
}

fn name_of(item: &Item) -> String {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
    format!("{}/{}", text(FOLDER), text(NAME))
}

/// `units/cloudfront_logs/2026-11-21T05` is folder `units/cloudfront_logs`, name `2026-11-21T05`.
fn split(key: &str) -> (&str, &str) {
    key.rsplit_once('/').unwrap_or(("", key))
}

#[async_trait]
impl Ledger for DynamoLedger {
    async fn head(&self, key: &str) -> Result<Option<Versioned>> {
        let (folder, name) = split(key);
        let call = self.client.get_item().table_name(&self.table).consistent_read(true);
        let got = call.key(FOLDER, self.key(folder)).key(NAME, AttributeValue::S(name.to_owned())).send().await;
        let got = got.map_err(|error| self.sdk("GetItem", "read", &error))?;
        got.item.as_ref().map(|item| self.versioned(item)).transpose()
    }

    async fn swap(&self, key: &str, next: Versioned) -> Result<CasOutcome> {
        let (folder, name) = split(key);
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let body = packed(&next.body).map_err(|error| self.failed("write", Certainty::DidNotHappen, error))?;
        let mut call = self
            .client
            .put_item()
            .table_name(&self.table)
            .item(FOLDER, self.key(folder))
            .item(NAME, AttributeValue::S(name.to_owned()))
            .item(VERSION, AttributeValue::N(next.version.to_string()))
            .item(BODY, body)
            .item(NONCE, AttributeValue::S(nonce.clone()))
            .expression_attribute_names("#version", VERSION)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        call = if next.version == 1 {
            call.condition_expression("attribute_not_exists(#version)")
        } else {
            let before = AttributeValue::N((next.version - 1).to_string());
            call.condition_expression("#version = :before").expression_attribute_values(":before", before)
        };
        match call.send().await {
            Ok(_) => Ok(CasOutcome::Committed),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(beaten(failed.item(), next.version, &nonce))
                }
                _ if aws_error::certainty(&error) == Certainty::MayHaveHappened => {
                    tracing::debug!(key, "a write to the ledger may have happened: {}", aws_error::said(&error));
                    Ok(CasOutcome::Indeterminate)
                }
                _ => Err(self.sdk("PutItem", "write", &error)),
            },
        }
    }

    async fn scan(&self, from: &str, to: &str) -> Result<Vec<(String, Versioned)>> {
        let ((folder, first), (end_folder, end)) = (split(from), split(to));
        let mut call = self.client.query().table_name(&self.table).consistent_read(true);
        call =
            call.expression_attribute_names("#folder", FOLDER).expression_attribute_values(":folder", self.key(folder));
        let bounded = end_folder == folder;
        let condition = match (first.is_empty(), bounded) {
            (true, false) => "#folder = :folder",
            (true, true) => "#folder = :folder AND #name < :end",
            (false, false) => "#folder = :folder AND #name >= :first",
            (false, true) => "#folder = :folder AND #name BETWEEN :first AND :end",
        };
        if !first.is_empty() {
            call = call.expression_attribute_values(":first", AttributeValue::S(first.to_owned()));
        }
        if bounded {
            call = call.expression_attribute_values(":end", AttributeValue::S(end.to_owned()));
        }
        if bounded || !first.is_empty() {
            call = call.expression_attribute_names("#name", NAME);
        }
        let mut items = call.key_condition_expression(condition).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(item) = items.next().await {
            let item = item.map_err(|error| self.sdk("Query", "scan", &error))?;
            let name = item.get(NAME).and_then(|value| value.as_s().ok()).cloned().unwrap_or_default();
            let key = format!("{folder}/{name}");
            // BETWEEN holds its end.
            if key.as_str() < to {
                found.push((key, self.versioned(&item)?));
            }
        }
        Ok(found)
    }
}

/// What a failed condition says, by the item that stood in the way.
fn beaten(item: Option<&Item>, version: u64, nonce: &str) -> CasOutcome {
    let Some(item) = item else { return CasOutcome::Indeterminate };
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok().or_else(|| value.as_n().ok()));
    let theirs: Option<u64> = text(VERSION).and_then(|text| text.parse().ok());
    match theirs {
        // Our own write, whose answer was lost on the way.
        Some(_) if text(NONCE).is_some_and(|theirs| theirs == nonce) => CasOutcome::Committed,
        // Our version is another's.
        Some(theirs) if theirs == version => CasOutcome::Conflict,
        // It has gone on since; whose our version was, this item does not tell.
        _ => CasOutcome::Indeterminate,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(version: u64, nonce: &str) -> Item {
        let version = (VERSION.to_owned(), AttributeValue::N(version.to_string()));
        [version, (NONCE.to_owned(), AttributeValue::S(nonce.to_owned()))].into()
    }

    #[test]
    fn a_failed_condition_may_be_our_own_success() {
        assert_eq!(beaten(Some(&item(3, "ours")), 3, "ours"), CasOutcome::Committed);
        assert_eq!(beaten(Some(&item(3, "theirs")), 3, "ours"), CasOutcome::Conflict);
        assert_eq!(beaten(Some(&item(4, "theirs")), 3, "ours"), CasOutcome::Indeterminate);
        assert_eq!(beaten(None, 3, "ours"), CasOutcome::Indeterminate);
    }

    #[test]
    fn long_bodies_are_compressed_and_come_back() {
        let name = |number: usize| format!("{{\"name\":\"2026112105-0123456789abcdef0123-{number}.parquet\"}},");
        let long: String = (0..4_000).map(name).collect();
        let AttributeValue::B(blob) = packed(long.as_bytes()).unwrap() else { panic!("it is long") };
        assert!(blob.as_ref().len() * 8 < long.len(), "{} of {}", blob.as_ref().len(), long.len());
        for body in ["{}", &long] {
            assert_eq!(unpacked(&packed(body.as_bytes()).unwrap()).unwrap(), body);
        }
        assert_eq!(unpacked(&AttributeValue::B(Blob::new("no gzip"))), None);
    }

    #[test]
    fn keys_fall_into_folder_and_name() {
        assert_eq!(split("units/cloudfront_logs/2026-11-21T05"), ("units/cloudfront_logs", "2026-11-21T05"));
        assert_eq!(split("units/cloudfront_logs/"), ("units/cloudfront_logs", ""));
        assert_eq!(split("units/cloudfront_logs0"), ("units", "cloudfront_logs0"));
    }
}
