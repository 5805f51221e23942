//! How the logs of a job are told apart, for a conversion and for verbs that only compare.

use super::cloud::archive_url_of;
use super::options::Options;
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::{Exclude, Naming};
use crate::model::Granularity;

impl Options {
    /// How objects are told apart, checked: as a conversion that is told the same does.
    pub fn naming(&self) -> Result<Naming> {
        let patterns = self.exclude.iter().filter(|pattern| !pattern.is_empty()).cloned().collect();
        let hint =
            "write --exclude as '**/*.tmp' or 'folder/**': * is any name, ** any folders, from the root of --from";
        Ok(Naming {
            // The lake tells.
            unit: Granularity::default(),
            table: self.format.table(),
            layout: self.layout.clone(),
            archives: archive_url_of(self.archive.as_deref())?.into_iter().collect(),
            distributions: self.distributions.iter().cloned().collect(),
            exclude: Exclude::new(patterns).map_err(|what| Error::usage(what, hint))?,
            names_fields: self.fields.is_some(),
        })
    }
}
