//! What was kept of people, read back from a stamp; and which of two stamps keeps more.

use std::collections::BTreeSet;
use std::fmt;

use super::redact::USUAL_KEYS;

/// What a stamp says where nothing was taken away ([`super::Privacy::stamp`]).
pub const ALL: &str = "none";

/// What was kept of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Addresses {
    Whole,
    Networks,
    /// Hashes under the key of this name.
    Hashes(String),
}

/// What was kept of people, as files, manifests and the lake say it: no secret is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    addresses: Addresses,
    dropped: BTreeSet<String>,
    redacted: BTreeSet<String>,
}

impl Kept {
    /// Reads a stamp; `None` where it is none that this version writes.
    #[must_use]
    pub fn of_stamp(stamp: &str) -> Option<Self> {
        let mut kept = Self { addresses: Addresses::Whole, dropped: BTreeSet::new(), redacted: BTreeSet::new() };
        if stamp == ALL || stamp.is_empty() {
            return Some(kept);
        }
        let list = |names: &str| names.split(',').map(str::to_owned).collect();
        for said in stamp.split(' ') {
            match said.split_once('=')? {
                ("client_ip", "truncate") => kept.addresses = Addresses::Networks,
                ("client_ip", hash) => kept.addresses = Addresses::Hashes(hash.strip_prefix("hash:")?.to_owned()),
                ("drop", names) => kept.dropped = list(names),
                ("redact", names) => kept.redacted = list(names),
                _ => return None,
            }
        }
        Some(kept)
    }

    /// Whether it takes a key to keep the same again.
    #[must_use]
    pub const fn has_key(&self) -> bool {
        matches!(self.addresses, Addresses::Hashes(_))
    }

    /// Whether rows that were made so may hold something of people that `choice` takes away.
    fn holds_more_than(&self, choice: &Self) -> bool {
        let addresses = match &choice.addresses {
            Addresses::Whole => false,
            // Networks and hashes tell different things: neither is less than the other.
            taken => self.addresses != *taken,
        };
        addresses || !choice.dropped.is_subset(&self.dropped) || !choice.redacted.is_subset(&self.redacted)
    }
}

/// As the arguments that say it; the alternate form (`{:#}`) has the name of the key too, which no
/// argument has.
impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Vec::new();
        match &self.addresses {
            Addresses::Networks => said.push("--client-ip truncate".to_owned()),
            Addresses::Hashes(key) if f.alternate() => said.push(format!("--client-ip hash (key {key})")),
            Addresses::Hashes(_) => said.push("--client-ip hash".to_owned()),
            Addresses::Whole if self.dropped.is_empty() && self.redacted.is_empty() => {
                said.push("--client-ip keep".to_owned());
            }
            Addresses::Whole => {}
        }
        let join = |names: Vec<&str>| names.join(",");
        if !self.dropped.is_empty() {
            said.push(format!("--drop {}", join(self.dropped.iter().map(String::as_str).collect())));
        }
        if !self.redacted.is_empty() {
            let usual = USUAL_KEYS.iter().all(|key| self.redacted.contains(*key));
            let own = self.redacted.iter().map(String::as_str).filter(|key| !(usual && USUAL_KEYS.contains(key)));
            said.push(format!("--redact {}", join(usual.then_some("default").into_iter().chain(own).collect())));
        }
        f.write_str(&said.join(" "))
    }
}

/// A stamp for people: the arguments that say it, and a key by its name; as it is, where it is of
/// another version.
#[must_use]
pub fn in_words(stamp: &str) -> String {
    Kept::of_stamp(stamp).map_or_else(|| format!("'{stamp}'"), |kept| format!("{kept:#}"))
}

/// Whether rows that were `made` so may hold something of people that a `choice` takes away, both
/// as stamps. What cannot be compared (networks and hashes, hashes under two keys, a stamp of
/// another version) counts as more.
#[must_use]
pub fn holds_more(made: &str, choice: &str) -> bool {
    match (Kept::of_stamp(made), Kept::of_stamp(choice)) {
        (Some(made), Some(choice)) => made.holds_more_than(&choice),
        _ => made != choice,
    }
}

