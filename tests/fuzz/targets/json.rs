//! Logs of JSON lines: whatever comes, the object begins with one.
#![no_main]

use edgemill::kernel::source::parse::Settings;
use edgemill::model::Table;
use libfuzzer_sys::fuzz_target;

#[path = "../../oracle/mod.rs"]
mod oracle;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    if !text.starts_with(b"{") {
        return;
    }
    let settings = Settings::of(if first & 1 == 0 { Table::AlbLogs } else { Table::CloudfrontLogs });
    // Few pieces or one.
    let piece_bytes = if first & 64 == 0 { usize::MAX } else { 1 + usize::from(first & 15) * 37 };
    oracle::compare(text, &settings, piece_bytes);
});
