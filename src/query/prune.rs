//! Which files can hold a row of an answer, known before any of them is opened: from the partition
//! columns, and from the hours in which every `event_time` of a file lies.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, TimestampMicrosecondArray};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::cast::as_boolean_array;
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, DFSchema, Result, ScalarValue};
use datafusion::datasource::listing::helpers::expr_applicable_for_cols;
use datafusion::logical_expr::Expr;
use datafusion::logical_expr::utils::conjunction;
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;

use crate::kernel::schema::EVENT_TIME;
use crate::model::{Granularity, HourRange};

/// Whether the partition columns alone decide a filter, so that it holds for all rows of a file or
/// for none.
fn decided_by_partition(filter: &Expr, granularity: Granularity) -> bool {
    // A subquery's answer is not known while files are chosen, whatever columns surround it.
    let asks_elsewhere = filter.exists(|part| {
        Ok(matches!(
            part,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::ScalarSubquery(_)
                | Expr::SetComparison(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::ScalarVariable(..)
        ))
    });
    matches!(asks_elsewhere, Ok(false)) && expr_applicable_for_cols(granularity.columns(), filter)
}

/// What is known of each file of a table without opening it.
#[derive(Debug)]
pub(super) struct Hours {
    /// One row per file: its partition columns.
    partitions: RecordBatch,
    granularity: Granularity,
    first_instants: ArrayRef,
    last_instants: ArrayRef,
}

impl Hours {
    /// The partition columns and hours of a table's files, in the same order.
    pub(super) fn new(
        partitions: RecordBatch,
        granularity: Granularity,
        hours: impl Iterator<Item = HourRange>,
    ) -> Self {
        let micros = |hour: crate::model::Hour| hour.start_unix_seconds() * 1_000_000;
        let (starts, ends): (Vec<i64>, Vec<i64>) = hours.map(|of| (micros(of.start), micros(of.end) - 1)).unzip();
        let instants = |values: Vec<i64>| Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"));
        Self { partitions, granularity, last_instants: instants(ends), first_instants: instants(starts) }
    }

    /// Whether the partition columns alone decide a filter.
    pub(super) fn decide(&self, filter: &Expr) -> bool {
        decided_by_partition(filter, self.granularity)
    }

    /// For each file, whether it may hold a row that passes every filter. `schema` is that of the
    /// table.
    pub(super) fn keep(&self, state: &dyn Session, filters: &[Expr], schema: &SchemaRef) -> Result<Vec<bool>> {
        let (decided, others): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(|filter| self.decide(filter));
        let mut keep = vec![true; self.partitions.num_rows()];
        if let Some(filter) = conjunction(decided) {
            narrow(&mut keep, &self.passing(state, filter)?);
        }
        if let Some(filter) = conjunction(others) {
            narrow(&mut keep, &self.possible(state, filter, schema));
        }
        Ok(keep)
    }

    /// The files whose partition passes a filter on nothing else.
    fn passing(&self, state: &dyn Session, filter: Expr) -> Result<Vec<bool>> {
        let schema = DFSchema::try_from(self.partitions.schema())?;
        let passes = state.create_physical_expr(filter, &schema)?.evaluate(&self.partitions)?;
        let passes = passes.into_array(self.partitions.num_rows())?;
        // As in a WHERE, NULL is no pass.
        Ok(as_boolean_array(&passes)?.iter().map(|passes| passes.unwrap_or(false)).collect())
    }

    /// The files that the bounds of their hour do not rule out. A filter that says nothing about
    /// them, or that cannot be judged from bounds, rules out none.
    fn possible(&self, state: &dyn Session, filter: Expr, schema: &SchemaRef) -> Vec<bool> {
        let judge = || {
            let filter = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(schema))?)?;
            PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).try_build(filter)?.prune(self)
        };
        judge().unwrap_or_else(|_| vec![true; self.partitions.num_rows()])
    }
}

fn narrow(keep: &mut [bool], by: &[bool]) {
    for (keep, by) in keep.iter_mut().zip(by) {
        *keep &= *by;
    }
}

impl PruningStatistics for Hours {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        let event_time = || (column.name == EVENT_TIME).then(|| Arc::clone(&self.first_instants));
        self.partitions.column_by_name(&column.name).cloned().or_else(event_time)
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        let event_time = || (column.name == EVENT_TIME).then(|| Arc::clone(&self.last_instants));
        self.partitions.column_by_name(&column.name).cloned().or_else(event_time)
    }

    fn num_containers(&self) -> usize {
        self.partitions.num_rows()
    }

    fn null_counts(&self, _: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
