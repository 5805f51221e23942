//! What a user agent says of the browser, the system and the machine that sent a request.
//!
//! A day of traffic holds some thousand distinct user agents, so each distinct raw value is decoded
//! and looked at once. Two levels remember: [`Agents`] belongs to one task and needs no lock;
//! [`Enricher`] is shared by all and asked only for what a task has not seen yet.
//!
//! | file | what it knows |
//! |-|-|
//! | `decode` | taking the log's escapes off |
//! | `patterns` | many words against one text in one pass |
//! | `data/` | the rules of this version: bots and their categories, what tells a bot, browsers and systems |
//! | `rule_files`, `rules` | reading these files; finding what they name in a user agent |
//! | `version` | what the rules of this version are called in files and records |
//! | `verdict` | person or bot, and which |
//! | `classifier` | all of it together, for one user agent |
//! | `agent`, `category` | what is said of a user agent; what bots are for |
//! | `browser` | browser, system and device: woothee, mended |
//! | `user_rules`, `uap` | what a job adds: its own rules, a `regexes.yaml` |
//! | `edges` | where edge locations are |

mod agent;
mod browser;
mod category;
mod classifier;
pub mod decode;
mod edges;
mod patterns;
mod rule_files;
mod rules;
mod uap;
mod user_rules;
mod verdict;
mod version;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};

use classifier::Classifier;
use rule_files::RuleFiles;
use rules::Rules;
use uap::Regexes;
use user_rules::UserRules;

pub use agent::Agent;
pub use category::Category;
pub use edges::EdgeLocations;
pub use version::rules_version;

pub use crate::kernel::schema::Escapes;

/// Every category of bots, in the order of `data/bots.toml`.
pub fn categories() -> Result<&'static [Category], String> {
    RuleFiles::built_in().map(|files| files.categories.as_slice())
}

/// Bytes of user agents that the shared memory holds before it starts anew, for each kind of log: a
/// flood of made-up user agents costs a second look at the others, and no more memory than this.
const MEMORY_BYTES: usize = 32 << 20;

/// What a job adds to the rules that are built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Additions {
    /// The text of a file of its own rules, as `enrich/user_rules.rs` describes it.
    pub own: Option<String>,
    /// The text of a `regexes.yaml` of uap-core, for browser and system.
    pub regexes: Option<String>,
    /// Whether HTTP libraries, and apps that say which one they are built with, count as bots.
    pub libraries_are_bots: bool,
}

impl Default for Additions {
    fn default() -> Self {
        Self { own: None, regexes: None, libraries_are_bots: true }
    }
}

impl Additions {
    /// [`rules_version`], and what tells these additions from others: rows that were enriched alike
    /// have the same.
    #[must_use]
    pub fn stamp(&self) -> String {
        let mut stamp = rules_version().to_owned();
        for (name, text) in [("bots", &self.own), ("regexes", &self.regexes)] {
            if let Some(text) = text {
                let digest = Sha256::digest(text);
                let short = digest.first_chunk::<4>().map_or(0, |bytes| u32::from_be_bytes(*bytes));
                stamp = format!("{stamp}+{name}-{short:08x}");
            }
        }
        if self.libraries_are_bots { stamp } else { format!("{stamp}+libraries-no-bots") }
    }
}

/// Knows every user agent that any task has met.
#[derive(Debug)]
pub struct Enricher {
    classifier: Classifier,
    edges: EdgeLocations,
    percent: RwLock<KnownAgents>,
    hex: RwLock<KnownAgents>,
}

#[derive(Debug, Default)]
struct KnownAgents {
    agents: HashMap<Box<[u8]>, Arc<Agent>, ahash::RandomState>,
    bytes: usize,
}

impl Enricher {
    /// By the rules of this version and a job's additions; says what is wrong with them.
    pub fn new(additions: &Additions) -> Result<Self, String> {
        let user_rules = additions.own.as_deref().map_or_else(|| Ok(UserRules::none()), UserRules::read);
        let regexes = additions.regexes.as_deref().map(Regexes::read).transpose();
        let classifier = Classifier {
            rules: Rules::built_in()?,
            user_rules: user_rules.map_err(|error| format!("the rules about bots: {error}"))?,
            regexes: regexes.map_err(|error| format!("the regular expressions: {error}"))?,
            libraries_are_bots: additions.libraries_are_bots,
        };
        Ok(Self { classifier, edges: EdgeLocations::built_in()?, percent: RwLock::default(), hex: RwLock::default() })
    }

