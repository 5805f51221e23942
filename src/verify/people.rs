//! People: does any row hold more of them than the lake keeps by now?

use std::collections::BTreeMap;

use super::report::{FindingKind, VerifyReport};
use crate::error::Result;
use crate::job::said::mending;
use crate::kernel::ledger::records::Manifest;
use crate::kernel::policy::privacy::in_words;
use crate::lake::Lake;
use crate::lake::people::Census;
use crate::lake::said::AlreadySaid;
use crate::model::Table;
use crate::stats::{count, either};

/// The rows of each table by what was kept of people when they were made: all, and those of the
/// hours that are looked at.
#[derive(Debug, Default)]
pub(super) struct MadeWith(BTreeMap<Table, (Census, Census)>);

impl MadeWith {
    pub(super) fn add(&mut self, manifest: &Manifest, wanted: bool) {
        let (all, asked) = self.0.entry(manifest.unit.table()).or_default();
        all.add(manifest);
        if wanted {
            asked.add(manifest);
        }
    }
}

/// Holds the rows against what the lake remembers, or would remember if a run came now.
pub(super) async fn check_people(
    lake: &Lake,
    seen: &MadeWith,
    said: &AlreadySaid,
    report: &mut VerifyReport,
) -> Result<()> {
    for (table, (all, asked)) in &seen.0 {
        let known = lake.kept_of_people(*table).await?.map(|(_, known)| known.keeps);
        let Some(keeps) = known.or_else(|| all.least().map(str::to_owned)) else { continue };
        for (stamp, made) in asked.more(&keeps) {
            let hours = match (made.units.first(), made.units.last()) {
                (Some(first), Some(last)) if first != last => {
                    format!("{} hours from {first} to {last}", made.units.len())
                }
                (first, _) => first.map(ToString::to_string).unwrap_or_default(),
            };
            let (url, how) = (lake.objects.url(), lake.arguments_of_choice(&keeps, said).await?);
            let commands: Vec<String> = made.sources.iter().map(|source| mending(source, *table, url, &how)).collect();
            let about = format!(
                "{} of {hours} {} made with {}, the lake keeps {}; written anew by: {}",
                count(made.rows, "row"),
                either(made.rows, "was", "were"),
                in_words(stamp),
                in_words(&keeps),
                commands.join(" and ")
            );
            report.find(FindingKind::KeepsMore, about);
        }
    }
    Ok(())
}
