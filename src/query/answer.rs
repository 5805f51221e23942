//! What a query answers, read while it is asked for.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::{Stream, StreamExt};

use super::stream::{AnswerPiece, AnswerPieces, RowSource, ahead};
use crate::error::{Error, Result};

/// What a query answers. Its rows are read while they are asked for.
pub struct QueryAnswer {
    /// The columns, which an answer without rows has too.
    pub schema: SchemaRef,
    pub(super) rows: RowSource,
}

impl std::fmt::Debug for QueryAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("QueryAnswer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl QueryAnswer {
    /// Batches that somebody else makes, with these columns.
    pub(crate) fn of(schema: SchemaRef, batches: impl Stream<Item = Result<RecordBatch>> + Send + 'static) -> Self {
        Self { schema, rows: RowSource::Batches(batches.boxed()) }
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

    /// The rows, made into something by the threads that read them.
    pub(super) fn pieces<P: AnswerPiece>(
        self,
        make: impl Fn(&RecordBatch) -> Result<P, ArrowError> + Send + Sync + 'static,
    ) -> AnswerPieces<P> {
        let made = move |batch: &RecordBatch| make(batch).map_err(|error| Error::encode("the answer", error));
        match self.rows {
            RowSource::Batches(batches) => batches.map(move |batch| made(&batch?)).fuse().boxed(),
            RowSource::Parts(plan) => {
                let parts = plan.plan.output_partitioning().partition_count();
                ahead(plan, parts, made)
            }
            RowSource::Whole(plan) => ahead(plan, 1, made),
        }
    }
}
