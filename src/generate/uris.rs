//! What a distribution offers: pages, assets, interfaces and media, the popular ones first.

use super::draw::{Alias, Dice};
use super::encode::{as_sent_by_browser, encoded};
use super::outcomes::Class;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PathKind {
    /// A page.
    Page,
    /// A script or style sheet; asked for with a version.
    Code,
    /// An image or font.
    Picture,
    /// A document, feed or file for robots.
    Document,
    /// An interface.
    Api,
    /// A segment of a stream.
    Segment,
    /// A long recording.
    Media,
    /// Nothing, but somebody guessed it.
    Probe,
}

impl PathKind {
    /// How requests for it end.
    pub(super) const fn class(self) -> Class {
        match self {
            Self::Page => Class::Page,
            Self::Code | Self::Picture | Self::Document | Self::Segment => Class::Static,
            Self::Api => Class::Api,
            Self::Media => Class::Media,
            Self::Probe => Class::Probe,
        }
    }
}

/// One path.
#[derive(Clone, Copy)]
pub(super) struct Uri {
    start: u32,
    len: u32,
    /// What it leads to.
    pub(super) kind: PathKind,
    /// Length of the whole body.
    pub(super) body_bytes: u32,
    /// Content type, percent-encoded.
    pub(super) content_type: &'static str,
}

/// Where to find the paths with a meaning, counted from the end of the popular ones.
#[derive(Clone, Copy)]
pub(super) enum Fixed {
    /// `/robots.txt`
    Robots,
    /// `/sitemap.xml`
    Sitemap,
    /// `/health`
    Health,
    /// `/feed.xml`
    Feed,
}

const FIXED: [(&str, PathKind, &str); 4] = [
    ("/robots.txt", PathKind::Document, "text/plain"),
    ("/sitemap.xml", PathKind::Document, "application/xml"),
    ("/health", PathKind::Page, "text/plain"),
    ("/feed.xml", PathKind::Document, "application/rss+xml"),
];
const PROBES: [&str; 24] = [
    "/.env",
    "/.git/config",
    "/wp-login.php",
    "/xmlrpc.php",
    "/wp-admin/setup-config.php",
    "/phpmyadmin/index.php",
    "/admin/login",
    "/.aws/credentials",
    "/server-status",
    "/actuator/health",
    "/api/.env",
    "/config.json",
    "/backup.zip",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/cgi-bin/luci/;stok=/locale",
    "/.well-known/security.txt",
    "/solr/admin/info/system",
    "/boaform/admin/formLogin",
    "/.DS_Store",
    "/telescope/requests",
    "/wp-content/plugins/",
    "/owa/auth/logon.aspx",
    "/..%2f..%2f..%2fetc/passwd",
    "/index.php?s=/{{7*7}}",
];
const SECTIONS: [&str; 12] = [
    "products",
    "guides",
    "journal",
    "de/produkte",
    "fr/produits",
    "shop",
    "help",
    "places",
    "collections",
    "events",
    "people",
    "archive",
];
const WORDS: [&str; 40] = [
    "harbour", "lantern", "meadow", "copper", "linen", "atlas", "winter", "summer", "kettle", "bicycle", "forest",
    "granite", "ceramic", "wool", "paper", "compass", "orchard", "violin", "island", "bridge", "garden", "marble",
    "river", "saddle", "canvas", "amber", "walnut", "silver", "cedar", "basket", "morning", "mirror", "cotton",
    "valley", "saffron", "signal", "tower", "thistle", "pebble", "anchor",
];
const FOREIGN: [&str; 14] = [
    "größe",
    "café-crème",
    "straßenkarte",
    "東京",
    "новости",
    "mañana",
    "łódź",
    "žluťoučký",
    "naïve",
    "구매",
    "القاهرة",
    "smörgås",
    "ελλάδα",
    "weißes kleid",
];

/// The paths of one distribution.
pub(super) struct Uris {
    text: Vec<u8>,
    all: Vec<Uri>,
    popular: usize,
    shares: Alias,
}

impl Uris {
    /// As many popular paths as asked for, and those with a meaning.
    pub(super) fn new(dice: &mut Dice, popular: usize) -> Self {
        let mut uris = Self { text: Vec::new(), all: Vec::new(), popular, shares: Alias::zipf(popular, 0.95, 2.5) };
        uris.add("/", PathKind::Page, "text/html;%20charset=utf-8", dice);
        for number in 1..popular {
            let (kind, path, content_type) = invented(number, dice);
            uris.add(&path, kind, content_type, dice);
        }
        for (path, kind, content_type) in FIXED {
            uris.add(path, kind, content_type, dice);
        }
        for path in PROBES {
            uris.add(path, PathKind::Probe, "text/html", dice);
        }
        uris
    }

