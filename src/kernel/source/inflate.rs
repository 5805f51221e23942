//! Gzip members to bytes, handed on in pieces of bounded size.
//!
//! Two paths with one result. An ordinary object is inflated whole by libdeflate, which needs half
//! the time; one that is large when inflated streams through zlib-rs in pieces. An object that is
//! not gzip is taken as text. Damage ends an object: what came before it is kept, and the damage is
//! reported with its offset.

use std::io::{BufRead, Read};

use libdeflate::{Decompressor, MemberError};

use crate::stats::{count, either};

/// The first two bytes of a gzip member (RFC 1952).
pub const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// The most bytes that the whole-object path inflates; a larger object streams. Also what a thread
/// keeps as its buffer. CloudFront's objects are a few MB inflated; the largest that were seen were
/// below this.
pub const WHOLE_OBJECT_LIMIT_BYTES: usize = 64 << 20;

/// The size of a piece of the streaming path: small enough for the cache, large enough to make
/// calls rare.
const PIECE_BYTES: usize = 1 << 20;

/// How an object's bytes ended before their end.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Damage {
    /// Inflated bytes that came before it.
    pub raw_offset_bytes: u64,
    /// What is wrong.
    pub reason: String,
    /// Whether nothing is wrong but its size: what comes after was not read, by the job's own
    /// limit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_limit: bool,
}

impl Damage {
    /// Damage of the object itself.
    #[must_use]
    pub const fn at(raw_offset_bytes: u64, reason: String) -> Self {
        Self { raw_offset_bytes, reason, is_limit: false }
    }
}

/// The beginning of an object's text: up to `limit_bytes` of what the first of its stored bytes
/// inflate to.
#[must_use]
pub fn head(stored: &[u8], limit_bytes: usize) -> Vec<u8> {
    let mut head = Vec::new();
    // A piece of an object always ends damaged; what came before is what was asked for.
    let _ = stream(&mut { stored }, &mut |piece| {
        head.extend_from_slice(&piece[..piece.len().min(limit_bytes - head.len())]);
        head.len() < limit_bytes
    });
    head
}

/// What an object inflated to.
#[derive(Debug, PartialEq, Eq)]
pub enum Whole<'a> {
    /// All of it, or all before the damage.
    Bytes(&'a [u8], Option<Damage>),
    /// More than the limit: use [`stream`].
    TooLarge,
}

/// Inflates ordinary objects whole; one per thread, its buffer is used again.
#[derive(Debug, Default)]
pub struct Inflater {
    decompressor: Decompressor,
    buffer: Vec<u8>,
}

impl Inflater {
    /// Inflates an object as a whole, if it holds no more than `limit_bytes` (and
    /// [`WHOLE_OBJECT_LIMIT_BYTES`]).
    pub fn whole<'a>(&'a mut self, stored: &'a [u8], limit_bytes: usize) -> Whole<'a> {
        let limit_bytes = limit_bytes.min(WHOLE_OBJECT_LIMIT_BYTES);
        if !stored.starts_with(&GZIP_MAGIC) {
            if stored.len() > limit_bytes {
                return Whole::TooLarge;
            }
            return Whole::Bytes(stored, None);
        }
        let mut consumed = 0;
        let mut filled = 0;
        while consumed < stored.len() {
            let member = &stored[consumed..];
            if !member.starts_with(&GZIP_MAGIC) {
                // Zero bytes after the last member are padding (RFC 1952 leaves it to the reader;
                // gzip(1) ignores them).
                if member.iter().all(|byte| *byte == 0) {
                    break;
                }
                return damaged_whole(stored, &mut self.buffer, limit_bytes);
            }
            // Members are many or few, each may claim much: all of them together have one limit.
            let wanted = (filled + size_guess(member)).min(limit_bytes);
            if self.buffer.len() < wanted {
                self.buffer.resize(wanted, 0);
            }
            // The buffer may be larger from an object before; what one object may hold depends on
            // no other.
            let end = self.buffer.len().min(limit_bytes);
            match self.decompressor.gzip_member(member, &mut self.buffer[filled..end]) {
                Ok((read, written)) => {
                    consumed += read;
                    filled += written;
                }
                Err(MemberError::OutputFull) if self.buffer.len() < limit_bytes => {
                    let larger = (self.buffer.len() * 2).max(PIECE_BYTES).min(limit_bytes);
                    self.buffer.resize(larger, 0);
                }
                Err(MemberError::OutputFull) => return Whole::TooLarge,
                // libdeflate says that a member is bad, not how far it was good: the streaming path
                // finds that out.
                Err(MemberError::Damaged) => return damaged_whole(stored, &mut self.buffer, limit_bytes),
            }
        }
        Whole::Bytes(&self.buffer[..filled], None)
    }
}

