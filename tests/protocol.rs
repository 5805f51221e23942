//! The commit protocol, tried exhaustively on a small world: every interleaving of some workers, each of which may crash
//! before any step, with compare-and-sets whose answers are lost. What is left is then finished by one more worker, and
//! every input must be in the table exactly once.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet, HashSet};

use edgemill::kernel::inflate::Damage;
use edgemill::kernel::protocol::{Action, Commit, Event, Outcome, Swap};
use edgemill::kernel::records::{
    AttemptId, BatchId, BatchState, FORMAT_VERSION, FileEntry, Manifest, ManifestInput, ManifestOutput,
    PartitionRecord, UnitRecord,
};
use edgemill::model::{Hour, ObjectId, Partition, Table, UnitId};
use edgemill::stats::LineStats;

fn hour(text: &str) -> Hour {
    text.parse().unwrap()
}

fn unit() -> UnitId {
    UnitId::Hour(Table::CloudfrontLogs, hour("2026-11-21T05"))
}

/// An attempt at some inputs, with one file in each of two partitions.
fn manifest(attempt: &str, inputs: &[&str]) -> Manifest {
    let batch = BatchId(inputs.join("+"));
    let partitions =
        ["2026-11-21T04", "2026-11-21T05"].map(|text| Partition { table: Table::CloudfrontLogs, hour: hour(text) });
    let output = |partition| ManifestOutput {
        partition,
        file: FileEntry { name: format!("{}-{}.parquet", batch.0, partition), rows: 1, size_bytes: 1 },
    };
    let input = |key: &&str| ManifestInput {
        object: ObjectId { key: (*key).to_owned(), etag: "e".into(), size_bytes: 1 },
        lines: LineStats::default(),
        raw_bytes: 1,
        damage: None::<Damage>,
    };
    Manifest {
        format: FORMAT_VERSION,
        writer: "test".into(),
        unit: unit(),
        batch: batch.clone(),
        attempt: AttemptId(attempt.into()),
        source: "s3://logs".into(),
        inputs: inputs.iter().map(input).collect(),
        outputs: partitions.map(output).into(),
    }
}

/// All that outlives a worker.
#[derive(Clone, Debug)]
struct World {
    unit: UnitRecord,
    partitions: BTreeMap<Partition, PartitionRecord>,
    manifests: BTreeSet<AttemptId>,
    staged: BTreeSet<AttemptId>,
    files: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Worker<'m> {
    manifest: &'m Manifest,
    machine: Commit<'m>,
    next: Option<Action>,
    ended: Option<Outcome>,
}

fn partition(world: &World, partition: Partition) -> PartitionRecord {
    world.partitions.get(&partition).cloned().unwrap_or_else(|| PartitionRecord::new(partition))
}

/// Carries an action out; `lost` is an answer to a compare-and-set that never comes. The events that may follow.
fn perform(world: &mut World, manifests: &[Manifest], worker: &Manifest, action: &Action, lost: bool) -> Option<Event> {
    let answer = |won: bool| match (lost, won) {
        (true, _) => Event::Swapped(Swap::Unknown),
        (false, true) => Event::Swapped(Swap::Done),
        (false, false) => Event::Swapped(Swap::Lost),
    };
    Some(match action {
        Action::WriteManifest => {
            world.manifests.insert(worker.attempt.clone());
            Event::ManifestWritten
        }
        Action::ReadUnit => Event::Unit(world.unit.clone()),
        Action::ReadInputs(entries) => {
            let theirs = entries.iter().flat_map(|entry| {
                manifests.iter().find(|manifest| manifest.attempt == entry.attempt).unwrap().inputs.iter()
            });
            let ours: HashSet<&str> = worker.inputs.iter().map(|input| input.object.key.as_str()).collect();
            let theirs: Vec<&str> = theirs.map(|input| input.object.key.as_str()).collect();
            Event::Inputs { overlap: theirs.iter().any(|key| ours.contains(key)) }
        }
        Action::SwapUnit(next) => {
            let won = next.version == world.unit.version + 1;
            if won {
                world.unit = next.clone();
            }
            answer(won)
        }
        Action::ReadPartition(of) => Event::Partition(partition(world, *of)),
        Action::CopyFiles(_) if !world.staged.contains(&worker.attempt) => Event::StagingGone,
        Action::CopyFiles(record) => {
            world.files.extend(worker.files(record.partition).map(|file| format!("{}/{}", record.folder, file.name)));
            Event::FilesCopied
        }
        Action::SwapPartition(next) => {
            let won = next.version == partition(world, next.partition).version + 1;
            if won {
                world.partitions.insert(next.partition, next.clone());
            }
            answer(won)
        }
        Action::ClearStaging => {
            world.staged.remove(&worker.attempt);
            Event::StagingCleared
        }
        Action::Done(_) => return None,
    })
}

fn advance<'m>(world: &mut World, manifests: &'m [Manifest], worker: &mut Worker<'m>, lost: bool) {
    let action = worker.next.take().unwrap();
    if let Some(event) = perform(world, manifests, worker.manifest, &action, lost) {
        worker.next = Some(worker.machine.step(event));
        return;
    }
    if let Action::Done(outcome) = action {
        assert_ne!(outcome, Outcome::StagingLost, "staging is there until the batch is marked");
        worker.ended = Some(outcome);
    }
    // A run that was beaten publishes what the winner committed before it ends.
    if worker.ended == Some(Outcome::Superseded) {
        let unpublished = world.unit.unpublished().next().map(|entry| &entry.attempt);
        if let Some(winner) = manifests.iter().find(|manifest| Some(&manifest.attempt) == unpublished) {
            let mut machine = Commit::finish(winner);
            *worker = Worker { manifest: winner, next: Some(machine.step(Event::Start)), machine, ended: None };
        }
    }
}

