//! From the names of a file's fields to the columns of its table. Never by position alone: AWS has
//! appended, and users reorder.

use std::collections::{HashMap, HashSet};

use crate::kernel::schema::{
    AgentFact, ColumnType, Origin, Subfield, column_called, column_from, column_index, columns, has_aliases,
    normalise_field_name, split_field,
};
use crate::model::Table;

/// Where each column of a table stands in the rows of one file.
#[derive(Debug)]
pub struct Mapping {
    /// Where the time of a row comes from; `None` where no field holds a time.
    pub time: Option<TimeFields>,
    /// `date` and `time` beside a field that says the same more exactly.
    pub coarse_time: Option<(usize, usize)>,
    /// Field of the user agent.
    pub agent: Option<usize>,
    /// Columns of numbers and times.
    pub numbers: Vec<ColumnSource>,
    /// Columns of text. The user agent is not among them: it is kept as a number.
    pub texts: Vec<ColumnSource>,
    /// Columns that this file has no field for, and that are not derived.
    pub absent: Vec<usize>,
    /// Fields that no column is named after, by their logged names.
    pub unknown: Vec<Unknown>,
}

/// Where one column's values stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSource {
    /// The column.
    pub column: usize,
    /// Its type.
    pub kind: ColumnType,
    /// The field.
    pub field: usize,
    /// The part of it.
    pub part: Subfield,
}

/// A field without a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// Its logged name; numbered where it comes again.
    pub name: String,
    /// Where it stands.
    pub field: usize,
    /// Whether this version has never heard of it; else it is a second one of its name.
    pub is_new: bool,
}

/// The fields that hold a row's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeFields {
    /// `date` and `time`.
    DateAndTime(usize, usize),
    /// `timestamp(ms)`: milliseconds since 1970.
    Milliseconds(usize),
    /// `time` in ISO 8601.
    Iso(usize),
    /// `timestamp`, of whichever kind.
    Any(usize),
}

/// The fields of times, before it is known which of them counts.
#[derive(Default)]
struct Times {
    date: Option<usize>,
    time: Option<usize>,
    milliseconds: Option<usize>,
    timestamp: Option<usize>,
}

impl Times {
    /// The names of times, which mean the same in every log that has them.
    fn place(&mut self, name: &str) -> Option<&mut Option<usize>> {
        match name {
            "date" => Some(&mut self.date),
            "time" => Some(&mut self.time),
            "timestamp_ms" => Some(&mut self.milliseconds),
            "timestamp" => Some(&mut self.timestamp),
            _ => None,
        }
    }

    fn chosen(&self) -> Option<TimeFields> {
        match (self.milliseconds, self.date.zip(self.time), self.time, self.timestamp) {
            (Some(field), ..) => Some(TimeFields::Milliseconds(field)),
            (_, Some((date, time)), ..) => Some(TimeFields::DateAndTime(date, time)),
            (_, _, Some(time), _) => Some(TimeFields::Iso(time)),
            (_, _, _, timestamp) => timestamp.map(TimeFields::Any),
        }
    }
}

