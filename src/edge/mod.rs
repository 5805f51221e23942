//! Everything that talks to the outside world: stores, the ledger, the catalog, clocks.

pub mod archive;
pub mod athena;
pub mod aws;
mod aws_error;
pub mod bucket;
pub mod catalog;
pub mod claims;
pub mod clock;
pub mod contract;
pub mod flaky;
pub mod ledger;
mod local;
pub mod manifests;
pub mod objects;
pub mod probe;
pub mod range_reader;
pub mod source;
mod store_error;

pub use crate::location;
pub use crate::model::access;
