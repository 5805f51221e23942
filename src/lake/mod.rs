//! A lake: the folder that holds the tables side by side, and the file that says that it is one.
//!
//! `_edgemill/lake.json` is created only if absent and never changes: it fixes what every run must
//! agree on.
//!
//! | file | what it does |
//! |-|-|
//! | `people` | what a lake keeps of people, and which of its rows hold more |
//! | `absent` | partitions whose records are gone, by what units say |
//! | `said` | what a lake remembers of how its rows are made, as arguments |
//! | `there` | what a lake has, in words, where filters let nothing through |
//! | `traces` | the copy of a choice, and what files say: where the ledger has lost its note |

mod absent;
pub mod people;
pub mod said;
mod there;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::edge::aws::S3_MAX_CALL_DELAY_SECONDS;
use crate::edge::catalog;
use crate::edge::catalog::{Catalog, LEAST_CALL_DELAY_SECONDS};
use crate::edge::claims::Claims;
use crate::edge::ledger;
use crate::edge::ledger::{DynamoLedger, Ledger, Records, other_version};
use crate::edge::objects::Objects;
use crate::edge::probe;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::{CasOutcome, Setting, Wait};
use crate::kernel::ledger::records::FORMAT_VERSION;
use crate::kernel::source::names::Layout;
use crate::location::Location;
use crate::model::Granularity;
use crate::model::access::Access;

pub use crate::model::choices::{CatalogChoice, LedgerChoice};

const LAKE_FILE: &str = "_edgemill/lake.json";

const LAYOUTS: &str = "_edgemill/layouts";

const ARCHIVES: &str = "_edgemill/archives";

const CATALOG_FILE: &str = "_edgemill/catalog.txt";

/// The `max_call_delay` on a local file system, where a call takes effect before it returns: what
/// is left is a process that was stopped between its look at the clock and its call.
const LOCAL_MAX_CALL_DELAY_SECONDS: u64 = 2;

/// How long a query over a catalog's partition may go on after the partition was pointed elsewhere.
const QUERY_SECONDS: u64 = 300;

/// What a new lake is to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLake {
    /// Where it keeps its records; in itself, where nothing is said. An old lake that keeps them
    /// elsewhere is refused.
    pub ledger: Option<LedgerChoice>,
    /// See [`Identity::partition`]; an hour, where nothing is said.
    pub partition: Option<Granularity>,
    /// See [`Identity::max_call_delay_seconds`].
    pub max_call_delay_seconds: Option<u64>,
    /// See [`Identity::query_seconds`].
    pub query_seconds: Option<u64>,
}

impl NewLake {
    /// Refuses what is not so of a lake that is there already: all its workers cut and wait alike,
    /// for ever.
    fn agrees(&self, identity: &Identity, place: &str) -> Result<()> {
        if let Some(wanted) = self.partition.filter(|wanted| *wanted != identity.partition) {
            return Err(Error::usage(
                format!("the lake '{place}' has a partition for each {}, not for each {wanted}", identity.partition),
                "leave --partition out, or convert into a new lake",
            ));
        }
        let delay = self.max_call_delay_seconds.unwrap_or(identity.max_call_delay_seconds);
        let query = self.query_seconds.unwrap_or(identity.query_seconds);
        if (delay, query) == (identity.max_call_delay_seconds, identity.query_seconds) {
            return Ok(());
        }
        let (delay, query) = (identity.max_call_delay_seconds, identity.query_seconds);
        Err(Error::usage(
            format!("the lake '{place}' was made with --max-call-delay {delay}s --queries {query}s"),
            "leave them out, or make a new lake",
        ))
    }

    /// A lake with this ledger and these partitions, and the usual times.
    #[must_use]
    pub fn of(ledger: Option<LedgerChoice>, partition: Option<Granularity>) -> Self {
        Self { ledger, partition, ..Self::default() }
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
    pub partition: Granularity,
    /// How long a unit of work is: as long as a partition, in lakes that were made since that is
    /// so.
    pub unit: Granularity,
    /// The longest delay of a call (`init --max-call-delay`): no call takes effect later than this
    /// after the reading that it rests on, and the protocol assumes so. All workers of a lake wait
    /// as long, so it belongs to the lake. In `lake.json` it has its first name.
    #[serde(rename = "late_seconds")]
    pub max_call_delay_seconds: u64,
    /// How long queries over a catalog's partition may go on after it was pointed to another
    /// folder.
    pub query_seconds: u64,
    /// The server that was found, when the lake was made, to let one of many writers win
    /// ([`probe`]); none where the lake is a folder, or its ledger is elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probed_endpoint: Option<String>,
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
    /// The catalog that engines follow, if there is one.
    pub catalog: Option<Arc<dyn Catalog>>,
    /// Which catalog was chosen.
    pub chosen: CatalogChoice,
}

impl Lake {
    /// Opens a lake for reading; refuses a folder that is none.
    pub async fn open(place: &str) -> Result<Self> {
        Self::open_as(place, &Access::default()).await
    }

