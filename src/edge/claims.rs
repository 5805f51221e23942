//! Claims: hints that somebody works on a unit, so that others work elsewhere. Nothing correct ever
//! rests on one.
//!
//! A claim is a small object, `_edgemill/claims/<table>.<unit>.json`, made only if absent, written
//! again while its owner lives and removed when it is done. A claim whose owner is a dead process
//! of this very computer is void at once. Any other is void when nobody has written it for the
//! lease, by the clock of whoever looks: clocks of two computers are never compared.

use std::collections::{BTreeSet, HashMap};
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use object_store::path::Path;
use serde::{Deserialize, Serialize};

use super::clock;
use super::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::ledger::protocol::CasOutcome;
use crate::kernel::ledger::staging::unit_name;
use crate::model::UnitId;
use crate::stats::count;

const FOLDER: &str = "_edgemill/claims";

/// Who claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// This run; unique for ever.
    pub run: String,
    /// The computer since its last start, and its space of process numbers; nothing where that
    /// cannot be told.
    #[serde(rename = "machine")]
    pub computer: Option<String>,
    /// The process's number there.
    pub process: u32,
    /// When the process started, in ticks of that computer: numbers are used again.
    pub started: Option<u64>,
}

impl Owner {
    /// This process.
    #[must_use]
    pub fn this() -> Self {
        let process = std::process::id();
        Self {
            run: uuid::Uuid::new_v4().simple().to_string(),
            computer: computer(),
            process,
            started: started(process),
        }
    }

    /// Whether the owner is certainly no longer alive.
    #[must_use]
    pub fn is_dead(&self, this: &Self) -> bool {
        let same_computer = self.computer.is_some() && self.computer == this.computer;
        same_computer && self.started.is_some() && started(self.process) != self.started
    }
}

/// This boot of this computer and this space of process numbers (a container has its own).
fn computer() -> Option<String> {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = std::fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{} {}", boot.trim(), space.display()))
}

/// When a process started, in ticks since the computer did: the 22nd field of its `stat`
/// (`proc_pid_stat`, section 5 of the manual), which counts from behind the name in parentheses,
/// since a name may hold anything. Nothing where it has ended, be it that its parent has not heard
/// of it yet.
fn started(process: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace();
    let has_ended = matches!(fields.next()?, "Z" | "X" | "x");
    fields.nth(18).filter(|_| !has_ended)?.parse().ok()
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Claim {
    owner: Owner,
    /// How often the owner has written it.
    beat: u64,
}

/// What a claim says of its owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Nobody works there: there is no claim, or a void one.
    Nobody,
    /// The claim was renewed since the last look.
    Alive,
    /// It has not been watched for long enough.
    Unsure,
}

/// The claims of a lake as one run sees them.
#[derive(Debug)]
pub struct Claims {
    lake: Objects,
    owner: Owner,
    lease: Duration,
    /// What others' claims said, and since when they have said that.
    seen: Mutex<HashMap<UnitId, (Claim, Duration)>>,
    /// What is ours.
    held: Mutex<BTreeSet<UnitId>>,
}

impl Claims {
    /// The claims of a lake.
    #[must_use]
    pub fn new(lake: Objects, lease: Duration) -> Self {
        Self { lake, owner: Owner::this(), lease, seen: Mutex::default(), held: Mutex::default() }
    }

    fn path(unit: &UnitId) -> Path {
        Path::from(format!("{FOLDER}/{}.{}.json", unit.table(), unit_name(unit)))
    }

    /// This run, as its claims name it.
    #[must_use]
    pub fn run(&self) -> &str {
        &self.owner.run
    }

    /// Claims a unit; whether it is ours now.
    pub async fn take(&self, unit: &UnitId) -> Result<bool> {
        let taken = self.try_take(unit).await?;
        if taken {
            lock(&self.held).insert(unit.clone());
        }
        Ok(taken)
    }

