//! How a job wants its rows made: which rules about user agents, and what is kept of people. Reads
//! the files that it names.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::choices::{ClientIpChoice, Libraries};
use super::options::Options;
use crate::error::{Error, Result};
use crate::kernel::policy::enrich::Additions;
use crate::kernel::policy::privacy::{ClientIp, KEY_LIMIT_BYTES, Key, Privacy, USUAL_KEYS, is_key};
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::schema::{EVENT_TIME, PrivacyClass, column_index, names_of_class, normalise_field_name};
use crate::model::Table;

/// The variable that holds the key under which client addresses are hashed: never an argument,
/// which others could read.
pub const CLIENT_IP_KEY: &str = "EDGEMILL_CLIENT_IP_KEY";

/// How rows are made, checked.
#[derive(Clone, Debug, Default)]
pub struct RowChoices {
    /// Rules about user agents.
    pub additions: Additions,
    /// What is kept of people.
    pub privacy: Privacy,
    /// Whether anything was said about what is kept of people.
    pub says_what_is_kept: bool,
    /// Where the rules stand, for messages.
    files: Vec<PathBuf>,
}

impl RowChoices {
    /// Checks what was said, and reads its files.
    pub fn new(options: &Options) -> Result<Self> {
        let additions = Additions {
            own: options.bots.as_deref().map(read).transpose()?,
            regexes: options.ua_regexes.as_deref().map(read).transpose()?,
            libraries_are_bots: options.http_libraries == Libraries::Bots,
        };
        let key_file = options.client_ip_key_file.as_deref();
        let client_ip = match options.client_ip.unwrap_or_default() {
            ClientIpChoice::Keep => ClientIp::Keep,
            ClientIpChoice::Truncate => ClientIp::Truncate,
            ClientIpChoice::Hash => ClientIp::Hash(key(key_file)?),
        };
        if key_file.is_some() && options.client_ip != Some(ClientIpChoice::Hash) {
            return Err(Error::usage(
                "there is a key file, and client addresses are not to be hashed",
                "say --client-ip hash",
            ));
        }
        let dropped = dropped(options.drop.as_deref().unwrap_or_default())?;
        let keys = keys(options.redact.as_deref().unwrap_or_default())?;
        let choices = Self {
            additions,
            privacy: Privacy::new(client_ip, dropped, &keys),
            says_what_is_kept: options.client_ip.is_some() || options.drop.is_some() || options.redact.is_some(),
            files: [&options.bots, &options.ua_regexes].into_iter().flatten().cloned().collect(),
        };
        // What is wrong with a file is told before anything is touched.
        if choices.additions.own.is_some() || choices.additions.regexes.is_some() {
            choices.recipe()?;
        }
        Ok(choices)
    }

    /// Compiles the rules.
    pub fn recipe(&self) -> Result<Recipe> {
        Recipe::new(&self.additions, self.privacy.clone()).map_err(|what| {
            let files: Vec<String> = self.files.iter().map(|path| path.display().to_string()).collect();
            Error::usage(what, format!("mend {}", files.join(" or ")))
        })
    }
}

/// A file that an argument names.
pub(super) fn read(path: &Path) -> Result<String> {
    let bytes = read_bytes(path)?;
    String::from_utf8(bytes).map_err(|_| Error::usage(format!("'{}' is no text", path.display()), "write it as UTF-8"))
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path)
        .map_err(|error| Error::usage(format!("'{}' cannot be read: {error}", path.display()), "check the path"))
}

fn key(file: Option<&Path>) -> Result<Key> {
    let secret = match file {
        Some(path) => read_bytes(path)?,
        None => std::env::var_os(CLIENT_IP_KEY).map(OsString::into_encoded_bytes).ok_or_else(|| {
            let what = "client addresses are to be hashed, and there is no key";
            Error::usage(what, format!("put it into {CLIENT_IP_KEY}, or into a file that --client-ip-key-file names"))
        })?,
    };
    Key::new(&secret)
        .map_err(|why| Error::usage(format!("the key of client addresses: {why}"), "make one: openssl rand -hex 32"))
}

