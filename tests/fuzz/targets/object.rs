//! Stored objects through the whole kernel: gzip of any number of members, text, Parquet, or
//! nothing of the kind.
#![no_main]

use bytes::Bytes;
use edgemill::kernel::columns::convert::{RawObject, convert_chunk};
use edgemill::kernel::source::inflate::{Inflater, Whole, stream};
use edgemill::kernel::source::parse::Settings;
use edgemill::kernel::policy::recipe::Recipe;
use edgemill::model::{Hour, ObjectId, Table};
use libfuzzer_sys::fuzz_target;

/// Panics of the Parquet library on damaged files are caught by the parser; all others end the
/// fuzzing.
fn tell_panics_apart() {
    let abort = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let file = panic.location().map_or("", |location| location.file());
        if !file.contains("/parquet-") && !file.contains("/arrow-") {
            abort(panic);
        }
    }));
}

static RECIPE: std::sync::LazyLock<Recipe> = std::sync::LazyLock::new(|| Recipe::plain().unwrap());

fuzz_target!(init: tell_panics_apart(), |data: &[u8]| {
    let mut streamed = Vec::new();
    let damage = stream(&mut { data }, &mut |piece| {
        streamed.extend_from_slice(piece);
        streamed.len() < 1 << 24
    });
    if let Whole::Bytes(whole, whole_damage) = Inflater::default().whole(data, usize::MAX)
        && streamed.len() < 1 << 24
    {
        assert_eq!((whole, whole_damage), (streamed.as_slice(), damage), "the two paths agree");
    }
    for table in Table::LOGS {
        let settings = Settings { object_limit_bytes: 1 << 22, ..Settings::of(table) };
        let object = RawObject {
            id: ObjectId { key: "a".into(), etag: String::new(), size_bytes: data.len() as u64 },
            filename: "a".into(),
            distribution: None,
            hour: Some(Hour::of_unix_seconds(0)),
            named: true,
            stored: Bytes::copy_from_slice(data).into(),
        };
        let mut rows = 0;
        let report = convert_chunk(&settings, &RECIPE, &[object], &mut |file| {
            rows += file.rows;
            Ok(())
        });
        let report = report.unwrap();
        let lines = report.outcomes[0].lines;
        assert_eq!(lines.lines, lines.rows + lines.rejected_lines + lines.comment_lines);
        assert_eq!(rows, if report.outcomes[0].unread { 0 } else { lines.rows + lines.rejected_lines });
    }
});