    async fn try_take(&self, unit: &UnitId) -> Result<bool> {
        let ours = self.body(0)?;
        if self.lake.put_new_hint(&Self::path(unit), ours).await? == CasOutcome::Committed {
            return Ok(true);
        }
        let Some(theirs) = self.read(unit).await? else {
            // Just removed, or our own write whose answer was lost.
            return Ok(self.lake.put_new_hint(&Self::path(unit), self.body(0)?).await? == CasOutcome::Committed);
        };
        if theirs.owner.run == self.owner.run {
            return Ok(true);
        }
        if self.judge(unit, theirs) != Holder::Nobody {
            return Ok(false);
        }
        // Two may do this at the same time and both believe that it is theirs: a unit done twice
        // costs work, no more.
        self.lake.put(&Self::path(unit), self.body(0)?).await?;
        Ok(true)
    }

    /// Whether somebody else works on a unit, as far as it can be told by now.
    pub async fn holder(&self, unit: &UnitId) -> Result<Holder> {
        let theirs = self.read(unit).await?.filter(|theirs| theirs.owner.run != self.owner.run);
        Ok(theirs.map_or(Holder::Nobody, |theirs| self.judge(unit, theirs)))
    }

    fn judge(&self, unit: &UnitId, theirs: Claim) -> Holder {
        if theirs.owner.is_dead(&self.owner) {
            return Holder::Nobody;
        }
        let now = clock::since_boot();
        let mut seen = lock(&self.seen);
        match seen.get(unit) {
            Some((before, since)) if *before == theirs => {
                if now.saturating_sub(*since) >= self.lease {
                    Holder::Nobody
                } else {
                    Holder::Unsure
                }
            }
            before => {
                let holder = if before.is_some() { Holder::Alive } else { Holder::Unsure };
                seen.insert(unit.clone(), (theirs, now));
                holder
            }
        }
    }

    /// How long to wait between two looks at a claim: its owner writes it three times in a lease.
    #[must_use]
    pub fn look_every(&self) -> Duration {
        self.lease / 6
    }

    async fn read(&self, unit: &UnitId) -> Result<Option<Claim>> {
        let body = self.lake.get(&Self::path(unit)).await?;
        // A claim that cannot be read is a hint that says nothing.
        Ok(body.and_then(|body| serde_json::from_slice(&body).ok()))
    }

    fn body(&self, beat: u64) -> Result<bytes::Bytes> {
        let claim = Claim { owner: self.owner.clone(), beat };
        let body = serde_json::to_vec(&claim);
        body.map(Into::into).map_err(|error| Error::LedgerDamaged { path: FOLDER.to_owned(), source: error.into() })
    }

    /// Works on a unit whose claim was taken: renews it until the work is done, then withdraws it.
    pub async fn hold<T>(&self, unit: &UnitId, work: impl Future<Output = T>) -> T {
        let done = tokio::select! {
            done = work => done,
            never = self.keep(unit) => match never {},
        };
        self.withdraw(unit).await;
        done
    }

    /// Writes a claim again and again, as long as the future lives.
    async fn keep(&self, unit: &UnitId) -> Infallible {
        let mut beat = 0;
        loop {
            tokio::time::sleep(self.lease / 3).await;
            beat += 1;
            let renewed = async { self.lake.put(&Self::path(unit), self.body(beat)?).await };
            if let Err(error) = renewed.await {
                tracing::debug!(%error, %unit, "a claim could not be renewed");
            }
        }
    }

    /// Withdraws all claims that are still ours.
    pub async fn withdraw_all(&self) {
        let held = std::mem::take(&mut *lock(&self.held));
        for unit in held {
            self.withdraw(&unit).await;
        }
    }

    /// Withdraws a claim. A failure leaves a hint that grows void.
    pub async fn withdraw(&self, unit: &UnitId) {
        lock(&self.held).remove(unit);
        if let Err(error) = self.lake.delete(&Self::path(unit)).await {
            tracing::debug!(%error, %unit, "a claim was left behind");
        }
    }

    /// Whether any run works in the lake, as far as claims tell: those that are not this computer's
    /// are watched for the lease.
    pub async fn anyone_alive(&self) -> Result<bool> {
        let before = self.others().await?;
        if before.is_empty() {
            return Ok(false);
        }
        tracing::info!("watching {} of other runs for {} s", count(before.len() as u64, "claim"), self.lease.as_secs());
        tokio::time::sleep(self.lease).await;
        let now = self.others().await?;
        Ok(now.iter().any(|(path, claim)| before.get(path) != Some(claim)))
    }

