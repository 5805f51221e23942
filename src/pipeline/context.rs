//! What a run shares: its places, its rules, its threads and memory, and what the ledger knew of
//! units when it began.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::budget::{Budget, Turns};
use super::planning::{Planner, known_units};
use super::preflight::Admitted;
use super::privacy_guard::PrivacyChecks;
use super::staged::Attempts;
use super::summary::Summary;
use super::unit_threads::UnitThreads;
use crate::edge::claims::Claims;
use crate::edge::objects::Objects;
use crate::error::Result;
use crate::job::Job;
use crate::kernel::ledger::records::UnitRecord;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::names::Layout;
use crate::lake::Lake;
use crate::model::{Partition, Table, UnitId};
use crate::offload;
use crate::offload::Pool;
use crate::recovery;
use crate::recovery::Recovery;
use crate::signals::until_stopped;

/// Memory that no budget hands out; a job has several times as much.
const BASE_BYTES: u64 = 96 << 20;

/// What all units of a run share.
pub(super) struct RunContext {
    pub(super) job: Job,
    /// The place of the logs.
    pub(super) source: Objects,
    pub(super) lake: Lake,
    pub(super) recipe: Arc<Recipe>,
    pub(super) pool: Pool,
    pub(super) claims: Claims,
    /// For what is fetched and waits.
    pub(super) fetch_budget: Budget,
    /// For what is being converted.
    pub(super) convert_budget: Budget,
    pub(super) turns: Turns,
    pub(super) attempts: Attempts,
    pub(super) unit_threads: UnitThreads,
    /// What the ledger knew of units when the run began.
    pub(super) known_units: HashMap<UnitId, UnitRecord>,
    /// Partitions of these whose records are gone: a conversion puts nothing into them, which would
    /// hide the loss. What writes hours anew has mended them, or does.
    pub(super) absent: BTreeSet<Partition>,
    /// Every layout that a run has used in this lake.
    pub(super) layouts: Vec<Layout>,
    /// What others had left, and this run brought to its end.
    recovered: Recovery,
    /// When it was last seen what the lake keeps of people.
    privacy_checks: PrivacyChecks,
}

impl RunContext {
    /// Begins a run: brings to its end what others began, then reads what the ledger knows.
    pub(super) async fn open(run: Admitted) -> Result<Self> {
        let Admitted { job, source, lake, .. } = run;
        let pool = offload::pool(job.threads)?;
        // What is not for logs: the program, its tables, files on their way to the store.
        let memory_bytes = job.memory_bytes.saturating_sub(BASE_BYTES);
        // A quarter waits, the rest works. A chunk asks for the second only when it has the first,
        // and gives both back without asking for more, so nobody waits in a circle.
        let (fetch_budget, convert_budget) = (Budget::new(memory_bytes / 4), Budget::new(memory_bytes / 4 * 3));
        let turns = Turns::new(job.threads, memory_bytes / 4 * 3, source.is_local() && lake.objects.is_local());
        let (recipe, attempts) = (Arc::new(job.rows.recipe()?), Attempts::default());
        let layouts = lake.layouts(job.naming.layout.as_ref()).await?;
        let claims = Claims::new(lake.objects.clone(), job.lease);
        // First what others began: what is known is read after it.
        let recovered = recovery::recover(&lake, &claims, job.orphan_age).await?;
        let known_units = known_units(&lake, job.hours).await?;
        Ok(Self {
            job,
            source,
            lake,
            recipe,
            pool,
            claims,
            fetch_budget,
            convert_budget,
            turns,
            attempts,
            unit_threads: UnitThreads::default(),
            known_units,
            absent: BTreeSet::new(),
            layouts,
            recovered,
            privacy_checks: PrivacyChecks::default(),
        })
    }

    /// Whether logs and lake are folders of this computer.
    pub(super) const fn is_local(&self) -> bool {
        self.source.is_local() && self.lake.objects.is_local()
    }

    /// Plans units by what this run knows.
    pub(super) fn planner(&self) -> Planner<'_> {
        Planner {
            source: self.source.url(),
            lake: Some(&self.lake),
            granularity: self.lake.identity.unit,
            hours: self.job.hours,
            layouts: &self.layouts,
            known_units: &self.known_units,
            same_content: self.job.same_content,
        }
    }

    /// Works until the work is done, fails, or is asked to stop; cleans up after itself.
    pub(super) async fn guard(&self, work: impl Future<Output = Result<Summary>>) -> Result<Summary> {
        let worked = until_stopped(work).await;
        if worked.is_err() {
            self.unit_threads.stop().await;
            // Nothing that is staged and uncommitted will ever count.
            self.attempts.clear(&self.lake.objects).await;
            self.claims.withdraw_all().await;
        }
        let mut summary = worked?;
        summary.too_many_rejects = summary.rejected_ratio() > self.job.reject_warn_ratio;
        summary.source_calls = self.source.calls();
        summary.lake_calls = self.lake.objects.calls();
        Ok(summary)
    }

    /// Closes what this run and others opened, and finishes what was claimed when it was found:
    /// waits, for all at once.
    pub(super) async fn end_with_others(&self, summary: &mut Summary) -> Result<()> {
        let Recovery { open, claimed, .. } = &self.recovered;
        let (own, others, claimed) = tokio::join!(
            recovery::settle(&self.lake, std::mem::take(&mut summary.rewritten)),
            recovery::settle_others(&self.lake, open),
            recovery::finish_claimed(&self.lake, &self.claims, claimed.clone(), self.job.orphan_age),
        );
        own?;
        let claimed = claimed?;
        summary.stats.finished_rewrites += others? + recovery::settle_others(&self.lake, &claimed.open).await?;
        summary.stats.finished_batches += claimed.batches;
        Ok(())
    }

    /// Tells what of other runs was brought to its end when this one began.
    pub(super) fn tell_recovered(&self, summary: &mut Summary) {
        summary.stats.finished_batches += self.recovered.batches;
        summary.stats.cleared_attempts += self.recovered.orphans;
    }

    /// Refuses to go on where the lake keeps something else of people by now: see
    /// [`PrivacyChecks::still_hold`].
    pub(super) async fn privacy_still_holds(&self, table: Table) -> Result<()> {
        self.privacy_checks.still_hold(&self.lake, &self.job, table).await
    }
}
