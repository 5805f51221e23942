//! What the ledger remembers, as values: unit records, partition records and manifests.
//!
//! Records are small and change by compare-and-set on their version; what can be long (an hour may
//! have ten thousand objects) lies in manifests, which never change once written.
//!
//! A file holds rows of one unit only, and its partition's record says of which ([`UnitFiles`]). So
//! what one unit has in a partition can be replaced as a whole, whatever compactions came between,
//! and replacing an hour never grows into replacing its neighbours.
//!
//! | file | what it does |
//! |-|-|
//! | `names` | how batches, attempts and inputs are named; a digest of many inputs |

mod names;

use std::collections::{BTreeMap, BTreeSet};

pub use names::{AttemptId, BatchId, InputName, InputsDigest};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::kernel::policy::recipe::Fingerprint;
use crate::kernel::source::inflate::Damage;
use crate::model::{HourRange, ObjectId, Partition, Period, UnitId};
use crate::stats::LineStats;

/// The version of these formats; a record of another one is refused rather than misread. (1 was
/// never released.)
pub const FORMAT_VERSION: u32 = 2;

/// More partitions of a batch are not told in its unit's record: records are small.
const TOLD_PARTITIONS: usize = 16;

/// How far a batch has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchState {
    /// Its rows count; its files may not all be in their folders yet.
    Committed,
    /// Every partition has its files.
    Published,
}

/// A batch, as its unit's record names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BatchEntry {
    /// The batch.
    pub batch: BatchId,
    /// The try that won.
    pub attempt: AttemptId,
    /// How far it has come.
    pub state: BatchState,
    /// Its inputs.
    pub inputs: InputsDigest,
    /// Their stored bytes: what an engine would read of the raw logs instead.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub input_bytes: u64,
    /// Of a unit longer than an hour, the hours that the names of these inputs tell: who looks for
    /// an object of an hour need not read the manifests of others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<HourRange>,
    /// The partitions that it touches, where they are few: whoever reads this knows which records
    /// of partitions there must be once it is published. Nothing is told in records of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partitions: Option<BTreeSet<Partition>>,
    /// How many committed batches a fold has named as this one; 0 for one that stands for itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub batches: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What has been converted of one unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitRecord {
    /// [`FORMAT_VERSION`] of the writer.
    pub format: u32,
    /// The unit.
    pub unit: UnitId,
    /// Grows by one with every change; 0 is a record that was never written.
    pub version: u64,
    /// Its batches, in the order in which they were committed.
    pub batches: Vec<BatchEntry>,
    /// The batch that is about to take the place of all of them. While there is one, no other is
    /// committed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replacing: Option<BatchEntry>,
    /// Attempts whose staging was cleared before they came to their commit; they may never commit.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ended: BTreeSet<AttemptId>,
}

impl UnitRecord {
    /// A unit of which nothing is known.
    #[must_use]
    pub const fn new(unit: UnitId) -> Self {
        Self { format: FORMAT_VERSION, unit, version: 0, batches: Vec::new(), replacing: None, ended: BTreeSet::new() }
    }

    /// Whether it names no batch: it was never written, cannot be read, or knows only of attempts
    /// that were ended.
    #[must_use]
    pub const fn is_blank(&self) -> bool {
        self.batches.is_empty() && self.replacing.is_none()
    }

    /// All its inputs.
    #[must_use]
    pub fn inputs(&self) -> InputsDigest {
        let mut all = InputsDigest::default();
        self.batches.iter().for_each(|batch| all.join(&batch.inputs));
        all
    }

    /// Its batches that count and are not seen everywhere yet.
    pub fn unpublished(&self) -> impl Iterator<Item = &BatchEntry> {
        self.batches.iter().filter(|batch| batch.state == BatchState::Committed).chain(&self.replacing)
    }

    /// The entry of an attempt.
    #[must_use]
    pub fn entry(&self, attempt: &AttemptId) -> Option<&BatchEntry> {
        self.batches.iter().chain(&self.replacing).find(|entry| entry.attempt == *attempt)
    }
}

/// A file of a partition.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the partition's folder.
    pub name: String,
    /// Rows.
    pub rows: u64,
    /// Bytes.
    pub size_bytes: u64,
    /// The CRC-32 (as gzip has it) of its bytes: two files of a name never differ, and a change by
    /// hand is found.
    pub crc32: u32,
}

impl FileEntry {
    /// Of a file's bytes.
    #[must_use]
    pub fn of(name: String, rows: u64, bytes: &[u8]) -> Self {
        Self { name, rows, size_bytes: bytes.len() as u64, crc32: libdeflater::crc32(bytes) }
    }

    /// Whether bytes are this file's.
    #[must_use]
    pub fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.size_bytes && libdeflater::crc32(bytes) == self.crc32
    }
}

