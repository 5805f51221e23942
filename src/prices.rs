//! What AWS asks for: one table, with its date and region, that a user may replace.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};

const BUILT_IN: &str = include_str!("prices.toml");

const TERABYTE: f64 = 1e12;
const GIGABYTE: f64 = 1e9;

/// Prices in dollars.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// Where they hold.
    pub region: String,
    /// As of when.
    pub date: String,
    /// Athena, per terabyte scanned.
    pub athena_terabyte: f64,
    /// The least that a query is billed for.
    pub athena_least_bytes: u64,
    /// S3, per thousand PUT, COPY and LIST calls.
    pub s3_thousand_puts: f64,
    /// S3, per thousand GET and HEAD calls.
    pub s3_thousand_gets: f64,
    /// S3, per gigabyte and month.
    pub s3_gigabyte_month: f64,
    /// Fargate, per vCPU and hour.
    pub fargate_vcpu_hour: f64,
    /// Fargate, per gigabyte of memory and hour.
    pub fargate_gigabyte_hour: f64,
    /// `DynamoDB`, per million units written.
    pub dynamodb_million_writes: f64,
    /// `DynamoDB`, per million units read.
    pub dynamodb_million_reads: f64,
    /// Glue, per million calls.
    pub glue_million_calls: f64,
}

impl Prices {
    /// The prices of a file, or those that come with the program.
    pub fn of(file: Option<&Path>) -> Result<Self> {
        let Some(path) = file else { return Self::parse(BUILT_IN, "the built-in prices") };
        let text = std::fs::read_to_string(path);
        let text = text.map_err(|error| Error::usage(format!("cannot read '{}': {error}", path.display()), HINT))?;
        Self::parse(&text, &path.display().to_string())
    }

    fn parse(text: &str, name: &str) -> Result<Self> {
        toml::from_str(text).map_err(|error| Error::usage(format!("{name}: {error}"), HINT))
    }

    /// What a query that scans so many bytes costs.
    #[must_use]
    pub fn scan(&self, bytes: u64) -> f64 {
        count(bytes.max(self.athena_least_bytes)) / TERABYTE * self.athena_terabyte
    }

    /// What so many calls to S3 cost: writing, copying and listing ones, and reading ones.
    #[must_use]
    pub fn s3(&self, puts: u64, gets: u64) -> f64 {
        (count(puts) * self.s3_thousand_puts + count(gets) * self.s3_thousand_gets) / 1e3
    }

    /// What it costs to keep so many bytes for a month.
    #[must_use]
    pub fn month(&self, bytes: u64) -> f64 {
        count(bytes) / GIGABYTE * self.s3_gigabyte_month
    }

    /// What a container of so many vCPUs and so much memory costs for some minutes.
    #[must_use]
    pub fn container(&self, vcpus: f64, memory_bytes: u64, minutes: f64) -> f64 {
        let hour = vcpus * self.fargate_vcpu_hour + count(memory_bytes) / GIGABYTE * self.fargate_gigabyte_hour;
        hour * minutes / 60.0
    }

    /// What so many units of a ledger in `DynamoDB` cost.
    #[must_use]
    pub fn ledger(&self, writes: u64, reads: u64) -> f64 {
        (count(writes) * self.dynamodb_million_writes + count(reads) * self.dynamodb_million_reads) / 1e6
    }

    /// What so many calls to Glue cost, the free ones left aside.
    #[must_use]
    pub fn catalog(&self, calls: u64) -> f64 {
        count(calls) / 1e6 * self.glue_million_calls
    }
}

const HINT: &str = "write it as src/prices.toml of the repository is written";

#[expect(clippy::cast_precision_loss, reason = "a price needs no more than a double's precision")]
const fn count(number: u64) -> f64 {
    number as f64
}

/// Dollars as people write them: cents, and of less as many digits as say something.
#[must_use]
pub fn dollars(amount: f64) -> String {
    match amount {
        amount if amount >= 0.1 || amount <= 0.0 => format!("${amount:.2}"),
        amount if amount >= 0.001 => format!("${amount:.4}"),
        amount => format!("${amount:.6}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::float_cmp, reason = "prices of whole units are exact")]
    fn prices_are_those_of_the_table() {
        let prices = Prices::of(None).unwrap();
        assert_eq!(prices.scan(1_000_000_000_000), 5.0);
        assert_eq!(prices.scan(0), prices.scan(10_000_000), "a query costs something");
        assert_eq!(prices.s3(1_000, 0) + prices.s3(0, 10_000), 0.005 + 0.004);
        assert_eq!(prices.month(1_000_000_000), 0.023);
        assert!((prices.container(2.0, 4_000_000_000, 60.0) - 0.09874).abs() < 1e-9);
        assert_eq!([5.0, 0.0123, 0.00005, 0.0].map(dollars), ["$5.00", "$0.0123", "$0.000050", "$0.00"]);
        assert!(Prices::parse("region = 'x'", "mine").is_err());
    }
}
