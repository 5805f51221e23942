//! What is left to do in a unit: its listing against what the ledger knows of its objects.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;

use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::UnitPlan;
use crate::kernel::ledger::records::{AttemptId, BatchEntry, InputName, UnitRecord, digest};
use crate::kernel::ledger::same::{SameContent, Twin, Twins};
use crate::kernel::source::names;
use crate::kernel::source::names::Layout;
use crate::lake::Lake;
use crate::model::{Granularity, HourRange, ObjectId, Table, UnitId};

/// Manifests of one unit read at a time.
const MANIFESTS_AT_A_TIME: usize = 16;

/// What is known when units are planned: of the logs, the lake and what the job asks for.
pub(super) struct Planner<'a> {
    /// The URL of the logs.
    pub(super) source: &'a str,
    /// Nothing where it is to be made.
    pub(super) lake: Option<&'a Lake>,
    /// How long its units are.
    pub(super) granularity: Granularity,
    /// The hours that are asked for.
    pub(super) hours: Option<HourRange>,
    /// Every layout that a run has used in this lake.
    pub(super) layouts: &'a [Layout],
    /// What the ledger knows of the units of these hours.
    pub(super) known_units: &'a HashMap<UnitId, UnitRecord>,
    pub(super) same_content: SameContent,
}

/// The units of the hours that are asked for, and those without a time.
pub(super) async fn known_units(lake: &Lake, hours: Option<HourRange>) -> Result<HashMap<UnitId, UnitRecord>> {
    let mut known = HashMap::new();
    for table in Table::LOGS {
        let mut records = lake.records.units(table, hours).await?;
        if hours.is_some() {
            records.extend(lake.records.untimed_units(table).await?);
        }
        known.extend(records.into_iter().map(|record| (record.unit.clone(), record)));
    }
    Ok(known)
}

/// A unit with what was listed of it, and what there is to do.
pub(super) struct PlannedUnit {
    pub(super) record: UnitRecord,
    pub(super) listed: Vec<ObjectId>,
    pub(super) plan: UnitPlan,
}

/// What the ledger knows of the objects of some units.
#[derive(Default)]
struct KnownObjects {
    /// URL to etag.
    etags: HashMap<String, String>,
    /// What others may be the same as.
    twins: Twins,
}

impl Planner<'_> {
    /// What was known of a unit when the run began.
    pub(super) fn record(&self, unit: &UnitId) -> UnitRecord {
        self.known_units.get(unit).cloned().unwrap_or_else(|| UnitRecord::new(unit.clone()))
    }

    /// What is left to do in a unit. Its manifests are read only where the listing is not exactly
    /// what is known.
    pub(super) async fn plan(&self, record: &UnitRecord, listed: &[ObjectId]) -> Result<UnitPlan> {
        if record.inputs() == digest(self.source, listed.iter()) {
            return Ok(UnitPlan { known_objects: listed.len() as u64, ..UnitPlan::default() });
        }
        let mut known = KnownObjects::default();
        self.add_inputs(record, &mut known).await?;
        let mut plan = plan::unit(self.source, listed, &known.etags);
        let mut elsewhere = self.known_elsewhere(&record.unit, &plan.inputs).await?;
        plan.leave_out(self.source, &elsewhere.etags);
        let mut twins = known.twins;
        twins.extend(std::mem::take(&mut elsewhere.twins));
        plan.set_same_apart(twins, self.same_content);
        Ok(plan)
    }

    /// Adds a unit's inputs; of a unit of many hours those that may be of the hours that are asked
    /// for.
    async fn add_inputs(&self, record: &UnitRecord, known: &mut KnownObjects) -> Result<()> {
        // By another layout an object may have been named for another hour.
        let asked = self.hours.filter(|_| self.layouts.is_empty());
        let met = |entry: &&BatchEntry| entry.hours.zip(asked).is_none_or(|(hours, asked)| hours.meets(asked));
        let Some(lake) = self.lake else { return Ok(()) };
        let attempts: Vec<AttemptId> = record.batches.iter().filter(met).map(|entry| entry.attempt.clone()).collect();
        let mut manifests = manifests::read_all(&lake.objects, attempts, MANIFESTS_AT_A_TIME);
        while let Some(manifest) = manifests.try_next().await? {
            for kept in manifest.taken_over {
                // Of what may lack rows no etag is known: it is read again where it is there.
                known.etags.insert(kept.url, kept.etag.unwrap_or_default());
            }
            for input in manifest.inputs {
                let url = InputName { source: &manifest.source, object: &input.object }.url();
                if input.same_as.is_none() {
                    let etag = input.object.etag.clone();
                    known.twins.add(&input.object, Twin { url: url.as_str().into(), etag, digest: input.digest });
                }
                known.etags.insert(url, input.object.etag);
            }
        }
        Ok(())
    }

    /// What other units have, of those in which these objects may have been converted by a run that
    /// was told otherwise: as logs of the other table, by another layout, or without a time. A
    /// folder of objects without a time may have been moved from any other.
    async fn known_elsewhere(&self, unit: &UnitId, inputs: &[ObjectId]) -> Result<KnownObjects> {
        let of = |input: &ObjectId| {
            names::possible_units(&plan::path(self.source, &input.key), self.layouts, self.granularity)
        };
        let mut units: BTreeSet<UnitId> = inputs.iter().flat_map(of).collect();
        if unit.period().is_none() && !inputs.is_empty() {
            let untimed = self.known_units.keys().filter(|of| of.period().is_none() && of.table() == unit.table());
            units.extend(untimed.cloned());
        }
        units.remove(unit);
        let mut known = KnownObjects::default();
        let Some(lake) = self.lake else { return Ok(known) };
        for other in units {
            match (self.known_units.get(&other), other.period()) {
                (Some(record), _) => self.add_inputs(record, &mut known).await?,
                // It was not among those that were read at the beginning.
                (None, Some(_)) if !other.meets(self.hours) => {
                    self.add_inputs(&lake.records.unit(&other).await?, &mut known).await?;
                }
                (None, _) => {}
            }
        }
        Ok(known)
    }
}
