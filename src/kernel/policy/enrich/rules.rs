//! The rules of this version, compiled from the files in `data/`: what tells a bot, who the known
//! ones are, and what browsers, systems and devices are called.

use std::sync::LazyLock;

use super::category::is_tool;
use super::patterns::{Hit, Patterns};
use super::rule_files::{Bot, Meaning, RuleFiles};

/// From this length on a bot's name stands for itself, even where a device says what it is called.
const SURE_NAME_BYTES: usize = 10;

/// A known bot and where it stands in a user agent.
#[derive(Clone, Copy, Debug)]
pub(super) struct FoundBot<'r> {
    pub(super) bot: &'r Bot,
    /// The name of its category.
    pub(super) category: &'r str,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All of them, compiled.
#[derive(Debug)]
pub(super) struct Rules {
    patterns: Patterns<Meaning>,
    files: &'static RuleFiles,
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
    pub(super) word: Option<(&'r str, usize, usize)>,
    /// The first hint of a category.
    pub(super) hint: Option<&'r str>,
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

impl Rules {
    /// What is built in, compiled once (9 ms). A fault in it fails every test.
    pub(super) fn built_in() -> Result<&'static Self, String> {
        static RULES: LazyLock<Result<Rules, String>> = LazyLock::new(|| {
            let files = RuleFiles::built_in()?;
            let patterns = files.patterns.iter().map(|(pattern, meaning)| (pattern.as_str(), *meaning));
            Ok(Rules { patterns: Patterns::new(patterns)?, files })
        });
        RULES.as_ref().map_err(Clone::clone)
    }

    /// What stands in a decoded user agent, found in one pass.
    pub(super) fn signs_in(&self, text: &str) -> Signs<'static> {
        let files = self.files;
        let name_of = |place: usize| files.categories[place].name.as_str();
        let mut hits = self.patterns.find(text);
        let guards = hits.iter().filter(|hit| hit.meaning == Meaning::Guard).map(|hit| (hit.start, hit.end));
        let guards: Vec<(usize, usize)> = guards.chain(device_comment(text)).collect();
        let inside = |hit: &Hit<Meaning>| guards.iter().any(|(start, end)| *start <= hit.start && hit.end <= *end);
        let sure = |hit: &Hit<Meaning>| match hit.meaning {
            // A device may be called anything, but hardly by a long name of a bot.
            Meaning::Bot(place) => files.bots[place].inside_browsers && hit.end - hit.start >= SURE_NAME_BYTES,
            _ => false,
        };
        hits.retain(|hit| {
            !matches!(hit.meaning, Meaning::Word(_) | Meaning::Bot(_) | Meaning::Contact) || !inside(hit) || sure(hit)
        });
        let mut signs = Signs::default();
        let (mut browser, mut system, mut class) = (None, None, None);
        for Hit { start, end, meaning } in hits {
            match meaning {
                Meaning::Bot(place) => {
                    let bot = &files.bots[place];
                    let found = FoundBot { bot, category: name_of(bot.category), start, end };
                    let known = if is_tool(found.category) { &mut signs.tool } else { &mut signs.bot };
                    keep_longest(known, found);
                    if found.bot.inside_browsers {
                        keep_longest(&mut signs.inside, found);
                    }
                }
                Meaning::Word(place) => {
                    if signs.word.is_none_or(|(_, first, _)| start < first) {
                        signs.word = Some((name_of(place), start, end));
                    }
                }
                Meaning::Hint(place) => _ = signs.hint.get_or_insert_with(|| name_of(place)),
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
        signs.browser = browser.map(|(number, end)| (files.browsers[number].as_str(), end));
        signs.system = system.map(|number| files.systems[number].as_str());
        signs.class = class.map(|number| files.classes[number].as_str());
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
