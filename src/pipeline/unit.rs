//! One unit: converts what is new of it, commits it, and plans anew where another run was faster.

use super::batch::stage_batch;
use super::budget::Turn;
use super::committed::CommittedBatch;
use super::context::RunContext;
use super::name_hours::note_lateness;
use super::planning::PlannedUnit;
use super::refresh::refresh_unit;
use super::summary::Summary;
use crate::edge::ledger::unit_key;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::Outcome;
use crate::kernel::ledger::records::{Manifest, UnitRecord};
use crate::kernel::ledger::staging::staging;
use crate::progress::Progress;
use crate::protocol_driver;

/// Converts and commits what is left of a unit; plans anew where another run was faster. Its turn
/// ends with its conversion.
pub(super) async fn convert_unit(
    context: &RunContext,
    mut unit: PlannedUnit,
    turn: Turn<'_>,
    progress: &Progress,
) -> Result<Summary> {
    let mut turn = Some(turn);
    let planned_known_objects = unit.plan.known_objects;
    let mut finished_batches = 0;
    loop {
        let PlannedUnit { record, plan, .. } = &unit;
        let mut summary = Summary::default();
        let mut outcome = Outcome::Done;
        if plan.has_new() {
            let (manifest, converted) = stage_batch(context, &record.unit, plan, None, progress).await?;
            drop(turn.take());
            if !manifest.partitions().is_disjoint(&context.absent) {
                context.lake.objects.delete_folder(&staging(&manifest.unit, &manifest.attempt)).await?;
                summary.stats.waiting_objects = plan.new_objects().len() as u64;
                summary.stats.finished_batches = finished_batches;
                return Ok(summary);
            }
            summary = converted;
            summary.touched = manifest.partitions();
            // Where no object could be read, there is nothing to commit, and nothing was written.
            if !manifest.inputs.is_empty() {
                note_lateness(context, &mut summary, record, &manifest);
                no_record_was_lost(context, record, &manifest).await?;
                outcome = protocol_driver::commit(&context.lake, &manifest, record).await?;
                summary.committed.push(CommittedBatch::of(&manifest));
            }
        }
        if outcome == Outcome::Done {
            summary.stats.units = 1;
            summary.stats.finished_batches = finished_batches;
            // The first plan's are counted already.
            summary.stats.known_objects = plan.known_objects - planned_known_objects;
            return Ok(summary);
        }
        tracing::info!("{}: another run was faster, planning anew", record.unit);
        finished_batches += refresh_unit(context, &mut unit).await?;
    }
}

/// Refuses to begin a unit anew whose record is gone: its partitions remember batches of it, which
/// would be there twice.
async fn no_record_was_lost(context: &RunContext, planned: &UnitRecord, manifest: &Manifest) -> Result<()> {
    if !planned.is_blank() {
        return Ok(());
    }
    for partition in manifest.partitions() {
        let there = context.lake.records.partition(partition).await?;
        let remembers = there.part(&planned.unit).is_some_and(|part| !part.applied.is_empty());
        // Another run may just have made its first record.
        if remembers && context.lake.records.unit(&planned.unit).await?.is_blank() {
            context.lake.objects.delete_folder(&staging(&manifest.unit, &manifest.attempt)).await?;
            return Err(Error::LedgerDamaged {
                path: format!("_edgemill/{}", unit_key(&planned.unit)),
                source: format!("it is gone, and {partition} has rows of its batches").into(),
            });
        }
    }
    Ok(())
}
