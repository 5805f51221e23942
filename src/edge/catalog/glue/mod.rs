//! The Glue Data Catalog: partitions by Glue's own calls, and the tables and views of a lake.

mod client;
mod partitions;
mod shape;
mod tables;

pub use client::LEAST_CALL_DELAY_SECONDS;
pub use partitions::GlueCatalog;
pub use tables::{CatalogChange, GlueTables};
