//! SQL over the lake, read only. A query sees exactly the files of one snapshot: no folder is ever
//! listed, so staging, half-written and replaced files cannot show up in an answer.
//!
//! | module | what it holds |
//! |-|-|
//! | `local` | a statement over what the lake's ledger says is there |
//! | `athena` | the same statement through Athena |
//! | `engine` | a statement over the files of a snapshot: parse, plan, run |
//! | `snapshot` | the files of a lake at one moment |
//! | `lake_table`, `prune`, `reader` | these files as tables, and which of them are opened |
//! | `answer`, `parts`, `stream` | rows while they are read, in the order of the files |
//! | `print` | answers as a table, CSV or JSON |
//! | `limits`, `failed`, `named` | memory and threads, errors, the queries that come along |

mod answer;
mod athena;
mod engine;
mod failed;
mod lake_table;
mod limits;
mod local;
mod named;
mod parts;
mod print;
mod prune;
mod reader;
mod snapshot;
mod stream;
#[cfg(test)]
mod tests;

pub use answer::QueryAnswer;
pub use athena::{print_athena, raw_bytes, run_athena};
pub use engine::{run, vanished};
pub use limits::{DEFAULT_MEMORY_BYTES, LEAST_MEMORY_BYTES, Limits};
pub use local::{answer, ask};
pub use named::{NAMES, named};
pub use print::{AnswerFormat, print};
pub use snapshot::{LakeSnapshot, SnapshotFile};
