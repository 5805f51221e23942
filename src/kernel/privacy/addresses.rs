//! Addresses of people: truncated, or hashed under a key.

use core::net::IpAddr;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a hash that are kept: 2^64 addresses before two are likely to be the same.
const HASH_BYTES: usize = 16;

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
            return Err(format!("it has {} bytes, and needs at least {LEAST_KEY_BYTES}", secret.len()));
        }
        Hmac::new_from_slice(secret).map(Self).map_err(|error| error.to_string())
    }

    fn hash(&self, text: &str) -> String {
        let digest = self.0.clone().chain_update(text).finalize().into_bytes();
        digest.iter().take(HASH_BYTES).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Tells this key from another, and nothing else.
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

    /// What is kept of addresses separated by commas, as `X-Forwarded-For` has them; nothing of what is none.
    pub(super) fn list(&self, text: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(text).ok()?;
        let kept: Vec<String> = members(text).filter_map(|member| self.one(member.as_bytes())).collect();
        (!kept.is_empty()).then(|| kept.join(",%20"))
    }
}

/// Whether a text is an address or a list of addresses and nothing else.
pub(super) fn is_list(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| members(text).all(|member| parse(member).is_some()))
}

/// CloudFront writes the space behind a comma as `%20`, and in doubly encoded logs as `%2520`; load balancers as it is.
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
            let [a, b, c, ..] = address.segments();
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
    }
}
