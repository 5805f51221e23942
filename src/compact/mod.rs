//! Few, well-sized, sorted files: what many small conversions leave of an hour, merged.
//!
//! Only files of one unit are merged with each other, so that what a unit has can still be replaced
//! as a whole.
//!
//! | file | what it does | look here to change |
//! |-|-|-|
//! | `options` | what is to be merged, and in how much memory | memory of a merge |
//! | `run` | the order, over many partitions | what comes when |
//! | `groups` | which files of a unit become one | sizes |
//! | `partition` | merges the files of a partition, and opens a rewrite | merging |
//! | `fold` | keeps units' records short | when batches are named as one |
//! | `compacted` | what was done | a figure of compaction |

mod compacted;
mod fold;
mod groups;
mod options;
mod partition;
mod run;

pub use compacted::Compacted;
pub use options::CompactOptions;
pub use run::compact;
