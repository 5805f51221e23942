//! The pure half of the program: bytes and values in, bytes and values out.
//!
//! Nothing in this folder reads a clock, a file, the network, the environment or a random number,
//! or logs; time and chance are arguments. `tests/house` keeps that.
//!
//! The table stands from the outside to the inside, as that of the crate does: each part uses only
//! those below it. `tests/house` keeps that too.
//!
//! | part | what is decided there | look here to change |
//! |-|-|-|
//! | [`ddl`] | the statements that make tables and views | a dialect |
//! | [`ledger`] | what is recorded, and the protocol that makes every row appear exactly once | a record, a step of the protocol |
//! | [`columns`] | how values become columns and Parquet files | coding, row groups, memory |
//! | [`source`] | which objects are logs, and how their bytes become values | a format, what is beside logs |
//! | [`policy`] | what is said of user agents, and what is kept of people | a bot, a category, a way to pseudonymise |
//! | [`schema`] | the tables, their columns and the sources of their rows | a new source, a field of a log, a column, its type or its privacy class, a sort order, a view |

pub mod columns;
pub mod ddl;
pub mod ledger;
pub mod policy;
pub mod schema;
pub mod source;
