//! From the names in a file's own `#Fields` header to the columns of its table. Never by position alone: AWS has appended,
//! and users reorder.

use std::collections::HashMap;

use super::schema::{ColumnType, column_index, columns, normalise_field_name};
use crate::model::Table;

/// Where each column of a table stands in the rows of one file.
#[derive(Debug)]
pub struct Mapping {
    /// Where the time of a row comes from; `None` where the header names no time.
    pub time: Option<TimeFields>,
    /// Field of the user agent.
    pub agent: Option<usize>,
    /// Numeric columns: column, type, field.
    pub numbers: Vec<(usize, ColumnType, usize)>,
    /// Text columns: column, field. The user agent is not among them: it is kept as a number.
    pub texts: Vec<(usize, usize)>,
    /// Columns that this file has no field for, and that are not derived.
    pub absent: Vec<usize>,
    /// Fields that no column is named after, by their logged names.
    pub unknown: Vec<(String, usize)>,
}

/// The fields that hold a row's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFields {
    /// `date` and `time`.
    DateAndTime(usize, usize),
    /// `timestamp(ms)`: milliseconds since 1970.
    Milliseconds(usize),
}

impl Mapping {
    /// Maps a header. A name that comes again is kept as unknown, numbered where it was unknown before: `name#2`.
    #[must_use]
    pub fn new(table: Table, names: &[String]) -> Self {
        let mut fields: Vec<Option<usize>> = vec![None; columns(table).len()];
        let (mut date, mut time, mut milliseconds, mut unknown) = (None, None, None, Vec::new());
        for (field, logged) in names.iter().enumerate() {
            let name = normalise_field_name(logged);
            let known = column_index(table, &name).filter(|index| columns(table)[*index].logged);
            let place = match (name.as_str(), known) {
                ("date", _) => &mut date,
                ("time", _) => &mut time,
                ("timestamp_ms", _) => &mut milliseconds,
                (_, Some(index)) => &mut fields[index],
                _ => {
                    unknown.push((logged.clone(), field));
                    continue;
                }
            };
            if place.is_some() {
                unknown.push((logged.clone(), field));
            } else {
                *place = Some(field);
            }
        }
        let both = date.zip(time).map(|(date, time)| TimeFields::DateAndTime(date, time));
        let mut mapping = Self {
            time: milliseconds.map(TimeFields::Milliseconds).or(both),
            agent: None,
            numbers: Vec::new(),
            texts: Vec::new(),
            absent: Vec::new(),
            unknown,
        };
        // Where the milliseconds say the time, date and time are kept too, as what they are: fields without a column.
        if milliseconds.is_some() {
            mapping.unknown.extend(date.map(|field| (names[field].clone(), field)));
            mapping.unknown.extend(time.map(|field| (names[field].clone(), field)));
        }
        mapping.place(table, &fields);
        mapping.number_repeated();
        mapping
    }

    /// The keys of a Parquet map are unique.
    fn number_repeated(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (name, _) in &mut self.unknown {
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                *name = format!("{name}#{count}");
            }
        }
    }

    fn place(&mut self, table: Table, fields: &[Option<usize>]) {
        let agent = column_index(table, "cs_user_agent");
        for (index, column) in columns(table).iter().enumerate() {
            match (fields[index], column.kind) {
                (field, _) if Some(index) == agent => self.agent = field,
                (Some(field), ColumnType::String) => self.texts.push((index, field)),
                (Some(field), kind) => self.numbers.push((index, kind, field)),
                (None, _) if column.logged => self.absent.push(index),
                (None, _) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn any_order_and_any_subset() {
        let mapping = Mapping::new(Table::CloudfrontLogs, &names("sc-bytes time new-field cs(User-Agent) date c-ip"));
        assert_eq!(mapping.time, Some(TimeFields::DateAndTime(4, 1)));
        assert_eq!(mapping.agent, Some(3));
        let index = |name| column_index(Table::CloudfrontLogs, name).unwrap();
        assert_eq!(mapping.numbers, [(index("sc_bytes"), ColumnType::Bigint, 0)]);
        assert_eq!(mapping.texts, [(index("c_ip"), 5)]);
        assert_eq!(mapping.unknown, [("new-field".to_owned(), 2)]);
        assert!(mapping.absent.contains(&index("sc_status")) && !mapping.absent.contains(&index("filename")));
    }

    #[test]
    fn nothing_is_dropped() {
        let mapping = Mapping::new(Table::CloudfrontLogs, &names("timestamp(ms) date time c-ip c-ip filename"));
        assert_eq!(mapping.time, Some(TimeFields::Milliseconds(0)));
        let unknown: Vec<_> = mapping.unknown.iter().map(|(name, field)| (name.as_str(), *field)).collect();
        assert_eq!(unknown, [("c-ip", 4), ("filename", 5), ("date", 1), ("time", 2)]);
        let repeated = Mapping::new(Table::CloudfrontLogs, &names("a a c-ip c-ip c-ip a"));
        let unknown: Vec<_> = repeated.unknown.iter().map(|(name, field)| (name.as_str(), *field)).collect();
        assert_eq!(unknown, [("a", 0), ("a#2", 1), ("c-ip", 3), ("c-ip#2", 4), ("a#3", 5)]);
        assert_eq!(Mapping::new(Table::CloudfrontLogs, &names("c-ip")).time, None);
    }
}
