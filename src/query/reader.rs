//! Opens the files of a snapshot so that a file which is gone is said to be gone.
//!
//! The engine's own reader turns a failure to read a footer into text, and a footer is the first
//! thing that is read. Whoever asked could then not tell a compacted lake, which a fresh snapshot
//! mends, from a damaged one.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::catalog::Session;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::CachedParquetFileReaderFactory;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

/// Makes readers that keep what the store said, and the session's cache of footers.
#[derive(Debug)]
pub(super) struct Readers {
    store: Arc<dyn ObjectStore>,
    inner: CachedParquetFileReaderFactory,
}

impl Readers {
    pub(super) fn new(store: Arc<dyn ObjectStore>, state: &dyn Session) -> Self {
        let footers = state.runtime_env().cache_manager.get_file_metadata_cache();
        Self { inner: CachedParquetFileReaderFactory::new(Arc::clone(&store), footers), store }
    }
}

impl ParquetFileReaderFactory for Readers {
    fn create_reader(
        &self,
        partition_index: usize,
        file: PartitionedFile,
        metadata_size_hint: Option<usize>,
        metrics: &ExecutionPlanMetricsSet,
    ) -> datafusion::common::Result<Box<dyn AsyncFileReader + Send>> {
        let path = file.path().clone();
        let inner = self.inner.create_reader(partition_index, file, metadata_size_hint, metrics)?;
        Ok(Box::new(Reader { store: Arc::clone(&self.store), path, inner }))
    }
}

struct Reader {
    store: Arc<dyn ObjectStore>,
    path: Path,
    inner: Box<dyn AsyncFileReader + Send>,
}

impl AsyncFileReader for Reader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes>> {
        self.inner.get_bytes(range)
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, Result<Vec<Bytes>>> {
        self.inner.get_byte_ranges(ranges)
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>>> {
        async move {
            let told = match self.inner.get_metadata(options).await {
                Ok(footer) => return Ok(footer),
                Err(told) => told,
            };
            // Asked once more, the store answers with an error that can be recognised. If it now
            // finds the file, the first failure was another one.
            Err(self.store.head(&self.path).await.err().map_or(told, |error| ParquetError::External(Box::new(error))))
        }
        .boxed()
    }
}
