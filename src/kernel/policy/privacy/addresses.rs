//! Addresses of people: truncated, or hashed under a key.

use core::net::IpAddr;
use std::borrow::Cow;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::decoded_bytes::decoded_bytes;
use crate::stats::count;

/// Bytes of a hash that are kept: 2^64 addresses before two are likely to be the same.
const HASH_BYTES: usize = 16;

/// The prefix of addresses that hold one of IPv4 (RFC 3056).
const SIX_TO_FOUR: u16 = 0x2002;

/// The least bytes of a key.
const LEAST_KEY_BYTES: usize = 16;

/// A secret; never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(..)")
    }
}

impl Key {
    /// Takes a secret; says why where it is none.
    pub fn new(secret: &[u8]) -> Result<Self, String> {
        let secret = secret.trim_ascii();
        if secret.len() < LEAST_KEY_BYTES {
            return Err(format!("it has {}, and needs at least {LEAST_KEY_BYTES}", count(secret.len() as u64, "byte")));
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|error| error.to_string())
    }

    fn hash(&self, text: &str) -> String {
        self.hex(text.as_bytes(), HASH_BYTES)
    }

    /// The first bytes of the HMAC of some bytes, in hexadecimal.
    pub(super) fn hex(&self, bytes: &[u8], count: usize) -> String {
        let digest = self.0.clone().chain_update(bytes).finalize().into_bytes();
        digest.iter().take(count).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Tells this key from another, and nothing else: whoever has it and not the key knows of no
    /// address what its hash is, since the HMAC of one text says nothing of that of another.
    fn name(&self) -> String {
        // No address reads like this.
        self.hash("the name of this key")[..8].to_owned()
    }
}

/// What is kept of a client's address.
#[derive(Clone, Debug, Default)]
pub enum ClientIp {
    /// All of it.
    #[default]
    Keep,
    /// Its network: /24 of IPv4, /48 of IPv6.
    Truncate,
    /// A hash of it under a key.
    Hash(Key),
}

impl std::fmt::Display for ClientIp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Keep => f.write_str("keep"),
            Self::Truncate => f.write_str("truncate"),
            Self::Hash(key) => write!(f, "hash:{}", key.name()),
        }
    }
}

impl ClientIp {
    pub(super) const fn is_kept(&self) -> bool {
        matches!(self, Self::Keep)
    }

    /// What is kept of one address; nothing of what is none.
    pub(super) fn one(&self, text: &[u8]) -> Option<String> {
        let address = parse(std::str::from_utf8(text).ok()?)?;
        Some(match self {
            Self::Keep => address.to_string(),
            Self::Truncate => truncated(address),
            Self::Hash(key) => key.hash(&address.to_string()),
        })
    }

    /// What is kept of addresses separated by commas, as `X-Forwarded-For` has them; nothing of
    /// what is none.
    pub(super) fn list(&self, text: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(text).ok()?;
        let kept: Vec<String> = members(text).filter_map(|member| self.one(member.as_bytes())).collect();
        (!kept.is_empty()).then(|| kept.join(",%20"))
    }
}

impl ClientIp {
    /// A text of any kind with what is kept of every address that stands in it, whatever is around
    /// it and however it is encoded.
    pub(super) fn within<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let (mut changed, mut copied) = (Vec::new(), 0);
        let (mut word, mut begin) = (Vec::new(), 0);
        let mut end_word = |word: &mut Vec<u8>, begin: usize, end: usize| {
            // No address is longer, with its port.
            if (2..=64).contains(&word.len())
                && let Some(kept) = self.one(word.trim_ascii_end())
            {
                changed.extend_from_slice(&text[copied..begin]);
                changed.extend_from_slice(kept.as_bytes());
                copied = end;
            }
            word.clear();
        };
        for decoded in decoded_bytes(text, 0) {
            if decoded.byte.is_ascii_hexdigit() || matches!(decoded.byte, b'.' | b':') {
                if word.is_empty() {
                    begin = decoded.start;
                }
                word.push(decoded.byte);
            } else {
                end_word(&mut word, begin, decoded.start);
            }
        }
        end_word(&mut word, begin, text.len());
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        changed.extend_from_slice(&text[copied..]);
        Cow::Owned(changed)
    }
}

