//! SQL over the lake, read only. A query sees exactly the files of one snapshot: no folder is ever
//! listed, so staging, half-written and replaced files cannot show up in an answer.

mod athena;
mod failed;
mod lake_table;
mod limits;
mod local;
mod parts;
mod print;
mod prune;
mod reader;
mod stream;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use futures::{Stream, StreamExt};
use object_store::ObjectStore;
use object_store::path::Path;

use crate::error::{Error, Result};
use crate::kernel::ddl;
use crate::kernel::ddl::Dialect;
use crate::model::{Granularity, Partition, Table};
use failed::{failed, unplanned};
use lake_table::LakeTable;
use stream::{Plan, Rows};

pub use athena::{print_athena, raw_bytes, run_athena};
pub use limits::{DEFAULT_MEMORY_BYTES, LEAST_MEMORY_BYTES, Limits};
pub use local::{answer, ask};
pub use print::{Format, print};

/// A committed file of the lake.
#[derive(Clone, Debug)]
pub struct SnapshotFile {
    /// Where it lies, from the root of the store.
    pub path: Path,
    /// Its exact size; the reader finds the footer by it.
    pub size_bytes: u64,
    /// Its exact number of rows; `COUNT(*)` is answered from it.
    pub rows: u64,
    /// Its partition.
    pub partition: Partition,
}

/// The files that make up the lake at one moment. A table that is not named, or has no files, is an
/// empty table.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// How long the lake's partitions are.
    pub granularity: Granularity,
    /// The files of each table.
    pub files: Vec<(Table, Vec<SnapshotFile>)>,
}

/// What a query answers. Its rows are read while they are asked for.
pub struct Answer {
    /// The columns, which an answer without rows has too.
    pub schema: SchemaRef,
    rows: Rows,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Answer {
    /// Batches that somebody else makes, with these columns.
    pub(crate) fn of(schema: SchemaRef, batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static) -> Self {
        Self { schema, rows: Rows::Batches(batches.boxed()) }
    }

    /// The first rows, and how many there are in all.
    ///
    /// # Errors
    /// Those of the query.
    pub async fn head(self, rows: usize) -> Result<(Self, u64)> {
        let schema = Arc::clone(&self.schema);
        let mut batches = self.pieces(|batch| Ok(batch.clone()));
        let (mut first, mut held, mut total) = (Vec::new(), 0, 0);
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            total += batch.num_rows() as u64;
            let taken = batch.num_rows().min(rows - held);
            if taken > 0 {
                held += taken;
                first.push(Ok(batch.slice(0, taken)));
            }
        }
        Ok((Self::of(schema, futures::stream::iter(first)), total))
    }
}

/// The names of the queries that come with the program.
pub const NAMES: [&str; 6] = ["bots", "bytes", "viewers", "access_bots", "access_bytes", "access_viewers"];

/// The text of a query that comes with the program.
///
/// # Errors
/// `Error::Usage` with the names that exist, for any other name.
pub fn named(name: &str) -> Result<&'static str> {
    match name {
        "bots" => Ok(include_str!("../../ddl/queries/bots.sql")),
        "bytes" => Ok(include_str!("../../ddl/queries/bytes.sql")),
        "viewers" => Ok(include_str!("../../ddl/queries/viewers.sql")),
        "access_bots" => Ok(include_str!("../../ddl/queries/access_bots.sql")),
        "access_bytes" => Ok(include_str!("../../ddl/queries/access_bytes.sql")),
        "access_viewers" => Ok(include_str!("../../ddl/queries/access_viewers.sql")),
        _ => Err(Error::usage(format!("there is no query '{name}'"), format!("the names are {}", NAMES.join(", ")))),
    }
}

/// The answer to one SQL statement over the files of a snapshot; its rows are read while they are
/// asked for.
///
/// # Errors
/// `Error::Usage` where the statement can never be answered: it does not parse, names what does not
/// exist, or writes. `Error::Query` where the world failed; [`vanished`] tells whether a newer
/// snapshot may help. The same while it is read.
pub async fn run(store: Arc<dyn ObjectStore>, snapshot: &Snapshot, sql: &str, limits: &Limits) -> Result<Answer> {
    let statement = parse(sql)?;
    let context = open(store, snapshot, limits).await.map_err(failed)?;
    let plan = plan(&context, statement, sql).await?;
    let (schema, shares, task) = (plan.schema(), limits.shares(), context.task_ctx());
    let rows = match parts::in_parts(&plan).map_err(failed)? {
        Some(plan) => Rows::Parts(Plan { plan, context: task, shares }),
        None => Rows::Whole(Plan { plan, context: task, shares }),
    };
    Ok(Answer { schema, rows })
}

/// Whether an error comes from a file of the snapshot that is no longer there: somebody compacted
/// or replaced it between the snapshot and its reading, so a fresh snapshot is the way out.
#[must_use]
pub fn vanished(error: &Error) -> bool {
    let mut next: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = next {
        if matches!(error.downcast_ref(), Some(object_store::Error::NotFound { .. })) {
            return true;
        }
        next = error.source();
    }
    false
}

/// A session that knows the tables and views of a snapshot and nothing else.
async fn open(
    store: Arc<dyn ObjectStore>,
    snapshot: &Snapshot,
    limits: &Limits,
) -> Result<SessionContext, DataFusionError> {
    let mut config = SessionConfig::new().with_target_partitions(limits.shares().parts).with_information_schema(true);
    // One sort of all rows has the memory to go on with the disk; one for each thread have not.
    config = config.with_batch_size(limits::BATCH_ROWS).with_repartition_sorts(false);
    // now() and casts to a timestamp then speak of the same zone as event_time.
    config.options_mut().execution.time_zone = Some("UTC".to_owned());
    let context = SessionContext::new_with_config_rt(config, limits.runtime()?);
    let url = ObjectStoreUrl::parse("lake://snapshot")?;
    context.register_object_store(url.as_ref(), store);
    for table in Table::ALL {
        let files = snapshot.files.iter().filter(|(of, _)| *of == table).flat_map(|(_, files)| files);
        context
            .register_table(table.name(), Arc::new(LakeTable::new(table, snapshot.granularity, url.clone(), files)?))?;
    }
    for view in ddl::VIEWS.iter() {
        context.sql(&ddl::create_view(view, Dialect::DataFusion, snapshot.granularity)).await?;
    }
    Ok(context)
}

/// The one statement of a text; comments and a closing `;` are no statements.
fn parse(sql: &str) -> Result<Statement> {
    let hint = "give one SQL statement, such as SELECT COUNT(*) FROM cf_logs";
    let statements = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(failed)?;
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(Error::usage("the query is empty", hint)),
        (Some(_), more) => Err(Error::usage(format!("the query holds {} statements", more + 1), hint)),
    }
}

async fn plan(context: &SessionContext, statement: Statement, sql: &str) -> Result<Arc<dyn ExecutionPlan>> {
    let told = |error| unplanned(error, sql);
    let plan = context.state().statement_to_plan(statement).await.map_err(told)?;
    refuse_writes(&plan)?;
    let frame = context.execute_logical_plan(plan).await.map_err(told)?;
    frame.create_physical_plan().await.map_err(told)
}

fn refuse_writes(plan: &LogicalPlan) -> Result<()> {
    let read_only = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    read_only.verify_plan(plan).map_err(|error| {
        Error::usage(
            format!("the statement does more than read ({})", error.message()),
            "a query must be a SELECT, WITH, EXPLAIN, SHOW or DESCRIBE; the lake changes only by converting",
        )
    })
}
