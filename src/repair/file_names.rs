//! The names of files that edgemill writes into tables' folders.

use crate::model::{Partition, Table};

/// The partition and name of a file that edgemill may have written:
/// `<table>/year=/.../<time>-<hash>-<n>.parquet`.
#[must_use]
pub fn placed(path: &str) -> Option<(Partition, &str)> {
    let (folder, name) = path.rsplit_once('/')?;
    let mut parts = name.strip_suffix(".parquet")?.split('-');
    let (time, hash, number) = (parts.next()?, parts.next()?, parts.next()?);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let ours = (time == "untimed" || matches!(time.len(), 6 | 8 | 10) && digits(time))
        && hash.len() == 20
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits(number)
        && parts.next().is_none();
    let mut folders = folder.split('/');
    let table = folders.next()?;
    let table = Table::named(table)?;
    let values: Vec<&str> = folders.filter_map(|part| part.split_once('=').map(|(_, value)| value)).collect();
    let partition = Partition::of_values(table, &values)?;
    (ours && partition.folder() == folder).then_some((partition, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_our_own_names_are_ever_deleted() {
        let folder = "alb_logs/year=2026/month=11/day=21/hour=05";
        let ours = format!("{folder}/2026112105-0123456789abcdef0123-0.parquet");
        assert!(placed(&ours).is_some());
        for other in [
            format!("{folder}/mine.parquet"),
            format!("{folder}/2026112105-0123456789abcdef0123-0.csv"),
            "alb_logs/2026112105-0123456789abcdef0123-0.parquet".to_owned(),
            "other/year=2026/month=11/day=21/hour=05/2026112105-0123456789abcdef0123-0.parquet".to_owned(),
        ] {
            assert!(placed(&other).is_none(), "{other}");
        }
    }
}
