//! The ledger: small records that change by compare-and-set, and the typed view of them.
//!
//! | file | what it does |
//! |-|-|
//! | `interface` | the trait: what every ledger can do |
//! | `records` | records of units and partitions over any ledger |
//! | `lake` | a ledger inside the lake |
//! | `dynamodb` | a ledger in a DynamoDB table |

mod dynamodb;
mod interface;
mod lake;
mod records;

use std::sync::Arc;

pub use dynamodb::DynamoLedger;
pub use interface::{Ledger, Versioned};
pub use lake::LakeLedger;
pub(crate) use records::other_version;
pub use records::{Records, partition_key, unit_key, unit_key_of, unit_of};

use super::objects::Objects;
use crate::model::choices::LedgerChoice;

/// Opens the ledger of a lake. `probed` is the server at which the lake was made, where that one
/// was tried out.
pub async fn open(choice: &LedgerChoice, lake: &Objects, lake_id: &str, probed: Option<String>) -> Arc<dyn Ledger> {
    match choice {
        LedgerChoice::Lake => Arc::new(LakeLedger::new(lake.clone()).probed_at(probed)),
        LedgerChoice::Dynamodb { table } => Arc::new(DynamoLedger::open(table, lake_id).await),
    }
}
