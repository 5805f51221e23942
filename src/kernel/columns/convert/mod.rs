//! A chunk of raw objects becomes sorted Parquet files, one
//! partition each.
//!
//! A chunk is worked in waves of tasks, a task being some neighbouring objects. Rows pile
//! up in the order of the objects; when enough have piled up they are flushed: per partition
//! sorted, encoded column by column, and handed to `emit`. Where waves and flushes fall depends on
//! the objects alone, never on threads or memory, so the same objects always give the same files.
//!
//! | file | what it does |
//! |-|-|
//! | `chunk` | a chunk, wave by wave, on rayon's threads |
//! | `task` | the objects of one task, each as a whole |
//! | `streaming` | an object that is too large for that |
//! | `partition_buffer` | what waits to be written, and how it is, on rayon's threads |
//! | `object` | what comes in and what goes out |

mod chunk;
mod object;
mod partition_buffer;
mod streaming;
mod task;

pub use chunk::convert_chunk;
pub use object::{ChunkReport, ObjectOutcome, OutputFile, RawObject};
pub(super) use partition_buffer::write;
pub use partition_buffer::{FILE_ROWS, FLUSH_HELD_BYTES};
pub use task::claimed_raw_bytes;
