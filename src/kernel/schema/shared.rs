//! Columns that the tables of all logs have.

use super::column::PrivacyClass::{Nothing, UnknownFields};
use super::column::{AgentFact, Column, ColumnType, Origin, PrivacyClass, made};

/// The column of a row's time.
pub const EVENT_TIME: &str = "event_time";

/// The column that names the raw object of a row; the table of rejects has it too.
pub const FILENAME: &str = "filename";

/// The time of a row.
pub(super) const fn event_time(doc: &'static str) -> Column {
    made(Origin::EventTime, EVENT_TIME, ColumnType::Timestamp, Nothing, doc)
}

/// The raw object of a row.
pub(super) const fn filename(doc: &'static str) -> Column {
    made(Origin::ObjectKey, FILENAME, ColumnType::String, Nothing, doc)
}

/// The user agent, as logged or decoded.
pub(super) const fn user_agent(fact: AgentFact, name: &'static str, doc: &'static str) -> Column {
    made(Origin::Agent(fact), name, ColumnType::String, PrivacyClass::UserAgent, doc)
}

const fn agent(fact: AgentFact, name: &'static str, kind: ColumnType, doc: &'static str) -> Column {
    made(Origin::Agent(fact), name, kind, Nothing, doc)
}

const TEXT: ColumnType = ColumnType::String;

pub(super) const BROWSER_FAMILY: Column =
    agent(AgentFact::BrowserFamily, "browser_family", TEXT, "Browser, such as Chrome");
pub(super) const BROWSER_VERSION: Column =
    agent(AgentFact::BrowserVersion, "browser_version", TEXT, "Major version of the browser");
pub(super) const OS_FAMILY: Column = agent(AgentFact::OsFamily, "os_family", TEXT, "Operating system");
pub(super) const DEVICE_CLASS: Column =
    agent(AgentFact::DeviceClass, "device_class", TEXT, "desktop, mobile, tablet, tv, bot or other");
pub(super) const IS_BOT: Column = agent(
    AgentFact::IsBot,
    "is_bot",
    ColumnType::Boolean,
    "Whether a program made the request; NULL without a user agent and behind a proxy",
);
pub(super) const BOT_NAME: Column = agent(
    AgentFact::BotName,
    "bot_name",
    TEXT,
    "Name of the bot, as the list of known bots has it or as it calls itself",
);
pub(super) const BOT_CATEGORY: Column =
    agent(AgentFact::BotCategory, "bot_category", TEXT, "What the bot is for, such as search-engine or ai-training");
pub(super) const BOT_VENDOR: Column = agent(AgentFact::BotVendor, "bot_vendor", TEXT, "Who runs the bot");

pub(super) const EXTRA: Column = made(
    Origin::UnknownFields,
    "extra",
    ColumnType::StringMap,
    UnknownFields,
    "Fields that this version does not know, by their logged names",
);
