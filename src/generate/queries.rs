//! Query strings, rendered ahead.

use super::draw::Dice;
use super::encode::encoded;
use super::uris::PathKind;

/// Strings of each sort.
const EACH: u32 = 1_200;

const TERMS: [&str; 20] = [
    "red%20shoes",
    "winter%20coat",
    "caf%C3%A9",
    "lamp",
    "wool%20blanket%20large",
    "gift+card",
    "gr%C3%B6%C3%9Fe%2042",
    "a%26b",
    "100%25%20cotton",
    "bicycle",
    "map%20of%20the%20harbour",
    "%E6%9D%B1%E4%BA%AC",
    "size%3Axl",
    "tea",
    "kettle",
    "notebook%20a5",
    "chair",
    "left%2Fright",
    "blue%2Cgreen",
    "water%20bottle%20750ml",
];
const SOURCES: [&str; 8] =
    ["newsletter", "google", "instagram", "facebook", "partner%20site", "bing", "pinterest", "autumn%20mail"];
const CAMPAIGNS: [&str; 10] = [
    "spring%20sale",
    "brand",
    "black%20friday%202026",
    "retargeting_de",
    "launch",
    "summer%2B",
    "always-on",
    "test_b",
    "weekly%20picks",
    "giveaway",
];

/// Every query string there is.
pub(super) struct Queries {
    campaigns: Vec<Vec<u8>>,
    searches: Vec<Vec<u8>>,
    versions: Vec<Vec<u8>>,
    calls: Vec<Vec<u8>>,
}

impl Queries {
    /// The strings of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::of(&[seed, 0x90E2]);
        let mut rendered = |write: fn(&mut Dice) -> String| (0..EACH).map(|_| encoded(&write(&mut dice))).collect();
        Self {
            campaigns: rendered(campaign),
            searches: rendered(search),
            versions: rendered(|dice| format!("v={:x}", dice.below(1 << 24))),
            calls: rendered(call),
        }
    }

    /// The query of a request for the path with this number, if it has one.
    pub(super) fn draw(&self, kind: PathKind, uri: u32, dice: &mut Dice) -> Option<&[u8]> {
        let chance = dice.below(100);
        let list = match kind {
            PathKind::Page if chance < 11 => &self.campaigns,
            PathKind::Page if chance < 24 => &self.searches,
            PathKind::Api if chance < 68 => &self.calls,
            // A file has one current version, whoever asks.
            PathKind::Code if uri.is_multiple_of(4) => return Some(&self.versions[uri as usize % self.versions.len()]),
            _ => return None,
        };
        Some(&list[dice.low_index(list.len(), 2)])
    }
}

fn campaign(dice: &mut Dice) -> String {
    let (source, campaign) = (*dice.one_of(&SOURCES), *dice.one_of(&CAMPAIGNS));
    let medium = dice.one_of(&["email", "cpc", "social", "paid%20social", "referral"]);
    let tail = match dice.below(4) {
        0 => format!("&gclid=Cj0KCQ{:016x}{:016x}EALw_wcB", dice.bits(), dice.bits()),
        1 => format!("&fbclid=IwAR{:016x}{:016x}", dice.bits(), dice.bits()),
        2 => format!("&utm_content={}", dice.below(400)),
        _ => String::new(),
    };
    format!("utm_source={source}&utm_medium={medium}&utm_campaign={campaign}{tail}")
}

fn search(dice: &mut Dice) -> String {
    let term = *dice.one_of(&TERMS);
    match dice.below(4) {
        0 => format!("q={term}"),
        1 => format!("q={term}&page={}", 1 + dice.below(30)),
        2 => format!("q={term}&sort=price&filter[colour]={}", dice.one_of(&["red", "green", "blue", "black"])),
        _ => format!("page={}&per_page=48&sort=newest", 1 + dice.below(90)),
    }
}

fn call(dice: &mut Dice) -> String {
    let id = dice.below(5_000_000);
    match dice.below(5) {
        0 => format!("id={id}&fields=name,price,stock"),
        1 => format!("cursor={:016x}&limit=50", dice.bits()),
        2 => format!("session={:016x}&t={}", dice.bits(), 1_763_000_000 + u64::from(id)),
        3 => format!("filter={{\"shop\":{},\"in_stock\":true}}", id % 400),
        _ => format!("lat={}.{:05}&lon={}.{:05}", 36 + id % 24, id % 99_999, id % 28, id % 77_777),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_once_over_what_was_sent() {
        let queries = Queries::new(1);
        let mut all = [&queries.campaigns, &queries.searches, &queries.versions, &queries.calls].into_iter().flatten();
        assert!(all.clone().all(|text| !text.is_empty() && text.iter().all(u8::is_ascii_graphic)));
        assert!(all.any(|text| text.windows(5).any(|part| part == b"%2520")));
        assert_eq!(encoded("filter={\"shop\":1}"), b"filter=%7B%22shop%22:1%7D");
    }

    #[test]
    fn a_file_keeps_its_version() {
        let queries = Queries::new(1);
        let mut dice = Dice::of(&[1]);
        let first = queries.draw(PathKind::Code, 8, &mut dice).unwrap();
        assert_eq!(queries.draw(PathKind::Code, 8, &mut dice).unwrap(), first);
        assert!(queries.draw(PathKind::Picture, 8, &mut dice).is_none());
    }
}
