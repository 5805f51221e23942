//! A table as the query engine sees it: a fixed list of Parquet files, each with the partition it
//! belongs to.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::config::TableParquetOptions;
use datafusion::common::stats::Precision;
use datafusion::common::{Result, ScalarValue, Statistics, project_schema};
use datafusion::datasource::file_format::parquet::transform_schema_to_view;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;

use super::prune::Hours;
use super::reader::Readers;
use super::snapshot::SnapshotFile;
use crate::kernel::schema;
use crate::model::{Granularity, HourRange, Table};

/// A table over exactly the files it was made with. Files of an older version lack the last
/// columns; they read as NULL.
#[derive(Debug)]
pub(super) struct LakeTable {
    table: Table,
    url: ObjectStoreUrl,
    schema: TableSchema,
    files: Vec<PartitionedFile>,
    rows: Vec<u64>,
    hours: Hours,
    /// From its first hour to its last.
    there: Option<HourRange>,
}

impl LakeTable {
    /// A table of the store that the session knows by `url`.
    pub(super) fn new<'a>(
        table: Table,
        granularity: Granularity,
        url: ObjectStoreUrl,
        files: impl Iterator<Item = &'a SnapshotFile>,
    ) -> Result<Self> {
        let mut files: Vec<&SnapshotFile> = files.collect();
        // The same snapshot answers in the same order, and a LIMIT takes the earliest hours.
        files.sort_by(|a, b| (a.partition, &a.path).cmp(&(b.partition, &b.path)));
        let folders: Vec<Vec<String>> = files.iter().map(|file| file.partition.values()).collect();
        let columns = (0..granularity.columns().len()).map(|index| {
            Arc::new(folders.iter().map(|values| Some(values[index].as_str())).collect::<StringArray>()) as ArrayRef
        });
        let partition_fields: Vec<_> =
            granularity.columns().iter().map(|name| Arc::new(Field::new(*name, DataType::Utf8, false))).collect();
        let partitions = RecordBatch::try_new(Arc::new(Schema::new(partition_fields.clone())), columns.collect())?;
        // Text is read as views into the decoded pages, which spares a copy of every value that a
        // filter drops.
        let file_schema = Arc::new(transform_schema_to_view(&schema::arrow_schema(table)));
        Ok(Self {
            table,
            url,
            schema: TableSchema::builder(file_schema).with_table_partition_cols(partition_fields).build(),
            rows: files.iter().map(|file| file.rows).collect(),
            hours: Hours::new(partitions, granularity, files.iter().map(|file| file.partition.hours())),
            there: files.iter().map(|file| file.partition.hours()).reduce(|all, hours| all.join(hours)),
            files: files.iter().zip(folders).map(|(file, folders)| partitioned(file, folders)).collect(),
        })
    }

    /// The files that may hold a row of the answer, with their rows: those that the filters leave,
    /// and of these no more than it takes to reach the limit where every row of a file counts.
    fn select(
        &self,
        state: &dyn Session,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<(Vec<PartitionedFile>, u64)> {
        let kept = self.hours.keep(state, filters, self.schema.table_schema())?;
        if !kept.is_empty() && !kept.contains(&true) {
            let (table, there) = (self.table, self.there.map(|hours| hours.to_string()).unwrap_or_default());
            tracing::info!("no hour of {table} is one that the query asks for: the table has {there}");
        }
        let all_rows_count = filters.iter().all(|filter| self.hours.decide(filter));
        let enough = limit.filter(|_| all_rows_count).map_or(u64::MAX, |limit| limit as u64);
        let mut files = Vec::new();
        let mut rows: u64 = 0;
        for index in (0..self.files.len()).filter(|index| kept[*index]) {
            if rows >= enough {
                break;
            }
            files.push(self.files[index].clone());
            rows += self.rows[index];
        }
        Ok((files, rows))
    }
}

fn partitioned(file: &SnapshotFile, folders: Vec<String>) -> PartitionedFile {
    let mut partitioned = PartitionedFile::new("", file.size_bytes);
    // Set afterwards: the constructor takes text and would escape an escaped path once more.
    partitioned.object_meta.location = file.path.clone();
    partitioned.with_partition_values(folders.into_iter().map(|value| ScalarValue::Utf8(Some(value))).collect())
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let (files, rows) = self.select(state, filters, limit)?;
        if files.is_empty() {
            return Ok(Arc::new(EmptyExec::new(project_schema(&self.schema(), projection)?)));
        }
        let mut statistics = Statistics::new_unknown(self.schema.table_schema());
        statistics.num_rows = usize::try_from(rows).map_or(Precision::Absent, Precision::Exact);
        let global = state.config_options().execution.parquet.clone();
        let footer_guess_bytes = global.metadata_size_hint.unwrap_or(0);
        let store = state.runtime_env().object_store(&self.url)?;
        // The optimiser hands the remaining filters to the source later on, which then skips row
        // groups and pages.
        let source = ParquetSource::new(self.schema.clone())
            .with_table_parquet_options(TableParquetOptions { global, ..Default::default() })
            .with_metadata_size_hint(footer_guess_bytes)
            .with_parquet_file_reader_factory(Arc::new(Readers::new(store, state)));
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(FileGroup::new(files).split_files(state.config().target_partitions()))
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| {
            if self.hours.decide(filter) {
                TableProviderFilterPushDown::Exact
            } else {
                TableProviderFilterPushDown::Inexact
            }
        };
        Ok(filters.iter().map(support).collect())
    }
}
