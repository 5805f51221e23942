//! What is recorded of a lake, and the steps by which every row appears exactly once.
//!
//! | module | what it holds |
//! |-|-|
//! | [`records`] | the records of units and partitions, and the manifests of batches |
//! | [`staging`] | the names of folders of work in progress |
//! | [`plan`] | which listed objects are new, late, replaced or known |
//! | [`same`] | an object under another key whose bytes are known |
//! | [`protocol`] | commit, publish, rewrite and repair as state machines without I/O |
//! | [`restore`] | a lost record, from those that are left |

pub mod plan;
pub mod protocol;
pub mod records;
pub mod restore;
pub mod same;
pub mod staging;
