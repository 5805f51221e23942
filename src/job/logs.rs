//! The logs of a job as a verb reads them that converts nothing: where they lie, how they are
//! reached and told apart.

use super::{Typed, archive_url_of};
use crate::edge::access::Access;
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::{Exclude, Naming};
use crate::model::Granularity;

/// What a verification is told.
#[derive(Clone, Debug, Default)]
pub struct Logs {
    /// Where the lake lies, where it was said.
    pub lake: Option<String>,
    /// How it is reached.
    pub lake_access: Access,
    /// Where the logs lie, where they are to be compared.
    pub from: Option<String>,
    /// How they are reached.
    pub access: Access,
    /// How objects are told apart: as a conversion that is told the same does.
    pub naming: Naming,
}

impl Typed {
    /// How objects are told apart, checked.
    pub(super) fn naming(&self) -> Result<Naming> {
        let patterns = self.exclude.clone().unwrap_or_default();
        let patterns = patterns.into_iter().filter(|pattern| !pattern.is_empty()).collect();
        let hint =
            "write --exclude as '**/*.tmp' or 'folder/**': * is any name, ** any folders, from the root of --from";
        Ok(Naming {
            // The lake tells.
            unit: Granularity::default(),
            table: self.table,
            layout: self.layout.clone(),
            archives: archive_url_of(self.cloud.archive.as_deref())?.into_iter().collect(),
            distributions: self.distributions.clone().unwrap_or_default().into_iter().collect(),
            exclude: Exclude::new(patterns).map_err(|what| Error::usage(what, hint))?,
            names_fields: self.fields.is_some(),
        })
    }

    /// The logs alone, of a job that is not carried out.
    pub fn logs(self) -> Result<Logs> {
        let naming = self.naming()?;
        let Self { from, to, cloud, .. } = self;
        let access = Access {
            role: cloud.from_role,
            external_id: cloud.from_external_id,
            region: cloud.from_region,
            requester_pays: cloud.requester_pays.unwrap_or(false),
            encryption: None,
        };
        Ok(Logs { lake: to, lake_access: Access::encrypted(cloud.encryption), from, access, naming })
    }
}
