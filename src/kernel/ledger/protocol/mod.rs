//! The protocol as pure state machines: what a worker does next, given what it has just seen.
//!
//! Write to staging, commit, publish, register; and for what takes the place of rows that are seen
//! already: write to staging, switch, settle. All are driven through one trait, [`Machine`]: its
//! `step` takes an event and answers with the next action; whoever carries the action out
//! (`protocol_driver` in a real run, the model checker in `tests/model`) brings back what came of
//! it. A machine holds no clock, no identity but its attempt's, and no belief about a record other
//! than the one it was just shown.
//!
//! | file | machine | what it brings about |
//! |-|-|-|
//! | `commit` | [`Commit`] | an attempt's batch counts, is seen in every partition, and its staging is gone |
//! | `switch` | [`Switch`] | a partition's record names new files in the place of some: a rewrite is open |
//! | `settle` | [`Settle`] | folder and catalog agree with the record again: the rewrite is closed |
//! | `register` | [`Register`] | the catalog has a partition where its files lie |
//! | `fold` | [`Fold`] | a unit's record names many published batches as one |
//! | `end` | [`End`] | an attempt that was not committed never will be, so its folder may be cleared |
//! | `repair` | [`Lose`] | a partition's record says which of its files are gone, so the rest can go on |
//! | `repair` | [`GiveUp`] | a batch of which staged files are gone holds its unit up no longer |
//!
//! | file | what else is there |
//! |-|-|
//! | `machine` | the trait of all machines |
//! | `messages` | actions and events: what a machine and its driver say to each other |
//! | `setting` | what all machines of a lake have in common |
//!
//! # Why each row is in the table exactly once
//!
//! - The only instant that decides is the compare-and-set that names the batch in its unit's
//!   record. Before it nothing that a reader follows has changed, and a crash leaves only a folder
//!   in `staging`.
//! - A worker adds a batch only to a record whose inputs it has all seen and that share none with
//!   its own, or in the place of all of the unit's batches, each published, which it was made from.
//! - While a batch is taking the place of others
//!   ([`UnitRecord::replacing`](super::records::UnitRecord::replacing)), no other is committed to
//!   the unit. So what a unit has in a partition is replaced as a whole, whatever compactions have
//!   merged there.
//! - A batch that was applied to a partition stays named there, also when it has been replaced: it
//!   is never applied a second time. Of batches that a [`Fold`] named as one, the one takes their
//!   place there once none of their staging is left: who would apply one of them again finds
//!   neither its files nor its name in the unit's record.
//! - After the commit every step can be repeated by anyone: copying a file to a name that follows
//!   from the batch, adding a batch to a set that has it already.
//! - Staging is cleared only when the batch is marked published, so whoever finishes the work finds
//!   the files, or finds the batch marked.
//! - A compare-and-set whose answer was lost is answered by reading again: the attempt in the
//!   record tells whose it is.
//!
//! What somebody removed by hand is no step of this, and is taken up by two more machines, which
//! nothing else runs:
//! - A file that is gone is moved to [`UnitFiles::lost`](super::records::UnitFiles::lost) by a
//!   compare-and-set on the version by which it must have been there. So no live worker's file is
//!   ever taken for gone, and what is lost stays written down, and is told, until its unit is
//!   written anew.
//! - A batch that can't be published since staged files are gone is marked as published, never
//!   taken back: its inputs stay known, so nobody converts them a second time, and its rows, here
//!   and missing, are replaced as a whole as any unit's are.
//!
//! # The one assumption about time
//!
//! No copy, deletion or catalog call takes effect later than `max_call_delay`, the longest delay of
//! a call, after the reading of the record that it rests on. Whoever carries actions out keeps it:
//! before each such call it looks how old the reading is, and answers [`Event::TooLate`] rather
//! than send it. [`Wait::MaxCallDelay`] is a wait as long as that delay; after it nothing that
//! rests on an older reading is still under way. It is needed where something that is visible goes:
//! - a catalog is pointed to another folder, and read back, only that long after the record names
//!   the folder, or a sleeper's older call might point it back;
//! - a file is deleted only that long after its source was seen gone, or a sleeper's copy might
//!   bring it back;
//! - a rewrite is opened only when the sources of what it replaces are gone, so settling one never
//!   waits for another.
//!
//! Then [`Wait::Queries`]: who had listed the old folder before the catalog was pointed away from
//! it may still be reading.

mod commit;
mod end;
mod fold;
mod machine;
mod messages;
mod register;
mod repair;
mod setting;
mod settle;
mod switch;

pub use commit::Commit;
pub use end::{End, EndTarget};
pub use fold::Fold;
pub use machine::Machine;
pub use messages::{Action, CasOutcome, Event, Outcome, Wait};
pub use register::Register;
pub use repair::{GiveUp, Lose};
pub use setting::{Sentence, Setting};
pub use settle::Settle;
pub use switch::{Folded, Switch, UnitChange};
