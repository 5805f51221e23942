//! What a listing is worth: without what was archived.

use crate::edge::objects::Objects;
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::plan::{Grouped, Naming};
use crate::lake::Lake;

/// Leaves out of a listing what this run and others have moved to archives. They are asked for
/// after the listing: whoever moves an object has said where to before, so an object that was
/// listed in an archive is known as such.
pub(super) async fn leave_out_archived(job: &Job, source: &Objects, lake: &Lake, grouped: &mut Grouped) -> Result<()> {
    leave_out(lake.archives(job.archive_url()?.as_deref()).await?, source, grouped);
    Ok(())
}

/// Leaves out of a listing what lies in these archives.
pub(super) fn leave_out(archives: Vec<String>, source: &Objects, grouped: &mut Grouped) {
    grouped.leave_out_archived(source.url(), &Naming { archives, ..Naming::default() });
}
