//! Values between delimiters, none of them quoted: W3C logs with their `#Fields`, and plain and raw ones without.
//!
//! Format: the CloudFront Developer Guide, "Standard log file format": two comment lines (`#Version`, `#Fields`), values
//! separated by tabs. Version 2 lets the user choose the delimiter. Seen besides: headers repeated in mid-file, tabs in the
//! header, a trailing tab. A double quote means nothing: logs of version 2 hold bare ones.

use memchr::memchr_iter;
use memchr::memmem;

use super::Span;

/// What a delimiter may be where nobody named it, the likeliest first. A space is the last: values hold spaces more often
/// than any other of these.
const CANDIDATES: [&[u8]; 5] = [b"\t", b",", b";", b"|", b" "];

/// The names in a `#Fields` line, after the colon. They are separated by spaces or tabs, whatever separates the values;
/// where there is neither, by what the job says, or by what else there is.
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

/// Notes where the values of a row stand if they are as many as there are names; else notes nothing.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
pub(super) fn split_exactly(
    bytes: &[u8],
    (start, end): (usize, usize),
    delimiter: u8,
    width: usize,
    spans: &mut Vec<Span>,
) -> bool {
    let first = spans.len();
    let mut from = start as u32;
    spans.extend(memchr_iter(delimiter, &bytes[start..end]).map(|place| {
        let span = Span { start: from, end: (start + place) as u32 };
        from = span.end + 1;
        span
    }));
    spans.push(Span { start: from, end: end as u32 });
    let fits = spans.len() - first == width;
    if !fits {
        spans.truncate(first);
    }
    fits
}

/// Notes where the values of a row stand; says why where it is none. The row is `bytes[start..end]`.
pub(super) fn split(
    bytes: &[u8],
    (start, end): (usize, usize),
    delimiter: &[u8],
    width: usize,
    spans: &mut Vec<Span>,
) -> Result<(), String> {
    let first = spans.len();
    spans.resize(first + width, Span { start: 0, end: 0 });
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
    row: &mut [Span],
) -> usize {
    let (mut from, mut found) = (start as u32, 0);
    for place in delimiters {
        let to = (start + place) as u32;
        if let Some(span) = row.get_mut(found) {
            *span = Span { start: from, end: to };
        }
        found += 1;
        from = to + delimiter_bytes as u32;
    }
    if let Some(span) = row.get_mut(found) {
        *span = Span { start: from, end: end as u32 };
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
    fn a_delimiter_is_what_makes_as_many_values() {
        assert_eq!(guess(b"2026-11-21 05:00:00 1,2", 3), Some(&b" "[..]));
        assert_eq!(guess(b"2026-11-21,05:00:00,a b c", 3), Some(&b","[..]));
        assert_eq!(guess(b"a b\tc d\te", 3), Some(&b"\t"[..]));
        assert_eq!(guess(b"a", 3), None);
    }
}
