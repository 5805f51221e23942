//! One user agent, looked at. The only file that knows woothee, so that another library can take its place.

use std::sync::LazyLock;

use super::decode::{Escapes, decode_logged};

/// The version of these rules, kept in every file's metadata so that a later version knows what to do again.
pub const RULES_VERSION: &str = "woothee-0.13";

/// What a user agent says. `None` is NULL in the table: not known, never 'Other'.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agent {
    /// The value as logged.
    pub raw: Option<String>,
    /// The value decoded.
    pub user_agent: Option<String>,
    /// Browser, such as `Chrome`.
    pub browser_family: Option<String>,
    /// Its version, as it says.
    pub browser_version: Option<String>,
    /// Operating system, such as `Windows`.
    pub os_family: Option<String>,
    /// `desktop`, `mobile`, `tablet`, `tv`, `bot` or `other`.
    pub device_class: Option<&'static str>,
    /// Whether a program is behind it; `None` without a user agent.
    pub is_bot: Option<bool>,
    /// The bot's name.
    pub bot_name: Option<String>,
    /// What the bot is for. woothee does not know; no row has one yet.
    pub bot_category: Option<&'static str>,
}

impl Agent {
    /// No user agent was sent.
    #[must_use]
    pub fn absent() -> Self {
        Self::default()
    }

    /// Decodes a raw value and looks at it.
    #[must_use]
    pub fn of_raw(raw: &[u8], escapes: Escapes) -> Self {
        static PARSER: LazyLock<woothee::parser::Parser> = LazyLock::new(woothee::parser::Parser::new);
        let user_agent = decode_logged(raw, escapes);
        if raw.is_empty() {
            // It says as little as none at all.
            return Self { raw: Some(String::new()), user_agent: Some(user_agent), ..Self::default() };
        }
        let mut agent = Self {
            raw: Some(String::from_utf8_lossy(raw).into_owned()),
            is_bot: Some(false),
            device_class: Some("other"),
            ..Self::default()
        };
        if let Some(found) = PARSER.parse(&user_agent) {
            let known = |text: &str| (!text.is_empty() && text != "UNKNOWN").then(|| text.to_owned());
            agent.os_family = known(os_family(found.os));
            agent.device_class = Some(device_class(found.category, found.os));
            if found.category == "crawler" {
                agent.is_bot = Some(true);
                agent.bot_name = known(found.name);
            } else {
                agent.browser_family = known(found.name);
                agent.browser_version = known(found.version);
            }
        }
        agent.user_agent = Some(user_agent);
        agent
    }
}

/// Systems as people say them; browsers have frozen the versions, so those say nothing.
fn os_family(os: &str) -> &str {
    match os {
        "iPhone" | "iPod" => "iOS",
        "iPad" => "iPadOS",
        "Mac OSX" => "macOS",
        other if other.starts_with("Windows Phone") => "Windows Phone",
        other if other.starts_with("Windows") => "Windows",
        other => other,
    }
}

fn device_class(category: &str, os: &str) -> &'static str {
    match (category, os) {
        ("crawler", _) => "bot",
        (_, "iPad") => "tablet",
        ("pc", _) => "desktop",
        ("smartphone" | "mobilephone", _) => "mobile",
        ("appliance", "DigitalTV") => "tv",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> (Option<String>, Option<String>, Option<&'static str>, Option<bool>) {
        let agent = Agent::of_raw(raw.as_bytes(), Escapes::Percent);
        (agent.browser_family, agent.os_family, agent.device_class, agent.is_bot)
    }

    fn person(
        browser: &str,
        os: &str,
        device: &'static str,
    ) -> (Option<String>, Option<String>, Option<&'static str>, Option<bool>) {
        (Some(browser.into()), Some(os.into()), Some(device), Some(false))
    }

    #[test]
    fn browsers_are_known_through_their_encoding() {
        let windows = "Mozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/140.0.0.0%20Safari/537.36";
        assert_eq!(of(windows), person("Chrome", "Windows", "desktop"));
        assert_eq!(of(&windows.replace("%20", "%2520")), person("Chrome", "Windows", "desktop"));
        let iphone = "Mozilla/5.0%20(iPhone;%20CPU%20iPhone%20OS%2018_5%20like%20Mac%20OS%20X)%20AppleWebKit/605.1.15%20(KHTML,%20like%20Gecko)%20Version/18.5%20Mobile/15E148%20Safari/604.1";
        assert_eq!(of(iphone), person("Safari", "iOS", "mobile"));
        assert_eq!(Agent::of_raw(windows.as_bytes(), Escapes::Percent).browser_version.as_deref(), Some("140.0.0.0"));
    }

    #[test]
    fn bots_are_named_and_unknown_agents_are_not_guessed() {
        let bot = Agent::of_raw(
            b"Mozilla/5.0%20(compatible;%20Googlebot/2.1;%20+http://www.google.com/bot.html)",
            Escapes::Percent,
        );
        assert_eq!(
            (bot.is_bot, bot.bot_name.as_deref(), bot.device_class),
            (Some(true), Some("Googlebot"), Some("bot"))
        );
        assert_eq!(of("something"), (None, None, Some("other"), Some(false)));
        assert_eq!(Agent::absent().is_bot, None);
        let empty = Agent::of_raw(b"", Escapes::Percent);
        assert_eq!((empty.raw.as_deref(), empty.is_bot, empty.device_class), (Some(""), None, None));
    }
}
