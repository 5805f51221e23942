//! Athena: one statement at a time, from its start to its last page of rows.

use std::time::Duration;

use aws_sdk_athena::Client;
use aws_sdk_athena::config::timeout::TimeoutConfig;
use aws_sdk_athena::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_athena::operation::start_query_execution::StartQueryExecutionError;
use aws_sdk_athena::types::{
    ColumnInfo, QueryExecution, QueryExecutionContext, QueryExecutionState, ResultConfiguration, Row, StatementType,
};

use super::{aws, aws_error};
use crate::error::{Certainty, Error, Result};

/// How long to wait between two looks at a statement, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(200);
const LAST_LOOK: Duration = Duration::from_secs(3);

/// One try of a call, and a call with all its tries: a statement that begins late would take effect
/// late.
const TRY: Duration = Duration::from_secs(10);
const CALL: Duration = Duration::from_secs(28);

/// A cancelled statement is waited for so long.
const CANCELLED: Duration = Duration::from_secs(20);

/// Rows of a page of results at most.
const PAGE_ROWS: i32 = 1_000;

/// Where statements run.
#[derive(Clone, Debug)]
pub struct Athena {
    client: Client,
    workgroup: String,
    database: String,
    /// Where results are written.
    output: ResultLocation,
}

/// Where results are written.
#[derive(Clone, Debug)]
enum ResultLocation {
    /// There, unless the workgroup enforces its own place.
    At(String),
    /// Where the workgroup says, and there where it says nothing.
    Else(String),
}

/// What a finished statement read and took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scanned {
    /// Bytes that are paid for.
    pub scanned_bytes: u64,
    /// Milliseconds that the engine worked.
    pub engine_milliseconds: u64,
    /// Milliseconds that it waited for its turn.
    pub queued_milliseconds: u64,
    /// Whether it is paid for: statements that only name things are not.
    pub is_billed: bool,
}

/// A page of an answer, every value as Athena writes it; NULL is none.
#[derive(Clone, Debug, Default)]
pub struct AthenaPage {
    /// Names and types, in Athena's words.
    pub columns: Vec<(String, String)>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
}

impl Athena {
    /// A database's statements, in a workgroup. Results go where the workgroup says, and to
    /// `output` where it says nothing.
    pub async fn open(workgroup: &str, database: &str, output: String) -> Self {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(TRY).operation_timeout(CALL).build();
        let config = aws_sdk_athena::config::Builder::from(&aws::config().await).timeout_config(timeouts).build();
        let (workgroup, database) = (workgroup.to_owned(), database.to_owned());
        Self { client: Client::from_conf(config), workgroup, database, output: ResultLocation::Else(output) }
    }

    /// The same, with results there, unless the workgroup enforces its own place.
    #[must_use]
    pub fn with_output(self, output: String) -> Self {
        Self { output: ResultLocation::At(output), ..self }
    }

    fn failed<E>(&self, permission: &str, action: &'static str, error: &SdkError<E>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        aws_error::failed("athena", permission, action, format!("athena:{}", self.workgroup), error)
    }

    /// Starts a statement; its id. Asked again after a lost answer, the service knows it by its
    /// token.
    pub async fn start(&self, sql: &str) -> Result<String> {
        let token = uuid::Uuid::new_v4().to_string();
        let started = match &self.output {
            ResultLocation::At(output) => self.started(sql, &token, Some(output)).await,
            ResultLocation::Else(output) => match self.started(sql, &token, None).await {
                Err(error) if error.message().is_some_and(|said| said.to_lowercase().contains("output location")) => {
                    self.started(sql, &uuid::Uuid::new_v4().to_string(), Some(output)).await
                }
                started => started,
            },
        };
        let id = started.map_err(|error| self.refused(&error))?;
        id.ok_or_else(|| self.strange("it started nothing"))
    }

    async fn started(
        &self,
        sql: &str,
        token: &str,
        output: Option<&String>,
    ) -> Result<Option<String>, SdkError<StartQueryExecutionError>> {
        let results = output.map(|output| ResultConfiguration::builder().output_location(output).build());
        let call = self
            .client
            .start_query_execution()
            .query_string(sql)
            .client_request_token(token)
            .work_group(&self.workgroup)
            .query_execution_context(QueryExecutionContext::builder().database(&self.database).build())
            .set_result_configuration(results);
        call.send().await.map(|started| started.query_execution_id)
    }

    fn refused<E>(&self, error: &SdkError<E>) -> Error
    where
        E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    {
        let message = error.message().unwrap_or_default();
        if error.code() == Some("InvalidRequestException") {
            let hint = "check the workgroup (--workgroup), the database (--database) and where results go (--output)";
            return Error::usage(format!("athena:{} refuses the query: {message}", self.workgroup), hint);
        }
        self.failed("StartQueryExecution", "start a query in", error)
    }

    fn strange(&self, what: &'static str) -> Error {
        let path = format!("athena:{}", self.workgroup);
        Error::Storage { action: "use", path, certainty: Certainty::MayHaveHappened, source: what.into() }
    }