/// The stamp that keeps least; of several of which none keeps less than another, the last.
#[must_use]
pub fn least<'s>(stamps: &[&'s str]) -> Option<&'s str> {
    let is_less = |one: &str, other: &str| holds_more(other, one) && !holds_more(one, other);
    stamps.iter().rev().copied().find(|stamp| !stamps.iter().any(|other| is_less(other, stamp)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::kernel::policy::privacy::{ClientIp, Key, Privacy};

    /// Choices of a small world, as jobs make them.
    fn choices() -> Vec<Privacy> {
        let key = |secret: &str| ClientIp::Hash(Key::new(secret.as_bytes()).unwrap());
        let addresses =
            || [ClientIp::Keep, ClientIp::Truncate, key("a key of sixteen bytes"), key("another of sixteen bytes")];
        let sets = [&[][..], &["a"], &["b"], &["a", "b"]];
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
        let with = |dropped: &[&str], keys: &[&str]| addresses().map(|of| Privacy::new(of, set(dropped), &set(keys)));
        sets.iter().flat_map(|dropped| sets.iter().flat_map(|keys| with(dropped, keys))).collect()
    }

    #[test]
    fn a_stamp_is_read_back_and_said_in_words() {
        for (stamp, arguments) in [
            ("none", "--client-ip keep"),
            ("", "--client-ip keep"),
            ("client_ip=truncate", "--client-ip truncate"),
            (
                "client_ip=hash:0a1b2c3d drop=c_port,cs_cookie",
                "--client-ip hash (key 0a1b2c3d) --drop c_port,cs_cookie",
            ),
            ("redact=token", "--redact token"),
        ] {
            assert_eq!(in_words(stamp), arguments, "{stamp}");
        }
        assert_eq!(Kept::of_stamp("client_ip=hash:0a1b2c3d").unwrap().to_string(), "--client-ip hash");
        let keys = USUAL_KEYS.iter().chain(&["mine"]).map(|key| (*key).to_owned()).collect();
        let usual = Privacy::new(ClientIp::Truncate, BTreeSet::new(), &keys);
        assert_eq!(in_words(&usual.stamp()), "--client-ip truncate --redact default,mine");
        for other in ["client_ip=all", "client_ip", "sounds=bird", "none none"] {
            assert_eq!(Kept::of_stamp(other), None, "{other}");
            assert_eq!(in_words(other), format!("'{other}'"));
        }
    }

    #[test]
    fn what_is_taken_away_is_missed_in_what_keeps_it() {
        let (hash, other) = ("client_ip=hash:00000001", "client_ip=hash:00000002");
        for (made, choice, more) in [
            ("none", "client_ip=truncate", true),
            ("client_ip=truncate", "none", false),
            ("", "none", false),
            (hash, hash, false),
            (hash, other, true),
            (hash, "client_ip=truncate", true),
            ("client_ip=truncate", hash, true),
            ("drop=a", "drop=a,b", true),
            ("drop=a,b", "drop=b", false),
            ("drop=a", "redact=a", true),
            ("client_ip=truncate drop=a", "client_ip=truncate", false),
            ("client_ip=truncate", "client_ip=truncate redact=a", true),
            ("sounds=bird", "none", true),
            ("sounds=bird", "sounds=bird", false),
        ] {
            assert_eq!(holds_more(made, choice), more, "{made} against {choice}");
        }
    }

    /// Not holding more is an order: of itself, one way only, and along a chain.
    #[test]
    fn choices_are_partly_ordered() {
        let stamps: Vec<String> = choices().iter().map(Privacy::stamp).collect();
        assert_eq!(stamps.iter().collect::<BTreeSet<_>>().len(), stamps.len(), "all differ");
        for one in &stamps {
            assert!(!holds_more(one, one) && !holds_more(one, ALL), "{one}");
            assert_eq!(holds_more(ALL, one), one != ALL, "{one}");
            for other in &stamps {
                assert!(one == other || holds_more(one, other) || holds_more(other, one), "{one}, {other}");
                for third in &stamps {
                    assert!(
                        holds_more(one, other) || holds_more(other, third) || !holds_more(one, third),
                        "{one}, {other}, {third}"
                    );
                }
            }
        }
    }

    proptest! {
        /// The same, of any columns and keys: what drops and redacts more never holds more.
        #[test]
        fn taking_more_away_never_holds_more(
            columns in prop::collection::btree_set("[a-z_]{1,8}", 0..6),
            keys in prop::collection::btree_set("[a-z0-9_-]{1,8}", 0..6),
            more in prop::collection::btree_set("[a-z_]{1,8}", 0..3),
        ) {
            let less = Privacy::new(ClientIp::Truncate, &columns | &more, &(&keys | &more)).stamp();
            let stamp = Privacy::new(ClientIp::Truncate, columns, &keys).stamp();
            prop_assert!(!holds_more(&less, &stamp) && holds_more(ALL, &stamp));
            prop_assert_eq!(holds_more(&stamp, &less), stamp != less);
            prop_assert_eq!(least(&[&stamp, &less, &stamp]), Some(less.as_str()));
        }
    }

    #[test]
    fn the_least_is_found_whatever_came_last() {
        assert_eq!(least(&[]), None);
        assert_eq!(least(&["client_ip=truncate", "none"]), Some("client_ip=truncate"), "a forgetful run came last");
        assert_eq!(least(&["none", "client_ip=truncate"]), Some("client_ip=truncate"));
        let hash = "client_ip=hash:00000001";
        assert_eq!(least(&[hash, "client_ip=truncate"]), Some("client_ip=truncate"), "neither is less: the last");
        assert_eq!(least(&["client_ip=truncate", hash, "none"]), Some(hash));
    }
}
