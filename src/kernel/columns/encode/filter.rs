//! Bloom filters of columns that people look single values up in (Parquet format, "Bloom Filter").

use parquet::bloom_filter::Sbbf;

use super::text::CodedText;
use crate::kernel::columns::interner::NULL;

/// Bits for each distinct text at most. A filter's size is a power of two, so it has 6 to 12 of
/// them, and 6 to 0.5 % of the texts that are not there pass. What a look-up reads of a row group
/// is the filter and, where it passes, some 42 bytes a row of request ids: 3.3 bytes a row with 6
/// bits, 1.7 with 12, and as much again with 16.
const BITS_AT_MOST: usize = 12;

/// A filter of the right size for a chunk's texts, to be filled as they are written; `None` where
/// there are none.
pub(super) fn empty(text: CodedText<'_>, unique: bool) -> Option<Sbbf> {
    let mut valid = text.numbers.iter().filter(|number| **number != NULL);
    let distinct = if unique {
        valid.count()
    } else {
        let mut seen = vec![false; text.values.len()];
        valid.by_ref().filter(|number| !std::mem::replace(&mut seen[**number as usize], true)).count()
    };
    // The library rounds up to a power of two, from 32 bytes on.
    let most_bytes = (distinct * BITS_AT_MOST / 8).max(32);
    (distinct > 0).then(|| Sbbf::new_with_num_of_bytes(1 << most_bytes.ilog2()))
}
