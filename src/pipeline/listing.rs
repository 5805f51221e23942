//! What a listing is worth: without what was archived, and in words where nothing of it matched.

use crate::edge::objects::Objects;
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::plan::{Grouped, NO_HOUR, Naming};
use crate::lake::Lake;
use crate::model::HourRange;
use crate::stats::{count, either};

/// Leaves out of a listing what this run and others have moved to archives. They are asked for
/// after the listing: whoever moves an object has said where to before, so an object that was
/// listed in an archive is known as such.
pub(super) async fn leave_out_archived(job: &Job, source: &Objects, lake: &Lake, grouped: &mut Grouped) -> Result<()> {
    let archives = lake.archives(job.archive_url()?.as_deref()).await?;
    grouped.leave_out_archived(source.url(), &Naming { archives, ..Naming::default() });
    Ok(())
}

/// What a listing has instead, where what was asked for let no log through that is there. `hours`
/// are those asked for.
#[must_use]
pub fn nothing_matched(hours: Option<HourRange>, grouped: &Grouped) -> Option<String> {
    let mut said = Vec::new();
    if let (Some((first, last)), Some(hours)) = (grouped.outside_hours, hours) {
        let are = either(grouped.outside_objects, "is", "are");
        let objects = count(grouped.outside_objects, "object");
        said.push(format!("of {hours} there is none: {objects} {are} of other hours, {first} to {last}"));
    }
    if grouped.filtered_objects > 0 {
        let objects = count(grouped.filtered_objects, "object");
        let named: Vec<&str> = grouped.filtered_distributions.iter().map(String::as_str).collect();
        let of =
            if named.is_empty() { "whose names tell none".to_owned() } else { format!("such as {}", named.join(", ")) };
        said.push(format!("--distributions leaves out {objects} of others, {of}"));
    }
    if grouped.excluded_objects > 0 {
        said.push(format!("--exclude leaves out {}", count(grouped.excluded_objects, "object")));
    }
    if let Some(objects) = grouped.skipped.get(NO_HOUR) {
        said.push(format!("{} whose names tell no hour", count(*objects, "object")));
    }
    (grouped.units.is_empty() && !said.is_empty()).then(|| format!("no object matched: {}", said.join("; ")))
}
