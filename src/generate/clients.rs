//! Clients: an address, a home near two edges, one or two user agents, a kind of connection.
//!
//! A client is computed from its number, so a pool of millions costs no memory. All addresses come
//! from ranges that belong to nobody: shared address space, benchmarking and documentation.

use super::agents::AgentPool;
use super::digits::{push_ipv4, push_ipv6};
use super::draw::{Dice, low32, mix_all, scale};
use super::edges::Edges;

/// Rows for each person of the pool. Some of the pool never come, so this is below the rows for
/// each address seen.
const ROWS_PER_PERSON: u64 = 19;
/// People for each bot: bots are few and busy.
const PEOPLE_PER_BOT: u32 = 50;
const FEWEST_PEOPLE: u64 = 60;
const MOST_PEOPLE: u64 = 8_000_000;
/// Sessions of bots, of a thousand; sessions of people and bots are equally long.
const BOT_SESSIONS: u32 = 120;

/// One client.
#[derive(Clone, Copy)]
pub(super) struct Client {
    /// Everything about the client follows from it.
    pub(super) hash: u64,
    /// The nearest edge and another.
    pub(super) edges: [u16; 2],
    /// The usual user agent and the other one.
    pub(super) agents: [u16; 2],
}

/// Everybody who may come.
pub(super) struct Clients {
    seed: u64,
    people: u32,
    bots: u32,
}

impl Clients {
    /// A crowd that fits the number of rows.
    pub(super) fn new(seed: u64, rows: u64) -> Self {
        let people = low32((rows / ROWS_PER_PERSON).clamp(FEWEST_PEOPLE, MOST_PEOPLE));
        Self { seed, people, bots: people / PEOPLE_PER_BOT + 12 }
    }

    /// Somebody, more often one of the regulars.
    pub(super) fn draw(&self, dice: &mut Dice, edges: &Edges, agents: &AgentPool) -> Client {
        let is_bot = dice.per_mille(BOT_SESSIONS);
        let pool = if is_bot { self.bots } else { self.people };
        let tries = if dice.per_mille(400) { 2 } else { 1 };
        let number = dice.low_index(pool as usize, tries);
        let hash = mix_all(&[self.seed, u64::from(is_bot), number as u64]);
        let agents = if is_bot { agents.of_bot(hash) } else { agents.of_person(hash) };
        Client { hash, edges: edges.near(hash), agents }
    }
}

/// A client's address as text, kept without an allocation.
#[derive(Clone, Copy)]
pub(super) struct Address {
    bytes: [u8; 39],
    len: u8,
}

impl Address {
    /// The address of the client with this hash; one in five is IPv6. `scratch` is overwritten.
    pub(super) fn of(hash: u64, scratch: &mut Vec<u8>) -> Self {
        scratch.clear();
        let bits = mix_all(&[hash, 4]);
        if scale(bits, 5) == 0 {
            push_ipv6(scratch, ipv6(mix_all(&[hash, 5]), mix_all(&[hash, 6])));
        } else {
            push_ipv4(scratch, ipv4(mix_all(&[hash, 5])));
        }
        let mut bytes = [0; 39];
        let len = scratch.len().min(bytes.len());
        bytes[..len].copy_from_slice(&scratch[..len]);
        Self { bytes, len: u8::try_from(len).unwrap_or(39) }
    }

    /// The text.
    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// 100.64.0.0/10 for most, 198.18.0.0/15 for some, the three documentation networks for a few.
fn ipv4(bits: u64) -> u32 {
    let host = low32(bits);
    match scale(bits, 100) {
        0..85 => 0x6440_0000 | (host & 0x003F_FFFF),
        85..98 => 0xC612_0000 | (host & 0x0001_FFFF),
        98 => 0xCB00_7100 | (host & 0xFF),
        _ => 0xC633_6400 | (host & 0xFF),
    }
}

/// `2001:db8::/32` for most, `3fff::/20` for the others.
#[expect(clippy::cast_possible_truncation, reason = "groups are 16 bits each, taken from a longer number")]
fn ipv6(network: u64, host: u64) -> [u16; 8] {
    let group = |bits: u64, place: u32| ((bits >> (16 * place)) as u16).max(1);
    let (first, second) =
        if group(network, 3) % 3 == 0 { (0x3fff, group(network, 2) & 0x0fff | 1) } else { (0x2001, 0x0db8) };
    [
        first,
        second,
        group(network, 0),
        group(network, 1),
        group(host, 0),
        group(host, 1),
        group(host, 2),
        group(host, 3),
    ]
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn addresses_parse_and_a_fifth_is_version_six() {
        let mut scratch = Vec::new();
        let six = (0..5_000_u64)
            .map(|number| {
                let address = Address::of(mix_all(&[number]), &mut scratch);
                std::str::from_utf8(address.text()).unwrap().parse::<IpAddr>().unwrap()
            })
            .filter(IpAddr::is_ipv6)
            .count();
        assert!((850..1_150).contains(&six), "{six} of 5000");
    }

    #[test]
    fn a_client_is_the_same_each_time() {
        let (edges, agents) = (Edges::new(1), AgentPool::new());
        let clients = Clients::new(1, 1_000);
        let drawn = |seed| {
            let client = clients.draw(&mut Dice::of(&[seed]), &edges, &agents);
            (client.hash, client.edges, client.agents)
        };
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
    }
}
