//! People: does any row hold more of them than the lake keeps by now, and is that remembered?

use std::collections::BTreeMap;

use super::report::{FindingKind, VerifyReport};
use crate::error::Result;
use crate::job::said::{format_argument, mending, quoted};
use crate::kernel::ledger::records::Manifest;
use crate::kernel::policy::privacy::in_words;
use crate::lake::Lake;
use crate::lake::people::{Census, Remembered};
use crate::lake::said::AlreadySaid;
use crate::model::Table;
use crate::stats::{count, either};

/// The rows of each table by what was kept of people when they were made: those of the hours that
/// are looked at.
#[derive(Debug, Default)]
pub(super) struct MadeWith(BTreeMap<Table, Census>);

impl MadeWith {
    pub(super) fn add(&mut self, manifest: &Manifest, wanted: bool) {
        if wanted {
            self.0.entry(manifest.unit.table()).or_default().add(manifest);
        }
    }
}

/// What a lake keeps of a table, and whether it is remembered where it is to be.
async fn remembered(
    lake: &Lake,
    table: Table,
    known: Option<&Remembered>,
    report: &mut VerifyReport,
) -> Result<Option<String>> {
    if let Some(known) = known {
        if lake.copied_choice(table).await?.as_ref() != Some(&known.keeps) {
            let keeps = in_words(&known.keeps);
            report.find(
                FindingKind::NotRemembered,
                format!("{table}: the lake has no copy of what it keeps of people ({keeps}); --fix writes it"),
            );
        }
        return Ok(Some(known.keeps.clone()));
    }
    let Some(recalled) = lake.recall(table, true).await? else { return Ok(None) };
    let keeps = recalled.remembered.keeps;
    let about = if recalled.is_certain {
        let words = in_words(&keeps);
        format!(
            "{table}: the ledger has no note of what is kept of people ({words}); --fix, or the next run, writes it"
        )
    } else {
        let url = quoted(lake.objects.url());
        format!(
            "{table}: nothing says for certain what is kept of people; say it, with all that is to be kept: edgemill \
             init --to {url} {} --client-ip keep|truncate|hash",
            format_argument(table)
        )
    };
    report.find(FindingKind::NotRemembered, about);
    Ok(Some(keeps))
}

/// Writes down what is kept of people where that is not remembered and known for certain; how many
/// tables those are.
pub(super) async fn remember(lake: &Lake) -> Result<u64> {
    let known = lake.kept_of_all().await?;
    let mut tables = 0;
    for table in Table::LOGS {
        if let Some(known) = known.get(&table) {
            if lake.copied_choice(table).await?.as_ref() != Some(&known.keeps) {
                lake.copy_choice(table, &known.keeps).await?;
                tables += 1;
            }
        } else if let Some(recalled) = lake.recall(table, true).await?.filter(|recalled| recalled.is_certain) {
            lake.remember_again(table, &recalled).await?;
            lake.count_older(table).await?;
            tables += 1;
        }
    }
    Ok(tables)
}

/// Holds the rows against what the lake remembers, or would remember if a run came now.
pub(super) async fn check_people(
    lake: &Lake,
    seen: &MadeWith,
    said: &AlreadySaid,
    report: &mut VerifyReport,
) -> Result<()> {
    let known = lake.kept_of_all().await?;
    for table in Table::LOGS {
        let Some(keeps) = remembered(lake, table, known.get(&table), report).await? else { continue };
        let Some(asked) = seen.0.get(&table) else { continue };
        for (stamp, made) in asked.more(&keeps) {
            let hours = match (made.units.first(), made.units.last()) {
                (Some(first), Some(last)) if first != last => {
                    format!("{} hours from {first} to {last}", made.units.len())
                }
                (first, _) => first.map(ToString::to_string).unwrap_or_default(),
            };
            let (url, how) = (lake.objects.url(), lake.arguments_of_choice(&keeps, said).await?);
            let commands: Vec<String> = made.sources.iter().map(|source| mending(source, table, url, &how)).collect();
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
