//! How rows are made of lines: by which rules user agents are looked at, and what is kept of
//! people.

use serde::{Deserialize, Serialize};

use super::enrich::{Additions, Enricher};
use super::privacy::Privacy;

/// What makes rows of one job unlike those of another.
#[derive(Debug)]
pub struct Recipe {
    /// Looks at user agents.
    pub enricher: Enricher,
    /// What is kept of people.
    pub privacy: Privacy,
    stamp: Fingerprint,
}

impl Recipe {
    /// Compiles the rules; says what is wrong with a job's additions.
    pub fn new(additions: &Additions, privacy: Privacy) -> Result<Self, String> {
        let stamp = Fingerprint { rules: additions.stamp(), privacy: privacy.stamp() };
        Ok(Self { enricher: Enricher::new(additions)?, privacy, stamp })
    }

    /// The rules that are built in, and everything kept.
    pub fn plain() -> Result<Self, String> {
        Self::new(&Additions::default(), Privacy::default())
    }

    /// What its files say of it.
    #[must_use]
    pub const fn stamp(&self) -> &Fingerprint {
        &self.stamp
    }
}

/// What a file says of how its rows were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint {
    /// The rules about user agents ([`Additions::stamp`]).
    pub rules: String,
    /// What was kept of people ([`Privacy::stamp`]).
    pub privacy: String,
}

impl Fingerprint {
    /// Of rows that were made in several ways: each once, in their order.
    #[must_use]
    pub fn of_several(stamps: &[Self]) -> Self {
        let join = |of: fn(&Self) -> &str| {
            let mut all: Vec<&str> = stamps.iter().flat_map(|stamp| of(stamp).split(" | ")).collect();
            all.sort_unstable();
            all.dedup();
            all.join(" | ")
        };
        Self { rules: join(|stamp| &stamp.rules), privacy: join(|stamp| &stamp.privacy) }
    }
}

impl std::fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}; {}", self.rules, self.privacy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn merged_rows_say_each_way_once() {
        let stamp = |rules: &str, privacy: &str| Fingerprint { rules: rules.into(), privacy: privacy.into() };
        let several = Fingerprint::of_several(&[stamp("2", "none"), stamp("1 | 2", "none")]);
        assert_eq!(several, stamp("1 | 2", "none"));
    }
}
