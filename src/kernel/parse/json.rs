//! Lines of JSON: one flat object each, its values texts, as CloudFront's version 2 and the other vended logs write them.
//!
//! Format: the CloudFront Developer Guide, "Standard logging (v2)": every value is a string, `-` stays `-`, keys are the
//! fields' names to the letter. Numbers, `true`, `null` and nested values are borne: they are kept as their text.

use std::borrow::Cow;
use std::fmt;
use std::io::Write as _;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::Span;

/// More fields than this are no log.
const MOST_FIELDS: usize = 1_000;

/// The names that objects had so far, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) list: Vec<String>,
    /// Which of them the present row has.
    seen: Vec<bool>,
}

impl Names {
    /// The place of a name: most often the one after the last, since objects are written alike. A name that comes twice in
    /// one object has two places.
    fn place(&mut self, name: &str, expected: usize) -> Option<usize> {
        let fits = |place: &usize| self.list[*place] == name && !self.seen[*place];
        let known = (expected < self.list.len() && fits(&expected)).then_some(expected);
        let place = known.or_else(|| (0..self.list.len()).find(fits)).unwrap_or_else(|| {
            self.list.push(name.to_owned());
            self.seen.push(false);
            self.list.len() - 1
        });
        self.seen[place] = true;
        (place < MOST_FIELDS).then_some(place)
    }
}

/// Copies the values of a line into `values` and notes where they stand, one span per known name; `absent` where the line
/// has none. Says why where the line is no row.
pub(super) fn split(
    line: &[u8],
    names: &mut Names,
    values: &mut Vec<u8>,
    spans: &mut Vec<Span>,
    absent: Span,
) -> Result<(), String> {
    let (first, filled) = (spans.len(), values.len());
    names.seen.iter_mut().for_each(|seen| *seen = false);
    spans.resize(first + names.list.len(), absent);
    let mut json = serde_json::Deserializer::from_slice(line);
    let row = Row { names, values, spans, first, absent };
    let read = json.deserialize_map(row).and_then(|()| json.end());
    read.map_err(|error| {
        spans.truncate(first);
        values.truncate(filled);
        format!("not a JSON object of values: {error}")
    })
}

struct Row<'r> {
    names: &'r mut Names,
    values: &'r mut Vec<u8>,
    spans: &'r mut Vec<Span>,
    first: usize,
    absent: Span,
}

impl<'de> Visitor<'de> for Row<'_> {
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
            map.next_value_seed(Text(self.values))?;
            if self.first + place >= self.spans.len() {
                self.spans.resize(self.first + place + 1, self.absent);
            }
            let offset = |length: usize| u32::try_from(length).map_err(|_| M::Error::custom("too long"));
            self.spans[self.first + place] = Span { start: offset(start)?, end: offset(self.values.len())? };
        }
        Ok(())
    }
}

/// A key, borrowed where it holds no escape.
struct Name<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Key;
        impl<'de> Visitor<'de> for Key {
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
        deserializer.deserialize_str(Key)
    }
}

/// Appends a value's text.
struct Text<'t>(&'t mut Vec<u8>);

impl Text<'_> {
    fn write<E>(self, text: impl fmt::Display) -> Result<(), E> {
        // Writing to memory cannot fail.
        let _ = write!(self.0, "{text}");
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Text<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.write("-")
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.write(value)
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.write(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        // As JSON writes it: 1.0 stays 1.0.
        self.write(serde_json::Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("a list is no value of a log"))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Err(A::Error::custom("an object is no value of a log"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABSENT: Span = Span { start: 0, end: 1 };

    fn read(lines: &[&str]) -> (Vec<String>, Vec<Result<Vec<String>, String>>) {
        let (mut names, mut values) = (Names::default(), b"-".to_vec());
        let rows = lines.iter().map(|line| {
            let mut spans = Vec::new();
            split(line.as_bytes(), &mut names, &mut values, &mut spans, ABSENT)?;
            let text =
                |span: &Span| String::from_utf8(values[span.start as usize..span.end as usize].to_vec()).unwrap();
            Ok(spans.iter().map(text).collect())
        });
        let rows = rows.collect();
        (names.list, rows)
    }

    #[test]
    fn names_come_as_they_come() {
        let (names, rows) = read(&[
            r#"{"date":"2026-11-21","cs(User-Agent)":"a\"b\u00e9"}"#,
            r#"{"cs(User-Agent)":"-","new":1.5,"date":null}"#,
            r#"{"new":true,"new":-3}"#,
        ]);
        assert_eq!(names, ["date", "cs(User-Agent)", "new", "new"]);
        assert_eq!(rows[0].as_ref().unwrap(), &["2026-11-21", "a\"b\u{e9}"]);
        assert_eq!(rows[1].as_ref().unwrap(), &["-", "-", "1.5"]);
        assert_eq!(rows[2].as_ref().unwrap(), &["-", "-", "true", "-3"]);
    }

    #[test]
    fn what_is_no_flat_object_is_no_row() {
        for line in [
            "{",
            "{\"a\":\"b\"} x",
            "[1]",
            "{\"a\":[1]}",
            "{\"a\":{\"b\":1}}",
            "{\"a\"}",
            "\"a\"",
            "{\"a\":\"\\ud800\"}",
        ] {
            let (_, rows) = read(&[line]);
            assert!(rows[0].as_ref().is_err_and(|reason| reason.starts_with("not a JSON object")), "{line}");
        }
    }
}
