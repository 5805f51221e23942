//! The nouns that every room shares, as types of their own so that they cannot be mixed up.
//!
//! | file | what it does |
//! |-|-|
//! | `table` | tables of a lake: a new one is a line there |
//! | `hour` | hours, and ranges of them |
//! | `partition` | partitions, and how long they are: hour, day or month |
//! | `unit` | raw objects, and the units in which they are converted |
//! | `choices` | which ledger and which catalog a lake has |
//! | `access` | how a place in the cloud is reached: role, region, who pays, encryption |

/// Lets serde write a type as its `Display` does and read it as its `FromStr` does.
macro_rules! written_as_text {
    ($type:ty) => {
        impl TryFrom<String> for $type {
            type Error = String;

            fn try_from(text: String) -> Result<Self, String> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(value: $type) -> Self {
                value.to_string()
            }
        }
    };
}

pub mod access;
pub mod choices;
mod hour;
mod partition;
mod table;
mod unit;

pub use hour::{HOUR_SECONDS, Hour, HourRange, days_from_civil};
pub use partition::{Granularity, Partition, Period};
pub use table::Table;
pub use unit::{ObjectId, UnitId};
