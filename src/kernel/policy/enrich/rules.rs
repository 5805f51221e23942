//! The rules of this version, compiled from the files in `data/`: what tells a bot, who the known
//! ones are, and what browsers, systems and devices are called.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::category::Category;
use super::patterns::{Hit, Patterns};

/// The version of these rules, kept in every file's metadata so that a later version knows what to
/// do again. It changes whenever a file in `data/` does (a test keeps their digest beside it), or
/// the code that reads it.
pub const RULES_VERSION: &str = "2026-11";

const BOTS: &str = include_str!("data/bots.toml");
const SIGNS: &str = include_str!("data/signs.toml");
const BROWSERS: &str = include_str!("data/browsers.toml");

/// From this length on a bot's name stands for itself, even where a device says what it is called.
const SURE_NAME_BYTES: usize = 10;

/// A known bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bot {
    pub(super) name: String,
    pub(super) vendor: Option<String>,
    pub(super) category: Category,
    /// It counts within a whole browser too.
    inside_browsers: bool,
    /// Its line holds several: the name is what the user agent says.
    pub(super) as_written: bool,
}

/// A known bot and where it stands in a user agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundBot<'r> {
    pub(super) bot: &'r Bot,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// What a found pattern means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Bot(usize),
    Word(Category),
    Hint(Category),
    Guard,
    Contact,
    Platform,
    Engine,
    CompatibleWith,
    Device,
    Browser(usize),
    System(usize),
    Class(usize),
}

/// All of them, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    patterns: Patterns<Meaning>,
    bots: Vec<Bot>,
    browsers: Vec<String>,
    systems: Vec<String>,
    classes: Vec<String>,
}

/// What stands in one user agent.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a sign that is there or not")]
pub(super) struct Signs<'r> {
    /// The longest name of a known bot that is no tool.
    pub(super) bot: Option<FoundBot<'r>>,
    /// The same of tools: a library or an automated browser, which somebody with a name may use.
    pub(super) tool: Option<FoundBot<'r>>,
    /// The longest name that counts within a whole browser too.
    pub(super) inside: Option<FoundBot<'r>>,
    /// The first word that tells a bot: its category and place.
    pub(super) word: Option<(Category, usize, usize)>,
    /// The first hint of a category.
    pub(super) hint: Option<Category>,
    /// An address of the web.
    pub(super) contact: bool,
    /// A system that browsers run on.
    pub(super) platform: bool,
    /// A browser's engine.
    pub(super) engine: bool,
    /// Something that `compatible` may stand before.
    pub(super) compatible_with: bool,
    /// A device or app in a person's hand.
    pub(super) device: bool,
    /// The browser, and where the text behind its pattern begins.
    pub(super) browser: Option<(&'r str, usize)>,
    /// The system.
    pub(super) system: Option<&'r str>,
    /// The class of device.
    pub(super) class: Option<&'r str>,
}

/// A known bot as it is written down: its vendor alone, or more.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Vendor(String),
    Full(Full),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Full {
    vendor: String,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    inside_browsers: bool,
    #[serde(default)]
    as_written: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignsFile {
    words: BTreeMap<Category, Vec<String>>,
    contacts: BTreeMap<String, Vec<String>>,
    hints: BTreeMap<Category, Vec<String>>,
    guards: BTreeMap<String, Vec<String>>,
    person: Person,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    platforms: Vec<String>,
    engines: Vec<String>,
    compatible_with: Vec<String>,
    devices: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrowsersFile {
    browsers: Vec<Vec<String>>,
    systems: Vec<Vec<String>>,
    devices: Vec<Vec<String>>,
}

impl Rules {
    /// What is built in, compiled once (9 ms). A fault in it fails every test.
    pub(super) fn built_in() -> Result<&'static Self, String> {
        static RULES: LazyLock<Result<Rules, String>> = LazyLock::new(|| Rules::new(BOTS, SIGNS, BROWSERS));
        RULES.as_ref().map_err(Clone::clone)
    }

    fn new(bots: &str, signs: &str, browsers: &str) -> Result<Self, String> {
        let mut list: Vec<(String, Meaning)> = Vec::new();
        let bots = read_bots(bots, &mut list)?;
        read_signs(signs, &mut list)?;
        let file: BrowsersFile = toml::from_str(browsers).map_err(|error| format!("browsers.toml: {error}"))?;
        let mut names = |lines: Vec<Vec<String>>, meaning: fn(usize) -> Meaning| {
            let mut names = Vec::with_capacity(lines.len());
            for (number, line) in lines.into_iter().enumerate() {
                let mut line = line.into_iter();
                names.push(line.next().unwrap_or_default());
                list.extend(line.map(|pattern| (pattern, meaning(number))));
            }
            names
        };
        let browsers = names(file.browsers, Meaning::Browser);
        let systems = names(file.systems, Meaning::System);
        let classes = names(file.devices, Meaning::Class);
        Ok(Self { patterns: Patterns::new(list.into_iter())?, bots, browsers, systems, classes })
    }

    /// What stands in a decoded user agent, found in one pass.
    pub(super) fn look(&self, text: &str) -> Signs<'_> {
        let mut hits = self.patterns.find(text);
        let guards = hits.iter().filter(|hit| hit.meaning == Meaning::Guard).map(|hit| (hit.start, hit.end));
        let guards: Vec<(usize, usize)> = guards.chain(device_comment(text)).collect();
        let inside = |hit: &Hit<Meaning>| guards.iter().any(|(start, end)| *start <= hit.start && hit.end <= *end);
        let sure = |hit: &Hit<Meaning>| match hit.meaning {
            // A device may be called anything, but hardly by a long name of a bot.
            Meaning::Bot(number) => self.bots[number].inside_browsers && hit.end - hit.start >= SURE_NAME_BYTES,
            _ => false,
        };
        hits.retain(|hit| {
            !matches!(hit.meaning, Meaning::Word(_) | Meaning::Bot(_) | Meaning::Contact) || !inside(hit) || sure(hit)
        });
        let mut signs = Signs::default();
        let (mut browser, mut system, mut class) = (None, None, None);
        for Hit { start, end, meaning } in hits {
            match meaning {
                Meaning::Bot(number) => {
                    let found = FoundBot { bot: &self.bots[number], start, end };
                    let known = match found.bot.category {
                        Category::HttpLibrary | Category::BrowserAutomation => &mut signs.tool,
                        _ => &mut signs.bot,
                    };
                    keep_longest(known, found);
                    if found.bot.inside_browsers {
                        keep_longest(&mut signs.inside, found);
                    }
                }
                Meaning::Word(category) => {
                    if signs.word.is_none_or(|(_, first, _)| start < first) {
                        signs.word = Some((category, start, end));
                    }
                }
                Meaning::Hint(category) => _ = signs.hint.get_or_insert(category),
                Meaning::Guard => {}
                Meaning::Contact => signs.contact = true,
                Meaning::Platform => signs.platform = true,
                Meaning::Engine => signs.engine = true,
                Meaning::CompatibleWith => signs.compatible_with = true,
                Meaning::Device => signs.device = true,
                Meaning::Browser(number) => {
                    if browser.is_none_or(|(known, _)| number < known) {
                        browser = Some((number, end));
                    }
                }
                Meaning::System(number) => system = Some(system.unwrap_or(number).min(number)),
                Meaning::Class(number) => class = Some(class.unwrap_or(number).min(number)),
            }
        }
        signs.browser = browser.map(|(number, end)| (self.browsers[number].as_str(), end));
        signs.system = system.map(|number| self.systems[number].as_str());
        signs.class = class.map(|number| self.classes[number].as_str());
        signs
    }
}

