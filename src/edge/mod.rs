//! Everything that talks to the outside world: stores, the ledger, the catalog, clocks.

pub mod aws;
pub mod catalog;
pub mod claims;
pub mod clock;
pub mod contract;
pub mod flaky;
pub mod ledger;
pub mod location;
pub mod manifests;
pub mod objects;
pub mod ranged;
pub mod source;
