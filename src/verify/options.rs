//! What is to be verified.

use crate::edge::access::Access;
use crate::kernel::ledger::plan::Naming;
use crate::model::HourRange;

/// What is to be verified.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The logs, to see whether the lake has them all.
    pub from: Option<String>,
    /// How they are reached.
    pub source: Access,
    /// How they are told apart: as whatever converts them is told.
    pub naming: Naming,
    /// Only these hours.
    pub hours: Option<HourRange>,
    /// Whether every file is read whole.
    pub deep: bool,
    /// Whether what can be mended is mended.
    pub fix: bool,
}
