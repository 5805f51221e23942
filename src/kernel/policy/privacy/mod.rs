//! What is kept of people: decided when rows are written, so that nothing has to be found and taken
//! out later.
//!
//! | choice | what it does |
//! |-|-|
//! | client addresses truncated | the last byte of an IPv4 address is 0 (/24), of an IPv6 address only the first 48 bits stand; what is no address becomes NULL |
//! | client addresses hashed | 128 bits of HMAC-SHA256 of the address under the job's key, in hexadecimal: the same address is the same text, and nobody without the key can try addresses |
//! | columns dropped | they are NULL |
//! | keys redacted | the values of these keys in query strings, referrers, URLs, cookies and unknown fields are `REDACTED` |
//!
//! What a column may tell of people is a fact of the column ([`PrivacyClass`]). Addresses are those
//! of `c_ip`, `client_ip` and `x_forwarded_for`, and whatever looks like one in a field of `extra`;
//! in other columns (a URL, a user agent) an address is no client's and stays. A field that stands
//! in `extra` because its column was taken (a second cookie) is treated as its column. Under any of
//! these a rejected line is kept as hash, length and reason only, and the reason repeats nothing of
//! it: whatever could not be read could not be cleaned either.
//!
//! | file | what it does |
//! |-|-|
//! | `addresses` | client addresses, truncated or hashed |
//! | `redact` | values of keys in query strings, URLs, cookies and JSON |
//! | `decoded_bytes` | text without its encodings, each byte with its place in the log |
//! | `kept` | what was kept, read back from a stamp; which of two keeps more |

mod addresses;
mod decoded_bytes;
mod kept;
mod redact;

use std::borrow::Cow;
use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

pub use addresses::{ClientIp, Key};
pub use kept::{ALL, Kept, holds_more, in_words, least};
use redact::Redactor;
pub use redact::{KEY_LIMIT_BYTES, USUAL_KEYS, is_key};

use crate::kernel::schema::{PrivacyClass, column_called, columns, normalise_field_name, privacy_class, split_field};
use crate::model::Table;

/// What is kept of people.
#[derive(Clone, Debug, Default)]
pub struct Privacy {
    client_ip: ClientIp,
    dropped: BTreeSet<String>,
    redactor: Option<Redactor>,
}

/// What is done to the texts of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// They stay.
    Keep,
    /// The column is NULL.
    Drop,
    /// They are addresses.
    Address,
    /// They are lists of addresses.
    Addresses,
    /// They hold keys and values.
    Keys,
}

impl Privacy {
    /// Of a job's choices. `keys` are to be redacted, whatever their case.
    #[must_use]
    pub fn new(client_ip: ClientIp, dropped: BTreeSet<String>, keys: &BTreeSet<String>) -> Self {
        Self { client_ip, dropped, redactor: (!keys.is_empty()).then(|| Redactor::new(keys)) }
    }

