//! Some units in some partitions, for a run that looks at what it wrote: the same comparison as of
//! a whole lake.

use std::collections::{BTreeMap, BTreeSet};

use super::expected::Expected;
use super::files;
use super::options::VerifyOptions;
use super::report::VerifyReport;
use crate::kernel::ledger::records::{Manifest, PartitionRecord};
use crate::model::{Partition, Table, UnitId};

/// What some partitions hold otherwise than their units say, in words. `units` are units of which
/// no batch is on its way, each with the manifests of all its batches; what others have in the
/// partitions is not looked at. A partition without a record is one of version 0.
pub(crate) fn differences(units: &BTreeMap<UnitId, Vec<Manifest>>, partitions: &[PartitionRecord]) -> Vec<String> {
    let mut expected = Expected::default();
    units.values().flatten().for_each(|manifest| expected.add(manifest));
    let looked_at: BTreeSet<Partition> = partitions.iter().map(|record| record.partition).collect();
    expected.rows.retain(|(partition, _), _| looked_at.contains(partition));
    expected.batches.retain(|(partition, _), _| looked_at.contains(partition));
    let theirs: Vec<PartitionRecord> = partitions
        .iter()
        .map(|record| {
            let mut record = record.clone();
            record.parts.retain(|part| units.contains_key(&part.unit));
            record
        })
        .collect();
    let mut report = VerifyReport::default();
    theirs.iter().for_each(|record| files::against_units(record, &expected, &mut report));
    for table in Table::ALL {
        files::missing_partitions(table, &VerifyOptions::default(), &theirs, &expected, &mut report);
    }
    report.findings.into_iter().map(|finding| finding.about).collect()
}
