//! Plans that take each row of a file by itself, such as `SELECT *`: their rows come in the order
//! of the lake's files, which is that of time, and many parts are read at the same time.

use std::sync::Arc;

use datafusion::common::Result;
use datafusion::datasource::listing::{FileRange, PartitionedFile};
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfig, FileScanConfigBuilder};
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExec;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::union::UnionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning, replace_children_if_necessary};

/// Files are read together up to this size, and cut at it: a part must be long enough to be worth a
/// task, and short enough that what is ready before its turn fits in memory.
const PART_BYTES: u64 = 8 << 20;

/// The same plan in parts whose rows follow each other, where the plan takes each row by itself.
pub(super) fn in_parts(plan: &Arc<dyn ExecutionPlan>) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    if plan.fetch().is_some() {
        return Ok(None);
    }
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() else { return Ok(None) };
        let groups = parts(config.file_groups.iter().flat_map(FileGroup::iter));
        let config = FileScanConfigBuilder::from(config.clone()).with_file_groups(groups).with_preserve_order(true);
        return Ok(Some(DataSourceExec::from_data_source(config.build())));
    }
    if let Some(spread) = plan.downcast_ref::<RepartitionExec>() {
        // It spreads rows over threads, which the parts do better.
        let row_by_row = matches!(spread.partitioning(), Partitioning::RoundRobinBatch(_));
        return if row_by_row { in_parts(spread.input()) } else { Ok(None) };
    }
    if plan.is::<EmptyExec>() {
        return Ok(Some(Arc::clone(plan)));
    }
    if !(plan.is::<FilterExec>()
        || plan.is::<ProjectionExec>()
        || plan.is::<UnionExec>()
        || plan.is::<CooperativeExec>())
    {
        return Ok(None);
    }
    let children: Option<Vec<_>> =
        plan.children().into_iter().map(in_parts).collect::<Result<Vec<_>>>()?.into_iter().collect();
    children.map(|children| replace_children_if_necessary(Arc::clone(plan), children)).transpose()
}

/// Groups of files in their order.
fn parts<'a>(files: impl Iterator<Item = &'a PartitionedFile>) -> Vec<FileGroup> {
    let mut parts: Vec<FileGroup> = Vec::new();
    let (mut part, mut part_bytes) = (Vec::new(), 0);
    let mut last = None;
    for file in files {
        // The engine may have cut a file already; all its pieces are here.
        if last == Some(&file.object_meta.location) {
            continue;
        }
        last = Some(&file.object_meta.location);
        let size_bytes = file.object_meta.size;
        if part_bytes > 0 && part_bytes + size_bytes > PART_BYTES {
            parts.push(FileGroup::new(std::mem::take(&mut part)));
            part_bytes = 0;
        }
        if size_bytes <= PART_BYTES {
            part_bytes += size_bytes;
            part.push(PartitionedFile { range: None, ..file.clone() });
            continue;
        }
        for start in (0..size_bytes).step_by(usize::try_from(PART_BYTES).unwrap_or(usize::MAX)) {
            let offset = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
            let range = FileRange { start: offset(start), end: offset((start + PART_BYTES).min(size_bytes)) };
            parts.push(FileGroup::new(vec![PartitionedFile { range: Some(range), ..file.clone() }]));
        }
    }
    if !part.is_empty() {
        parts.push(FileGroup::new(part));
    }
    parts
}
