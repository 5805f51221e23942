//! Holds every run to what its lake keeps of people ([`crate::lake::people`]), whatever hours it is
//! asked for: a run that was started without the choice, or with another, would put back what an
//! earlier one took away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use futures::future::try_join_all;
use tokio::sync::Mutex;

use super::summary::Summary;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::said::{format_argument, mending, quoted};
use crate::kernel::policy::privacy::{ALL, in_words};
use crate::lake::Lake;
use crate::lake::people::Remembered;
use crate::model::Table;

/// How old the last look may be that a batch rests on: a look is some calls to the ledger, and a
/// run may have many batches a second.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// When each table was last looked at.
#[derive(Debug, Default)]
pub(super) struct PrivacyChecks {
    seen: std::sync::Mutex<HashMap<Table, Instant>>,
    /// One looks at a time.
    turn: Mutex<()>,
}

impl PrivacyChecks {
    /// Before a batch of a table is made, and again before it may count: refuses to go on where the
    /// choice was changed since this run began. A table that gets its first rows keeps from now on
    /// what this run says; of two first runs that say different things one is refused here, before
    /// it writes a row.
    pub(super) async fn still_hold(&self, lake: &Lake, job: &Job, table: Table) -> Result<()> {
        // Many units come here at once: one looks for all, before the last look is too old, so that
        // nobody waits for it.
        let _turn = match self.age(table) {
            Some(age) if age < LOOK_EVERY / 2 => return Ok(()),
            Some(age) if age < LOOK_EVERY => match self.turn.try_lock() {
                Ok(turn) => turn,
                Err(_) => return Ok(()),
            },
            _ => self.turn.lock().await,
        };
        let age = self.age(table);
        if age.is_some_and(|age| age < LOOK_EVERY / 2) {
            return Ok(());
        }
        let begun = Instant::now();
        if age.is_none() {
            let wanted = Remembered { keeps: job.rows.privacy.stamp(), older: None };
            lake.remember(table, &wanted).await?;
        }
        judge(job, &kept_now(lake).await?, &BTreeSet::from([table]))?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(table, begun);
        Ok(())
    }

    fn age(&self, table: Table) -> Option<Duration> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&table).map(Instant::elapsed)
    }
}

/// What is known of each table.
type KeptByTable = BTreeMap<Table, Remembered>;

/// Refuses a run that says nothing of people where any table keeps less than all, and one that says
/// something else than a table keeps to which it adds rows.
pub(super) async fn hold(lake: &Lake, job: &Job, tables: &BTreeSet<Table>) -> Result<()> {
    let known = Table::LOGS.map(|table| async move { Ok::<_, Error>((table, lake.known_of_people(table).await?)) });
    let known = try_join_all(known).await?;
    judge(job, &known.into_iter().filter_map(|(table, of)| of.map(|of| (table, of))).collect(), tables)
}

/// The same before a run, for who only asks: nothing is remembered.
pub(super) async fn would_hold(lake: &Lake, job: &Job, tables: &BTreeSet<Table>) -> Result<()> {
    let told = Table::LOGS.map(|table| async move { Ok::<_, Error>((table, lake.told_of_people(table).await?)) });
    let told = try_join_all(told).await?;
    judge(job, &told.into_iter().filter_map(|(table, of)| of.map(|of| (table, of.known()))).collect(), tables)
}

async fn kept_now(lake: &Lake) -> Result<KeptByTable> {
    let known = Table::LOGS.map(|table| async move { Ok::<_, Error>((table, lake.kept_of_people(table).await?)) });
    let known = try_join_all(known).await?;
    Ok(known.into_iter().filter_map(|(table, of)| of.map(|(_, of)| (table, of))).collect())
}

fn judge(job: &Job, known: &KeptByTable, tables: &BTreeSet<Table>) -> Result<()> {
    if !job.rows.says_what_is_kept {
        // A log of another table holds the same people.
        return match known.iter().find(|(_, of)| of.keeps != ALL) {
            Some((table, of)) => {
                let keeps_all = |table| known.get(table).is_some_and(|of| of.keeps == ALL);
                Err(forgotten(job, *table, of, !tables.is_empty() && tables.iter().all(keeps_all)))
            }
            None => Ok(()),
        };
    }
    let keeps = job.rows.privacy.stamp();
    let others: Vec<Table> = known.iter().filter(|(_, of)| of.keeps != keeps).map(|(table, _)| *table).collect();
    // A run that finds no log for any table is told as well, where it fits none.
    let fits_none = tables.is_empty() && others.len() == known.len();
    match others.iter().find(|table| fits_none || tables.contains(table)) {
        Some(table) => {
            // The command is to change no table that this run has nothing to do with.
            let all = known.keys().all(|of| others.contains(of) && (fits_none || tables.contains(of)));
            Err(other(job, *table, &known[table], all))
        }
        None => Ok(()),
    }
}

fn forgotten(job: &Job, table: Table, of: &Remembered, of_another: bool) -> Error {
    let (lake, keeps) = (&job.to, in_words(&of.keeps));
    Error::usage(
        format!(
            "the lake '{lake}' keeps less than all of people in {table} ({keeps}), and this run says nothing of them"
        ),
        if of_another {
            "say so on purpose: --client-ip keep, which is what it keeps of the logs of this run".to_owned()
        } else {
            format!(
                "give the same arguments, or the same --job; to have the lake keep everything from now on, say so once: \
                 edgemill init --to {} --client-ip keep",
                quoted(lake)
            )
        },
    )
}

fn other(job: &Job, table: Table, of: &Remembered, all: bool) -> Error {
    let (lake, keeps, says) = (&job.to, in_words(&of.keeps), in_words(&job.rows.privacy.stamp()));
    let only = if all { String::new() } else { format!(" {}", format_argument(table)) };
    Error::usage(
        format!("of people the lake '{lake}' keeps {keeps} in {table}, and this run says {says}"),
        format!(
            "say what the lake keeps; to change that from now on, say so once: edgemill init --to {}{only} {}",
            quoted(lake),
            job.of_people()
        ),
    )
}

/// Says how many rows of these tables hold more than the lake keeps, and how they are mended.
/// Manifests are read only where the choice was just changed or this run wrote rows anew.
pub(super) async fn tell_older(
    lake: &Lake,
    job: &Job,
    source_url: &str,
    tables: &BTreeSet<Table>,
    summary: &mut Summary,
) -> Result<()> {
    let known = kept_now(lake).await?;
    // A run that found nothing to do may have come beside the first one.
    judge(job, &known, tables)?;
    let wrote_anew = summary.wrote_anew || summary.stats.replaced_objects > 0;
    for (table, of) in known.into_iter().filter(|(table, of)| tables.contains(table) && of.older.is_some()) {
        let older = match of.older {
            Some(older) if older.counted && !wrote_anew => Some(older),
            _ => lake.count_older(table).await?,
        };
        let Some(older) = older else { continue };
        summary.rows_that_keep_more += older.rows;
        summary.hours_that_keep_more += older.hours;
        for source in &older.sources {
            let from = if source == source_url { &job.from } else { source };
            summary.mending.push(mending(from, table, &job.to, &job.of_rows()));
        }
    }
    Ok(())
}
