//! Questions about columns and fields, answered from the descriptions.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::column::{Column, Origin, PrivacyClass};
use super::descriptor::Subfield;
use super::rejects;
use crate::kernel::schema::sources::{SOURCES, source};
use crate::model::Table;

/// The columns of a table, in order, without the partition columns.
#[must_use]
pub fn columns(table: Table) -> &'static [Column] {
    source(table).map_or(rejects::COLUMNS, |source| source.columns)
}

/// Where a column stands in its table.
#[must_use]
pub fn column_index(table: Table, name: &str) -> Option<usize> {
    static INDEXES: LazyLock<HashMap<(Table, &'static str), usize>> = LazyLock::new(|| {
        Table::ALL
            .iter()
            .flat_map(|table| columns(*table).iter().enumerate().map(|(index, column)| ((*table, column.name), index)))
            .collect()
    });
    INDEXES.get(&(table, name)).copied()
}

/// Where the column of an origin stands in a table; the first, where several have it.
#[must_use]
pub fn column_from(table: Table, origin: Origin) -> Option<usize> {
    columns(table).iter().position(|column| column.origin == origin)
}

/// Every column of a name, whatever its table.
pub fn columns_named(name: &str) -> impl Iterator<Item = &'static Column> {
    Table::ALL.into_iter().filter_map(move |table| column_index(table, name).map(|index| &columns(table)[index]))
}

/// What a column or a field of a (normalised) name may tell of people. A name that the table does
/// not know is of the class that another table gives it, so that a client's address stays one in
/// whichever log it stands.
#[must_use]
pub fn privacy_class(table: Table, name: &str) -> PrivacyClass {
    let own = column_index(table, name).map(|index| &columns(table)[index]);
    let called = || Table::ALL.into_iter().find_map(|of| column_called(of, name).map(|index| &columns(of)[index]));
    let column = own.or_else(|| columns_named(name).next()).or_else(called);
    column.map_or(PrivacyClass::Nothing, |column| column.privacy)
}

/// The names of the columns of a privacy class, of all tables.
#[must_use]
pub fn names_of_class(class: PrivacyClass) -> BTreeSet<&'static str> {
    let all = Table::ALL.into_iter().flat_map(columns);
    all.filter(|column| column.privacy == class).map(|column| column.name).collect()
}

/// The columns that the rows of a file are sorted by, the first first, people before bots; the last
/// two are an address and a time. None where rows stay as they come.
#[must_use]
pub fn sort_columns(table: Table) -> &'static [&'static str] {
    source(table).map_or(&[], |source| source.sort)
}

/// The columns that a logged field falls into, where it is not one column of its own name. Names
/// are normalised.
#[must_use]
pub fn split_field(table: Table, name: &str) -> &'static [(&'static str, Subfield)] {
    let fields = source(table).map_or(&[][..], |source| source.split_fields);
    fields.iter().find(|field| field.names.contains(&name)).map_or(&[], |field| field.columns)
}

/// The column that others call by a (normalised) name.
#[must_use]
pub fn column_called(table: Table, name: &str) -> Option<usize> {
    columns(table).iter().position(|column| column.aliases.contains(&name))
}

/// Whether fields are those of a log in which somebody has renamed some: every field that the
/// source always writes is there, some of them under the names of others. Only then are aliases
/// names: a `status` or a `uri` is in many a log.
#[must_use]
pub fn has_aliases(table: Table, logged: &[String]) -> bool {
    let Some(source) = source(table).filter(|source| !source.indispensable.is_empty()) else { return false };
    let names: Vec<String> = logged.iter().map(|name| normalise_field_name(name)).collect();
    let has = |name: &str| names.iter().any(|of| of == name);
    let is_called = |column: &Column| column.aliases.iter().any(|alias| has(alias));
    let mut wanted = source.columns.iter().filter(|column| source.indispensable.contains(&column.name));
    wanted.all(|column| has(column.name) || is_called(column))
        && source.columns.iter().any(|column| !has(column.name) && is_called(column))
}

/// Whether a table has a place for a field of this logged name.
#[must_use]
pub fn is_logged_field(table: Table, logged: &str) -> bool {
    let name = normalise_field_name(logged);
    is_time_field(table, &name)
        || !split_field(table, &name).is_empty()
        || column_index(table, &name).is_some_and(|index| columns(table)[index].is_logged())
}

/// Whether a field of this logged name tells a row's time.
#[must_use]
pub fn is_time_field(table: Table, logged: &str) -> bool {
    let name = normalise_field_name(logged);
    source(table).is_some_and(|source| source.time_fields.contains(&name.as_str()))
}

/// Whether a field of this logged name tells a row's time by itself, or with the date.
#[must_use]
pub fn tells_time(table: Table, logged: &str) -> bool {
    is_time_field(table, logged) && normalise_field_name(logged) != "date"
}

/// Whether something is written into the folders of logs that are read here, or where such are to
/// come.
#[must_use]
pub fn is_beside_logs(what: &str) -> bool {
    SOURCES.iter().any(|source| source.beside.contains(&what))
}

/// Whether what is known under these words is left alone: no source reads it.
#[must_use]
pub fn is_neighbour(what: &str) -> bool {
    SOURCES.iter().all(|source| !source.neighbour_names.contains(&what))
}

