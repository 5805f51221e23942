//! User agents: templates spread over versions, systems and devices into a few thousand distinct
//! strings.

use super::bots::BOTS;
use super::browsers::BROWSERS;
use super::draw::{Alias, mix_all};
use super::encode::encoded;
use super::family::{Family, Manner};

/// One user agent as the log shows it.
pub(super) struct AgentText {
    /// Percent-encoded text.
    pub(super) text: Vec<u8>,
    /// What it does.
    pub(super) manner: Manner,
}

/// Every user agent, and how often each is met.
pub(super) struct AgentPool {
    all: Vec<AgentText>,
    /// The first of `all` that is a bot.
    first_bot: usize,
    people: Alias,
    bots: Alias,
}

impl AgentPool {
    /// All of them; they depend on nothing.
    pub(super) fn new() -> Self {
        let (mut all, mut people) = (Vec::new(), Vec::new());
        for family in BROWSERS {
            spread(family, &mut all, &mut people);
        }
        let (first_bot, mut bots) = (all.len(), Vec::new());
        for family in BOTS {
            spread(family, &mut all, &mut bots);
        }
        Self { all, first_bot, people: Alias::new(&people), bots: Alias::new(&bots) }
    }

    /// The usual and the other user agent of the person with this hash.
    pub(super) fn of_person(&self, hash: u64) -> [u16; 2] {
        [2, 3].map(|salt| u16::try_from(self.people.pick(mix_all(&[hash, salt]))).unwrap_or(0))
    }

    /// The one user agent of the bot with this hash, twice.
    pub(super) fn of_bot(&self, hash: u64) -> [u16; 2] {
        let agent = self.first_bot + self.bots.pick(mix_all(&[hash, 2]));
        [u16::try_from(agent).unwrap_or(0); 2]
    }

    /// A user agent by its number.
    pub(super) fn get(&self, agent: u16) -> &AgentText {
        &self.all[usize::from(agent)]
    }
}

/// Adds every combination of a family. The first in each list weighs most, the others ever less.
fn spread(family: &Family, agents: &mut Vec<AgentText>, weights: &mut Vec<f64>) {
    let lists = [family.a, family.b, family.c].map(|list| if list.is_empty() { &[""] } else { list });
    let before = weights.len();
    let mut sum = 0.0;
    for (a, share_a) in lists[0].iter().zip(shares()) {
        for (b, share_b) in lists[1].iter().zip(shares()) {
            for (c, share_c) in lists[2].iter().zip(shares()) {
                let text = family.template.replace("{a}", a).replace("{b}", b).replace("{c}", c);
                agents.push(AgentText { text: encoded(&text), manner: family.manner });
                weights.push(share_a * share_b * share_c);
                sum += share_a * share_b * share_c;
            }
        }
    }
    for weight in &mut weights[before..] {
        *weight *= family.weight / sum;
    }
}

/// 1, 1/2, 1/3, ...
fn shares() -> impl Iterator<Item = f64> {
    (1_u32..).map(|rank| 1.0 / f64::from(rank))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn about_three_thousand_distinct_agents_all_filled_in_and_encoded() {
        let agents = AgentPool::new();
        let unique: HashSet<&[u8]> = agents.all.iter().map(|agent| agent.text.as_slice()).collect();
        assert_eq!(unique.len(), agents.all.len(), "no two templates give the same text");
        assert!((2_700..3_500).contains(&unique.len()), "{} agents", unique.len());
        for text in unique {
            assert!(text.iter().all(u8::is_ascii_graphic), "{}", String::from_utf8_lossy(text));
            // A placeholder left over would have been encoded with its braces.
            let left_over = |part: &[u8]| [&b"%7Ba%7D"[..], b"%7Bb%7D", b"%7Bc%7D"].contains(&part);
            assert!(!text.windows(7).any(left_over), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn people_are_no_bots() {
        let agents = AgentPool::new();
        for hash in 0..500 {
            assert!(agents.of_person(hash).iter().all(|agent| agents.get(*agent).manner == Manner::Person));
            assert!(agents.of_bot(hash).iter().all(|agent| usize::from(*agent) >= agents.first_bot));
        }
    }
}
