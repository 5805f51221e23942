//! Secrets in query strings, URLs, cookies and JSON: the values of certain keys.
//!
//! Logs hold URLs in URLs, each layer percent-encoded once more, and all of it encoded again by the
//! log. So bytes are read together with how deep they are encoded: `=` (and `:`) at any depth
//! begins a value, and only a separator that is not encoded more deeply ends it. In doubt more is
//! redacted: a value goes on to the next `&` or `#`, whatever stands between.
//!
//! A key is any word of the path before the `=`: `token`, `token[]`, `user[token][0]`,
//! `user.token`, `{"token":`. Words are made of letters, digits, `_` and `-`; separators that end a
//! path are `& ; ? # , / { } ( ) |`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::decoded_bytes::{DecodedByte, decoded_bytes};

/// Keys that are redacted where a job says `default`: secrets and sessions as they are commonly
/// called, and the parameters that sign URLs of CloudFront and S3.
pub const USUAL_KEYS: &[&str] = &[
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "client_secret",
    "code",
    "id_token",
    "jwt",
    "key",
    "passwd",
    "password",
    "pwd",
    "refresh_token",
    "secret",
    "session",
    "session_id",
    "sessionid",
    "sid",
    "sig",
    "signature",
    "token",
    "policy",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
];

/// What stands in the place of a value.
pub(super) const INSTEAD: &[u8] = b"REDACTED";

/// Longer keys cannot be asked for.
pub const KEY_LIMIT_BYTES: usize = 64;

/// Finds values of keys.
#[derive(Clone, Debug)]
pub(super) struct Redactor {
    keys: BTreeSet<String>,
}

/// Whether a key is one word, as a path is made of them.
#[must_use]
pub fn is_key(name: &str) -> bool {
    (1..=KEY_LIMIT_BYTES).contains(&name.len()) && name.bytes().all(is_word)
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// How far the path before a value has come.
#[derive(Default)]
struct Path {
    word: Vec<u8>,
    wanted: bool,
}

impl Path {
    fn end_word(&mut self, keys: &BTreeSet<String>) {
        if !self.word.is_empty() {
            self.wanted |= std::str::from_utf8(&self.word).is_ok_and(|word| keys.contains(word));
            self.word.clear();
        }
    }

    fn clear(&mut self) {
        self.word.clear();
        self.wanted = false;
    }
}

/// What stands behind `//` and may be `name:password@host`.
#[derive(Default)]
struct Authority {
    slashes: u32,
    inside: bool,
    /// Where the password begins.
    password: Option<usize>,
}

impl Authority {
    /// The beginning of a password that ends before this byte.
    fn password_before(&mut self, decoded: DecodedByte) -> Option<usize> {
        match decoded.byte {
            b'/' => {
                self.slashes += 1;
                self.inside = self.slashes == 2;
                self.password = None;
                return None;
            }
            b'?' | b'#' | b'&' | b' ' => self.inside = false,
            b':' if self.inside => _ = self.password.get_or_insert(decoded.end),
            b'@' if self.inside => return self.password.take(),
            _ => {}
        }
        self.slashes = 0;
        None
    }
}

impl Redactor {
    pub(super) fn new(keys: &BTreeSet<String>) -> Self {
        Self { keys: keys.iter().map(|key| key.to_ascii_lowercase()).collect() }
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// Whether a field of this name holds nothing but a secret.
    pub(super) fn names(&self, name: &str) -> bool {
        let mut path = Path::default();
        for byte in name.bytes() {
            if is_word(byte) { path.word.push(byte.to_ascii_lowercase()) } else { path.end_word(&self.keys) }
        }
        path.end_word(&self.keys);
        path.wanted
    }

    /// A text without the values of the keys, in time proportional to its length.
    pub(super) fn redact<'t>(&self, text: &'t [u8]) -> Cow<'t, [u8]> {
        let mut redacted = Vec::new();
        let (mut copied, mut from) = (0, 0);
        // Each value that is found begins the search anew behind it.
        while let Some((start, end)) = self.next_value(text, from, copied) {
            redacted.extend_from_slice(&text[copied..start]);
            redacted.extend_from_slice(INSTEAD);
            (copied, from) = (end, end);
        }
        if copied == 0 {
            return Cow::Borrowed(text);
        }
        redacted.extend_from_slice(&text[copied..]);
        Cow::Owned(redacted)
    }

    /// Where the next value stands.
    fn next_value(&self, text: &[u8], from: usize, copied: usize) -> Option<(usize, usize)> {
        let (mut path, mut authority) = (Path::default(), Authority::default());
        for decoded in decoded_bytes(text, from) {
            if let Some(password) = authority.password_before(decoded).filter(|password| *password >= copied) {
                return Some((password, decoded.start));
            }
            match decoded.byte {
                b'=' | b':' => {
                    path.end_word(&self.keys);
                    if path.wanted {
                        return Some((decoded.end, value_end(text, decoded.end, decoded.depth)));
                    }
                    path.clear();
                }
                b'&' | b';' | b'?' | b'#' | b',' | b'/' | b'{' | b'}' | b'(' | b')' | b'|' => path.clear(),
                byte if is_word(byte) => {
                    // One too long is none that is looked for, and stays so.
                    if path.word.len() <= KEY_LIMIT_BYTES {
                        path.word.push(byte.to_ascii_lowercase());
                    }
                }
                _ => path.end_word(&self.keys),
            }
        }
        None
    }
}

