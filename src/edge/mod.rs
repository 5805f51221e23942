//! Everything that talks to the outside world: stores, the ledger, the catalog, clocks.

pub mod access;
pub mod archive;
pub mod athena;
pub mod aws;
pub mod catalog;
pub mod claims;
pub mod clock;
pub mod contract;
pub mod flaky;
pub mod ledger;
mod local;
pub mod location;
pub mod manifests;
pub mod objects;
pub mod ranged;
mod sdk;
pub mod source;
mod stored_error;
