//! Edgemill turns access logs of Amazon CloudFront and Application Load Balancers into a Parquet
//! lake that costs little to query. This page is the map of the code: where things are, where a
//! change goes, what the words mean, and what always holds.
//!
//! # The way of the data
//!
//! ```text
//! list -> plan the unit -> fetch -> inflate -> parse -> enrich -> columns -> Parquet in staging
//!      -> commit -> publish -> register in the catalog -> query
//! ```
//!
//! | step | where |
//! |-|-|
//! | list the logs, read what the ledger knows | [`edge`] |
//! | plan: which objects are new, late, replaced or known | [`kernel::ledger`], `plan` |
//! | fetch, and share out memory and turns | [`pipeline`] |
//! | inflate, tell the format, split lines into values | [`kernel::source`] |
//! | user agents, bots, edge locations, privacy | [`kernel::policy`] |
//! | values to columns, sort, write Parquet | [`kernel::columns`] |
//! | commit, publish, register: the protocol | [`kernel::ledger`], `protocol`; carried out by [`protocol_driver`] |
//! | query | [`query`] |
//!
//! # Where does a change go?
//!
//! | you want to | look here |
//! |-|-|
//! | add a field of a log, or a column | `kernel/schema/sources/`, the file of the source |
//! | add a source of logs | `kernel/schema/sources/`: a file, and a line in its `mod.rs`; `model/table.rs`: its table; `tests/formats.rs`: examples, from which the list in `docs/formats.md` is written |
//! | change the order of rows in a file | `sort` in the source's file; how it is done: `kernel/columns/sort.rs` |
//! | read another format of lines | a file in `kernel/source/parse/`; `Format` in its `decoder.rs`; what its first line tells: `sniff.rs`; its name: `FormatNames` in `kernel/schema/descriptor.rs` |
//! | read a form of times or values that no source had | `kernel/source/parse/values.rs`; what tells a row by its first values: `FirstValue` in `kernel/schema/descriptor.rs` |
//! | add a bot or a category of bots | `kernel/policy/enrich/data/bots.toml` |
//! | add a column from a file that the user names, such as the country of a client | the option: `job/options.rs` and `jobs/cloudfront-v1.toml`; reading the file: `job/rows.rs`; carrying and stamping its text: `Additions` in `kernel/policy/enrich/mod.rs`; the look-up: a new file beside `kernel/policy/enrich/user_rules.rs`; the column: an `Origin` in `kernel/schema/column.rs`, and its line in `kernel/schema/sources/` or `kernel/schema/shared.rs`; its values: `kernel/columns/builder/changes.rs` |
//! | add a column from data that is compiled in | as `kernel/policy/enrich/edges.rs` does it for edge locations; column and values as in the row above |
//! | change what is kept of people | `kernel/policy/privacy/`; which columns it is about: their privacy class, in `kernel/schema/` |
//! | add or change an option, or its default | `job/options.rs` |
//! | change how long unfinished work of a dead run is kept (`orphan_age`) | the default: `job/options.rs`, and the line in `jobs/cloudfront-v1.toml`; what is done then: `recovery.rs` |
//! | count one more figure | the list in `stats.rs`, and the place that counts it |
//! | refuse a run, where a clock is wrong, for example | `pipeline/preflight.rs`: every run of `convert` and `reprocess` passes `refuse`, and so does `plan`. This computer's clock is read in `edge/clock.rs`. A store's time is known only from when its objects were written (`recovery.rs`); asking it is a new call in `edge/objects/` and `edge/bucket.rs` |
//! | add a command (a verb) | a file in `cli/`, three places and the table in `cli/mod.rs`, and a module for its work, with its place in `tests/house/main.rs` |
//! | add a catalog | `edge/catalog/`: a file that implements the trait in `interface.rs`, and `open` in `mod.rs`; its name: `model/choices.rs` |
//! | add a query that comes with the program | `ddl/queries/`, and `query/named.rs` |
//! | change a view or a statement | views of a source: its file in `kernel/schema/sources/`; statements: `kernel/ddl/` |
//! | change a step of the protocol | `kernel/ledger/protocol/`, and `tests/model/`, which tries every order of the steps |
//! | change what a record or a manifest says | `kernel/ledger/records/` |
//! | change the deployment | `jobs/template.yaml`, `scripts/deploy` |
//!
//! `CONTRIBUTING.md` has a recipe for each of the usual ones, with the commands.
//!
//! # Modules
//!
//! From the outside to the inside: each module uses only those below it, and `tests/house` keeps
//! that.
//!
//! | module | what it does |
//! |-|-|
//! | [`cli`] | arguments exactly as typed, one file for each verb |
//! | [`demo`] | generate, convert and ask, in one |
//! | [`plan`] | what a conversion would do and cost |
//! | [`query`] | SQL over the ledger's snapshot of the lake, or through Athena |
//! | [`metrics`] | writes what a run counted for CloudWatch |
//! | [`pipeline`] | the stages of `convert` and `reprocess` over many units, in bounded memory |
//! | [`verify`] | holds logs, ledger, manifests, files and catalog against each other; mends what can be mended |
//! | [`compact`] | makes few files of many, partition by partition |
//! | [`repair`] | finds what somebody deleted by hand, and mends what needs no logs |
//! | [`init`] | makes a lake, its ledger's table, its catalog's tables and views |
//! | [`recovery`] | brings to its end what other runs began |
//! | [`protocol_driver`] | carries out what `kernel::ledger::protocol` decides |
//! | [`lake`] | opens a lake, says what it is and what it keeps of people |
//! | [`job`] | makes one checked [`job::Job`] of arguments, environment and job file |
//! | [`generate`] | makes logs from a seed |
//! | [`edge`] | the outside world: stores, listings, manifests, ledger, catalog, claims, clocks |
//! | [`location`] | where logs and lakes lie, in one spelling |
//! | [`offload`] | the one bridge from tokio (I/O) to rayon (work) |
//! | [`signals`], [`progress`], [`crash`] | what stops a run, what it shows, and where tests make it die |
//! | [`prices`] | what AWS asks for what |
//! | [`kernel`] | pure: bytes and values in, bytes and values out. It has a map of its own |
//! | [`error`], [`stats`] | failures and exit codes; counters |
//! | [`model`] | the nouns that all share |
//!
//! # Glossary
//!
//! Each word means one thing, in the code, in messages and in the documentation.
//!
//! | word | what it is |
//! |-|-|
//! | **object** | a file of raw logs, in a bucket or a folder. Its URL names it |
//! | **source** | a kind of service that writes logs: CloudFront, load balancers |
//! | **table** | a folder of the lake with files of the same columns: one for each source, and `rejects` |
//! | **partition** | an hour of a table by its rows' own times (in some lakes a day or month), and its folder |
//! | **unit** | an hour (day, month) of a source by its objects' names: what is converted together |
//! | **batch** | the rows of some objects of a unit, as files. It counts once its unit's record names it |
//! | **attempt** | one worker's try at a batch or a rewrite. Every try has a new id, also when the same work is tried again |
//! | **rewrite** | files of a partition take the place of others: by `compact`, by `reprocess`, or after an object changed |
//! | **ledger** | the records of units and partitions, in the lake or in DynamoDB. They change by compare-and-set only |
//! | **manifest** | a file that lists the inputs and outputs of one attempt. It never changes |
//! | **staging** | the folder of unfinished work. Queries do not read it, with one exception: the files of an open rewrite, which the partition's record names |
//! | **claim** | a hint that a worker is at a unit, so that others take other ones. Nothing correct rests on it |
//! | **fingerprint** | how rows were made: the version of the rules, and what was kept of people. It is in files and manifests |
//! | **watermark** | where the last complete run of a series ended. `--last` goes back to it |
//! | **lateness** | of an object that came after others of its hour were converted: the time from the end of that hour until it came |
//! | **`max_call_delay`** | the longest time from reading a record until a call that relies on what was read takes effect. A call that would be later is not sent |
//!
//! # What never happens
//!
//! - The kernel never reads a clock, a file, the network, the environment or a random number, and
//!   never logs. (Its hash tables are seeded at random, so that no log can be written against them.
//!   Nothing follows from a hash.)
//! - Rayon is used in `kernel::columns::convert` and its bridge, nowhere else.
//! - `edgemill query` opens no file that its partition's record does not name.
//! - The bytes of the files that a conversion writes never depend on the number of threads, the
//!   memory or the order of the listing. (Which files are merged later may depend on the memory.)
//! - No line is dropped: lines = rows + rejected lines + comment lines, for each object. An object
//!   of which no line can be read is not taken at all.
//! - No object is held as a whole past a limit, neither as stored nor inflated, whatever it claims.
//! - No error leaves out which object, hour or file it was.
//! - Nothing that a job does not keep of people is in the lake, in a summary or in a message
//!   ([`kernel::policy::privacy`]).
//!
//! `tests/house` keeps the first two, and the directions in which modules use each other.
//!
//! # Exactly once
//!
//! A unit is one hour of one source: the objects whose names belong to it. In a lake of days or
//! months it is a day or month: a file holds rows of one unit only, and there many hours of few
//! rows are to be few files. To replace one object there, all of its day or month is written anew.
//!
//! Which unit an object is in may depend on what a run is told: another table, another layout. So
//! before an object is converted, every unit is asked in which it may have been
//! ([`kernel::source::names::possible_units`]). Names are read from the root of the bucket, not
//! from the root of the listing.
//!
//! A run lists a unit's objects, takes away those that the unit's record knows (by URL and etag),
//! and converts the rest into `staging/batch.<table>.<hour>.<attempt>/`. Then:
//!
//! | step | what a crash right after it leaves | who mends it |
//! |-|-|-|
//! | files staged | a staging folder that no record names | nothing to mend; it is ended and cleared when it is older than `--orphan-age`, a day unless told otherwise |
//! | manifest written | the same, and a manifest that no record names | the same |
//! | batch committed in the unit's record (the instant that decides) | rows that count and are not visible yet | the next run publishes them from staging |
//! | files copied to a partition's folder | files that its record does not name: `query` does not see them | the next run copies again and records them |
//! | partition's record names batch and files | rows visible in this partition | the next run goes on with the next partition |
//! | partition registered in the catalog, and seen there | the same | the same |
//! | batch marked published | a staging folder that is of no more use | the next run removes it |
//!
//! New files take the place of old ones by a rewrite. A partition has at most one open. Its steps:
//!
//! | step | what a crash right after it leaves | who mends it |
//! |-|-|-|
//! | the whole partition lies in `staging/aside.<table>.<hour>.<id>.v<version>/` too | a folder that no record names | as above |
//! | the record names that folder, and the rewrite as open | new rows for `query`, old ones behind the catalog | the next run goes on |
//! | the catalog points there, `max_call_delay` later, and is read back | new rows everywhere | the same |
//! | queries have ended; the canonical folder holds the current files and no other | the same | the same |
//! | the record names the canonical folder, then the catalog does | the rewrite's folder, still whole | the same |
//! | the rewrite is closed | a folder of a closed rewrite | the next run removes it |
//!
//! All unfinished work has a folder right below `staging`, whose name says which record tells of
//! it. So a run finds it with one listing, whatever hours it is asked for. A lost or unclear answer
//! to a compare-and-set is answered by reading again. The state machines, their reasons and the one
//! assumption about time stand in [`kernel::ledger::protocol`]. A run and the model checker
//! (`tests/protocol.rs`) call the same ones.
//!
//! Where this differs from the usual:
//!
//! - A file holds rows of one unit only, so that replacing an hour never grows into replacing its
//!   neighbours. The price is one more file where an hour's last rows come in the next hour's
//!   objects.
//! - A record does not grow with every run: many published batches of a unit are folded into one
//!   entry (`compact/fold.rs`), whose manifest names the inputs of all of them.
//! - A log that was moved or copied is not converted a second time. It is known by its name, size
//!   and bytes, and its new key is recorded as an input that has no rows
//!   ([`kernel::ledger::same`]).
//! - A ledger in a lake needs a store that creates an object only if there is none. Whether a store
//!   does so is tried before it is relied on (`edge/probe.rs`). Every run compares what it
//!   committed with the ledger before it ends (`pipeline/look_back.rs`).
//! - What somebody removed by hand is found by holding records, manifests and files against each
//!   other ([`repair`]).
//! - Several workers share the hours by claims ([`edge::claims`]), which are hints.
//! - `--last` goes back to the watermark, so that an outage of any length is caught up with.
//!
//! # How rows are made
//!
//! A [`kernel::policy::recipe::Recipe`] says how rows are made of lines: by which rules about user
//! agents ([`kernel::policy::enrich`]), and what is kept of people. The rules are data files, for
//! people who know no Rust. The recipe's fingerprint stands in files, in manifests and in the names
//! of batches. So rows that were made in another way are known, and `reprocess --outdated` finds
//! them.
//!
//! Whatever follows from a distinct text (a user agent, an edge location, a shortened address) is
//! worked out once for that text, not for every row.
//!
//! # Formats
//!
//! An object's source is known by its key ([`kernel::source::names`]), or, where the key does not
//! tell, by the first bytes of the object ([`kernel::source::parse::sniff`]). A header
//! (`#Fields`), or else the first line, shows the format: how each line is split into values
//! ([`kernel::source::parse`]). Every decoder hands on blocks of values under names, and
//! [`kernel::columns::mapping`] finds each name's column. So a new format of lines is a file in
//! `kernel/source/parse` and a variant of `Format` in `decoder.rs`, a new source is one file in
//! [`kernel::schema::sources`], and a new field is a line in the file of its source.
//!
//! # Two runtimes
//!
//! tokio waits, rayon works. What is fetched and what is converted are each bounded by a budget. A
//! chunk is flushed to files when the columns that it holds grow large. So memory follows from the
//! budget, not from the size of an hour. An object of more than a chunk's bytes is read piece by
//! piece while it is worked on ([`kernel::source::object_bytes`]). Of Parquet, a row group of up to
//! 64 MiB is held.
//!
//! # In the cloud
//!
//! Every place is opened with an access (role, region, who pays, encryption) and the SDK's one
//! chain of credentials. A catalog ([`edge::catalog`]) gathers what many workers ask for at the
//! same time into few calls. It sends no call later than half of `max_call_delay` after the look
//! that the call rests on. A service that takes nothing now is answered like a call that came too
//! late: the worker reads its record again. Rows and bytes of partitions are told to the catalog at
//! the end of a run, and nothing rests on them. `jobs/template.yaml` is the deployment, and
//! `tests/cloud` a stand-in for AWS that it is tried on.

pub mod cli;
pub mod compact;
pub mod crash;
pub mod demo;
pub mod edge;
pub mod error;
pub mod generate;
pub mod init;
pub mod job;
pub mod kernel;
pub mod lake;
pub mod location;
pub mod metrics;
pub mod model;
pub mod offload;
pub mod pipeline;
pub mod plan;
pub mod prices;
pub mod progress;
pub mod protocol_driver;
pub mod query;
pub mod recovery;
pub mod repair;
pub mod signals;
pub mod stats;
pub mod verify;
