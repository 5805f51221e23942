//! The tables, their columns and the sources of their rows. The Arrow schema, the statements, the
//! views and the mapping from logged fields to columns all come from here, so that they cannot
//! drift apart.
//!
//! Columns are only ever appended, and a type never changes: a lake outlives the version that began
//! it. `tests/goldens` keeps that.
//!
//! | file | what it holds | change it for |
//! |-|-|-|
//! | [`sources`] | the list of sources, and a file for each: columns, sort order, names of objects, formats, views | a field, a sort order, a new source |
//! | `descriptor` | what a source is described by | something in which sources differ, and did not before |
//! | `column` | what a column is described by: type, origin, coding, privacy class | a new kind of fact about columns |
//! | `shared` | columns that the tables of all logs have | what is told of user agents |
//! | `rejects` | the table of lines that are no rows | a column of it |
//! | `object_name`, `view` | what names of objects and views are described by | |
//! | `lookup`, `arrow_schema` | questions about columns, answered from the above | |

mod arrow_schema;
mod column;
mod descriptor;
mod lookup;
mod object_name;
mod rejects;
mod shared;
pub mod sources;
mod view;

pub use arrow_schema::{MapKeys, arrow_schema, encoder_schema, map_entries};
pub use column::{AgentFact, Coding, Column, ColumnType, EdgeFact, Origin, PrivacyClass, RejectFact};
pub use descriptor::{Escapes, FirstValue, FormatNames, PositionalRows, Source, SplitField, Subfield, Words};
pub use lookup::{
    column_called, column_from, column_index, columns, columns_named, example_names, format_arguments, has_aliases,
    is_beside_logs, is_logged_field, is_neighbour, is_time_field, names_of_class, normalise_field_name, privacy_class,
    sort_columns, split_field, tells_time,
};
pub use object_name::{
    CLASSIC_LB, CLOUDTRAIL, LB_CONNECTION, LB_HEALTH, LB_TEST, NETWORK_LB, Named, S3_ACCESS, VPC_FLOW, WAF,
};
pub use shared::{EVENT_TIME, FILENAME};
pub use sources::{SOURCES, source, source_named};
pub use view::{Expression, SourceView, ViewColumns};
