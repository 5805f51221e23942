//! Bloom filters of columns that people look single values up in (Parquet format, "Bloom Filter").

use parquet::bloom_filter::Sbbf;

use super::CodedText;
use crate::kernel::texts::NULL;

/// Bits for each distinct text at most. A filter's size is a power of two, so it has 6 to 12 of them, and 6 to 0.5 % of the texts
/// that are not there pass. What a look-up reads of a row group is the filter and, where it passes, some 42 bytes a row of
/// request ids: 3.3 bytes a row with 6 bits, 1.7 with 12, and as much again with 16.
const BITS_AT_MOST: usize = 12;

/// The filter of a chunk's texts; `None` where there are none.
pub(super) fn of(text: CodedText<'_>, unique: bool) -> Option<Sbbf> {
    let valid = text.numbers.iter().copied().filter(|number| *number != NULL);
    // Where nearly every row has a text of its own, looking for equals costs more than putting some in twice.
    let distinct: Vec<u32> = if unique {
        valid.collect()
    } else {
        let mut seen = vec![false; text.values.len()];
        valid.filter(|number| !std::mem::replace(&mut seen[*number as usize], true)).collect()
    };
    if distinct.is_empty() {
        return None;
    }
    // The library rounds up to a power of two, from 32 bytes on.
    let most_bytes = (distinct.len() * BITS_AT_MOST / 8).max(32);
    let mut filter = Sbbf::new_with_num_of_bytes(1 << most_bytes.ilog2());
    for number in distinct {
        filter.insert(text.values[number as usize]);
    }
    Some(filter)
}
