//! One log under two keys: moved, copied or synced since it was converted, it would be rows a
//! second time.
//!
//! Objects are taken for one if the last parts of their keys, their sizes and their bytes are the
//! same: names of AWS's logs hold a random part, and two nodes that logged nothing may well write
//! the same bytes under different ones. Where the store's etag follows from the bytes, it tells;
//! where it does not, a digest does, once the bytes are read.

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::ObjectId;

/// Bytes at each end of an object too large to be held whole that its digest is made of. The end of
/// a gzip member is the checksum of all of it.
pub const END_BYTES: u64 = 64 << 10;

/// What becomes of an object that is the same as one under another key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameContent {
    /// It is converted as any other, and told.
    Take,
    /// It is told, and has no rows of its own.
    #[default]
    Skip,
    /// The run fails before its hour is committed.
    Fail,
}

impl std::str::FromStr for SameContent {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Take, Self::Skip, Self::Fail]
            .into_iter()
            .find(|what| what.to_string() == text)
            .ok_or_else(|| format!("'{text}' is not known here; write take, skip or fail"))
    }
}

impl std::fmt::Display for SameContent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Take => "take",
            Self::Skip => "skip",
            Self::Fail => "fail",
        })
    }
}

/// What is known of the bytes of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// Its URL.
    pub url: Arc<str>,
    /// Its etag, as the store told it.
    pub etag: String,
    /// The digest of its bytes; nothing where a version wrote it down that made none.
    pub digest: Option<String>,
}

/// The objects that others may be the same as, by the last part of their keys and their sizes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twins(HashMap<(String, u64), Vec<Twin>>);

impl Twins {
    /// Adds an object whose rows are, or will be, in the lake.
    pub fn add(&mut self, object: &ObjectId, twin: Twin) {
        self.0.entry(place_of(object)).or_default().push(twin);
    }

    /// Adds all of another.
    pub fn extend(&mut self, other: Self) {
        for (of, twins) in other.0 {
            self.0.entry(of).or_default().extend(twins);
        }
    }

    /// The URL of an object that is the same by its etag, in a store whose etags follow from bytes.
    #[must_use]
    pub fn by_etag(&self, object: &ObjectId) -> Option<&Arc<str>> {
        self.find(object, |twin| follows_from_bytes(&twin.etag) && twin.etag == object.etag)
    }

    /// Whether there is one of an object's name and size.
    #[must_use]
    pub fn has_alike(&self, object: &ObjectId) -> bool {
        self.0.contains_key(&place_of(object))
    }

    /// The URL of an object that is the same by its digest.
    #[must_use]
    pub fn by_digest(&self, object: &ObjectId, digest: &str) -> Option<&Arc<str>> {
        self.find(object, |twin| twin.digest.as_deref() == Some(digest))
    }

    fn find(&self, object: &ObjectId, is_same: impl Fn(&Twin) -> bool) -> Option<&Arc<str>> {
        let twins = self.0.get(&place_of(object))?;
        twins.iter().find(|twin| is_same(twin)).map(|twin| &twin.url)
    }
}

/// What two objects must have in common to be one: the last part of their keys, and their sizes.
#[must_use]
pub fn name_and_size(object: &ObjectId) -> (&str, u64) {
    (object.key.rsplit('/').next().unwrap_or_default(), object.size_bytes)
}

fn place_of(object: &ObjectId) -> (String, u64) {
    let (name, size_bytes) = name_and_size(object);
    (name.to_owned(), size_bytes)
}

/// Whether an etag is made of the bytes: S3's is the MD5 of an object that was put in one part, in
/// quotes, and for one of several parts a hash of theirs with their number behind it. (Under KMS
/// keys it is neither, and never the same twice.)
fn follows_from_bytes(etag: &str) -> bool {
    let hash = etag.trim_matches('"');
    let (hash, parts) = hash.split_once('-').unwrap_or((hash, "1"));
    hash.len() == 32
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !parts.is_empty()
        && parts.bytes().all(|byte| byte.is_ascii_digit())
}

/// What tells an object's content apart from every other's, in any store: its name, its size, and
/// the digest of its bytes, or an etag that follows from them where no digest was written down.
/// Nothing where neither is known.
#[must_use]
pub fn content(object: &ObjectId, digest: Option<&str>) -> Option<String> {
    let (name, size_bytes) = name_and_size(object);
    let etag = follows_from_bytes(&object.etag).then_some(object.etag.trim_matches('"'));
    digest.or(etag).map(|bytes| format!("{name} {size_bytes} {bytes}"))
}

/// The digest of an object's stored bytes: two checksums that a processor makes as fast as it
/// reads. Names and sizes agree besides, and nobody who writes objects of a name of AWS's into a
/// log bucket needs to forge one.
#[must_use]
pub fn digest(bytes: &[u8]) -> String {
    let mut adler = libdeflater::Adler32::new();
    adler.update(bytes);
    format!("{:08x}{:08x}", libdeflater::crc32(bytes), adler.sum())
}

/// The digest of an object that is too large to be held, by its first and last [`END_BYTES`].
#[must_use]
pub fn digest_of_ends(first: &[u8], last: &[u8]) -> String {
    format!("ends:{}{}", digest(first), digest(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, etag: &str, size_bytes: u64) -> ObjectId {
        ObjectId { key: key.into(), etag: etag.into(), size_bytes }
    }

    fn twins(etag: &str, digest: Option<&str>) -> Twins {
        let mut twins = Twins::default();
        let twin = Twin { url: "s3://logs/a/x.gz".into(), etag: etag.into(), digest: digest.map(str::to_owned) };
        twins.add(&object("a/x.gz", etag, 3), twin);
        twins
    }

    const MD5: &str = "\"900150983cd24fb0d6963f7d28e17f72\"";

    #[test]
    fn names_sizes_and_bytes_tell_together() {
        let known = twins(MD5, Some(&digest(b"abc")));
        assert!(known.by_etag(&object("b/x.gz", MD5, 3)).is_some());
        assert!(known.by_etag(&object("b/y.gz", MD5, 3)).is_none(), "another name");
        assert!(known.by_etag(&object("b/x.gz", MD5, 4)).is_none(), "another size");
        assert!(known.by_digest(&object("b/x.gz", "1-2", 3), &digest(b"abc")).is_some());
        assert!(known.by_digest(&object("b/x.gz", "1-2", 3), &digest(b"abd")).is_none());
        assert!(twins(MD5, None).by_digest(&object("b/x.gz", "", 3), &digest(b"abc")).is_none());
    }

    #[test]
    fn an_etag_of_time_and_place_tells_nothing() {
        for (etag, tells) in [
            (MD5, true),
            ("900150983cd24fb0d6963f7d28e17f72-12", true),
            ("2c4a1f-64c8e2f3b1a40-3", false),
            ("1700000000000000-3", false),
            ("900150983cd24fb0d6963f7d28e17f72-", false),
        ] {
            assert_eq!(twins(etag, None).by_etag(&object("b/x.gz", etag, 3)).is_some(), tells, "{etag}");
        }
    }

    #[test]
    fn digests_differ_where_bytes_do() {
        assert_ne!(digest(b"a"), digest(b"b"));
        assert_ne!(digest_of_ends(b"a", b"b"), digest_of_ends(b"a", b"c"));
        assert_eq!(digest(b"").len(), 16);
    }
}
