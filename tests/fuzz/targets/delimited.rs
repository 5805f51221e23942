//! W3C, plain and raw logs: values between delimiters.
#![no_main]

use edgemill::kernel::source::parse::Settings;
use edgemill::model::Table;
use libfuzzer_sys::fuzz_target;

#[path = "../../oracle/mod.rs"]
mod oracle;

fuzz_target!(|data: &[u8]| {
    let Some((first, text)) = data.split_first() else { return };
    let table = if first & 1 == 0 { Table::AlbLogs } else { Table::CloudfrontLogs };
    let fields = (first & 2 != 0).then(|| ["date", "time", "c-ip"].map(str::to_owned).to_vec());
    let delimiter = (first & 4 != 0).then(|| if first & 16 == 0 { b",".to_vec() } else { b"||".to_vec() });
    let line_limit_bytes = if first & 8 != 0 { 30 } else { 1 << 20 };
    let settings = Settings { fields, delimiter, line_limit_bytes, ..Settings::of(table) };
    // Few pieces or one.
    let piece_bytes = if first & 64 == 0 { usize::MAX } else { 1 + usize::from(first & 15) * 37 };
    oracle::compare(text, &settings, piece_bytes);
});
