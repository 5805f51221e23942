//! Objects that are too large to be inflated, or even held, as a whole: worked piece by piece, so that their size does not matter.

use ::parquet::file::reader::ChunkReader;

use super::pile::Pile;
use super::{ChunkReport, Done, Ended, OutputFile, RawObject, end_object, end_text, finish};
use crate::error::{Error, Result};
use crate::kernel::inflate::{self, Damage};
use crate::kernel::parse::{Decoder, Reject, Settings, parquet};
use crate::kernel::recipe::Recipe;
use crate::kernel::rows::Rows;

/// Bytes of values after which a large object's columns are cut and piled up.
const LARGE_CUT_RAW_BYTES: u64 = 32 << 20;

/// Works one large object.
pub(super) fn work(
    settings: &Settings,
    recipe: &Recipe,
    object: &RawObject,
    pile: &mut Pile<'_>,
    report: &mut ChunkReport,
    emit: &mut dyn FnMut(OutputFile) -> Result<()>,
) -> Result<()> {
    let mut rows = Rows::new(settings.table, recipe, LARGE_CUT_RAW_BYTES);
    rows.begin_object(&object.filename, object.distribution.as_deref());
    let mut cuts = Cuts { object, pile, report, emit, cut_raw_bytes: 0, first_reject: None, failure: None };
    let is_parquet = object.stored.get_bytes(0, parquet::MAGIC.len()).is_ok_and(|bytes| bytes == parquet::MAGIC);
    let ended = if is_parquet {
        let decoded =
            parquet::decode(&object.stored, settings, &mut rows, &mut |rows, raw_bytes| cuts.go_on(rows, raw_bytes));
        let parquet::Decoded { stats, raw_bytes, found, damage } = decoded;
        Ended { lines: stats, raw_bytes, found, damage }
    } else {
        decode_text(settings, &mut rows, &mut cuts)
    };
    // What looks like damage is none where the bytes could not be had.
    object.stored.take_failure()?;
    let Cuts { first_reject, failure, .. } = cuts;
    failure.map_or(Ok(()), Err)?;
    let mut done = Done::default();
    end_object(object, ended, first_reject.is_none(), &mut rows, &mut done);
    if let Some(outcome) = done.report.outcomes.last_mut() {
        outcome.first_reject = first_reject.or(outcome.first_reject.take());
    }
    pile.add(finish(done, &mut rows)?, report);
    Ok(())
}

/// Decodes text as it is inflated.
fn decode_text(settings: &Settings, rows: &mut Rows<'_>, cuts: &mut Cuts<'_, '_>) -> Ended {
    let (mut decoder, mut held, mut raw_bytes) = (Decoder::new(settings), Vec::new(), 0_u64);
    let mut too_much = None;
    let damage = inflate::stream(&mut cuts.object.stored.reader(0), &mut |piece| {
        let room = usize::try_from(settings.object_limit_bytes - raw_bytes).unwrap_or(usize::MAX);
        let over = piece.len() > room;
        let piece = &piece[..piece.len().min(room)];
        raw_bytes += piece.len() as u64;
        held.extend_from_slice(piece);
        let used = decoder.decode(&held, false, rows);
        held.drain(..used);
        if over {
            too_much = Some(settings.over_limit());
        }
        !over && cuts.go_on(rows, raw_bytes)
    });
    let damage: Option<Damage> = too_much.or(damage);
    if damage.is_none() {
        decoder.decode(&held, true, rows);
        held.clear();
    }
    end_text(decoder, &held, raw_bytes, damage, rows)
}

/// Where the rows of a large object go before its end.
struct Cuts<'a, 'r> {
    object: &'a RawObject,
    pile: &'a mut Pile<'r>,
    report: &'a mut ChunkReport,
    emit: &'a mut dyn FnMut(OutputFile) -> Result<()>,
    /// The bytes of values before the last cut.
    cut_raw_bytes: u64,
    first_reject: Option<(u64, String)>,
    failure: Option<Error>,
}

impl Cuts<'_, '_> {
    /// Piles up what has been decoded of the first `raw_bytes` once that is much; whether to go on.
    fn go_on(&mut self, rows: &mut Rows<'_>, raw_bytes: u64) -> bool {
        if raw_bytes - self.cut_raw_bytes >= LARGE_CUT_RAW_BYTES || rows.holds_many_agents() {
            self.cut_raw_bytes = raw_bytes;
            self.failure = self.cut(rows).err();
        }
        self.failure.is_none()
    }

    fn cut(&mut self, rows: &mut Rows<'_>) -> Result<()> {
        let mut done = Done::default();
        let (rejects, first_hour) = rows.take_rejects();
        let first = |reject: &Reject| (reject.line_number, reject.reason.clone());
        self.first_reject = self.first_reject.take().or_else(|| rejects.first().map(first));
        done.reject(self.object, rejects, first_hour);
        self.pile.add(finish(done, rows)?, self.report);
        self.pile.flush_if_full(self.emit)
    }
}