/// The size that a member's last four bytes claim, if it is a believable one (deflate's best is
/// 1032 to 1).
fn size_guess(member: &[u8]) -> usize {
    let claimed = member.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize);
    let most = member.len().saturating_mul(1_032).min(WHOLE_OBJECT_LIMIT_BYTES);
    claimed.clamp(member.len().saturating_mul(4).min(most), most).max(64)
}

fn damaged_whole<'a>(stored: &[u8], buffer: &'a mut Vec<u8>, limit_bytes: usize) -> Whole<'a> {
    buffer.clear();
    let mut too_large = false;
    let damage = stream(&mut { stored }, &mut |piece| {
        too_large |= buffer.len() + piece.len() > limit_bytes;
        if !too_large {
            buffer.extend_from_slice(piece);
        }
        !too_large
    });
    if too_large { Whole::TooLarge } else { Whole::Bytes(buffer, damage) }
}

/// Inflates an object of any size piece by piece; `each` returns whether it wants more. A reader
/// shows at least two bytes where there are two.
pub fn stream(stored: &mut impl BufRead, each: &mut dyn FnMut(&[u8]) -> bool) -> Option<Damage> {
    let mut offset = 0_u64;
    streamed(stored, &mut offset, each).unwrap_or_else(|error| Some(Damage::at(offset, format!("gzip: {error}"))))
}

fn streamed(
    stored: &mut impl BufRead,
    offset: &mut u64,
    each: &mut dyn FnMut(&[u8]) -> bool,
) -> std::io::Result<Option<Damage>> {
    if !stored.fill_buf()?.starts_with(&GZIP_MAGIC) {
        text(stored, each)?;
        return Ok(None);
    }
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        if !stored.fill_buf()?.starts_with(&GZIP_MAGIC) {
            let (rest_bytes, padding) = rest(stored)?;
            let reason = || {
                let are = either(rest_bytes, "is", "are");
                format!("{} after the last gzip member {are} not gzip", count(rest_bytes, "byte"))
            };
            return Ok((!padding).then(|| Damage::at(*offset, reason())));
        }
        let mut member = flate2::bufread::GzDecoder::new(&mut *stored);
        loop {
            let count = member.read(&mut piece)?;
            if count == 0 {
                break;
            }
            *offset += count as u64;
            if !each(&piece[..count]) {
                return Ok(None);
            }
        }
    }
}

fn text(stored: &mut impl BufRead, each: &mut dyn FnMut(&[u8]) -> bool) -> std::io::Result<()> {
    loop {
        let held = stored.fill_buf()?;
        let piece = &held[..held.len().min(PIECE_BYTES)];
        let count = piece.len();
        if count == 0 || !each(piece) {
            return Ok(());
        }
        stored.consume(count);
    }
}

/// How many bytes are left, and whether they are nothing but zeros.
fn rest(stored: &mut impl BufRead) -> std::io::Result<(u64, bool)> {
    let (mut count, mut zeros) = (0, true);
    loop {
        let held = stored.fill_buf()?;
        let length = held.len();
        if length == 0 {
            return Ok((count, zeros));
        }
        zeros &= held.iter().all(|byte| *byte == 0);
        count += length as u64;
        stored.consume(length);
    }
}

/// libdeflate's own interface, since its safe wrapper does not tell where a member ended, and
/// without that a second member would be lost unseen. This is the only unsafe code of the library:
/// in a trial before this crate it took 0.97 instead of 1.74 CPU seconds per GB raw
/// (`cargo bench --bench kernel -- inflate` shows both paths).
#[expect(unsafe_code, reason = "libdeflate's C interface; each block says why it is sound")]
mod libdeflate {
    use std::ptr::NonNull;

    use libdeflate_sys as sys;

    /// Why a member gave no bytes.
    #[derive(Debug)]
    pub(super) enum MemberError {
        /// The output is too small.
        OutputFull,
        /// The member is cut or wrong.
        Damaged,
    }

    /// A decompressor's own memory, freed with it.
    #[derive(Debug)]
    pub(super) struct Decompressor(Option<NonNull<sys::libdeflate_decompressor>>);

    // SAFETY: libdeflate ties a decompressor to no thread; `&mut self` keeps it to one at a time.
    unsafe impl Send for Decompressor {}

    impl Default for Decompressor {
        fn default() -> Self {
            // SAFETY: takes nothing; returns null only where memory ran out, which `None` stands
            // for.
            Self(NonNull::new(unsafe { sys::libdeflate_alloc_decompressor() }))
        }
    }

