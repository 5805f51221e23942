//! Where in a lake work in progress lies, and what its names say.
//!
//! Every unfinished thing has a folder right below `staging`, and the folder's name says which
//! record would tell of it: one listing of `staging` finds all that is not at rest in a lake of any
//! size.
//!
//! No file in there has a name that ends as those of tables do, so that a glob of Parquet files
//! counts no row of work in progress: `DuckDB` 2.0 and Polars 2.1 look into folders whose names
//! begin with `_` or `.` too (tried: `read_parquet('lake/**/*.parquet')`), so a hidden folder alone
//! would not do. Engines that read what a catalog names read a file whatever its name ends with.
//! Keys are kept short: some stores take no name of more than 160 bytes.

use sha2::{Digest, Sha256};

use super::records::{AttemptId, FileEntry, Manifest, PartitionRecord};
use crate::model::{Partition, Table, UnitId};

/// The folder of all work in progress. No table's, and without a leading `_` or `.`: a catalog may
/// point into it for a while.
pub const STAGING: &str = "staging";

/// How the names of units without a time begin.
pub const UNTIMED: &str = "untimed-";

/// A unit's name in keys: its hour, day or month, or a hash of its folder. Names sort by time;
/// those without one come last.
#[must_use]
pub fn unit_name(unit: &UnitId) -> String {
    match unit {
        UnitId::Timed(_, period) => period.to_string(),
        UnitId::Untimed(_, folder) => {
            let hash: String = Sha256::digest(folder).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            format!("{UNTIMED}{hash}")
        }
    }
}

/// A folder of work in progress, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StagingDir {
    /// An attempt at a batch.
    Batch {
        /// The table of its unit.
        table: Table,
        /// The unit's name.
        unit: String,
        /// The attempt.
        attempt: AttemptId,
    },
    /// The whole of a partition as a rewrite of one version of its record makes it.
    Rewrite {
        /// The partition.
        partition: Partition,
        /// The rewrite.
        id: AttemptId,
        /// The version that it was made from, and would replace by the next.
        version: u64,
    },
    /// The new files of a compaction.
    Written {
        /// The partition.
        partition: Partition,
        /// The rewrite.
        id: AttemptId,
    },
}

impl StagingDir {
    /// Reads a folder's name; `None` for what edgemill did not make.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let (kind, table, place, id) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let version = parts.next();
        if parts.next().is_some() || id.is_empty() {
            return None;
        }
        let table = Table::named(table)?;
        let id = AttemptId(id.to_owned());
        match (kind, version) {
            ("batch", None) => Some(Self::Batch { table, unit: place.to_owned(), attempt: id }),
            ("written", None) => Some(Self::Written { partition: Partition::at(table, place)?, id }),
            ("aside", Some(version)) => {
                let partition = Partition::at(table, place)?;
                Some(Self::Rewrite { partition, id, version: version.strip_prefix('v')?.parse().ok()? })
            }
            _ => None,
        }
    }
}

/// An attempt's staging folder.
#[must_use]
pub fn staging(unit: &UnitId, attempt: &AttemptId) -> String {
    format!("{STAGING}/batch.{}.{}.{}", unit.table(), unit_name(unit), attempt.0)
}

/// What the names of a table's files end with.
pub const PARQUET: &str = ".parquet";

/// Where a partition's file lies that a record, or a step of the protocol, has in a folder: under
/// its name in a table's folder, under another in one of `staging`.
#[must_use]
pub fn file_path(folder: &str, name: &str) -> String {
    let stem = name.strip_suffix(PARQUET).unwrap_or(name);
    match folder.strip_prefix(STAGING).and_then(|rest| rest.strip_prefix('/')) {
        None => format!("{folder}/{name}"),
        // A catalog may point here, and its engines read no file whose name begins with `_`.
        Some(rest) if rest.starts_with("aside.") => format!("{folder}/{stem}.aside"),
        // An attempt numbers its files, and they are named for it by their folder already.
        Some(rest) if rest.starts_with("batch.") => {
            format!("{folder}/_{}.staged", stem.rsplit_once('-').map_or(stem, |(_, number)| number))
        }
        Some(_) => format!("{folder}/_{stem}.staged"),
    }
}