/// What one unit has in a partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UnitFiles {
    /// The unit.
    pub unit: UnitId,
    /// The batches that have been applied here, those that were replaced since included: none is
    /// ever applied again.
    pub applied: BTreeMap<BatchId, AttemptId>,
    /// Its current files, by name.
    pub files: BTreeSet<FileEntry>,
    /// Files that were current and are gone: somebody removed them by hand. Their rows are missing
    /// until the unit is written anew, or until the files are there again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lost: BTreeSet<FileEntry>,
}

impl UnitFiles {
    /// The rows that it has, or is to have: those of its files, and of the files that it lost.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.files.iter().chain(&self.lost).map(|file| file.rows).sum()
    }
}

/// How far an open rewrite has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewriteStage {
    /// The record names the rewrite's own folder; the canonical one is brought up to date.
    // The name that lakes have in their records.
    #[serde(rename = "aside")]
    Open,
    /// The record names the canonical folder again; the rewrite's own is about to go.
    Back,
}

/// A rewrite that readers of the record see already and that is not at rest yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpenRewrite {
    /// The rewrite.
    pub id: AttemptId,
    /// How far it has come.
    pub stage: RewriteStage,
    /// Its own folder.
    pub folder: String,
    /// Names of the files whose place it took. Names never come back: those of new files follow
    /// from the names of what they replace.
    pub replaced: BTreeSet<String>,
}

/// The truth that readers follow: the current files of one partition.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PartitionRecord {
    /// [`FORMAT_VERSION`] of the writer.
    pub format: u32,
    /// The partition.
    pub partition: Partition,
    /// Grows by one with every change; 0 is a record that was never written.
    pub version: u64,
    /// The folder of its files, below the lake.
    pub folder: String,
    /// What each unit has in it, by unit.
    pub parts: Vec<UnitFiles>,
    /// The open rewrite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<OpenRewrite>,
    /// The folder that the catalog was last seen to have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<String>,
    /// Rewrites that were closed or given up; none may be opened again.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub ended: BTreeSet<AttemptId>,
}

impl PartitionRecord {
    /// A partition without a file, at its canonical folder.
    #[must_use]
    pub fn new(partition: Partition) -> Self {
        Self {
            format: FORMAT_VERSION,
            partition,
            version: 0,
            folder: partition.folder(),
            parts: Vec::new(),
            rewrite: None,
            registered: None,
            ended: BTreeSet::new(),
        }
    }

    /// Its current files.
    pub fn files(&self) -> impl Iterator<Item = &FileEntry> {
        self.parts.iter().flat_map(|part| &part.files)
    }

    /// The files that it lost.
    pub fn lost(&self) -> impl Iterator<Item = &FileEntry> {
        self.parts.iter().flat_map(|part| &part.lost)
    }

    /// What a unit has in it.
    #[must_use]
    pub fn part(&self, unit: &UnitId) -> Option<&UnitFiles> {
        self.parts.iter().find(|part| part.unit == *unit)
    }

    /// What a unit has in it, made where it has nothing yet.
    pub fn part_mut(&mut self, unit: &UnitId) -> &mut UnitFiles {
        let place = self.parts.binary_search_by(|part| part.unit.cmp(unit)).unwrap_or_else(|place| {
            let (applied, files, lost) = Default::default();
            let part = UnitFiles { unit: unit.clone(), applied, files, lost };
            self.parts.insert(place, part);
            place
        });
        &mut self.parts[place]
    }

    /// Whether a batch of a unit has been applied.
    #[must_use]
    pub fn has_applied(&self, unit: &UnitId, batch: &BatchId) -> bool {
        self.part(unit).is_some_and(|part| part.applied.contains_key(batch))
    }
}

/// An input of a batch, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestInput {
    /// The raw object.
    #[serde(flatten)]
    pub object: ObjectId,
    /// Its lines.
    #[serde(flatten)]
    pub lines: LineStats,
    /// Its size inflated.
    pub raw_bytes: u64,
    /// Where it broke off, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<Damage>,
    /// What its stored bytes are known by under whatever key ([`super::same`]).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The URL of the object whose bytes these are too: its rows are the other's, and it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// An output of a batch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestOutput {
    /// The partition it belongs to.
    pub partition: Partition,
    /// The file.
    #[serde(flatten)]
    pub file: FileEntry,
}