    fn add(&mut self, path: &str, kind: PathKind, content_type: &'static str, dice: &mut Dice) {
        let (median, sigma) = match kind {
            PathKind::Page => (14_000.0, 0.7),
            PathKind::Code => (28_000.0, 1.1),
            PathKind::Picture => (38_000.0, 1.2),
            PathKind::Document | PathKind::Probe => (6_000.0, 1.4),
            PathKind::Api => (1_900.0, 1.2),
            PathKind::Segment => (780_000.0, 0.6),
            PathKind::Media => (90_000_000.0, 1.0),
        };
        let text = encoded(path);
        let start = u32::try_from(self.text.len()).unwrap_or(u32::MAX);
        let len = u32::try_from(text.len()).unwrap_or(0);
        let body_bytes = dice.log_normal(median, sigma, 40, 2_000_000_000);
        self.text.extend_from_slice(&text);
        self.all.push(Uri { start, len, kind, body_bytes, content_type });
    }

    /// Somebody's wish, by popularity.
    pub(super) fn popular(&self, dice: &mut Dice) -> u32 {
        u32::try_from(self.shares.pick(dice.bits())).unwrap_or(0)
    }

    /// Any of them, popular or not.
    pub(super) fn any(&self, dice: &mut Dice) -> u32 {
        dice.below(u32::try_from(self.popular).unwrap_or(1))
    }

    /// One with a meaning.
    pub(super) fn fixed(&self, which: Fixed) -> u32 {
        u32::try_from(self.popular).unwrap_or(0) + which as u32
    }

    /// A guess at what might be there.
    pub(super) fn probe(&self, dice: &mut Dice) -> u32 {
        let first = self.popular + FIXED.len();
        u32::try_from(first + dice.low_index(PROBES.len(), 1)).unwrap_or(0)
    }

    /// A path by its number.
    pub(super) fn get(&self, uri: u32) -> &Uri {
        &self.all[uri as usize]
    }

    /// The text of a path by its number.
    pub(super) fn text(&self, uri: u32) -> &[u8] {
        let Uri { start, len, .. } = self.all[uri as usize];
        &self.text[start as usize..][..len as usize]
    }
}

/// A path that no other number gives, with what it leads to.
fn invented(number: usize, dice: &mut Dice) -> (PathKind, String, &'static str) {
    let (one, two) = (*dice.one_of(&WORDS), *dice.one_of(&WORDS));
    let token = dice.bits() >> 32;
    let (kind, path, content_type) = match dice.below(100) {
        0..22 => {
            (PathKind::Page, format!("/{}/{one}-{two}-{number}", dice.one_of(&SECTIONS)), "text/html;%20charset=utf-8")
        }
        22..34 => (PathKind::Code, format!("/assets/{one}-{number}.{token:08x}.js"), "application/javascript"),
        34..39 => (PathKind::Code, format!("/assets/{two}.{number}.{token:08x}.css"), "text/css"),
        39..55 => {
            (PathKind::Picture, format!("/images/{one}/{two}_{number}_{}.webp", 160 << (token % 4)), "image/webp")
        }
        55..66 => (PathKind::Picture, format!("/media/catalog/{one}/{number}-{two}.jpg"), "image/jpeg"),
        66..70 => (PathKind::Picture, format!("/icons/{one}-{number}.svg"), "image/svg+xml"),
        70..72 => (PathKind::Picture, format!("/fonts/{one}-{number}.woff2"), "font/woff2"),
        72..85 => (PathKind::Api, format!("/api/v{}/{one}/{number}", 1 + token % 3), "application/json"),
        85..93 => {
            (PathKind::Segment, format!("/vod/{token:08x}/{}p/seg_{number:05}.ts", 360 << (token % 3)), "video/MP2T")
        }
        93..95 => (PathKind::Media, format!("/video/{one}-{two}-{number}.mp4"), "video/mp4"),
        95..97 => (PathKind::Document, format!("/files/{one} {two} ({number}).pdf"), "application/pdf"),
        97 => (PathKind::Picture, format!("/images/{}/{number}.png", dice.one_of(&FOREIGN)), "image/png"),
        _ => (PathKind::Page, format!("/{one}/{}-{number}", dice.one_of(&FOREIGN)), "text/html;%20charset=utf-8"),
    };
    // Tools send such bytes as they are, browsers escape them first.
    let path = if token.is_multiple_of(3) { path } else { as_sent_by_browser(&path) };
    (kind, path, content_type)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn paths_are_unique_encoded_and_partly_foreign() {
        let uris = Uris::new(&mut Dice::of(&[1]), 5_000);
        let texts: HashSet<&[u8]> = (0..uris.all.len()).map(|uri| uris.text(u32::try_from(uri).unwrap())).collect();
        assert_eq!(texts.len(), uris.all.len());
        assert!(texts.iter().all(|text| text[0] == b'/' && text.iter().all(u8::is_ascii_graphic)));
        let count = |part: &[u8]| texts.iter().filter(|text| text.windows(part.len()).any(|at| at == part)).count();
        assert!(count(b"%25C3%25") > 20, "escaped by browsers");
        assert!(count(b"%C3%") > 10, "sent as they are");
    }

    #[test]
    fn fixed_paths_are_where_they_should_be() {
        let uris = Uris::new(&mut Dice::of(&[1]), 100);
        assert_eq!(uris.text(0), b"/");
        assert_eq!(uris.text(uris.fixed(Fixed::Feed)), b"/feed.xml");
        let probe = uris.probe(&mut Dice::of(&[2]));
        assert_eq!(uris.get(probe).kind, PathKind::Probe);
    }
}
