//! Lines that are no rows, as columns of the `rejects` table.

use std::sync::Arc;

use arrow::array::{ArrayRef, BinaryArray, Int64Array, StringArray};

use super::builder::HourBatch;
use super::data::ColumnData;
use crate::kernel::policy::privacy::Privacy;
use crate::kernel::schema::{Column, Origin, RejectFact, columns};
use crate::kernel::source::parse::Reject;
use crate::model::Table;

/// A rejected line and the object that it stands in.
#[derive(Clone, Debug)]
pub struct RejectedLine {
    /// The raw object's key.
    pub filename: Arc<str>,
    /// The line.
    pub reject: Reject,
}

impl RejectedLine {
    /// Bytes held: the line, the reason, and what is around them.
    #[must_use]
    pub fn held_bytes(&self) -> u64 {
        (size_of::<Self>() + self.reject.raw_line.len() + self.reject.reason.len()) as u64
    }
}

/// The rejects of one hour as one part of a partition of the `rejects` table, in the order given.
/// Where lines are not kept, their hashes are.
#[must_use]
pub fn rows(source: Table, lines: &[RejectedLine], privacy: &Privacy) -> HourBatch {
    let keeps_lines = privacy.keeps_all();
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    let array = |fact: RejectFact| -> ArrayRef {
        match fact {
            RejectFact::SourceTable => Arc::new(StringArray::from_iter_values(lines.iter().map(|_| source.name()))),
            RejectFact::LineNumber => {
                Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| number(line.reject.line_number))))
            }
            RejectFact::ByteOffset => {
                Arc::new(Int64Array::from_iter_values(lines.iter().map(|line| number(line.reject.byte_offset))))
            }
            RejectFact::Reason => Arc::new(StringArray::from_iter_values(lines.iter().map(|line| &line.reject.reason))),
            RejectFact::LineBytes => Arc::new(Int64Array::from_iter_values(
                lines.iter().map(|line| number(line.reject.raw_line.len() as u64)),
            )),
            RejectFact::LineSha256 => {
                let hash = |line: &RejectedLine| privacy.line_hash(&line.reject.raw_line);
                Arc::new(lines.iter().map(|line| (!keeps_lines).then(|| hash(line))).collect::<StringArray>())
            }
            RejectFact::RawLine => {
                let lines = lines.iter().map(|line| keeps_lines.then_some(line.reject.raw_line.as_slice()));
                Arc::new(lines.collect::<BinaryArray>())
            }
        }
    };
    let data = |column: &Column| match column.origin {
        Origin::Reject(fact) => ColumnData::PerRow(array(fact)),
        Origin::ObjectKey => {
            let keys = StringArray::from_iter_values(lines.iter().map(|line| &line.filename));
            ColumnData::PerRow(Arc::new(keys))
        }
        _ => ColumnData::Absent,
    };
    let columns = columns(Table::Rejects).iter().map(data).collect();
    HourBatch { rows: lines.len(), columns, object_keys: Vec::new(), agent_keys: Vec::new() }
}
