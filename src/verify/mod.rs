//! Does the lake hold every row of every object exactly once? Everything that says so is held
//! against everything else: the listing of the logs, the unit records, the manifests, the partition
//! records, the files and their footers, the rejects, the catalog, and what lies around unnamed.
//!
//! The chain of the proof: each object is an input of exactly one batch that counts (units,
//! manifests); its lines = rows + rejected lines + comment lines (manifests); a batch's rows are
//! those of its files (manifests); each batch is applied to each of its partitions (partition
//! records), where what a unit has is as many rows as its batches put there; each file is there
//! with as many rows as its record says (footers); the folder holds these files and no other; the
//! catalog points to it.
//!
//! Beside that chain: whether any row holds more of people than the lake keeps by now.
//!
//! | file | what it does |
//! |-|-|
//! | `options`, `report` | what is to be verified, and what was found |
//! | `run` | the order: check, mend, check again |
//! | `units` | units and manifests: is every object in exactly one batch? |
//! | `listing` | the logs themselves: which of them the lake lacks |
//! | `expected` | what partitions must hold, by what the units say |
//! | `files` | partitions, their files, and the catalog |
//! | `people` | rows that hold more of people than the lake keeps |
//! | `left_over` | work in progress that no record names, claims of the dead |
//! | `some` | the same comparison for the few units that a run has written |
//! | `commands` | the commands that mend what takes the raw logs |
//! | `fix` | mends what can be mended |

mod commands;
mod expected;
mod files;
mod fix;
mod left_over;
mod listing;
mod options;
mod people;
mod report;
mod run;
mod some;
mod units;

pub use options::VerifyOptions;
pub use report::{Finding, FindingKind, VerifyReport};
pub use run::verify;
pub(crate) use some::differences;
