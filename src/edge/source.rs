//! The raw logs: a listing, told apart by unit.

use futures::{StreamExt, TryStreamExt};

use super::objects::{Objects, PAGE_KEYS, object_id};
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::{Grouped, HIDDEN, LeftOut, NO_HOUR, Naming};
use crate::kernel::schema;
use crate::kernel::source::inflate;
use crate::kernel::source::names;
use crate::kernel::source::parse::sniff::{NamesOf, Told};
use crate::kernel::source::parse::{parquet, sniff};
use crate::model::{HourRange, ObjectId};
use crate::stats::count;

/// First bytes that are read of an object whose name says nothing: they hold a line, however it is
/// packed.
const HEAD_BYTES: u64 = 64 << 10;

/// Last bytes that are read of a Parquet file whose name says nothing: the footer of a log's few
/// dozen columns.
const FOOTER_BYTES: u64 = 256 << 10;

/// Objects looked into at a time.
const LOOKS_AT_A_TIME: usize = 16;

/// Lists the raw objects of a place and tells them apart by unit, each unit's in key order. Where a
/// name says nothing, the first bytes do: a call for each such object.
pub async fn list(objects: &Objects, naming: &Naming, hours: Option<HourRange>) -> Result<Grouped> {
    let mut grouped = Grouped::default();
    match hours {
        Some(hours) if objects.lists_in_order() => list_hours(objects, naming, hours, &mut grouped).await?,
        _ => {
            let mut listing = objects.list("").boxed();
            while let Some(meta) = listing.try_next().await? {
                grouped.add(objects.url(), object_id(meta), naming, hours);
            }
        }
    }
    grouped.leave_lakes_alone();
    let unnamed = std::mem::take(&mut grouped.unnamed);
    for (object, told) in look_into_all(objects, unnamed).await? {
        grouped.add_unnamed(objects.url(), object, told);
    }
    grouped.sort();
    Ok(grouped)
}

/// What objects are by their first bytes, in their order: a call for each.
pub async fn look_into_all(objects: &Objects, wanted: Vec<ObjectId>) -> Result<Vec<(ObjectId, Told)>> {
    let looks = futures::stream::iter(wanted).map(|object| async move {
        let told = look_into(objects, &object).await?;
        Ok::<_, crate::error::Error>((object, told))
    });
    looks.buffered(LOOKS_AT_A_TIME).try_collect().await
}

/// Lists page by page, and leaves out the pages that no object of these hours can be on: where the
/// last key of a page is of another hour, the listing goes on where the hours begin, or behind what
/// is of that distribution. Never more calls than without it, and of a distribution at most 2
/// besides the pages of its hours.
async fn list_hours(objects: &Objects, naming: &Naming, hours: HourRange, grouped: &mut Grouped) -> Result<()> {
    let mut behind: Option<String> = None;
    loop {
        let mut listing = objects.list_behind(behind.as_deref()).boxed();
        let (mut keys, mut next) = (0_u64, None);
        while let Some(meta) = listing.try_next().await? {
            keys += 1;
            let object = object_id(meta);
            if keys.is_multiple_of(PAGE_KEYS) {
                next = naming
                    .archive(objects.url(), &object.key)
                    // '0' is the byte after '/': what begins with it comes behind all of the
                    // folder.
                    .map(|folder| format!("{folder}0"))
                    .or_else(|| names::skip_unwanted(&object.key, &naming.distributions))
                    .or_else(|| names::skip(&object.key, naming.layout.as_ref(), hours));
                if next.is_none() {
                    objects.count_page();
                }
            }
            grouped.add(objects.url(), object, naming, Some(hours));
            if next.is_some() {
                break;
            }
        }
        match next {
            Some(next) => behind = Some(next),
            None => return Ok(()),
        }
    }
}

/// The longest footer that is looked into.
const MOST_FOOTER_BYTES: u64 = 16 << 20;

/// What an object is by its first bytes.
pub async fn look_into(objects: &Objects, object: &ObjectId) -> Result<Told> {
    if object.size_bytes == 0 {
        return Ok(Told::Nothing);
    }
    let stored = objects.get_range(object, 0..object.size_bytes.min(HEAD_BYTES)).await?;
    if stored.starts_with(parquet::MAGIC) {
        let start = object.size_bytes.saturating_sub(FOOTER_BYTES);
        let mut tail = objects.get_range(object, start..object.size_bytes).await?;
        // A file of many row groups has a long footer.
        if let Some(footer_bytes) = parquet::footer_bytes(&tail)
            && (tail.len() as u64 + 1..=object.size_bytes.min(MOST_FOOTER_BYTES)).contains(&footer_bytes)
        {
            tail = objects.get_range(object, object.size_bytes - footer_bytes..object.size_bytes).await?;
        }
        return Ok(
            parquet::names_in_footer(&tail).map_or(Told::Nothing, |names| sniff::by_names(&names, NamesOf::Table))
        );
    }
    Ok(sniff::text(&inflate::head(&stored, usize::try_from(HEAD_BYTES).unwrap_or(usize::MAX))))
}

/// Says what is wrong with a place in which there is no log at all, rather than doing nothing. For
/// who knows that no object is left to be converted.
///
/// Where logs are taken away once they are converted (`is_taken_away`), a place without any object
/// is as it should be; one that holds only others is not.
pub fn refuse_nothing(from: &str, naming: &Naming, left_out: &LeftOut, is_taken_away: bool) -> Result<()> {
    // What a load balancer itself writes beside its logs says that the place is right and the first
    // log still to come.
    let is_to_come = |what: &&str| schema::is_beside_logs(what) || *what == NO_HOUR && naming.table.is_some();
    let is_right = left_out.skipped.keys().any(is_to_come);
    let skipped_objects = left_out.skipped_objects();
    let filtered = left_out.listed_objects() - skipped_objects;
    if filtered + left_out.archived_objects > 0 || is_right {
        return Ok(());
    }
    let names = schema::example_names();
    Err(match &left_out.first_skipped {
        None if is_taken_away => return Ok(()),
        None => {
            Error::usage(format!("there is no object in '{from}'"), format!("name the folder of the logs ({names})"))
        }
        Some(first) if left_out.skipped.keys().all(|what| *what == HIDDEN) => Error::usage(
            format!("all there is in '{from}' is hidden: {}, first: '{first}'", count(skipped_objects, "object")),
            "logs lie in folders whose names do not begin with '.' or '_'",
        ),
        Some(first) => Error::usage(
            format!(
                "there is no log that is read here in '{from}', but {}, first: '{first}'",
                count(skipped_objects, "other object")
            ),
            format!("{names}; to read every object as a log whatever its name, say {}", schema::format_arguments()),
        ),
    })
}
