//! Drawing: seeded dice, and tables that draw from weights in constant time.
//!
//! Everything random comes from here, so that the same seed gives the same bytes on every run. Rows
//! draw often: each draw is one step of the generator and one multiplication, never a division or a
//! logarithm.

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Scrambles a number so that neighbours become strangers (the finaliser of splitmix64).
pub(super) const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    value ^ (value >> 31)
}

/// One number from several, each in its own place.
pub(super) fn mix_all(parts: &[u64]) -> u64 {
    parts.iter().fold(0, |so_far, part| mix(so_far ^ *part))
}

/// The lower half of a number.
#[expect(clippy::cast_possible_truncation, reason = "the upper half is what shall go")]
pub(super) const fn low32(value: u64) -> u32 {
    value as u32
}

/// A number below `end`, drawn from the upper half of `bits`.
pub(super) const fn scale(bits: u64, end: u32) -> u32 {
    low32(((bits >> 32) * end as u64) >> 32)
}

/// A seeded source of chance.
pub(super) struct Dice(Xoshiro256PlusPlus);

impl Dice {
    /// Dice that fall the same way for the same parts.
    pub(super) fn of(parts: &[u64]) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(mix_all(parts)))
    }

    /// 64 fresh bits.
    pub(super) fn bits(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        scale(self.bits(), end)
    }

    /// True in `share` of a thousand cases.
    pub(super) fn per_mille(&mut self, share: u32) -> bool {
        self.below(1_000) < share
    }

    /// One of some things; the slice must not be empty.
    pub(super) fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.low_index(things.len(), 1)]
    }

    /// An index below `len` where low ones come more often: the smallest of `tries` draws.
    pub(super) fn low_index(&mut self, len: usize, tries: u32) -> usize {
        let end = u32::try_from(len).unwrap_or(u32::MAX);
        (0..tries).map(|_| self.below(end)).min().unwrap_or(0) as usize
    }

    /// A log-normal whole number between `least` and `most`; half of them are below `median`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a range of u32 before the cast"
    )]
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64, least: u32, most: u32) -> u32 {
        let normal: f64 = StandardNormal.sample(&mut self.0);
        (median * (sigma * normal).exp()).clamp(f64::from(least), f64::from(most)) as u32
    }
}

/// Draws an index in proportion to its weight (Walker's alias method).
pub(super) struct Alias(Vec<Cell>);

#[derive(Clone, Copy)]
struct Cell {
    /// Draws below this stay in the cell; the others go to `other`.
    keep: u32,
    other: u32,
}

impl Alias {
    /// A table over weights, of which at least one is positive.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "shares lie between 0 and 1 and tables hold far fewer than 2^32 cells"
    )]
    pub(super) fn new(weights: &[f64]) -> Self {
        let mean = weights.iter().sum::<f64>() / weights.len() as f64;
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight / mean).collect();
        let mut cells: Vec<Cell> = (0..weights.len()).map(|own| Cell { keep: u32::MAX, other: own as u32 }).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..weights.len()).partition(|own| shares[*own] < 1.0);
        while let (Some(poor), Some(rich)) = (small.pop(), large.last().copied()) {
            cells[poor] = Cell { keep: (shares[poor] * f64::from(u32::MAX)) as u32, other: rich as u32 };
            shares[rich] -= 1.0 - shares[poor];
            if shares[rich] < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        Self(cells)
    }

    /// A table in which index k weighs 1 / (k + offset)^exponent, for `len` indices.
    #[expect(clippy::cast_precision_loss, reason = "ranks are far below 2^52")]
    pub(super) fn zipf(len: usize, exponent: f64, offset: f64) -> Self {
        let weights: Vec<f64> = (0..len).map(|rank| (rank as f64 + offset).powf(-exponent)).collect();
        Self::new(&weights)
    }

    /// The index that 64 random bits point at: the upper half chooses the cell, the lower half
    /// whether to stay in it.
    pub(super) fn pick(&self, bits: u64) -> usize {
        let own = scale(bits, u32::try_from(self.0.len()).unwrap_or(u32::MAX)) as usize;
        let cell = self.0[own];
        if low32(bits) <= cell.keep { own } else { cell.other as usize }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_table_draws_by_weight() {
        let table = Alias::new(&[1.0, 0.0, 6.0, 3.0]);
        let mut dice = Dice::of(&[7]);
        let mut counts = [0_i32; 4];
        for _ in 0..100_000 {
            counts[table.pick(dice.bits())] += 1;
        }
        for (count, wanted) in counts.into_iter().zip([10_000, 0, 60_000, 30_000]) {
            assert!((count - wanted).abs() < 1_000, "{counts:?}");
        }
    }

    #[test]
    fn the_same_parts_fall_the_same_way_and_order_matters() {
        assert_eq!(Dice::of(&[1, 2]).bits(), Dice::of(&[1, 2]).bits());
        assert_ne!(Dice::of(&[1, 2]).bits(), Dice::of(&[2, 1]).bits());
    }

    #[test]
    fn drawn_numbers_stay_in_their_range() {
        let mut dice = Dice::of(&[3]);
        for _ in 0..10_000 {
            assert!(dice.below(10) < 10);
            assert!(dice.low_index(5, 3) < 5);
            assert!((20..=900).contains(&dice.log_normal(100.0, 2.0, 20, 900)));
        }
    }
}
