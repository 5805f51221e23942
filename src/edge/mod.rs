//! Everything that talks to the outside world: stores, the ledger, the catalog, clocks.
//!
//! | file | what it does |
//! |-|-|
//! | `objects` | fetch, put, copy, list, delete: every call to a store goes through it and is counted |
//! | `bucket`, `local` | the stores below it: a bucket, a folder of this computer |
//! | `waiting` | the threads that wait for files |
//! | `range_reader` | a large object, read piece by piece |
//! | `store_error` | failures of a store in words |
//! | `probe` | whether a store can keep a ledger |
//! | `ledger` | records that change by compare-and-set: in the lake, in DynamoDB |
//! | `manifests` | files that list the inputs and outputs of an attempt |
//! | `catalog` | partitions and tables that engines see: Glue, Athena, in the lake |
//! | `claims` | hints that a worker is at a unit |
//! | `source` | the raw logs: a listing, told apart by unit |
//! | `archive` | raw logs that go once they are converted |
//! | `aws`, `aws_error` | credentials and clients of AWS; its failures in words |
//! | `athena` | one statement of Athena, from start to last page |
//! | `clock` | the clocks of this computer |
//! | `contract` | for tests: what every ledger and catalog must do |
//! | `flaky` | for tests: a store, a ledger and a catalog that fail, from a seed |

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
pub mod waiting;