    /// Opens a lake that is reached in some way; refuses a folder that is none.
    pub async fn open_as(place: &str, access: &Access) -> Result<Self> {
        let objects = Objects::open_as(&Location::existing(place)?, access).await?;
        if let Some(identity) = read_identity(&objects).await? {
            return Self::of(objects, identity, None).await;
        }
        refuse_headless(&objects, place).await?;
        Err(Error::usage(
            format!("'{place}' is no lake: it has no {LAKE_FILE}"),
            format!("make one with: edgemill convert --from LOGS --to {place}"),
        ))
    }

    /// Opens a lake, where there is one.
    pub async fn open_if_there(place: &str, access: &Access) -> Result<Option<Self>> {
        // What is wrong with the place is said by whoever makes a lake of it.
        let Ok(location) = Location::existing(place) else { return Ok(None) };
        let objects = Objects::open_as(&location, access).await?;
        match read_identity(&objects).await? {
            Some(identity) => Self::of(objects, identity, None).await.map(Some),
            None => Ok(None),
        }
    }

    /// Refuses a place where no lake can be made as it is wished for, as far as can be told without
    /// writing.
    pub async fn refuse_place(place: &str, new: &NewLake, access: &Access) -> Result<()> {
        if let Some(location) = Location::to_be_made(place)? {
            refuse_foreign(&Objects::open_as(&location, access).await?, place).await?;
        }
        match &new.ledger {
            // Its table must be there already.
            Some(LedgerChoice::Dynamodb { table }) => {
                DynamoLedger::open(table, "").await.head(LAKE_FILE).await.map(|_| ())
            }
            Some(LedgerChoice::Lake) | None => Ok(()),
        }
    }

    /// Opens a lake for writing; makes one of an empty or missing folder and refuses one that holds
    /// anything else. A lake keeps the ledger that it was made with: another `ledger` is refused.
    pub async fn open_or_create(place: &str, new: &NewLake, access: &Access) -> Result<Self> {
        let ledger = new.ledger.as_ref();
        let objects = Objects::open_as(&Location::created(place)?, access).await?;
        if let Some(identity) = read_identity(&objects).await? {
            new.agrees(&identity, place)?;
            return Self::of(objects, identity, ledger).await;
        }
        // Another run may have made the lake, and begun to fill it, between our two looks.
        if let Err(refused) = refuse_foreign(&objects, place).await {
            return match read_identity(&objects).await? {
                Some(identity) => Self::of(objects, identity, ledger).await,
                None => Err(refused),
            };
        }
        let choice = ledger.cloned().unwrap_or(LedgerChoice::Lake);
        let (objects, probed_endpoint) = match choice {
            LedgerChoice::Lake => (objects.clone(), probe::before_a_lake(&objects).await?),
            LedgerChoice::Dynamodb { .. } => (objects.sparing_conditions(), None),
        };
        let identity = Identity {
            format: FORMAT_VERSION,
            lake_id: uuid::Uuid::new_v4().to_string(),
            ledger: choice.to_string(),
            partition: new.partition.unwrap_or_default(),
            unit: new.partition.unwrap_or_default(),
            max_call_delay_seconds: new.max_call_delay_seconds.unwrap_or_else(|| max_call_delay_seconds(&objects)),
            query_seconds: new.query_seconds.unwrap_or(QUERY_SECONDS),
            probed_endpoint,
        };
        let identity = write_identity(&objects, identity).await?;
        Self::of(objects, identity, ledger).await
    }

    /// Lets engines follow a catalog from now on. A lake has one, for ever: another is refused.
    ///
    /// A run that opened the lake before knows nothing of it, and would rewrite hours without
    /// waiting for the catalog's readers, so the choice is refused while a run is at work, as far
    /// as its claims tell, which hold for `lease` where nobody renews them.
    pub async fn choose_catalog(&mut self, choice: CatalogChoice, lease: Duration) -> Result<()> {
        self.refuse_catalog(&choice)?;
        if choice != CatalogChoice::None {
            let first = read_catalog(&self.objects).await? == CatalogChoice::None;
            if first && choice.registers() && Claims::new(self.objects.clone(), lease).anyone_alive().await? {
                return Err(Error::Busy {
                    what: format!("a run is at work in the lake '{}', which knows of no catalog", self.objects.url()),
                });
            }
            // Some stores would write over the choice that was made before.
            if first {
                self.objects.put_own(&Path::from(CATALOG_FILE), choice.to_string().into()).await?;
            }
        }
        let chosen = read_catalog(&self.objects).await?;
        if chosen != choice {
            return Err(Error::usage(
                format!("the lake '{}' has the catalog '{chosen}', not '{choice}'", self.objects.url()),
                "leave --catalog out, or make a new lake",
            ));
        }
        self.catalog = catalog::open(&chosen, &self.objects).await;
        self.chosen = chosen;
        Ok(())
    }

