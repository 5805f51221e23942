//! Load balancers' own logs.
#![no_main]

use edgemill::kernel::source::parse::Settings;
use edgemill::model::Table;
use libfuzzer_sys::fuzz_target;

#[path = "../../oracle/mod.rs"]
mod oracle;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let settings = Settings::of(Table::AlbLogs);
    // Few pieces or one.
    let piece_bytes = if first & 64 == 0 { usize::MAX } else { 1 + usize::from(first & 15) * 37 };
    oracle::compare(text, &settings, piece_bytes);
});
