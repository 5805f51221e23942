//! Every interleaving of the workers, with deaths, lost answers and late calls; and after each, one
//! more run that must bring everything to rest.

use std::collections::HashSet;
use std::hash::Hash;
use std::rc::Rc;

use edgemill::kernel::ledger::records::PartitionRecord;

use super::scenario::{Scenario, Task, partition};
use super::worker::{LOST, Turn, Worker, all_published, begin_query, forget, known};
use super::world::{World, record_rows, twice};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    world: World,
    workers: Vec<Rc<Worker>>,
    crashes: u8,
    lost_answers: u8,
    late_calls: u8,
    queries: u8,
}

fn fingerprint(value: &impl Hash) -> u64 {
    ahash::RandomState::with_seeds(1, 2, 3, 4).hash_one(value)
}

/// Explores a scenario: how many states it has, or the first breach.
pub(crate) fn explore(scenario: &Scenario) -> Result<usize, String> {
    forget();
    LOST.with_borrow_mut(|lost| *lost = None);
    let mut world = World::new();
    for task in &scenario.before {
        run_alone(&mut world, scenario, Worker::new(7, std::slice::from_ref(task)))?;
    }
    let workers =
        scenario.workers.iter().enumerate().map(|(place, tasks)| Rc::new(Worker::new(place, tasks))).collect();
    let Scenario { crashes, lost_answers, late_calls, queries, .. } = *scenario;
    let mut waiting = vec![State { world, workers, crashes, lost_answers, late_calls, queries }];
    let mut seen = HashSet::new();
    let mut rested = HashSet::new();
    while let Some(state) = waiting.pop() {
        if !seen.insert(fingerprint(&state)) {
            continue;
        }
        if seen.len() > scenario.limit {
            return Ok(seen.len());
        }
        if let Some(breach) = state.world.breach(scenario.catalog) {
            return Err(breach);
        }
        if state.workers.iter().all(|worker| worker.ended())
            && state.crashes == scenario.crashes
            && state.late_calls == scenario.late_calls
            && !all_published(&state.world)
        {
            return Err("every run ended well and something is not published".to_owned());
        }
        // Everybody may die at this very instant.
        if rested.insert(fingerprint(&state.world)) {
            comes_to_rest(&state.world, scenario)?;
        }
        next(&state, scenario, &mut waiting)?;
    }
    Ok(seen.len())
}

fn next(state: &State, scenario: &Scenario, waiting: &mut Vec<State>) -> Result<(), String> {
    for place in 0..state.workers.len() {
        if state.workers[place].ended() || !state.workers[place].ready(&state.world, scenario) {
            continue;
        }
        if state.crashes > 0 {
            let mut died = state.clone();
            died.crashes -= 1;
            died.workers[place] = Rc::new(Worker::new(place, &[]));
            waiting.push(died);
        }
        for turn in state.workers[place].turns(state.lost_answers > 0, state.late_calls > 0) {
            let mut after = state.clone();
            match turn {
                Turn::AnswerLost | Turn::RequestLost => after.lost_answers -= 1,
                Turn::Late => after.late_calls -= 1,
                Turn::Well => {}
            }
            step(&mut after.world, &mut after.workers, place, scenario, turn)?;
            waiting.push(after);
        }
    }
    for place in 0..state.world.late.len() {
        let mut after = state.clone();
        let late = after.world.late.remove(place);
        after.world.take_effect(&late.call, scenario.breakage);
        waiting.push(after);
    }
    if state.world.query.is_some() {
        let mut after = state.clone();
        after.world.query = None;
        waiting.push(after);
    } else if state.queries > 0 {
        let mut after = state.clone();
        after.queries -= 1;
        begin_query(&mut after.world, &PartitionRecord::new(partition(0)));
        waiting.push(after);
    }
    Ok(())
}

fn step(
    world: &mut World,
    workers: &mut [Rc<Worker>],
    place: usize,
    scenario: &Scenario,
    turn: Turn,
) -> Result<(), String> {
    let mut worker = Worker::clone(&workers[place]);
    worker.step(world, workers, scenario, turn);
    workers[place] = Rc::new(worker);
    LOST.with_borrow_mut(Option::take).map_or(Ok(()), Err)
}

/// Lets one worker run to its end, undisturbed. Calls that are under way arrive when it first
/// waits.
fn run_alone(world: &mut World, scenario: &Scenario, mut worker: Worker) -> Result<(), String> {
    for _ in 0..10_000 {
        if worker.ended() {
            return Ok(());
        }
        if !worker.ready(world, scenario) {
            for late in std::mem::take(&mut world.late) {
                world.take_effect(&late.call, scenario.breakage);
            }
        }
        worker.step(world, &mut [], scenario, Turn::Well);
        if let Some(lost) = LOST.with_borrow_mut(Option::take) {
            return Err(lost);
        }
        if let Some(breach) = world.breach(scenario.catalog) {
            return Err(breach);
        }
    }
    Err("it does not come to rest".to_owned())
}

/// The next run: finishes what was left, and converts what is missing. Then everything must be
/// there once.
fn comes_to_rest(world: &World, scenario: &Scenario) -> Result<(), String> {
    let mut world = world.clone();
    world.query = None;
    let mut tasks = vec![Task::Recover];
    tasks.extend(
        scenario
            .before
            .iter()
            .chain(scenario.workers.iter().flatten())
            .filter(|task| matches!(task, Task::Convert(..)))
            .cloned(),
    );
    tasks.push(Task::Recover);
    run_alone(&mut world, scenario, Worker::new(6, &tasks))?;
    for late in std::mem::take(&mut world.late) {
        world.take_effect(&late.call, scenario.breakage);
    }
    at_rest(&world, scenario)
}

fn at_rest(world: &World, scenario: &Scenario) -> Result<(), String> {
    if !all_published(world) {
        return Err("at rest something is not published".to_owned());
    }
    let mut rows = Vec::new();
    for record in world.partitions.values() {
        let canonical = record.partition.folder();
        if record.rewrite.is_some() || record.folder != canonical {
            return Err(format!("at rest a rewrite is open: {record:?}"));
        }
        let names: HashSet<String> = record.files().map(|file| format!("{canonical}/{}", file.name)).collect();
        let there: HashSet<String> = world.in_folder(&canonical).into_iter().cloned().collect();
        if names != there {
            return Err(format!("at rest {canonical} holds {there:?}, its record names {names:?}"));
        }
        if scenario.catalog && world.catalog.get(&record.partition) != Some(&canonical) {
            return Err(format!("at rest the catalog has {:?}", world.catalog));
        }
        rows.extend(record_rows(record));
    }
    if let Some(row) = twice(&rows) {
        return Err(format!("at rest row {row} is there twice"));
    }
    let committed =
        world.units.values().flat_map(|record| &record.batches).flat_map(|entry| &known(&entry.attempt).inputs);
    let mut inputs: Vec<char> = committed.flat_map(|input| input.object.key.chars()).collect();
    if let Some(input) = twice(&inputs) {
        return Err(format!("at rest input {input} is committed twice"));
    }
    inputs.sort_unstable();
    rows.sort_unstable();
    let mut wanted: Vec<char> = scenario
        .before
        .iter()
        .chain(scenario.workers.iter().flatten())
        .filter_map(|task| if let Task::Convert(_, inputs) = task { Some(*inputs) } else { None })
        .flat_map(str::chars)
        .collect();
    wanted.sort_unstable();
    wanted.dedup();
    if rows != wanted || inputs != wanted {
        return Err(format!("at rest there are rows {rows:?} and inputs {inputs:?} of {wanted:?}"));
    }
    Ok(())
}
