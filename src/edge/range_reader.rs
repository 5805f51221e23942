//! A large object, read piece by piece from a thread that works: while one piece is worked on, the
//! next one is fetched.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::source::object_bytes::{ObjectBytes, PIECE_BYTES, Ranges};
use crate::model::ObjectId;

/// Memory that one such object takes: the piece that is worked on, the one that is fetched, and one
/// on its way between.
pub const HELD_BYTES: u64 = 3 * PIECE_BYTES;

/// An object of a store, as it was listed.
#[derive(Debug)]
struct Ranged {
    objects: Objects,
    object: ObjectId,
    unit: String,
    runtime: Handle,
    ahead: Mutex<Option<Prefetch>>,
}

#[derive(Debug)]
struct Prefetch {
    range: Range<u64>,
    fetch: JoinHandle<Result<Bytes>>,
}

impl Drop for Prefetch {
    fn drop(&mut self) {
        self.fetch.abort();
    }
}

/// The bytes of an object, to be read as they are wanted, on condition of its etag; the first are
/// fetched at once. `unit` is for messages. Must be called inside of a runtime, and the bytes be
/// read outside of it.
#[must_use]
pub fn stored(objects: &Objects, object: &ObjectId, unit: &str) -> ObjectBytes {
    let ranged = Ranged {
        objects: objects.clone(),
        object: object.clone(),
        unit: unit.to_owned(),
        runtime: Handle::current(),
        ahead: Mutex::default(),
    };
    let first = ranged.fetch(0..PIECE_BYTES.min(object.size_bytes));
    *ranged.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
    ObjectBytes::there(object.size_bytes, Arc::new(ranged))
}

impl Ranged {
    fn fetch(&self, range: Range<u64>) -> Prefetch {
        let (objects, object, unit) = (self.objects.clone(), self.object.clone(), self.unit.clone());
        let wanted = range.clone();
        let fetch = self.runtime.spawn(async move { objects.get_listed_range(&object, wanted, &unit).await });
        Prefetch { range, fetch }
    }
}

impl Ranges for Ranged {
    fn read(&self, range: Range<u64>) -> Result<Bytes> {
        let fetched = self.ahead.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut ahead = fetched.filter(|ahead| ahead.range == range).unwrap_or_else(|| self.fetch(range.clone()));
        let gone = |error: tokio::task::JoinError| Error::Panicked {
            doing: format!("reading {}", self.object.key),
            message: error.to_string(),
        };
        let bytes = self.runtime.block_on(&mut ahead.fetch).map_err(gone)??;
        let next = range.end..(range.end + PIECE_BYTES).min(self.object.size_bytes);
        if range.end - range.start == PIECE_BYTES && !next.is_empty() {
            *self.ahead.lock().unwrap_or_else(PoisonError::into_inner) = Some(self.fetch(next));
        }
        Ok(bytes)
    }
}
