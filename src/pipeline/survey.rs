//! What a conversion finds before it writes anything: both places opened, what cannot go well
//! refused, the logs listed. `convert` goes on from there, `plan` tells what there would be to do.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::{StreamExt, TryStreamExt};

use super::listing::leave_out;
use super::planning::{Planner, known_units};
use super::preflight::{Admitted, Cleared, wished_lake};
use super::same_content::Contents;
use super::{high_water, preflight, privacy_guard};
use crate::edge::objects::{Calls, Objects};
use crate::edge::source;
use crate::error::Result;
use crate::job::Job;
use crate::job::cloud::After;
use crate::kernel::ledger::plan::{Grouped, LeftOut, Naming, UnitPlan};
use crate::kernel::source::names::Layout;
use crate::kernel::source::parse::sniff::Told;
use crate::lake::{CatalogChoice, Lake};
use crate::location::Location;
use crate::model::{ObjectId, Table, UnitId};

/// Units planned at a time: one with a difference reads its manifests.
const PLANS_AT_A_TIME: usize = 16;

/// A conversion before it writes anything.
pub(crate) struct Survey {
    cleared: Cleared,
    grouped: Grouped,
}

/// What there would be to do.
pub(crate) struct Outlook {
    /// What is not to be converted.
    pub(crate) left_out: LeftOut,
    /// What there is instead, where what was asked for let no log through.
    pub(crate) nothing_matched: Option<String>,
    /// Filters that fit nothing.
    pub(crate) idle_filters: Vec<String>,
    /// Each unit, those without anything to do among them.
    pub(crate) units: Vec<UnitOutlook>,
    /// The calls to the place of the logs that it took.
    pub(crate) source_calls: Calls,
    /// Whether the records are, or will be, in the lake itself.
    pub(crate) keeps_own_records: bool,
    /// The catalog that the lake has, or will have.
    pub(crate) catalog: CatalogChoice,
}

/// What there would be to do in one unit.
pub(crate) struct UnitOutlook {
    pub(crate) unit: UnitId,
    /// Without what is told by the other two.
    pub(crate) plan: UnitPlan,
    /// Objects that only their folders call logs, and their first bytes do not.
    pub(crate) left_alone_objects: u64,
    /// Objects that are the same as others under other keys; those that are to be taken all the
    /// same are in the plan too.
    pub(crate) same_content_objects: u64,
}

impl Survey {
    /// Looks at what a job is about.
    pub(crate) async fn of(mut job: Job) -> Result<Self> {
        let source = Objects::open_as(&Location::existing(&job.from)?, &job.cloud.source).await?;
        let lake = Lake::open_if_there(&job.to, &job.cloud.lake).await?;
        if let Some(lake) = &lake {
            lake.refuse_other(&wished_lake(&job), &job.to)?;
        }
        job.naming.unit = lake.as_ref().map_or_else(|| job.partition.unwrap_or_default(), |lake| lake.identity.unit);
        let mut cleared = preflight::refuse(job, source, lake).await?;
        let Cleared { job, source, lake, .. } = &mut cleared;
        if let Some(lake) = lake {
            job.hours = high_water::hours(lake, source.url(), job).await?;
        }
        let grouped = source::list(source, &job.naming, job.hours).await?;
        if grouped.units.is_empty() {
            let is_taken_away = lake.is_some() && job.cloud.after != After::Keep;
            source::refuse_nothing(&job.from, &job.naming, &grouped.left_out, is_taken_away)?;
        }
        Ok(Self { cleared, grouped })
    }

    /// The same of places that are open, of any store: the job's own are not looked at.
    pub(super) async fn of_places(mut job: Job, source: Objects, lake: Lake) -> Result<Self> {
        job.naming.unit = lake.identity.unit;
        let cleared = preflight::refuse(job, source, Some(lake)).await?;
        let grouped = source::list(&cleared.source, &cleared.job.naming, cleared.job.hours).await?;
        Ok(Self { cleared, grouped })
    }

