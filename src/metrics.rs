//! What a run counted, as CloudWatch takes it out of a log line: the embedded metric format.
//!
//! The form is that of the CloudWatch documentation, "Embedded metric format specification": the
//! line is a JSON object whose `_aws` member names the metrics among the others. No log's content
//! and no secret is in it.

use serde_json::{Value, json};

use crate::pipeline::Summary;

/// The namespace of the metrics.
pub const NAMESPACE: &str = "Edgemill";

/// One line for a run of a lake. `now` is in seconds since 1970; `freshness_seconds` is how long
/// ago the newest hour ended of which the lake has rows.
#[must_use]
pub fn line(lake: &str, summary: &Summary, freshness_seconds: Option<u64>, now: i64) -> Value {
    let stats = &summary.stats;
    let mut metrics = vec![
        ("Rows", "Count", stats.lines.rows.into()),
        ("RejectedLines", "Count", stats.lines.rejected_lines.into()),
        ("RejectedRatio", "None", json!(summary.rejected_ratio())),
        ("ConvertedObjects", "Count", stats.converted_objects.into()),
        ("DamagedObjects", "Count", (stats.damaged_objects + stats.unread_objects).into()),
        ("LateObjects", "Count", stats.late_objects.into()),
        ("LatenessSeconds", "Seconds", stats.lateness_seconds.into()),
        ("InputBytes", "Bytes", stats.input_bytes.into()),
        ("OutputBytes", "Bytes", stats.output_bytes.into()),
        ("DurationSeconds", "Seconds", json!(summary.elapsed_seconds)),
    ];
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_that_is_named_is_there() {
        let mut summary = Summary::default();
        summary.stats.lines.lines = 200;
        summary.stats.lines.rejected_lines = 3;
        let line = line("s3://bucket/lake", &summary, Some(900), 1_700_000_000);
        let directive = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(directive["Dimensions"], json!([["Lake"]]));
        for metric in directive["Metrics"].as_array().unwrap() {
            let name = metric["Name"].as_str().unwrap();
            assert!(line[name].is_number(), "{name}");
        }
        assert_eq!((&line["RejectedRatio"], &line["FreshnessSeconds"]), (&json!(0.015), &json!(900)));
        assert_eq!(line["_aws"]["Timestamp"], json!(1_700_000_000_000_i64));
    }
}
