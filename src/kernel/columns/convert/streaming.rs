//! Objects that are too large to be inflated, or even held, as a whole: worked piece by piece, so
//! that their size does not matter.

use std::io::BufRead;

use super::object::{ChunkReport, OutputFile, RawObject};
use super::partition_buffer::PartitionBuffer;
use super::task::{DecodedObject, TaskOutput, end_object, end_text, finish};
use crate::error::Result;
use crate::kernel::columns::builder::BatchBuilder;
use crate::kernel::policy::recipe::Recipe;
use crate::kernel::source::inflate;
use crate::kernel::source::inflate::Damage;
use crate::kernel::source::object_bytes::ObjectReader;
use crate::kernel::source::parse::{Decoder, Reject, Settings, parquet};

/// Bytes of values after which a large object's columns are cut and piled up.
const LARGE_CUT_RAW_BYTES: u64 = 32 << 20;

/// Works one large object. Until it has given a row nothing of it is taken, so that it can be read
/// later, and its rejects are not held either: where a row comes after all, it is begun anew.
pub(super) fn work(
    settings: &Settings,
    recipe: &Recipe,
    object: &RawObject,
    pile: &mut PartitionBuffer<'_>,
    report: &mut ChunkReport,
    emit: &mut dyn FnMut(OutputFile) -> Result<()>,
) -> Result<()> {
    let mut cuts = StreamingDecoder {
        object,
        pile,
        report,
        emit,
        takes: NextPiece::Undecided,
        cut_raw_bytes: 0,
        first_reject: None,
    };
    if !cuts.work(settings, recipe)? {
        cuts = StreamingDecoder { takes: NextPiece::All, cut_raw_bytes: 0, first_reject: None, ..cuts };
        cuts.work(settings, recipe)?;
    }
    Ok(())
}

/// Decodes text as it is inflated.
fn decode_text(
    settings: &Settings,
    unnamed: bool,
    stored: &mut ObjectReader,
    rows: &mut BatchBuilder<'_>,
    go_on: &mut dyn FnMut(&mut BatchBuilder<'_>, u64) -> bool,
) -> DecodedObject {
    let (mut decoder, mut held, mut raw_bytes) = (Decoder::new(settings).unnamed(unnamed), Vec::new(), 0_u64);
    let mut too_much = None;
    let damage = inflate::stream(stored, &mut |piece| {
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
        !over && go_on(rows, raw_bytes)
    });
    let damage: Option<Damage> = too_much.or(damage);
    if damage.is_none() {
        decoder.decode(&held, true, rows);
        held.clear();
    }
    end_text(decoder, &held, raw_bytes, damage, rows)
}

/// What is taken of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NextPiece {
    /// No row has come, and no reject has been let go.
    Undecided,
    /// No row has come, and rejects were let go.
    Nothing,
    /// Rows and rejects.
    All,
}

/// Where the rows of a large object go before its end.
struct StreamingDecoder<'a, 'r> {
    object: &'a RawObject,
    pile: &'a mut PartitionBuffer<'r>,
    report: &'a mut ChunkReport,
    emit: &'a mut dyn FnMut(OutputFile) -> Result<()>,
    takes: NextPiece,
    /// The bytes of values before the last cut.
    cut_raw_bytes: u64,
    first_reject: Option<(u64, String)>,
}

impl StreamingDecoder<'_, '_> {
    /// Works the object once; whether that is all. If not, a row has come after rejects were let
    /// go.
    fn work(&mut self, settings: &Settings, recipe: &Recipe) -> Result<bool> {
        let object = self.object;
        let mut rows = BatchBuilder::new(settings.table, settings.granularity, recipe, LARGE_CUT_RAW_BYTES);
        rows.begin_object(&object.filename, object.distribution.as_deref());
        let mut reader = object.stored.reader(0);
        let is_parquet = reader.fill_buf().is_ok_and(|head| head.starts_with(parquet::MAGIC));
        let mut failure = None;
        let mut go_on = |rows: &mut BatchBuilder<'_>, raw_bytes| match self.go_on(rows, raw_bytes) {
            Ok(go_on) => go_on,
            Err(error) => {
                failure = Some(error);
                false
            }
        };
        let ended = if is_parquet {
            drop(reader);
            let decoded = parquet::decode(&object.stored, settings, &mut rows, &mut go_on);
            DecodedObject::of_parquet(decoded)
        } else {
            decode_text(settings, !object.named, &mut reader, &mut rows, &mut go_on)
        };
        // What looks like damage is none where the bytes could not be had.
        object.stored.take_failure()?;
        failure.map_or(Ok(()), Err)?;
        let mut done = TaskOutput::default();
        let whole = self.takes != NextPiece::All;
        end_object(object, ended, whole, &mut rows, &mut done);
        let Some(outcome) = done.report.outcomes.last_mut() else { return Ok(true) };
        if self.takes == NextPiece::Nothing && !outcome.unread && outcome.left_alone.is_none() {
            return Ok(false);
        }
        outcome.first_reject = self.first_reject.take().or(outcome.first_reject.take());
        self.pile.add(finish(done, &mut rows)?, self.report);
        Ok(true)
    }

    /// Piles up what has been decoded of the first `raw_bytes` once that is much; whether to go on.
    fn go_on(&mut self, rows: &mut BatchBuilder<'_>, raw_bytes: u64) -> Result<bool> {
        if raw_bytes - self.cut_raw_bytes < LARGE_CUT_RAW_BYTES && !rows.holds_many_agents() {
            return Ok(true);
        }
        self.cut_raw_bytes = raw_bytes;
        let mut done = TaskOutput::default();
        let (rejects, first_hour) = rows.take_rejects();
        let first = |reject: &Reject| (reject.line_number, reject.reason.clone());
        self.first_reject = self.first_reject.take().or_else(|| rejects.first().map(first));
        done.reject(self.object, rejects, first_hour);
        let done = finish(done, rows)?;
        match (self.takes, done.hours.is_empty()) {
            (NextPiece::Nothing, false) => return Ok(false),
            (NextPiece::Undecided | NextPiece::Nothing, true) => self.takes = NextPiece::Nothing,
            (NextPiece::Undecided, false) | (NextPiece::All, _) => {
                self.takes = NextPiece::All;
                self.pile.add(done, self.report);
                self.pile.flush_if_full(self.emit)?;
            }
        }
        Ok(true)
    }
}
