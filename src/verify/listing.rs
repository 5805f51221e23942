//! The logs themselves against what the batches have.

use std::collections::{BTreeSet, HashMap, HashSet};

use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::options::VerifyOptions;
use super::report::{FindingKind, VerifyReport};
use crate::edge::objects::{Objects, object_id};
use crate::edge::source;
use crate::error::Result;
use crate::kernel::ledger::plan;
use crate::kernel::ledger::plan::{KeyMeaning, LeftOut, NO_HOUR, Naming, UNNAMED};
use crate::kernel::ledger::records::InputName;
use crate::kernel::source::parse::sniff::Told;
use crate::lake::Lake;
use crate::location::Location;
use crate::model::{ObjectId, UnitId};

/// The objects that batches have, URL to etag, each by its hash: a lake of years has tens of
/// millions.
#[derive(Default)]
pub(super) struct EtagHashes(HashMap<u128, u128>);

impl EtagHashes {
    /// Adds an object; whether it was there already.
    pub(super) fn add(&mut self, url: &str, etag: &str) -> bool {
        self.0.insert(hash(url), hash(etag)).is_some()
    }

    /// Whether an object is there with this etag; nothing where it is not there at all.
    fn has(&self, url: &str, etag: &str) -> Option<bool> {
        self.0.get(&hash(url)).map(|known| *known == hash(etag))
    }
}

/// What objects that have rows hold, each by its hash.
#[derive(Default)]
pub(super) struct ContentHashes(HashSet<u128>);

impl ContentHashes {
    /// Adds what an object holds; whether another holds the same.
    pub(super) fn add(&mut self, content: &str) -> bool {
        !self.0.insert(hash(content))
    }
}

fn hash(text: &str) -> u128 {
    Sha256::digest(text).first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// Every object of the listing, told apart as a conversion does it: by the layout that was told, or
/// whichever a run has used.
pub(super) async fn check_listing(
    lake: &Lake,
    from: &str,
    options: &VerifyOptions,
    known: &EtagHashes,
    report: &mut VerifyReport,
) -> Result<()> {
    let logs = Objects::open_as(&Location::existing(from)?, &options.source).await?;
    let mut told = Naming { unit: lake.identity.unit, ..options.naming.clone() };
    told.archives.extend(lake.archives(None).await?);
    let layouts = lake.layouts(None).await?.into_iter().filter(|_| told.layout.is_none());
    let others: Vec<Naming> = layouts.map(|layout| Naming { layout: Some(layout), ..told.clone() }).collect();
    let (mut pending, mut lakes) = (Vec::new(), BTreeSet::new());
    let (mut left_out, mut matched) = (LeftOut::default(), false);
    let mut listing = logs.list("").boxed();
    while let Some(meta) = listing.try_next().await? {
        let object = object_id(meta);
        lakes.extend(plan::lake_of(&object.key));
        let place = |naming: &Naming| naming.place(logs.url(), &object.key, options.hours);
        let by_others = || others.iter().map(place).find(|place| matches!(place, KeyMeaning::Unit(UnitId::Timed(..))));
        let meaning = place(&told);
        left_out.note(logs.url(), &object.key, &meaning, &told);
        let place = match meaning {
            KeyMeaning::Excluded => {
                report.listed_objects += 1;
                report.excluded_objects += 1;
                continue;
            }
            unsure @ (KeyMeaning::Unit(UnitId::Untimed(..)) | KeyMeaning::Unnamed | KeyMeaning::LeftAlone(NO_HOUR)) => {
                by_others().unwrap_or(unsure)
            }
            sure => sure,
        };
        if matches!(place, KeyMeaning::Archived | KeyMeaning::Outside(_) | KeyMeaning::LeftAlone(NO_HOUR)) {
            continue;
        }
        report.listed_objects += 1;
        let as_known = known.has(&InputName { source: logs.url(), object: &object }.url(), &object.etag);
        matched |= match place {
            KeyMeaning::Unit(_) => true,
            KeyMeaning::Unnamed => as_known.is_some(),
            _ => false,
        };
        match (as_known, place) {
            (Some(true), _) => {}
            (Some(false), _) => report.find(FindingKind::Changed, &object.key),
            (None, KeyMeaning::Filtered(_)) => report.filtered_objects += 1,
            (None, KeyMeaning::Unit(_) | KeyMeaning::Unnamed) => pending.push(object),
            (None, _) => report.left_alone_objects += 1,
        }
    }
    pending.retain(|object| {
        let is_of_lake = plan::is_of_lake(&lakes, &object.key);
        report.left_alone_objects += u64::from(is_of_lake);
        !is_of_lake
    });
    matched |= look_into_rest(&logs, pending, &told, &mut left_out, report).await?;
    report.idle_filters = left_out.idle_filters(&told);
    if !matched {
        source::refuse_nothing(from, &told, &left_out, options.is_taken_away || !told.archives.is_empty())?;
        report.nothing_matched.extend(left_out.instead(options.hours, ""));
    }
    Ok(())
}

/// What objects are that no batch has, by their first bytes; whether any is a log.
async fn look_into_rest(
    logs: &Objects,
    pending: Vec<ObjectId>,
    naming: &Naming,
    left_out: &mut LeftOut,
    report: &mut VerifyReport,
) -> Result<bool> {
    let mut is_any = false;
    for (object, found) in source::look_into_all(logs, pending).await? {
        match found {
            Told::Other(what) => {
                report.left_alone_objects += 1;
                left_out.skip(&object.key, what);
            }
            Told::Nothing if !naming.is_named(logs.url(), &object.key) => {
                report.left_alone_objects += 1;
                left_out.skip(&object.key, UNNAMED);
            }
            Told::Nothing | Told::Log(_) => {
                is_any = true;
                report.find(FindingKind::NotConverted, &object.key);
            }
        }
    }
    Ok(is_any)
}