    /// This lake for whoever mends it: a record that cannot be read is as one that is gone.
    #[must_use]
    pub fn forgiving(&self) -> Self {
        Self { records: self.records.forgiving(), ..self.clone() }
    }

    /// This lake with the catalog that it was given since it was opened, if it was.
    pub async fn with_new_catalog(&self) -> Result<Option<Self>> {
        if self.chosen != CatalogChoice::None {
            return Ok(None);
        }
        let chosen = read_catalog(&self.objects).await?;
        if !chosen.registers() {
            return Ok(None);
        }
        Ok(Some(Self { catalog: catalog::open(&chosen, &self.objects).await, chosen, ..self.clone() }))
    }

    fn refuse_catalog(&self, choice: &CatalogChoice) -> Result<()> {
        let (url, delay) = (self.objects.url(), self.identity.max_call_delay_seconds);
        if choice.database().is_some() && !url.starts_with("s3://") {
            return Err(Error::usage(
                format!("the lake '{url}' is not in S3, where Athena reads"),
                "make it at s3://BUCKET/PREFIX, or choose the catalog lake or none",
            ));
        }
        // With a delay of 0 every call is believed to be over when it is answered: in a test.
        let too_short = delay > 0 && delay < LEAST_CALL_DELAY_SECONDS;
        if choice.calls_are_under_way() && too_short {
            return Err(Error::usage(
                format!("the lake '{url}' was made with --max-call-delay {delay}s"),
                format!(
                    "a call to the catalog may take longer: make a new lake with --max-call-delay {LEAST_CALL_DELAY_SECONDS}s"
                ),
            ));
        }
        Ok(())
    }

    /// Refuses a lake that is not what a run takes it for.
    pub fn refuse_other(&self, new: &NewLake, place: &str) -> Result<()> {
        new.agrees(&self.identity, place)?;
        refuse_other_ledger(&self.objects, &self.identity, new.ledger.as_ref()).map(|_| ())
    }

    /// What the protocol has to know of this lake.
    #[must_use]
    pub const fn setting(&self) -> Setting {
        Setting::new(self.catalog.is_some())
    }

    /// How long a wait is here.
    #[must_use]
    pub const fn delay(&self, wait: Wait) -> Duration {
        Duration::from_secs(match wait {
            Wait::MaxCallDelay => self.identity.max_call_delay_seconds,
            Wait::Queries => self.identity.query_seconds,
        })
    }

    /// Every place that converted logs were moved to by a run into this lake, `archive` among them
    /// from now on: whatever a later run is told, none of it is ever read as new logs.
    pub async fn archives(&self, archive: Option<&str>) -> Result<Vec<String>> {
        self.remembered(ARCHIVES, archive).await
    }

    /// Every layout of folders that a run has used here, `layout` among them from now on. An
    /// object's unit depends on it, so a run that is told another one must know where to look for
    /// what was converted before.
    pub async fn layouts(&self, layout: Option<&Layout>) -> Result<Vec<Layout>> {
        let texts = self.remembered(LAYOUTS, layout.map(ToString::to_string).as_deref()).await?;
        let parsed = texts.iter().map(|text| text.parse());
        let damaged = |error: String| Error::LedgerDamaged { path: LAYOUTS.to_owned(), source: error.into() };
        parsed.map(|layout| layout.map_err(damaged)).collect()
    }

    /// The texts that runs have left in a folder, one more from now on.
    async fn remembered(&self, folder: &str, text: Option<&str>) -> Result<Vec<String>> {
        if let Some(text) = text {
            let name: String = Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
            self.objects.put_own(&Path::from(format!("{folder}/{name}.txt")), text.to_owned().into()).await?;
        }
        let mut texts = Vec::new();
        let mut listing = self.objects.list(folder).boxed();
        while let Some(object) = listing.try_next().await? {
            let text = self.objects.get(&object.location).await?.unwrap_or_default();
            texts.push(String::from_utf8_lossy(&text).into_owned());
        }
        Ok(texts)
    }

