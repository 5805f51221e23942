//! Everything that talks to the outside world: stores, the ledger, and (later) catalogs.

pub mod aws;
pub mod contract;
pub mod ledger;
pub mod location;
pub mod manifests;
pub mod objects;
pub mod source;
