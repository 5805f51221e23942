//! A run over many hours, bounded in memory: list, compare with the ledger, and for every unit with
//! a difference fetch, convert into staging, commit, publish.
//!
//! Several units are under way at once, so that one's fetching covers another's converting.
//!
//! | file | what it does | look here to change |
//! |-|-|-|
//! | `convert` | `convert`: the order of the stages | which stage comes when |
//! | `reprocess` | `reprocess`: which hours are written anew, in which order | `--outdated`, `--all` |
//! | `context` | what a run shares: places, rules, threads, memory; its end after a failure | what every unit needs |
//! | `survey` | both places opened and listed, and what there would be to do; nothing is written | what comes before a run; what `plan` looks at |
//! | `preflight` | refusals before anything is touched; every run passes `preflight::refuse` | a new refusal of a whole run |
//! | `listing` | what was listed, without archives | what an archive is |
//! | `high_water` | how far a series of runs has come (`--last`) | catching up after an outage |
//! | `planning` | what is left to do in a unit | when an object counts as known |
//! | `refresh` | a unit brought to rest and planned again: `refresh_unit` | what is done after a lost race |
//! | `workers` | many workers on the same hours, by claims | units at a time |
//! | `unit_threads` | units of folders, each on a thread that waits for files | what a stopped run waits for |
//! | `unit` | one unit: convert, commit, again where another run was faster | refusals of one hour |
//! | `batch` | one batch: objects to staged files and a manifest | what a manifest says, `--reject-fail-ratio` |
//! | `chunks` | fetches and converts the chunks of a batch | memory, calls ahead |
//! | `budget` | memory and turns, shared out | memory |
//! | `staged` | staging folders and files of this run | how files are written |
//! | `name_hours` | hours that names tell, and lateness | what counts as late |
//! | `same_content` | objects that are copies of others | `--same-content` |
//! | `replace` | one unit written anew | rewriting |
//! | `inputs` | what a unit was made from | rewriting where logs moved |
//! | `take_over` | rows of raw objects that cannot be read, taken from the files that are replaced | rewriting where logs are gone |
//! | `lost_units` | what a unit is made from that has lost something | rewriting where the lake is damaged |
//! | `catalog_totals` | tells the catalog how much partitions hold | totals in a catalog |
//! | `committed`, `look_back` | what was written, read back from the ledger | trust in a store |
//! | `archived` | what becomes of logs that are converted | `--after`, `--archive` |
//! | `privacy_guard` | holds a run to what the lake keeps of people | privacy |
//! | `summary` | what a run did, and its exit code | a new field of the summary |
//! | `freshness` | how long ago the newest hour ended | freshness |
//!
//! Counters are declared in [`crate::stats`].

mod archived;
mod batch;
mod budget;
mod catalog_totals;
mod chunks;
mod committed;
mod context;
mod convert;
mod freshness;
mod high_water;
mod inputs;
mod listing;
mod look_back;
mod lost_units;
mod name_hours;
mod planning;
mod preflight;
mod privacy_guard;
mod refresh;
mod replace;
mod reprocess;
mod same_content;
mod staged;
mod summary;
mod survey;
mod take_over;
mod unit;
mod unit_threads;
mod workers;

pub use convert::{convert, convert_into};
pub use freshness::freshness_seconds;
pub use reprocess::{reprocess, reprocess_into};
pub use summary::Summary;
pub(crate) use survey::{Survey, UnitOutlook};
