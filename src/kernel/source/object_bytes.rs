//! The bytes of an object as stored: in memory, or where they lie, read piece by piece as they are
//! wanted.

use std::fmt::Debug;
use std::io::{BufRead, Read};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};

use crate::error::{Error, Result};

/// What is asked for at a time: large enough that an object of 5 GB is some hundred calls, small
/// enough to hold several.
pub const PIECE_BYTES: u64 = 8 << 20;

/// What is asked for where a page of a table begins somewhere, and nobody knows where it ends.
const PAGE_PIECE_BYTES: u64 = 64 << 10;

/// Reads bytes of one object.
pub trait Ranges: Send + Sync + Debug {
    /// Bytes of a range inside the object, all of them.
    fn read(&self, range: Range<u64>) -> Result<Bytes>;
}

/// An object's bytes.
#[derive(Clone, Debug)]
pub enum ObjectBytes {
    /// All of them.
    InMemory(Bytes),
    /// Too many to be held.
    Remote(Remote),
}

/// Bytes that lie elsewhere.
#[derive(Clone, Debug)]
pub struct Remote {
    size_bytes: u64,
    ranges: Arc<dyn Ranges>,
    /// Where bytes begin that are held for the time being, and they.
    held: Arc<Mutex<(u64, Bytes)>>,
    /// The first failure. The libraries between take failures for damage of the object, which it is
    /// not.
    failure: Arc<Mutex<Option<Error>>>,
}

impl From<Bytes> for ObjectBytes {
    fn from(bytes: Bytes) -> Self {
        Self::InMemory(bytes)
    }
}

impl ObjectBytes {
    /// Bytes that are read as they are wanted.
    #[must_use]
    pub fn there(size_bytes: u64, ranges: Arc<dyn Ranges>) -> Self {
        Self::Remote(Remote { size_bytes, ranges, held: Arc::default(), failure: Arc::default() })
    }

    /// How many they are.
    #[must_use]
    pub const fn size_bytes(&self) -> u64 {
        match self {
            Self::InMemory(bytes) => bytes.len() as u64,
            Self::Remote(there) => there.size_bytes,
        }
    }

    /// The bytes, where they are in memory.
    #[must_use]
    pub const fn in_memory(&self) -> Option<&Bytes> {
        match self {
            Self::InMemory(bytes) => Some(bytes),
            Self::Remote(_) => None,
        }
    }

    /// What went wrong while bytes were read, if something did: then what was read is not what lies
    /// there.
    pub fn take_failure(&self) -> Result<()> {
        match self {
            Self::InMemory(_) => Ok(()),
            Self::Remote(there) => {
                there.failure.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Ok(()), Err)
            }
        }
    }

    /// Reads a range that will be wanted in many pieces and in no order, and holds it until the
    /// next one.
    pub fn hold(&self, range: Range<u64>) -> std::io::Result<()> {
        let Self::Remote(there) = self else { return Ok(()) };
        let start = range.start;
        // What was held is given up before.
        there.set_held(0, Bytes::new());
        there.read(range).map(|bytes| there.set_held(start, bytes))
    }

    /// The bytes from a place on.
    #[must_use]
    pub fn reader(&self, from: u64) -> ObjectReader {
        self.reader_of(from, PIECE_BYTES)
    }

    fn reader_of(&self, from: u64, piece_bytes: u64) -> ObjectReader {
        match self {
            Self::InMemory(bytes) => {
                let from = usize::try_from(from).unwrap_or(usize::MAX).min(bytes.len());
                ObjectReader { current: bytes.slice(from..), there: None, next: 0, piece_bytes }
            }
            Self::Remote(there) => {
                ObjectReader { current: Bytes::new(), there: Some(there.clone()), next: from, piece_bytes }
            }
        }
    }
}

impl Remote {
    fn set_held(&self, start: u64, bytes: Bytes) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = (start, bytes);
    }

    /// The bytes of a range that are held, if its beginning is.
    fn held(&self, range: &Range<u64>) -> Option<Bytes> {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let (start, bytes) = &*held;
        let from = usize::try_from(range.start.checked_sub(*start)?).ok()?;
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        (from < bytes.len()).then(|| bytes.slice(from..from.saturating_add(length).min(bytes.len())))
    }

    fn read(&self, range: Range<u64>) -> std::io::Result<Bytes> {
        if let Some(held) = self.held(&range).filter(|held| held.len() as u64 == range.end - range.start) {
            return Ok(held);
        }
        self.ranges.read(range).map_err(|error| {
            let told = std::io::Error::other(error.to_string());
            self.failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            told
        })
    }
}

