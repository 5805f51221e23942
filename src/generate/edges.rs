//! Edge locations: the codes of airports near them, with a number and a suffix.

use super::draw::{Alias, Dice, mix_all};

/// Airports near which edges stand, the busiest first.
const AIRPORTS: [&str; 104] = [
    "FRA", "IAD", "LHR", "CDG", "AMS", "DFW", "LAX", "NRT", "SIN", "ATL", "ORD", "JFK", "MUC", "MXP", "MAD", "SFO",
    "SEA", "EWR", "MIA", "HEL", "ARN", "VIE", "ZRH", "DUS", "TXL", "HAM", "MAN", "DUB", "CPH", "OSL", "WAW", "PRG",
    "BUD", "FCO", "LIS", "BCN", "MRS", "ATH", "SOF", "OTP", "BRU", "KIX", "HND", "ICN", "TPE", "HKG", "BOM", "DEL",
    "MAA", "BLR", "HYD", "CCU", "SYD", "MEL", "PER", "BNE", "AKL", "BKK", "KUL", "CGK", "MNL", "HAN", "SGN", "GRU",
    "GIG", "EZE", "SCL", "BOG", "LIM", "QRO", "MEX", "YUL", "YTO", "YVR", "DEN", "PHX", "IAH", "HIO", "MSP", "DTW",
    "PHL", "BOS", "BNA", "CMH", "CLT", "TPA", "JAX", "SLC", "LAS", "HOU", "IND", "PIT", "TLV", "DXB", "FJR", "BAH",
    "DOH", "MCT", "NBO", "JNB", "CPT", "LOS", "CAI", "ZAG",
];

/// Edges near each airport.
const EDGES_PER_AIRPORT: usize = 6;

/// All edges, and how often each is the nearest.
pub(super) struct Edges {
    names: Vec<Vec<u8>>,
    shares: Alias,
}

impl Edges {
    /// The edges of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::of(&[seed, 0xED6E]);
        let mut names = Vec::with_capacity(AIRPORTS.len() * EDGES_PER_AIRPORT);
        for airport in AIRPORTS {
            let mut number = 0;
            for _ in 0..EDGES_PER_AIRPORT {
                // Numbers rise by at least one, so that no two edges of an airport share their
                // name.
                number += 1 + dice.below(16);
                let suffix = 1 + dice.below(10);
                names.push(match dice.below(10) {
                    0 => format!("{airport}{number}").into_bytes(),
                    1..=4 => format!("{airport}{number}-C{}", suffix.min(4)).into_bytes(),
                    _ => format!("{airport}{number}-P{suffix}").into_bytes(),
                });
            }
        }
        let shares = Alias::zipf(names.len(), 0.9, 4.0);
        Self { names, shares }
    }

    /// The nearest edge and another one near the same airport, for a client with this hash.
    pub(super) fn near(&self, hash: u64) -> [u16; 2] {
        let first = self.shares.pick(mix_all(&[hash, 1]));
        let group = first - first % EDGES_PER_AIRPORT;
        let second = group + (first + 1) % EDGES_PER_AIRPORT;
        [first, second].map(|edge| u16::try_from(edge).unwrap_or(0))
    }

    /// An edge's name.
    pub(super) fn name(&self, edge: u16) -> &[u8] {
        &self.names[usize::from(edge)]
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_look_like_edges() {
        let edges = Edges::new(1);
        let unique: HashSet<&Vec<u8>> = edges.names.iter().collect();
        assert_eq!(unique.len(), 624);
        for name in unique {
            assert!(name.len() >= 4 && name[..3].iter().all(u8::is_ascii_uppercase) && name[3].is_ascii_digit());
        }
    }

    #[test]
    fn a_clients_two_edges_are_neighbours() {
        let edges = Edges::new(1);
        for hash in 0..200 {
            let [first, second] = edges.near(hash);
            assert_ne!(first, second);
            assert_eq!(edges.name(first)[..3], edges.name(second)[..3]);
        }
    }
}
