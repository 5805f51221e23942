//! What there is to do: a listing against what the ledger knows.
//!
//! | file | what it decides |
//! |-|-|
//! | `naming` | what a key alone tells of an object |
//! | `grouped` | a listing, told apart by unit |
//! | `left_out` | what of it is not to be converted; filters that fit nothing |
//! | `unit` | what is left to do in one unit, and how it is cut into chunks |

mod grouped;
mod left_out;
mod naming;
mod unit;

pub use grouped::{Grouped, is_of_lake, lake_of};
pub use left_out::LeftOut;
pub use naming::{Exclude, HIDDEN, KeyMeaning, NO_HOUR, Naming, path};
pub use unit::{CHUNK_STORED_BYTES, UnitPlan, chunks, unit};

pub use crate::kernel::source::parse::sniff::UNNAMED;
