//! Person or bot, and which: what follows from the signs that stand in a user agent.
//!
//! General rules decide, so that a bot of tomorrow is known too: what it says of itself, where it
//! says how to reach its owner, and what no browser lacks. The list of known bots adds the few that
//! say nothing of the kind, and gives all of them names.

use super::category::OTHER;
use super::rules::{FoundBot, Signs};

/// What a load balancer sees of CloudFront: no person and no bot, but who stands behind it is not
/// said.
const PROXY: &str = "Amazon CloudFront";

/// Longer names that a bot gives itself are no names.
const NAME_LIMIT_BYTES: usize = 48;

/// Whether a program is behind a user agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict<'r> {
    /// Not to be told.
    Unknown,
    /// A person, as far as one can see.
    Person,
    /// A program.
    Bot {
        /// Its name, from the list or as it calls itself.
        name: Option<String>,
        /// Who runs it.
        vendor: Option<String>,
        /// What it is for: the name of a category.
        category: &'r str,
    },
}

/// Decides. The signs are those of this text.
pub(super) fn decide<'r>(text: &str, signs: &Signs<'r>) -> Verdict<'r> {
    if text == PROXY {
        return Verdict::Unknown;
    }
    let person = is_shaped_like_a_person(text, signs);
    let compatible = text.contains("compatible") && !signs.compatible_with;
    let says_so = compatible || signs.word.is_some() || signs.contact || gives_address(text);
    let in_browser = person && text.starts_with("Mozilla/") && !says_so;
    let known = if in_browser { signs.inside } else { signs.bot.or(signs.tool) };
    if let Some(FoundBot { bot, category, start, end }) = known {
        let written = bot.as_written.then(|| word_around(text, start, end)).flatten();
        let name = Some(written.unwrap_or_else(|| bot.name.clone()));
        return Verdict::Bot { name, vendor: bot.vendor.clone(), category };
    }
    let named = |name: Option<String>, category| Verdict::Bot { name, vendor: None, category };
    let refined = |category: &'r str| if category == OTHER { signs.hint.unwrap_or(OTHER) } else { category };
    if let Some((category, start, end)) = signs.word {
        return named(word_around(text, start, end), refined(category));
    }
    if says_so || !person {
        return named(product(text), refined(OTHER));
    }
    Verdict::Person
}

/// A browser names a system and an engine; what does not speak as browsers do names a device at
/// least.
fn is_shaped_like_a_person(text: &str, signs: &Signs<'_>) -> bool {
    if text.starts_with("Mozilla/") { signs.platform && signs.engine } else { signs.device }
}

/// An address of mail, as owners of bots leave it; browsers have none.
fn gives_address(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let (before, after) = (text[..at].bytes().next_back(), &text[at + 1..]);
        let host = after.split(|c: char| !c.is_ascii_alphanumeric() && c != '.' && c != '-').next().unwrap_or_default();
        let top = host.trim_end_matches('.').rsplit_once('.').map_or("", |(_, top)| top);
        before.is_some_and(|byte| byte.is_ascii_alphanumeric())
            && top.len() > 1
            && top.bytes().all(|b| b.is_ascii_alphabetic())
    })
}

/// The name that holds a telling word, such as `FooBot` in `x (FooBot/1.2; ...)`.
fn word_around(text: &str, start: usize, end: usize) -> Option<String> {
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '!');
    let first = text[..start].char_indices().rev().take_while(|(_, c)| of_name(*c)).last().map_or(start, |(at, _)| at);
    let length: usize = text[end..].chars().take_while(|c| of_name(*c)).map(char::len_utf8).sum();
    // A pattern may reach into the version, as `docker/` does.
    let name = text[first..end + length].split('/').next().unwrap_or_default();
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let is_address = ["//", "@", "/"].iter().any(|mark| text[..first].ends_with(mark));
    let is_kind = ["bot", "robot", "crawler", "spider", "web"].iter().any(|kind| name.eq_ignore_ascii_case(kind));
    if is_address || is_kind { product(text).or_else(|| sensible(name)) } else { sensible(name) }
}

/// The name of the product that a user agent begins with, or that stands behind `compatible;`.
fn product(text: &str) -> Option<String> {
    let begin = match text.split_once("compatible;") {
        Some((_, rest)) => rest.trim_start(),
        None => text,
    };
    let end = begin.find(['/', '(', ';', ')', ',', ' ', '+']).unwrap_or(begin.len());
    sensible(&begin[..end])
}

fn sensible(name: &str) -> Option<String> {
    let is_name = (2..=NAME_LIMIT_BYTES).contains(&name.len())
        && name.chars().any(char::is_alphabetic)
        && !matches!(name, "Mozilla" | "http:" | "https:" | "Opera");
    is_name.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::policy::enrich::rules::Rules;

    fn of(text: &str) -> Verdict<'static> {
        decide(text, &Rules::built_in().unwrap().signs_in(text))
    }

    fn bot<'r>(name: &str, vendor: Option<&str>, category: &'r str) -> Verdict<'r> {
        Verdict::Bot { name: Some(name.into()), vendor: vendor.map(str::to_owned), category }
    }

    #[test]
    fn bots_that_nobody_knows_are_known_by_what_they_say() {
        for (text, name, category) in [
            ("AcmeFetcher/1.0", "AcmeFetcher", OTHER),
            ("Mozilla/5.0 (compatible; Quux/2.1; +https://quux.invalid/about)", "Quux", OTHER),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 (ops@acme.invalid)",
                "",
                OTHER,
            ),
            ("acme-importer/1.4", "acme-importer", OTHER),
            ("Mozilla/5.0", "", OTHER),
        ] {
            let name = Some(name).filter(|name| !name.is_empty()).map(str::to_owned);
            assert_eq!(of(text), Verdict::Bot { name, vendor: None, category }, "{text}");
        }
    }

    #[test]
    fn known_bots_have_names_and_the_longest_counts() {
        assert_eq!(of("Googlebot-Image/1.0"), bot("Googlebot-Image", Some("Google"), "search-engine"));
        assert_eq!(of("curl/8.5.0"), bot("curl", Some("curl"), "http-library"));
        assert_eq!(of("GuzzleHttp/6.5.5 curl/7.81.0 PHP/7.4.33"), bot("Guzzle", Some("PHP"), "http-library"));
        assert_eq!(of("Amazon CloudFront"), Verdict::Unknown);
    }

    #[test]
    fn people_with_odd_devices_are_people() {
        for text in [
            "Mozilla/5.0 (Linux; Android 11; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36",
            "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.0; SLCC1; Embedded Web Browser from: http://bsalsa.com/; .NET CLR 2.0.50727)",
            "Spotify/8.8.96 iOS/17.2 (iPhone14,5)",
        ] {
            assert_eq!(of(text), Verdict::Person, "{text}");
        }
    }
}