/// Every input and output of one try at a batch. Never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format: u32,
    /// The version of edgemill that wrote it.
    pub writer: String,
    /// The unit.
    pub unit: UnitId,
    /// The batch.
    pub batch: BatchId,
    /// The try.
    pub attempt: AttemptId,
    /// The canonical URL of the source of all its inputs.
    pub source: String,
    /// How its rows were made.
    #[serde(default)]
    pub stamp: Fingerprint,
    /// See [`BatchEntry::hours`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<HourRange>,
    /// Whether its inputs were only taken where their own lines had told that they are logs of the
    /// table. Those who wrote manifests without this took whatever lay under a log's name or
    /// folder.
    #[serde(default, skip_serializing_if = "is_false")]
    pub proven: bool,
    /// Its inputs, in key order.
    pub inputs: Vec<ManifestInput>,
    /// Its outputs, in the order in which they were made.
    pub outputs: Vec<ManifestOutput>,
    /// What it takes the place of, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<Replaced>,
    /// The batches that it stands for, if it is a fold: those that a record named, and those that
    /// these stood for.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub folds: BTreeSet<BatchId>,
    /// Rows that it took over from files that it takes the place of, since their raw objects were
    /// not there to be read. These are no inputs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taken_over: Vec<TakenOver>,
}

/// Rows of a raw object that a batch took over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TakenOver {
    /// The object's URL.
    pub url: String,
    /// Its etag, where all of its rows are there; nothing where some may be missing: if it comes
    /// back, it is read again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// How its rows were made.
    pub stamp: Fingerprint,
    /// The rows, and the rejected lines.
    #[serde(flatten)]
    pub lines: LineStats,
}

/// What a batch takes the place of: all of its unit, which it was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replaced {
    /// The unit's batches.
    pub batches: BTreeSet<BatchId>,
    /// The partitions in which they had files.
    pub partitions: BTreeSet<Partition>,
}

impl Manifest {
    /// The digest of its inputs.
    #[must_use]
    pub fn digest(&self) -> InputsDigest {
        digest(&self.source, self.inputs.iter().map(|input| &input.object))
    }

    /// The partitions that it touches, each once: those of its files, and of the files that it
    /// takes the place of.
    #[must_use]
    pub fn partitions(&self) -> BTreeSet<Partition> {
        let replaced = self.replaces.iter().flat_map(|replaced| replaced.partitions.iter().copied());
        self.outputs.iter().map(|output| output.partition).chain(replaced).collect()
    }

    /// The same, where they are few enough to be told in a record.
    #[must_use]
    pub fn few_partitions(&self) -> Option<BTreeSet<Partition>> {
        let partitions = self.partitions();
        (partitions.len() <= TOLD_PARTITIONS).then_some(partitions)
    }

    /// Whether a partition's part has all of this batch's files, or had them until others took
    /// their place.
    #[must_use]
    pub fn is_applied(&self, part: &UnitFiles) -> bool {
        part.applied.contains_key(&self.batch) || self.folds.iter().any(|batch| part.applied.contains_key(batch))
    }

    /// Its files in one partition.
    pub fn files(&self, partition: Partition) -> impl Iterator<Item = &FileEntry> {
        self.outputs.iter().filter(move |output| output.partition == partition).map(|output| &output.file)
    }
}

/// The digest of some objects of one source.
pub fn digest<'a>(source: &str, objects: impl Iterator<Item = &'a ObjectId>) -> InputsDigest {
    let mut digest = InputsDigest::default();
    objects.for_each(|object| digest.add(&InputName { source, object }));
    digest
}

/// Names the batch of some inputs, given in key order: the same inputs under the same rules have
/// the same name, unless one takes the place of the other.
#[must_use]
pub fn batch_id(
    unit: &UnitId,
    source: &str,
    rules: &str,
    inputs: &[ObjectId],
    replaces: &BTreeSet<BatchId>,
) -> BatchId {
    let mut parts = vec![unit.to_string(), source.to_owned(), rules.to_owned()];
    parts.extend(inputs.iter().flat_map(|input| [input.key.clone(), input.etag.clone()]));
    if !replaces.is_empty() {
        parts.push("replaces".to_owned());
        parts.extend(replaces.iter().map(|batch| batch.0.clone()));
    }
    BatchId(format!("{}-{}", unit_time(unit), short_hash(parts.iter().map(String::as_str))))
}

/// Names the fold of some batches of a unit.
#[must_use]
pub fn fold_id(unit: &UnitId, folds: &BTreeSet<BatchId>) -> BatchId {
    let parts = std::iter::once("fold").chain(folds.iter().map(|batch| batch.0.as_str()));
    BatchId(format!("{}-{}", unit_time(unit), short_hash(parts)))
}

/// How the names of the files begin that a compaction makes of some files of a unit in a partition.
#[must_use]
pub fn compacted_prefix(unit: &UnitId, partition: Partition, replaced: &BTreeSet<String>) -> String {
    let partition = partition.to_string();
    let parts = ["compact", partition.as_str()].into_iter().chain(replaced.iter().map(String::as_str));
    format!("{}-{}", unit_time(unit), short_hash(parts))
}

/// How the names of a unit's batches and files begin, before the first `-`.
#[must_use]
pub fn unit_time(unit: &UnitId) -> String {
    unit.period().map_or_else(|| "untimed".to_owned(), Period::compact)
}

/// A name of 20 hexadecimal digits for some texts in their order.
pub fn short_hash<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        hash.update([0]);
    }
    hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
