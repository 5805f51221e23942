//! The kernel as a whole: any bytes in, nothing lost; the same bytes out whatever the machine.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use bytes::Bytes;
use common::{FIELDS, gzip, row, unknown_field};
use edgemill::kernel::columns::convert::{ObjectOutcome, OutputFile, RawObject, convert_chunk};
use edgemill::kernel::policy::recipe::Recipe;
use edgemill::kernel::source::object_bytes::{ObjectBytes, PIECE_BYTES, Ranges};
use edgemill::kernel::source::parse::Settings;
use edgemill::model::{Hour, ObjectId, Table};
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use proptest::prelude::*;
use sha2::{Digest, Sha256};

fn object(key: &str, stored: Vec<u8>) -> RawObject {
    RawObject {
        id: ObjectId { key: key.into(), etag: "e".into(), size_bytes: stored.len() as u64 },
        filename: key.into(),
        distribution: Some("E1EXAMPLE".into()),
        hour: Some("2026-11-21T05".parse::<Hour>().unwrap()),
        named: true,
        stored: Bytes::from(stored).into(),
    }
}

fn convert(objects: &[RawObject]) -> (Vec<ObjectOutcome>, Vec<OutputFile>) {
    let mut files = Vec::new();
    let settings = Settings::of(Table::CloudfrontLogs);
    let report = convert_chunk(&settings, &Recipe::plain().unwrap(), objects, &mut |file| {
        files.push(file);
        Ok(())
    });
    (report.unwrap().outcomes, files)
}

fn rows_of(files: &[OutputFile], table: Table) -> u64 {
    files.iter().filter(|file| file.partition.table == table).map(|file| file.rows).sum()
}

fn assert_nothing_lost(outcomes: &[ObjectOutcome], files: &[OutputFile]) {
    let (mut rows, mut rejected) = (0, 0);
    for outcome in outcomes {
        let lines = outcome.lines;
        assert_eq!(lines.lines, lines.rows + lines.rejected_lines + lines.comment_lines, "{outcome:?}");
        if outcome.unread {
            assert_eq!(lines.rows, 0, "what is left for later has given nothing");
            continue;
        }
        rows += lines.rows;
        rejected += lines.rejected_lines;
    }
    assert_eq!(rows_of(files, Table::CloudfrontLogs), rows);
    assert_eq!(rows_of(files, Table::Rejects), rejected);
}

/// Lines as they come, and as they should not.
fn line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => "[A-Za-z0-9]{1,8}".prop_map(|id| row("2026-11-21", "05:00:00", &id).into_bytes()),
        1 => (0_u8..24, "[A-Za-z0-9]{1,8}").prop_map(|(hour, id)| row("2026-11-20", &format!("{hour:02}:59:59"), &id).into_bytes()),
        1 => Just(FIELDS.as_bytes().to_vec()),
        1 => Just(format!("#Fields: date time c-ip {}\n", unknown_field()).into_bytes()),
        1 => Just(b"2026-11-21\t05:00:00\t2001:db8::1\tnew\n".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => "[0-9\t-]{0,60}\n".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..80),
        1 => "[A-Za-z0-9]{1,8}".prop_map(|id| row("2026-11-21", "05:00:61", &id).into_bytes()),
        1 => "[A-Za-z0-9]{1,8}".prop_map(|id| row("2026-11-21", "05:00:00", &id).replace("1045619", "abc").into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_line_is_lost_and_nothing_panics(
        lines in proptest::collection::vec(line(), 0..40),
        headed in any::<bool>(),
        packed in any::<bool>(),
        kept in 0.0_f64..1.5,
    ) {
        let mut text = if headed { FIELDS.as_bytes().to_vec() } else { Vec::new() };
        text.extend(lines.concat());
        let expected_lines = text.split_inclusive(|byte| *byte == b'\n').count() as u64;
        let mut stored = if packed { gzip(&text) } else { text };
        let whole = stored.len();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a cut anywhere")]
        stored.truncate((whole as f64 * kept) as usize);
        let cut = stored.len() < whole;
        let (outcomes, files) = convert(&[object("a", stored)]);
        assert_nothing_lost(&outcomes, &files);
        if !cut {
            prop_assert_eq!(outcomes[0].lines.lines, expected_lines);
        }
    }

    #[test]
    fn any_bytes_are_borne(bytes in proptest::collection::vec(any::<u8>(), 0..2_000), magic in any::<bool>()) {
        let mut stored = if magic { vec![0x1f, 0x8b, 8] } else { Vec::new() };
        stored.extend(bytes);
        let (outcomes, files) = convert(&[object("a", stored)]);
        assert_nothing_lost(&outcomes, &files);
    }
}

