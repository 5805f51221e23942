//! What an object is, by its first bytes: for those whose names do not tell.

use super::{delimited, values};
use crate::kernel::schema::is_logged_field;
use crate::model::Table;

/// Fields that must be known before a header is believed.
const FEWEST_KNOWN_FIELDS: usize = 3;

/// The table that a log belongs to, by the beginning of its text; `None` where it is none that is read here.
#[must_use]
pub fn table(text: &[u8]) -> Option<Table> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let lines = text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    for line in lines.filter(|line| !line.is_empty()).take(10) {
        if let Some((b"#Fields:" | b"#fields:", names)) = line.split_at_checked(8) {
            return by_names(&delimited::header_names(names, None));
        }
        if line.starts_with(b"#") {
            continue;
        }
        if line.starts_with(b"{") {
            let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(line).ok()?;
            return by_names(&object.keys().cloned().collect::<Vec<_>>());
        }
        return looks_like_alb(line).then_some(Table::AlbLogs);
    }
    None
}

/// The table that knows most of some fields, if it knows some.
#[must_use]
pub fn by_names(names: &[String]) -> Option<Table> {
    let known = |table: Table| names.iter().filter(|name| is_logged_field(table, name)).count();
    let counts = Table::LOGS.map(|table| (known(table), table));
    let (count, table) = counts.into_iter().max_by_key(|(count, _)| *count)?;
    (count >= FEWEST_KNOWN_FIELDS).then_some(table)
}

/// The first values of a load balancer's rows; AWS asks readers to pass over others.
const SCHEMES: [&[u8]; 6] = [b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"];

/// Whether a line begins as those of Application Load Balancers do: a scheme, then a time.
#[must_use]
pub fn looks_like_alb(line: &[u8]) -> bool {
    let mut words = line.split(|byte| *byte == b' ');
    words.next().is_some_and(|word| SCHEMES.contains(&word))
        && words.next().is_some_and(|word| values::Clock::default().iso_micros(word).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_known_by_how_they_begin() {
        let alb = "h2 2026-11-21T05:00:00.000001Z app/shop/50dc6c495c0c9188 192.0.2.1:1 - -1";
        for (text, found) in [
            ("#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip\n", Some(Table::CloudfrontLogs)),
            ("#Fields: type elb client:port request\n", Some(Table::AlbLogs)),
            ("{\"date\":\"-\",\"c-ip\":\"-\",\"cs(Host)\":\"-\",\"sc-bytes\":\"1\"}\n", Some(Table::CloudfrontLogs)),
            ("{\"elb\":\"-\",\"client_port\":\"-\",\"request_line\":\"-\"}\n", Some(Table::AlbLogs)),
            (alb, Some(Table::AlbLogs)),
            ("2026-11-21T05:00:00Z 192.0.2.1 1 443 TLSv1.3 - - - - - - TID_1\n", None),
            ("#Fields: a b c\n", None),
            ("hello\n", None),
            ("", None),
        ] {
            assert_eq!(table(text.as_bytes()), found, "{text}");
        }
    }
}
