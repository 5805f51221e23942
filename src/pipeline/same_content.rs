//! Objects that are the same as others under other keys, found while a unit is converted.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::summary::{NAMED_AT_MOST, Summary};
use crate::edge::objects::Objects;
use crate::error::{Error, Result};
use crate::kernel::columns::convert::{ObjectOutcome, RawObject};
use crate::kernel::ledger::plan::{CHUNK_STORED_BYTES, UnitPlan};
use crate::kernel::ledger::records::{InputName, ManifestInput};
use crate::kernel::ledger::same::{END_BYTES, SameContent, Twin, Twins, digest, digest_of_ends, name_and_size};
use crate::model::ObjectId;
use crate::stats::LineStats;

/// The digest of what an object holds; of one that is not in memory, of its two ends.
pub(super) async fn digest_of(source: &Objects, raw: &RawObject, unit: &str) -> Result<String> {
    if let Some(bytes) = raw.stored.in_memory() {
        return Ok(digest(bytes));
    }
    digest_of_large(source, &raw.id, unit).await
}

async fn digest_of_large(source: &Objects, object: &ObjectId, unit: &str) -> Result<String> {
    let size_bytes = object.size_bytes;
    let first = source.get_listed_range(object, 0..END_BYTES.min(size_bytes), unit).await?;
    let last = source.get_listed_range(object, size_bytes.saturating_sub(END_BYTES)..size_bytes, unit).await?;
    Ok(digest_of_ends(&first, &last))
}

/// The digest of an object that is not converted now.
async fn digest_of_listed(source: &Objects, object: &ObjectId, unit: &str) -> Result<String> {
    if is_streamed(object) {
        return digest_of_large(source, object, unit).await;
    }
    let held = source.get_all_listed(&[object], unit, 1).await?;
    Ok(digest(held.first().map_or(&[], |bytes| bytes)))
}

/// Whether an object is read while it is worked, rather than before.
pub(super) const fn is_streamed(id: &ObjectId) -> bool {
    id.size_bytes >= CHUNK_STORED_BYTES
}

/// What the objects of one unit hold, as far as they have been read.
pub(super) struct Contents<'a> {
    source: &'a str,
    wanted: SameContent,
    twins: Twins,
    /// By key.
    digests: HashMap<String, String>,
    same: Vec<(ObjectId, Arc<str>)>,
}

impl<'a> Contents<'a> {
    /// Begins with what the plan knows.
    pub(super) fn new(source: &'a str, wanted: SameContent, plan: &UnitPlan) -> Self {
        let same = plan.same.clone();
        Self { source, wanted, twins: plan.twins.clone(), digests: HashMap::new(), same }
    }

    /// Takes out of some objects those that are the same as others, known before or among these.
    pub(super) fn take_out(&mut self, objects: &mut Vec<RawObject>, digests: Vec<String>) {
        let mut digests = digests.into_iter();
        objects.retain(|raw| self.meet(&raw.id, digests.next().unwrap_or_default()));
    }

    /// Takes note of an object that is read; whether it is converted.
    fn meet(&mut self, object: &ObjectId, digest: String) -> bool {
        let found = self.twins.by_digest(object, &digest).cloned();
        self.digests.insert(object.key.clone(), digest.clone());
        if let Some(url) = found {
            self.same.push((object.clone(), url));
            return self.wanted == SameContent::Take;
        }
        let url = InputName { source: self.source, object }.url();
        let twin = Twin { url: url.into(), etag: object.etag.clone(), digest: Some(digest) };
        self.twins.add(object, twin);
        true
    }

    /// Takes out of a plan what would be found to be the same as others once it is read. Only what
    /// may be is read: a name and a size that another has too.
    pub(super) async fn foresee(&mut self, source: &Objects, inputs: &mut Vec<ObjectId>, unit: &str) -> Result<()> {
        let mut alike: HashMap<(&str, u64), u32> = HashMap::new();
        for input in &*inputs {
            *alike.entry(name_and_size(input)).or_default() += 1;
        }
        let may_be = |input: &ObjectId| self.twins.has_alike(input) || alike[&name_and_size(input)] > 1;
        let may_be: Vec<bool> = inputs.iter().map(may_be).collect();
        let mut left = Vec::with_capacity(inputs.len());
        for (input, may_be) in inputs.drain(..).zip(may_be) {
            if !may_be || self.meet(&input, digest_of_listed(source, &input, unit).await?) {
                left.push(input);
            }
        }
        *inputs = left;
        Ok(())
    }

    /// How many they are.
    pub(super) fn same_objects(&self) -> u64 {
        self.same.len() as u64
    }

    /// Fails where the job wants it so.
    pub(super) fn check(&self, unit: &str) -> Result<()> {
        match (self.wanted, self.same.first()) {
            (SameContent::Fail, Some((object, url))) => Err(Error::usage(
                format!("{unit}: '{}' holds the same bytes as '{url}', whose rows are in the lake", object.key),
                "nothing of this hour was committed; say --same-content skip to leave such copies out, or take to have their rows twice",
            )),
            _ => Ok(()),
        }
    }

    /// Tells how many they are.
    pub(super) fn tell(&self, summary: &mut Summary) {
        summary.stats.same_content_objects += self.same_objects();
        let named = self.same.iter().take(NAMED_AT_MOST);
        summary.same.extend(named.map(|(object, url)| format!("{} = {url}", object.key)));
    }

    /// The inputs of a manifest: what was converted, and what needed not be. A copy of an object
    /// that was not taken is left for later, as that one is: it may be the one that stays.
    pub(super) fn inputs(mut self, outcomes: Vec<ObjectOutcome>) -> Vec<ManifestInput> {
        let url = |object: &ObjectId| InputName { source: self.source, object }.url();
        let untaken = outcomes.iter().filter(|outcome| !outcome.is_taken()).map(|outcome| url(&outcome.id));
        let untaken: HashSet<String> = untaken.collect();
        self.same.retain(|(_, original)| !untaken.contains(&**original));
        let mut input = |outcome: ObjectOutcome| {
            let digest = self.digests.remove(&outcome.id.key);
            ManifestInput {
                object: outcome.id,
                lines: outcome.lines,
                raw_bytes: outcome.raw_bytes,
                damage: outcome.damage,
                digest,
                same_as: None,
            }
        };
        let mut inputs: Vec<ManifestInput> =
            outcomes.into_iter().filter(ObjectOutcome::is_taken).map(&mut input).collect();
        if self.wanted != SameContent::Take {
            let same = self.same.drain(..).map(|(object, url)| ManifestInput {
                digest: self.digests.remove(&object.key),
                object,
                lines: LineStats::default(),
                raw_bytes: 0,
                damage: None,
                same_as: Some(url.to_string()),
            });
            inputs.extend(same);
            inputs.sort_unstable_by(|a, b| a.object.cmp(&b.object));
        }
        inputs
    }
}
