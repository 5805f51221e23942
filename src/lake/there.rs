//! What a lake has, in words: for filters that let nothing of it through.

use super::Lake;
use crate::error::Result;
use crate::model::{Hour, HourRange, Period, Table, UnitId};
use crate::stats::count;

impl Lake {
    /// What there is where no unit is of the hours that were asked for; nothing where one is.
    pub async fn no_unit_of(&self, hours: HourRange) -> Result<Option<String>> {
        let mut units = Vec::new();
        for table in Table::LOGS {
            let records = self.records.each_unit(table).await?.into_iter().flatten();
            units.extend(records.filter(|record| !record.batches.is_empty()).map(|record| record.unit));
        }
        if units.iter().any(|unit| unit.meets(Some(hours))) {
            return Ok(None);
        }
        let there = ranged("hour", units.iter().filter_map(UnitId::period).map(Period::hours));
        Ok(Some(format!("nothing of {hours} was converted: the lake has {there}")))
    }

    /// What there is where no partition is of the hours that were asked for; nothing where one is.
    pub async fn no_partition_of(&self, hours: HourRange) -> Result<Option<String>> {
        let mut there = Vec::new();
        for table in Table::ALL {
            let records = self.records.each_partition(table, None).await?.into_iter().flatten();
            there.extend(records.map(|record| record.partition.hours()));
        }
        if there.iter().any(|partition| hours.meets(*partition)) {
            return Ok(None);
        }
        Ok(Some(format!("there is no partition of {hours}: the lake has {}", ranged("partition", there.into_iter()))))
    }
}

/// How many there are, and from when to when.
fn ranged(what: &str, all: impl Iterator<Item = HourRange>) -> String {
    let (mut number, mut whole) = (0, None::<(Hour, Hour)>);
    for hours in all {
        number += 1;
        let (first, last) = (hours.start, hours.end.plus(-1));
        whole = Some(whole.map_or((first, last), |whole| (whole.0.min(first), whole.1.max(last))));
    }
    match whole {
        Some((first, last)) => format!("{} from {first} to {last}", count(number, what)),
        None => "none".to_owned(),
    }
}
