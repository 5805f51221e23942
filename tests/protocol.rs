//! The protocol, tried exhaustively on a small world with the very machines that a run uses: every
//! interleaving of some workers, with deaths at every step, lost answers, calls that arrive late,
//! and queries that go on. Whatever was left is then finished by one more run, and every row must
//! be there once. And each sentence of the protocol is taken out in turn: the check must find what
//! it is there for.
//!
//! `EDGEMILL_MODEL=long` explores larger worlds; the numbers of states are printed (`--nocapture`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]
#![allow(clippy::print_stdout, reason = "how many states were explored is part of the result")]

mod model;

use edgemill::kernel::ledger::protocol::Sentence;
use model::explore::explore;
use model::scenario::{Breakage, Scenario, Task};

use Task::{Compact, Convert, End, Fold, Lose, Recover, Reprocess};

fn long() -> bool {
    std::env::var("EDGEMILL_MODEL").is_ok_and(|value| value == "long")
}

/// Explores a world that must hold.
fn holds(name: &str, scenario: &Scenario) {
    let begun = std::time::Instant::now();
    match explore(scenario) {
        Ok(states) => println!("{name}: {states} states, {:.1} s", begun.elapsed().as_secs_f64()),
        Err(breach) => panic!("{name}: {breach}"),
    }
}

/// Explores a world that lacks a sentence, and must not hold.
fn breaks(name: &str, scenario: &Scenario) {
    let scenario = Scenario { limit: 20_000_000, ..scenario.clone() };
    match explore(&scenario) {
        Ok(states) => panic!("{name}: nothing was found in {states} states"),
        Err(breach) => println!("{name}: {breach}"),
    }
}

/// What is there before: two batches of one hour, of which the first has two files in one partition
/// and one in another.
const BEFORE: [Task; 2] = [Convert(0, "abn"), Convert(0, "c")];

fn on_top(workers: &[&[Task]]) -> Scenario {
    let scenario = Scenario::new(true, &BEFORE, workers);
    // Each doubles the states; in the short form both are tried on the smaller worlds.
    Scenario { lost_answers: u8::from(long()), late_calls: 1, ..scenario }
}

#[test]
fn two_workers_with_the_same_inputs() {
    let both: &[Task] = &[Convert(0, "abn")];
    let scenario = Scenario::new(true, &[], &[both, both]);
    holds("same inputs", &Scenario { lost_answers: 1, late_calls: 1, ..scenario });
}

#[test]
fn two_workers_whose_inputs_overlap_in_part() {
    let scenario = Scenario::new(true, &[], &[&[Convert(0, "abn")], &[Convert(0, "bc")]]);
    holds("inputs that overlap", &Scenario { lost_answers: 1, late_calls: 1, ..scenario });
}

#[test]
fn a_compaction_beside_a_late_batch() {
    holds("compact, late batch", &on_top(&[&[Compact(0)], &[Convert(0, "do")]]));
}

#[test]
fn a_compaction_beside_another() {
    holds("compact, compact", &on_top(&[&[Compact(0)], &[Compact(0)]]));
}

#[test]
fn a_compaction_beside_a_query() {
    holds("compact, queries", &Scenario { queries: 1, ..on_top(&[&[Compact(0)], &[Recover]]) });
}

#[test]
fn reprocessing_beside_a_late_batch() {
    holds("reprocess, late batch", &on_top(&[&[Reprocess(0)], &[Convert(0, "do")]]));
}

#[test]
fn reprocessing_beside_a_compaction() {
    holds("reprocess, compact", &on_top(&[&[Reprocess(0)], &[Compact(0)]]));
}

#[test]
fn reprocessing_twice_at_once() {
    holds("reprocess, reprocess", &on_top(&[&[Reprocess(0)], &[Reprocess(0)]]));
}

#[test]
fn an_attempt_is_ended_while_its_worker_sleeps() {
    holds("convert, end", &on_top(&[&[Convert(0, "do")], &[End(0)]]));
    holds("reprocess, end", &on_top(&[&[Reprocess(0)], &[End(0)]]));
    holds("compact, end", &on_top(&[&[Compact(0)], &[End(0)]]));
}

/// Whoever looks for files that somebody removed takes none for gone that others are about to
/// replace: nothing here is ever lost.
#[test]
fn looking_for_what_is_lost_beside_others() {
    holds("lose, convert", &on_top(&[&[Lose(0)], &[Convert(0, "do")]]));
    holds("lose, reprocess", &on_top(&[&[Lose(0)], &[Reprocess(0)]]));
    holds("lose, compact", &on_top(&[&[Lose(0)], &[Compact(0)]]));
}

/// The first batch of an hour is published by a worker that falls asleep, while another finishes it
/// and merges its files.
fn a_sleeper() -> Scenario {
    let scenario = Scenario::new(true, &[], &[&[Convert(0, "ab")], &[Recover, Compact(0)]]);
    Scenario { crashes: 0, ..scenario }
}

#[test]
fn without_the_wait_a_sleepers_catalog_call_is_found() {
    holds("a sleeper", &a_sleeper());
    let without = Some(Sentence::CatalogWaits);
    breaks("the catalog is pointed at once", &Scenario { without, ..a_sleeper() });
}

#[test]
fn a_read_back_that_is_too_early_is_found() {
    let without = Some(Sentence::ReadsBackLate);
    breaks("read back too early", &Scenario { without, ..a_sleeper() });
}