fn keep_longest<'r>(known: &mut Option<FoundBot<'r>>, found: FoundBot<'r>) {
    if known.is_none_or(|known| found.end - found.start > known.end - known.start) {
        *known = Some(found);
    }
}

/// Where an Android device says what it is: between the parentheses behind `Mozilla/5.0`. A device
/// may be called anything.
fn device_comment(text: &str) -> Option<(usize, usize)> {
    let open = text.starts_with("Mozilla/").then(|| text.find('('))??;
    let close = open + text[open..].find(')')?;
    let comment = &text[open..close];
    let is_device = comment.contains("Android") && !comment.contains("compatible") && !comment.contains("://");
    is_device.then_some((open, close))
}

fn read_bots(text: &str, list: &mut Vec<(String, Meaning)>) -> Result<Vec<Bot>, String> {
    let file: BTreeMap<Category, BTreeMap<String, Written>> =
        toml::from_str(text).map_err(|error| format!("bots.toml: {error}"))?;
    let mut bots = Vec::new();
    for (category, known) in file {
        for (name, written) in known {
            let Full { vendor, patterns, inside_browsers, as_written } = match written {
                Written::Vendor(vendor) => {
                    Full { vendor, patterns: Vec::new(), inside_browsers: false, as_written: false }
                }
                Written::Full(full) => full,
            };
            let patterns = if patterns.is_empty() { vec![name.clone()] } else { patterns };
            list.extend(patterns.into_iter().map(|pattern| (pattern, Meaning::Bot(bots.len()))));
            let vendor = Some(vendor).filter(|vendor| !matches!(vendor.as_str(), "unknown" | "various"));
            bots.push(Bot { name, vendor, category, inside_browsers, as_written });
        }
    }
    Ok(bots)
}

fn read_signs(text: &str, list: &mut Vec<(String, Meaning)>) -> Result<(), String> {
    let SignsFile { words, contacts, hints, guards, person } =
        toml::from_str(text).map_err(|error| format!("signs.toml: {error}"))?;
    let mut add = |patterns: Vec<String>, meaning: Meaning| {
        list.extend(patterns.into_iter().map(|pattern| (pattern, meaning)));
    };
    words.into_iter().for_each(|(category, patterns)| add(patterns, Meaning::Word(category)));
    contacts.into_values().for_each(|patterns| add(patterns, Meaning::Contact));
    hints.into_iter().for_each(|(category, patterns)| add(patterns, Meaning::Hint(category)));
    guards.into_values().for_each(|patterns| add(patterns, Meaning::Guard));
    add(person.platforms, Meaning::Platform);
    add(person.engines, Meaning::Engine);
    add(person.compatible_with, Meaning::CompatibleWith);
    add(person.devices, Meaning::Device);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn the_version_changes_with_the_rules() {
        let digest = Sha256::new().chain_update(BOTS).chain_update(SIGNS).chain_update(BROWSERS);
        let digest = digest.chain_update(include_str!("data/edge_locations.toml")).finalize();
        let digest: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(
            (RULES_VERSION, digest.as_str()),
            ("2026-11", "bfcbafee"),
            "the rules have changed: give them another version if one was released with these, and write the digest here"
        );
    }

    #[test]
    fn every_line_is_whole() {
        let rules = Rules::built_in().unwrap();
        let mut names = std::collections::BTreeSet::new();
        for bot in &rules.bots {
            assert!(names.insert(bot.name.to_lowercase()), "{} is there twice", bot.name);
            assert!(!bot.name.is_empty() && bot.name.len() < 50, "{}", bot.name);
        }
        assert!(rules.bots.len() > 500, "{}", rules.bots.len());
        assert!(
            Category::ALL.iter().all(|category| rules.bots.iter().filter(|bot| bot.category == *category).count() >= 5)
        );
    }
}
