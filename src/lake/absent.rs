//! Partitions whose records are gone: a query follows these records, so it does not see their rows.
//!
//! A unit's record says in which partitions its batches have files ([`BatchEntry::partitions`]), so
//! the keys of the partitions' records are enough to tell. Where it does not say, that of the
//! unit's own time is looked for, and a manifest is read only where that is not there.

use std::collections::{BTreeSet, HashSet};

use super::Lake;
use crate::edge::ledger::{partition_key, unit_key, unit_of};
use crate::edge::manifests;
use crate::error::Result;
use crate::kernel::ledger::records::{BatchEntry, BatchState, PartitionRecord, UnitRecord};
use crate::model::{HourRange, Partition, Table, UnitId};

/// Units whose records a query reads at most to find out what it does not see.
const LOOKED_AT: usize = 32;

impl Lake {
    /// The partitions whose records are gone, by what some units say that were read before.
    ///
    /// # Errors
    /// Those of reading; a manifest that is damaged is passed over, since `verify` tells of it.
    pub async fn absent_partitions<'r>(
        &self,
        units: impl Iterator<Item = &'r UnitRecord> + Clone,
    ) -> Result<BTreeSet<Partition>> {
        let mut there = HashSet::new();
        for table in Table::ALL {
            let wanted = units.clone().flat_map(|record| self.expected(record)).filter(|of| of.table == table);
            let hours = wanted.map(|partition| partition.hours()).reduce(|all: HourRange, hours| all.join(hours));
            if let Some(hours) = hours {
                there.extend(self.records.partitions_there(table, Some(hours)).await?);
            }
        }
        self.absent_of(units, &there).await
    }

    /// The partitions whose records are gone, by the units that had a record before all of
    /// `partitions` were read: of many some.
    ///
    /// # Errors
    /// As [`Self::absent_partitions`].
    pub async fn absent_beside(
        &self,
        units: Vec<String>,
        partitions: &[PartitionRecord],
    ) -> Result<BTreeSet<Partition>> {
        let there: HashSet<String> = partitions.iter().map(|record| partition_key(record.partition)).collect();
        let seen: HashSet<String> =
            partitions.iter().flat_map(|record| record.parts.iter().map(|part| unit_key(&part.unit))).collect();
        let is_seen = |key: &String| {
            let own = unit_of(key).and_then(|unit| self.own(&unit));
            seen.contains(key) && own.is_none_or(|own| there.contains(&partition_key(own)))
        };
        let mut records = Vec::new();
        for key in units.iter().filter(|key| !is_seen(key)).take(LOOKED_AT) {
            records.push(self.records.unit_at(key).await?);
        }
        self.absent_of(records.iter(), &there).await
    }

    async fn absent_of<'r>(
        &self,
        units: impl Iterator<Item = &'r UnitRecord>,
        there: &HashSet<String>,
    ) -> Result<BTreeSet<Partition>> {
        let is_there = |partition: &Partition| there.contains(&partition_key(*partition));
        let mut wanted = BTreeSet::new();
        for record in units {
            let own_is_there = self.own(&record.unit).is_some_and(|own| is_there(&own));
            for entry in published(record) {
                match &entry.partitions {
                    Some(told) => wanted.extend(told.iter().copied()),
                    None if own_is_there => {}
                    None => match manifests::read(&self.objects, &entry.attempt).await {
                        Err(error) if error.is_damage() => {}
                        manifest => wanted.extend(manifest?.partitions()),
                    },
                }
            }
        }
        let mut absent = BTreeSet::new();
        for partition in wanted.into_iter().filter(|partition| !is_there(partition)) {
            // It may have come since the keys were read.
            if self.records.partition(partition).await?.version == 0 {
                absent.insert(partition);
            }
        }
        Ok(absent)
    }

    /// The partitions in which a unit is expected to have something, as far as its record says.
    fn expected(&self, record: &UnitRecord) -> Vec<Partition> {
        let told = published(record).flat_map(|entry| entry.partitions.iter().flatten().copied());
        let is_untold = published(record).any(|entry| entry.partitions.is_none());
        told.chain(self.own(&record.unit).filter(|_| is_untold)).collect()
    }

    /// The partition of a unit's own time.
    fn own(&self, unit: &UnitId) -> Option<Partition> {
        let granularity = self.identity.partition;
        let hour = granularity.start(unit.hours()?.start);
        Some(Partition { table: unit.table(), hour, granularity })
    }
}

/// Batches that every partition of theirs must know.
fn published(record: &UnitRecord) -> impl Iterator<Item = &BatchEntry> {
    record.batches.iter().filter(|entry| entry.state == BatchState::Published)
}
