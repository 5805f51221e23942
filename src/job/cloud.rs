//! What a job says of the cloud: how its logs and its lake are reached, which catalog follows, and
//! what becomes of the logs.

use super::choices::AfterChoice;
use super::options::Options;
use crate::error::{Error, Result};
use crate::location::Location;
use crate::model::access::Access;
use crate::model::choices::CatalogChoice;

/// What becomes of a raw object once its rows are seen everywhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum After {
    /// It stays where it is.
    #[default]
    Keep,
    /// It goes below this place.
    Move(String),
    /// It goes.
    Delete,
}

/// What a job says of the cloud, checked.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    /// How the logs are reached.
    pub source: Access,
    /// How the lake is.
    pub lake: Access,
    /// The catalog that the lake must have, where one is named.
    pub catalog: Option<CatalogChoice>,
    /// What becomes of the logs.
    pub after: After,
    /// Where moved logs lie, whatever becomes of these: they are never logs to convert.
    pub archive: Option<String>,
}

impl Cloud {
    /// Checks what was said of a job whose logs and lake lie there.
    pub(super) fn new(options: &Options, from: &str, to: &str) -> Result<Self> {
        let after = match (options.after, &options.archive) {
            (AfterChoice::Keep, _) => After::Keep,
            (AfterChoice::Delete, _) => After::Delete,
            (AfterChoice::Move, Some(archive)) => After::Move(archive.clone()),
            (AfterChoice::Move, None) => {
                return Err(Error::usage(
                    "--after move does not say where to",
                    "give --archive, a place beside the logs",
                ));
            }
        };
        if let Some(archive) = &options.archive {
            refuse_archive(archive, from, to)?;
        }
        let (source, lake) = (options.source_access(), options.lake_access());
        Ok(Self { source, lake, catalog: options.catalog.clone(), after, archive: options.archive.clone() })
    }
}

impl Options {
    /// How the logs are reached.
    #[must_use]
    pub fn source_access(&self) -> Access {
        Access {
            role: self.from_role.clone(),
            external_id: self.from_external_id.clone(),
            region: self.from_region.clone(),
            requester_pays: self.requester_pays,
            encryption: None,
        }
    }

    /// How the lake is reached.
    #[must_use]
    pub fn lake_access(&self) -> Access {
        Access::encrypted(self.encryption.clone())
    }
}

/// The canonical URL of an archive.
pub(super) fn archive_url_of(archive: Option<&str>) -> Result<Option<String>> {
    Ok(archive.map(Location::planned).transpose()?.map(|place| place.url()))
}

/// An archive inside the lake would be somebody's table; one that the logs lie in would hide them.
fn refuse_archive(archive: &str, from: &str, to: &str) -> Result<()> {
    let (place, logs, lake) = (Location::planned(archive)?, Location::planned(from)?, Location::planned(to)?);
    if place.overlaps(&lake) {
        return Err(Error::usage(
            format!("the archive '{archive}' and the lake '{to}' overlap"),
            "give an archive outside the lake",
        ));
    }
    if place.holds(&logs) {
        return Err(Error::usage(
            format!("the logs '{from}' lie in the archive '{archive}'"),
            "give an archive beside the logs or below them",
        ));
    }
    if place.bucket() != logs.bucket() {
        return Err(Error::usage(
            format!("the archive '{archive}' is not in the bucket of the logs '{from}'"),
            "give a prefix of that bucket: there an object is moved without being read",
        ));
    }
    Ok(())
}