    impl Decompressor {
        /// Inflates the gzip member that `stored` begins with: bytes read of `stored`, bytes
        /// written to `out`.
        pub(super) fn gzip_member(&mut self, stored: &[u8], out: &mut [u8]) -> Result<(usize, usize), MemberError> {
            let decompressor = self.0.ok_or(MemberError::Damaged)?;
            let (mut read, mut written) = (0, 0);
            // SAFETY: the decompressor is live until `drop`; both pointers come with the lengths of
            // their slices, which libdeflate never passes; `read` and `written` outlive the call.
            let result = unsafe {
                sys::libdeflate_gzip_decompress_ex(
                    decompressor.as_ptr(),
                    stored.as_ptr().cast(),
                    stored.len(),
                    out.as_mut_ptr().cast(),
                    out.len(),
                    &raw mut read,
                    &raw mut written,
                )
            };
            match result {
                sys::libdeflate_result_LIBDEFLATE_SUCCESS => Ok((read, written)),
                sys::libdeflate_result_LIBDEFLATE_INSUFFICIENT_SPACE => Err(MemberError::OutputFull),
                _ => Err(MemberError::Damaged),
            }
        }
    }

    impl Drop for Decompressor {
        fn drop(&mut self) {
            if let Some(decompressor) = self.0 {
                // SAFETY: it came from `libdeflate_alloc_decompressor` and is freed once, here.
                unsafe { sys::libdeflate_free_decompressor(decompressor.as_ptr()) };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn both(stored: &[u8]) -> (Vec<u8>, Option<Damage>) {
        let mut streamed = Vec::new();
        let stream_damage = stream(&mut { stored }, &mut |piece| {
            streamed.extend_from_slice(piece);
            true
        });
        let mut inflater = Inflater::default();
        let Whole::Bytes(whole, damage) = inflater.whole(stored, usize::MAX) else {
            panic!("small objects are taken whole")
        };
        assert_eq!((whole, &damage), (streamed.as_slice(), &stream_damage), "the two paths agree");
        (streamed, stream_damage)
    }

    #[test]
    fn members_are_joined_and_plain_text_passes() {
        let joined = [gzip(b"one\n"), gzip(b""), gzip(b"two\n")].concat();
        assert_eq!(both(&joined), (b"one\ntwo\n".to_vec(), None));
        assert_eq!(both(b"plain\n"), (b"plain\n".to_vec(), None));
        assert_eq!(both(b""), (Vec::new(), None));
        assert_eq!(both(&[gzip(b"one\n"), vec![0; 512]].concat()), (b"one\n".to_vec(), None), "zero padding");
    }

    #[test]
    fn damage_keeps_what_came_before() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let mut stored = gzip(&text);
        stored.truncate(stored.len() / 2);
        let (kept, damage) = both(&stored);
        let damage = damage.unwrap();
        assert_eq!(damage.raw_offset_bytes, kept.len() as u64);
        assert!(kept.len() > 100_000 && text.starts_with(&kept), "{} bytes were kept", kept.len());

        let (kept, damage) = both(&[gzip(b"good\n"), b"garbage".to_vec()].concat());
        assert_eq!((kept.as_slice(), damage.unwrap().raw_offset_bytes), (&b"good\n"[..], 5));
    }

    #[test]
    fn what_is_large_inflated_streams() {
        let stored = gzip(&vec![b'x'; WHOLE_OBJECT_LIMIT_BYTES + 1]);
        assert_eq!(Inflater::default().whole(&stored, usize::MAX), Whole::TooLarge);
        let mut total = 0;
        assert_eq!(
            stream(&mut &stored[..], &mut |piece| {
                total += piece.len();
                true
            }),
            None
        );
        assert_eq!(total, WHOLE_OBJECT_LIMIT_BYTES + 1);
    }

    #[test]
    fn many_members_have_one_limit() {
        let member = gzip(&vec![b'x'; WHOLE_OBJECT_LIMIT_BYTES / 2]);
        let mut inflater = Inflater::default();
        assert!(
            matches!(inflater.whole(&member.repeat(2), usize::MAX), Whole::Bytes(raw, None) if raw.len() == WHOLE_OBJECT_LIMIT_BYTES)
        );
        assert_eq!(inflater.whole(&member.repeat(3), usize::MAX), Whole::TooLarge);
        assert!(inflater.buffer.len() <= WHOLE_OBJECT_LIMIT_BYTES);
        // A smaller limit holds in a buffer that is larger already.
        let small = gzip(&vec![b'x'; 1 << 20]);
        assert_eq!(inflater.whole(&small, (1 << 20) - 1), Whole::TooLarge);
        assert!(matches!(inflater.whole(&small, 1 << 20), Whole::Bytes(_, None)));
    }
}
