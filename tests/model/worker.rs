//! One worker: its tasks one after another, each carried out by the protocol's machines, one small
//! step at a time.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use edgemill::kernel::ledger::protocol::{
    Action, CasOutcome, Commit, End, EndTarget, Event, Fold, Folded, Lose, Machine, Outcome, Sentence, Settle, Switch,
    UnitChange, Wait,
};
use edgemill::kernel::ledger::records::{AttemptId, BatchEntry, Manifest, PartitionRecord};
use edgemill::kernel::ledger::staging::{FileCopy, StagingDir, file_path, staging, written};
use edgemill::model::Partition;

use super::scenario::{Breakage, Scenario, Task, file, fold, manifest, partition, published, rows_of, unit};
use super::world::{Call, Late, Query, World};

thread_local! {
    /// Manifests by attempt: they never change, so all states share them.
    static MANIFESTS: RefCell<HashMap<AttemptId, &'static Manifest>> = RefCell::default();
}

fn keep(made: Manifest) -> &'static Manifest {
    MANIFESTS.with_borrow_mut(|all| {
        if let Some(known) = all.get(&made.attempt).filter(|known| ***known == made) {
            return *known;
        }
        let kept: &'static Manifest = Box::leak(Box::new(made));
        all.insert(kept.attempt.clone(), kept);
        kept
    })
}

pub(crate) fn known(attempt: &AttemptId) -> &'static Manifest {
    MANIFESTS.with_borrow(|all| all.get(attempt).copied().unwrap())
}

fn try_known(attempt: &AttemptId) -> Option<&'static Manifest> {
    MANIFESTS.with_borrow(|all| all.get(attempt).copied())
}

pub(crate) fn forget() {
    MANIFESTS.with_borrow_mut(HashMap::clear);
}

