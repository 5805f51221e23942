//! What is told of a user agent: browser, system and device, person or bot, and which.

use super::agent::Agent;
use super::browser::browser_of;
use super::category::HTTP_LIBRARY;
use super::decode::{decode_logged, text};
use super::rules::Rules;
use super::uap::Regexes;
use super::user_rules::UserRules;
use super::verdict::{Verdict, decide};
use crate::kernel::schema::Escapes;

/// Only the beginning of a user agent is looked at: whoever says who they are says it there, and no
/// made-up text costs more than a few ordinary ones. (The longest of some 1,700 labelled ones has
/// 325 bytes.)
const LOOKED_AT_BYTES: usize = 512;

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
        without_pretence(agent)
    }
}

/// A bot has no browser, whatever it says, and sits at no system; a library has at least the
/// system that its app runs on.
fn without_pretence(mut agent: Agent) -> Agent {
    let is_library = agent.bot_category.as_deref() == Some(HTTP_LIBRARY);
    let is_bot = agent.is_bot == Some(true);
    if is_bot || is_library {
        (agent.browser_family, agent.browser_version) = (None, None);
    }
    if is_bot {
        agent.device_class = Some("bot");
        agent.os_family = agent.os_family.filter(|_| is_library);
    }
    agent
}
