//! One SQL statement over the files of a snapshot, by the query engine.

use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionContext};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionConfig;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use object_store::ObjectStore;

use super::answer::QueryAnswer;
use super::failed::{failed, unplanned};
use super::lake_table::LakeTable;
use super::limits::{self, Limits};
use super::parts;
use super::snapshot::LakeSnapshot;
use super::stream::{Plan, RowSource};
use crate::error::{Error, Result};
use crate::kernel::ddl;
use crate::kernel::ddl::Dialect;
use crate::model::Table;

/// The answer to one SQL statement over the files of a snapshot; its rows are read while they are
/// asked for.
///
/// # Errors
/// `Error::Usage` where the statement can never be answered: it does not parse, names what does not
/// exist, or writes. `Error::Query` where the world failed; [`vanished`] tells whether a newer
/// snapshot may help. The same while it is read.
pub async fn run(
    store: Arc<dyn ObjectStore>,
    snapshot: &LakeSnapshot,
    sql: &str,
    limits: &Limits,
) -> Result<QueryAnswer> {
    let statement = parse(sql)?;
    let context = open(store, snapshot, limits).await.map_err(failed)?;
    let plan = plan(&context, statement, sql).await?;
    let (schema, shares, task) = (plan.schema(), limits.shares(), context.task_ctx());
    let rows = match parts::in_parts(&plan).map_err(failed)? {
        Some(plan) => RowSource::Parts(Plan { plan, context: task, shares }),
        None => RowSource::Whole(Plan { plan, context: task, shares }),
    };
    Ok(QueryAnswer { schema, rows })
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
pub(super) async fn open(
    store: Arc<dyn ObjectStore>,
    snapshot: &LakeSnapshot,
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
pub(super) fn parse(sql: &str) -> Result<Statement> {
    let hint = "give one SQL statement, such as SELECT COUNT(*) FROM cf_logs";
    let statements = DFParserBuilder::new(sql).build().and_then(|mut parser| parser.parse_statements());
    let mut statements = statements.map_err(failed)?;
    match (statements.pop_front(), statements.len()) {
        (Some(statement), 0) => Ok(statement),
        (None, _) => Err(Error::usage("the query is empty", hint)),
        (Some(_), more) => Err(Error::usage(format!("the query holds {} statements", more + 1), hint)),
    }
}

pub(super) async fn plan(context: &SessionContext, statement: Statement, sql: &str) -> Result<Arc<dyn ExecutionPlan>> {
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
