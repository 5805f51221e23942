//! The manifests of a unit, as far as they can be read.

use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::records::{BatchEntry, Manifest, UnitRecord};
use crate::lake::Lake;

/// The manifests of a unit's batches, in their order; nothing in the place of one that is gone or
/// cannot be read.
pub(super) async fn unit_manifests(lake: &Lake, record: &UnitRecord) -> Result<Vec<(BatchEntry, Option<Manifest>)>> {
    let mut read = Vec::new();
    for entry in record.batches.iter().chain(&record.replacing) {
        let manifest = match manifests::read(&lake.objects, &entry.attempt).await {
            Ok(manifest) if manifest.digest() == entry.inputs && manifest.batch == entry.batch => Some(manifest),
            Ok(_) => None,
            Err(error) if error.is_damage() => None,
            Err(error) => return Err(error),
        };
        read.push((entry.clone(), manifest));
    }
    Ok(read)
}
