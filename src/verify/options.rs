//! What is to be verified.

use std::time::Duration;

use crate::job;
use crate::kernel::ledger::plan::Naming;
use crate::lake::said::AlreadySaid;
use crate::model::HourRange;
use crate::model::access::Access;

/// What is to be verified.
#[derive(Clone, Debug)]
pub struct VerifyOptions {
    /// The logs, to see whether the lake has them all.
    pub from: Option<String>,
    /// How they are reached.
    pub source: Access,
    /// How they are told apart: as whatever converts them is told.
    pub naming: Naming,
    /// Whether logs are taken away once they are converted: then their place may be empty.
    pub is_taken_away: bool,
    /// Only these hours.
    pub hours: Option<HourRange>,
    /// What was said besides that a command is to say too.
    pub said: AlreadySaid,
    /// Whether every file is read whole.
    pub deep: bool,
    /// Whether what can be mended is mended.
    pub fix: bool,
    /// How long another machine's claim holds that nobody renews.
    pub lease: Duration,
    /// How old a folder of unfinished work is that is taken for a dead process's.
    pub orphan_age: Duration,
}

impl Default for VerifyOptions {
    /// Waits as a conversion does that is told nothing.
    fn default() -> Self {
        let job::Options { lease, orphan_age, .. } = job::Typed::default().decided();
        Self {
            from: None,
            source: Access::default(),
            naming: Naming::default(),
            is_taken_away: false,
            hours: None,
            said: AlreadySaid::default(),
            deep: false,
            fix: false,
            lease,
            orphan_age,
        }
    }
}