    /// A run may begin: the lake is made where there is none.
    pub(super) async fn admit(self) -> Result<(Admitted, Grouped)> {
        Ok((self.cleared.with_lake().await?, self.grouped))
    }

    /// What a run would do, and whether it would be refused for what is kept of people or for
    /// copies. Nothing is written.
    pub(crate) async fn look_ahead(self) -> Result<Outlook> {
        let Self { cleared: Cleared { job, source, lake, .. }, mut grouped } = self;
        let (mut layouts, mut known) = (Vec::new(), HashMap::new());
        if let Some(lake) = &lake {
            let tables: BTreeSet<Table> = grouped.units.keys().map(UnitId::table).collect();
            privacy_guard::would_hold(lake, &job, &tables).await?;
            leave_out(lake.archives(None).await?, &source, &mut grouped);
            layouts = told_layouts(lake, job.naming.layout.as_ref()).await?;
            known = known_units(lake, job.hours).await?;
        }
        grouped.leave_to_others(|unit| job.shard.takes(unit));
        let planner = Planner {
            source: source.url(),
            lake: lake.as_ref(),
            granularity: job.naming.unit,
            hours: job.hours,
            layouts: &layouts,
            known_units: &known,
            same_content: job.same_content,
        };
        let (nothing_matched, idle_filters) =
            (grouped.nothing_matched(job.hours, &job.shard.to_string()), grouped.left_out.idle_filters(&job.naming));
        let units = look_at_units(&planner, &source, &job.naming, grouped.units).await?;
        let ledger = lake.as_ref().map(|lake| lake.identity.ledger.clone());
        let ledger = ledger.or_else(|| job.ledger.as_ref().map(ToString::to_string));
        Ok(Outlook {
            left_out: grouped.left_out,
            nothing_matched,
            idle_filters,
            units,
            source_calls: source.calls(),
            keeps_own_records: ledger.is_none_or(|ledger| ledger == "lake"),
            catalog: lake.map(|lake| lake.chosen).or_else(|| job.cloud.catalog.clone()).unwrap_or_default(),
        })
    }
}

/// Every layout that runs have used in a lake, and the one that this would use.
async fn told_layouts(lake: &Lake, own: Option<&Layout>) -> Result<Vec<Layout>> {
    let mut layouts = lake.layouts(None).await?;
    if let Some(own) = own.filter(|own| !layouts.contains(own)) {
        layouts.push(own.clone());
    }
    Ok(layouts)
}

async fn look_at_units(
    planner: &Planner<'_>,
    source: &Objects,
    naming: &Naming,
    units: BTreeMap<UnitId, Vec<ObjectId>>,
) -> Result<Vec<UnitOutlook>> {
    let looks = units.into_iter().map(|(unit, listed)| async move {
        let mut plan = planner.plan(&planner.record(&unit), &listed).await?;
        let left_alone_objects = leave_alone(source, naming, &mut plan).await?;
        let mut contents = Contents::new(planner.source, planner.same_content, &plan);
        contents.foresee(source, &mut plan.inputs, &unit.to_string()).await?;
        contents.check(&unit.to_string())?;
        Ok(UnitOutlook { left_alone_objects, same_content_objects: contents.same_objects(), unit, plan })
    });
    futures::stream::iter(looks).buffered(PLANS_AT_A_TIME).try_collect().await
}

/// Takes out what only its folders call a log and its first bytes do not, as a conversion would;
/// how many those are. What has a log's own name is not looked at: that would be a call for each.
async fn leave_alone(source: &Objects, naming: &Naming, plan: &mut UnitPlan) -> Result<u64> {
    let unnamed: Vec<ObjectId> =
        plan.inputs.extract_if(.., |input| !naming.is_named(source.url(), &input.key)).collect();
    let mut left_alone = 0;
    for (object, told) in source::look_into_all(source, unnamed).await? {
        match told {
            Told::Log(_) => plan.inputs.push(object),
            Told::Other(_) | Told::Nothing => left_alone += 1,
        }
    }
    plan.inputs.sort_unstable();
    Ok(left_alone)
}
