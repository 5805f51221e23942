//! What was said of rows as a person types it again: the commands that messages name are whole.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use super::choices::FormatChoice;
use super::declare::{Heading, OptionFacts, Rows, Visitor};
use super::kinds::{OptionKind, Shape};
use super::options::Options;
use crate::kernel::policy::privacy::Kept;
use crate::model::Table;

/// A word of a command line, in quotation marks where a shell would take it apart.
#[must_use]
pub fn quoted(word: &str) -> Cow<'_, str> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-./:@%+=,~".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) && !word.starts_with('~') {
        return Cow::Borrowed(word);
    }
    Cow::Owned(format!("'{}'", word.replace('\'', r"'\''")))
}

/// The argument that names a table of logs alone.
#[must_use]
pub fn format_argument(table: Table) -> String {
    format!("--format {}", FormatChoice::word(table))
}

/// The command that writes rows anew. Every message that names one makes it here.
#[derive(Clone, Copy, Debug)]
pub struct ReprocessCommand<'a> {
    /// Which hours: `--all`, for example.
    pub which: &'a str,
    /// The logs.
    pub from: &'a str,
    /// Where it is about the logs of one table alone: that table.
    pub table: Option<Table>,
    /// The lake.
    pub lake: &'a str,
    /// How logs are read and rows made, as arguments.
    pub how: &'a str,
}

impl fmt::Display for ReprocessCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { which, from, table, lake, how } = self;
        write!(f, "edgemill reprocess {which} --from {}", quoted(from))?;
        if let Some(table) = table {
            write!(f, " {}", format_argument(*table))?;
        }
        write!(f, " --lake {}", quoted(lake))?;
        if how.is_empty() { Ok(()) } else { write!(f, " {how}") }
    }
}

/// The command that writes the rows of one table anew which hold more of people than the lake
/// keeps; `how` says how it is to make them.
#[must_use]
pub fn mending(source: &str, table: Table, lake: &str, how: &str) -> String {
    ReprocessCommand { which: "--outdated --all", from: source, table: Some(table), lake, how }.to_string()
}

/// The command that looks what is wrong with a lake and mends what needs no logs; for the rest it
/// names the next one.
#[must_use]
pub fn look_and_mend(lake: &str) -> String {
    format!("edgemill verify --fix --lake {}", quoted(lake))
}

/// What a stamp says of people, as arguments. A key is not in it: `key_file` is where it is, `FILE`
/// where nobody said.
#[must_use]
pub fn of_stamp(stamp: &str, key_file: Option<&Path>) -> String {
    let Some(kept) = Kept::of_stamp(stamp) else { return String::new() };
    if !kept.has_key() {
        return kept.to_string();
    }
    let file = key_file.map_or(Cow::Borrowed("FILE"), Path::to_string_lossy);
    format!("{kept} --client-ip-key-file {}", quoted(&file))
}

/// Collects options that find logs and make rows of them, as arguments.
#[derive(Default)]
struct SaidOptions {
    of_people: Vec<String>,
    others: Vec<String>,
}

impl Visitor for SaidOptions {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        // Without them other logs are found, or none can be reached.
        let finds = matches!(facts.heading, Heading::Access | Heading::Reading)
            || matches!(facts.name, "distributions" | "exclude");
        let list = match facts.rows {
            Rows::Unchanged if finds => &mut self.others,
            Rows::Unchanged => return,
            Rows::Made => &mut self.others,
            Rows::People => &mut self.of_people,
        };
        let said = value.as_ref().map(K::text).filter(|text| facts.default.as_ref() != Some(text));
        list.extend(said.map(|text| match K::SHAPE {
            Shape::Flag => format!("--{}", facts.flag()),
            _ => format!("--{} {}", facts.flag(), quoted(&text)),
        }));
    }
}

impl Options {
    fn arguments(&self) -> SaidOptions {
        let mut arguments = SaidOptions::default();
        self.typed().visit(&mut arguments);
        if arguments.of_people.is_empty() {
            arguments.of_people.push("--client-ip keep".to_owned());
        }
        arguments
    }

    /// What was said of people, as arguments: to keep everything, where nothing was. A key is not
    /// in it, but the file of one is.
    #[must_use]
    pub fn of_people(&self) -> String {
        self.arguments().of_people.join(" ")
    }

    /// How logs are found and read, as arguments: all that a command says beside what is kept of
    /// people.
    #[must_use]
    pub fn of_logs(&self) -> String {
        self.arguments().others.join(" ")
    }

    /// How logs are found and rows made of them, as arguments.
    #[must_use]
    pub fn of_rows(&self) -> String {
        let SaidOptions { of_people, others } = self.arguments();
        [of_people, others].concat().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Typed;
    use crate::job::choices::{ClientIpChoice, Libraries};

    #[test]
    fn words_are_quoted_where_a_shell_would_take_them_apart() {
        for (word, typed) in [
            ("s3://bucket/lake", "s3://bucket/lake"),
            ("my lake", "'my lake'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
            ("~lake", "'~lake'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), typed);
        }
    }

    #[test]
    fn what_was_said_of_people_is_said_again() {
        assert_eq!(Typed::default().decided().of_people(), "--client-ip keep");
        let all = Typed {
            client_ip: Some(ClientIpChoice::Hash),
            client_ip_key_file: Some("my key".into()),
            drop: Some(vec!["c_port".into(), "cs(Cookie)".into()]),
            redact: Some(vec!["default".into()]),
            ..Typed::default()
        };
        let people = "--client-ip hash --client-ip-key-file 'my key' --drop 'c_port,cs(Cookie)' --redact default";
        assert_eq!(all.clone().decided().of_people(), people);
        let rows = Typed {
            threads: Some(3),
            exclude: Some(vec!["backup/**".into()]),
            from_region: Some("eu-central-1".into()),
            requester_pays: Some(true),
            delimiter: Some("\t".into()),
            bots: Some("bots.toml".into()),
            http_libraries: Some(Libraries::Apps),
            ..all
        };
        let others = "--exclude 'backup/**' --delimiter tab --bots bots.toml --http-libraries apps \
                      --from-region eu-central-1 --requester-pays";
        assert_eq!(rows.decided().of_rows(), format!("{people} {others}"), "threads make no rows");
    }

    #[test]
    fn a_stamp_is_said_with_a_place_for_its_key() {
        let hash = "client_ip=hash:01234567 drop=cs_cookie redact=token";
        let said = "--client-ip hash --drop cs_cookie --redact token --client-ip-key-file";
        assert_eq!(of_stamp(hash, None), format!("{said} FILE"));
        assert_eq!(of_stamp(hash, Some(Path::new("my key"))), format!("{said} 'my key'"));
        assert_eq!(of_stamp("client_ip=truncate", None), "--client-ip truncate");
        assert_eq!(of_stamp("none", None), "--client-ip keep");
    }
}
