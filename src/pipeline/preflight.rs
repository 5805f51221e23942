//! Refusals before anything is touched.
//!
//! Every run of `convert` and `reprocess` passes [`refuse`], and so does `plan`: a reason to refuse
//! any run goes there.

use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::lake::{CatalogChoice, Lake, NewLake};

/// What a run is about, once nothing speaks against it, and before anything is written: a lake that
/// is to be made is not there yet. Only [`refuse`] makes one.
pub(super) struct Cleared {
    pub(super) job: Job,
    /// The place of the logs.
    pub(super) source: Objects,
    /// Nothing where it is to be made.
    pub(super) lake: Option<Lake>,
    /// Only this file may fill it in.
    _passed: (),
}

/// The same with its lake: a run is opened with nothing else.
pub(super) struct Admitted {
    pub(super) job: Job,
    /// The place of the logs.
    pub(super) source: Objects,
    pub(super) lake: Lake,
    /// Only this file may fill it in.
    _passed: (),
}

/// Refuses what must hold for every run, before it lists logs, makes a lake, or changes one that is
/// there.
pub(super) async fn refuse(job: Job, source: Objects, lake: Option<Lake>) -> Result<Cleared> {
    if let Some(lake) = &lake {
        refuse_other_catalog(&job, lake)?;
    } else {
        refuse_new_with_catalog(&job)?;
        Lake::refuse_place(&job.to, &wished_lake(&job), &job.cloud.lake).await?;
    }
    Ok(Cleared { job, source, lake, _passed: () })
}

impl Cleared {
    /// Makes the lake where there is none.
    pub(super) async fn with_lake(self) -> Result<Admitted> {
        let Self { job, source, lake, .. } = self;
        let lake = match lake {
            Some(lake) => lake,
            None => Lake::open_or_create(&job.to, &wished_lake(&job), &job.cloud.lake).await?,
        };
        // Another run may have made it meanwhile.
        refuse_other_catalog(&job, &lake)?;
        Ok(Admitted { job, source, lake, _passed: () })
    }
}

/// The lake that a job wishes for: one that is there must be like it.
pub(super) fn wished_lake(job: &Job) -> NewLake {
    NewLake::of(job.ledger.clone(), job.partition)
}

/// Refuses to make a lake that is to have a catalog: its tables are not there yet.
fn refuse_new_with_catalog(job: &Job) -> Result<()> {
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