/// Some thousand rows of every kind, in a few dozen objects.
fn sample() -> Vec<RawObject> {
    let objects = (0..40).map(|object_number| {
        let mut text = FIELDS.to_owned();
        for number in 0..300 {
            let time = format!("05:{:02}:{:02}", (number * 7 + object_number) % 60, number % 60);
            let mut line = row("2026-11-21", &time, &format!("id{object_number}x{number}=="));
            if number % 5 == 0 {
                line = line.replace("192.0.2.183", &format!("2001:db8::{:x}", number * object_number % 97));
            }
            if number % 7 == 0 {
                line = line.replace("HEL51-P6", &format!("FRA{}-C1", number % 9));
            }
            if number % 100 == 99 {
                line = line.replace("1045619", "many");
            }
            text.push_str(&line);
        }
        object(&format!("E1EXAMPLE.2026-11-21-05.{object_number:08x}.gz"), gzip(text.as_bytes()))
    });
    objects.collect()
}

fn fingerprint(files: &[OutputFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(file.partition.folder());
        hash.update(Sha256::digest(&file.bytes));
    }
    hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes of the sample's files. They change where the columns, the order, an encoding, a rule
/// or a library that writes them changes; then look whether that is meant, and put the new value
/// here with the change.
const PINNED: &str = "8400b2b15714c5ce404a2d1a1ea99fef";

#[test]
fn the_bytes_do_not_depend_on_threads() {
    let sample = sample();
    for threads in [1, 2, 3, 8] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (outcomes, files) = pool.install(|| convert(&sample));
        assert_nothing_lost(&outcomes, &files);
        assert_eq!(rows_of(&files, Table::CloudfrontLogs), 40 * 297);
        assert_eq!(rows_of(&files, Table::Rejects), 40 * 3);
        assert_eq!(fingerprint(&files), PINNED, "with {threads} threads");
    }
}

#[test]
fn a_large_object_gives_the_rows_of_a_small_one() {
    // Blank lines cost nothing but size: the same rows, once below the limit of the whole-object
    // path and once above it.
    let rows: String = (0..2_000).map(|n| row("2026-11-21", "05:00:00", &format!("id{n}"))).collect();
    let small = format!("{FIELDS}{rows}");
    let blank = edgemill::kernel::source::inflate::WHOLE_OBJECT_LIMIT_BYTES;
    let large = format!("{FIELDS}{}{rows}", "\n".repeat(blank));
    let (small_outcomes, small_files) = convert(&[object("a", gzip(small.as_bytes()))]);
    let (large_outcomes, large_files) = convert(&[object("a", gzip(large.as_bytes()))]);
    assert_eq!(large_outcomes[0].lines.comment_lines, small_outcomes[0].lines.comment_lines + blank as u64);
    assert_eq!(large_outcomes[0].lines.rows, 2_000);
    assert_eq!(fingerprint(&large_files), fingerprint(&small_files));
}

