//! The objects of one task, each inflated and decoded as a whole.

use std::sync::Arc;

use super::object::{ChunkReport, ObjectOutcome, RawObject};
use crate::error::{Error, Result};
use crate::kernel::columns::builder::{BatchBuilder, HourBatch};
use crate::kernel::columns::rejects::RejectedLine;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::inflate;
use crate::kernel::source::inflate::{Damage, Inflater, Whole};
use crate::kernel::source::parse::sniff::{Told, UNNAMED};
use crate::kernel::source::parse::{Belief, Decoder, Reject, Settings, parquet};
use crate::model::Hour;
use crate::stats::LineStats;

/// An object that holds more text than this, and than four times what it claims, is worked as a
/// large one: the sizes of waves and tasks rest on the claims, and an empty last gzip member claims
/// nothing.
const UNCLAIMED_RAW_BYTES: u64 = 8 << 20;

/// What an object will hold inflated, as far as it can be told without inflating it: what its last
/// member claims, and no less than four times its stored size.
#[must_use]
pub fn claimed_raw_bytes(object: &RawObject) -> u64 {
    let Some(stored) = object.stored.in_memory() else { return object.stored.size_bytes().saturating_mul(4) };
    if stored.starts_with(parquet::MAGIC) {
        // Text of which Parquet makes an eighth: logs repeat.
        return stored.len() as u64 * 8;
    }
    if !stored.starts_with(&inflate::GZIP_MAGIC) {
        return stored.len() as u64;
    }
    let claimed = stored.last_chunk::<4>().map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let stored_bytes = stored.len() as u64;
    claimed.clamp(stored_bytes * 4, (stored_bytes * 1_032).max(1))
}

/// The rows and rejects of some neighbouring objects.
#[derive(Default)]
pub(super) struct TaskOutput {
    pub(super) hours: Vec<(Hour, HourBatch)>,
    pub(super) rejects: Vec<(Hour, RejectedLine)>,
    pub(super) report: ChunkReport,
}

impl TaskOutput {
    /// A rejected line has no time of its own: it lies in the hour of its object.
    pub(super) fn reject(&mut self, object: &RawObject, rejects: Vec<Reject>, first_hour: Option<Hour>) {
        let hour = object.hour.or(first_hour).unwrap_or(Hour::of_unix_seconds(0));
        let rejected = |reject| (hour, RejectedLine { filename: Arc::clone(&object.filename), reject });
        self.rejects.extend(rejects.into_iter().map(rejected));
    }
}

pub(super) enum TaskItem<'a> {
    Worked(TaskOutput),
    Large(&'a RawObject),
}

pub(super) type WorkedTask<'a> = Vec<TaskItem<'a>>;

/// Works a task's ordinary objects; a large one is left for the caller, at its place.
pub(super) fn work<'a>(
    settings: &Settings,
    recipe: &Recipe,
    task: &'a [RawObject],
    inflater: &mut Inflater,
) -> Result<WorkedTask<'a>> {
    let mut parts = Vec::with_capacity(1);
    let mut rows =
        BatchBuilder::new(settings.table, settings.granularity, recipe, task.iter().map(claimed_raw_bytes).sum());
    let mut done = TaskOutput::default();
    for object in task {
        let is_parquet = object.stored.in_memory().is_some_and(|stored| stored.starts_with(parquet::MAGIC));
        if is_parquet {
            // Whether it is large is known only when it has been decoded, and then what it gave is
            // thrown away.
            parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
        }
        let Some(ended) = work_whole(settings, object, is_parquet, inflater, &mut rows) else {
            if !is_parquet {
                parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
            }
            parts.push(TaskItem::Large(object));
            rows = BatchBuilder::new(settings.table, settings.granularity, recipe, 0);
            continue;
        };
        end_object(object, ended, true, &mut rows, &mut done);
        if rows.holds_many_agents() {
            parts.push(TaskItem::Worked(finish(std::mem::take(&mut done), &mut rows)?));
        }
    }
    parts.push(TaskItem::Worked(finish(done, &mut rows)?));
    Ok(parts)
}

