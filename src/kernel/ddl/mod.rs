//! SQL that describes the lake to other engines: its tables, from the one list of columns, and the
//! views under which people's existing queries run unchanged. Text in, text out.
//!
//! | file | what it holds |
//! |-|-|
//! | `statements` | the statements, and scripts of them |
//! | `views` | the list of views; each source describes its own |
//! | `expression` | an expression of a view in each engine's SQL |
//! | `dialect` | the engines, their quotes and types |
//! | [`presto`] | a view as Athena keeps it in a catalog |

mod dialect;
mod expression;
pub mod presto;
mod statements;
mod views;

pub use dialect::Dialect;
pub use statements::{
    backtick, create_table, create_view, literal, location, register_partitions, script, statements, table_properties,
    view_sql,
};
pub use views::{Select, VIEWS, View};

pub use crate::kernel::schema::Expression;
