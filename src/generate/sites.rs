//! Distributions: their identifiers, host names and paths; and everything that they share.

use super::agents::AgentPool;
use super::clients::Clients;
use super::draw::Dice;
use super::edges::Edges;
use super::outcomes::{Odds, Paces};
use super::queries::Queries;
use super::uris::Uris;

/// Popular paths of one distribution, whatever its traffic.
const FEWEST_PATHS: u64 = 2_000;
const MOST_PATHS: u64 = 40_000;
/// Rows for each path of the pool.
const ROWS_PER_PATH: u64 = 4;

const LOWER: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const UPPER: &[u8; 36] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NAMES: [&str; 12] = [
    "northlight",
    "harbour-shop",
    "trailmap",
    "fjordpost",
    "lanternnews",
    "meadowplay",
    "copperkettle",
    "atlasfiles",
    "riverbank",
    "cedarstream",
    "pebblecloud",
    "thistle",
];
const PREFIXES: [&str; 5] = ["www", "cdn", "static", "shop", "media"];

/// One distribution.
pub(super) struct Site {
    /// Its identifier, as in file names.
    pub(super) id: String,
    /// The host name that viewers use.
    pub(super) host: Vec<u8>,
    /// The host name that the edge gave it.
    pub(super) domain: Vec<u8>,
    /// Whether it logs cookies.
    pub(super) logs_cookies: bool,
    /// What it offers.
    pub(super) uris: Uris,
}

impl Site {
    fn new(seed: u64, number: u32, paths: usize) -> Self {
        let dice = &mut Dice::of(&[seed, 0x517E, u64::from(number)]);
        let name = NAMES[number as usize % NAMES.len()];
        let round = number as usize / NAMES.len();
        let numbered = if round == 0 { String::new() } else { round.to_string() };
        Self {
            // The number at the end keeps identifiers apart even where chance does not.
            id: format!("E{}{}", random_text(dice, UPPER, 10), base36(number)),
            host: format!("{}.{name}{numbered}.example", dice.one_of(&PREFIXES)).into_bytes(),
            domain: format!("d{}.cloudfront.net", random_text(dice, LOWER, 13)).into_bytes(),
            logs_cookies: number % 3 == 1,
            uris: Uris::new(dice, paths),
        }
    }
}

fn random_text(dice: &mut Dice, alphabet: &[u8], len: usize) -> String {
    (0..len).map(|_| char::from(*dice.one_of(alphabet))).collect()
}

/// Three digits of base 36.
fn base36(number: u32) -> String {
    [1_296, 36, 1].into_iter().map(|place| char::from(UPPER[(number / place % 36) as usize])).collect()
}

/// All that objects draw from; built once, then only read.
pub(super) struct World {
    pub(super) sites: Vec<Site>,
    pub(super) agents: AgentPool,
    pub(super) edges: Edges,
    pub(super) clients: Clients,
    pub(super) queries: Queries,
    pub(super) odds: Odds,
    pub(super) paces: Paces,
}

impl World {
    /// The world of a seed, large enough for the number of rows.
    pub(super) fn new(seed: u64, rows: u64, distributions: u32) -> Self {
        let each = rows / u64::from(distributions.max(1)) / ROWS_PER_PATH;
        let paths = usize::try_from(each.clamp(FEWEST_PATHS, MOST_PATHS)).unwrap_or(2_000);
        Self {
            sites: (0..distributions).map(|number| Site::new(seed, number, paths)).collect(),
            agents: AgentPool::new(),
            edges: Edges::new(seed),
            clients: Clients::new(seed, rows),
            queries: Queries::new(seed),
            odds: Odds::new(),
            paces: Paces::new(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn identifiers_and_hosts_are_unique_and_well_formed() {
        let sites: Vec<Site> = (0..40).map(|number| Site::new(3, number, 10)).collect();
        let ids: HashSet<&str> = sites.iter().map(|site| site.id.as_str()).collect();
        let hosts: HashSet<&[u8]> = sites.iter().map(|site| site.host.as_slice()).collect();
        assert_eq!((ids.len(), hosts.len()), (40, 40));
        for id in ids {
            assert!(id.len() == 14 && id.starts_with('E'));
            assert!(id.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()));
        }
        assert!(sites.iter().all(|site| site.domain.len() == 29));
    }
}
