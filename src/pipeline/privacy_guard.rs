//! What is kept of people is chosen by a job, not by a lake: a run that was started without the choice would put back what an
//! earlier one took away. It is refused, unless it says on purpose what is to be kept.

use std::collections::BTreeMap;

use super::Shared;
use crate::edge::manifests;
use crate::error::{Error, Result};
use crate::kernel::records::{Manifest, UnitRecord};
use crate::model::{Table, UnitId};

/// What files say where nothing was taken away.
const ALL: &str = "none";

/// Refuses a run that says nothing of people where rows were made that keep less than all.
pub(super) fn refuse_more(shared: &Shared, unit: &UnitId, manifest: &Manifest) -> Result<()> {
    let before = manifest.stamp.privacy.as_str();
    if before == ALL || before.is_empty() || shared.job.rows.says_what_is_kept() {
        return Ok(());
    }
    Err(Error::usage(
        format!("{unit}: its rows were made with '{before}', and this run says nothing of what to keep of people"),
        "give the same arguments, or the same --job; to keep everything on purpose, say --client-ip keep",
    ))
}

/// The same for a run that adds rows: of each table the latest hour tells what the lake's rows are like.
pub(super) async fn refuse_more_of_tables<'u>(shared: &Shared, units: impl Iterator<Item = &'u UnitId>) -> Result<()> {
    if shared.job.rows.says_what_is_kept() {
        return Ok(());
    }
    let tables: std::collections::BTreeSet<Table> = units.map(UnitId::table).collect();
    let mut latest: BTreeMap<Table, &UnitRecord> = BTreeMap::new();
    for record in shared.known_units.values().filter(|record| tables.contains(&record.unit.table())) {
        let known = latest.entry(record.unit.table()).or_insert(record);
        if record.unit > known.unit {
            *known = record;
        }
    }
    for record in latest.into_values() {
        if let Some(entry) = record.batches.last() {
            refuse_more(shared, &record.unit, &manifests::read(&shared.lake.objects, &entry.attempt).await?)?;
        }
    }
    Ok(())
}
