//! What is left to do in a unit: its listing against what the ledger knows of its objects.

use std::collections::{BTreeSet, HashMap};

use futures::TryStreamExt;

use super::context::RunContext;
use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::UnitPlan;
use crate::kernel::ledger::records::{AttemptId, BatchEntry, InputName, UnitRecord, digest};
use crate::kernel::ledger::same::{Twin, Twins};
use crate::kernel::source::names;
use crate::model::{ObjectId, UnitId};

/// Manifests of one unit read at a time.
const MANIFESTS_AT_A_TIME: usize = 16;

/// A unit with what was listed of it, and what there is to do.
pub(super) struct PlannedUnit {
    pub(super) record: UnitRecord,
    pub(super) listed: Vec<ObjectId>,
    pub(super) plan: UnitPlan,
}

/// What is left to do in a unit. Its manifests are read only where the listing is not exactly what
/// is known.
pub(super) async fn plan_unit(context: &RunContext, record: &UnitRecord, listed: &[ObjectId]) -> Result<UnitPlan> {
    let source = context.source.url();
    if record.inputs() == digest(source, listed.iter()) {
        return Ok(UnitPlan { known_objects: listed.len() as u64, ..UnitPlan::default() });
    }
    let mut known = KnownObjects::default();
    add_inputs(context, record, &mut known).await?;
    let mut plan = plan::unit(source, listed, &known.etags);
    let mut elsewhere = known_elsewhere(context, &record.unit, &plan.inputs).await?;
    plan.leave_out(source, &elsewhere.etags);
    let mut twins = known.twins;
    twins.extend(std::mem::take(&mut elsewhere.twins));
    plan.set_same_apart(twins, context.job.same_content);
    Ok(plan)
}

/// What the ledger knows of the objects of some units.
#[derive(Default)]
struct KnownObjects {
    /// URL to etag.
    etags: HashMap<String, String>,
    /// What others may be the same as.
    twins: Twins,
}

/// Adds a unit's inputs; of a unit of many hours those that may be of the hours that are asked for.
async fn add_inputs(context: &RunContext, record: &UnitRecord, known: &mut KnownObjects) -> Result<()> {
    // By another layout an object may have been named for another hour.
    let asked = context.job.hours.filter(|_| context.layouts.is_empty());
    let met = |entry: &&BatchEntry| entry.hours.zip(asked).is_none_or(|(hours, asked)| hours.meets(asked));
    let attempts: Vec<AttemptId> = record.batches.iter().filter(met).map(|entry| entry.attempt.clone()).collect();
    let mut manifests = manifests::read_all(&context.lake.objects, attempts, MANIFESTS_AT_A_TIME);
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

/// What other units have, of those in which these objects may have been converted by a run that was
/// told otherwise: as logs of the other table, by another layout, or without a time. A folder of
/// objects without a time may have been moved from any other.
async fn known_elsewhere(context: &RunContext, unit: &UnitId, inputs: &[ObjectId]) -> Result<KnownObjects> {
    let of = |input: &ObjectId| {
        names::possible_units(
            &plan::path(context.source.url(), &input.key),
            &context.layouts,
            context.lake.identity.unit,
        )
    };
    let mut units: BTreeSet<UnitId> = inputs.iter().flat_map(of).collect();
    if unit.period().is_none() && !inputs.is_empty() {
        let untimed = context.known_units.keys().filter(|of| of.period().is_none() && of.table() == unit.table());
        units.extend(untimed.cloned());
    }
    units.remove(unit);
    let mut known = KnownObjects::default();
    for other in units {
        match (context.known_units.get(&other), other.period()) {
            (Some(record), _) => add_inputs(context, record, &mut known).await?,
            // It was not among those that were read at the beginning.
            (None, Some(_)) if !other.meets(context.job.hours) => {
                add_inputs(context, &context.lake.records.unit(&other).await?, &mut known).await?;
            }
            (None, _) => {}
        }
    }
    Ok(known)
}
