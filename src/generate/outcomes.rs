//! How requests end: status, result types, whether there is a body, and who had to work for it.

use super::draw::{Alias, Dice};

/// Values drawn ahead for each pace: enough to look continuous, few enough to stay in the cache.
const PACE_VALUES: usize = 2_048;

/// What is sent back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Body {
    /// The whole object.
    Full,
    /// A range of it.
    Part,
    /// A short page that says what went wrong or where to go.
    Notice,
    /// Headers alone.
    Empty,
    /// Not even headers: the viewer had gone.
    Nothing,
}

/// Who answered, which decides the time it took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// The edge, from its cache or by rule.
    Edge,
    /// The origin.
    Origin,
    /// The origin, in trouble.
    Slow,
}

/// One way for a request to end.
pub(super) struct ResponseOutcome {
    /// `sc-status`.
    pub(super) status: &'static str,
    /// `x-edge-result-type`.
    pub(super) result: &'static str,
    /// `x-edge-response-result-type`.
    pub(super) response: &'static str,
    /// `x-edge-detailed-result-type`.
    pub(super) detailed: &'static str,
    /// What is sent.
    pub(super) body: Body,
    /// Who answered.
    pub(super) pace: Pace,
}

type Line = (u16, &'static str, &'static str, &'static str, Body, Pace);

use Body::{Empty, Full, Nothing, Notice, Part};
use Pace::{Edge, Origin, Slow};

/// Share, status, result type, detailed result type, body, pace: what befalls every kind of
/// request.
const TROUBLE: &[Line] = &[
    (9, "000", "Error", "ClientCommError", Nothing, Slow),
    (2, "000", "Error", "ClientHungUpRequest", Nothing, Edge),
    (6, "502", "Error", "OriginConnectError", Notice, Origin),
    (1, "502", "Error", "OriginDnsError", Notice, Origin),
    (3, "503", "Error", "OriginError", Notice, Origin),
    (2, "503", "CapacityExceeded", "CapacityExceeded", Notice, Edge),
    (2, "503", "LimitExceeded", "LimitExceeded", Notice, Edge),
    (4, "504", "Error", "OriginCommError", Notice, Slow),
    (2, "504", "Error", "AbortedOrigin", Notice, Slow),
    (4, "500", "Error", "Error", Notice, Origin),
    (3, "403", "Error", "ClientGeoBlocked", Notice, Edge),
    (2, "400", "Error", "InvalidRequest", Notice, Edge),
    (1, "499", "Error", "ClientHungUpRequest", Empty, Slow),
];
const STATIC: &[Line] = &[
    (6_600, "200", "Hit", "Hit", Full, Edge),
    (500, "200", "RefreshHit", "RefreshHit", Full, Origin),
    (1_150, "200", "Miss", "Miss", Full, Origin),
    (1_100, "304", "Hit", "Hit", Empty, Edge),
    (200, "304", "RefreshHit", "RefreshHit", Empty, Origin),
    (90, "304", "Miss", "Miss", Empty, Origin),
    (170, "404", "Error", "Error", Notice, Origin),
    (60, "403", "Error", "Error", Notice, Origin),
    (60, "301", "Hit", "Hit", Empty, Edge),
    (30, "206", "Hit", "Hit", Part, Edge),
];
const PAGE: &[Line] = &[
    (3_300, "200", "Hit", "Hit", Full, Edge),
    (700, "200", "RefreshHit", "RefreshHit", Full, Origin),
    (4_200, "200", "Miss", "Miss", Full, Origin),
    (350, "304", "Miss", "Miss", Empty, Origin),
    (250, "301", "Miss", "Miss", Notice, Origin),
    (420, "302", "Miss", "Miss", Notice, Origin),
    (60, "302", "Miss", "MissGeneratedResponse", Notice, Edge),
    (380, "404", "Error", "Error", Notice, Origin),
    (90, "403", "Error", "Error", Notice, Edge),
];
const API: &[Line] = &[
    (8_500, "200", "Miss", "Miss", Full, Origin),
    (600, "200", "Hit", "Hit", Full, Edge),
    (300, "204", "Miss", "Miss", Empty, Origin),
    (150, "401", "Error", "Error", Notice, Origin),
    (130, "404", "Error", "Error", Notice, Origin),
    (60, "429", "Error", "Error", Notice, Origin),
    (80, "403", "Error", "Error", Notice, Origin),
];
const MEDIA: &[Line] = &[
    (7_600, "206", "Hit", "Hit", Part, Edge),
    (1_100, "206", "Miss", "Miss", Part, Origin),
    (250, "206", "RefreshHit", "RefreshHit", Part, Origin),
    (400, "200", "Hit", "Hit", Full, Edge),
    (120, "304", "Hit", "Hit", Empty, Edge),
    (25, "416", "Error", "Error", Notice, Edge),
    (240, "000", "Error", "ClientCommError", Nothing, Slow),
];
const PROBE: &[Line] = &[
    (5_200, "404", "Error", "Error", Notice, Origin),
    (4_200, "403", "Error", "Error", Notice, Edge),
    (250, "400", "Error", "InvalidRequest", Notice, Edge),
    (350, "301", "Miss", "Miss", Notice, Origin),
];
/// Without TLS nearly everybody is sent on to where there is.
const PLAIN: &[Line] = &[
    (9_600, "301", "Redirect", "Redirect", Notice, Edge),
    (300, "403", "Error", "Error", Notice, Edge),
    (100, "200", "Miss", "Miss", Full, Origin),
];

/// Kinds of requests that end alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Files that the edge keeps.
    Static,
    /// Pages.
    Page,
    /// Calls of an interface.
    Api,
    /// Long media, read in ranges.
    Media,
    /// Guesses at what might be there.
    Probe,
    /// Anything without TLS.
    Plain,
}

