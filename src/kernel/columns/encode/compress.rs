//! Compressors that are made once a thread.

use std::cell::RefCell;

use bytes::Bytes;
use parquet::basic::ZstdLevel;
use parquet::errors::{ParquetError, Result};

/// A compressor of one level.
type Leveled = (ZstdLevel, zstd::bulk::Compressor<'static>);

thread_local! {
    /// A compressor's memory is half a megabyte and is used again by every page of a thread; there
    /// are three levels.
    static COMPRESSORS: RefCell<Vec<Leveled>> = const { RefCell::new(Vec::new()) };
}

/// Compresses a page.
pub(super) fn compress(bytes: &[u8], level: ZstdLevel) -> Result<Bytes> {
    let failed = |error: std::io::Error| ParquetError::External(Box::new(error));
    COMPRESSORS.with_borrow_mut(|held| {
        let known = held.iter().position(|(known, _)| *known == level);
        let place = known.unwrap_or(held.len());
        if known.is_none() {
            held.push((level, zstd::bulk::Compressor::new(level.compression_level()).map_err(failed)?));
        }
        held[place].1.compress(bytes).map(Bytes::from).map_err(failed)
    })
}
