//! Columns whose values are looked up: one for each object, or one for each user agent.

use super::super::data::{ColumnData, LookedUp, booleans};
use crate::kernel::policy::enrich::{Agent, Agents};
use crate::kernel::policy::privacy::{Privacy, Treatment};
use crate::kernel::schema::{AgentFact, Column, Origin, columns};
use crate::model::Table;

/// What one object is called.
#[derive(Clone, Debug)]
pub(super) struct ObjectNames {
    pub(super) filename: String,
    pub(super) distribution: Option<String>,
}

/// The columns whose values are looked up: from the object, or from the user agent.
pub(super) fn shared_columns(
    table: Table,
    objects: &[ObjectNames],
    agents: &Agents,
    privacy: &Privacy,
) -> Vec<ColumnData> {
    let of = |column: &Column| match column.origin {
        Origin::ObjectKey => {
            ColumnData::ObjectText(LookedUp::of(objects.iter().map(|object| Some(object.filename.as_str()))))
        }
        Origin::Agent(AgentFact::IsBot) => {
            ColumnData::PerAgent(booleans(agents.list().iter().map(|agent| agent.is_bot)))
        }
        Origin::Agent(fact) => {
            let texts = agents.list().iter().map(|agent| agent_text(agent, fact));
            ColumnData::AgentText(treated(texts, privacy.of_column(table, column.name), privacy))
        }
        _ => ColumnData::Absent,
    };
    columns(table).iter().map(of).collect()
}

fn agent_text(agent: &Agent, fact: AgentFact) -> Option<&str> {
    match fact {
        AgentFact::AsLogged => agent.raw.as_deref(),
        AgentFact::Decoded => agent.user_agent.as_deref(),
        AgentFact::BrowserFamily => agent.browser_family.as_deref(),
        AgentFact::BrowserVersion => agent.browser_version.as_deref(),
        AgentFact::OsFamily => agent.os_family.as_deref(),
        AgentFact::DeviceClass => agent.device_class,
        AgentFact::BotName => agent.bot_name.as_deref(),
        AgentFact::BotVendor => agent.bot_vendor.as_deref(),
        AgentFact::BotCategory => agent.bot_category.as_deref(),
        // No text.
        AgentFact::IsBot => None,
    }
}

/// A text per user agent, after what a job does to the column.
fn treated<'a>(texts: impl Iterator<Item = Option<&'a str>>, treatment: Treatment, privacy: &Privacy) -> LookedUp {
    if treatment == Treatment::Keep {
        return LookedUp::of(texts);
    }
    let treated = texts.map(|text| privacy.treat(treatment, text?.as_bytes()));
    // Whatever is left of a text or put into it is text.
    let treated: Vec<Option<String>> =
        treated.map(|text| text.map(|text| String::from_utf8_lossy(&text).into_owned())).collect();
    LookedUp::of(treated.iter().map(Option::as_deref))
}
