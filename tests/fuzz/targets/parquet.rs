//! Parquet as somebody else wrote it: damage is told, and what was read adds up.
#![no_main]

use bytes::Bytes;
use edgemill::kernel::parse::{Block, Reject, Settings, Sink, parquet};
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

fuzz_target!(|data: &[u8]| {
    let mut counted = Counted::default();
    let settings = Settings { object_limit_bytes: 1 << 24, ..Settings::of(Table::CloudfrontLogs) };
    let decoded = parquet::decode(&Bytes::copy_from_slice(data), &settings, &mut counted);
    assert_eq!((decoded.stats.lines, decoded.stats.rows), (counted.rows, counted.rows));
});