#[test]
fn without_max_call_delay_the_double_is_found() {
    breaks("no max_call_delay", &Scenario { breakage: Breakage::NoMaxCallDelay, ..a_sleeper() });
}

#[test]
fn a_worker_that_ignores_its_clock_is_found() {
    breaks("a clock that is ignored", &Scenario { breakage: Breakage::IgnoresClock, ..a_sleeper() });
}

#[test]
fn without_the_grace_a_query_that_breaks_is_found() {
    let scenario = Scenario::new(true, &BEFORE, &[&[Compact(0)]]);
    holds("a query", &Scenario { queries: 1, ..scenario.clone() });
    breaks("no grace", &Scenario { queries: 1, breakage: Breakage::NoGrace, ..scenario });
}

#[test]
fn deleting_what_is_merely_unknown_is_found() {
    let without = Some(Sentence::DeletesOnlyReplaced);
    let scenario = Scenario::new(false, &BEFORE, &[&[Compact(0)], &[Recover, Convert(0, "d")]]);
    holds("two settle", &scenario);
    breaks("deleting the unknown", &Scenario { without, ..scenario });
}

#[test]
fn moving_from_staging_is_found() {
    let scenario = Scenario::new(false, &[], &[&[Convert(0, "ab")]]);
    breaks("moving from staging", &Scenario { breakage: Breakage::MovesFromStaging, ..scenario });
}

#[test]
fn clearing_staging_by_age_is_found() {
    let scenario = Scenario::new(false, &[], &[&[Convert(0, "ab")], &[End(0)]]);
    breaks("clearing by age", &Scenario { breakage: Breakage::ClearsByAge, ..scenario });
}

#[test]
fn deleting_before_the_source_is_gone_is_found() {
    // The clock alone would do; that the source is gone does too, so each is tried without the
    // other.
    let scenario = Scenario::new(false, &[], &[&[Convert(0, "ab")], &[Recover], &[Compact(0)]]);
    let scenario = Scenario { breakage: Breakage::IgnoresClock, ..scenario };
    holds("a clock that is ignored, without a catalog", &scenario);
    let without = Some(Sentence::SourcesGoneFirst);
    breaks("deleting before the source is gone", &Scenario { without, ..scenario });
}

#[test]
fn reprocessing_from_a_listing_is_found() {
    let without = Some(Sentence::ReplacesExactly);
    let scenario = Scenario::new(false, &BEFORE, &[&[Reprocess(0)], &[Convert(0, "do")]]);
    breaks("reprocessing from a listing", &Scenario { without, ..scenario });
}

#[test]
fn a_batch_beside_a_replacement_is_found() {
    let without = Some(Sentence::OneReplacement);
    let scenario = Scenario::new(false, &BEFORE, &[&[Reprocess(0)], &[Convert(0, "do")]]);
    breaks("a batch beside a replacement", &Scenario { without, ..scenario });
}

#[test]
fn a_row_leaves_a_partition_and_comes_back() {
    // The first of two reprocessings leaves nothing there, so it has no file whose absence could
    // tell that it is over.
    let scenario = Scenario::new(false, &[Convert(0, "b")], &[&[Reprocess(0)], &[Recover, Reprocess(0)]]);
    holds("there and back", &scenario);
}

#[test]
fn folding_beside_everything_else() {
    for (name, other) in [
        ("fold, late batch", Convert(0, "do")),
        ("fold, the same inputs", Convert(0, "abn")),
        ("fold, reprocess", Reprocess(0)),
        ("fold, compact", Compact(0)),
        ("fold, fold", Fold(0)),
    ] {
        holds(name, &on_top(&[&[Fold(0), Compact(0)], &[other]]));
    }
}

#[test]
fn a_sleeper_over_a_batch_that_was_folded() {
    // The batches are published by one who falls asleep at any step, while another finishes them,
    // folds and merges them.
    let scenario = Scenario::new(true, &[Convert(0, "c")], &[&[Convert(0, "ab")], &[Recover, Fold(0), Compact(0)]]);
    holds("a sleeper, fold", &Scenario { crashes: 0, lost_answers: 1, ..scenario });
}

#[test]
fn three_workers() {
    let convert: &[Task] = &[Convert(0, "ab")];
    holds("three converters", &Scenario::new(true, &[], &[convert, convert, &[Convert(0, "b")]]));
    if long() {
        holds(
            "convert, compact, recover",
            &Scenario::new(true, &BEFORE, &[&[Convert(0, "do")], &[Compact(0)], &[Recover]]),
        );
        let scenario = Scenario::new(true, &BEFORE, &[&[Reprocess(0)], &[Compact(0)], &[Convert(1, "d")]]);
        holds("reprocess, compact, another hour", &Scenario { crashes: 0, ..scenario });
    }
}

#[test]
fn two_hours_in_one_partition() {
    let before = [Convert(0, "ab"), Convert(1, "c")];
    let scenario = Scenario::new(true, &before, &[&[Compact(0)], &[Convert(1, "d")]]);
    holds("compact, another hour", &Scenario { late_calls: 1, ..scenario });
    let scenario = Scenario::new(true, &before, &[&[Reprocess(0)], &[Convert(1, "d")]]);
    holds("reprocess, another hour", &Scenario { late_calls: 1, ..scenario });
    let scenario = Scenario::new(true, &before, &[&[Reprocess(0)], &[Reprocess(1)]]);
    holds("two hours reprocessed", &Scenario { late_calls: u8::from(long()), ..scenario });
}