    async fn of(objects: Objects, identity: Identity, wanted: Option<&LedgerChoice>) -> Result<Self> {
        let choice = refuse_other_ledger(&objects, &identity, wanted)?;
        let probed = identity.probed_endpoint.clone();
        let ledger = ledger::open(&choice, &objects, &identity.lake_id, probed).await;
        let objects = match choice {
            LedgerChoice::Lake => objects,
            LedgerChoice::Dynamodb { .. } => objects.sparing_conditions(),
        };
        let records = Records::new(ledger, identity.partition, identity.unit);
        let chosen = read_catalog(&objects).await?;
        let catalog = catalog::open(&chosen, &objects).await;
        Ok(Self { objects, records, identity, catalog, chosen })
    }
}

/// Refuses a place without a lake that holds something else, or what is left of one.
async fn refuse_foreign(objects: &Objects, place: &str) -> Result<()> {
    refuse_headless(objects, place).await?;
    match objects.list_root().await?.into_iter().find(|name| name != "_edgemill") {
        Some(foreign) => Err(Error::usage(
            format!("'{place}' holds something that is no lake's: '{foreign}'"),
            "give an empty or a new folder for the lake",
        )),
        None => Ok(()),
    }
}

/// Refuses what is left of a lake without the file that says what it is: how long its partitions
/// are, and where its records are kept.
async fn refuse_headless(objects: &Objects, place: &str) -> Result<()> {
    let names = objects.list_names("_edgemill").await?;
    let is_of_ledger = |name: &String| ["units", "partitions", "manifests"].contains(&name.as_str());
    // Another run may have made it, and begun to fill it, between our two looks.
    if !names.iter().any(is_of_ledger) || read_identity(objects).await?.is_some() {
        return Ok(());
    }
    Err(Error::usage(
        format!("'{place}' is what is left of a lake: its {LAKE_FILE} is gone"),
        "restore that file from a copy (it never changes); without one, convert the logs into a new lake, in another folder",
    ))
}

/// The ledger of a lake; another that is wanted is refused.
fn refuse_other_ledger(objects: &Objects, identity: &Identity, wanted: Option<&LedgerChoice>) -> Result<LedgerChoice> {
    let ledger: LedgerChoice = identity.ledger.parse().map_err(|error: String| damaged(error))?;
    match wanted {
        Some(wanted) if *wanted != ledger => Err(Error::usage(
            format!("the lake '{}' keeps its records in '{ledger}', not in '{wanted}'", objects.url()),
            "leave --ledger out, or make a new lake",
        )),
        _ => Ok(ledger),
    }
}

/// The `max_call_delay` of a new lake, unless somebody says otherwise.
fn max_call_delay_seconds(objects: &Objects) -> u64 {
    if objects.is_local() { LOCAL_MAX_CALL_DELAY_SECONDS } else { S3_MAX_CALL_DELAY_SECONDS }
}

/// Times that a new lake's file is written whose writing was answered by nothing that says what
/// became of it, and the pause.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);

/// Writes what a new lake is, unless another run has made it at the same time: then its word
/// stands.
async fn write_identity(objects: &Objects, identity: Identity) -> Result<Identity> {
    let (path, body) = (Path::from(LAKE_FILE), serde_json::to_vec_pretty(&identity).map_err(damaged)?);
    // A store that was not tried out may let two make the lake, and the later one's word stands: so
    // it is read a moment later.
    let is_sound = objects.endpoint().is_none() || identity.probed_endpoint.is_some();
    for _ in 0..TRIES {
        if objects.put_new(&path, body.clone().into()).await? == CasOutcome::Committed && is_sound {
            return Ok(identity);
        }
        if !is_sound {
            tokio::time::sleep(PAUSE).await;
        }
        if let Some(identity) = read_identity(objects).await? {
            return Ok(identity);
        }
        tokio::time::sleep(PAUSE).await;
    }
    Err(objects.unclear(&path))
}

async fn read_catalog(objects: &Objects) -> Result<CatalogChoice> {
    let Some(text) = objects.get(&Path::from(CATALOG_FILE)).await? else { return Ok(CatalogChoice::None) };
    let path = || CATALOG_FILE.to_owned();
    let parsed = String::from_utf8_lossy(&text).trim().parse();
    parsed.map_err(|error: String| Error::LedgerDamaged { path: path(), source: error.into() })
}

async fn read_identity(objects: &Objects) -> Result<Option<Identity>> {
    let Some(bytes) = objects.get(&Path::from(LAKE_FILE)).await? else { return Ok(None) };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let format = value.get("format").and_then(serde_json::Value::as_u64);
    if let Some(format) = format.filter(|format| *format != u64::from(FORMAT_VERSION)) {
        return Err(other_version(LAKE_FILE, format));
    }
    let identity: Identity = serde_json::from_value(value).map_err(damaged)?;
    if identity.ledger.parse::<LedgerChoice>().is_err() {
        return Err(damaged("a later version of edgemill made this lake; use that one"));
    }
    Ok(Some(identity))
}

fn damaged(source: impl Into<crate::error::Cause>) -> Error {
    Error::LedgerDamaged { path: LAKE_FILE.to_owned(), source: source.into() }
}
