//! A lake: the folder that holds the tables side by side, and the file that says that it is one.
//!
//! `_edgemill/lake.json` is created only if absent and never changes: it fixes what every run must agree on.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::edge::ledger::{DynamoLedger, LakeLedger, Records};
use crate::edge::location::Location;
use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::names::Layout;
use crate::kernel::protocol::Swap;
use crate::kernel::records::FORMAT_VERSION;

const LAKE_FILE: &str = "_edgemill/lake.json";

const LAYOUTS: &str = "_edgemill/layouts";

/// Where a lake's records are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerChoice {
    /// In the lake itself.
    Lake,
    /// In a DynamoDB table.
    Dynamodb {
        /// Its name.
        table: String,
    },
}

impl std::str::FromStr for LedgerChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "lake" => Ok(Self::Lake),
            Some(("dynamodb", table)) if !table.is_empty() => Ok(Self::Dynamodb { table: table.to_owned() }),
            _ => Err(format!("'{text}' is no ledger; write lake or dynamodb:TABLE")),
        }
    }
}

impl std::fmt::Display for LedgerChoice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lake => f.write_str("lake"),
            Self::Dynamodb { table } => write!(f, "dynamodb:{table}"),
        }
    }
}

/// What a lake is, for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The version of the ledger's formats.
    pub format: u32,
    /// Tells this lake from every other.
    pub lake_id: String,
    /// Where its records are kept.
    pub ledger: String,
    /// The length of a partition.
    pub partition: String,
    /// What a unit of work is.
    pub unit: String,
}

/// An open lake.
#[derive(Clone, Debug)]
pub struct Lake {
    /// What lies in it.
    pub objects: Objects,
    /// Its ledger.
    pub records: Records,
    /// What it is.
    pub identity: Identity,
}

impl Lake {
    /// Opens a lake for reading; refuses a folder that is none.
    pub async fn open(place: &str) -> Result<Self> {
        let objects = Objects::open(&Location::existing(place)?)?;
        match read_identity(&objects).await? {
            Some(identity) => Self::of(objects, identity, None).await,
            None => Err(Error::usage(
                format!("'{place}' is no lake: it has no {LAKE_FILE}"),
                format!("make one with: edgemill convert --from LOGS --to {place}"),
            )),
        }
    }

    /// Opens a lake for writing; makes one of an empty or missing folder and refuses one that holds anything else. A lake
    /// keeps the ledger that it was made with: another `ledger` is refused.
    pub async fn open_or_create(place: &str, ledger: Option<&LedgerChoice>) -> Result<Self> {
        let objects = Objects::open(&Location::created(place)?)?;
        if let Some(identity) = read_identity(&objects).await? {
            return Self::of(objects, identity, ledger).await;
        }
        let foreign = objects.list_root().await?.into_iter().find(|name| name != "_edgemill");
        if let Some(foreign) = foreign {
            // Another run may have made the lake, and begun to fill it, between our two looks.
            if let Some(identity) = read_identity(&objects).await? {
                return Self::of(objects, identity, ledger).await;
            }
            return Err(Error::usage(
                format!("'{place}' holds something that is no lake's: '{foreign}'"),
                "give an empty or a new folder for the lake",
            ));
        }
        let identity = Identity {
            format: FORMAT_VERSION,
            lake_id: uuid::Uuid::new_v4().to_string(),
            ledger: ledger.unwrap_or(&LedgerChoice::Lake).to_string(),
            partition: "hour".to_owned(),
            unit: "hour".to_owned(),
        };
        let body = serde_json::to_vec_pretty(&identity).map_err(damaged)?;
        match objects.put_new(&Path::from(LAKE_FILE), body.into()).await? {
            Swap::Done => Self::of(objects, identity, ledger).await,
            // Another run made it at the same time; its word stands.
            Swap::Lost | Swap::Unknown => {
                let identity = read_identity(&objects).await?.ok_or_else(|| damaged("it was written and is gone"))?;
                Self::of(objects, identity, ledger).await
            }
        }
    }

    /// Every layout of folders that a run has used here, `layout` among them from now on. An object's unit depends on it, so
    /// a run that is told another one must know where to look for what was converted before.
    pub async fn layouts(&self, layout: Option<&Layout>) -> Result<Vec<Layout>> {
        if let Some(layout) = layout {
            let text = layout.to_string();
            let name: String = Sha256::digest(&text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            self.objects.put_new(&Path::from(format!("{LAYOUTS}/{name}.txt")), text.into()).await?;
        }
        let mut layouts = Vec::new();
        let mut listing = self.objects.list(LAYOUTS).boxed();
        while let Some(object) = listing.try_next().await? {
            let text = self.objects.get(&object.location).await?.unwrap_or_default();
            let layout = String::from_utf8_lossy(&text).parse();
            layouts.push(layout.map_err(|error: String| Error::LedgerDamaged {
                path: object.location.to_string(),
                source: error.into(),
            })?);
        }
        Ok(layouts)
    }

    async fn of(objects: Objects, identity: Identity, wanted: Option<&LedgerChoice>) -> Result<Self> {
        let ledger: LedgerChoice = identity.ledger.parse().map_err(|error: String| damaged(error))?;
        if let Some(wanted) = wanted.filter(|wanted| **wanted != ledger) {
            return Err(Error::usage(
                format!("the lake '{}' keeps its records in '{ledger}', not in '{wanted}'", objects.url()),
                "leave --ledger out, or make a new lake",
            ));
        }
        let records = match &ledger {
            LedgerChoice::Lake => Records::new(Arc::new(LakeLedger::new(objects.clone()))),
            LedgerChoice::Dynamodb { table } => {
                Records::new(Arc::new(DynamoLedger::open(table, &identity.lake_id).await))
            }
        };
        Ok(Self { objects, records, identity })
    }
}

async fn read_identity(objects: &Objects) -> Result<Option<Identity>> {
    let Some(bytes) = objects.get(&Path::from(LAKE_FILE)).await? else { return Ok(None) };
    let identity: Identity = serde_json::from_slice(&bytes).map_err(damaged)?;
    if identity.format > FORMAT_VERSION
        || identity.ledger.parse::<LedgerChoice>().is_err()
        || identity.partition != "hour"
        || identity.unit != "hour"
    {
        return Err(damaged("a later version of edgemill made this lake; use that one"));
    }
    Ok(Some(identity))
}

fn damaged(source: impl Into<crate::error::Cause>) -> Error {
    Error::LedgerDamaged { path: LAKE_FILE.to_owned(), source: source.into() }
}