/// The bytes of an object in their order, at least two at a time where there are two: as many as
/// tell gzip from text.
#[derive(Debug)]
pub struct ObjectReader {
    current: Bytes,
    there: Option<Remote>,
    next: u64,
    piece_bytes: u64,
}

impl BufRead for ObjectReader {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if let Some(there) = &self.there
            && self.current.len() < 2
            && self.next < there.size_bytes
        {
            let wanted = self.next..(self.next + self.piece_bytes).min(there.size_bytes);
            let piece = there.held(&wanted).map_or_else(|| there.read(wanted), Ok)?;
            self.next += piece.len() as u64;
            self.current = if self.current.is_empty() { piece } else { [&self.current[..], &piece].concat().into() };
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        let _ = self.current.split_to(count);
    }
}

impl Read for ObjectReader {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let held = self.fill_buf()?;
        let count = held.len().min(out.len());
        out[..count].copy_from_slice(&held[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl Length for ObjectBytes {
    fn len(&self) -> u64 {
        self.size_bytes()
    }
}

impl ChunkReader for ObjectBytes {
    type T = ObjectReader;

    fn get_read(&self, start: u64) -> parquet::errors::Result<ObjectReader> {
        Ok(self.reader_of(start, PAGE_PIECE_BYTES))
    }

    fn get_bytes(&self, start: u64, length: usize) -> parquet::errors::Result<Bytes> {
        let end = start.saturating_add(length as u64);
        if end > self.size_bytes() {
            return Err(ParquetError::EOF(format!("bytes {start}..{end} of {} were asked for", self.size_bytes())));
        }
        match self {
            Self::InMemory(bytes) => bytes.get_bytes(start, length),
            Self::Remote(there) => there.read(start..end).map_err(|error| ParquetError::External(Box::new(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Failing(Vec<u8>, u64);

    impl Ranges for Failing {
        fn read(&self, range: Range<u64>) -> Result<Bytes> {
            if range.end > self.1 {
                return Err(Error::usage("byte too far", "do not"));
            }
            Ok(self.0[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()].to_vec().into())
        }
    }

    #[test]
    fn pieces_are_the_whole_and_a_failure_is_kept() {
        let all: Vec<u8> = (0..=PIECE_BYTES * 2).map(|n| (n * 31 % 251) as u8).collect();
        let size_bytes = all.len() as u64;
        let stored = ObjectBytes::there(size_bytes, Arc::new(Failing(all.clone(), size_bytes)));
        for from in [0, 1, PIECE_BYTES - 1, size_bytes - 1, size_bytes] {
            let mut read = Vec::new();
            stored.reader(from).read_to_end(&mut read).unwrap();
            assert!(read == all[usize::try_from(from).unwrap()..]);
        }
        // A single byte left over is joined with what comes behind it.
        let mut reader = stored.reader(0);
        reader.fill_buf().unwrap();
        reader.consume(usize::try_from(PIECE_BYTES - 1).unwrap());
        assert_eq!(reader.fill_buf().unwrap().len() as u64, PIECE_BYTES + 1);
        stored.take_failure().unwrap();

        // What is held is the same bytes, and needs no call.
        stored.hold(10..20).unwrap();
        assert_eq!(stored.get_bytes(12, 8).unwrap(), all[12..20]);
        assert_eq!(stored.get_bytes(12, 9).unwrap(), all[12..21]);
        let mut read = Vec::new();
        stored.reader(15).read_to_end(&mut read).unwrap();
        assert!(read == all[15..]);

        let stored = ObjectBytes::there(size_bytes, Arc::new(Failing(all, PIECE_BYTES)));
        stored.reader(0).read_to_end(&mut Vec::new()).unwrap_err();
        assert!(stored.take_failure().unwrap_err().to_string().contains("byte too far"));
        assert!(stored.get_bytes(size_bytes - 1, 2).is_err());
    }
}
