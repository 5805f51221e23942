//! The catalog by statements that Athena runs, for whoever may not write to Glue's own calls:
//! `ALTER TABLE ADD PARTITION`, and `DROP PARTITION` where one is withdrawn.
//!
//! What is there is read from Glue, as Athena itself does for every query of the same caller. The
//! parameters of a partition cannot be set by a statement, so it says nothing of rows and bytes.

use std::fmt::Write as _;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::coalesce::{Coalesce, PublishRequest, WithdrawRequest, in_time};
use super::glue::GlueCatalog;
use super::interface::{Catalog, CatalogEntry, Publication};
use super::throttle::Throttle;
use crate::edge::athena::Athena;
use crate::edge::{aws_error, clock};
use crate::error::{Error, Result};
use crate::kernel::ddl;
use crate::model::{Partition, Table};

/// A statement that takes longer is cancelled. It begins before half of the lake's `max_call_delay`
/// has passed, and takes effect, if at all, within the call that starts it (28 s), this, and the
/// call that cancels it: 81 s of the other 90.
const STATEMENT: Duration = Duration::from_secs(25);

/// Partitions of one statement, which holds 262,144 bytes at most.
const PARTITIONS_AT_A_TIME: usize = 100;

/// A lake's partitions in a database of Athena's.
#[derive(Debug)]
pub struct AthenaCatalog {
    glue: GlueCatalog,
    athena: Athena,
    lake_url: String,
    publishing: [Coalesce<PublishRequest, Result<bool>>; Table::ALL.len()],
    withdrawing: [Coalesce<WithdrawRequest, Result<bool>>; Table::ALL.len()],
    throttle: Throttle,
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
            publishing: Default::default(),
            withdrawing: Default::default(),
            throttle: Throttle::default(),
        }
    }

    fn location(&self, publication: &Publication) -> String {
        format!("{}/{}/", self.lake_url, publication.location)
    }

    async fn publish_all(&self, table: Table, wanted: Vec<PublishRequest>) -> Vec<Result<bool>> {
        let now = clock::since_boot();
        let partition = |index: usize| wanted[index].publication.partition;
        let mut sent: Vec<usize> = Vec::new();
        for (index, request) in wanted.iter().enumerate() {
            // The same partition twice in a statement may be refused as a whole.
            if request.until >= now && !sent.iter().any(|earlier| partition(*earlier) == partition(index)) {
                sent.push(index);
            }
        }
        let mut outcomes: Vec<Result<bool>> = wanted.iter().map(|_| Ok(false)).collect();
        let requests: Vec<&PublishRequest> = sent.iter().map(|index| &wanted[*index]).collect();
        match self.write(table, &requests).await {
            Ok(done) => sent.iter().for_each(|index| outcomes[*index] = Ok(done)),
            // One tells the error; the others read their records and ask again.
            Err(error) => {
                let told = self.put_off(error).await;
                if let Some(first) = sent.first() {
                    outcomes[*first] = told;
                }
            }
        }
        outcomes
    }

    async fn withdraw_all(&self, table: Table, wanted: Vec<WithdrawRequest>) -> Vec<Result<bool>> {
        let sent = in_time(&wanted);
        let mut outcomes: Vec<Result<bool>> = wanted.iter().map(|_| Ok(false)).collect();
        let Some(first) = sent.first().copied() else { return outcomes };
        let specs: Vec<String> = sent.iter().map(|index| spec(wanted[*index].partition)).collect();
        let sql = format!("ALTER TABLE {} DROP IF EXISTS {}", ddl::backtick(table.name()), specs.join(", "));
        match self.athena.run(&sql, STATEMENT).await {
            Ok(_) => {
                self.throttle.well();
                sent.iter().for_each(|index| outcomes[*index] = Ok(true));
            }
            // One tells the error; the others read their records and ask again.
            Err(error) => outcomes[first] = self.put_off(error).await,
        }
        outcomes
    }

    /// What a failed statement means: a service that will not take it now is asked again.
    async fn put_off(&self, error: Error) -> Result<bool> {
        if aws_error::may_pass_as(&error) { self.throttle.again(error).await } else { Err(error) }
    }

    /// Adds and corrects; whether there was time for all.
    async fn write(&self, table: Table, wanted: &[&PublishRequest]) -> Result<bool> {
        let Some(until) = wanted.iter().map(|request| request.until).min() else { return Ok(false) };
        let publications: Vec<&Publication> = wanted.iter().map(|request| &request.publication).collect();
        self.add(table, &publications).await?;
        let done = self.correct(table, &publications, until).await?;
        self.throttle.well();
        Ok(done)
    }

    async fn add(&self, table: Table, wanted: &[&Publication]) -> Result<()> {
        let mut sql = format!("ALTER TABLE {} ADD IF NOT EXISTS", ddl::backtick(table.name()));
        for publication in wanted {
            let location = ddl::literal(&self.location(publication));
            // Writing to a String cannot fail.
            let _ = write!(sql, "\n  {} LOCATION {location}", spec(publication.partition));
        }
        self.athena.run(&sql, STATEMENT).await.map(|_| ())
    }

    /// Puts those right that were there before; whether there was time for all.
    async fn correct(&self, table: Table, wanted: &[&Publication], until: Duration) -> Result<bool> {
        let partitions: Vec<Partition> = wanted.iter().map(|publication| publication.partition).collect();
        let states = self.glue.states(table, &partitions).await?;
        for (publication, there) in wanted.iter().zip(states) {
            let Some(there) = there else { return Ok(false) };
            let mut statements = Vec::new();
            let alter = format!("ALTER TABLE {} {}", ddl::backtick(table.name()), spec(publication.partition));
            if there.location != publication.location {
                statements.push(format!("{alter} SET LOCATION {}", ddl::literal(&self.location(publication))));
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
    async fn publish(&self, publication: &Publication, until: Duration) -> Result<bool> {
        let table = publication.partition.table;
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.publish_all(table, wanted)) };
        let request = PublishRequest { publication: publication.clone(), until };
        self.publishing[table as usize].ask(request, PARTITIONS_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    async fn withdraw(&self, partition: Partition, until: Duration) -> Result<bool> {
        let table = partition.table;
        let send = |wanted| -> BoxFuture<'_, _> { Box::pin(self.withdraw_all(table, wanted)) };
        let request = WithdrawRequest { partition, until };
        self.withdrawing[table as usize].ask(request, PARTITIONS_AT_A_TIME, &send).await.unwrap_or(Ok(false))
    }

    fn knows_numbers(&self, _: &Publication) -> bool {
        true
    }

    async fn shown(&self, partition: Partition) -> Result<Option<String>> {
        self.glue.shown(partition).await
    }

    async fn list(&self, table: Table) -> Result<Vec<CatalogEntry>> {
        self.glue.list(table).await
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
