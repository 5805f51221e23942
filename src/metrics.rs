//! What a run counted, as CloudWatch takes it out of a log line: the embedded metric format.
//!
//! The form is that of the CloudWatch documentation, "Embedded metric format specification": the
//! line is a JSON object whose `_aws` member names the metrics among the others. No log's content
//! and no secret is in it.
//!
//! A counter becomes a metric in the list of [`crate::stats`]; here stand only those that are
//! reckoned from several.

use serde_json::{Value, json};

use crate::pipeline::Summary;
use crate::stats::RunStats;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Edgemill";

/// A metric: its name, its unit, its value.
type Metric = (&'static str, &'static str, Value);

/// One line for a run of a lake. `now` is in seconds since 1970; `freshness_seconds` is how long
/// ago the newest hour ended of which the lake has rows.
#[must_use]
pub fn line(lake: &str, summary: &Summary, freshness_seconds: Option<u64>, now: i64) -> Value {
    let mut metrics = counted(&summary.stats);
    metrics.push(("RejectedRatio", "None", json!(summary.rejected_ratio())));
    metrics.push(("DurationSeconds", "Seconds", json!(summary.elapsed_seconds)));
    if let Some(freshness_seconds) = freshness_seconds {
        metrics.push(("FreshnessSeconds", "Seconds", freshness_seconds.into()));
    }
    let named: Vec<Value> = metrics.iter().map(|(name, unit, _)| json!({"Name": name, "Unit": unit})).collect();
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [["Lake"]], "Metrics": named});
    let mut line = json!({"_aws": {"Timestamp": now * 1_000, "CloudWatchMetrics": [directive]}, "Lake": lake});
    for (name, _, value) in metrics {
        line[name] = value;
    }
    line
}

/// The metrics that are counters, or sums of some.
fn counted(stats: &RunStats) -> Vec<Metric> {
    let mut sums: Vec<(&'static str, &'static str, u64)> = Vec::new();
    for (counter, value) in stats.counted() {
        let Some((name, unit)) = counter.metric else { continue };
        match sums.iter_mut().find(|(of, ..)| *of == name) {
            Some((_, _, sum)) => *sum += value,
            None => sums.push((name, unit, value)),
        }
    }
    sums.into_iter().map(|(name, unit, sum)| (name, unit, sum.into())).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_metric_that_is_named_is_there() {
        let mut summary = Summary::default();
        summary.stats.lines.lines = 200;
        summary.stats.lines.rejected_lines = 3;
        (summary.stats.damaged_objects, summary.stats.unread_objects) = (4, 5);
        let line = line("s3://bucket/lake", &summary, Some(900), 1_700_000_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Lake"]]));
        let mut named = BTreeSet::new();
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}");
            assert!(named.insert((name, metric["Unit"].as_str().unwrap())), "{name} is named twice");
        }
        // Alarms and dashboards of users are made of these names and units.
        for ours in [
            ("Rows", "Count"),
            ("RejectedLines", "Count"),
            ("RejectedRatio", "None"),
            ("ConvertedObjects", "Count"),
            ("DamagedObjects", "Count"),
            ("LateObjects", "Count"),
            ("LatenessSeconds", "Seconds"),
            ("InputBytes", "Bytes"),
            ("OutputBytes", "Bytes"),
            ("DurationSeconds", "Seconds"),
            ("FreshnessSeconds", "Seconds"),
        ] {
            assert!(named.contains(&ours), "{ours:?}");
        }
        assert_eq!((&line["RejectedRatio"], &line["FreshnessSeconds"]), (&json!(0.015), &json!(900)));
        assert_eq!(line["DamagedObjects"], 9, "damaged and unread ones are one metric");
        assert_eq!(line["_aws"]["Timestamp"], json!(1_700_000_000_000_i64));
    }
}
