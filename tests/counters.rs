//! Every counter of the one list is added, told in `--json` and documented.
//!
//! `EDGEMILL_RENEW=1` writes `docs/counters.md` anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::fmt::Write;
use std::path::Path;

use edgemill::pipeline::Summary;
use edgemill::stats::{COUNTERS, Counter, RunStats};

/// A value of its own for every counter, from some number on.
fn filled(from: u64) -> RunStats {
    let mut stats = RunStats::default();
    (from..).zip(stats.counted_mut()).for_each(|(value, (_, counter))| *counter = value);
    stats
}

#[test]
fn every_counter_is_added_by_its_rule() {
    assert_eq!(filled(1).counted().count(), COUNTERS.len());
    // The greater one may be on either side.
    for (ours, theirs) in [(1, 1_000), (1_000, 1)] {
        let mut sum = filled(ours);
        sum += &filled(theirs);
        for (place, (counter, value)) in (0..).zip(sum.counted()) {
            let (ours, theirs) = (ours + place, theirs + place);
            let wanted = match counter.adding {
                "sum" => ours + theirs,
                "max" => ours.max(theirs),
                other => panic!("{}: {other} is no way to add", counter.name),
            };
            assert_eq!(value, wanted, "{}", counter.name);
        }
    }
    let longest = COUNTERS.iter().filter(|counter| counter.adding == "max").map(|counter| counter.name);
    assert_eq!(longest.collect::<Vec<_>>(), ["lateness_seconds"], "what is a sum is added up");
}

#[test]
fn every_counter_is_in_json_in_its_order() {
    let mut summary = Summary::default();
    summary.stats = filled(1);
    let text = serde_json::to_string(&summary).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut before = 0;
    for (counter, number) in summary.stats.counted() {
        assert_eq!(value[counter.name], number, "{}", counter.name);
        let place = text.find(&format!("\"{}\":", counter.name)).unwrap();
        assert!(place >= before, "{} comes before the one that is listed before it", counter.name);
        before = place;
    }
}

#[test]
fn every_line_for_people_tells_its_count_and_its_examples() {
    let late = vec!["first".to_owned()];
    let mut summary = Summary::default();
    assert_eq!(summary.told().count(), 0, "nothing is told of what is zero");
    (summary.stats.late_objects, summary.late) = (2, late.clone());
    summary.stats.excluded_objects = 1;
    let told: Vec<_> = summary.told().collect();
    assert_eq!(told[0], ("2 objects came late:".to_owned(), late.as_slice()));
    assert_eq!(told[1], ("excluded: 1 object".to_owned(), [].as_slice()));
    for name in Summary::EXAMPLES_OF {
        assert!(COUNTERS.iter().any(|counter| counter.name == *name), "there is no counter {name}");
        assert!(summary.examples(name).is_some(), "{name}");
    }
}

/// The table of the counters.
fn documented() -> String {
    let mut text = "# What a run counts\n\n\
        Each counter is a key of `--json`. *Added* says how the figures of hours become those of a run. *Log lines* says whether\n\
        the log line of a run or of an hour has it (`--log-format json`), and under which name where that is another. *Metric* is\n\
        the CloudWatch metric and its unit (`--metrics emf`); counters of one metric are added up.\n\n\
        This table is made from the list in [src/stats.rs](../src/stats.rs) by\n\
        `EDGEMILL_RENEW=1 cargo test --release --test counters`.\n\n\
        | key | what it counts | added | log lines | metric |\n|-|-|-|-|-|\n"
        .to_owned();
    for Counter { name, doc, adding, run_field, hour_field, metric, .. } in COUNTERS {
        let log = [("run", run_field), ("hour", hour_field)].into_iter().filter_map(|(line, field)| {
            let field = (*field)?;
            Some(if field == *name { line.to_owned() } else { format!("{line} (`{field}`)") })
        });
        let log = log.collect::<Vec<_>>().join(", ");
        let metric = metric.map_or_else(String::new, |(name, unit)| format!("{name} ({unit})"));
        writeln!(text, "| `{name}` | {} | {adding} | {log} | {metric} |", doc.trim()).unwrap();
    }
    text
}

#[test]
fn the_documentation_lists_every_counter() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/counters.md");
    let wanted = documented();
    if std::env::var_os("EDGEMILL_RENEW").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let renew = "EDGEMILL_RENEW=1 cargo test --release --test counters";
    assert!(found == wanted, "docs/counters.md is not that of the list in src/stats.rs; write it anew with: {renew}");
}
