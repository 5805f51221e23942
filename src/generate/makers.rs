//! The sources whose logs can be made. One that is not here is not offered: a generator is not
//! needed to convert logs.

use super::plan::Task;
use super::sites::World;
use super::spec::Delivery;
use super::{alb, cloudfront};
use crate::error::{Error, Result};
use crate::model::Table;

/// Makes the logs of one source.
pub(super) struct Maker {
    /// The table that they are converted to.
    table: Table,
    /// The names of the fields, in their order.
    pub(super) field_names: fn(Delivery) -> Vec<String>,
    /// Whether its own objects are two gzip members.
    pub(super) packs_in_two: bool,
    /// Writes an object's bytes, not yet compressed, over what the buffer held; its key.
    pub(super) write: fn(&World, &Task, Delivery, &mut Vec<u8>) -> Result<String>,
}

static MAKERS: [Maker; 2] = [
    Maker {
        table: Table::CloudfrontLogs,
        field_names: cloudfront::field_names,
        packs_in_two: false,
        write: cloudfront::write,
    },
    Maker { table: Table::AlbLogs, field_names: alb::field_names, packs_in_two: true, write: alb::write },
];

/// The tables whose logs can be made.
pub fn tables() -> impl Iterator<Item = Table> {
    MAKERS.iter().map(|maker| maker.table)
}

/// The maker of a table's logs.
pub(super) fn maker(table: Table) -> Result<&'static Maker> {
    let what = || {
        Error::usage(
            format!("nothing makes logs for the table {table}"),
            "edgemill generate --help lists what can be made",
        )
    };
    MAKERS.iter().find(|maker| maker.table == table).ok_or_else(what)
}

/// The names of the fields of a table's logs in a delivery, in their order; none, where nothing
/// makes such logs.
#[must_use]
pub fn field_names(table: Table, delivery: Delivery) -> Vec<String> {
    maker(table).map_or_else(|_| Vec::new(), |maker| (maker.field_names)(delivery))
}
