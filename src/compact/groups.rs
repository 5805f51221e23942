//! Which files of a unit become one.

use super::options::CompactOptions;
use crate::kernel::ledger::records::{FileEntry, UnitFiles};

/// Files of one part that become one or a few.
pub(super) fn groups(part: &UnitFiles, options: CompactOptions) -> Vec<Vec<&FileEntry>> {
    let (most_bytes, most_rows) = (options.most_bytes(), options.most_rows());
    let small = |file: &&FileEntry| file.size_bytes < most_bytes / 2 && file.rows < most_rows / 2;
    let small: Vec<&FileEntry> = part.files.iter().filter(small).collect();
    if small.len() < options.small_files.max(2) {
        return Vec::new();
    }
    let (mut groups, mut group, mut size_bytes, mut rows) = (Vec::new(), Vec::new(), 0, 0);
    for file in small {
        let full = size_bytes + file.size_bytes > most_bytes || rows + file.rows > most_rows;
        if full && !group.is_empty() {
            groups.push(std::mem::take(&mut group));
            (size_bytes, rows) = (0, 0);
        }
        size_bytes += file.size_bytes;
        rows += file.rows;
        group.push(file);
    }
    groups.push(group);
    groups.retain(|group| group.len() > 1);
    groups
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::super::options::{BASE_COST_BYTES, ROW_COST_BYTES};
    use super::*;
    use crate::kernel::columns::convert::FILE_ROWS;
    use crate::model::{Table, UnitId};

    fn part(sizes: &[(u64, u64)]) -> UnitFiles {
        let file = |(number, (size_bytes, rows)): (usize, &(u64, u64))| FileEntry {
            name: format!("{number:02}"),
            rows: *rows,
            size_bytes: *size_bytes,
            crc32: 0,
        };
        UnitFiles {
            unit: UnitId::Untimed(Table::AlbLogs, "a".into()),
            applied: BTreeMap::new(),
            files: sizes.iter().enumerate().map(file).collect(),
            lost: BTreeSet::new(),
        }
    }

    fn grouped(sizes: &[(u64, u64)], small_files: usize) -> Vec<usize> {
        let part = part(sizes);
        groups(&part, CompactOptions { target_bytes: 100, small_files, memory_bytes: 1 << 40 })
            .iter()
            .map(Vec::len)
            .collect()
    }

    #[test]
    fn small_files_are_grouped_up_to_the_target_and_large_ones_stay() {
        assert_eq!(grouped(&[(10, 1); 4], 4), [4]);
        assert!(grouped(&[(10, 1); 3], 4).is_empty(), "too few to be worth it");
        assert_eq!(grouped(&[(40, 1), (40, 1), (40, 1), (40, 1), (90, 1)], 2), [2, 2]);
        assert_eq!(grouped(&[(40, 1), (40, 1), (40, 1)], 2), [2], "what is alone in its group stays");
        assert!(grouped(&[(90, 1), (60, 1)], 2).is_empty());
        let many_rows = FILE_ROWS as u64 / 2 - 1;
        assert_eq!(grouped(&[(1, many_rows); 4], 2), [2, 2], "a file holds so many rows and no more");
        assert!(grouped(&[(1, many_rows + 1); 4], 2).is_empty(), "what was merged once is not merged again");
        let tight =
            CompactOptions { target_bytes: 100, small_files: 2, memory_bytes: BASE_COST_BYTES + 10 * ROW_COST_BYTES };
        assert_eq!(groups(&part(&[(1, 4); 4]), tight).iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
    }
}
