//! Values between delimiters, none of them quoted: W3C logs with their `#Fields`, and plain and raw ones without.
//!
//! Format: the CloudFront Developer Guide, "Standard log file format": two comment lines (`#Version`, `#Fields`), values
//! separated by tabs. Version 2 lets the user choose the delimiter. Seen besides: headers repeated in mid-file, tabs in the
//! header, a trailing tab. A double quote means nothing: logs of version 2 hold bare ones.

use memchr::memchr_iter;

use super::Span;

/// What a delimiter may be where nobody named it, the likeliest first.
const CANDIDATES: [u8; 5] = [b'\t', b' ', b',', b';', b'|'];

/// The names in a `#Fields` line, after the colon. They are separated by spaces or tabs, whatever separates the values;
/// where there is neither, by what else there is.
pub(super) fn header_names(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let mut names: Vec<&str> = text.split_ascii_whitespace().collect();
    if let [one] = names[..] {
        names = one.split([',', ';', '|']).collect();
    }
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// The delimiter of a row of so many values: the one that makes as many of it, else a tab.
pub(super) fn guess(line: &[u8], width: usize) -> u8 {
    let makes_as_many = |delimiter: &&u8| memchr_iter(**delimiter, line).count() + 1 == width;
    CANDIDATES.iter().find(makes_as_many).copied().unwrap_or(b'\t')
}

/// Notes where the values of a row stand; says why where it is none. The row is `bytes[start..end]`.
#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
pub(super) fn split(
    bytes: &[u8],
    (start, end): (usize, usize),
    delimiter: u8,
    width: usize,
    spans: &mut Vec<Span>,
) -> Result<(), String> {
    let first = spans.len();
    let mut from = start as u32;
    for place in memchr_iter(delimiter, &bytes[start..end]) {
        let to = (start + place) as u32;
        spans.push(Span { start: from, end: to });
        from = to + 1;
    }
    spans.push(Span { start: from, end: end as u32 });
    let found = spans.len() - first;
    if found == width {
        return Ok(());
    }
    // Surplus values are kept only where they say nothing: AWS's own example row ends in a tab.
    let says_nothing = found > width && spans[first + width..].iter().all(|span| span.start == span.end);
    spans.truncate(first + if says_nothing { width } else { 0 });
    if says_nothing { Ok(()) } else { Err(format!("{found} values where #Fields names {width}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_however_they_are_written() {
        for text in [" date time c-ip", "\tdate\ttime\tc-ip", "date,time,c-ip", " date;time;c-ip "] {
            assert_eq!(header_names(text.as_bytes()), ["date", "time", "c-ip"], "{text}");
        }
        assert!(header_names(b"  ").is_empty());
    }

    #[test]
    fn a_delimiter_is_what_makes_as_many_values() {
        assert_eq!(guess(b"2026-11-21 05:00:00 1,2", 3), b' ');
        assert_eq!(guess(b"2026-11-21,05:00:00,a b", 3), b',');
        assert_eq!(guess(b"a b\tc d\te", 3), b'\t');
        assert_eq!(guess(b"a", 3), b'\t');
    }
}
