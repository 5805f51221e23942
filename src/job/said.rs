//! What was said of rows as a person types it again: the commands that messages name are whole.

use std::borrow::Cow;
use std::path::Path;

use super::Job;
use super::rows::{Libraries, TypedRows};
use crate::kernel::policy::privacy::Kept;
use crate::kernel::schema::source;
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
    format!("--format {}", source(table).map_or("auto", |source| source.cli_name))
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

impl TypedRows {
    /// What was said of people, as arguments: to keep everything, where nothing was. A key is not
    /// in it, but the file of one is.
    #[must_use]
    pub fn of_people(&self) -> String {
        let mut said = Vec::new();
        if let Some(choice) = self.client_ip {
            said.push(format!("--client-ip {choice}"));
        }
        said.extend(self.client_ip_key_file.as_deref().map(|path| argument("--client-ip-key-file", path)));
        for (name, list) in [("--drop", &self.drop), ("--redact", &self.redact)] {
            said.extend(list.as_ref().map(|list| format!("{name} {}", quoted(&list.join(",")))));
        }
        if said.is_empty() { "--client-ip keep".to_owned() } else { said.join(" ") }
    }
}

impl Job {
    /// How this job makes rows of logs, as arguments.
    #[must_use]
    pub fn of_rows(&self) -> String {
        let typed = &self.rows.typed;
        let mut said = vec![typed.of_people()];
        said.extend(typed.bots.as_deref().map(|path| argument("--bots", path)));
        said.extend(typed.ua_regexes.as_deref().map(|path| argument("--ua-regexes", path)));
        if typed.http_libraries == Some(Libraries::Apps) {
            said.push("--http-libraries apps".to_owned());
        }
        said.extend(self.fields.as_ref().map(|names| format!("--fields {}", quoted(&names.join(" ")))));
        let delimiter = self.delimiter.as_ref().map(|bytes| String::from_utf8_lossy(bytes));
        said.extend(delimiter.map(|text| match text.as_ref() {
            "\t" => "--delimiter tab".to_owned(),
            text => format!("--delimiter {}", quoted(text)),
        }));
        said.extend(self.naming.layout.as_ref().map(|layout| format!("--layout {}", quoted(&layout.to_string()))));
        said.join(" ")
    }
}

fn argument(name: &str, path: &Path) -> String {
    format!("{name} {}", quoted(&path.display().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::rows::ClientIpChoice;

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
        assert_eq!(TypedRows::default().of_people(), "--client-ip keep");
        let all = TypedRows {
            client_ip: Some(ClientIpChoice::Hash),
            client_ip_key_file: Some("my key".into()),
            drop: Some(vec!["c_port".into(), "cs(Cookie)".into()]),
            redact: Some(vec!["default".into()]),
            ..TypedRows::default()
        };
        assert_eq!(
            all.of_people(),
            "--client-ip hash --client-ip-key-file 'my key' --drop 'c_port,cs(Cookie)' --redact default"
        );
    }
}