    /// Runs a statement to its end; a statement that takes longer than `limit`, or whose caller
    /// goes away, is cancelled.
    pub async fn run(&self, sql: &str, limit: Duration) -> Result<(String, Scanned)> {
        let id = self.start(sql).await?;
        let mut guard = Guard { athena: self, id: Some(id.clone()) };
        let done = tokio::time::timeout(limit, self.wait(&id)).await;
        guard.id = None;
        match done {
            Ok(Ok(scanned)) => return Ok((id, scanned)),
            Ok(Err(error @ Error::Query { .. })) => return Err(error),
            // It could not be looked at: it would go on, and be paid for.
            Ok(Err(error)) => {
                if let Err(cancelled) = self.cancel(&id).await {
                    tracing::debug!(%cancelled, "a statement could not be cancelled");
                }
                return Err(error);
            }
            Err(_) => self.cancel(&id).await?,
        }
        let late = format!("the statement took longer than {} s and was cancelled", limit.as_secs());
        match tokio::time::timeout(CANCELLED, self.wait(&id)).await {
            // It was done before it could be cancelled.
            Ok(Ok(scanned)) => Ok((id, scanned)),
            Ok(Err(_)) => Err(self.query_failed(late)),
            Err(_) => Err(self.strange("a cancelled statement does not end")),
        }
    }

    fn query_failed(&self, what: impl Into<String>) -> Error {
        let what: String = what.into();
        Error::Query { source: format!("{what} (athena:{})", self.workgroup).into() }
    }

    /// Waits for the end of a statement.
    pub async fn wait(&self, id: &str) -> Result<Scanned> {
        let mut pause = FIRST_LOOK;
        loop {
            let looked = self.client.get_query_execution().query_execution_id(id).send().await;
            let looked = looked.map_err(|error| self.failed("GetQueryExecution", "look at a query in", &error))?;
            let Some(execution) = looked.query_execution else { return Err(self.strange("it forgot a query")) };
            if let Some(ended) = self.ended(&execution) {
                return ended;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LAST_LOOK);
        }
    }

    fn ended(&self, execution: &QueryExecution) -> Option<Result<Scanned>> {
        let status = execution.status()?;
        let reason = status.state_change_reason().unwrap_or("it gives no reason");
        match status.state()? {
            QueryExecutionState::Queued | QueryExecutionState::Running => None,
            QueryExecutionState::Succeeded => Some(Ok(scanned(execution))),
            QueryExecutionState::Cancelled => Some(Err(self.query_failed(format!("it was cancelled: {reason}")))),
            _ => Some(Err(self.query_failed(reason))),
        }
    }

    /// Cancels a statement; one that has ended is fine.
    pub async fn cancel(&self, id: &str) -> Result<()> {
        let stopped = self.client.stop_query_execution().query_execution_id(id).send().await;
        stopped.map(|_| ()).map_err(|error| self.failed("StopQueryExecution", "cancel a query in", &error))
    }

    /// The rows of a statement that has ended, page by page: `take` gets the columns, and the rows
    /// of one page.
    pub async fn pages(&self, id: &str, take: &mut (dyn FnMut(&AthenaPage) -> Result<()> + Send)) -> Result<()> {
        let mut answer = AthenaPage::default();
        let mut next: Option<String> = None;
        loop {
            let call = self.client.get_query_results().query_execution_id(id).max_results(PAGE_ROWS);
            let page = call.set_next_token(next.clone()).send().await;
            let page = page.map_err(|error| self.failed("GetQueryResults", "read results of a query in", &error))?;
            let set = page.result_set.unwrap_or_else(|| aws_sdk_athena::types::ResultSet::builder().build());
            if next.is_none() {
                let columns = set.result_set_metadata().map(|metadata| metadata.column_info().to_vec());
                answer.columns = columns.unwrap_or_default().iter().map(named).collect();
            }
            // The first row of a SELECT's first page holds the names again; what SHOW and DESCRIBE
            // answer has none.
            let header = usize::from(next.is_none() && set.rows().first().is_some_and(|row| is_header(row, &answer)));
            answer.rows = set.rows().iter().skip(header).map(values).collect();
            take(&answer)?;
            next = page.next_token;
            if next.is_none() {
                return Ok(());
            }
        }
    }
}

fn named(column: &ColumnInfo) -> (String, String) {
    (column.label().unwrap_or_else(|| column.name()).to_owned(), column.r#type().to_owned())
}

fn values(row: &Row) -> Vec<Option<String>> {
    row.data().iter().map(|datum| datum.var_char_value().map(str::to_owned)).collect()
}

fn is_header(row: &Row, answer: &AthenaPage) -> bool {
    let names = row.data().iter().map(|datum| datum.var_char_value().unwrap_or_default());
    names.eq(answer.columns.iter().map(|(name, _)| name.as_str()))
}

fn scanned(execution: &QueryExecution) -> Scanned {
    let count = |count: Option<i64>| count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0);
    let Some(statistics) = execution.statistics() else { return Scanned::default() };
    Scanned {
        scanned_bytes: count(statistics.data_scanned_in_bytes()),
        engine_milliseconds: count(statistics.engine_execution_time_in_millis()),
        queued_milliseconds: count(statistics.query_queue_time_in_millis()),
        is_billed: !matches!(execution.statement_type(), Some(StatementType::Ddl | StatementType::Utility)),
    }
}

/// Cancels a statement whose caller goes away, such as on Ctrl-C: it would go on and be paid for.
struct Guard<'a> {
    athena: &'a Athena,
    id: Option<String>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if let (Some(id), Ok(runtime)) = (self.id.take(), tokio::runtime::Handle::try_current()) {
            let athena = self.athena.clone();
            let cancelled = runtime.spawn(async move { athena.cancel(&id).await });
            // The process is about to end: the call must go out first.
            tokio::task::block_in_place(|| {
                let _ = runtime.block_on(tokio::time::timeout(Duration::from_secs(5), cancelled));
            });
        }
    }
}
