//! The commands that mend what takes the raw logs, as they are typed.

use std::collections::{BTreeMap, BTreeSet};

use super::options::VerifyOptions;
use super::report::{Finding, FindingKind, VerifyReport};
use crate::edge::manifests;
use crate::edge::objects::Objects;
use crate::error::Result;
use crate::job::said::ReprocessCommand;
use crate::lake::Lake;
use crate::location::Location;
use crate::model::{Table, UnitId};
use crate::repair;
use crate::repair::Losses;

/// The commands that write anew what lacks something, with its hours, the sources that it was made
/// from, and all that the lake remembers of how its rows are made.
pub(super) async fn of_lost(lake: &Lake, options: &VerifyOptions, report: &VerifyReport) -> Result<Vec<String>> {
    use FindingKind::{
        ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished,
    };
    let is_about_logs = |finding: &Finding| {
        let kinds =
            [ConvertedTwice, Damaged, FileMissing, LinesMissing, OpenRewrite, RowsDiffer, UnnamedFile, Unpublished];
        kinds.contains(&finding.kind)
    };
    if !report.findings.iter().any(is_about_logs) {
        return Ok(Vec::new());
    }
    let losses = match repair::losses(lake, None).await {
        Err(error) if error.is_damage() => return Ok(Vec::new()),
        losses => losses?,
    };
    if !losses.any() {
        return Ok(Vec::new());
    }
    let which = losses.hours().map_or_else(|| "--all".to_owned(), |hours| format!("--hours {hours}"));
    let mut by_how: BTreeMap<String, Vec<Table>> = BTreeMap::new();
    let tables = tables(lake, &losses).await?;
    for table in &tables {
        by_how.entry(lake.arguments_of(*table, &options.said).await?).or_default().push(*table);
    }
    let mut commands = Vec::new();
    for (how, tables) in &by_how {
        // Tables that are made in one way take one command for each source.
        let alone: Vec<(Option<Table>, BTreeSet<String>)> = if by_how.len() < 2 {
            let mut all = BTreeSet::new();
            for table in tables {
                all.extend(sources(lake, options, &losses, *table).await?);
            }
            vec![(None, all)]
        } else {
            let mut each = Vec::new();
            for table in tables {
                each.push((Some(*table), sources(lake, options, &losses, *table).await?));
            }
            each
        };
        for (table, sources) in alone {
            let command = |from| ReprocessCommand { which: &which, from, table, lake: lake.objects.url(), how };
            commands.extend(sources.iter().map(|from| command(from).to_string()));
        }
    }
    Ok(commands)
}

/// The tables that lack something; all that have rows, where only all will do.
async fn tables(lake: &Lake, losses: &Losses) -> Result<BTreeSet<Table>> {
    if !losses.records {
        return Ok(losses.units.keys().map(UnitId::table).collect());
    }
    let mut tables = BTreeSet::new();
    for table in Table::LOGS {
        if !lake.records.each_partition(table, None).await?.is_empty()
            || !lake.objects.list_names(table.name()).await?.is_empty()
        {
            tables.insert(table);
        }
    }
    Ok(tables)
}

/// Where the logs of a table are: wherever the manifests of what lacks something say, else where
/// they were said to be.
async fn sources(lake: &Lake, options: &VerifyOptions, losses: &Losses, table: Table) -> Result<BTreeSet<String>> {
    let mut known = BTreeSet::new();
    for record in lake.records.each_unit(table).await?.into_iter().flatten() {
        if losses.hours().is_some() && !losses.units.contains_key(&record.unit) {
            continue;
        }
        for entry in record.batches.iter().chain(&record.replacing) {
            match manifests::read(&lake.objects, &entry.attempt).await {
                Err(error) if error.is_damage() => {}
                manifest => {
                    known.insert(manifest?.source);
                }
            }
        }
    }
    if let Some(from) = &options.from {
        let said = Objects::open_as(&Location::existing(from)?, &options.source).await?;
        // One place is told once, as it was typed.
        if known.remove(said.url()) || known.is_empty() {
            known.insert(from.clone());
        }
    }
    if known.is_empty() {
        known.insert("LOGS".to_owned());
    }
    Ok(known)
}
