//! Percent encoding as the edge does it: one layer over the raw bytes, `%` included.

const UPPER_HEX: &[u8; 16] = b"0123456789ABCDEF";

/// Whether the edge escapes a byte: controls, space, everything past ASCII, and the characters that
/// break a log line or a URL.
const fn is_escaped(byte: u8) -> bool {
    matches!(
        byte,
        0..=32
            | 127..
            | b'<'
            | b'>'
            | b'"'
            | b'#'
            | b'%'
            | b'{'
            | b'}'
            | b'|'
            | b'\\'
            | b'^'
            | b'~'
            | b'['
            | b']'
            | b'`'
            | b'\''
    )
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let [high, low] = [byte >> 4, byte & 15].map(|nibble| UPPER_HEX[usize::from(nibble)]);
    out.extend_from_slice(&[b'%', high, low]);
}

/// A raw value as CloudFront's log shows it: percent-encoded.
#[must_use]
pub fn encoded(raw: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(raw.len() + raw.len() / 4);
    for byte in raw.bytes() {
        if is_escaped(byte) {
            push_escape(&mut out, byte);
        } else {
            out.push(byte);
        }
    }
    out
}

/// A path as a browser sends it: spaces and bytes past ASCII escaped, so that the log shows those
/// escapes twice.
pub(super) fn as_sent_by_browser(path: &str) -> String {
    let mut out = String::with_capacity(path.len() * 2);
    let mut escape = Vec::new();
    for char in path.chars() {
        if char.is_ascii_graphic() {
            out.push(char);
            continue;
        }
        escape.clear();
        for byte in char.encode_utf8(&mut [0; 4]).bytes() {
            push_escape(&mut escape, byte);
        }
        out.extend(escape.iter().map(|byte| char::from(*byte)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_layer_over_the_raw_bytes() {
        for (raw, wanted) in [
            ("Mozilla/5.0 (X11; U)", "Mozilla/5.0%20(X11;%20U)"),
            ("a=b&c=%20d+e", "a=b&c=%2520d+e"),
            ("<>\"#%{}|\\^~[]`'", "%3C%3E%22%23%25%7B%7D%7C%5C%5E%7E%5B%5D%60%27"),
            ("\t\n\u{0}\u{7f}", "%09%0A%00%7F"),
            ("größe", "gr%C3%B6%C3%9Fe"),
            ("/plain-path_1.2/(x)!$&*+,;=:@?", "/plain-path_1.2/(x)!$&*+,;=:@?"),
        ] {
            assert_eq!(String::from_utf8(encoded(raw)).unwrap(), wanted, "{raw:?}");
        }
    }

    #[test]
    fn a_browser_escapes_first_so_the_log_shows_two_layers() {
        assert_eq!(as_sent_by_browser("/caf\u{e9} 1"), "/caf%C3%A9%201");
        assert_eq!(encoded(&as_sent_by_browser("/caf\u{e9}")), b"/caf%25C3%25A9");
    }
}
