//! How an option is declared: what is known of one, and the macro that makes everything of the list
//! in `options.rs`.

use super::kinds::OptionKind;

/// What is known of an option.
#[derive(Clone, Debug)]
pub struct OptionFacts {
    /// Its name in a job file.
    pub name: &'static str,
    /// What it does, for `--help` and `docs/options.md`.
    pub help: &'static str,
    /// What its value is called in `--help`.
    pub value: &'static str,
    /// Where it stands in `--help`.
    pub heading: Heading,
    /// A value as a job file holds it.
    pub example: &'static str,
    /// What is taken where nothing is said.
    pub default: Option<String>,
    /// The words for what happens where nothing is said.
    pub otherwise: Option<&'static str>,
    /// Whether it changes how rows are made.
    pub rows: Rows,
    /// The option that it cannot stand beside.
    pub excludes: Option<&'static str>,
    /// Its old name, which goes on working as an argument and in a job file.
    pub was: Option<&'static str>,
}

impl OptionFacts {
    /// Its argument, without the dashes before it.
    #[must_use]
    pub fn flag(&self) -> String {
        self.name.replace('_', "-")
    }

    /// Its variable of the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("EDGEMILL_{}", self.name.to_ascii_uppercase())
    }

    /// What happens where nothing is said, for people.
    #[must_use]
    pub fn default_text(&self) -> Option<&str> {
        self.otherwise.or(self.default.as_deref())
    }
}

/// The headings of `--help`, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// Where everything lies.
    Places,
    /// Which objects and hours are wanted.
    Logs,
    /// How an object falls into rows.
    Reading,
    /// How rows are made.
    Rows,
    /// What is refused or told.
    Checks,
    /// What a run does beside converting.
    After,
    /// How the cloud is reached.
    Access,
    /// What a run may use, and how it meets other runs.
    Running,
}

impl Heading {
    /// Every heading.
    pub const ALL: [Self; 8] =
        [Self::Places, Self::Logs, Self::Reading, Self::Rows, Self::Checks, Self::After, Self::Access, Self::Running];

    /// Its text.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Places => "Logs and lake",
            Self::Logs => "Which logs",
            Self::Reading => "How logs are read",
            Self::Rows => "Bots and privacy",
            Self::Checks => "Rejected lines and copies",
            Self::After => "After conversion",
            Self::Access => "Access and encryption",
            Self::Running => "How it runs",
        }
    }
}

/// Whether an option changes how rows are made. A message that names a command for making the same
/// rows again repeats every option that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// It does not.
    Unchanged,
    /// It does.
    Made,
    /// It does: it says what is kept of people, which the lake remembers.
    People,
}

/// Something that looks at every option, in the order of the list.
pub trait Visitor {
    /// One option, and its value where there is one.
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>);
}

/// A literal that may be left out.
macro_rules! optional {
    () => {
        None
    };
    ($value:expr) => {
        Some($value)
    };
}

/// `Rows::Unchanged`, unless something is said.
macro_rules! rows {
    () => {
        Rows::Unchanged
    };
    ($rows:ident) => {
        Rows::$rows
    };
}

/// The type of a decided option: without a default it may be left out.
macro_rules! decided_type {
    ($type:ty) => { Option<$type> };
    ($type:ty, $default:expr) => { $type };
}

/// What was typed, or the default.
macro_rules! decided {
    ($typed:expr) => {
        $typed
    };
    ($typed:expr, $default:expr) => {
        $typed.unwrap_or($default)
    };
}

/// The opposite of `decided`.
macro_rules! undecided {
    ($value:expr) => {
        $value
    };
    ($value:expr, $default:expr) => {
        Some($value)
    };
}

