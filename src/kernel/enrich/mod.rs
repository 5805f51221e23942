//! What a user agent says of the browser, the system and the machine that sent a request.
//!
//! A day of traffic holds some thousand distinct user agents, so each distinct raw value is decoded and looked at once.
//! Two levels remember: [`Agents`] belongs to one task and needs no lock; [`Enricher`] is shared by all and asked only for
//! what a task has not seen yet.

mod agent;
pub mod decode;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

pub use agent::{Agent, RULES_VERSION};
pub use decode::Escapes;

/// Distinct user agents that the shared memory holds before it starts anew: at some 500 bytes each about 32 MB, while a
/// flood of made-up user agents costs at most a second look at each.
const MEMORY_AGENTS: usize = 1 << 16;

/// Knows every user agent that any task has met.
#[derive(Debug, Default)]
pub struct Enricher {
    percent: Known,
    hex: Known,
}

type Known = RwLock<HashMap<Box<[u8]>, Arc<Agent>, ahash::RandomState>>;

impl Enricher {
    /// What a raw user agent says. A poisoned lock is used on: the map is whole after any panic of a reader.
    pub fn look(&self, raw: &[u8], escapes: Escapes) -> Arc<Agent> {
        let known = match escapes {
            Escapes::Percent => &self.percent,
            Escapes::Hex => &self.hex,
        };
        if let Some(agent) = known.read().unwrap_or_else(PoisonError::into_inner).get(raw) {
            return Arc::clone(agent);
        }
        let agent = Arc::new(Agent::of_raw(raw, escapes));
        let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MEMORY_AGENTS {
            known.clear();
        }
        known.insert(raw.into(), Arc::clone(&agent));
        agent
    }
}

/// The distinct user agents of one task's rows, numbered as they came; a row keeps the number.
#[derive(Debug)]
pub struct Agents {
    numbers: HashMap<Box<[u8]>, u32, ahash::RandomState>,
    list: Vec<Arc<Agent>>,
    escapes: Escapes,
}

impl Agents {
    /// Knows none yet.
    #[must_use]
    pub fn new(escapes: Escapes) -> Self {
        Self { numbers: HashMap::default(), list: vec![Arc::new(Agent::absent())], escapes }
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
        self.list.push(enricher.look(raw, self.escapes));
        self.numbers.insert(raw.into(), number);
        number
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
        let (enricher, mut agents) = (Enricher::default(), Agents::new(Escapes::Percent));
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
        let enricher = Enricher::default();
        for n in 0..MEMORY_AGENTS + 10 {
            enricher.look(n.to_string().as_bytes(), Escapes::Percent);
        }
        assert!(enricher.percent.read().unwrap().len() <= MEMORY_AGENTS);
    }
}
