//! What is said of one user agent.

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
}
