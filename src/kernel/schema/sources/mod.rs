//! The list of sources. A new one is a file beside this and a line here; its table is a line in
//! `model/table.rs`.
//!
//! | file | what it does |
//! |-|-|
//! | `cloudfront` | CloudFront standard logs |
//! | `alb` | access logs of Application Load Balancers |

mod alb;
mod cloudfront;

use super::descriptor::Source;
use crate::model::Table;

/// Every source, in the order of their tables.
pub const SOURCES: [&Source; Table::LOGS.len()] = [&cloudfront::SOURCE, &alb::SOURCE];

// Without this a source could describe the table of another.
const _: () = {
    let mut place = 0;
    while place < SOURCES.len() {
        assert!(SOURCES[place].table as usize == Table::LOGS[place] as usize, "sources stand in the order of tables");
        place += 1;
    }
};

/// The source of a table; `None` for the table of rejects, which no log is converted to.
#[must_use]
pub fn source(table: Table) -> Option<&'static Source> {
    SOURCES.get(table as usize).copied()
}

/// The source that `--format` or a job file names.
#[must_use]
pub fn source_named(cli_name: &str) -> Option<&'static Source> {
    SOURCES.into_iter().find(|source| source.cli_name == cli_name)
}
