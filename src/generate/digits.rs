//! Numbers written by hand: the formatting machinery would cost more than the rest of a row.

use super::draw::low32;

const LOWER_HEX: &[u8; 16] = b"0123456789abcdef";

/// The digit of a number below ten, or below sixteen.
const fn digit(value: u32) -> u8 {
    LOWER_HEX[(value & 15) as usize]
}

/// Decimal digits without padding.
pub(super) fn push_number(out: &mut Vec<u8>, mut value: u64) {
    let mut buffer = [0; 20];
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = digit(low32(value % 10));
        value /= 10;
        if value == 0 {
            break;
        }
    }
    out.extend_from_slice(&buffer[at..]);
}

/// Two decimal digits, for numbers below 100.
pub(super) fn push_two(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&[digit(value / 10), digit(value % 10)]);
}

/// Milliseconds as seconds with three decimals: 1234 is `1.234`.
pub(super) fn push_seconds(out: &mut Vec<u8>, millis: u32) {
    push_number(out, u64::from(millis / 1_000));
    let rest = millis % 1_000;
    out.extend_from_slice(&[b'.', digit(rest / 100), digit(rest / 10 % 10), digit(rest % 10)]);
}

/// Lower-case hexadecimal digits without padding.
fn push_short_hex(out: &mut Vec<u8>, value: u32) {
    let digits = (32 - value.leading_zeros()).div_ceil(4).max(1);
    for place in (0..digits).rev() {
        out.push(digit(value >> (place * 4)));
    }
}

/// Sixteen lower-case hexadecimal digits.
pub(super) fn push_hex(out: &mut Vec<u8>, value: u64) {
    for place in (0..16).rev() {
        out.push(digit(low32(value >> (place * 4))));
    }
}

/// An IPv4 address.
pub(super) fn push_ipv4(out: &mut Vec<u8>, address: u32) {
    for (place, byte) in address.to_be_bytes().into_iter().enumerate() {
        if place > 0 {
            out.push(b'.');
        }
        push_number(out, u64::from(byte));
    }
}

/// An IPv6 address of eight groups; the caller sees to it that none is zero, so that there is
/// nothing to abbreviate.
pub(super) fn push_ipv6(out: &mut Vec<u8>, groups: [u16; 8]) {
    for (place, group) in groups.into_iter().enumerate() {
        if place > 0 {
            out.push(b':');
        }
        push_short_hex(out, u32::from(group));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_are_written_as_the_formatter_would() {
        for value in [0, 7, 10, 99, 100, 12_345, u64::MAX] {
            assert_eq!(written(|out| push_number(out, value)), value.to_string());
        }
        for (millis, wanted) in [(0, "0.000"), (5, "0.005"), (1_234, "1.234"), (60_010, "60.010")] {
            assert_eq!(written(|out| push_seconds(out, millis)), wanted);
        }
        assert_eq!(written(|out| push_two(out, 7)), "07");
        assert_eq!(written(|out| push_hex(out, 0xAB)), "00000000000000ab");
    }

    #[test]
    fn addresses_are_written_as_the_standard_library_would() {
        for address in [0x6440_0001, 0xC612_FF00] {
            assert_eq!(written(|out| push_ipv4(out, address)), std::net::Ipv4Addr::from(address).to_string());
        }
        let groups = [0x2001, 0xdb8, 1, 0x20, 0x300, 0x4000, 0xffff, 0xa];
        assert_eq!(written(|out| push_ipv6(out, groups)), std::net::Ipv6Addr::from(groups).to_string());
    }
}
