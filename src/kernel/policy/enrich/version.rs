//! What the rules of this version are called in the metadata of files, in manifests and in the
//! names of batches.
//!
//! Rows that other rules made are told by it, and `reprocess --outdated` makes them anew. So it has
//! to change whenever the rules do: it holds a digest of them, unless they are those of a release.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::edges::LOCATIONS;
use super::rule_files::{Meaning, RuleFiles};

/// The rules of the last release: their name, and their digest. A release whose digest is another
/// (`edgemill show-config` prints it) writes a new pair here, and so does a change of the code that
/// reads the rules, where rows come out otherwise.
const RELEASED: (&str, &str) = ("2026-11", "03191a2e");

/// `2026-11` where the rules are those of the release of that name, and otherwise that name with a
/// digest of the rules behind it. Comments, and what the rules say about categories, change
/// nothing.
#[must_use]
pub fn rules_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        // A fault in the files ends every run before it makes a row.
        let digest = RuleFiles::built_in().and_then(|files| digest(files, LOCATIONS)).unwrap_or_default();
        version(RELEASED, &digest)
    });
    &VERSION
}

fn version((name, released): (&str, &str), digest: &str) -> String {
    if digest == released { name.to_owned() } else { format!("{name}+rules-{digest}") }
}

/// Of all that decides what rows say.
fn digest(files: &RuleFiles, locations: &str) -> Result<String, String> {
    let mut digest = Sha256::new();
    let mut add = |parts: &[&str]| {
        for part in parts {
            digest.update(part.as_bytes());
            digest.update([0]);
        }
        digest.update([1]);
    };
    for category in &files.categories {
        add(&["category", &category.name]);
    }
    for bot in &files.bots {
        let flags = [bot.inside_browsers, bot.as_written].map(|flag| if flag { "yes" } else { "no" });
        let vendor = bot.vendor.as_deref().unwrap_or_default();
        add(&["bot", &bot.name, vendor, &files.categories[bot.category].name, flags[0], flags[1]]);
    }
    for (kind, names) in [("browser", &files.browsers), ("system", &files.systems), ("class", &files.classes)] {
        names.iter().for_each(|name| add(&[kind, name]));
    }
    for (pattern, meaning) in &files.patterns {
        let (kind, place) = in_words(*meaning);
        add(&["pattern", pattern, kind, &place.to_string()]);
    }
    let locations: BTreeMap<String, (String, String)> = toml::from_str(locations).map_err(|error| error.to_string())?;
    for (code, (city, country)) in &locations {
        add(&["location", code, city, country]);
    }
    Ok(digest.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect())
}

/// A pattern's kind, and what it is of.
const fn in_words(meaning: Meaning) -> (&'static str, usize) {
    match meaning {
        Meaning::Bot(place) => ("bot", place),
        Meaning::Word(place) => ("word", place),
        Meaning::Hint(place) => ("hint", place),
        Meaning::Guard => ("guard", 0),
        Meaning::Contact => ("contact", 0),
        Meaning::Platform => ("platform", 0),
        Meaning::Engine => ("engine", 0),
        Meaning::CompatibleWith => ("compatible with", 0),
        Meaning::Device => ("device", 0),
        Meaning::Browser(place) => ("browser", place),
        Meaning::System(place) => ("system", place),
        Meaning::Class(place) => ("class", place),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_that_are_not_those_of_a_release_have_a_version_of_their_own() {
        assert_eq!(version(("2026-11", "0a0b0c0d"), "0a0b0c0d"), "2026-11");
        assert_eq!(version(("2026-11", "0a0b0c0d"), "0a0b0c0e"), "2026-11+rules-0a0b0c0e");
    }

    #[test]
    fn whatever_decides_is_in_the_digest_and_nothing_else() {
        type Change = fn(&mut RuleFiles);
        let of = |change: Change| {
            let mut files = RuleFiles::built_in().unwrap().clone();
            change(&mut files);
            digest(&files, "HEL = [\"Helsinki\", \"FI\"]").unwrap()
        };
        let unchanged = of(|_| ());
        let changes: [Change; 9] = [
            |files| files.bots[0].name.push('x'),
            |files| files.bots[0].vendor = Some("x".to_owned()),
            |files| files.bots[0].category += 1,
            |files| files.bots[0].inside_browsers ^= true,
            |files| files.bots[0].as_written ^= true,
            |files| files.patterns[0].0.push('x'),
            |files| files.patterns.swap(0, 1),
            |files| files.browsers[0].push('x'),
            |files| files.categories[0].name.push('x'),
        ];
        let mut all: Vec<String> = changes.into_iter().map(of).collect();
        all.push(unchanged.clone());
        all.push(digest(RuleFiles::built_in().unwrap(), "HEL = [\"Helsinki\", \"SE\"]").unwrap());
        let distinct: std::collections::BTreeSet<&String> = all.iter().collect();
        assert_eq!(distinct.len(), all.len(), "{all:?}");
        assert_eq!(of(|files| files.categories[0].about.push('x')), unchanged);
        assert_eq!(of(|files| files.categories[0].such_as.clear()), unchanged);
    }
}