#[test]
fn damage_in_a_large_object_keeps_its_good_lines() {
    let rows: String = (0..2_000).map(|n| row("2026-11-21", "05:00:00", &format!("id{n}"))).collect();
    let large = format!("{FIELDS}{rows}{}", "\n".repeat(edgemill::kernel::source::inflate::WHOLE_OBJECT_LIMIT_BYTES));
    let mut stored = gzip(large.as_bytes());
    stored.truncate(stored.len() - 10);
    let (outcomes, files) = convert(&[object("a", stored)]);
    assert_nothing_lost(&outcomes, &files);
    assert_eq!(outcomes[0].lines.rows, 2_000);
    assert!(outcomes[0].damage.as_ref().unwrap().raw_offset_bytes > 60_000_000);
}

/// Bytes that are asked for; from a place on they cannot be had. The last is the most that was
/// asked for at once.
#[derive(Debug)]
struct Elsewhere(Bytes, u64, Arc<AtomicU64>);

impl Ranges for Elsewhere {
    fn read(&self, range: Range<u64>) -> edgemill::error::Result<Bytes> {
        self.2.fetch_max(range.end - range.start, Ordering::Relaxed);
        if range.end > self.1 {
            return Err(edgemill::error::Error::usage("the line is dead", "mend it"));
        }
        Ok(self.0.slice(usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()))
    }
}

fn elsewhere(stored: &[u8], good_bytes: u64) -> RawObject {
    watched(stored, good_bytes, Arc::default())
}

fn watched(stored: &[u8], good_bytes: u64, most: Arc<AtomicU64>) -> RawObject {
    let ranges = Arc::new(Elsewhere(Bytes::copy_from_slice(stored), good_bytes, most));
    RawObject { stored: ObjectBytes::there(stored.len() as u64, ranges), ..object("a", stored.to_vec()) }
}

/// A log as Parquet, in row groups of so many rows.
fn parquet(rows: usize, group_rows: usize) -> Vec<u8> {
    let ids = (0..rows).map(|n| format!("{n:056x}"));
    let columns: [(&str, ArrayRef); 3] = [
        ("date", Arc::new(StringArray::from(vec!["2026-11-21"; rows]))),
        ("time", Arc::new(StringArray::from(vec!["05:00:00"; rows]))),
        ("x-edge-request-id", Arc::new(StringArray::from_iter_values(ids))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group_rows)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn where_the_bytes_lie_makes_no_difference() {
    // More than one piece, in text, gzip and Parquet; the second with a member that ends right
    // before a piece does.
    let rows: String = (0..20_000).map(|n| row("2026-11-21", "05:00:00", &format!("id{n}"))).collect();
    let log = format!("{FIELDS}{rows}\nno row\n{rows}");
    // Nothing for gzip to find, and no end of a line.
    let mut state = 1_u64;
    let random = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[4] | 0x80
    });
    let random: Vec<u8> = random.take(12_000_000).collect();
    let joined = [gzip(log.as_bytes()), gzip(&random), gzip(log.as_bytes())].concat();
    for stored in [log.into_bytes(), joined, parquet(250_000, 100_000), Vec::new(), b"x".to_vec()] {
        let (here, here_files) = convert(&[object("a", stored.clone())]);
        let (there, there_files) = convert(&[elsewhere(&stored, stored.len() as u64)]);
        assert_eq!(format!("{here:?}"), format!("{there:?}"));
        assert_eq!(fingerprint(&here_files), fingerprint(&there_files));
        if stored.len() > 1 {
            assert!(rows_of(&here_files, Table::CloudfrontLogs) >= 40_000 && stored.len() as u64 > PIECE_BYTES);
            // Bytes that cannot be had are no damage: nothing of the object is taken.
            let failed = convert_chunk(
                &Settings::of(Table::CloudfrontLogs),
                &Recipe::plain().unwrap(),
                &[elsewhere(&stored, PIECE_BYTES)],
                &mut |_| Ok(()),
            );
            assert!(failed.unwrap_err().to_string().contains("the line is dead"));
        }
    }
}

