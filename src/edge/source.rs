//! The raw logs: a listing, told apart by unit.

use futures::{StreamExt, TryStreamExt};

use super::objects::Objects;
use crate::error::Result;
use crate::kernel::plan::{Format, Grouped};
use crate::model::{HourRange, ObjectId};

/// Lists the raw objects of a place and tells them apart by unit, each unit's in key order.
pub async fn list(objects: &Objects, format: Format, hours: Option<HourRange>) -> Result<Grouped> {
    let mut grouped = Grouped::default();
    let mut listing = objects.list("").boxed();
    while let Some(meta) = listing.try_next().await? {
        let etag = meta.e_tag.unwrap_or_else(|| format!("{}-{}", meta.last_modified.timestamp_micros(), meta.size));
        grouped.add(ObjectId { key: meta.location.into(), etag, size_bytes: meta.size }, format, hours);
    }
    grouped.sort();
    Ok(grouped)
}