/// The odds of every class.
pub(super) struct Odds(Vec<(Vec<ResponseOutcome>, Alias)>);

impl Odds {
    /// The odds; they depend on nothing.
    pub(super) fn new() -> Self {
        let classes = [STATIC, PAGE, API, MEDIA, PROBE, PLAIN];
        Self(classes.into_iter().map(table).collect())
    }

    /// How one request ends.
    pub(super) fn draw(&self, class: Class, dice: &mut Dice) -> &ResponseOutcome {
        let (outcomes, shares) = &self.0[class as usize];
        &outcomes[shares.pick(dice.bits())]
    }
}

fn table(usual: &[Line]) -> (Vec<ResponseOutcome>, Alias) {
    let lines = || usual.iter().chain(TROUBLE);
    let weights: Vec<f64> = lines().map(|line| f64::from(line.0)).collect();
    let outcome = |&(_, status, result, detailed, body, pace): &Line| {
        // Where the viewer went away, the edge had already settled on what it would have sent.
        let response = match (body, pace) {
            (Nothing, Edge) => "Hit",
            (Nothing, _) => "Miss",
            _ => result,
        };
        ResponseOutcome { status, result, response, detailed, body, pace }
    };
    (lines().map(outcome).collect(), Alias::new(&weights))
}

/// Milliseconds to the first byte, drawn ahead: a row only picks one.
pub(super) struct Paces([Vec<u32>; 3]);

impl Paces {
    /// The times of a seed.
    pub(super) fn new(seed: u64) -> Self {
        let mut dice = Dice::of(&[seed, 0x9ACE]);
        let mut values = |median: f64, sigma: f64, most: u32| {
            (0..PACE_VALUES).map(|_| dice.log_normal(median, sigma, 1, most)).collect()
        };
        Self([values(4.0, 1.1, 900), values(110.0, 0.9, 29_000), values(9_000.0, 0.8, 60_000)])
    }

    /// A time.
    pub(super) fn draw(&self, pace: Pace, dice: &mut Dice) -> u32 {
        *dice.one_of(&self.0[pace as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_and_result_types_agree() {
        for outcome in Odds::new().0.iter().flat_map(|(outcomes, _)| outcomes) {
            let failed = ["Error", "LimitExceeded", "CapacityExceeded"].contains(&outcome.result);
            let is_error = outcome.status == "000" || outcome.status >= "400";
            assert_eq!(failed, is_error, "{} {}", outcome.status, outcome.result);
            assert_eq!(outcome.status == "206", outcome.body == Body::Part);
            assert_eq!(outcome.status == "000", outcome.body == Body::Nothing);
        }
    }

    #[test]
    fn every_class_has_its_odds() {
        let odds = Odds::new();
        let mut dice = Dice::of(&[1]);
        assert_eq!(odds.0.len(), Class::Plain as usize + 1);
        let redirects = (0..1_000).filter(|_| odds.draw(Class::Plain, &mut dice).status == "301").count();
        assert!(redirects > 900);
        let origin = Paces::new(1).draw(Pace::Origin, &mut dice);
        assert!((1..=29_000).contains(&origin));
    }
}
