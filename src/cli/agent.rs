//! `edgemill agent`

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::options::{Given, Subset};
use super::show;
use crate::error::{Error, Result};
use crate::job::rows::RowChoices;
use crate::kernel::policy::enrich::{Agent, Escapes};

const EXAMPLES: &str = "\
Examples:
  # One, as a browser sends it
  edgemill agent 'Mozilla/5.0 (compatible; GPTBot/1.2; +https://openai.com/gptbot)'
  # Many, one a line
  cut -f 11 access.log | edgemill agent --json";

/// The rules.
#[derive(Debug)]
enum RuleOptions {}

impl Subset for RuleOptions {
    fn takes(name: &str) -> bool {
        matches!(name, "bots" | "ua_regexes" | "http_libraries")
    }
}

/// Say what a user agent is taken for
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// User agents, as logged (by CloudFront or a load balancer) or as sent; without any, one a
    /// line from stdin
    #[arg(value_name = "USER AGENT")]
    agents: Vec<String>,
    #[command(flatten)]
    rules: Given<RuleOptions>,
}

/// What is made of a user agent, by the names of the columns.
#[derive(Serialize)]
struct AgentColumns<'a> {
    user_agent: &'a Option<String>,
    is_bot: Option<bool>,
    bot_name: &'a Option<String>,
    bot_vendor: &'a Option<String>,
    bot_category: &'a Option<String>,
    browser_family: &'a Option<String>,
    browser_version: &'a Option<String>,
    os_family: &'a Option<String>,
    device_class: Option<&'static str>,
}

impl<'a> AgentColumns<'a> {
    const fn of(agent: &'a Agent) -> Self {
        let Agent { user_agent, is_bot, bot_name, bot_vendor, bot_category, .. } = agent;
        let Agent { browser_family, browser_version, os_family, device_class, .. } = agent;
        Self {
            user_agent,
            is_bot: *is_bot,
            bot_name,
            bot_vendor,
            bot_category,
            browser_family,
            browser_version,
            os_family,
            device_class: *device_class,
        }
    }
}

pub(super) fn run(args: Args, json: bool) -> Result<u8> {
    let Args { agents, rules } = args;
    let recipe = RowChoices::new(&rules.typed.decided())?.recipe()?;
    let stdin = || std::io::stdin().lock().split(b'\n');
    let typed: Box<dyn Iterator<Item = std::io::Result<Vec<u8>>>> = if agents.is_empty() {
        Box::new(stdin())
    } else {
        Box::new(agents.into_iter().map(|agent| Ok(agent.into_bytes())))
    };
    for raw in typed {
        let raw = raw.map_err(|error| Error::io("read", Path::new("stdin"), error))?;
        let raw = raw.strip_suffix(b"\r").unwrap_or(&raw);
        let escapes = if memchr::memmem::find(raw, b"\\x").is_some() { Escapes::Hex } else { Escapes::Percent };
        let agent = if raw == b"-" { Arc::new(Agent::absent()) } else { recipe.enricher.classify(raw, escapes) };
        if json {
            show::json(&AgentColumns::of(&agent))?;
        } else {
            show::line(&told(&agent))?;
        }
    }
    Ok(0)
}

/// An answer for people.
fn told(agent: &Agent) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "?".to_owned());
    let who = match agent.is_bot {
        None => "nobody can say".to_owned(),
        Some(false) if agent.bot_category.is_none() => {
            let version = agent.browser_version.as_deref().map_or_else(String::new, |version| format!(" {version}"));
            let (browser, system) = (text(&agent.browser_family), text(&agent.os_family));
            format!("person: {browser}{version} on {system}, {}", agent.device_class.unwrap_or("other"))
        }
        is_bot => {
            let vendor = agent.bot_vendor.as_deref().map_or_else(String::new, |vendor| format!(" of {vendor}"));
            let kind = if is_bot == Some(true) { "bot" } else { "no bot" };
            format!("{kind}: {}{vendor}, {}", text(&agent.bot_name), text(&agent.bot_category))
        }
    };
    format!("{who}\n    {}", text(&agent.user_agent))
}