/// What must hold at every instant.
fn always(world: &World, manifests: &[Manifest]) {
    let mut seen = BTreeSet::new();
    for entry in &world.unit.batches {
        assert!(world.manifests.contains(&entry.attempt), "a committed batch has a manifest");
        for input in &manifests.iter().find(|manifest| manifest.attempt == entry.attempt).unwrap().inputs {
            assert!(seen.insert(&input.object.key), "{} is committed twice: {world:?}", input.object.key);
        }
    }
    for record in world.partitions.values() {
        for batch in &record.applied {
            assert!(world.unit.batches.iter().any(|entry| entry.batch == *batch), "only what is committed is seen");
        }
        for file in &record.files {
            assert!(world.files.contains(&format!("{}/{}", record.folder, file.name)), "what a record names is there");
        }
    }
}

/// Finishes what crashed workers left, as the next run does, and looks whether every committed input is seen once.
fn at_rest(mut world: World, manifests: &[Manifest]) {
    for entry in world.unit.clone().unpublished() {
        let manifest = manifests.iter().find(|manifest| manifest.attempt == entry.attempt).unwrap();
        let mut machine = Commit::finish(manifest);
        let mut worker = Worker { manifest, next: Some(machine.step(Event::Start)), machine, ended: None };
        for _ in 0..100 {
            if worker.ended.is_none() {
                advance(&mut world, manifests, &mut worker, false);
            }
        }
        assert_eq!(worker.ended, Some(Outcome::Published), "it comes to rest");
    }
    always(&world, manifests);
    for entry in &world.unit.batches {
        assert_eq!(entry.state, BatchState::Published);
        let manifest = manifests.iter().find(|manifest| manifest.attempt == entry.attempt).unwrap();
        for output in &manifest.outputs {
            let named = partition(&world, output.partition);
            assert!(named.files.contains(&output.file), "{} of {} is missing", output.file.name, entry.batch.0);
        }
    }
    let named: usize = world.partitions.values().map(|record| record.files.len()).sum();
    assert_eq!(named, world.unit.batches.len() * 2, "no file is named twice, none that does not count");
}

/// Explores every interleaving; how many states there were.
fn explore(manifests: &[Manifest]) -> usize {
    let planned = UnitRecord::new(unit());
    let world = World {
        unit: planned.clone(),
        partitions: BTreeMap::new(),
        manifests: BTreeSet::new(),
        staged: manifests.iter().map(|manifest| manifest.attempt.clone()).collect(),
        files: BTreeSet::new(),
    };
    let begin = |manifest| {
        let mut machine = Commit::new(manifest, &planned);
        Worker { manifest, next: Some(machine.step(Event::Start)), machine, ended: None }
    };
    let workers: Vec<Worker<'_>> = manifests.iter().map(begin).collect();
    // At most two answers are lost on one path; more would only repeat the same states.
    let mut waiting = vec![(world, workers, 2)];
    let mut seen = HashSet::new();
    while let Some((world, workers, losses)) = waiting.pop() {
        if !seen.insert(format!("{world:?}{workers:?}{losses}")) {
            continue;
        }
        always(&world, manifests);
        if workers.iter().all(|worker| worker.ended.is_some()) {
            assert_eq!(world.unit.unpublished().count(), 0, "runs that end without a crash leave nothing to finish");
        }
        // Everybody may crash at this very instant.
        at_rest(world.clone(), manifests);
        for place in 0..workers.len() {
            if workers[place].next.is_none() {
                continue;
            }
            let swaps = matches!(workers[place].next, Some(Action::SwapUnit(_) | Action::SwapPartition(_)));
            for lost in [false, true] {
                if lost && (!swaps || losses == 0) {
                    continue;
                }
                let (mut world, mut workers) = (world.clone(), workers.clone());
                advance(&mut world, manifests, &mut workers[place], lost);
                waiting.push((world, workers, losses - i32::from(lost)));
            }
            if swaps && losses > 0 {
                // The request itself is lost: nothing happens, and nobody knows.
                let mut workers = workers.clone();
                workers[place].next = Some(workers[place].machine.step(Event::Swapped(Swap::Unknown)));
                waiting.push((world.clone(), workers, losses - 1));
            }
        }
    }
    seen.len()
}

#[test]
fn two_workers_with_the_same_inputs() {
    let states = explore(&[manifest("first", &["a", "b"]), manifest("second", &["a", "b"])]);
    assert!(states > 1_000, "{states} states");
}

#[test]
fn two_workers_whose_inputs_overlap_in_part() {
    let states = explore(&[manifest("first", &["a", "b"]), manifest("second", &["b", "c"])]);
    assert!(states > 1_000, "{states} states");
}

#[test]
fn two_workers_with_nothing_in_common() {
    let states = explore(&[manifest("first", &["a"]), manifest("second", &["b"])]);
    assert!(states > 1_000, "{states} states");
}

#[test]
fn one_worker_alone_publishes() {
    let manifests = [manifest("only", &["a"])];
    assert!(explore(&manifests) > 10);
}
