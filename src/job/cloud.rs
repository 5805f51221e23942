//! What a job says of the cloud: how its logs and its lake are reached, which catalog follows, and
//! what becomes of the logs.

use std::fmt;
use std::str::FromStr;

use crate::edge::access::{Access, Encryption};
use crate::edge::location::Location;
use crate::error::{Error, Result};
use crate::lake::CatalogChoice;

/// What becomes of a raw object once its rows are seen everywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterWord {
    /// It stays where it is.
    #[default]
    Keep,
    /// It goes to the archive, into Hive-style folders.
    Move,
    /// It goes.
    Delete,
}

impl FromStr for AfterWord {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "keep" => Ok(Self::Keep),
            "move" => Ok(Self::Move),
            "delete" => Ok(Self::Delete),
            _ => Err(format!("'{text}' is none of keep, move and delete")),
        }
    }
}

impl fmt::Display for AfterWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "keep",
            Self::Move => "move",
            Self::Delete => "delete",
        })
    }
}

/// The same, with the place.
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

impl After {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> AfterWord {
        match self {
            Self::Keep => AfterWord::Keep,
            Self::Move(_) => AfterWord::Move,
            Self::Delete => AfterWord::Delete,
        }
    }
}

/// What was typed of it.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "each is the argument of its name")]
pub struct TypedCloud {
    pub catalog: Option<CatalogChoice>,
    pub encryption: Option<Encryption>,
    pub from_role: Option<String>,
    pub from_external_id: Option<String>,
    pub from_region: Option<String>,
    pub requester_pays: Option<bool>,
    pub after: Option<AfterWord>,
    pub archive: Option<String>,
}

impl TypedCloud {
    pub(super) fn or(self, file: Self) -> Self {
        Self {
            catalog: self.catalog.or(file.catalog),
            encryption: self.encryption.or(file.encryption),
            from_role: self.from_role.or(file.from_role),
            from_external_id: self.from_external_id.or(file.from_external_id),
            from_region: self.from_region.or(file.from_region),
            requester_pays: self.requester_pays.or(file.requester_pays),
            after: self.after.or(file.after),
            archive: self.archive.or(file.archive),
        }
    }
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
    /// Checks what was typed of a job whose logs and lake lie there.
    pub(super) fn new(typed: TypedCloud, from: &str, to: &str) -> Result<Self> {
        let source = Access {
            role: typed.from_role,
            external_id: typed.from_external_id,
            region: typed.from_region,
            requester_pays: typed.requester_pays.unwrap_or(false),
            encryption: None,
        };
        let after = match (typed.after.unwrap_or_default(), &typed.archive) {
            (AfterWord::Keep, _) => After::Keep,
            (AfterWord::Delete, _) => After::Delete,
            (AfterWord::Move, Some(archive)) => After::Move(archive.clone()),
            (AfterWord::Move, None) => {
                return Err(Error::usage(
                    "--after move does not say where to",
                    "give --archive, a place beside the logs",
                ));
            }
        };
        if let Some(archive) = &typed.archive {
            refuse_archive(archive, from, to)?;
        }
        let lake = Access::encrypted(typed.encryption);
        Ok(Self { source, lake, catalog: typed.catalog, after, archive: typed.archive })
    }
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
