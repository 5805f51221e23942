//! What was said of rows as a person types it again: the commands that messages name are whole.

use std::borrow::Cow;

use super::choices::FormatChoice;
use super::declare::{OptionFacts, Rows, Visitor};
use super::kinds::OptionKind;
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

/// The command that writes the rows of one table anew which hold more of people than the lake
/// keeps; `how` says how it is to make them.
#[must_use]
pub fn mending(source: &str, table: Table, lake: &str, how: &str) -> String {
    let (source, lake, format) = (quoted(source), quoted(lake), format_argument(table));
    format!("edgemill reprocess --outdated --all --from {source} {format} --lake {lake} {how}")
}

/// What a stamp says of people, as arguments; the key is not in it.
#[must_use]
pub fn of_stamp(stamp: &str) -> String {
    Kept::of_stamp(stamp).map_or_else(String::new, |kept| kept.to_string())
}

/// Collects options that make rows, as arguments.
#[derive(Default)]
struct SaidOptions {
    of_people: Vec<String>,
    others: Vec<String>,
}

impl Visitor for SaidOptions {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        let list = match facts.rows {
            Rows::Unchanged => return,
            Rows::Made => &mut self.others,
            Rows::People => &mut self.of_people,
        };
        let said = value.as_ref().map(K::text).filter(|text| facts.default.as_ref() != Some(text));
        list.extend(said.map(|text| format!("--{} {}", facts.flag(), quoted(&text))));
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

    /// How rows are made of logs, as arguments.
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
            delimiter: Some("\t".into()),
            bots: Some("bots.toml".into()),
            http_libraries: Some(Libraries::Apps),
            ..all
        };
        let others = "--delimiter tab --bots bots.toml --http-libraries apps";
        assert_eq!(rows.decided().of_rows(), format!("{people} {others}"), "threads make no rows");
    }
}
