//! A job as people and scripts see it: every choice, with what was decided where nothing was said.
//! No secret is in it.

use super::checked::Job;
use super::declare::{OptionFacts, Visitor};
use super::kinds::OptionKind;
use crate::kernel::policy::recipe::Fingerprint;

/// Collects every option as a job file holds it.
#[derive(Default)]
struct Shown(Vec<(&'static str, Option<toml::Value>)>);

impl Visitor for Shown {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        self.0.push((facts.name, value.as_ref().map(K::shown)));
    }
}

impl Job {
    /// Every option by its name in a job file; without a value where nothing was said and nothing
    /// is taken for it. What was not said of people stays unsaid: a run that says it keeps
    /// everything is refused in a lake that keeps less.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, Option<toml::Value>)> {
        let mut shown = Shown::default();
        self.options.typed().visit(&mut shown);
        shown.0
    }

    /// What every file of this job will say of how its rows were made.
    #[must_use]
    pub fn stamp(&self) -> Fingerprint {
        Fingerprint { rules: self.rows.additions.stamp(), privacy: self.rows.privacy.stamp() }
    }
}
