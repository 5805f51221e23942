//! The Glue Data Catalog: partitions by Glue's own calls, and the tables and views of a lake.
//!
//! | file | what it does |
//! |-|-|
//! | `client` | a client of Glue, and its failures in words |
//! | `partitions` | partitions, many in one call |
//! | `tables` | the database, tables and views of a lake |
//! | `shape` | partitions and tables in Glue's words |

mod client;
mod partitions;
mod shape;
mod tables;

pub use client::LEAST_CALL_DELAY_SECONDS;
pub use partitions::GlueCatalog;
pub use tables::{CatalogChange, GlueTables};
