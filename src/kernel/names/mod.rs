//! What an object's key says: which source wrote it, for which distribution and hour.
//!
//! Source of the format: the CloudFront Developer Guide, "Access logs (standard logs)", file name format
//! `<prefix>/<distribution id>.YYYY-MM-DD-HH.<unique id>.gz`, the hour in UTC.

use crate::model::Hour;

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A CloudFront standard log.
    Cloudfront {
        /// The distribution's id.
        distribution: String,
        /// The hour in which its requests happened, most of them.
        hour: Hour,
    },
    /// A name that no source gives.
    Unknown,
    /// Something that no reader of a lake or a log bucket looks at: a path with a part that begins with `.` or `_`.
    Hidden,
}

/// Reads a key.
#[must_use]
pub fn read(key: &str) -> Named {
    if key.split('/').any(|part| part.starts_with(['.', '_'])) {
        return Named::Hidden;
    }
    let name = key.rsplit('/').next().unwrap_or(key);
    cloudfront(name).unwrap_or(Named::Unknown)
}

/// `<distribution id>.YYYY-MM-DD-HH.<unique id>`, then `.gz` or, where somebody decompressed it, nothing, `.log` or `.txt`.
fn cloudfront(name: &str) -> Option<Named> {
    let mut parts = name.split('.');
    let (distribution, time, unique) = (parts.next()?, parts.next()?, parts.next()?);
    let is_end = |part: &str| matches!(part, "gz" | "log" | "txt");
    let known_end = match (parts.next(), parts.next()) {
        (None, None) => !is_end(unique),
        (Some(end), None) => is_end(end),
        _ => false,
    };
    let alphanumeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !known_end || !alphanumeric(distribution) || !alphanumeric(unique) || time.len() != 13 {
        return None;
    }
    let (date, hour) = time.split_at_checked(10)?;
    let hour = format!("{date}T{}", hour.strip_prefix('-')?).parse().ok()?;
    Some(Named::Cloudfront { distribution: distribution.to_owned(), hour })
}

/// The distribution in a key, or nothing where the key has none.
#[must_use]
pub fn distribution(key: &str) -> Option<String> {
    match read(key) {
        Named::Cloudfront { distribution, .. } => Some(distribution),
        _ => None,
    }
}

/// The folder of a key, without a slash at its end; empty at the root.
#[must_use]
pub fn folder(key: &str) -> &str {
    key.rsplit_once('/').map_or("", |(folder, _)| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloudfront(hour: &str) -> Named {
        Named::Cloudfront { distribution: "EMLARXS9EXAMPLE".into(), hour: hour.parse().unwrap() }
    }

    #[test]
    fn cloudfront_names_are_read_under_any_prefix() {
        for key in [
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz",
            "logs/a.b/EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4KCN4SGK9.log",
        ] {
            assert_eq!(read(key), cloudfront("2019-11-14T20"), "{key}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for key in [
            "EMLARXS9EXAMPLE.2019-11-14-24.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-31-20.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-2é.RT4KCN4SGK9.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.a.b.gz",
            "EMLARXS9EXAMPLE.2019-11-14-20.RT4K.zip",
            "access.log",
            "",
        ] {
            assert_eq!(read(key), Named::Unknown, "{key}");
        }
        for key in ["_edgemill/x.gz", "a/.hidden/EMLARXS9EXAMPLE.2019-11-14-20.RT4K.gz"] {
            assert_eq!(read(key), Named::Hidden, "{key}");
        }
    }
}
