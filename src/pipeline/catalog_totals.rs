//! Tells the catalog how much partitions hold by now.

use futures::{StreamExt, TryStreamExt};

use super::context::RunContext;
use super::summary::Summary;
use crate::error::Result;
use crate::model::Partition;
use crate::protocol_driver;

/// Partitions that a catalog is told of at a time.
const TOLD_AT_A_TIME: usize = 128;

/// Tells the catalog how much partitions hold that were there before. A catalog that the lake was
/// given while the run was at work is told of all that the run published; whoever gave it lists
/// what was published before. Whether it was.
pub(super) async fn tell(context: &RunContext, summary: &Summary) -> Result<bool> {
    let touched: Vec<Partition> = summary.touched.iter().copied().collect();
    if let Some(lake) = context.lake.with_new_catalog().await? {
        let lake = &lake;
        let told = touched.into_iter().map(|partition| async move { protocol_driver::register(lake, partition).await });
        let mut told = std::pin::pin!(futures::stream::iter(told).buffer_unordered(TOLD_AT_A_TIME));
        while told.try_next().await?.is_some() {}
        return Ok(true);
    }
    let told = touched.into_iter().map(|partition| protocol_driver::tell(&context.lake, partition));
    futures::stream::iter(told).buffer_unordered(TOLD_AT_A_TIME).try_collect::<()>().await?;
    Ok(false)
}