/// What the objects of each source are called, in a sentence.
#[must_use]
pub fn example_names() -> String {
    let said = SOURCES.iter().enumerate().map(|(place, source)| {
        let verb = if place == 0 { " names its logs" } else { "" };
        format!("{}{verb} {}", source.words.writer, source.words.example_name)
    });
    said.collect::<Vec<_>>().join(", ")
}

/// The arguments that name a source, in a sentence.
#[must_use]
pub fn format_arguments() -> String {
    SOURCES.map(|source| format!("--format {}", source.cli_name)).join(" or ")
}

/// The column name of a logged field: lower case, every run of other characters one underscore,
/// none at the ends. `cs(User-Agent)` becomes `cs_user_agent`.
#[must_use]
pub fn normalise_field_name(logged: &str) -> String {
    let mut name = String::with_capacity(logged.len());
    for byte in logged.bytes() {
        if byte.is_ascii_alphanumeric() {
            name.push(char::from(byte.to_ascii_lowercase()));
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::schema::arrow_schema::arrow_schema;
    use crate::kernel::schema::column::ColumnType;
    use crate::kernel::schema::object_name::Named;
    use crate::kernel::schema::shared::EVENT_TIME;
    use crate::kernel::schema::sources::source_named;

    #[test]
    fn sources_are_told_in_sentences() {
        let names = example_names();
        assert!(
            names.starts_with("CloudFront names its logs E2EXAMPLE.2026") && names.contains(", a load balancer 1234")
        );
        assert!(format_arguments().starts_with("--format cloudfront or --format alb"), "{}", format_arguments());
        for source in SOURCES {
            let named = (source.read_name)(source.words.example_name);
            assert!(matches!(named, Some(Named::Log { table, .. }) if table == source.table), "{}", source.cli_name);
        }
    }

    /// What a source names by text is there: a slip would sort by nothing, or lose a field.
    #[test]
    fn a_source_names_what_there_is() {
        for source in SOURCES {
            let (table, columns) = (source.table, source.columns);
            let column = |name: &str| column_index(table, name).map(|index| &columns[index]);
            let (last, texts) = source.sort.split_last().unwrap();
            assert_eq!(*last, EVENT_TIME, "{table}");
            // A column of anything else would sort by nothing.
            let is_text = |name: &&str| column(name).is_some_and(|column| column.kind == ColumnType::String);
            assert!(texts.iter().all(is_text), "sort order of {table}: texts, then the time");
            let split = source.split_fields.iter().flat_map(|field| field.columns);
            for (name, _) in split {
                assert!(column(name).is_some_and(Column::is_logged), "{name} of {table}");
            }
            let indispensable = source.indispensable.iter().all(|name| column(name).is_some_and(Column::is_logged));
            assert!(indispensable && !source.telling_fields.is_empty(), "{table}");
            let telling = source.telling_fields;
            assert!(telling.iter().chain(source.time_fields).all(|name| is_logged_field(table, name)), "{table}");
            let fields = source.positional.as_ref().map_or(&[][..], |rows| rows.fields);
            assert!(fields.iter().all(|name| is_logged_field(table, name)), "values of {table}");
            for of in columns {
                let is_free = |alias: &&str| {
                    let known = column(alias).is_some_and(Column::is_logged) || is_logged_field(table, alias);
                    !known
                        && normalise_field_name(alias) == **alias
                        && column_called(table, alias) == column_index(table, of.name)
                };
                assert!(of.aliases.iter().all(is_free), "aliases of {} of {table}", of.name);
                if let Origin::EdgeLocation(location, _) = of.origin {
                    assert!(column(location).is_some_and(Column::is_logged), "{location} of {table}");
                }
            }
            for origin in [Origin::EventTime, Origin::ObjectKey, Origin::UnknownFields] {
                assert!(column_from(table, origin).is_some(), "{table} has a column of {origin:?}");
            }
            assert_eq!(source_named(source.cli_name).map(|of| of.table), Some(table));
        }
    }

    #[test]
    fn a_column_of_user_agents_is_of_one_class_in_every_table() {
        let names = names_of_class(PrivacyClass::UserAgent);
        assert!(["cs_user_agent", "user_agent", "user_agent_decoded"].iter().all(|name| names.contains(name)));
        assert!(!names.contains("c_ip") && !names.contains("browser_family"), "{names:?}");
        // A name that several tables have is of one class: what a field without a column is taken
        // for does not depend on the order of tables.
        for column in Table::ALL.into_iter().flat_map(columns) {
            assert!(columns_named(column.name).all(|other| other.privacy == column.privacy), "{}", column.name);
        }
        assert_eq!(privacy_class(Table::AlbLogs, "c_ip"), PrivacyClass::Address);
        assert_eq!(privacy_class(Table::AlbLogs, "no_such_column"), PrivacyClass::Nothing);
    }

    #[test]
    fn field_names_become_column_names() {
        for (logged, name) in [
            ("x-edge-location", "x_edge_location"),
            ("cs(User-Agent)", "cs_user_agent"),
            ("cs(Host)", "cs_host"),
            ("timestamp(ms)", "timestamp_ms"),
            ("c-ip", "c_ip"),
            ("--odd--", "odd"),
        ] {
            assert_eq!(normalise_field_name(logged), name);
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for table in Table::ALL {
            for (index, column) in columns(table).iter().enumerate() {
                assert_eq!(column_index(table, column.name), Some(index), "{} of {table}", column.name);
                assert!(!crate::model::Granularity::Hour.columns().contains(&column.name));
            }
            assert_eq!(arrow_schema(table).fields().len(), columns(table).len());
        }
    }
}