    /// The claims whose owners may be alive, by their paths.
    async fn others(&self) -> Result<HashMap<String, Claim>> {
        let mut others = HashMap::new();
        for name in self.lake.list_names(FOLDER).await? {
            let path = format!("{FOLDER}/{name}");
            let claim = self.lake.get(&Path::from(path.as_str())).await?;
            let claim = claim.and_then(|body| serde_json::from_slice::<Claim>(&body).ok());
            if let Some(claim) = claim.filter(|claim| !claim.owner.is_dead(&self.owner)) {
                others.insert(path, claim);
            }
        }
        Ok(others)
    }

    /// The claims of dead processes of this computer, by their paths.
    pub async fn dead(&self) -> Result<Vec<String>> {
        let mut dead = Vec::new();
        for name in self.lake.list_names(FOLDER).await? {
            let path = format!("{FOLDER}/{name}");
            let claim = self.lake.get(&Path::from(path.as_str())).await?;
            let claim = claim.and_then(|body| serde_json::from_slice::<Claim>(&body).ok());
            if claim.is_some_and(|claim| claim.owner.is_dead(&self.owner)) {
                dead.push(path);
            }
        }
        Ok(dead)
    }

    /// Removes the claims of dead processes of this computer; how many those were.
    pub async fn clear_dead(&self) -> Result<u64> {
        let dead = self.dead().await?;
        for path in &dead {
            self.lake.delete(&Path::from(path.as_str())).await?;
        }
        Ok(dead.len() as u64)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Table;

    const LEASE: Duration = Duration::from_mins(1);

    fn claims(lake: &Objects, lease: Duration) -> Claims {
        Claims::new(lake.clone(), lease)
    }

    #[tokio::test]
    async fn one_of_two_takes_a_unit_until_it_is_withdrawn() {
        let lake = Objects::of_store(std::sync::Arc::new(object_store::memory::InMemory::new()), "memory://");
        let unit = UnitId::of_hour(Table::AlbLogs, "2026-11-21T05".parse().unwrap());
        let (a, b) = (claims(&lake, LEASE), claims(&lake, LEASE));
        assert!(a.take(&unit).await.unwrap() && a.take(&unit).await.unwrap());
        assert!(!b.take(&unit).await.unwrap() && b.holder(&unit).await.unwrap() == Holder::Unsure);
        a.withdraw(&unit).await;
        assert!(b.take(&unit).await.unwrap());
    }

    #[tokio::test]
    async fn a_claim_that_nobody_renews_grows_void_by_the_watchers_clock() {
        let lake = Objects::of_store(std::sync::Arc::new(object_store::memory::InMemory::new()), "memory://");
        let unit = UnitId::Untimed(Table::AlbLogs, "a".into());
        let (a, b) = (claims(&lake, Duration::from_millis(300)), claims(&lake, Duration::from_millis(300)));
        assert!(a.take(&unit).await.unwrap() && !b.take(&unit).await.unwrap());
        assert!(!b.anyone_alive().await.unwrap(), "nobody renews it");
        let (alive, _) =
            tokio::join!(b.anyone_alive(), tokio::time::timeout(Duration::from_millis(400), a.keep(&unit)));
        assert!(alive.unwrap());
        let kept = tokio::time::timeout(Duration::from_millis(700), a.keep(&unit)).await;
        assert!(kept.is_err() && b.holder(&unit).await.unwrap() == Holder::Alive, "a renewed claim holds");
        assert!(!b.take(&unit).await.unwrap());
        tokio::time::sleep(Duration::from_millis(350)).await;
        assert!(b.take(&unit).await.unwrap());
    }

    #[tokio::test]
    async fn a_dead_process_of_this_computer_is_known_at_once() {
        let lake = Objects::of_store(std::sync::Arc::new(object_store::memory::InMemory::new()), "memory://");
        let unit = UnitId::Untimed(Table::AlbLogs, "a".into());
        let mut a = claims(&lake, LEASE);
        // Its number is in use, but by a process that started at another time.
        a.owner.started = a.owner.started.map(|ticks| ticks + 1);
        assert!(a.owner.computer.is_some(), "this test needs /proc");
        assert!(a.take(&unit).await.unwrap());
        let b = claims(&lake, LEASE);
        assert!(b.take(&unit).await.unwrap());
        assert!(!a.take(&unit).await.unwrap(), "and now it is b's");
    }
}