impl Mapping {
    /// Maps the names of a file's fields. A name that comes again is kept as unknown, numbered
    /// where it was unknown before: `name#2`.
    #[must_use]
    pub fn new(table: Table, names: &[String]) -> Self {
        let mut places: Vec<Option<(usize, Subfield)>> = vec![None; columns(table).len()];
        let (mut times, mut splits, mut unknown) = (Times::default(), Vec::new(), Vec::new());
        // Where no alias counts, nobody asks for these. A field of a column's own name comes first.
        let own: HashSet<String> = if has_aliases(table, names) {
            names.iter().map(|name| normalise_field_name(name)).collect()
        } else {
            HashSet::new()
        };
        for (field, logged) in names.iter().enumerate() {
            let name = normalise_field_name(logged);
            let known = column_index(table, &name).filter(|index| columns(table)[*index].is_logged());
            let has_none = |column: &usize| !own.contains(columns(table)[*column].name);
            let called = || column_called(table, &name).filter(has_none);
            let known = known.or_else(|| if own.is_empty() { None } else { called() });
            let parts = split_field(table, &name);
            if !parts.is_empty() {
                splits.push((logged, field, parts));
                continue;
            }
            let taken = match (times.place(&name), known) {
                (Some(place), _) => place.replace(field).inspect(|earlier| *place = Some(*earlier)).is_some(),
                (_, Some(column)) if places[column].is_some() => true,
                (_, Some(column)) => {
                    places[column] = Some((field, Subfield::Whole));
                    false
                }
                _ => {
                    unknown.push(Unknown { name: logged.clone(), field, is_new: true });
                    continue;
                }
            };
            if taken {
                unknown.push(Unknown { name: logged.clone(), field, is_new: false });
            }
        }
        for (logged, field, parts) in splits {
            place_parts(table, &mut places, (logged, field, parts), &mut unknown);
        }
        let time = times.chosen();
        let mut mapping = Self {
            time,
            coarse_time: None,
            agent: None,
            numbers: Vec::new(),
            texts: Vec::new(),
            absent: Vec::new(),
            unknown,
        };
        mapping.keep_other_times(&times, names);
        mapping.place(table, &places);
        mapping.number_repeated();
        mapping
    }

    /// A time that does not count is kept as what it is: a field without a column.
    fn keep_other_times(&mut self, times: &Times, names: &[String]) {
        let counts = |field: usize| match self.time {
            Some(TimeFields::DateAndTime(date, time)) => field == date || field == time,
            Some(TimeFields::Milliseconds(chosen) | TimeFields::Iso(chosen) | TimeFields::Any(chosen)) => {
                field == chosen
            }
            None => false,
        };
        let all = [times.date, times.time, times.milliseconds, times.timestamp];
        let others = all.into_iter().flatten().filter(|field| !counts(*field));
        let others: Vec<Unknown> =
            others.map(|field| Unknown { name: names[field].clone(), field, is_new: false }).collect();
        self.unknown.extend(others);
        if matches!(self.time, Some(TimeFields::Milliseconds(_))) {
            self.coarse_time = times.date.zip(times.time);
        }
    }

    /// The keys of a Parquet map are unique.
    fn number_repeated(&mut self) {
        let mut seen: HashMap<String, usize> = HashMap::new();
        for Unknown { name, .. } in &mut self.unknown {
            let count = seen.entry(name.clone()).or_default();
            *count += 1;
            if *count > 1 {
                *name = format!("{name}#{count}");
            }
        }
    }

    fn place(&mut self, table: Table, places: &[Option<(usize, Subfield)>]) {
        let agent = column_from(table, Origin::Agent(AgentFact::AsLogged));
        for (index, column) in columns(table).iter().enumerate() {
            match places[index] {
                place if Some(index) == agent => self.agent = place.map(|(field, _)| field),
                Some((field, part)) => {
                    let places = if column.kind == ColumnType::String { &mut self.texts } else { &mut self.numbers };
                    places.push(ColumnSource { column: index, kind: column.kind, field, part });
                }
                None if column.origin == Origin::Logged => self.absent.push(index),
                None => {}
            }
        }
    }
}

