//! Secrets in query strings, URLs and cookies: the values of certain keys.
//!
//! Logs hold URLs in URLs, each layer percent-encoded once more, and all of it encoded again by the log. So bytes are read
//! together with how deep they are encoded: `=` at any depth begins a value, and only a separator that is not encoded more
//! deeply ends it.

use std::borrow::Cow;
use std::collections::BTreeSet;

/// What stands in the place of a value.
pub(super) const INSTEAD: &[u8] = b"REDACTED";

/// Longer keys are none of those that are looked for.
const KEY_LIMIT_BYTES: usize = 64;

/// Finds values of keys.
#[derive(Clone, Debug)]
pub(super) struct Redactor {
    keys: BTreeSet<String>,
}

/// One byte of the text as it was before any encoding.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    /// How often it is percent-encoded.
    depth: u32,
    /// Bytes that it takes in the text.
    length: usize,
}

impl Redactor {
    pub(super) fn new(keys: &BTreeSet<String>) -> Self {
        Self { keys: keys.iter().map(|key| key.to_ascii_lowercase()).collect() }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    pub(super) fn is_key(&self, name: &str) -> bool {
        self.keys.contains(&name.to_ascii_lowercase())
    }

    /// A text without the values of the keys.
    pub(super) fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut redacted = Vec::new();
        let (mut copied, mut at, mut key) = (0, 0, Vec::new());
        while at < text.len() {
            let unit = unit(&text[at..]);
            at += unit.length;
            match unit.byte {
                b'&' | b';' | b'?' | b'#' | b' ' | b',' | b'/' => key.clear(),
                b'=' => {
                    if self.is_wanted(&key) {
                        redacted.extend_from_slice(&text[copied..at]);
                        redacted.extend_from_slice(INSTEAD);
                        at = value_end(text, at, unit.depth);
                        copied = at;
                    }
                    key.clear();
                }
                // `https://name:secret@host/`
                b'@' if unit.depth == 0 => {
                    if let Some(colon) = user_info(text, copied, at - 1) {
                        redacted.extend_from_slice(&text[copied..=colon]);
                        redacted.extend_from_slice(INSTEAD);
                        copied = at - 1;
                    }
                }
                byte if key.len() < KEY_LIMIT_BYTES => key.push(byte.to_ascii_lowercase()),
                _ => {}
            }
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        redacted.extend_from_slice(&text[copied..]);
        Cow::Owned(redacted)
    }

    /// `token`, `token[]` and `user[token]` are all called token.
    fn is_wanted(&self, key: &[u8]) -> bool {
        let Ok(key) = std::str::from_utf8(key) else { return false };
        let key = key.trim_matches(['+', '"', '\'']).trim_end_matches("[]");
        let inner = key.strip_suffix(']').and_then(|key| key.rsplit_once('[')).map(|(_, inner)| inner);
        self.keys.contains(key) || inner.is_some_and(|inner| self.keys.contains(inner))
    }
}

/// Where a value ends: at the next separator that is encoded no more deeply than its `=`.
fn value_end(text: &[u8], mut at: usize, depth: u32) -> usize {
    while at < text.len() {
        let unit = unit(&text[at..]);
        let ends =
            matches!(unit.byte, b'&' | b'#') || (unit.byte == b';' && unit.depth <= depth && is_cookie_end(text, at));
        if ends && unit.depth <= depth {
            return at;
        }
        at += unit.length;
    }
    at
}

/// A semicolon separates cookies where a space or the end follows; within a query it may be part of a value.
fn is_cookie_end(text: &[u8], at: usize) -> bool {
    let semicolon = unit(&text[at..]);
    let rest = &text[at + semicolon.length..];
    rest.is_empty() || unit(rest).byte == b' '
}

/// The colon before a password that ends at `at`, where `//name:password` stands before it, not before `from`.
fn user_info(text: &[u8], from: usize, at: usize) -> Option<usize> {
    let begin = memchr::memmem::rfind(&text[from..at], b"//")? + from + 2;
    let info = &text[begin..at];
    let colon = info.iter().position(|byte| *byte == b':')?;
    (!info.iter().any(|byte| matches!(byte, b'/' | b'?' | b'#'))).then_some(begin + colon)
}

/// The first byte of a text, taken out of all its layers of encoding.
fn unit(text: &[u8]) -> Unit {
    let plain = Unit { byte: text[0], depth: 0, length: 1 };
    if text[0] != b'%' {
        return plain;
    }
    let (mut depth, mut at) = (1, 1);
    // `%2526` is `%26`, once more encoded.
    while text[at..].starts_with(b"25") && hex(&text[at + 2..]).is_some() {
        (depth, at) = (depth + 1, at + 2);
    }
    hex(&text[at..]).map_or(plain, |byte| Unit { byte, depth, length: at + 2 })
}

fn hex(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn redact(text: &str) -> String {
        let keys = ["token", "password"].map(str::to_owned).into();
        String::from_utf8(Redactor::new(&keys).redact(text.as_bytes()).into_owned()).unwrap()
    }

    #[test]
    fn values_are_found_at_any_depth() {
        for (text, redacted) in [
            ("a=1&token=abc&b=2", "a=1&token=REDACTED&b=2"),
            ("TOKEN=abc", "TOKEN=REDACTED"),
            ("token=", "token=REDACTED"),
            ("tokens=abc&mytoken=1", "tokens=abc&mytoken=1"),
            ("t%6Fken=abc", "t%6Fken=REDACTED"),
            ("https://x.invalid/?password=a%26b&c=1", "https://x.invalid/?password=REDACTED&c=1"),
            ("next=%2Flogin%3Ftoken%3Dabc%26x%3D1&b=2", "next=%2Flogin%3Ftoken%3DREDACTED%26x%3D1&b=2"),
            ("u=%252Fa%253Ftoken%253Dabc%2526x%253D1", "u=%252Fa%253Ftoken%253DREDACTED%2526x%253D1"),
            ("token%3Dabc%26x%3D1", "token%3DREDACTED%26x%3D1"),
            ("user[password]=x&token[]=y", "user[password]=REDACTED&token[]=REDACTED"),
            ("user%5Bpassword%5D=x", "user%5Bpassword%5D=REDACTED"),
            ("id=1;%20token=abc;%20z=2", "id=1;%20token=REDACTED;%20z=2"),
            ("password=a;b&c=1", "password=REDACTED&c=1"),
            ("https://x.invalid/cb#token=abc&y=1", "https://x.invalid/cb#token=REDACTED&y=1"),
            ("https://joe:hush@x.invalid/a", "https://joe:REDACTED@x.invalid/a"),
            ("q=a@b.invalid", "q=a@b.invalid"),
            ("/a/b.png", "/a/b.png"),
            ("%", "%"),
            ("token=%", "token=REDACTED"),
            ("", ""),
        ] {
            assert_eq!(redact(text), redacted, "{text}");
            assert_eq!(redact(redacted), redacted, "once more");
        }
    }

    proptest! {
        #[test]
        fn no_value_is_left_whatever_stands_around_it(before in "[a-z=&%?;#]{0,12}", value in "[a-z0-9=%;]{8,12}", after in "[a-z=%&]{0,8}") {
            prop_assume!(!value.contains("REDACTED"));
            let redacted = redact(&format!("{before}&token={value}&{after}"));
            prop_assert!(redacted.contains("token=REDACTED"), "{}", redacted);
            prop_assert!(before.contains(&value) || after.contains(&value) || !redacted.contains(&value), "{}", redacted);
        }

        #[test]
        fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let keys = ["token".to_owned()].into();
            let _ = Redactor::new(&keys).redact(&bytes);
        }
    }
}
