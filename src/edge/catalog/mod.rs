//! The catalog: where engines such as Athena read the files of each partition.
//!
//! | file | what it does |
//! |-|-|
//! | `interface` | the trait: what every catalog can do, and the types it speaks of |
//! | `glue` | Glue's own calls, and the tables and views in Glue |
//! | `athena` | the same partitions, by statements that Athena runs |
//! | `lake` | a catalog inside the lake |
//! | `coalesce` | many callers' entries in few calls |
//! | `throttle` | a service that takes nothing now is asked again |

mod athena;
mod coalesce;
mod glue;
mod interface;
mod lake;
mod throttle;

use std::sync::Arc;

pub use athena::{AthenaCatalog, statement_output};
pub use glue::{CatalogChange, GlueCatalog, GlueTables, LEAST_CALL_DELAY_SECONDS};
pub use interface::{Catalog, CatalogEntry, Publication};
pub use lake::LakeCatalog;

use super::objects::Objects;
use crate::model::choices::CatalogChoice;

/// Opens the catalog that a lake follows; none where nobody registers partitions.
pub async fn open(choice: &CatalogChoice, lake: &Objects) -> Option<Arc<dyn Catalog>> {
    match choice {
        CatalogChoice::None | CatalogChoice::Projection { .. } => None,
        CatalogChoice::Lake => Some(Arc::new(LakeCatalog::new(lake.clone()))),
        CatalogChoice::Glue { database } => Some(Arc::new(GlueCatalog::open(database, lake.url()).await)),
        CatalogChoice::Athena { workgroup, database } => {
            Some(Arc::new(AthenaCatalog::open(workgroup, database, lake.url()).await))
        }
    }
}
