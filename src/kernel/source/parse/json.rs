//! Lines of JSON: one object each, its values texts, as CloudFront's version 2 and the other vended
//! logs write them.
//!
//! Format: the CloudFront Developer Guide, "Standard logging (v2)": every value is a string, `-`
//! stays `-`, keys are the fields' names to the letter. Values that are no strings are borne: they
//! are kept as they are written, `null` as nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::block::ValueSpan;

/// More fields than this are no log.
const MOST_FIELDS: usize = 1_000;

/// The names that objects had so far, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct FieldNames {
    pub(super) list: Vec<String>,
    /// Which of them the present row has.
    seen: Vec<bool>,
}

impl FieldNames {
    /// The place of a name: most often the one after the last, since objects are written alike. A
    /// name that comes twice in one object has two places.
    fn place(&mut self, name: &str, expected: usize) -> Option<usize> {
        let fits = |place: &usize| self.list[*place] == name && !self.seen[*place];
        let known = (expected < self.list.len() && fits(&expected)).then_some(expected);
        let place = match known.or_else(|| (0..self.list.len()).find(fits)) {
            Some(place) => place,
            None if self.list.len() < MOST_FIELDS => {
                self.list.push(name.to_owned());
                self.seen.push(false);
                self.list.len() - 1
            }
            None => return None,
        };
        self.seen[place] = true;
        Some(place)
    }

    /// Which of the names the last object had.
    pub(super) fn seen(&self) -> &[bool] {
        &self.seen
    }

    /// Forgets the names that came after the first `count`.
    pub(super) fn truncate(&mut self, count: usize) {
        self.list.truncate(count);
        self.seen.truncate(count);
    }
}

/// Copies the values of a line into `values` and notes where they stand, one span per known name;
/// `absent` where the line has none. Says why where the line is no row; its names are forgotten
/// then.
pub(super) fn split(
    line: &str,
    names: &mut FieldNames,
    values: &mut Vec<u8>,
    spans: &mut Vec<ValueSpan>,
    absent: ValueSpan,
) -> Result<(), String> {
    let (first, filled, known) = (spans.len(), values.len(), names.list.len());
    names.seen.iter_mut().for_each(|seen| *seen = false);
    spans.resize(first + names.list.len(), absent);
    let mut json = serde_json::Deserializer::from_str(line);
    let row = RowVisitor { names: &mut *names, values: &mut *values, spans: &mut *spans, first, absent };
    let read = json.deserialize_map(row).and_then(|()| json.end());
    read.map_err(|error| {
        spans.truncate(first);
        values.truncate(filled);
        names.truncate(known);
        format!("not a JSON object of values: {error}")
    })
}

struct RowVisitor<'r> {
    names: &'r mut FieldNames,
    values: &'r mut Vec<u8>,
    spans: &'r mut Vec<ValueSpan>,
    first: usize,
    absent: ValueSpan,
}

impl<'de> Visitor<'de> for RowVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<(), M::Error> {
        let mut expected = 0;
        while let Some(Name(name)) = map.next_key()? {
            let place = self.names.place(&name, expected).ok_or_else(|| M::Error::custom("too many fields"))?;
            expected = place + 1;
            let start = self.values.len();
            push_text(map.next_value()?, self.values).map_err(M::Error::custom)?;
            if self.first + place >= self.spans.len() {
                self.spans.resize(self.first + place + 1, self.absent);
            }
            let offset = |length: usize| u32::try_from(length).map_err(|_| M::Error::custom("too long"));
            self.spans[self.first + place] = ValueSpan { start: offset(start)?, end: offset(self.values.len())? };
        }
        Ok(())
    }
}

/// A key, borrowed where it holds no escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl<'de> Visitor<'de> for NameVisitor {
            type Value = Name<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name")
            }

            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Name<'de>, E> {
                Ok(Name(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(NameVisitor)
    }
}

/// Appends a value: a string's text, anything else as it is written.
fn push_text(value: &RawValue, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let written = value.get();
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => out.extend_from_slice(text.as_bytes()),
        Some(_) => out.extend_from_slice(serde_json::from_str::<String>(written)?.as_bytes()),
        None if written == "null" => out.push(b'-'),
        None => out.extend_from_slice(written.as_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: ValueSpan = ValueSpan { start: 0, end: 1 };

    fn read(lines: &[&str]) -> (Vec<String>, Vec<Result<Vec<String>, String>>) {
        let (mut names, mut values) = (FieldNames::default(), b"-".to_vec());
        let rows = lines.iter().map(|line| {
            let mut spans = Vec::new();
            split(line, &mut names, &mut values, &mut spans, ABSENT)?;
            let text =
                |span: &ValueSpan| String::from_utf8(values[span.start as usize..span.end as usize].to_vec()).unwrap();
            Ok(spans.iter().map(text).collect())
        });
        let rows = rows.collect();
        (names.list, rows)
    }

    #[test]
    fn names_come_as_they_come() {
        let (names, rows) = read(&[
            r#"{"date":"2026-11-21","cs(User-Agent)":"a\"b\u00e9"}"#,
            r#"{"cs(User-Agent)":"-","new":1.50,"date":null}"#,
            r#"{"new":true,"new":-3}"#,
            r#"{"new":{"a":[1, 2]},"date":"","cs(User-Agent)":12345678901234567890123}"#,
            r#"{"forgotten":1"#,
        ]);
        assert_eq!(names, ["date", "cs(User-Agent)", "new", "new"]);
        assert_eq!(rows[0].as_ref().unwrap(), &["2026-11-21", "a\"b\u{e9}"]);
        assert_eq!(rows[1].as_ref().unwrap(), &["-", "-", "1.50"]);
        assert_eq!(rows[2].as_ref().unwrap(), &["-", "-", "true", "-3"]);
        assert_eq!(rows[3].as_ref().unwrap(), &["", "12345678901234567890123", r#"{"a":[1, 2]}"#, "-"]);
    }

    #[test]
    fn what_is_no_object_is_no_row() {
        for line in ["{", "{\"a\":\"b\"} x", "[1]", "{\"a\"}", "\"a\"", "{\"a\":\"\\ud800\"}", "{\"a\":tru}"] {
            let (_, rows) = read(&[line]);
            assert!(rows[0].as_ref().is_err_and(|reason| reason.starts_with("not a JSON object")), "{line}");
        }
    }

    #[test]
    fn too_many_names_reject_the_line_and_are_forgotten() {
        let many = |from: usize, to: usize| {
            let members: Vec<String> = (from..to).map(|n| format!("\"n{n}\":1")).collect();
            format!("{{{}}}", members.join(","))
        };
        let (names, rows) = read(&[
            &many(0, MOST_FIELDS + 1),
            "{\"a\":1}",
            &many(0, MOST_FIELDS - 1),
            &many(0, MOST_FIELDS),
            "{\"a\":2}",
        ]);
        assert!(rows[0].is_err() && rows[1].is_ok() && rows[2].is_ok() && rows[3].is_err() && rows[4].is_ok());
        assert_eq!(names.len(), MOST_FIELDS);
    }
}
