//! Values between delimiters, none of them quoted: W3C logs with their `#Fields`, and plain and raw
//! ones without.
//!
//! Format: the CloudFront Developer Guide, "Standard log file format": two comment lines
//! (`#Version`, `#Fields`), values separated by tabs. Version 2 lets the user choose the delimiter.
//! Seen besides: headers repeated in mid-file, tabs in the header, a trailing tab. A double quote
//! means nothing: logs of version 2 hold bare ones.

use memchr::memchr_iter;
use memchr::memmem;

use super::block::ValueSpan;

/// What a delimiter may be where nobody named it, the likeliest first. A space is the last: values
/// hold spaces more often than any other of these.
const CANDIDATES: [&[u8]; 5] = [b"\t", b",", b";", b"|", b" "];

/// The names in a `#Fields` line, after the colon. They are separated by spaces or tabs, whatever
/// separates the values; where there is neither, by what the job says, or by what else there is.
pub(super) fn header_names(text: &[u8], delimiter: Option<&[u8]>) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let mut names: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [one] = names[..] {
        names = match delimiter.map(String::from_utf8_lossy) {
            Some(delimiter) if one.contains(&*delimiter) => one.split(&*delimiter).collect(),
            _ => one.split([',', ';', '|']).collect(),
        };
    }
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The delimiter that makes so many values of a row, where one does.
pub(super) fn guess(line: &[u8], width: usize) -> Option<&'static [u8]> {
    let makes_as_many = |delimiter: &&&[u8]| memchr_iter(delimiter[0], line).count() + 1 == width;
    CANDIDATES.iter().find(makes_as_many).copied()
}

/// Calls `each` with every place of a byte, in order, eight bytes at a time. Values are some
/// fifteen bytes long: a search that begins anew behind every delimiter spends most of its time on
/// beginning.
#[inline]
fn each_place(line: &[u8], byte: u8, mut each: impl FnMut(usize)) {
    const LOW_BITS: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let pattern = u64::from_ne_bytes([byte; 8]);
    // The highest bit of every byte that is the one looked for. Nothing is carried from byte to
    // byte: the lower bits are added apart from the highest.
    let found = |eight: [u8; 8]| {
        let other = u64::from_le_bytes(eight) ^ pattern;
        !(((other & LOW_BITS) + LOW_BITS) | other | LOW_BITS)
    };
    let (eights, rest) = line.as_chunks::<8>();
    let mut at = 0;
    for eight in eights {
        let mut marks = found(*eight);
        while marks != 0 {
            each(at + (marks.trailing_zeros() / 8) as usize);
            marks &= marks - 1;
        }
        at += 8;
    }
    for (place, other) in rest.iter().enumerate() {
        if *other == byte {
            each(at + place);
        }
    }
}

/// Notes where the values of a row stand if they are as many as there are names; else notes
/// nothing.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
pub(super) fn split_exactly(
    bytes: &[u8],
    (start, end): (usize, usize),
    delimiter: u8,
    width: usize,
    spans: &mut Vec<ValueSpan>,
) -> bool {
    let first = spans.len();
    let mut from = start as u32;
    spans.reserve(width);
    each_place(&bytes[start..end], delimiter, |place| {
        let to = (start + place) as u32;
        spans.push(ValueSpan { start: from, end: to });
        from = to + 1;
    });
    spans.push(ValueSpan { start: from, end: end as u32 });
    let fits = spans.len() - first == width;
    if !fits {
        spans.truncate(first);
    }
    fits
}

/// Notes where the values of a row stand; says why where it is none. The row is
/// `bytes[start..end]`.
pub(super) fn split(
    bytes: &[u8],
    (start, end): (usize, usize),
    delimiter: &[u8],
    width: usize,
    spans: &mut Vec<ValueSpan>,
) -> Result<(), String> {
    let first = spans.len();
    spans.resize(first + width, ValueSpan { start: 0, end: 0 });
    let row = &mut spans[first..];
    let line = &bytes[start..end];
    let found = match delimiter {
        [byte] => fill(memchr_iter(*byte, line), (start, end), 1, row),
        longer => fill(memmem::find_iter(line, longer), (start, end), longer.len(), row),
    };
    if found == width {
        return Ok(());
    }
    // Surplus values are kept only where they say nothing: AWS's own example row ends in a tab.
    let kept_end = row.last().filter(|_| found > width).map(|span| span.end as usize);
    if kept_end.is_some_and(|kept_end| bytes[kept_end..end].chunks(delimiter.len()).all(|rest| rest == delimiter)) {
        return Ok(());
    }
    spans.truncate(first);
    Err(match found {
        1 => format!("1 value where #Fields names {width}; name what separates them (--delimiter)"),
        _ => format!("{found} values where #Fields names {width}"),
    })
}

/// Fills in the values of a row, as many as there is room for, and returns how many it has.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
fn fill(
    delimiters: impl Iterator<Item = usize>,
    (start, end): (usize, usize),
    delimiter_bytes: usize,
    row: &mut [ValueSpan],
) -> usize {
    let (mut from, mut found) = (start as u32, 0);
    for place in delimiters {
        let to = (start + place) as u32;
        if let Some(span) = row.get_mut(found) {
            *span = ValueSpan { start: from, end: to };
        }
        found += 1;
        from = to + delimiter_bytes as u32;
    }
    if let Some(span) = row.get_mut(found) {
        *span = ValueSpan { start: from, end: end as u32 };
    }
    found + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_however_they_are_written() {
        for text in [" date time c-ip", "\tdate\ttime\tc-ip", "date,time,c-ip", " date;time;c-ip "] {
            assert_eq!(header_names(text.as_bytes(), None), ["date", "time", "c-ip"], "{text}");
        }
        assert_eq!(header_names(b" date||time", Some(b"||")), ["date", "time"]);
        assert!(header_names(b"  ", None).is_empty());
    }

    #[test]
    fn every_place_is_found_whatever_stands_around_it() {
        for length in 0..40 {
            for seed in 0..200_u64 {
                // Bytes next to the one looked for in value, and in its highest bit, are the ones
                // to mistake it for.
                let byte =
                    |n: u64| [b'\t', 8, 10, 0x89, 0, 0xff, b'a'][(seed.wrapping_mul(n * n + 31) >> 3) as usize % 7];
                let line: Vec<u8> = (0..length).map(byte).collect();
                let mut found = Vec::new();
                each_place(&line, b'\t', |place| found.push(place));
                assert_eq!(found, memchr_iter(b'\t', &line).collect::<Vec<_>>(), "{line:?}");
            }
        }
    }

    #[test]
    fn a_delimiter_is_what_makes_as_many_values() {
        assert_eq!(guess(b"2026-11-21 05:00:00 1,2", 3), Some(&b" "[..]));
        assert_eq!(guess(b"2026-11-21,05:00:00,a b c", 3), Some(&b","[..]));
        assert_eq!(guess(b"a b\tc d\te", 3), Some(&b"\t"[..]));
        assert_eq!(guess(b"a", 3), None);
    }
}
