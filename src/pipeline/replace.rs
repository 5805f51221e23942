//! One unit written anew: from the very objects that its batches were made from, as they are today
//! and by today's rules.

use std::time::Duration;

use object_store::path::Path;

use super::batch::stage_batch;
use super::committed::CommittedBatch;
use super::context::RunContext;
use super::inputs::{ListedLogs, UnitInputs, unit_inputs};
use super::lost_units;
use super::refresh::{BrokenBatch, refresh_record};
use super::summary::Summary;
use super::take_over::TakeOver;
use crate::error::{Error, Result};
use crate::kernel::ledger::plan::UnitPlan;
use crate::kernel::ledger::protocol::Outcome;
use crate::kernel::ledger::records::{Manifest, Replaced, UnitRecord};
use crate::kernel::ledger::staging::file_path;
use crate::model::UnitId;
use crate::progress::Progress;
use crate::protocol_driver;
use crate::repair::{Loss, Losses};
use crate::stats::count;

/// Between two looks at an hour that somebody else has claimed.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// What all units of a run share that are written anew.
pub(super) struct Rewriter<'a> {
    pub(super) context: &'a RunContext,
    pub(super) logs: &'a ListedLogs,
    pub(super) losses: &'a Losses,
    pub(super) progress: &'a Progress,
}

impl Rewriter<'_> {
    /// Waits until nobody else works on a unit, then writes it anew.
    pub(super) async fn claim_and_replace(&self, unit: &UnitId, loss: Option<&Loss>) -> Result<Summary> {
        let claims = &self.context.claims;
        while !claims.take(unit).await? {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        claims.hold(unit, self.replace(unit, loss)).await
    }

    /// Writes one unit anew.
    ///
    /// # Errors
    /// `Error::RawGone` where one of its objects is gone: its rows could not be made again. Then
    /// nothing is touched.
    pub(super) async fn replace(&self, unit: &UnitId, loss: Option<&Loss>) -> Result<Summary> {
        let context = self.context;
        loop {
            if let Some(loss) = loss {
                lost_units::end_forgotten(context, unit, loss).await?;
            }
            let broken = if loss.is_some() { BrokenBatch::IsGivenUp } else { BrokenBatch::Fails };
            let record = refresh_record(&context.lake, unit, broken).await?;
            if record.batches.is_empty() && loss.is_none() {
                return Ok(Summary::default());
            }
            let UnitInputs { objects, partitions, changed, unread } = self.inputs(&record, loss).await?;
            let taken_over = TakeOver::of(context, &record, &partitions, &objects, unread).await?;
            let batches = record.batches.iter().map(|entry| entry.batch.clone()).collect();
            let replaced = Replaced { batches, partitions };
            let taken = lost_units::taken_names(unit, loss, self.losses);
            let (replaces, total) = (Some((replaced, taken)), objects.len());
            let plan = UnitPlan { inputs: objects, ..UnitPlan::default() };
            let (mut manifest, mut summary) = stage_batch(context, unit, &plan, replaces, self.progress).await?;
            if manifest.inputs.is_empty() {
                return Err(Error::usage(
                    format!("{unit}: no line of its {} can be read any more", count(total as u64, "object")),
                    "check --fields, --delimiter and --format: its rows stay as they were",
                ));
            }
            taken_over.stage(context, &mut manifest, &mut summary).await?;
            lose_of_others(context, unit, &manifest).await?;
            if protocol_driver::commit(&context.lake, &manifest, &record).await? == Outcome::Done {
                summary.stats.units = 1;
                summary.stats.replaced_objects += changed;
                summary.rewritten = manifest.partitions();
                summary.touched = manifest.partitions();
                summary.committed.push(CommittedBatch::of(&manifest));
                return Ok(summary);
            }
            tracing::info!("{unit}: another run was faster, planning anew");
        }
    }

    /// What a unit is to be made from, and where its rows are.
    pub(super) async fn inputs(&self, record: &UnitRecord, loss: Option<&Loss>) -> Result<UnitInputs> {
        let Some(loss) = loss else { return unit_inputs(self.context, record, self.logs, false).await };
        if loss.forgotten || record.batches.is_empty() {
            return lost_units::lost_inputs(self.context, record, self.logs, loss, self.losses).await;
        }
        match unit_inputs(self.context, record, self.logs, true).await {
            // A manifest has gone since we looked, or is that of a batch that was given up.
            Err(error) if error.is_damage() => {
                lost_units::lost_inputs(self.context, record, self.logs, loss, self.losses).await
            }
            read => {
                let mut read = read?;
                read.partitions.extend(&loss.partitions);
                Ok(read)
            }
        }
    }
}

/// Writes down which files of other units are gone that a rewrite would have to keep: once it is
/// committed it must be carried through, and it could not be.
async fn lose_of_others(context: &RunContext, unit: &UnitId, manifest: &Manifest) -> Result<()> {
    for partition in manifest.partitions() {
        let record = context.lake.records.partition(partition).await?;
        for file in record.parts.iter().filter(|part| part.unit != *unit).flat_map(|part| &part.files) {
            let path = file_path(&record.folder, &file.name);
            if context.lake.objects.size(&Path::from(path.as_str())).await?.is_none() {
                tracing::warn!("'{path}' is gone, and edgemill did not remove it: its record says so from now on");
                protocol_driver::lose(&context.lake, partition).await?;
                break;
            }
        }
    }
    Ok(())
}