/// Where a value ends: at the next separator that is encoded no more deeply than its `=`. One in
/// quotes ends with them.
fn value_end(text: &[u8], from: usize, depth: u32) -> usize {
    let mut rest = decoded_bytes(text, from).peekable();
    let quoted = rest.peek().is_some_and(|first| first.byte == b'"');
    let mut first = true;
    while let Some(decoded) = rest.next() {
        let shallow = decoded.depth <= depth;
        let next = rest.peek().map(|next| next.byte);
        let ends = match decoded.byte {
            b'&' | b'#' => shallow,
            // A semicolon separates cookies where a space or the end follows; within a query it may
            // be part of a value.
            b';' => shallow && next.is_none_or(|next| next == b' '),
            b'"' => quoted && !first && next.is_none_or(|next| matches!(next, b',' | b'}' | b']' | b'&')),
            _ => false,
        };
        if ends {
            return if decoded.byte == b'"' { decoded.end } else { decoded.start };
        }
        first = false;
    }
    text.len()
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
            ("tokens=abc&mytoken=1&my-token=2", "tokens=abc&mytoken=1&my-token=2"),
            ("t%6Fken=abc", "t%6Fken=REDACTED"),
            ("https://x.invalid/?password=a%26b&c=1", "https://x.invalid/?password=REDACTED&c=1"),
            ("next=%2Flogin%3Ftoken%3Dabc%26x%3D1&b=2", "next=%2Flogin%3Ftoken%3DREDACTED%26x%3D1&b=2"),
            ("u=%252Fa%253Ftoken%253Dabc%2526x%253D1", "u=%252Fa%253Ftoken%253DREDACTED%2526x%253D1"),
            ("token%3Dabc%26x%3D1", "token%3DREDACTED%26x%3D1"),
            ("id=1;%20token=abc;%20z=2", "id=1;%20token=REDACTED;%20z=2"),
            ("password=a;b&c=1", "password=REDACTED&c=1"),
            ("https://x.invalid/cb#token=abc&y=1", "https://x.invalid/cb#token=REDACTED&y=1"),
            ("https://joe:hush@x.invalid/a", "https://joe:REDACTED@x.invalid/a"),
            ("u=https%3A%2F%2Fjoe%3Ahush%40host%2F&a=1", "u=https%3A%2F%2Fjoe%3AREDACTED%40host%2F&a=1"),
            ("https://x.invalid:443/a@b", "https://x.invalid:443/a@b"),
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

    #[test]
    fn keys_are_found_in_any_path() {
        for text in [
            "user[password]=hush",
            "token[]=hush",
            "token[0]=hush",
            "token%5Bvalue%5D=hush",
            "user[token][confirm]=hush",
            "user.token=hush",
            "(token=hush",
            "{token=hush",
            "|token=hush",
            "!token=hush",
            "*token=hush",
            "%0Atoken=hush",
            "%00token=hush",
            "user@token=hush",
            "token%E2%80%8B=hush",
            "token%3A%20hush",
            r"?a=\x22token=hush",
            "a=1;token=hush",
            "%7B%22token%22%3A%22hush%22%7D",
            r#"{"a":1,"token":"hush"}"#,
            r#"{"token":{"a":"hush"}}"#,
            r#"{"token": ["hush"]}"#,
        ] {
            let redacted = redact(text);
            assert!(redacted.contains("REDACTED") && !redacted.contains("hush"), "{text} became {redacted}");
        }
        assert_eq!(redact(r#"{"token":"a","b":"c"}"#), r#"{"token":REDACTED,"b":"c"}"#);
    }

    #[test]
    fn no_text_slows_it() {
        let redactor = Redactor::new(&["token".to_owned()].into());
        let begun = |text: &[u8]| {
            let begun = std::time::Instant::now();
            std::hint::black_box(redactor.redact(text));
            begun.elapsed().as_secs_f64()
        };
        let size = 1 << 20;
        let usual = (0..5).map(|_| begun(&b"a=1&bcd=efgh&".repeat(size / 13))).fold(f64::INFINITY, f64::min);
        for part in ["@", "//a:@", "//a:b", "token=", "token=&", "%25", "\"", "token:\"", "\\x22", "=", "[", "//:"] {
            let hostile = part.repeat(size / part.len());
            let mixed = format!("//{}{}", "a".repeat(size / 2), "@".repeat(size / 2));
            let slowest = begun(hostile.as_bytes()).max(begun(mixed.as_bytes()));
            assert!(slowest < 20.0 * usual + 0.05, "{part}: {slowest} s, usually {usual} s");
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
