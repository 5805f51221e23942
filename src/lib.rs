//! Edgemill turns access logs of Amazon CloudFront and Application Load Balancers into a Parquet
//! lake that costs little to query. This page is the map of the house.
//!
//! # The way of the data
//!
//! ```text
//! list -> plan the hour -> fetch -> inflate -> parse -> enrich -> columns -> Parquet, aside -> commit -> publish -> register -> query
//! ```
//!
//! # Rooms
//!
//! | room | what it does |
//! |-|-|
//! | [`cli`] | arguments exactly as typed, one file per verb |
//! | [`job`] | arguments, environment and job file to one checked [`job::Job`] |
//! | [`model`], [`stats`], [`error`] | nouns, counters, failures and exit codes that every room shares |
//! | [`kernel`] | pure: names, plan, protocol, inflate, parse, enrich, columns, Parquet; and the rayon loop over them |
//! | [`edge`] | the outside: stores, listing, manifests, ledger, catalog, claims, clocks |
//! | [`lake`] | opens a lake and says what it is, and what it keeps of people |
//! | [`init`] | makes a lake, its ledger's table, its catalog's tables and views |
//! | [`offload`] | the one bridge from tokio (I/O) to rayon (work) |
//! | [`protocol_driver`] | carries out what `kernel::ledger::protocol` says |
//! | [`recovery`] | brings to its end what other runs began |
//! | [`repair`] | what a lake has lost by hand, and what of it can be mended without the logs |
//! | [`compact`] | few files of many, by hour |
//! | [`verify`] | listing, ledger, manifests, files and catalog against each other; mends what can be mended |
//! | [`pipeline`] | the order of the stages over many hours, bounded in memory |
//! | [`query`] | SQL over the ledger's snapshot of the lake, or through Athena |
//! | [`forecast`], [`prices`] | what a conversion would do and cost |
//! | [`metrics`] | what a run counted, for CloudWatch |
//! | [`signals`] | what asks a run to stop |
//! | [`generate`] | logs from a seed |
//! | [`demo`] | generate, convert and ask, in one |
//! | [`crash`] | where tests make a run die |
//!
//! # What is never so
//!
//! - The kernel never reads a clock, a file, the network, the environment or a random number, and
//!   never logs. (Its hash tables are seeded at random, so that no log can be written against them;
//!   nothing follows from a hash.)
//! - Rayon is used in `kernel::columns::convert` and its bridge, nowhere else.
//! - No query ever sees a file that its partition's record does not name.
//! - No bytes of a file that is converted depend on the number of threads, the memory or the order
//!   of the listing. (Which files are merged into one may depend on the memory.)
//! - No line is dropped: lines = rows + rejected lines + comment lines, per object; an object of
//!   which no line can be read is not taken at all.
//! - No object is held as a whole past a limit, neither as stored nor inflated, whatever it claims.
//! - No error leaves out which object, hour or file it was.
//! - Nothing that a job wants away of people is in the lake, in a summary or in a message
//!   ([`kernel::policy::privacy`]).
//!
//! `tests/house.rs` keeps the first two and the directions of the imports.
//!
//! # Exactly once
//!
//! A unit is one hour of one source: the raw objects whose names belong to it. In a lake of days or
//! months it is a day or month, since a file holds rows of one unit only and many hours of few rows
//! are to be few files; replacing one object there means writing all of its day or month anew.
//! Which unit an object is in may depend on what a run is told (another table, another layout), so
//! before an object is converted every unit is asked in which it may have been
//! ([`kernel::source::names::possible_units`]); names are read from the root of the bucket, not of
//! the listing. A run lists them, takes away those that the unit's record knows (by URL and etag),
//! and converts the rest into `staging/batch.<table>.<hour>.<attempt>/`. Then:
//!
//! | step | what a crash right after it leaves | who mends it |
//! |-|-|-|
//! | files staged | a staging folder that no record names | nothing to mend; a day later it is ended and cleared |
//! | manifest written | the same, and a manifest that no record names | the same |
//! | batch committed in the unit's record (the instant that decides) | rows that count and are not visible yet | the next run publishes them from staging |
//! | files copied to a partition's folder | files that its record does not name: `query` does not see them | the next run copies again and records them |
//! | partition's record names batch and files | rows visible in this partition | the next run goes on with the next partition |
//! | partition registered in the catalog, and seen there | the same | the same |
//! | batch marked published | a staging folder that is of no more use | the next run removes it |
//!
//! What takes the place of rows (compact, reprocess, an object that changed under its key) is a
//! rewrite, one open in a partition at a time:
//!
//! | step | what a crash right after it leaves | who mends it |
//! |-|-|-|
//! | the whole partition lies in `staging/aside.<table>.<hour>.<id>.v<version>/` too | a folder that no record names | as above |
//! | the record names that folder, and the rewrite as open | new rows for `query`, old ones behind the catalog | the next run goes on |
//! | the catalog points there, D later, and is read back | new rows everywhere | the same |
//! | queries have ended; the canonical folder holds the current files and no other | the same | the same |
//! | the record names the canonical folder, then the catalog does | the rewrite's folder, still whole | the same |
//! | the rewrite is closed | a folder of a closed rewrite | the next run removes it |
//!
//! Whatever is not at rest has a folder right below `staging` whose name says which record tells of
//! it, so a run finds it with one listing, whatever hours it is asked for. Records change by
//! compare-and-set only; a lost or unclear answer is answered by reading again. The machines, their
//! reasons and the one assumption about time stand in [`kernel::ledger::protocol`]; a run and the
//! model checker (`tests/protocol.rs`) call the same ones.
//!
//! Where this differs from the usual: a file holds rows of one unit only, so that replacing an hour
//! never grows into replacing its neighbours, at the price of one more file where an hour's last
//! rows come in the next hour's objects.
//!
//! A record does not grow with every run: many published batches of a unit are folded into one
//! entry (`compact/fold.rs`), whose manifest names the inputs of all of them.
//!
//! An object with the name, size and bytes of one under another key is an input without rows
//! ([`kernel::ledger::same`]): a log that was moved or copied is not rows a second time.
//!
//! What rests on a store that creates an object only if there is none is tried out there first
//! (`edge/probe.rs`), and every run compares what it committed with the ledger before it ends
//! (`pipeline/look_back.rs`). What somebody removed by hand is found by holding records, manifests
//! and files against each other ([`repair`]).
//!
//! Several workers share the hours by claims ([`edge::claims`]), which are hints. `--last` looks
//! back from the end of the last complete run, not from now, so an outage of any length is caught
//! up.
//!
//! # Rows
//!
//! How rows are made of lines is a [`kernel::policy::recipe::Recipe`]: the rules about user agents
//! ([`kernel::policy::enrich`], most of them files that a person edits who knows no Rust) and what
//! is kept of people. Its stamp stands in the files, in the manifests and in the names of batches,
//! so rows that were made otherwise are told apart, and `reprocess --outdated` finds them. Whatever
//! follows from a distinct text (a user agent, an edge location, an address without its end) is
//! worked out once for it, not per row.
//!
//! # Formats
//!
//! An object's table is told by its key ([`kernel::source::names`]) or, where the key says nothing,
//! by its first bytes ([`kernel::source::parse::sniff`]); how its lines fall into values, by the
//! first line that says anything ([`kernel::source::parse`]). Every decoder hands on blocks of
//! values under names; [`kernel::columns::mapping`] finds each name's column. So a new format is
//! one file in `kernel/source/parse`, a new source one file in [`kernel::schema::sources`], and a
//! new field is a line in the file of its source.
//!
//! # Two runtimes
//!
//! tokio waits, rayon works. What is fetched and what is converted are each bounded by a budget,
//! and a chunk is flushed to files when the columns that it holds grow large, so memory follows
//! from the budget, not from the size of an hour. An object of more than a chunk's bytes is read
//! piece by piece while it is worked ([`kernel::source::object_bytes`]); of Parquet, a row group of
//! up to 64 MiB is held.
//!
//! # In the cloud
//!
//! Every place is opened with an [`edge::access::Access`] (role, region, who pays, encryption) and
//! the SDK's one chain of credentials. A catalog ([`edge::catalog`]) gathers what many machines ask
//! for at the same time into few calls, and sends none later than half of D after the reading that
//! it rests on; a service that takes nothing now is answered as a call that came too late is: the
//! machine reads its record again. What it keeps of rows and bytes is told at the end of a run, and
//! nothing rests on it. `jobs/template.yaml` is the deployment; `tests/cloud` a double of AWS that
//! it is tried on.

pub mod cli;
pub mod compact;
pub mod crash;
pub mod demo;
pub mod edge;
pub mod error;
pub mod forecast;
pub mod generate;
pub mod init;
pub mod job;
pub mod kernel;
pub mod lake;
pub mod metrics;
pub mod model;
pub mod offload;
pub mod pipeline;
pub mod prices;
pub mod progress;
pub mod protocol_driver;
pub mod query;
pub mod recovery;
pub mod repair;
pub mod signals;
pub mod stats;
pub mod verify;
