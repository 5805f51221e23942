//! A user's own rules about bots, which win over those that are built in.
//!
//! ```toml
//! [[rule]]
//! pattern = "AcmeMonitor"     # as in data/bots.toml
//! bot = true                  # false: it is none, whatever else is said of it
//! name = "Acme monitor"       # the rest may be left out
//! vendor = "Acme"
//! category = "monitoring"
//! ```
//!
//! The first rule that is found counts. What it does not say stays as the built-in rules have it.

use serde::Deserialize;

use super::agent::Agent;
use super::category::OTHER;
use super::patterns::Patterns;
use super::rule_files::RuleFiles;

/// The rules of a job, compiled.
#[derive(Debug)]
pub(super) struct UserRules {
    patterns: Option<Patterns<usize>>,
    rules: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UserRulesFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    pattern: String,
    bot: bool,
    name: Option<String>,
    vendor: Option<String>,
    category: Option<String>,
}

impl UserRules {
    /// No rules.
    pub(super) const fn none() -> Self {
        Self { patterns: None, rules: Vec::new() }
    }

    /// Reads a file of rules; says what is wrong with it.
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let UserRulesFile { rule: rules } = toml::from_str(text).map_err(|error| error.to_string())?;
        let known = RuleFiles::built_in()?;
        for category in rules.iter().filter_map(|rule| rule.category.as_deref()) {
            known.category(category)?;
        }
        let numbered = rules.iter().enumerate().map(|(number, rule)| (rule.pattern.as_str(), number));
        let patterns = Patterns::new(numbered)?;
        Ok(Self { patterns: Some(patterns), rules })
    }

    /// Lets the first rule that is found change what is said of a user agent.
    pub(super) fn apply(&self, text: &str, agent: &mut Agent) {
        let Some(patterns) = &self.patterns else { return };
        let Some(rule) = patterns.find(text).iter().map(|hit| hit.meaning).min().map(|number| &self.rules[number])
        else {
            return;
        };
        if rule.bot {
            agent.bot_category.get_or_insert_with(|| OTHER.to_owned());
        } else {
            (agent.bot_name, agent.bot_vendor, agent.bot_category) = (None, None, None);
        }
        agent.is_bot = Some(rule.bot);
        for (of_rule, of_agent) in [
            (&rule.name, &mut agent.bot_name),
            (&rule.vendor, &mut agent.bot_vendor),
            (&rule.category, &mut agent.bot_category),
        ] {
            if of_rule.is_some() {
                of_agent.clone_from(of_rule);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::kernel::policy::enrich::{Additions, Agent, Enricher, Escapes};
    use std::sync::Arc;

    const CHROME: &str =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    fn classify(rules: &str, text: &str) -> Arc<Agent> {
        let additions = Additions { own: Some(rules.to_owned()), ..Additions::default() };
        Enricher::new(&additions).unwrap().classify(text.as_bytes(), Escapes::Percent)
    }

    #[test]
    fn a_users_rule_wins_both_ways() {
        let rules = r#"
            [[rule]]
            pattern = "AcmeShop"
            bot = false
            [[rule]]
            pattern = "AcmeMonitor"
            bot = true
            name = "Acme monitor"
            vendor = "Acme"
            category = "monitoring"
            [[rule]]
            pattern = "Acme*"
            bot = true
        "#;
        let app = classify(rules, "AcmeShop/3.1 CFNetwork/1410.0.3 Darwin/22.6.0");
        assert_eq!((app.is_bot, app.bot_name.as_deref(), app.bot_category.as_deref()), (Some(false), None, None));
        assert_eq!((app.os_family.as_deref(), app.device_class), (Some("iOS"), Some("mobile")));
        let monitor = classify(rules, &format!("{CHROME} AcmeMonitor/2"));
        assert_eq!((monitor.is_bot, monitor.bot_name.as_deref()), (Some(true), Some("Acme monitor")));
        assert_eq!(
            (monitor.bot_vendor.as_deref(), monitor.bot_category.as_deref()),
            (Some("Acme"), Some("monitoring"))
        );
        assert_eq!((monitor.browser_family.as_deref(), monitor.device_class), (None, Some("bot")));
        let other = classify(rules, &format!("{CHROME} AcmeX"));
        assert_eq!((other.is_bot, other.bot_category.as_deref()), (Some(true), Some("other")));
        let person = classify(rules, CHROME);
        assert_eq!((person.is_bot, person.browser_family.as_deref()), (Some(false), Some("Chrome")));
        // A browser that is called a bot by what it says, and is none, is a browser again.
        let allowed = classify("[[rule]]\npattern = \"TVBot\"\nbot = false\n", &format!("{CHROME} TVBot/1"));
        assert_eq!((allowed.is_bot, allowed.browser_family.as_deref()), (Some(false), Some("Chrome")));
    }

    #[test]
    fn a_category_that_is_none_is_refused_with_those_there_are() {
        let rules = "[[rule]]\npattern = \"Acme\"\nbot = true\ncategory = \"surveying\"\n";
        let error = Enricher::new(&Additions { own: Some(rules.to_owned()), ..Additions::default() }).unwrap_err();
        assert!(error.contains("'surveying' is no category; there are ai-training, "), "{error}");
    }

    #[test]
    fn libraries_are_bots_or_apps() {
        let of = |libraries_are_bots: bool, text: &str| {
            let additions = Additions { libraries_are_bots, ..Additions::default() };
            Enricher::new(&additions).unwrap().classify(text.as_bytes(), Escapes::Percent)
        };
        for text in [
            "okhttp/4.12.0",
            "AcmeShop/3.1 CFNetwork/1410.0.3 Darwin/22.6.0",
            "Dalvik/2.1.0 (Linux; U; Android 13; Pixel 6)",
        ] {
            let (bot, app) = (of(true, text), of(false, text));
            assert_eq!((bot.is_bot, app.is_bot), (Some(true), Some(false)), "{text}");
            assert_eq!((bot.device_class, bot.bot_category.as_deref()), (Some("bot"), Some("http-library")), "{text}");
            assert_eq!(app.bot_category.as_deref(), Some("http-library"), "{text}");
        }
        assert_eq!(of(false, "Googlebot/2.1").is_bot, Some(true));
    }
}