/// CloudFront writes the space behind a comma as `%20`, and in doubly encoded logs as `%2520`; load
/// balancers as it is.
fn members(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(|member| {
        let mut member = member.trim();
        for space in ["%2520", "%20", "+"] {
            member = member.trim_start_matches(space).trim_end_matches(space);
        }
        member
    })
}

/// An address, with or without port, brackets or zone.
fn parse(text: &str) -> Option<IpAddr> {
    let canonical = |address: IpAddr| address.to_canonical();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(canonical(address));
    }
    if let Ok(socket) = text.parse::<core::net::SocketAddr>() {
        return Some(canonical(socket.ip()));
    }
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.split('%').next()?.parse::<IpAddr>().ok().map(canonical)
}

fn truncated(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            core::net::Ipv4Addr::new(a, b, c, 0).to_string()
        }
        IpAddr::V6(address) => {
            let [a, b, mut c, ..] = address.segments();
            if a == SIX_TO_FOUR {
                // The next 32 bits are an IPv4 address.
                c &= 0xff00;
            }
            core::net::Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0).to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_remain_of_addresses() {
        for (text, kept) in [
            ("192.0.2.77", Some("192.0.2.0")),
            ("2001:db8:1:2:3::4", Some("2001:db8:1::")),
            ("::ffff:192.0.2.77", Some("192.0.2.0")),
            ("192.0.2.77:4711", Some("192.0.2.0")),
            ("[2001:db8:1:2::3]:443", Some("2001:db8:1::")),
            ("fe80::1%25eth0", Some("fe80::")),
            ("2002:cb00:7161::1", Some("2002:cb00:7100::")),
            ("unknown", None),
            ("", None),
            ("300.1.1.1", None),
        ] {
            assert_eq!(ClientIp::Truncate.one(text.as_bytes()).as_deref(), kept, "{text}");
        }
        let list = |text: &str| ClientIp::Truncate.list(text.as_bytes());
        assert_eq!(list("192.0.2.7,%20198.51.100.9").as_deref(), Some("192.0.2.0,%20198.51.100.0"));
        assert_eq!(list("192.0.2.7, unknown, 10.0.0.1").as_deref(), Some("192.0.2.0,%2010.0.0.0"));
        assert_eq!(list("unknown"), None);
    }

    #[test]
    fn addresses_are_found_within_other_text() {
        for (text, kept) in [
            ("for=203.0.113.79;proto=https", "for=203.0.113.0;proto=https"),
            ("%22203.0.113.85%22", "%22203.0.113.0%22"),
            ("203.0.113.93;203.0.113.94", "203.0.113.0;203.0.113.0"),
            (r#"["203.0.113.101", "2001:db8:1:2::3"]"#, r#"["203.0.113.0", "2001:db8:1::"]"#),
            ("unknown,%20203.0.113.80", "unknown,%20203.0.113.0"),
            ("0.25", "0.25"),
            ("12:34:56", "12:34:56"),
            ("", ""),
        ] {
            assert_eq!(ClientIp::Truncate.within(text.as_bytes()), kept.as_bytes(), "{text}");
        }
    }

    #[test]
    fn hashes_need_the_key() {
        let (one, two) = (Key::new(b"a key of sixteen bytes").unwrap(), Key::new(b"another one of sixteen").unwrap());
        let hash = |key: &Key, text: &str| ClientIp::Hash(key.clone()).one(text.as_bytes()).unwrap();
        assert_eq!(hash(&one, "192.0.2.7"), hash(&one, "192.0.2.7:80"), "the same address");
        assert_ne!(hash(&one, "192.0.2.7"), hash(&one, "192.0.2.8"));
        assert_ne!(hash(&one, "192.0.2.7"), hash(&two, "192.0.2.7"));
        assert_eq!(hash(&one, "192.0.2.7").len(), 2 * HASH_BYTES);
        assert!(Key::new(b"short").is_err());
        let shown = format!("{:?} {}", one, ClientIp::Hash(one.clone()));
        assert!(shown.starts_with("Key(..) hash:") && !shown.contains("sixteen"));
        // The name of a key is short, of this key, and no part of what an address becomes: no text
        // that is hashed reads like it.
        assert!(one.name().len() == 8 && one.name() != two.name());
        assert_eq!(ClientIp::Hash(one).one(b"the name of this key"), None);
    }
}
