//! How batches, attempts and inputs are named, and a digest of many inputs.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::model::ObjectId;

/// Names a batch, and its files. Follows from its inputs, so that whoever converts the same inputs
/// names them alike.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(pub String);

/// Names one worker's try at a batch or a rewrite; unique for ever. Also the nonce by which a
/// writer knows its own write again.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub String);

/// A raw object that the ledger knows: the URL of its source, its key and its etag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputName<'a> {
    /// The source's canonical URL, without a slash at its end.
    pub source: &'a str,
    /// The object.
    pub object: &'a ObjectId,
}

impl InputName<'_> {
    /// The whole URL: what makes two inputs the same.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}/{}", self.source, self.object.key)
    }
}

/// A digest of a set of inputs, whatever their order, that grows with the set: equal sets have
/// equal digests, so that a listing can be compared with what is known without reading any
/// manifest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct InputsDigest {
    /// Inputs.
    pub objects: u64,
    /// The wrapping sum of the first half of each input's SHA-256.
    #[serde(with = "hex_u128")]
    sum: u128,
}

impl InputsDigest {
    /// Adds an input.
    pub fn add(&mut self, input: &InputName<'_>) {
        let hash =
            Sha256::new().chain_update(input.url()).chain_update([0]).chain_update(&input.object.etag).finalize();
        let half = hash.first_chunk::<16>().map_or(0, |bytes| u128::from_be_bytes(*bytes));
        self.objects += 1;
        self.sum = self.sum.wrapping_add(half);
    }

    /// Adds a set that has nothing in common with this one.
    pub fn join(&mut self, other: &Self) {
        self.objects += other.objects;
        self.sum = self.sum.wrapping_add(other.sum);
    }
}

mod hex_u128 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &u128, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{value:032x}"))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u128, D::Error> {
        let text = String::deserialize(deserializer)?;
        u128::from_str_radix(&text, 16).map_err(D::Error::custom)
    }
}
