//! What the workers of one exploration are to do, and what is taken out of the protocol.

use std::collections::BTreeSet;

use edgemill::kernel::ledger::protocol::{Sentence, Setting};
use edgemill::kernel::ledger::records::{
    AttemptId, BatchEntry, BatchId, BatchState, FORMAT_VERSION, FileEntry, Manifest, ManifestInput, ManifestOutput,
    Replaced, UnitRecord, fold_id,
};
use edgemill::kernel::policy::recipe::Fingerprint;
use edgemill::model::{Granularity, Hour, ObjectId, Partition, Table, UnitId};
use edgemill::stats::LineStats;

/// Sentences of the protocol that an environment would break, not a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakage {
    None,
    /// Files are moved from staging, not copied.
    MovesFromStaging,
    /// Staging is cleared by its age, without a mark in the record.
    ClearsByAge,
    /// Waits of `max_call_delay` do not wait.
    NoMaxCallDelay,
    /// Workers do not look at the clock before they send a call.
    IgnoresClock,
    /// Queries are not waited for.
    NoGrace,
}

/// What a worker is to do.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Task {
    /// Convert these inputs, a letter each, of the unit at this place.
    Convert(usize, &'static str),
    /// Write the unit at this place anew, from its inputs.
    Reprocess(usize),
    /// Merge the files of the partition at this place.
    Compact(usize),
    /// Look which files of the partition at this place are gone, as after somebody removed some.
    Lose(usize),
    /// Name the published batches of the unit at this place as one.
    Fold(usize),
    /// End the attempts of the worker at this place, as if they were old.
    End(usize),
    /// Finish what others began.
    Recover,
}

/// One exploration.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) catalog: bool,
    /// What was done before, undisturbed.
    pub(crate) before: Vec<Task>,
    /// By worker what it does at the same time as the others.
    pub(crate) workers: Vec<Vec<Task>>,
    /// Workers that may die on one path.
    pub(crate) crashes: u8,
    /// Compare-and-sets whose answers are lost on one path.
    pub(crate) lost_answers: u8,
    /// Calls that take effect after their sender gave up, on one path.
    pub(crate) late_calls: u8,
    /// Queries through the catalog, one after another.
    pub(crate) queries: u8,
    pub(crate) without: Option<Sentence>,
    pub(crate) breakage: Breakage,
    /// States after which the exploration gives up looking, where it looks for a breach.
    pub(crate) limit: usize,
}

impl Scenario {
    pub(crate) fn new(catalog: bool, before: &[Task], workers: &[&[Task]]) -> Self {
        Self {
            catalog,
            before: before.to_vec(),
            workers: workers.iter().map(|tasks| tasks.to_vec()).collect(),
            crashes: 1,
            lost_answers: 0,
            late_calls: 0,
            queries: 0,
            without: None,
            breakage: Breakage::None,
            limit: usize::MAX,
        }
    }

    pub(crate) fn setting(&self) -> Setting {
        Setting { catalog: self.catalog, without: self.without }
    }
}

pub(crate) fn unit(place: usize) -> UnitId {
    let first: Hour = "2026-11-21T05".parse().unwrap();
    UnitId::of_hour(Table::CloudfrontLogs, first.plus(i64::try_from(place).unwrap()))
}

pub(crate) fn partition(place: usize) -> Partition {
    let first: Hour = "2026-11-21T04".parse().unwrap();
    Partition::of(Table::CloudfrontLogs, Granularity::Hour, first.plus(i64::try_from(place).unwrap()))
}

/// The partition that a row is in: `a` to `m` in the first. Rules change, and every reprocessing
/// moves `b` to the other.
fn place_of(row: char, generation: usize) -> usize {
    usize::from(row > 'm' || generation % 2 == 1 && row == 'b')
}

/// The rows in a file, by its name: the letters between `=` and `=`.
pub(crate) fn rows_of(path: &str) -> Vec<char> {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('+').nth(1).unwrap_or_default().chars().collect()
}

pub(crate) fn file(prefix: &str, rows: &str, number: usize) -> FileEntry {
    FileEntry { name: format!("{prefix}-+{rows}+{number}.parquet"), rows: rows.len() as u64, size_bytes: 1, crc32: 0 }
}

/// An attempt at some inputs of a unit. An input has one row, in the first partition or in the
/// second; of several rows of a partition each is in a file of its own.
pub(crate) fn manifest(
    unit_place: usize,
    attempt: &str,
    inputs: &str,
    replaces: Option<(&UnitRecord, &[Partition])>,
) -> Manifest {
    let generation = replaces.map_or(String::new(), |(record, _)| {
        let batches: Vec<&str> = record.batches.iter().map(|entry| entry.batch.0.as_str()).collect();
        format!("({})", batches.join("_"))
    });
    let batch = BatchId(format!("u{unit_place}{inputs}{generation}"));
    let mut outputs = Vec::new();
    for place in 0..2 {
        let depth = batch.0.matches('(').count();
        let rows = inputs.chars().filter(|row| place_of(*row, depth) == place);
        outputs.extend(rows.enumerate().map(|(number, row)| ManifestOutput {
            partition: partition(place),
            file: file(&batch.0, &row.to_string(), number),
        }));
    }
    let input = |key: char| ManifestInput {
        object: ObjectId { key: key.to_string(), etag: "e".into(), size_bytes: 1 },
        lines: LineStats::default(),
        raw_bytes: 1,
        damage: None,
        digest: None,
        same_as: None,
    };
    let batch_name = batch.clone();
    Manifest {
        format: FORMAT_VERSION,
        writer: "test".into(),
        unit: unit(unit_place),
        batch: batch_name,
        attempt: AttemptId(format!("{attempt}{}", batch.0)),
        source: "s3://logs".into(),
        stamp: Fingerprint::default(),
        hours: None,
        proven: true,
        inputs: inputs.chars().map(input).collect(),
        outputs,
        replaces: replaces.map(|(record, partitions)| Replaced {
            batches: record.batches.iter().map(|entry| entry.batch.clone()).collect::<BTreeSet<_>>(),
            partitions: partitions.iter().copied().collect(),
        }),
        folds: BTreeSet::new(),
        taken_over: Vec::new(),
    }
}

/// A fold of the published batches of a unit.
pub(crate) fn fold(attempt: AttemptId, record: &UnitRecord, made: &[&Manifest]) -> Manifest {
    let mut fold = Manifest { attempt, inputs: Vec::new(), outputs: Vec::new(), replaces: None, ..made[0].clone() };
    for manifest in made {
        fold.inputs.extend(manifest.inputs.iter().cloned());
        fold.outputs.extend(manifest.outputs.iter().cloned());
        fold.folds.insert(manifest.batch.clone());
        fold.folds.extend(manifest.folds.iter().cloned());
    }
    fold.batch = fold_id(&record.unit, &fold.folds);
    fold
}

pub(crate) fn published(entry: &BatchEntry) -> bool {
    entry.state == BatchState::Published
}
