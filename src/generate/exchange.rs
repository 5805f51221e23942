//! One request and its answer, decided before it is written: what was asked for, how it ended,
//! sizes and times.

use super::draw::Dice;
use super::family::Manner;
use super::outcomes::{Body, Class, ResponseOutcome};
use super::sessions::Session;
use super::sites::{Site, World};
use super::uris::{Fixed, PathKind};

/// Bytes of a range; what players ask for at a time.
const RANGE_BYTES: u32 = 1 << 20;
/// Rows of a thousand that ended before the hour in the object's name.
const EARLY: u32 = 10;

/// When the answer was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// This second of the hour in the object's name.
    Within(u32),
    /// This second of the hour before.
    Before(u32),
}

/// A request and its answer.
pub(super) struct Exchange<'w> {
    pub(super) moment: Moment,
    pub(super) uri: u32,
    pub(super) kind: PathKind,
    pub(super) method: &'static str,
    pub(super) outcome: &'w ResponseOutcome,
    /// `sc-bytes`.
    pub(super) sent_bytes: u64,
    /// `sc-content-type`, percent-encoded.
    pub(super) content_type: Option<&'static str>,
    /// `sc-content-len`.
    pub(super) content_bytes: Option<u32>,
    /// First and last byte of a range.
    pub(super) range: Option<(u32, u32)>,
    /// Milliseconds to the first byte.
    pub(super) first_byte_ms: u32,
    /// Milliseconds to the last byte.
    pub(super) taken_ms: u32,
}

impl<'w> Exchange<'w> {
    /// The next one of a session.
    pub(super) fn draw(world: &'w World, site: &Site, session: &Session, dice: &mut Dice) -> Self {
        let uri = wish(site, session, dice);
        let target = site.uris.get(uri);
        let class = if session.tls.is_none() { Class::Plain } else { target.kind.class() };
        let outcome = world.odds.draw(class, dice);
        let method = method(session.manner, target.kind, dice);
        let range = (outcome.body == Body::Part).then(|| range(target.body_bytes, dice));
        let whole = match outcome.body {
            // What an interface returns differs from call to call, and a page is rendered anew each
            // time.
            Body::Full if matches!(target.kind, PathKind::Api) => {
                30 + target.body_bytes / 2 + dice.below(target.body_bytes)
            }
            Body::Full => target.body_bytes,
            Body::Part => range.map_or(0, |(first, last)| last - first + 1),
            Body::Notice => 150 + dice.below(900),
            Body::Empty | Body::Nothing => 0,
        };
        let body = if matches!(method, "HEAD" | "OPTIONS") { 0 } else { whole };
        let headers = if outcome.body == Body::Nothing { 0 } else { 260 + dice.below(480) };
        let first_byte_ms = world.paces.draw(outcome.pace, dice);
        Self {
            moment: moment(session, dice),
            uri,
            kind: target.kind,
            method,
            outcome,
            sent_bytes: u64::from(body) + u64::from(headers),
            content_type: match outcome.body {
                Body::Full | Body::Part => Some(target.content_type),
                Body::Notice => Some("text/html"),
                Body::Empty | Body::Nothing => None,
            },
            content_bytes: content_bytes(outcome.body, target.kind, whole, dice),
            range,
            first_byte_ms,
            taken_ms: first_byte_ms + body / session.bytes_per_ms,
        }
    }
}

/// Answers that are compressed or rendered on the fly do not know their length beforehand.
fn content_bytes(body: Body, kind: PathKind, whole: u32, dice: &mut Dice) -> Option<u32> {
    let known = match body {
        Body::Full if matches!(kind, PathKind::Page | PathKind::Api | PathKind::Code) => dice.per_mille(350),
        Body::Full | Body::Part | Body::Notice => true,
        Body::Empty | Body::Nothing => false,
    };
    known.then_some(whole)
}

/// What the client asks for.
fn wish(site: &Site, session: &Session, dice: &mut Dice) -> u32 {
    let uris = &site.uris;
    let chance = dice.below(100);
    match session.manner {
        Manner::Crawler if chance < 9 => uris.fixed(Fixed::Robots),
        Manner::Crawler if chance < 11 => uris.fixed(Fixed::Sitemap),
        Manner::Crawler if chance < 70 => uris.any(dice),
        Manner::Monitor if chance < 60 => uris.fixed(Fixed::Health),
        Manner::Monitor => 0,
        Manner::FeedReader if chance < 92 => uris.fixed(Fixed::Feed),
        Manner::Scanner if chance < 90 => uris.probe(dice),
        _ => uris.popular(dice),
    }
}

fn method(manner: Manner, kind: PathKind, dice: &mut Dice) -> &'static str {
    let chance = dice.below(1_000);
    match (manner, kind) {
        (Manner::Monitor, _) if chance < 500 => "HEAD",
        (Manner::Scanner, _) if chance < 120 => "POST",
        (_, PathKind::Api) if chance < 150 => "POST",
        (_, PathKind::Api) if chance < 200 => "OPTIONS",
        (_, PathKind::Api) if chance < 215 => "PUT",
        (_, PathKind::Api) if chance < 222 => "DELETE",
        (_, PathKind::Api) if chance < 228 => "PATCH",
        (Manner::Crawler | Manner::Tool, _) if chance < 40 => "HEAD",
        (_, _) if chance < 4 => "HEAD",
        _ => "GET",
    }
}

/// First and last byte of a range: players go on from where they were, in equal steps.
fn range(whole: u32, dice: &mut Dice) -> (u32, u32) {
    let first = dice.below(whole / RANGE_BYTES + 1) * RANGE_BYTES;
    let first = if first < whole { first } else { 0 };
    (first, (first + RANGE_BYTES - 1).min(whole - 1))
}

/// Rows of one session lie close together; a few of the object's rows had ended before its hour
/// began.
fn moment(session: &Session, dice: &mut Dice) -> Moment {
    if dice.per_mille(EARLY) {
        let most = if dice.per_mille(700) { 10 } else { 180 };
        return Moment::Before(3_599 - dice.below(most));
    }
    Moment::Within((session.second + dice.below(150)) % 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_inside_the_body() {
        let mut dice = Dice::of(&[1]);
        for whole in [40, 1 << 20, (1 << 20) + 1, 900_000_000] {
            for _ in 0..200 {
                let (first, last) = range(whole, &mut dice);
                assert!(first <= last && last < whole, "{first}-{last} of {whole}");
            }
        }
    }
}