#[test]
fn a_row_group_of_any_size_is_read_in_pieces() {
    let rows = 1_400_000;
    let stored = parquet(rows, rows);
    assert!(stored.len() > 70 << 20, "{} bytes", stored.len());
    let most = Arc::new(AtomicU64::new(0));
    let (outcomes, files) = convert(&[watched(&stored, stored.len() as u64, Arc::clone(&most))]);
    assert_nothing_lost(&outcomes, &files);
    assert_eq!((outcomes[0].lines.rows, &outcomes[0].damage), (rows as u64, &None));
    let most = most.load(Ordering::Relaxed);
    assert!(most <= PIECE_BYTES, "{most} bytes were asked for at once");
}

#[test]
fn a_footer_that_claims_much_is_not_read() {
    let mut stored = parquet(1_000, 1_000);
    let end = stored.len();
    let tail = stored.split_off(end / 2);
    // A file whose size allows the claim.
    stored.resize(80 << 20, 0);
    stored.extend(tail);
    let length_at = stored.len() - 8;
    stored[length_at..length_at + 4].copy_from_slice(&(70_u32 << 20).to_le_bytes());
    let most = Arc::new(AtomicU64::new(0));
    let (outcomes, _) = convert(&[watched(&stored, stored.len() as u64, Arc::clone(&most))]);
    assert!(outcomes[0].damage.as_ref().unwrap().reason.contains("its footer claims"), "{:?}", outcomes[0].damage);
    assert!(most.load(Ordering::Relaxed) <= PIECE_BYTES);
}

#[test]
fn of_a_large_object_without_a_row_nothing_is_taken() {
    // More than two cuts of lines that nobody has named the fields of.
    let nameless = format!("a value, another\n{}", row("2026-11-21", "05:00:00", "id")).repeat(200_000);
    assert!(nameless.len() > 64 << 20);
    for stored in [gzip(nameless.as_bytes()), nameless.clone().into_bytes()] {
        let (outcomes, files) = convert(&[elsewhere(&stored, stored.len() as u64)]);
        assert!(outcomes[0].unread && outcomes[0].lines.rejected_lines == 400_000, "{:?}", outcomes[0].lines);
        assert_eq!((outcomes[0].first_reject.as_ref().unwrap().0, files.len()), (1, 0));
    }
    // Where a row comes after all, no reject before it is lost; nor where the object is damaged.
    let header = format!("{nameless}{FIELDS}{}", row("2026-11-21", "05:00:00", "id"));
    let mut cut = gzip(nameless.as_bytes());
    cut.truncate(cut.len() - 10);
    for (stored, rows) in [(header.into_bytes(), 1), (cut, 0)] {
        let (outcomes, files) = convert(&[elsewhere(&stored, stored.len() as u64)]);
        assert_nothing_lost(&outcomes, &files);
        assert!(!outcomes[0].unread && outcomes[0].lines.rejected_lines > 390_000, "{:?}", outcomes[0].lines);
        assert_eq!((outcomes[0].first_reject.as_ref().unwrap().0, outcomes[0].lines.rows), (1, rows));
    }
}

#[test]
fn rows_lie_in_the_hour_of_their_own_time() {
    let text = format!("{FIELDS}{}{}", row("2026-11-21", "04:59:59", "a"), row("2026-11-21", "05:00:00", "b"));
    let (_, files) = convert(&[object("a", text.into_bytes())]);
    let hours: Vec<_> = files.iter().map(|file| (file.partition.to_string(), file.rows)).collect();
    assert_eq!(hours, [("cloudfront_logs/2026-11-21T04".into(), 1), ("cloudfront_logs/2026-11-21T05".into(), 1)]);
}

#[test]
fn a_panic_in_one_place_is_not_hidden() {
    let recipe = Recipe::plain().unwrap();
    let failing = convert_chunk(&Settings::of(Table::CloudfrontLogs), &recipe, &sample(), &mut |_| {
        Err(edgemill::error::Error::usage("no more", "stop"))
    });
    assert!(failing.is_err());
}
