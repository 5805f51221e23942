//! Taking the escapes off a logged value.
//!
//! CloudFront percent-encodes once and encodes `%` itself, so one decode is lossless by the
//! specification. Logs of 2013 to 2019 carry a second layer: it is taken off only where the first
//! decode left `%20` and no space, since `%2520` beside `%20` is how a correct log writes an
//! application's own `%20`. Never more than that. `+` is no space.
//!
//! Load balancers write what a log may not hold as `\xHH`, and a backslash of its own as `\x5C`.

use std::borrow::Cow;

use crate::kernel::schema::Escapes;

/// Decodes a logged value by the rules above. Malformed escapes stay as they are; bytes that are
/// not UTF-8 become U+FFFD.
#[must_use]
pub fn decode_logged(raw: &[u8], escapes: Escapes) -> String {
    if escapes == Escapes::Hex {
        return text(&unescape(raw, b"\\x"));
    }
    let once = unescape(raw, b"%");
    let twice = if !once.contains(&b' ') && memchr::memmem::find(&once, b"%20").is_some() {
        Cow::Owned(unescape(&once, b"%").into_owned())
    } else {
        once
    };
    text(&twice)
}

/// Bytes as text; those that are not UTF-8 become U+FFFD. Checked first: nearly all are, and the
/// careful way is many times slower.
pub(super) fn text(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned)
}

/// Puts a byte in the place of every mark that two hexadecimal digits follow.
fn unescape<'r>(raw: &'r [u8], mark: &[u8]) -> Cow<'r, [u8]> {
    if memchr::memmem::find(raw, mark).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        let escape = match rest.strip_prefix(mark) {
            Some([high, low, ..]) => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            decoded.push(high << 4 | low);
            rest = &rest[mark.len() + 2..];
        } else {
            decoded.push(*first);
            rest = after;
        }
    }
    Cow::Owned(decoded)
}

const fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_layer_and_only_where_it_shows_a_second() {
        for (raw, decoded) in [
            ("Mozilla/5.0%20(X11;%20Linux)", "Mozilla/5.0 (X11; Linux)"),
            ("Mozilla/5.0%2520(X11;%2520Linux)", "Mozilla/5.0 (X11; Linux)"),
            ("My%2520App/1%20CFNetwork", "My%20App/1 CFNetwork"),
            ("a%252520b", "a%2520b"),
            ("curl/8.5.0", "curl/8.5.0"),
            ("a+b", "a+b"),
            ("100%", "100%"),
            ("%zz%2", "%zz%2"),
            ("%C3%A9%ff", "\u{e9}\u{fffd}"),
            ("%09%00", "\t\0"),
        ] {
            assert_eq!(decode_logged(raw.as_bytes(), Escapes::Percent), decoded, "{raw}");
        }
    }

    #[test]
    fn load_balancers_escape_with_a_backslash() {
        for (raw, decoded) in [
            (r"a \x22b\x22", r#"a "b""#),
            (r"\x5Cx22", r"\x22"),
            (r"\xC3\xA9 \xff", "\u{e9} \u{fffd}"),
            (r"100% \x2 \xzz \", r"100% \x2 \xzz \"),
            ("Mozilla/5.0%20(X11)", "Mozilla/5.0%20(X11)"),
        ] {
            assert_eq!(decode_logged(raw.as_bytes(), Escapes::Hex), decoded, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = (decode_logged(&bytes, Escapes::Percent), decode_logged(&bytes, Escapes::Hex));
        }
    }
}
