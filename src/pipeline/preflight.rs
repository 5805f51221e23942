//! Refusals before anything is touched.
//!
//! Every run of `convert` and `reprocess` passes [`refuse`]: a reason to refuse any run goes there.
//! The other functions are about what only `convert` can meet.

use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::kernel::ledger::plan::{Grouped, HIDDEN, NO_HOUR};
use crate::kernel::schema;
use crate::lake::{CatalogChoice, Lake};
use crate::stats::count;

/// What a run is about, once nothing speaks against it: a run is opened with nothing else, and only
/// [`refuse`] makes one.
pub(super) struct Admitted {
    pub(super) job: Job,
    /// The place of the logs.
    pub(super) source: Objects,
    pub(super) lake: Lake,
    /// Only this file may fill it in.
    _passed: (),
}

/// Refuses what must hold for every run, before it changes a lake that is there. (Of a lake that a
/// run makes, the logs are listed and the lake is made first.)
pub(super) fn refuse(job: Job, source: Objects, lake: Lake) -> Result<Admitted> {
    refuse_other_catalog(&job, &lake)?;
    Ok(Admitted { job, source, lake, _passed: () })
}

/// Refuses to make a lake that is to have a catalog: its tables are not there yet.
pub(super) fn refuse_new_with_catalog(job: &Job) -> Result<()> {
    match &job.cloud.catalog {
        Some(catalog) if *catalog != CatalogChoice::None => Err(Error::usage(
            format!("there is no lake at '{}' yet, nor the tables of its catalog '{catalog}'", job.to),
            "make them with edgemill init, once",
        )),
        _ => Ok(()),
    }
}

/// Refuses a lake without the catalog that the job names: its partitions would be missing there,
/// and nobody would know.
fn refuse_other_catalog(job: &Job, lake: &Lake) -> Result<()> {
    match &job.cloud.catalog {
        Some(catalog) if *catalog != lake.chosen => Err(Error::usage(
            format!("the lake '{}' has the catalog '{}', not '{catalog}'", job.to, lake.chosen),
            "give it this one with edgemill init, or leave --catalog out",
        )),
        _ => Ok(()),
    }
}

/// Says what is wrong where there is no log at all, rather than doing nothing.
pub(super) fn refuse_nothing(job: &Job, grouped: &Grouped) -> Result<()> {
    // What a load balancer itself writes beside its logs says that the place is right and the first
    // log still to come.
    let is_to_come = |what: &&str| schema::is_beside_logs(what) || *what == NO_HOUR && job.naming.table.is_some();
    let is_right = grouped.skipped.keys().any(is_to_come);
    let filtered = grouped.outside_objects + grouped.filtered_objects + grouped.excluded_objects;
    if !grouped.units.is_empty() || filtered + grouped.archived_objects > 0 || is_right {
        return Ok(());
    }
    let names = schema::example_names();
    let skipped_objects = grouped.skipped_objects();
    Err(match &grouped.first_skipped {
        None => Error::usage(
            format!("there is no object in '{}'", job.from),
            format!("name the folder of the logs ({names})"),
        ),
        Some(first) if grouped.skipped.keys().all(|what| *what == HIDDEN) => Error::usage(
            format!("all there is in '{}' is hidden: {}, first: '{first}'", job.from, count(skipped_objects, "object")),
            "logs lie in folders whose names do not begin with '.' or '_'",
        ),
        Some(first) => Error::usage(
            format!(
                "there is no log that is read here in '{}', but {}, first: '{first}'",
                job.from,
                count(skipped_objects, "other object")
            ),
            format!("{names}; to read every object as a log whatever its name, say {}", schema::format_arguments()),
        ),
    })
}