    /// Whether everything is kept.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.client_ip.is_kept() && self.dropped.is_empty() && self.redactor.is_none()
    }

    /// The choices in one line, without any secret; [`ALL`] where everything is kept. A key stands
    /// in it by its name: 32 bits of its HMAC of a text that is no address, which tells it from
    /// another key and says nothing of what is hashed under it.
    #[must_use]
    pub fn stamp(&self) -> String {
        let mut said = Vec::new();
        if !self.client_ip.is_kept() {
            said.push(format!("client_ip={}", self.client_ip));
        }
        if !self.dropped.is_empty() {
            said.push(format!("drop={}", self.dropped.iter().map(String::as_str).collect::<Vec<_>>().join(",")));
        }
        if let Some(redactor) = &self.redactor {
            said.push(format!("redact={}", redactor.keys().collect::<Vec<_>>().join(",")));
        }
        if said.is_empty() { ALL.to_owned() } else { said.join(" ") }
    }

    /// What is done to a column, or to a field of its name: its privacy class says it.
    #[must_use]
    pub fn of_column(&self, table: Table, column: &str) -> Treatment {
        if self.dropped.contains(column) {
            return Treatment::Drop;
        }
        let hides_addresses = !self.client_ip.is_kept();
        match privacy_class(table, column) {
            PrivacyClass::Address if hides_addresses => Treatment::Address,
            PrivacyClass::AddressList if hides_addresses => Treatment::Addresses,
            PrivacyClass::KeysAndValues | PrivacyClass::UserAgent if self.redactor.is_some() => Treatment::Keys,
            // The last two are treated where they are made: field by field, and by `line_hash`.
            PrivacyClass::Address
            | PrivacyClass::AddressList
            | PrivacyClass::KeysAndValues
            | PrivacyClass::UserAgent
            | PrivacyClass::Nothing
            | PrivacyClass::UnknownFields
            | PrivacyClass::RejectedLine => Treatment::Keep,
        }
    }

    /// A text after its treatment; `None` is NULL.
    #[must_use]
    pub fn treat<'t>(&self, treatment: Treatment, text: &'t [u8]) -> Option<Cow<'t, [u8]>> {
        match treatment {
            Treatment::Keep => Some(Cow::Borrowed(text)),
            Treatment::Drop => None,
            Treatment::Address => self.client_ip.one(text).map(|address| Cow::Owned(address.into_bytes())),
            Treatment::Addresses => self.client_ip.list(text).map(|list| Cow::Owned(list.into_bytes())),
            Treatment::Keys => {
                Some(self.redactor.as_ref().map_or(Cow::Borrowed(text), |redactor| redactor.redact(text)))
            }
        }
    }

    /// The value of a field that has no column, by its name in `extra`; `None` where it is dropped.
    #[must_use]
    pub fn treat_unknown<'t>(&self, table: Table, name: &str, value: &'t [u8]) -> Option<Cow<'t, [u8]>> {
        // A field that is there several times is numbered: `cs(Cookie)#2`.
        let logged = name.split('#').next().unwrap_or(name);
        let column = normalise_field_name(logged);
        let called = column_called(table, &column).map(|index| columns(table)[index].name);
        let parts = split_field(table, &column).iter().map(|(column, _)| *column);
        let columns = parts.chain(called).chain([column.as_str()]);
        let mut treatment = Treatment::Keep;
        for column in columns {
            match self.of_column(table, column) {
                Treatment::Keep | Treatment::Keys => {}
                found => treatment = found,
            }
        }
        match treatment {
            Treatment::Keep | Treatment::Keys => {}
            Treatment::Address => return self.treat(Treatment::Addresses, value),
            found => return self.treat(found, value),
        }
        let mut kept = Cow::Borrowed(value);
        if let Some(redactor) = &self.redactor {
            if redactor.names(logged) {
                return Some(Cow::Borrowed(redact::INSTEAD));
            }
            kept = redactor.redact(value);
        }
        if !self.client_ip.is_kept() {
            kept = match kept {
                Cow::Borrowed(value) => self.client_ip.within(value),
                Cow::Owned(value) => Cow::Owned(self.client_ip.within(&value).into_owned()),
            };
        }
        Some(kept)
    }

    /// What is kept of a rejected line: its SHA-256 in hexadecimal, under the key where there is
    /// one.
    #[must_use]
    pub fn line_hash(&self, line: &[u8]) -> String {
        match &self.client_ip {
            ClientIp::Hash(key) => key.hex(line, 32),
            _ => Sha256::digest(line).iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }
}

/// A reason without what it quotes of the line: from the first quotation mark to the last, or all
/// behind the only one. So no word of ours in a reason may hold an apostrophe.
#[must_use]
pub fn without_quotes(reason: &str) -> String {
    let is_mark = |c: char| matches!(c, '\'' | '"' | '`');
    match (reason.find(is_mark), reason.rfind(is_mark)) {
        (Some(first), Some(last)) if first < last => format!("{}...{}", &reason[..first], &reason[last + 1..]),
        (Some(only), _) => format!("{}...", &reason[..only]),
        _ => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn privacy(client_ip: ClientIp, dropped: &[&str], keys: &[&str]) -> Privacy {
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Privacy::new(client_ip, set(dropped), &set(keys))
    }

    #[test]
    fn choices_are_told_in_one_line() {
        assert_eq!(Privacy::default().stamp(), "none");
        assert!(Privacy::default().keeps_all());
        let all = privacy(ClientIp::Truncate, &["cs_cookie", "c_port"], &["Token", "password"]);
        assert_eq!(all.line_hash(b"").len(), 64);
        assert_eq!(all.stamp(), "client_ip=truncate drop=c_port,cs_cookie redact=password,token");
        assert!(!all.keeps_all());
    }

    #[test]
    fn unknown_fields_are_looked_through_too() {
        let all = privacy(ClientIp::Truncate, &["cs_cookie"], &["token"]);
        let of = |name: &str, value: &str| {
            let kept = all.treat_unknown(Table::CloudfrontLogs, name, value.as_bytes());
            kept.map(|kept| String::from_utf8(kept.into_owned()).unwrap())
        };
        assert_eq!(of("real-ip", "192.0.2.77").as_deref(), Some("192.0.2.0"));
        assert_eq!(of("cs(X-Token)", "abc").as_deref(), Some("abc"), "another name");
        assert_eq!(of("cs(Token)", "abc").as_deref(), Some("REDACTED"));
        assert_eq!(of("next", "/a?token=abc&b=1").as_deref(), Some("/a?token=REDACTED&b=1"));
        assert_eq!(of("ratio", "0.25").as_deref(), Some("0.25"));
        assert_eq!(of("cs(Cookie)#2", "id=1"), None, "as its column");
        assert_eq!(of("x-forwarded-for", "unknown,%20192.0.2.80").as_deref(), Some("192.0.2.0"), "as its column");
    }

    #[test]
    fn reasons_repeat_nothing() {
        assert_eq!(without_quotes("c_port: cannot read '10.1.2.3' as a number"), "c_port: cannot read ... as a number");
        assert_eq!(without_quotes("x: 'it's' odd"), "x: ... odd");
        assert_eq!(without_quotes("x: 'cut off"), "x: ...");
        assert_eq!(without_quotes("34 fields, not 33"), "34 fields, not 33");
    }
}