/// Makes the types of a list of options: what was typed (every option may be left out), what was
/// decided (options with a default are there), and a job file. An entry is
///
/// ```text
/// /// What it does, for people
/// field: OptionKind {
///     name: "name_in_a_job_file",
///     value: "WHAT --help CALLS ITS VALUE",
///     heading: Places,            // of `Heading`
///     example: "a value",         // as a job file holds it
///     default: 16,                // may be left out, as all that follows
///     otherwise: "all",           // words for what happens where nothing is said
///     rows: Made,                 // of `Rows`
///     excludes: other_field,      // must be said by both
///     was: "old_name",
/// }
/// ```
macro_rules! options {
    (
        typed $typed:ident, decided $decided:ident, file $file:ident;
        $(
            $(#[doc = $help:literal])+
            $field:ident: $kind:ty {
                name: $name:literal,
                value: $value:literal,
                heading: $heading:ident,
                example: $example:expr,
                $(default: $default:expr,)?
                $(otherwise: $otherwise:literal,)?
                $(rows: $rows:ident,)?
                $(excludes: $other:ident,)?
                $(was: $was:literal,)?
            }
        )+
    ) => {
        /// What was typed, with nothing decided.
        #[derive(Clone, Debug, Default)]
        pub struct $typed {
            $($(#[doc = $help])+ pub $field: Option<<$kind as OptionKind>::Value>,)+
        }

        /// What was typed, or the default where nothing was.
        #[derive(Clone, Debug)]
        pub struct $decided {
            $($(#[doc = $help])+ pub $field: decided_type!(<$kind as OptionKind>::Value $(, $default)?),)+
        }

        impl $typed {
            /// Shows every option to a visitor, in the order of the list.
            pub fn visit(&mut self, visitor: &mut impl Visitor) {
                $(
                    let facts = OptionFacts {
                        name: $name,
                        help: concat!($($help),+).trim_ascii(),
                        value: $value,
                        heading: Heading::$heading,
                        example: stringify!($example),
                        default: optional!($(<$kind as OptionKind>::text(&$default))?),
                        otherwise: optional!($($otherwise)?),
                        rows: rows!($($rows)?),
                        excludes: optional!($(stringify!($other))?),
                        was: optional!($($was)?),
                    };
                    visitor.visit::<$kind>(&facts, &mut self.$field);
                )+
            }

            /// This, and what a job file says wherever nothing was typed.
            #[must_use]
            pub(super) fn or(self, mut file: Self) -> Self {
                // Of two options that exclude each other, the one that was typed is meant.
                $($(
                    if self.$other.is_some() {
                        file.$field = None;
                    }
                )?)+
                Self { $($field: self.$field.or(file.$field),)+ }
            }

            /// This, with the defaults.
            #[must_use]
            pub fn decided(self) -> $decided {
                $decided { $($field: decided!(self.$field $(, $default)?),)+ }
            }
        }

        impl $decided {
            /// The same as something that can be visited.
            #[must_use]
            pub fn typed(&self) -> $typed {
                $typed { $($field: undecided!(self.$field.clone() $(, $default)?),)+ }
            }
        }

        /// A job file as it is written.
        #[derive(Debug, Default, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(super) struct $file {
            $(#[serde(rename = $name $(, alias = $was)?)] $field: Option<<$kind as OptionKind>::Written>,)+
        }

        impl $file {
            /// What it says; paths in it start at its folder.
            pub(super) fn typed(self, folder: &Path) -> Result<$typed, String> {
                $($(
                    if self.$field.is_some() && self.$other.is_some() {
                        return Err(format!("{} and {} exclude each other", $name, stringify!($other)));
                    }
                )?)+
                let wrong = |name: &str, error: String| format!("{name}: {error}");
                Ok($typed {
                    $($field: match self.$field {
                        Some(written) => {
                            Some(<$kind as OptionKind>::read(written, folder).map_err(|error| wrong($name, error))?)
                        }
                        None => None,
                    },)+
                })
            }
        }
    };
}

pub(super) use {decided, decided_type, optional, options, rows, undecided};

#[cfg(test)]
mod tests {
    #![expect(unreachable_pub, reason = "what the macro makes is public where it is used")]

    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::job::kinds::{Bytes, List, TextKind};

    options! {
        typed Few, decided FewDecided, file FewFile;

        /// The most bytes of
        /// a thing
        most_bytes: Bytes {
            name: "most_bytes",
            value: "BYTES",
            heading: Running,
            example: "1KiB",
            default: 2048,
            was: "limit",
        }

        /// Names, one after another
        names: List {
            name: "names",
            value: "NAMES",
            heading: Logs,
            example: ["a", "b"],
            rows: Made,
            excludes: all,
        }

        /// Any name
        all: TextKind {
            name: "all",
            value: "PATTERN",
            heading: Logs,
            example: "*",
            otherwise: "none",
            excludes: names,
        }
    }

    #[derive(Default)]
    struct Seen(Vec<(OptionFacts, Option<String>)>);

    impl Visitor for Seen {
        fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
            self.0.push((facts.clone(), value.as_ref().map(K::text)));
        }
    }

    fn of_file(text: &str) -> Result<Few, String> {
        toml::from_str::<FewFile>(text).map_err(|error| error.to_string())?.typed(Path::new("."))
    }

    #[test]
    fn a_declaration_makes_facts_and_values() {
        let mut seen = Seen::default();
        Few { names: Some(vec!["a".into(), "b".into()]), ..Few::default() }.decided().typed().visit(&mut seen);
        let [(most, bytes), (names, list), (all, none)] = &seen.0[..] else { panic!("{:?}", seen.0) };
        assert_eq!(
            (most.help, most.example, most.default_text()),
            ("The most bytes of a thing", "\"1KiB\"", Some("2KiB"))
        );
        assert_eq!((most.flag(), most.variable()), ("most-bytes".to_owned(), "EDGEMILL_MOST_BYTES".to_owned()));
        assert_eq!((bytes.as_deref(), list.as_deref(), none), (Some("2KiB"), Some("a,b"), &None));
        assert_eq!((names.example, names.rows, names.excludes), ("[\"a\", \"b\"]", Rows::Made, Some("all")));
        assert_eq!((all.rows, all.default_text(), all.was), (Rows::Unchanged, Some("none"), None));
    }

    #[test]
    fn an_old_name_goes_on_working_in_a_job_file() {
        for name in ["most_bytes", "limit"] {
            assert_eq!(of_file(&format!("{name} = '1KiB'")).unwrap().most_bytes, Some(1_024));
        }
        assert!(of_file("most = 1").is_err_and(|error| error.contains("unknown field `most`")));
    }

    #[test]
    fn of_two_that_exclude_each_other_the_typed_one_is_meant() {
        assert!(of_file("names = []\nall = '*'").is_err_and(|error| error == "names and all exclude each other"));
        let (names, all) = (of_file("names = ['a']\nlimit = 5").unwrap(), of_file("all = '*'").unwrap());
        let typed = all.or(names);
        assert_eq!((typed.all.as_deref(), typed.names, typed.most_bytes), (Some("*"), None, Some(5)));
    }
}
