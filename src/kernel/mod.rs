//! The pure half of the program: bytes and values in, bytes and values out.
//!
//! Nothing in this folder reads a clock, a file, the network, the environment or a random number,
//! or logs; time and chance are arguments. `tests/house` keeps that, and that each wing uses only
//! those above it in this table.
//!
//! | wing | what is decided there | look here to change |
//! |-|-|-|
//! | [`schema`] | the tables, their columns and the sources of their rows | a new source, a field of a log, a column, its type or its privacy class, a sort order, a view |
//! | [`policy`] | what is said of user agents, and what is kept of people | a bot, a category, a way to pseudonymise |
//! | [`source`] | which objects are logs, and how their bytes become values | a format, what is beside logs |
//! | [`columns`] | how values become columns and Parquet files | coding, row groups, memory |
//! | [`ledger`] | what is recorded, and the protocol that makes every row appear exactly once | a record, a step of the protocol |
//! | [`ddl`] | the statements that make tables and views | a dialect |

pub mod columns;
pub mod ddl;
pub mod ledger;
pub mod policy;
pub mod schema;
pub mod source;