/// Any machine, as part of a state that is compared and hashed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum AnyMachine {
    Commit(Commit<'static>),
    Switch(Switch),
    Settle(Settle),
    End(End),
    Lose(Lose),
    Fold(Fold<'static>),
}

impl AnyMachine {
    fn get(&self) -> &dyn Machine {
        match self {
            Self::Commit(machine) => machine,
            Self::Switch(machine) => machine,
            Self::Settle(machine) => machine,
            Self::End(machine) => machine,
            Self::Lose(machine) => machine,
            Self::Fold(machine) => machine,
        }
    }

    fn get_mut(&mut self) -> &mut dyn Machine {
        match self {
            Self::Commit(machine) => machine,
            Self::Switch(machine) => machine,
            Self::Settle(machine) => machine,
            Self::End(machine) => machine,
            Self::Lose(machine) => machine,
            Self::Fold(machine) => machine,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Worker {
    place: u8,
    tasks: Vec<Task>,
    /// The machines at work: the last one is, the others wait for it.
    machines: Vec<(AnyMachine, Option<&'static str>)>,
    pending: Option<Action>,
    /// Files of the pending action that are done.
    done: usize,
    /// Partitions to be settled before the next task.
    settle: Vec<Partition>,
    /// By worker: whether a wait of `max_call_delay` of that worker began after our reading.
    waits: u8,
    /// Our reading is older than `max_call_delay`.
    too_late: bool,
    waiting: bool,
    /// Attempts begun.
    attempts: u8,
    /// The unit that an `End` or a `Commit` is about.
    about: usize,
}

/// What a step can turn out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// As it should.
    Well,
    /// A compare-and-set is done, and its answer is lost.
    AnswerLost,
    /// A compare-and-set never arrives.
    RequestLost,
    /// A call's sender gives up and dies; the call takes effect later.
    Late,
}

impl Worker {
    pub(crate) fn new(place: usize, tasks: &[Task]) -> Self {
        Self {
            place: u8::try_from(place).unwrap(),
            tasks: tasks.iter().rev().cloned().collect(),
            machines: Vec::new(),
            pending: None,
            done: 0,
            settle: Vec::new(),
            waits: 0,
            too_late: false,
            waiting: false,
            attempts: 0,
            about: 0,
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.tasks.is_empty() && self.machines.is_empty() && self.settle.is_empty()
    }

    /// What the next step may turn out to be.
    pub(crate) fn turns(&self, swaps: bool, late: bool) -> Vec<Turn> {
        let mut turns = vec![Turn::Well];
        match &self.pending {
            Some(Action::SwapUnit(_) | Action::SwapPartition(_)) if swaps => {
                turns.extend([Turn::AnswerLost, Turn::RequestLost]);
            }
            Some(Action::Copy(_) | Action::Delete(_) | Action::SetCatalog(..)) if late && !self.too_late => {
                turns.push(Turn::Late);
            }
            _ => {}
        }
        turns
    }

    /// Whether the next step can be taken now: the end of a wait may have to wait for others.
    pub(crate) fn ready(&self, world: &World, scenario: &Scenario) -> bool {
        let bit = 1 << self.place;
        match &self.pending {
            Some(Action::Wait(Wait::MaxCallDelay)) if self.waiting && scenario.breakage != Breakage::NoMaxCallDelay => {
                world.late.iter().all(|late| late.waits & bit == 0)
            }
            Some(Action::Wait(Wait::Queries)) if self.waiting && scenario.breakage != Breakage::NoGrace => {
                world.query.as_ref().is_none_or(|query| query.waits & bit == 0)
            }
            _ => !self.ended(),
        }
    }

    fn begin(&mut self, machine: AnyMachine, then: Option<&'static str>) {
        self.machines.push((machine, then));
        self.feed(Event::Start);
    }

    fn feed(&mut self, event: Event) {
        self.done = 0;
        self.pending = self.machines.last_mut().map(|(machine, _)| machine.get_mut().step(event));
    }

    fn attempt(&mut self, kind: &str) -> AttemptId {
        self.attempts += 1;
        AttemptId(format!("{kind}{}{}", self.place, self.attempts))
    }

    /// Takes one step; the other workers are told of waits.
    pub(crate) fn step(&mut self, world: &mut World, others: &mut [Rc<Self>], scenario: &Scenario, turn: Turn) {
        if self.machines.is_empty() {
            self.next_task(world, scenario);
            return;
        }
        let action = self.pending.clone().unwrap();
        if let Some(event) = self.carry_out(action, world, others, scenario, turn) {
            self.feed(event);
        }
    }

    fn next_task(&mut self, world: &mut World, scenario: &Scenario) {
        if let Some(partition) = self.settle.pop() {
            self.begin(AnyMachine::Settle(Settle::new(scenario.setting(), partition)), None);
            return;
        }
        let Some(task) = self.tasks.last().cloned() else { return };
        match task {
            Task::Convert(place, inputs) => self.convert(world, scenario, place, inputs),
            Task::Reprocess(place) => self.reprocess(world, scenario, place),
            Task::Compact(place) => self.compact(world, scenario, partition(place)),
            Task::Lose(place) => {
                self.tasks.pop();
                self.begin(AnyMachine::Lose(Lose::new(partition(place))), None);
            }
            Task::Fold(place) => self.fold(world, place),
            Task::End(_) | Task::Recover => self.recover(world, scenario, matches!(task, Task::End(_))),
        }
    }

    fn convert(&mut self, world: &mut World, scenario: &Scenario, place: usize, inputs: &str) {
        self.tasks.pop();
        let record = world.unit(&unit(place));
        let taken: HashSet<String> = record
            .batches
            .iter()
            .flat_map(|entry| &known(&entry.attempt).inputs)
            .map(|input| input.object.key.clone())
            .collect();
        let left: String = inputs.chars().filter(|key| !taken.contains(&key.to_string())).collect();
        if left.is_empty() {
            return;
        }
        let attempt = self.attempt("a");
        let made = keep(manifest(place, &attempt.0, &left, None));
        stage(world, made);
        self.about = place;
        self.begin(AnyMachine::Commit(Commit::new(scenario.setting(), made, &record)), Some("convert"));
    }

    fn reprocess(&mut self, world: &mut World, scenario: &Scenario, place: usize) {
        let record = world.unit(&unit(place));
        let exact = scenario.without != Some(Sentence::ReplacesExactly);
        if let Some(entry) = record.unpublished().next().filter(|_| exact) {
            let machine = Commit::finish(scenario.setting(), known(&entry.attempt));
            self.begin(AnyMachine::Commit(machine), Some("finish"));
            return;
        }
        self.tasks.pop();
        if record.batches.is_empty() || record.replacing.is_some() {
            return;
        }
        let manifests: Vec<&Manifest> = record.batches.iter().map(|entry| known(&entry.attempt)).collect();
        let partitions: BTreeSet<Partition> = manifests.iter().flat_map(|made| made.partitions()).collect();
        let partitions: Vec<Partition> = partitions.into_iter().collect();
        let mut inputs: Vec<String> =
            manifests.iter().flat_map(|made| &made.inputs).map(|input| input.object.key.clone()).collect();
        inputs.sort();
        let attempt = self.attempt("r");
        let made = keep(manifest(place, &attempt.0, &inputs.concat(), Some((&record, &partitions))));
        stage(world, made);
        self.about = place;
        self.begin(AnyMachine::Commit(Commit::new(scenario.setting(), made, &record)), Some("reprocess"));
    }

    fn compact(&mut self, world: &mut World, scenario: &Scenario, partition: Partition) {
        let record = world.partition(partition);
        if record.rewrite.is_some() {
            self.begin(AnyMachine::Settle(Settle::new(scenario.setting(), partition)), None);
            return;
        }
        self.tasks.pop();
        let Some(part) = record.parts.iter().find(|part| part.files.len() > 1) else { return };
        let id = self.attempt("c");
        let rows: String = part.files.iter().flat_map(|file| rows_of(&file.name)).collect();
        let replaced: BTreeSet<String> = part.files.iter().map(|file| file.name.clone()).collect();
        let merged = file(&format!("c{}", replaced.iter().map(String::len).sum::<usize>()), &rows, 0);
        Rc::make_mut(&mut world.files).insert(file_path(&written(partition, &id), &merged.name));
        let change = UnitChange {
            unit: part.unit.clone(),
            replaced: Some(replaced),
            files: [merged].into(),
            from: written(partition, &id),
            applies: None,
            folded: world.unit(&part.unit).batches.iter().filter(|entry| entry.batches > 0).map(folded).collect(),
        };
        self.settle.push(partition);
        self.begin(AnyMachine::Switch(Switch::new(scenario.setting(), id, partition, vec![change])), None);
    }

    fn fold(&mut self, world: &World, place: usize) {
        self.tasks.pop();
        let record = world.unit(&unit(place));
        let made: Vec<&Manifest> =
            record.batches.iter().filter(|entry| published(entry)).map(|entry| known(&entry.attempt)).collect();
        if made.len() > 1 {
            let made = keep(fold(self.attempt("f"), &record, &made));
            self.begin(AnyMachine::Fold(Fold::new(made)), None);
        }
    }

    /// Finishes one thing that others began, and comes back until there is none.
    fn recover(&mut self, world: &mut World, scenario: &Scenario, ends: bool) {
        for name in world.staging() {
            match StagingDir::parse(&name) {
                Some(StagingDir::Batch { attempt, .. }) => {
                    let made = known(&attempt);
                    let record = world.unit(&made.unit);
                    if record.entry(&attempt).is_some() {
                        let machine = Commit::finish(scenario.setting(), made);
                        return self.begin(AnyMachine::Commit(machine), Some("finish"));
                    }
                    if ends {
                        self.tasks.pop();
                        let folder = staging(&made.unit, &attempt);
                        if scenario.breakage == Breakage::ClearsByAge {
                            world.remove_folder(&folder);
                            return;
                        }
                        self.about = usize::from(made.unit == unit(1));
                        return self.begin(AnyMachine::End(End::new(EndTarget::Batch(folder, attempt))), None);
                    }
                }
                Some(StagingDir::Written { partition, id }) => {
                    let record = world.partition(partition);
                    if record.rewrite.as_ref().is_some_and(|open| open.id == id) || record.ended.contains(&id) {
                        world.remove_folder(&format!("staging/{name}"));
                        return;
                    }
                    if ends {
                        self.tasks.pop();
                        let what = EndTarget::Rewrite(format!("staging/{name}"), partition, id);
                        return self.begin(AnyMachine::End(End::new(what)), None);
                    }
                }
                Some(StagingDir::Rewrite { partition, id, version }) => {
                    let record = world.partition(partition);
                    let folder = format!("staging/{name}");
                    if record.rewrite.as_ref().is_some_and(|open| open.folder == folder) {
                        return self.begin(AnyMachine::Settle(Settle::new(scenario.setting(), partition)), None);
                    }
                    if version < record.version {
                        world.remove_folder(&folder);
                        return;
                    }
                    // A batch's: it is to be finished, not ended, where its unit names it still.
                    let batch = try_known(&id)
                        .filter(|made| world.unit(&made.unit).unpublished().any(|entry| entry.attempt == id));
                    if let Some(made) = batch {
                        let machine = Commit::finish(scenario.setting(), made);
                        return self.begin(AnyMachine::Commit(machine), Some("finish"));
                    }
                    if ends {
                        self.tasks.pop();
                        return self.begin(AnyMachine::End(End::new(EndTarget::Rewrite(folder, partition, id))), None);
                    }
                }
                None => {}
            }
        }
        self.tasks.pop();
    }

    fn carry_out(
        &mut self,
        action: Action,
        world: &mut World,
        others: &mut [Rc<Self>],
        scenario: &Scenario,
        turn: Turn,
    ) -> Option<Event> {
        let late = self.too_late && scenario.breakage != Breakage::IgnoresClock;
        Some(match action {
            Action::WriteManifest => {
                world.manifests.extend(self.manifest_of_machine().map(|made| made.attempt.clone()));
                Event::ManifestWritten
            }
            Action::ReadUnit => Event::Unit(world.unit(&self.unit_of_machine())),
            Action::ReadInputs(entries) => {
                let ours = self.inputs_of_machine();
                let theirs = entries.iter().flat_map(|entry| &known(&entry.attempt).inputs);
                Event::Inputs { overlap: theirs.map(|input| &input.object.key).any(|key| ours.contains(key)) }
            }
            Action::SwapUnit(next) => Event::Swapped(swapped(turn, || world.swap_unit(&next))),
            Action::SwapPartition(next) => Event::Swapped(swapped(turn, || world.swap_partition(&next))),
            Action::ReadPartition(partition) => {
                (self.waits, self.too_late) = (0, false);
                Event::Partition(world.partition(partition))
            }
            Action::Finish(entry) => {
                let machine = Commit::finish(scenario.setting(), known(&entry.attempt));
                self.begin(AnyMachine::Commit(machine), None);
                return None;
            }
            Action::Settle(partition) => {
                self.begin(AnyMachine::Settle(Settle::new(scenario.setting(), partition)), None);
                return None;
            }
            Action::ListStaging => Event::Staging(world.staging()),
            Action::Look(wanted) => {
                let gone = wanted.into_iter().map(|(path, _)| path).filter(|path| !world.files.contains(path));
                Event::Gone(gone.collect())
            }
            Action::Mark(path) => {
                Rc::make_mut(&mut world.files).insert(path);
                Event::Marked
            }
            Action::Copy(wanted) => return self.copy(&wanted, world, scenario, late, turn),
            Action::Delete(paths) => return self.delete(&paths, world, scenario, late, turn),
            Action::RemoveFolder(folder) => {
                world.remove_folder(&folder);
                Event::Removed
            }
            Action::Wait(wait) => {
                if !self.waiting {
                    self.waiting = true;
                    self.begin_wait(wait, world, others);
                    return None;
                }
                self.waiting = false;
                self.end_wait(wait, others, scenario);
                Event::Waited
            }
            Action::SetCatalog(..) if late => Event::TooLate,
            Action::SetCatalog(partition, folder) => {
                if !self.send(Call::SetCatalog(partition, folder), world, scenario, turn) {
                    return None;
                }
                Event::CatalogSet
            }
            Action::ReadCatalog(partition) => Event::Catalog(world.catalog.get(&partition).cloned()),
            Action::Done(outcome) => {
                self.machine_ended(&outcome);
                return None;
            }
        })
    }

    fn begin_wait(&self, wait: Wait, world: &mut World, others: &mut [Rc<Self>]) {
        let bit = 1 << self.place;
        match wait {
            Wait::MaxCallDelay => {
                world.late.iter_mut().for_each(|late| late.waits |= bit);
                others.iter_mut().for_each(|other| Rc::make_mut(other).waits |= bit);
            }
            Wait::Queries => world.query.iter_mut().for_each(|query| query.waits |= bit),
        }
    }

    fn end_wait(&self, wait: Wait, others: &mut [Rc<Self>], scenario: &Scenario) {
        let bit = 1 << self.place;
        if wait == Wait::MaxCallDelay && scenario.breakage != Breakage::NoMaxCallDelay {
            for other in others {
                if other.waits & bit != 0 {
                    let other = Rc::make_mut(other);
                    other.too_late = true;
                    other.waits &= !bit;
                }
            }
        }
    }

    /// Sends a call; whether its answer comes. If not, the sender gives up: it dies here.
    fn send(&mut self, call: Call, world: &mut World, scenario: &Scenario, turn: Turn) -> bool {
        if turn == Turn::Late {
            world.late.push(Late { call, waits: self.waits });
            world.late.sort();
            *self = Self::new(usize::from(self.place), &[]);
            return false;
        }
        world.take_effect(&call, scenario.breakage);
        true
    }

    fn copy(
        &mut self,
        wanted: &[FileCopy],
        world: &mut World,
        scenario: &Scenario,
        late: bool,
        turn: Turn,
    ) -> Option<Event> {
        let Some(copy) = wanted.get(self.done).cloned() else { return Some(Event::Copied) };
        if late {
            return Some(Event::TooLate);
        }
        if !world.files.contains(&copy.from) {
            return Some(Event::SourceGone(copy.from));
        }
        if !self.send(Call::Copy(copy), world, scenario, turn) {
            return None;
        }
        self.done += 1;
        (self.done == wanted.len()).then_some(Event::Copied)
    }

    fn delete(
        &mut self,
        paths: &[String],
        world: &mut World,
        scenario: &Scenario,
        late: bool,
        turn: Turn,
    ) -> Option<Event> {
        let mut paths = paths.to_vec();
        if let Some((folder, "*")) = paths.first().and_then(|path| path.rsplit_once('/')) {
            let spared: HashSet<&String> = paths.iter().collect();
            paths = world.in_folder(folder).into_iter().filter(|path| !spared.contains(path)).cloned().collect();
            paths.iter().for_each(|path| {
                Rc::make_mut(&mut world.files).remove(path);
            });
            return Some(Event::Deleted);
        }
        let Some(path) = paths.get(self.done).cloned() else { return Some(Event::Deleted) };
        if late {
            return Some(Event::TooLate);
        }
        if !self.send(Call::Delete(path), world, scenario, turn) {
            return None;
        }
        self.done += 1;
        (self.done == paths.len()).then_some(Event::Deleted)
    }

    fn manifest_of_machine(&self) -> Option<&Manifest> {
        self.machines.iter().rev().find_map(|(machine, _)| machine.get().manifest())
    }

    fn unit_of_machine(&self) -> edgemill::model::UnitId {
        let manifest = self.machines.last().and_then(|(machine, _)| machine.get().manifest());
        manifest.map_or_else(|| unit(self.about), |manifest| manifest.unit.clone())
    }

    fn inputs_of_machine(&self) -> HashSet<String> {
        let inputs = self.manifest_of_machine().into_iter().flat_map(|made| &made.inputs);
        inputs.map(|input| input.object.key.clone()).collect()
    }

    fn machine_ended(&mut self, outcome: &Outcome) {
        let (machine, then) = self.machines.pop().unwrap();
        let missing = matches!(outcome, Outcome::FileMissing(_));
        if !self.machines.is_empty() {
            // Who waited for it looks again.
            self.feed(Event::Finished);
            return;
        }
        self.pending = None;
        if missing {
            // The run ends with an error.
            LOST.with_borrow_mut(|lost| *lost = Some(format!("{outcome:?}")));
            return;
        }
        match (machine, then) {
            (AnyMachine::Commit(commit), Some("reprocess")) if *outcome == Outcome::Done => {
                self.settle.extend(commit.manifest().into_iter().flat_map(Manifest::partitions));
            }
            // Beaten: what the winner committed is finished before the run ends.
            (AnyMachine::Commit(_), Some("convert" | "reprocess")) if *outcome == Outcome::Superseded => {
                self.tasks.push(Task::Recover);
            }
            (AnyMachine::Switch(_), _) if *outcome != Outcome::Done => self.settle.clear(),
            _ => {}
        }
    }
}

thread_local! {
    /// Why a worker ended with an error.
    pub(crate) static LOST: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn swapped(turn: Turn, swap: impl FnOnce() -> bool) -> CasOutcome {
    match turn {
        Turn::RequestLost => CasOutcome::Indeterminate,
        Turn::AnswerLost => {
            swap();
            CasOutcome::Indeterminate
        }
        _ if swap() => CasOutcome::Committed,
        _ => CasOutcome::Conflict,
    }
}

fn folded(entry: &BatchEntry) -> Folded {
    let (batch, attempt) = (entry.batch.clone(), entry.attempt.clone());
    Folded { folds: known(&attempt).folds.clone(), batch, attempt }
}

fn stage(world: &mut World, made: &Manifest) {
    for output in &made.outputs {
        let folder = staging(&made.unit, &made.attempt);
        Rc::make_mut(&mut world.files).insert(file_path(&folder, &output.file.name));
    }
}

/// A query begins: it lists what the catalog points to.
pub(crate) fn begin_query(world: &mut World, record: &PartitionRecord) {
    let Some(folder) = world.catalog.get(&record.partition).cloned() else { return };
    let files = world.in_folder(&folder).into_iter().cloned().collect();
    world.query = Some(Query { files, waits: 0 });
}

pub(crate) fn all_published(world: &World) -> bool {
    world.units.values().all(|record| record.replacing.is_none() && record.batches.iter().all(published))
}