/// Works an object of ordinary size, at once; `None` where it is a large one.
fn work_whole(
    settings: &Settings,
    object: &RawObject,
    is_parquet: bool,
    inflater: &mut Inflater,
    rows: &mut BatchBuilder<'_>,
) -> Option<DecodedObject> {
    let stored = object.stored.in_memory()?;
    let limit_bytes = (4 * claimed_raw_bytes(object)).max(UNCLAIMED_RAW_BYTES);
    if is_parquet {
        rows.begin_object(&object.filename, object.distribution.as_deref());
        let mut fits = true;
        let decoded = parquet::decode(&object.stored, settings, rows, &mut |_, raw_bytes| {
            fits = raw_bytes <= limit_bytes;
            fits
        });
        return fits.then(|| DecodedObject::of_parquet(decoded));
    }
    match inflater.whole(stored, usize::try_from(limit_bytes).unwrap_or(usize::MAX)) {
        Whole::Bytes(raw, damage) => {
            rows.begin_object(&object.filename, object.distribution.as_deref());
            let (raw, damage) = limited(raw, damage, settings);
            let mut decoder = Decoder::new(settings).unnamed(!object.named);
            let used = decoder.decode(raw, damage.is_none(), rows);
            Some(end_text(decoder, &raw[used..], raw.len() as u64, damage, rows))
        }
        Whole::TooLarge => None,
    }
}

/// No more of an object's text than its limit.
fn limited<'r>(raw: &'r [u8], damage: Option<Damage>, settings: &Settings) -> (&'r [u8], Option<Damage>) {
    let limit = usize::try_from(settings.object_limit_bytes).unwrap_or(usize::MAX);
    if raw.len() <= limit {
        return (raw, damage);
    }
    (&raw[..limit], Some(settings.over_limit()))
}

pub(super) fn finish(mut done: TaskOutput, rows: &mut BatchBuilder<'_>) -> Result<TaskOutput> {
    done.report.new_fields = rows.take_new_fields();
    done.hours = rows.cut().map_err(|error| Error::encode("columns", error))?;
    Ok(done)
}

/// How an object ended.
pub(super) struct DecodedObject {
    lines: LineStats,
    raw_bytes: u64,
    found: &'static str,
    damage: Option<Damage>,
    belief: Belief,
}

impl DecodedObject {
    pub(super) fn of_parquet(decoded: parquet::Decoded) -> Self {
        let parquet::Decoded { stats, raw_bytes, found, damage, belief } = decoded;
        Self { lines: stats, raw_bytes, found, damage, belief }
    }

    /// What an object of no rows is that is no log of the table.
    fn left_alone(&self, object: &RawObject) -> Option<&'static str> {
        match self.belief.told {
            _ if self.lines.rows > 0 => None,
            Told::Other(what) => Some(what),
            Told::Nothing if !object.named && !self.belief.proven && self.damage.is_none() => Some(UNNAMED),
            Told::Nothing | Told::Log(_) => None,
        }
    }
}

/// Ends a text; `rest` is the beginning of a line that damage cut.
pub(super) fn end_text(
    mut decoder: Decoder<'_>,
    rest: &[u8],
    raw_bytes: u64,
    damage: Option<Damage>,
    rows: &mut BatchBuilder<'_>,
) -> DecodedObject {
    if let Some(damage) = damage.as_ref().filter(|damage| !rest.is_empty() || damage.is_limit) {
        decoder.reject_rest(rest, format!("cut short: {}", damage.reason), rows);
    }
    DecodedObject { lines: decoder.stats(), raw_bytes, found: decoder.found(), damage, belief: decoder.belief() }
}

/// Ends an object; `whole` says that none of its rejects has been handed on before.
pub(super) fn end_object(
    object: &RawObject,
    ended: DecodedObject,
    whole: bool,
    rows: &mut BatchBuilder<'_>,
    done: &mut TaskOutput,
) {
    let end = rows.end_object();
    let mut ended = ended;
    ended.lines.rows -= end.late_rejects;
    ended.lines.rejected_lines += end.late_rejects;
    let left_alone = ended.left_alone(object).filter(|_| whole);
    let DecodedObject { lines, raw_bytes, found, damage, belief } = ended;
    let is_none = lines.rows == 0 && (lines.rejected_lines > 0 || belief.against.is_some()) && damage.is_none();
    let unread = whole && is_none && left_alone.is_none();
    let first_reject = end.rejects.first().map(|reject| (reject.line_number, reject.reason.clone())).or(belief.against);
    done.report.outcomes.push(ObjectOutcome {
        id: object.id.clone(),
        lines,
        raw_bytes,
        damage,
        first_reject,
        found,
        unread,
        left_alone,
    });
    if !unread && left_alone.is_none() {
        done.reject(object, end.rejects, end.first_hour);
    }
}
