//! Small numbers as Parquet writes levels and dictionary numbers: runs of one value, and groups of
//! eight packed by bits.
//!
//! Format: the Parquet specification, "Run Length Encoding / Bit-Packing Hybrid (RLE = 3)": a
//! varint header whose lowest bit tells the kind; a run is its length and the value in whole bytes,
//! packed values are counted in groups of eight, lowest bits first.

/// A shorter run is packed with its neighbours: its header would cost more than it saves.
const SHORTEST_RUN: usize = 8;

/// The bits that numbers up to `greatest` need.
#[must_use]
pub(super) const fn bits_for(greatest: u32) -> u32 {
    u32::BITS - greatest.leading_zeros()
}

/// Appends numbers, each of at most `bits` bits.
pub(super) fn push_hybrid(out: &mut Vec<u8>, numbers: &[u32], bits: u32) {
    let (mut packed_from, mut place) = (0, 0);
    while place < numbers.len() {
        let value = numbers[place];
        let mut run = numbers[place..].iter().take_while(|number| **number == value).count();
        let start = place;
        place += run;
        // Packed values come in eights: the run gives what the group before it lacks.
        let lacking = (start - packed_from).next_multiple_of(8) - (start - packed_from);
        if run < SHORTEST_RUN + lacking {
            continue;
        }
        run -= lacking;
        push_packed(out, &numbers[packed_from..start + lacking], bits);
        push_run(out, run, value, bits);
        packed_from = place;
    }
    push_packed(out, &numbers[packed_from..], bits);
}

/// Appends one value many times.
pub(super) fn push_run(out: &mut Vec<u8>, count: usize, value: u32, bits: u32) {
    push_varint(out, count << 1);
    out.extend_from_slice(&value.to_le_bytes()[..bits.div_ceil(8) as usize]);
}

fn push_packed(out: &mut Vec<u8>, numbers: &[u32], bits: u32) {
    if numbers.is_empty() {
        return;
    }
    let groups = numbers.len().div_ceil(8);
    push_varint(out, groups << 1 | 1);
    let end = out.len() + groups * bits as usize;
    let (mut held, mut held_bits) = (0_u64, 0);
    for number in numbers {
        held |= u64::from(*number) << held_bits;
        held_bits += bits;
        if held_bits >= 32 {
            out.extend_from_slice(&held.to_le_bytes()[..4]);
            held >>= 32;
            held_bits -= 32;
        }
    }
    out.extend_from_slice(&held.to_le_bytes()[..held_bits.div_ceil(8) as usize]);
    out.resize(end, 0);
}

fn push_varint(out: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The specification read the slow way.
    fn read(mut bytes: &[u8], bits: u32, count: usize) -> Vec<u32> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            let (mut header, mut shift) = (0_usize, 0);
            loop {
                let byte = bytes[0];
                bytes = &bytes[1..];
                header |= usize::from(byte & 0x7f) << shift;
                shift += 7;
                if byte < 0x80 {
                    break;
                }
            }
            if header & 1 == 0 {
                let width = bits.div_ceil(8) as usize;
                let value = bytes[..width].iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte));
                numbers.extend(std::iter::repeat_n(value, header >> 1));
                bytes = &bytes[width..];
            } else {
                let groups = header >> 1;
                let bit = |at: usize| u32::from(bytes[at / 8] >> (at % 8) & 1);
                for value in 0..groups * 8 {
                    numbers.push((0..bits as usize).map(|n| bit(value * bits as usize + n) << n).sum());
                }
                bytes = &bytes[groups * bits as usize..];
            }
        }
        assert!(bytes.is_empty(), "nothing is left over");
        assert!(numbers[count..].iter().all(|number| *number == 0), "groups are filled with zeros");
        numbers.truncate(count);
        numbers
    }

    #[test]
    fn bits_are_no_more_than_needed() {
        assert_eq!([0, 1, 2, 3, 4, 255, 256, u32::MAX].map(bits_for), [0, 1, 2, 2, 3, 8, 9, 32]);
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            runs in proptest::collection::vec((0_u32..=u32::MAX, 1_usize..40), 0..30),
            bits in 0_u32..=32,
        ) {
            let mask = u32::try_from((1_u64 << bits) - 1).unwrap();
            let numbers: Vec<u32> =
                runs.iter().flat_map(|(value, count)| std::iter::repeat_n(value & mask, *count)).collect();
            let mut bytes = Vec::new();
            push_hybrid(&mut bytes, &numbers, bits);
            prop_assert_eq!(read(&bytes, bits, numbers.len()), numbers);
        }
    }
}