/// Gives the parts of a field to those of its columns that no field has of its own.
fn place_parts(
    table: Table,
    places: &mut [Option<(usize, Subfield)>],
    (logged, field, parts): (&str, usize, &[(&'static str, Subfield)]),
    unknown: &mut Vec<Unknown>,
) {
    let mut placed = false;
    for (column, part) in parts {
        if let Some(place) = column_index(table, column).map(|index| &mut places[index])
            && place.is_none()
        {
            *place = Some((field, *part));
            placed = true;
        }
    }
    if !placed {
        unknown.push(Unknown { name: logged.to_owned(), field, is_new: false });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::kernel::schema::is_logged_field;

    const CLOUDFRONT: Table = Table::CloudfrontLogs;

    fn names(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    /// A field that no version knows.
    fn unknown_field() -> String {
        let is_known = |name: &String| Table::LOGS.iter().any(|table| is_logged_field(*table, name));
        (1..1_000).map(|number| format!("unknown-{number}")).find(|name| !is_known(name)).unwrap()
    }

    fn unknown(mapping: &Mapping) -> Vec<(&str, usize, bool)> {
        mapping.unknown.iter().map(|unknown| (unknown.name.as_str(), unknown.field, unknown.is_new)).collect()
    }

    fn place(table: Table, column: &str, field: usize, part: Subfield) -> ColumnSource {
        let column = column_index(table, column).unwrap();
        ColumnSource { column, kind: columns(table)[column].kind, field, part }
    }

    #[test]
    fn any_order_any_subset_and_any_case() {
        let new = unknown_field();
        let fields = format!("sc-bytes time {new} cs_User_Agent DATE c-ip distributionid");
        let mapping = Mapping::new(CLOUDFRONT, &names(&fields));
        assert_eq!(mapping.time, Some(TimeFields::DateAndTime(4, 1)));
        assert_eq!(mapping.agent, Some(3));
        assert_eq!(mapping.numbers, [place(CLOUDFRONT, "sc_bytes", 0, Subfield::Whole)]);
        assert_eq!(
            mapping.texts,
            [place(CLOUDFRONT, "distribution", 6, Subfield::Whole), place(CLOUDFRONT, "c_ip", 5, Subfield::Whole)]
        );
        assert_eq!(unknown(&mapping), [(new.as_str(), 2, true)]);
        let index = |name| column_index(CLOUDFRONT, name).unwrap();
        assert!(mapping.absent.contains(&index("sc_status")) && !mapping.absent.contains(&index("filename")));
    }

    #[test]
    fn nothing_is_dropped() {
        let mapping = Mapping::new(CLOUDFRONT, &names("timestamp(ms) date time c-ip c-ip filename"));
        assert_eq!((mapping.time, mapping.coarse_time), (Some(TimeFields::Milliseconds(0)), Some((1, 2))));
        assert_eq!(
            unknown(&mapping),
            [("c-ip", 4, false), ("filename", 5, true), ("date", 1, false), ("time", 2, false)]
        );
        let repeated = Mapping::new(CLOUDFRONT, &names("a a c-ip c-ip c-ip a"));
        let found: Vec<_> = unknown(&repeated).into_iter().map(|(name, field, _)| (name, field)).collect();
        assert_eq!(found, [("a", 0), ("a#2", 1), ("c-ip", 3), ("c-ip#2", 4), ("a#3", 5)]);
        assert_eq!(Mapping::new(CLOUDFRONT, &names("c-ip")).time, None);
        assert_eq!(Mapping::new(CLOUDFRONT, &names("timestamp")).time, Some(TimeFields::Any(0)));
    }

    #[test]
    fn a_load_balancers_fields_fall_into_parts() {
        let alb = Table::AlbLogs;
        let mapping = Mapping::new(alb, &names("time client:port request error_reason user_agent"));
        assert_eq!((mapping.time, mapping.agent), (Some(TimeFields::Iso(0)), Some(4)));
        assert_eq!(mapping.numbers, [place(alb, "client_port", 1, Subfield::Port)]);
        assert_eq!(
            mapping.texts,
            [
                place(alb, "client_ip", 1, Subfield::Address),
                place(alb, "request_verb", 2, Subfield::Verb),
                place(alb, "request_url", 2, Subfield::Url),
                place(alb, "request_proto", 2, Subfield::Version),
                place(alb, "lambda_error_reason", 3, Subfield::Whole),
            ]
        );
        // Where the address has a field of its own, the port's is the port.
        let mapping = Mapping::new(alb, &names("client_port client_ip"));
        assert_eq!(mapping.texts, [place(alb, "client_ip", 1, Subfield::Whole)]);
        assert_eq!(mapping.numbers, [place(alb, "client_port", 0, Subfield::Port)]);
    }
}
