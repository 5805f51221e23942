//! The queries that come with the program.

use crate::error::{Error, Result};

/// The names of the queries that come with the program.
pub const NAMES: [&str; 6] = ["bots", "bytes", "viewers", "access_bots", "access_bytes", "access_viewers"];

/// The text of a query that comes with the program.
///
/// # Errors
/// `Error::Usage` with the names that exist, for any other name.
pub fn named(name: &str) -> Result<&'static str> {
    match name {
        "bots" => Ok(include_str!("../../ddl/queries/bots.sql")),
        "bytes" => Ok(include_str!("../../ddl/queries/bytes.sql")),
        "viewers" => Ok(include_str!("../../ddl/queries/viewers.sql")),
        "access_bots" => Ok(include_str!("../../ddl/queries/access_bots.sql")),
        "access_bytes" => Ok(include_str!("../../ddl/queries/access_bytes.sql")),
        "access_viewers" => Ok(include_str!("../../ddl/queries/access_viewers.sql")),
        _ => Err(Error::usage(format!("there is no query '{name}'"), format!("the names are {}", NAMES.join(", ")))),
    }
}
