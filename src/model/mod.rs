//! The nouns that every room shares, as types of their own so that they cannot be mixed up.

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