    /// Where edge locations are.
    #[must_use]
    pub const fn edges(&self) -> &EdgeLocations {
        &self.edges
    }

    /// What a raw user agent says. A poisoned lock is used on: the map is whole after any panic of
    /// a reader.
    pub fn classify(&self, raw: &[u8], escapes: Escapes) -> Arc<Agent> {
        let known = match escapes {
            Escapes::Percent => &self.percent,
            Escapes::Hex => &self.hex,
        };
        if let Some(agent) = known.read().unwrap_or_else(PoisonError::into_inner).agents.get(raw) {
            return Arc::clone(agent);
        }
        let agent = Arc::new(self.classifier.classify(raw, escapes));
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        known.bytes += agent.held_bytes() + raw.len();
        if known.bytes > MEMORY_BYTES {
            *known = KnownAgents { bytes: agent.held_bytes() + raw.len(), ..KnownAgents::default() };
        }
        known.agents.insert(raw.into(), Arc::clone(&agent));
        agent
    }
}

/// The distinct user agents of one task's rows, numbered as they came; a row keeps the number.
#[derive(Debug)]
pub struct Agents {
    numbers: HashMap<Box<[u8]>, u32, ahash::RandomState>,
    list: Vec<Arc<Agent>>,
    escapes: Escapes,
    held_bytes: usize,
}

impl Agents {
    /// Knows none yet.
    #[must_use]
    pub fn new(escapes: Escapes) -> Self {
        Self { numbers: HashMap::default(), list: vec![Arc::new(Agent::absent())], escapes, held_bytes: 0 }
    }

    /// The number of a row without a user agent.
    pub const ABSENT: u32 = 0;

    /// The number of a raw user agent; `-` is absent.
    pub fn number(&mut self, raw: &[u8], enricher: &Enricher) -> u32 {
        if raw == b"-" {
            return Self::ABSENT;
        }
        if let Some(number) = self.numbers.get(raw) {
            return *number;
        }
        // Rows are numbered by u32 everywhere, and there are no more agents than rows.
        let number = u32::try_from(self.list.len()).unwrap_or(Self::ABSENT);
        let agent = enricher.classify(raw, self.escapes);
        self.held_bytes += agent.held_bytes() + raw.len();
        self.list.push(agent);
        self.numbers.insert(raw.into(), number);
        number
    }

    /// Bytes held, about.
    #[must_use]
    pub const fn held_bytes(&self) -> usize {
        self.held_bytes
    }

    /// Every agent by its number.
    #[must_use]
    pub fn list(&self) -> &[Arc<Agent>] {
        &self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_distinct_value_is_numbered_once() {
        let (enricher, mut agents) = (Enricher::new(&Additions::default()).unwrap(), Agents::new(Escapes::Percent));
        assert_eq!(agents.number(b"-", &enricher), Agents::ABSENT);
        assert_eq!(agents.number(b"curl/8.5.0", &enricher), 1);
        assert_eq!(agents.number(b"Wget/1.21", &enricher), 2);
        assert_eq!(agents.number(b"curl/8.5.0", &enricher), 1);
        assert_eq!(agents.list().len(), 3);
        assert_eq!(agents.list()[1].raw.as_deref(), Some("curl/8.5.0"));
        assert_eq!(agents.list()[0].is_bot, None);
    }

    #[test]
    fn a_flood_of_user_agents_is_forgotten() {
        let enricher = Enricher::new(&Additions::default()).unwrap();
        let mut most = 0;
        for n in 0..20_000 {
            // Distinct, and of the length of a header that a load balancer cuts.
            enricher.classify(format!("{n}{}", "x".repeat(8 << 10)).as_bytes(), Escapes::Percent);
            most = most.max(enricher.percent.read().unwrap().bytes);
        }
        assert!((MEMORY_BYTES / 2..=MEMORY_BYTES).contains(&most), "{most}");
        let known = enricher.percent.read().unwrap();
        assert!(known.agents.len() < 20_000);
    }

    #[test]
    fn a_stamp_tells_additions_apart() {
        let plain = Additions::default();
        let own = Additions { own: Some(String::new()), ..Additions::default() };
        let apps = Additions { libraries_are_bots: false, ..Additions::default() };
        assert_eq!(plain.stamp(), rules_version());
        assert_ne!(own.stamp(), plain.stamp());
        assert_ne!(apps.stamp(), plain.stamp());
    }
}