/// A rewrite's own folder, which comes to hold the whole partition as it follows from one version
/// of its record. Another version, another folder: what was copied for a version that has passed is
/// not among what readers will see. (The model checker found a reader of the catalog who saw an
/// hour twice where the folder was used again.)
#[must_use]
pub fn rewrite_folder(partition: Partition, id: &AttemptId, version: u64) -> String {
    format!("{STAGING}/aside.{}.{}.{}.v{version}", partition.table, partition.time(), id.0)
}

/// Where a compaction writes its files.
#[must_use]
pub fn written(partition: Partition, id: &AttemptId) -> String {
    format!("{STAGING}/written.{}.{}.{}", partition.table, partition.time(), id.0)
}

/// One file to be copied, by paths below the lake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileCopy {
    /// Where it lies.
    pub from: String,
    /// Where it is to lie, too.
    pub to: String,
}

/// Copies of files from folder to folder.
pub(super) fn copies<'f>(
    files: impl Iterator<Item = &'f FileEntry>,
    from: &str,
    to: &str,
) -> impl Iterator<Item = FileCopy> {
    files.map(move |file| FileCopy { from: file_path(from, &file.name), to: file_path(to, &file.name) })
}

/// Copies of a batch's files of a partition from staging.
pub(super) fn copies_of_batch(manifest: &Manifest, record: &PartitionRecord, to: &str) -> Vec<FileCopy> {
    let from = staging(&manifest.unit, &manifest.attempt);
    copies(manifest.files(record.partition), &from, to).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_glob_of_parquet_finds_work_in_progress() {
        let unit = UnitId::Untimed(Table::CloudfrontLogs, "a".into());
        let attempt = AttemptId("0123456789abcdef0123456789abcdef".into());
        let partition = Partition::at(Table::CloudfrontLogs, "2026-11-21T05").unwrap();
        let name = "2026112105-0123456789abcdef0123-12.parquet";
        let folders = [
            staging(&unit, &attempt),
            written(partition, &attempt),
            rewrite_folder(partition, &attempt, u64::from(u32::MAX)),
        ];
        for folder in folders {
            let path = file_path(&folder, name);
            assert!(!path.ends_with(PARQUET) && path.contains("12."), "{path}");
            assert!(path.len() < 140, "{path} has {} bytes", path.len());
        }
        assert_eq!(file_path(&partition.folder(), name), format!("{}/{name}", partition.folder()));
    }

    #[test]
    fn names_of_work_in_progress_are_read_back() {
        let unit = UnitId::of_hour(Table::AlbLogs, "2026-11-21T05".parse().unwrap());
        let untimed = UnitId::Untimed(Table::AlbLogs, "a.b/c".into());
        let attempt = AttemptId("0a".into());
        let name = |path: String| path.strip_prefix("staging/").unwrap().to_owned();
        for unit in [&unit, &untimed] {
            let parsed = StagingDir::parse(&name(staging(unit, &attempt)));
            let (table, unit, attempt) = (Table::AlbLogs, unit_name(unit), attempt.clone());
            assert_eq!(parsed, Some(StagingDir::Batch { table, unit, attempt }));
        }
        let partition = Partition::at(Table::Rejects, "2026-11-21T05").unwrap();
        let parsed = StagingDir::parse(&name(rewrite_folder(partition, &attempt, 12)));
        assert_eq!(parsed, Some(StagingDir::Rewrite { partition, id: attempt.clone(), version: 12 }));
        let parsed = StagingDir::parse(&name(written(partition, &attempt)));
        assert_eq!(parsed, Some(StagingDir::Written { partition, id: attempt }));
        for other in ["", "x", "batch.no_table.2026-11-21T05.0a", "aside.rejects.5.0a", "batch.alb_logs.u.a.b"] {
            assert_eq!(StagingDir::parse(other), None, "{other}");
        }
    }
}
