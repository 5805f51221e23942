//! What bots are for.
//!
//! The categories stand in `data/bots.toml`, each with its bots. The code knows three of them by
//! name, because they are treated unlike the others.

/// Anything that no other category fits.
pub(super) const OTHER: &str = "other";

/// HTTP libraries, and apps that say which one they are built with. A job may say that they are no
/// bots.
pub(super) const HTTP_LIBRARY: &str = "http-library";

/// Browsers that a program steers.
const BROWSER_AUTOMATION: &str = "browser-automation";

/// What a bot is for: a value of the column `bot_category`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// As the column has it, such as `ai-training`.
    pub name: String,
    /// What its bots do, in a few words.
    pub about: String,
    /// Some of its bots, by name.
    pub such_as: Vec<String>,
}

/// Whether bots of a category are tools: they yield to the name of whoever uses them.
pub(super) fn is_tool(category: &str) -> bool {
    matches!(category, HTTP_LIBRARY | BROWSER_AUTOMATION)
}
