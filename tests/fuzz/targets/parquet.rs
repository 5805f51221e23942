//! Parquet as somebody else wrote it: damage is told, and what was read adds up.
#![no_main]

use bytes::Bytes;
use edgemill::kernel::source::parse::{Block, Reject, Settings, Sink, parquet};
use edgemill::model::Table;
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct Counted {
    width: usize,
    rows: u64,
}

impl Sink for Counted {
    fn fields(&mut self, names: &[String]) {
        self.width = names.len();
    }

    fn block(&mut self, block: &Block<'_>, _: u64) {
        for row in 0..block.rows() {
            let joined: usize = (0..self.width).map(|field| block.value(row, field).len() + 1).sum();
            assert_eq!(joined.max(1) - 1, block.line(row).1.len());
        }
        self.rows += block.rows() as u64;
    }

    fn reject(&mut self, _: Reject) {}
}

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

fuzz_target!(init: tell_panics_apart(), |data: &[u8]| {
    let mut counted = Counted::default();
    let settings = Settings { object_limit_bytes: 1 << 24, ..Settings::of(Table::CloudfrontLogs) };
    let decoded = parquet::decode(&Bytes::copy_from_slice(data).into(), &settings, &mut counted, &mut |_, _| true);
    assert_eq!((decoded.stats.lines, decoded.stats.rows), (counted.rows, counted.rows));
});
