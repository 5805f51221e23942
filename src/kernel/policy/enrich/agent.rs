//! What one user agent says, by all the rules together.

use super::browser::browser_of;
use super::category::HTTP_LIBRARY;
use super::decode::{Escapes, decode_logged, text};
use super::rules::Rules;
use super::uap::Regexes;
use super::user_rules::UserRules;
use super::verdict::{Verdict, decide};

/// Only the beginning of a user agent is looked at: whoever says who they are says it there, and no
/// made-up text costs more than a few ordinary ones. (The longest of some 1,700 labelled ones has
/// 325 bytes.)
const LOOKED_AT_BYTES: usize = 512;

/// What a user agent says. `None` is NULL in the table: not known, never 'Other'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The value as logged.
    pub raw: Option<String>,
    /// The value decoded.
    pub user_agent: Option<String>,
    /// Browser, such as `Chrome`.
    pub browser_family: Option<String>,
    /// Its major version, such as `140`.
    pub browser_version: Option<String>,
    /// Operating system, such as `Windows`.
    pub os_family: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `tv`, `bot` or `other`.
    pub device_class: Option<&'static str>,
    /// Whether a program is behind it; `None` without a user agent, and behind a proxy.
    pub is_bot: Option<bool>,
    /// The bot's name.
    pub bot_name: Option<String>,
    /// Who runs the bot.
    pub bot_vendor: Option<String>,
    /// What the bot is for.
    pub bot_category: Option<String>,
}

/// The rules of this version, and what a job adds to them.
#[derive(Debug)]
pub(super) struct Classifier {
    pub(super) rules: &'static Rules,
    pub(super) user_rules: UserRules,
    pub(super) regexes: Option<Regexes>,
    /// Whether libraries, and apps that say which one they are built with, count as bots.
    pub(super) libraries_are_bots: bool,
}

impl Classifier {
    /// Decodes a raw value and says what it tells.
    pub(super) fn classify(&self, raw: &[u8], escapes: Escapes) -> Agent {
        let user_agent = decode_logged(raw, escapes);
        let mut agent = self.classify_text(&user_agent);
        agent.raw = Some(text(raw));
        agent.user_agent = Some(user_agent);
        agent
    }

    fn classify_text(&self, user_agent: &str) -> Agent {
        if user_agent.is_empty() {
            // It says as little as none at all.
            return Agent::default();
        }
        let beginning = &user_agent[..user_agent.floor_char_boundary(LOOKED_AT_BYTES)];
        let signs = self.rules.signs_in(beginning);
        let browser = browser_of(beginning, &signs);
        let browser = match &self.regexes {
            Some(regexes) => regexes.refine(beginning, browser),
            None => browser,
        };
        let mut agent = Agent {
            browser_family: browser.family,
            browser_version: browser.version,
            os_family: browser.system,
            device_class: Some(browser.class),
            ..Agent::default()
        };
        match decide(beginning, &signs) {
            Verdict::Unknown => agent = Agent { device_class: Some("other"), ..Agent::default() },
            Verdict::Person => agent.is_bot = Some(false),
            Verdict::Bot { name, vendor, category } => {
                agent.is_bot = Some(category != HTTP_LIBRARY || self.libraries_are_bots);
                (agent.bot_name, agent.bot_vendor) = (name, vendor);
                agent.bot_category = Some(category.to_owned());
            }
        }
        self.user_rules.apply(beginning, &mut agent);
        agent.without_pretence()
    }
}

impl Agent {
    /// No user agent was sent.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// Bytes held, about.
    pub(super) fn held_bytes(&self) -> usize {
        let texts = [&self.raw, &self.user_agent].into_iter().flatten().map(String::len).sum::<usize>();
        size_of::<Self>() + texts + 64
    }

    /// A bot has no browser, whatever it says, and sits at no system; a library has at least the
    /// system that its app runs on.
    fn without_pretence(mut self) -> Self {
        let is_library = self.bot_category.as_deref() == Some(HTTP_LIBRARY);
        let is_bot = self.is_bot == Some(true);
        if is_bot || is_library {
            (self.browser_family, self.browser_version) = (None, None);
        }
        if is_bot {
            self.device_class = Some("bot");
            self.os_family = self.os_family.filter(|_| is_library);
        }
        self
    }
}
