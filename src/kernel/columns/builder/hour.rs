//! The rows of one hour: while they are gathered, and as columns.

use super::super::data::{Builder, ColumnData, array_bytes};
use crate::kernel::schema::{Column, Origin, columns};
use crate::model::Table;

/// The rows of one hour from the objects of one task, as columns that are ready to be sorted and
/// written.
#[derive(Debug)]
pub struct HourBatch {
    /// How many there are.
    pub rows: usize,
    /// One per column of the table.
    pub columns: Vec<ColumnData>,
    /// Per row: which object, from the task's first.
    pub object_keys: Vec<u32>,
    /// Per row: which user agent.
    pub agent_keys: Vec<u32>,
}

impl HourBatch {
    /// Bytes of its columns and numbers, without the texts.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        let column = |data: &ColumnData| match data {
            ColumnData::PerRow(array) => array_bytes(array),
            ColumnData::Text { numbers, .. } => 4 * numbers.len(),
            _ => 0,
        };
        let columns: usize = self.columns.iter().map(column).sum();
        (columns + 4 * (self.object_keys.len() + self.agent_keys.len())) as u64
    }

    /// Bytes of the texts that it shares with the other hours of its task.
    #[must_use]
    pub fn shared_bytes(&self) -> u64 {
        let column = |data: &ColumnData| match data {
            ColumnData::Text { texts, .. } => texts.held_bytes(),
            ColumnData::ObjectText(looked_up) | ColumnData::AgentText(looked_up) => {
                looked_up.texts.held_bytes() + 4 * looked_up.numbers.len() as u64
            }
            _ => 0,
        };
        self.columns.iter().map(column).sum()
    }
}

/// The rows of one hour, while they come.
#[derive(Debug)]
pub(super) struct HourBuilder {
    pub(super) event_time: Vec<i64>,
    pub(super) object_keys: Vec<u32>,
    pub(super) agent_keys: Vec<u32>,
    /// One per column of the table.
    pub(super) builders: Vec<Builder>,
}

impl HourBuilder {
    /// No rows yet.
    pub(super) fn new(table: Table) -> Self {
        let builder = |column: &Column| match column.origin {
            Origin::Logged | Origin::LoggedOrObjectName | Origin::UnknownFields => Builder::for_type(column.kind),
            // Made of others when they are written.
            Origin::EventTime | Origin::Agent(_) | Origin::EdgeLocation(..) | Origin::ObjectKey | Origin::Reject(_) => {
                Builder::Derived
            }
        };
        Self {
            event_time: Vec::new(),
            object_keys: Vec::new(),
            agent_keys: Vec::new(),
            builders: columns(table).iter().map(builder).collect(),
        }
    }
}