/// Columns that a table of logs has, without which rows still have a place. Who wants one column of
/// user agents gone wants all of them gone: each says what the others say.
fn dropped(names: &[String]) -> Result<BTreeSet<String>> {
    let mut dropped = BTreeSet::new();
    for name in names {
        let name = normalise_field_name(name);
        if name == EVENT_TIME {
            return Err(Error::usage(format!("{EVENT_TIME} cannot be dropped"), "a row's partition follows from it"));
        }
        if !Table::LOGS.iter().any(|table| column_index(*table, &name).is_some()) {
            return Err(Error::usage(
                format!("there is no column '{name}' to be dropped"),
                "edgemill ddl lists the columns; a field that has none is in the column extra",
            ));
        }
        dropped.insert(name);
    }
    let user_agents = names_of_class(PrivacyClass::UserAgent);
    if user_agents.iter().any(|name| dropped.contains(*name)) {
        dropped.extend(user_agents.into_iter().map(str::to_owned));
    }
    Ok(dropped)
}

/// `default` stands for the usual ones.
fn keys(names: &[String]) -> Result<BTreeSet<String>> {
    let mut keys = BTreeSet::new();
    for name in names.iter().map(|name| name.trim()) {
        match name {
            "default" => keys.extend(USUAL_KEYS.iter().map(|key| (*key).to_owned())),
            name if is_key(name) => _ = keys.insert(name.to_ascii_lowercase()),
            _ => {
                let limit = KEY_LIMIT_BYTES;
                let hint = format!(
                    "a key is one word of letters, digits, _ and -, at most {limit} long, such as access_token"
                );
                return Err(Error::usage(format!("'{name}' is no key to be redacted"), hint));
            }
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::job::Typed;

    fn choices(typed: Typed) -> Result<RowChoices> {
        RowChoices::new(&typed.decided())
    }

    #[test]
    fn choices_are_checked_before_anything_is_touched() {
        let list = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let all = choices(Typed {
            client_ip: Some(ClientIpChoice::Truncate),
            drop: list(&["cs(Cookie)", "c_port"]),
            redact: list(&["Token"]),
            ..Typed::default()
        });
        assert_eq!(all.unwrap().privacy.stamp(), "client_ip=truncate drop=c_port,cs_cookie redact=token");
        let usual = choices(Typed { redact: list(&["default", " mine"]), ..Typed::default() }).unwrap();
        assert!(usual.privacy.stamp().contains("mine") && usual.privacy.stamp().contains("x-amz-signature"));
        for wrong in [
            Typed { drop: list(&["event_time"]), ..Typed::default() },
            Typed { drop: list(&["nothing"]), ..Typed::default() },
            Typed { bots: Some("/nowhere/bots.toml".into()), ..Typed::default() },
            Typed { redact: list(&["a=b"]), ..Typed::default() },
            Typed { redact: list(&["token", ""]), ..Typed::default() },
            Typed { client_ip_key_file: Some("/nowhere/key".into()), ..Typed::default() },
        ] {
            assert!(choices(wrong).is_err());
        }
    }

    #[test]
    fn keys_and_rules_come_from_files() {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::write(&path, text).unwrap();
            Some(path)
        };
        let hash = |key: Option<PathBuf>| {
            choices(Typed { client_ip: Some(ClientIpChoice::Hash), client_ip_key_file: key, ..Typed::default() })
        };
        assert!(hash(file("short", "abc\n")).is_err());
        let hashed = hash(file("key", "0123456789abcdef0123456789abcdef\n")).unwrap();
        assert!(hashed.privacy.stamp().starts_with("client_ip=hash:") && !hashed.privacy.stamp().contains("0123"));
        let bots = |text: &str| choices(Typed { bots: file("bots.toml", text), ..Typed::default() });
        assert!(bots("[[rule]]\npattern = 'Acme'\nbot = true\n").is_ok());
        for wrong in ["[[rule]]\npattern = 'Acme'\n", "[[rules]]\n", "[[rule]]\npattern = '*'\nbot = true\n"] {
            assert!(bots(wrong).is_err(), "{wrong}");
        }
    }
}
