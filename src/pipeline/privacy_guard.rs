//! Holds every run to what its lake keeps of people ([`crate::lake::people`]), whatever hours it is
//! asked for: a run that was started without the choice, or with another, would put back what an
//! earlier one took away.
//!
//! A choice may change under a run that nobody saw at work. So a run looks before each batch counts
//! (at a look of the last second), and once after its last batch: whoever changes the choice after
//! that look counts the rows of all that it committed. What it finds then is told, with the command
//! that mends it, and ends the run with exit code 3; no raw log is taken away.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::summary::Summary;
use crate::error::{Error, Result};
use crate::job::Job;
use crate::job::said::{format_argument, mending, quoted};
use crate::kernel::policy::privacy::{ALL, holds_more, in_words};
use crate::lake::Lake;
use crate::lake::people::Remembered;
use crate::lake::said::AlreadySaid;
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
        let known = lake.kept_of_all().await?;
        if let Err(refused) = judge(job, &known, &BTreeSet::from([table])) {
            // What this run has committed since the change may hold more, and nobody has counted
            // it.
            lake.note_other(table, &job.rows.privacy.stamp()).await?;
            return Err(refused);
        }
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(table, begun);
        Ok(())
    }

    fn age(&self, table: Table) -> Option<Duration> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&table).map(Instant::elapsed)
    }
}

/// What is known of each table.
type KeptByTable = BTreeMap<Table, Remembered>;

/// Refuses a run that says nothing of people where any table keeps less than all or may do so, and
/// one that says something else than a table keeps to which it adds rows. What the ledger has
/// forgotten is found again in what is left.
pub(super) async fn hold(lake: &Lake, job: &Job, tables: &BTreeSet<Table>) -> Result<()> {
    let known = recalled(lake, job, tables, true).await?;
    judge(job, &known, tables)
}

/// The same before a run, for who only asks: nothing is remembered.
pub(super) async fn would_hold(lake: &Lake, job: &Job, tables: &BTreeSet<Table>) -> Result<()> {
    let known = recalled(lake, job, tables, false).await?;
    judge(job, &known, tables)
}

async fn recalled(lake: &Lake, job: &Job, tables: &BTreeSet<Table>, is_remembered: bool) -> Result<KeptByTable> {
    let mut known = lake.kept_of_all().await?;
    let lacking: Vec<Table> = Table::LOGS.into_iter().filter(|table| !known.contains_key(table)).collect();
    for table in lacking {
        let Some(recalled) = lake.recall(table, tables.contains(&table)).await? else { continue };
        if recalled.is_certain && is_remembered {
            known.insert(table, lake.remember_again(table, &recalled).await?);
        } else if recalled.is_certain || job.rows.says_what_is_kept {
            known.insert(table, recalled.remembered);
        } else {
            return Err(uncertain(job, table));
        }
    }
    Ok(known)
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

fn uncertain(job: &Job, table: Table) -> Error {
    let lake = &job.to;
    Error::usage(
        format!(
            "nothing says for certain any more what the lake '{lake}' keeps of people in {table}: records of it are \
             gone, and this run says nothing of them"
        ),
        format!(
            "say it: --client-ip keep where it keeps everything, else edgemill init --to {} with what it keeps, once; \
             then mend the records: edgemill verify --lake {} --fix",
            quoted(lake),
            quoted(lake)
        ),
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

/// What a lake keeps once a run has committed its last batch.
pub(super) struct KeptAtEnd {
    known: KeptByTable,
    /// The tables of which it keeps less than this run made rows with.
    changed: BTreeSet<Table>,
}

impl KeptAtEnd {
    /// Whether rows of this run hold more than the lake keeps by now.
    pub(super) fn is_less(&self) -> bool {
        !self.changed.is_empty()
    }
}

/// Looks again at what the lake keeps, after the last commit of a run that was about `tables` and
/// gave rows to those `written`.
pub(super) async fn look_again(
    lake: &Lake,
    job: &Job,
    tables: &BTreeSet<Table>,
    written: &BTreeSet<Table>,
) -> Result<KeptAtEnd> {
    let known = lake.kept_of_all().await?;
    let made = job.rows.privacy.stamp();
    let is_other = |table: &&Table| known.get(*table).is_some_and(|of| of.keeps != made);
    let (less, more): (BTreeSet<Table>, BTreeSet<Table>) =
        written.iter().filter(is_other).partition(|table| holds_more(&made, &known[*table].keeps));
    if written.is_empty() {
        // A run that found nothing to do may have come beside the first one.
        judge(job, &known, tables)?;
    }
    for table in &more {
        let keeps = in_words(&known[table].keeps);
        tracing::warn!(
            "since this run began, the lake '{}' was told to keep {keeps} in {table}: later runs must say so",
            job.to
        );
    }
    for table in &less {
        let (keeps, made) = (in_words(&known[table].keeps), in_words(&made));
        tracing::error!(
            "while this run was at work, the lake '{}' was told to keep {keeps} of people in {table}, and rows of this run \
             were made with {made}; write them anew by the command that follows, and say what the lake keeps from now on",
            job.to
        );
        // Whoever changed it has counted without them.
        lake.note_other(*table, &job.rows.privacy.stamp()).await?;
    }
    Ok(KeptAtEnd { known, changed: less })
}

/// Says how many rows of these tables hold more than the lake keeps, and how they are mended.
/// Manifests are read only where the choice was just changed or this run wrote rows anew.
pub(super) async fn tell_older(
    lake: &Lake,
    job: &Job,
    source_url: &str,
    tables: &BTreeSet<Table>,
    kept: KeptAtEnd,
    summary: &mut Summary,
) -> Result<()> {
    let KeptAtEnd { known, changed } = kept;
    let wrote_anew = summary.wrote_anew || summary.stats.replaced_objects > 0;
    let is_asked =
        |table: &Table, of: &Remembered| changed.contains(table) || (tables.contains(table) && of.older.is_some());
    for (table, of) in known.into_iter().filter(|(table, of)| is_asked(table, of)) {
        let is_other = changed.contains(&table);
        let older = match of.older {
            Some(older) if older.counted && !wrote_anew && !is_other => Some(older),
            _ => lake.count_older(table).await?,
        };
        let Some(older) = older else { continue };
        summary.rows_that_keep_more += older.rows;
        summary.hours_that_keep_more += older.hours;
        let how = if is_other {
            // Whoever chose something else since may have chosen another key.
            let said = AlreadySaid { of_logs: job.options.of_logs(), key_file: None };
            lake.arguments_of_choice(&of.keeps, &said).await?
        } else {
            job.of_rows()
        };
        for source in &older.sources {
            let from = if source == source_url { &job.from } else { source };
            summary.mending.push(mending(from, table, &job.to, &how));
        }
    }
    summary.kept_less_since = changed.into_iter().map(|table| table.to_string()).collect();
    Ok(())
}
