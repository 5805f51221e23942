//! Rows of values in a fixed order between single spaces, some of them in double quotes, as load
//! balancers write them.
//!
//! Values have no names, new ones come at the end, and a reader is to bear those that it does not
//! expect. AWS has brought them in region by region, so rows of one file may differ in width.
//! Inside quotes a double quote is written `\x22`, so a quote followed by a space or the line's
//! end closes; one followed by anything else (older writers escaped it as `\"`) belongs to the
//! value.

use memchr::memchr;

use super::block::ValueSpan;
use crate::kernel::schema::PositionalRows;

/// The name of a value by its place.
pub(super) fn field_name(rows: &PositionalRows, place: usize) -> String {
    rows.fields.get(place).map_or_else(|| format!("field_{}", place + 1), |name| (*name).to_owned())
}

/// Notes where the values of a row stand and returns how many there are; says why where it is none.
#[expect(clippy::cast_possible_truncation, reason = "a piece is smaller than 4 GiB, so its offsets fit")]
pub(super) fn split(
    rows: &PositionalRows,
    bytes: &[u8],
    (start, end): (usize, usize),
    spans: &mut Vec<ValueSpan>,
) -> Result<usize, String> {
    let first = spans.len();
    let failed = |spans: &mut Vec<ValueSpan>, reason: String| {
        spans.truncate(first);
        Err(reason)
    };
    let mut place = start;
    loop {
        let next = if bytes[place..end].first() == Some(&b'"') {
            let Some(close) = closing_quote(&bytes[..end], place + 1) else {
                let column = field_name(rows, spans.len() - first);
                return failed(spans, format!("{column}: its quote is not closed"));
            };
            spans.push(ValueSpan { start: place as u32 + 1, end: close as u32 });
            close + 1
        } else {
            let stop = memchr(b' ', &bytes[place..end]).map_or(end, |length| place + length);
            spans.push(ValueSpan { start: place as u32, end: stop as u32 });
            stop
        };
        if next >= end {
            break;
        }
        place = next + 1;
    }
    // A space at the end is followed by nothing.
    if spans.last().is_some_and(|span| span.start == span.end && bytes[end - 1] == b' ') {
        spans.pop();
    }
    let found = spans.len() - first;
    let PositionalRows { writer, fewest_values, most_values, .. } = rows;
    if (*fewest_values..=*most_values).contains(&found) {
        return Ok(found);
    }
    failed(spans, format!("{found} values where {writer} logs {fewest_values} or more"))
}

/// The next quote that is followed by a space or the end.
fn closing_quote(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let quote = from + memchr(b'"', &bytes[from..])?;
        match bytes.get(quote + 1) {
            None | Some(b' ') => return Some(quote),
            Some(_) => from = quote + 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::schema::source;
    use crate::model::Table;

    fn values(line: &str) -> Result<Vec<&str>, String> {
        let mut spans = Vec::new();
        let rows = source(Table::AlbLogs).unwrap().positional.as_ref().unwrap();
        let found = split(rows, line.as_bytes(), (0, line.len()), &mut spans)?;
        assert_eq!(found, spans.len());
        Ok(spans.iter().map(|span| &line[span.start as usize..span.end as usize]).collect())
    }

    #[test]
    fn quotes_hold_spaces_and_escaped_quotes() {
        let line = r#"1 2 3 4 5 6 7 8 9 10 11 12 "GET http://a:80/b c HTTP/1.1" "x \x22y\x22" - "" "a\"b" "z""#;
        assert_eq!(
            values(line).unwrap()[12..],
            ["GET http://a:80/b c HTTP/1.1", r"x \x22y\x22", "-", "", r#"a\"b"#, "z"]
        );
        assert_eq!(values(&format!("{line} ")).unwrap().len(), 18, "a space at the end is no value");
    }

    #[test]
    fn cut_rows_are_none() {
        assert_eq!(values("1 2 3").unwrap_err(), "3 values where a load balancer logs 12 or more");
        assert_eq!(values(r#"1 2 3 4 5 6 7 8 9 10 11 12 "GET"#).unwrap_err(), "request: its quote is not closed");
        assert!(values(&"1 ".repeat(300)).is_err());
    }
}
