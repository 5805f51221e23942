//! Percent-decoding of a logged value.
//!
//! CloudFront percent-encodes once and encodes `%` itself, so one decode is lossless by the specification. Logs of
//! 2013 to 2019 carry a second layer: it is taken off only where the first decode left `%20` and no space, since `%2520`
//! beside `%20` is how a correct log writes an application's own `%20`. Never more than that. `+` is no space.

use std::borrow::Cow;

/// Decodes a logged value by the rule above. Malformed escapes stay as they are; bytes that are not UTF-8 become U+FFFD.
#[must_use]
pub fn decode_logged(raw: &[u8]) -> String {
    let once = percent_decode(raw);
    let twice = if !once.contains(&b' ') && memchr::memmem::find(&once, b"%20").is_some() {
        Cow::Owned(percent_decode(&once).into_owned())
    } else {
        once
    };
    String::from_utf8_lossy(&twice).into_owned()
}

fn percent_decode(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let mut decoded = Vec::with_capacity(raw.len());
    let mut rest = raw;
    while let Some((first, after)) = rest.split_first() {
        let escape = match after {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        if let Some((high, low)) = escape {
            decoded.push(high << 4 | low);
            rest = &rest[3..];
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
            assert_eq!(decode_logged(raw.as_bytes()), decoded, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode_logged(&bytes);
        }
    }
}
