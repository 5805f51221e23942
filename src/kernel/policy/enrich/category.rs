//! What bots are for.

use serde::{Deserialize, Serialize};

/// What a bot is for. The names are those of the column `bot_category`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// Gathers text and pictures to train models.
    AiTraining,
    /// Indexes pages for the answers of a model.
    AiSearch,
    /// Fetches what a person asked a model about.
    AiUser,
    /// Indexes pages for people's searches.
    SearchEngine,
    /// Looks at links and ranks.
    Seo,
    /// Looks whether a site is up, fast or correct; health checks of clouds.
    Monitoring,
    /// Shows a link's title and picture where people talk.
    SocialPreview,
    /// Fetches feeds and podcasts.
    FeedReader,
    /// A library or tool, or an app that does not hide which one it is built with.
    HttpLibrary,
    /// A browser without a person, and load tests.
    BrowserAutomation,
    /// Looks for weaknesses, or surveys the internet.
    Scanner,
    /// Keeps pages for later.
    Archiver,
    /// Places and checks advertisements.
    Advertising,
    /// Gathers for research.
    Academic,
    /// Anything else.
    Other,
}

impl Category {
    /// Every one.
    pub const ALL: [Self; 15] = [
        Self::AiTraining,
        Self::AiSearch,
        Self::AiUser,
        Self::SearchEngine,
        Self::Seo,
        Self::Monitoring,
        Self::SocialPreview,
        Self::FeedReader,
        Self::HttpLibrary,
        Self::BrowserAutomation,
        Self::Scanner,
        Self::Archiver,
        Self::Advertising,
        Self::Academic,
        Self::Other,
    ];

    /// As the column has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AiTraining => "ai-training",
            Self::AiSearch => "ai-search",
            Self::AiUser => "ai-user",
            Self::SearchEngine => "search-engine",
            Self::Seo => "seo",
            Self::Monitoring => "monitoring",
            Self::SocialPreview => "social-preview",
            Self::FeedReader => "feed-reader",
            Self::HttpLibrary => "http-library",
            Self::BrowserAutomation => "browser-automation",
            Self::Scanner => "scanner",
            Self::Archiver => "archiver",
            Self::Advertising => "advertising",
            Self::Academic => "academic",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_files_of_rules_say() {
        for category in Category::ALL {
            assert_eq!(serde_json::to_string(&category).unwrap(), format!("\"{}\"", category.name()));
        }
    }
}
