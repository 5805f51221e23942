//! The ledger: small records that change by compare-and-set, and the typed view of them.
//!
//! | File | What it holds |
//! |---|---|
//! | `interface.rs` | the seam: what every ledger can do |
//! | `records.rs` | records of units and partitions over any ledger |
//! | `lake.rs` | a ledger inside the lake |
//! | `dynamodb.rs` | a ledger in a DynamoDB table |

mod dynamodb;
mod interface;
mod lake;
mod records;

pub use dynamodb::DynamoLedger;
pub use interface::{Ledger, Versioned};
pub use lake::LakeLedger;
pub(crate) use records::other_version;
pub use records::{Records, unit_key, unit_key_of};
