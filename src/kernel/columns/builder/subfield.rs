//! Logged values that hold several: an address with its port, a request line.

use core::net::Ipv6Addr;

use memchr::{memchr, memrchr};

use crate::kernel::schema::Subfield;

/// Nothing, as logs write it.
const NOTHING: &[u8] = b"-";

/// A part of a value; `-` where it has no such part.
pub(super) fn part(value: &[u8], part: Subfield) -> &[u8] {
    match part {
        Subfield::Whole => value,
        Subfield::Address => address(value),
        Subfield::Port => port(value),
        Subfield::Verb => request(value)[0],
        Subfield::Url => request(value)[1],
        Subfield::Version => request(value)[2],
    }
}

fn is_number(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(u8::is_ascii_digit)
}

/// Where the port begins. A bare IPv6 address without one has colons too: what stands before its
/// last is no address.
fn port_colon(value: &[u8]) -> Option<usize> {
    let colon = memrchr(b':', value)?;
    let is_v6 = |text: &[u8]| std::str::from_utf8(text).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    let bare = memchr(b':', value) != Some(colon) && !is_v6(&value[..colon]) && is_v6(value);
    (!bare).then_some(colon)
}

fn address(value: &[u8]) -> &[u8] {
    match port_colon(value) {
        Some(colon) => {
            let address = &value[..colon];
            address.strip_prefix(b"[").and_then(|address| address.strip_suffix(b"]")).unwrap_or(address)
        }
        // A port alone.
        None if is_number(value) => NOTHING,
        None => value,
    }
}

fn port(value: &[u8]) -> &[u8] {
    match port_colon(value) {
        Some(colon) => &value[colon + 1..],
        None if is_number(value) => value,
        None => NOTHING,
    }
}

/// Method, URL, version. Seen besides the ordinary: `- - -`, no version (`- http://host:80- `), a
/// space behind either.
fn request(value: &[u8]) -> [&[u8]; 3] {
    let Some(first) = memchr(b' ', value) else { return [NOTHING, value, NOTHING] };
    let (verb, mut rest) = (&value[..first], &value[first + 1..]);
    if let Some(trimmed) = rest.strip_suffix(b" ") {
        let last = memrchr(b' ', trimmed).map_or(trimmed, |space| &trimmed[space + 1..]);
        if last.starts_with(b"HTTP/") || last == NOTHING {
            rest = trimmed;
        }
    }
    match memrchr(b' ', rest) {
        None => [verb, rest, NOTHING],
        Some(last) if last + 1 == rest.len() => [verb, &rest[..last], NOTHING],
        Some(last) => [verb, &rest[..last], &rest[last + 1..]],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str, parts: &[Subfield]) -> Vec<String> {
        parts.iter().map(|one| String::from_utf8(part(value.as_bytes(), *one).to_vec()).unwrap()).collect()
    }

    #[test]
    fn addresses_end_at_the_last_colon() {
        for (value, parts) in [
            ("192.0.2.1:2817", ["192.0.2.1", "2817"]),
            ("2001:db8::1:50718", ["2001:db8::1", "50718"]),
            ("[2001:db8::1]:443", ["2001:db8::1", "443"]),
            ("-", ["-", "-"]),
            ("50718", ["-", "50718"]),
            ("192.0.2.1", ["192.0.2.1", "-"]),
            ("2001:db8::1", ["2001:db8::1", "-"]),
            ("::1", ["::1", "-"]),
            ("", ["", "-"]),
        ] {
            assert_eq!(text(value, &[Subfield::Address, Subfield::Port]), parts, "{value}");
        }
    }

    #[test]
    fn requests_of_every_kind_that_was_seen() {
        for (value, parts) in [
            ("GET http://a:80/ HTTP/1.1", ["GET", "http://a:80/", "HTTP/1.1"]),
            ("GET http://a:80/b c d HTTP/1.1", ["GET", "http://a:80/b c d", "HTTP/1.1"]),
            ("- - -", ["-", "-", "-"]),
            ("- - - ", ["-", "-", "-"]),
            ("- http://host:80- -", ["-", "http://host:80-", "-"]),
            ("- http://host:8080- ", ["-", "http://host:8080-", "-"]),
            ("- http://host:80-/ ", ["-", "http://host:80-/", "-"]),
            ("GET http://x:80/ HTTP/1.0 ", ["GET", "http://x:80/", "HTTP/1.0"]),
            ("GET http://x:80/", ["GET", "http://x:80/", "-"]),
            (
                "GET https://[::ffff:a9fe:a9fe]:443/%%32%65 HTTP/1.1",
                ["GET", "https://[::ffff:a9fe:a9fe]:443/%%32%65", "HTTP/1.1"],
            ),
            ("-", ["-", "-", "-"]),
            ("junk", ["-", "junk", "-"]),
            ("", ["-", "", "-"]),
            (" ", ["", "", "-"]),
        ] {
            assert_eq!(text(value, &[Subfield::Verb, Subfield::Url, Subfield::Version]), parts, "{value}");
        }
    }
}
