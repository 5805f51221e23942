//! Text as it was before any encoding, byte by byte, each with the place that it takes in the log.

/// One byte of the text as it was.
#[derive(Clone, Copy, Debug)]
pub(super) struct DecodedByte {
    pub(super) byte: u8,
    /// How often it is percent-encoded.
    pub(super) depth: u32,
    /// Where it begins in the log.
    pub(super) start: usize,
    /// Where it ends there.
    pub(super) end: usize,
}

/// The bytes of a text from a place on. Each is read once, however deeply it is encoded.
pub(super) fn decoded_bytes(text: &[u8], from: usize) -> impl Iterator<Item = DecodedByte> + '_ {
    let mut at = from;
    std::iter::from_fn(move || {
        let decoded = decoded_byte(text, at)?;
        at = decoded.end;
        Some(decoded)
    })
}

/// The byte at a place, taken out of all its layers: `%2526` is `&`, encoded twice; `\x22` is how
/// load balancers write a quote.
fn decoded_byte(text: &[u8], start: usize) -> Option<DecodedByte> {
    let rest = text.get(start..)?;
    let plain = DecodedByte { byte: *rest.first()?, depth: 0, start, end: start + 1 };
    if let Some(byte) = rest.strip_prefix(b"\\x").and_then(hex) {
        return Some(DecodedByte { byte, end: start + 4, ..plain });
    }
    if plain.byte != b'%' {
        return Some(plain);
    }
    let (mut depth, mut at) = (1, 1);
    while rest[at..].starts_with(b"25") && hex(&rest[at + 2..]).is_some() {
        (depth, at) = (depth + 1, at + 2);
    }
    let found = hex(&rest[at..]).map(|byte| DecodedByte { byte, depth, start, end: start + at + 2 });
    Some(found.unwrap_or(plain))
}

fn hex(text: &[u8]) -> Option<u8> {
    let digits = text.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_counted_and_taken_off() {
        let of = |text: &str| -> Vec<(char, u32)> {
            decoded_bytes(text.as_bytes(), 0).map(|decoded| (char::from(decoded.byte), decoded.depth)).collect()
        };
        assert_eq!(of("a%26%2526%252526"), [('a', 0), ('&', 1), ('&', 2), ('&', 3)]);
        assert_eq!(of("%2%zz%"), [('%', 0), ('2', 0), ('%', 0), ('z', 0), ('z', 0), ('%', 0)]);
        assert_eq!(of("%25"), [('%', 1)]);
        assert_eq!(of(r"\x22\xzz"), [('"', 0), ('\\', 0), ('x', 0), ('z', 0), ('z', 0)]);
    }
}
