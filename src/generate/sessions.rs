//! Sessions: a client asks for several things in a row, and the rows of many clients mix in one
//! object.

use super::clients::{Address, Client};
use super::draw::{Dice, mix_all, scale};
use super::family::Manner;
use super::sites::World;

/// Sessions under way at the same time in one object.
const OPEN: u32 = 24;
/// Of a thousand rows, those that begin a new session: eight rows a session on average.
const NEW: u32 = 125;

/// `ssl-protocol` and `ssl-cipher`, the commonest first.
const TLS: [(&str, &str); 5] = [
    ("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    ("TLSv1.3", "TLS_AES_256_GCM_SHA384"),
    ("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"),
    ("TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256"),
    ("TLSv1.2", "ECDHE-ECDSA-AES256-GCM-SHA384"),
];

/// What stays the same while a client asks for one thing after the other.
#[derive(Clone, Copy)]
pub(super) struct Session {
    pub(super) hash: u64,
    pub(super) address: Address,
    pub(super) edge: u16,
    /// `None` where the client names no user agent.
    pub(super) agent: Option<u16>,
    pub(super) manner: Manner,
    pub(super) port: u32,
    /// Second of the hour in which it began.
    pub(super) second: u32,
    /// The page last seen, from which assets are asked for.
    pub(super) page: Option<u32>,
    /// `ssl-protocol` and `ssl-cipher`; `None` without TLS.
    pub(super) tls: Option<(&'static str, &'static str)>,
    pub(super) version: &'static str,
    /// Proxies named by `x-forwarded-for`.
    pub(super) proxies: u32,
    /// Bytes that reach the client in a millisecond.
    pub(super) bytes_per_ms: u32,
    pub(super) has_cookie: bool,
}

impl Session {
    fn begin(world: &World, dice: &mut Dice, scratch: &mut Vec<u8>) -> Self {
        let client = world.clients.draw(dice, &world.edges, &world.agents);
        let usual = |dice: &mut Dice, share| usize::from(!dice.per_mille(share));
        let (edge, agent) = (client.edges[usual(dice, 820)], client.agents[usual(dice, 880)]);
        let manner = world.agents.get(agent).manner;
        let tls = tls(&client, manner, dice);
        Self {
            hash: client.hash,
            address: Address::of(client.hash, scratch),
            edge,
            agent: (!dice.per_mille(5)).then_some(agent),
            manner,
            port: 1_024 + dice.below(64_512),
            second: dice.below(3_600),
            page: None,
            tls,
            version: version(&client, manner, tls.is_some()),
            proxies: if dice.per_mille(25) { 1 + dice.below(2) } else { 0 },
            bytes_per_ms: 200 + scale(mix_all(&[client.hash, 8]), 9_000),
            has_cookie: manner == Manner::Person && dice.per_mille(700),
        }
    }
}

fn tls(client: &Client, manner: Manner, dice: &mut Dice) -> Option<(&'static str, &'static str)> {
    let plain = match manner {
        Manner::Person | Manner::FeedReader => 12,
        Manner::Crawler | Manner::Monitor | Manner::Tool => 50,
        Manner::Scanner => 450,
    };
    let kind = match scale(mix_all(&[client.hash, 7]), 100) {
        0..74 => 0,
        74..83 => 1,
        83..90 => 2,
        90..98 => 3,
        _ => 4,
    };
    (!dice.per_mille(plain)).then_some(TLS[kind])
}

/// The newest protocol needs the newest TLS; tools are content with the oldest.
fn version(client: &Client, manner: Manner, has_tls: bool) -> &'static str {
    let chance = scale(mix_all(&[client.hash, 9]), 100);
    match manner {
        _ if !has_tls => "HTTP/1.1",
        Manner::Person if chance < 36 => "HTTP/3.0",
        Manner::Person if chance < 96 => "HTTP/2.0",
        Manner::Crawler | Manner::Tool if chance < 45 => "HTTP/2.0",
        Manner::Scanner if chance < 4 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

/// The sessions under way in one object.
#[derive(Default)]
pub(super) struct Sessions {
    open: Vec<Session>,
    scratch: Vec<u8>,
}

impl Sessions {
    /// The session of the next row: one under way or a new one in its place.
    pub(super) fn next(&mut self, world: &World, dice: &mut Dice) -> &mut Session {
        let place = dice.below(OPEN) as usize;
        if place >= self.open.len() {
            self.open.push(Session::begin(world, dice, &mut self.scratch));
            let last = self.open.len() - 1;
            return &mut self.open[last];
        }
        if dice.per_mille(NEW) {
            self.open[place] = Session::begin(world, dice, &mut self.scratch);
        }
        &mut self.open[place]
    }
}
