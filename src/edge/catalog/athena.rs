//! The catalog by statements that Athena runs, for whoever may not write to Glue's own calls:
//! `ALTER TABLE ADD PARTITION`.
//!
//! What is there is read from Glue, as Athena itself does for every query of the same caller. The
//! parameters of a partition cannot be set by a statement, so it says nothing of rows and bytes.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::coalesce::Coalesce;
use super::throttle::Throttle;
use super::{Catalog, GlueCatalog, Listed, PartitionLocation};
use crate::edge::athena::Athena;
use crate::edge::{aws_error, clock};
use crate::error::Result;
use crate::kernel::ddl;
use crate::model::{Partition, Table};

/// A statement that takes longer is cancelled. It begins before half of D has passed, and takes
/// effect, if at all, within the call that starts it (28 s), this, and the call that cancels it: 81
/// s of the other 90.
const STATEMENT: Duration = Duration::from_secs(25);

/// Partitions of one statement, which holds 262,144 bytes at most.
const ADDED_AT_A_TIME: usize = 100;

type Set = (Partition, PartitionLocation, Duration);

/// A lake's partitions in a database of Athena's.
#[derive(Debug)]
pub struct AthenaCatalog {
    glue: GlueCatalog,
    athena: Athena,
    lake_url: String,
    setting: [Coalesce<Set, Result<bool>>; Table::ALL.len()],
    patience: Throttle,
}

/// Where results of statements lie that nobody reads, unless the workgroup says.
#[must_use]
pub fn statement_output(lake_url: &str) -> String {
    format!("{lake_url}/_edgemill/athena/")
}

impl AthenaCatalog {
    /// The partitions of a lake in a database, by a workgroup's statements.
    pub async fn open(workgroup: &str, database: &str, lake_url: &str) -> Self {
        Self {
            glue: GlueCatalog::open(database, lake_url).await,
            athena: Athena::open(workgroup, database, statement_output(lake_url)).await,
            lake_url: lake_url.to_owned(),
            setting: Default::default(),
            patience: Throttle::default(),
        }
    }

    fn location(&self, place: &PartitionLocation) -> String {
        format!("{}/{}/", self.lake_url, place.folder)
    }

    async fn set_all(&self, table: Table, wanted: Vec<Set>) -> Vec<Result<bool>> {
        let now = clock::since_boot();
        let mut sent: Vec<usize> = Vec::new();
        for (index, (partition, _, until)) in wanted.iter().enumerate() {
            // The same partition twice in a statement may be refused as a whole.
            if *until >= now && !sent.iter().any(|earlier| wanted[*earlier].0 == *partition) {
                sent.push(index);
            }
        }
        let mut outcomes: Vec<Result<bool>> = wanted.iter().map(|_| Ok(false)).collect();
        let sets: Vec<&Set> = sent.iter().map(|index| &wanted[*index]).collect();
        match self.write(table, &sets).await {
            Ok(done) => sent.iter().for_each(|index| outcomes[*index] = Ok(done)),
            // One tells the error; the others read their records and ask again.
            Err(error) => {
                let told = if aws_error::may_pass_as(&error) { self.patience.again(error).await } else { Err(error) };
                if let Some(first) = sent.first() {
                    outcomes[*first] = told;
                }
            }
        }
        outcomes
    }

    /// Adds and corrects; whether there was time for all.
    async fn write(&self, table: Table, wanted: &[&Set]) -> Result<bool> {
        let Some(until) = wanted.iter().map(|(.., until)| *until).min() else { return Ok(false) };
        self.add(table, wanted).await?;
        let done = self.correct(table, wanted, until).await?;
        self.patience.well();
        Ok(done)
    }

    async fn add(&self, table: Table, wanted: &[&Set]) -> Result<()> {
        let mut sql = format!("ALTER TABLE {} ADD IF NOT EXISTS", ddl::backtick(table.name()));
        for (partition, place, _) in wanted {
            // Writing to a String cannot fail.
            let _ = write!(sql, "\n  {} LOCATION {}", spec(*partition), ddl::literal(&self.location(place)));
        }
        self.athena.run(&sql, STATEMENT).await.map(|_| ())
    }

    /// Puts those right that were there before; whether there was time for all.
    async fn correct(&self, table: Table, wanted: &[&Set], until: Duration) -> Result<bool> {
        let partitions: Vec<Partition> = wanted.iter().map(|(partition, ..)| *partition).collect();
        let states = self.glue.states(table, &partitions).await?;
        for ((partition, place, _), there) in wanted.iter().zip(states) {
            let Some(there) = there else { return Ok(false) };
            let mut statements = Vec::new();
            let alter = format!("ALTER TABLE {} {}", ddl::backtick(table.name()), spec(*partition));
            if there.folder != place.folder {
                statements.push(format!("{alter} SET LOCATION {}", ddl::literal(&self.location(place))));
            }
            if !there.missing_columns.is_empty() {
                let columns: Vec<String> = there
                    .missing_columns
                    .iter()
                    .map(|(name, kind)| format!("{} {kind}", ddl::backtick(name)))
                    .collect();
                statements.push(format!("{alter} ADD COLUMNS ({})", columns.join(", ")));
            }
            for sql in statements {
                if clock::since_boot() > until {
                    return Ok(false);
                }
                self.athena.run(&sql, STATEMENT).await?;
            }
        }
        Ok(true)
    }
}

/// `PARTITION (year='2026', month='11')`
fn spec(partition: Partition) -> String {
    let values = partition.values();
    let named = partition.granularity.columns().iter().zip(&values);
    let named: Vec<String> =
        named.map(|(name, value)| format!("{}={}", ddl::backtick(name), ddl::literal(value))).collect();
    format!("PARTITION ({})", named.join(", "))
}

#[async_trait]
impl Catalog for AthenaCatalog {
    async fn folder(&self, partition: Partition) -> Result<Option<String>> {
        self.glue.folder(partition).await
    }

    async fn set(&self, partition: Partition, place: &PartitionLocation, until: Duration) -> Result<bool> {
        let table = partition.table;
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.set_all(table, wanted)) };
        let wanted = (partition, place.clone(), until);
        self.setting[table as usize].ask(wanted, ADDED_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    fn has_told(&self, _: Partition, _: &PartitionLocation) -> bool {
        true
    }

    async fn partitions(&self, table: Table) -> Result<Vec<Listed>> {
        self.glue.partitions(table).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_named_by_its_columns() {
        let partition = Partition::at(Table::AlbLogs, "2026-11").unwrap();
        assert_eq!(spec(partition), "PARTITION (`year`='2026', `month`='11')");
    }
}
