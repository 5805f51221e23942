//! The list of options: each is declared here once. From an entry come its argument in every verb
//! that takes it (`cli/options.rs`), its variable of the environment, its place in a job file and
//! in `show-config`, and its line in `docs/options.md`.
//!
//! To add one, write an entry, use `job.options.NAME`, and explain it in `jobs/cloudfront-v1.toml`;
//! then `EDGEMILL_RENEW=1 cargo test --release --test options` writes the page. The lines of an
//! entry are explained at the macro, in `declare.rs`. The order is that of `show-config`; `--help`
//! sorts by heading.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::choices::{AfterChoice, ClientIpChoice, FormatChoice, Libraries, Shard};
use super::declare::{Heading, OptionFacts, Rows, Visitor, decided, decided_type, optional, options, rows, undecided};
use super::kinds::{
    Bytes, Count, Delimiter, File, Flag, FormatKind, List, OptionKind, Place, Ratio, Span, TextKind, Word,
};
use crate::kernel::ledger::same::SameContent;
use crate::kernel::source::names::Layout;
use crate::kernel::source::parse::OBJECT_LIMIT_BYTES;
use crate::model::access::Encryption;
use crate::model::choices::{CatalogChoice, LedgerChoice};
use crate::model::{Granularity, HourRange};

options! {
    typed Typed, decided Options, file JobFile;

    /// Folder of the raw logs, or `s3://BUCKET/PREFIX`
    from: Place {
        name: "from",
        value: "URL",
        heading: Places,
        example: "s3://your-log-bucket/cloudfront",
    }

    /// Folder of the lake, or `s3://BUCKET/PREFIX`; made if it is not there
    to: Place {
        name: "to",
        value: "URL",
        heading: Places,
        example: "s3://your-lake-bucket/lake",
    }

    /// Where a new lake keeps its records: lake (in itself) or dynamodb:TABLE, which init makes
    /// with on-demand capacity
    ledger: Word<LedgerChoice> {
        name: "ledger",
        value: "LEDGER",
        heading: Places,
        example: "dynamodb:edgemill",
        otherwise: "lake",
    }

    /// How long the partitions of a new lake are: hour, day or month
    partition: Word<Granularity> {
        name: "partition",
        value: "GRANULARITY",
        heading: Places,
        example: "hour",
        otherwise: "hour",
    }

    /// Which logs they are: what names and first bytes say, or all of one kind whatever their names
    format: FormatKind {
        name: "format",
        value: "FORMAT",
        heading: Logs,
        example: "cloudfront",
        default: FormatChoice::Auto,
    }

    /// What the folders are where file names tell no hour: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}'
    /// in your order
    layout: Word<Layout> {
        name: "layout",
        value: "FOLDERS",
        heading: Reading,
        example: "{DistributionId}/{yyyy}/{MM}/{dd}/{HH}",
        rows: Made,
    }

    /// Only the logs of these distributions, by their ids in the objects' names:
    /// E1EXAMPLE,E2EXAMPLE, or of these load balancers: app/name/id
    distributions: List {
        name: "distributions",
        value: "IDS",
        heading: Logs,
        example: ["E1EXAMPLE", "E2EXAMPLE"],
        default: Vec::new(),
        otherwise: "all",
    }

    /// Objects that are never looked at, by their keys from the root of the logs:
    /// 'backup/**,**/*.tmp'; may be given several times
    exclude: List {
        name: "exclude",
        value: "GLOBS",
        heading: Logs,
        example: ["backup/**", "**/*.tmp"],
        default: Vec::new(),
        otherwise: "none",
    }

    /// Names of the fields of logs without a header (plain, raw), in their order: 'date time c-ip
    /// sc-status'
    fields: TextKind {
        name: "fields",
        value: "NAMES",
        heading: Reading,
        example: "date time c-ip sc-status",
        rows: Made,
    }

    /// What separates values: one character or some, tab or space
    delimiter: Delimiter {
        name: "delimiter",
        value: "TEXT",
        heading: Reading,
        example: "tab",
        otherwise: "found out from the rows",
        rows: Made,
    }

    /// The most text of one object; what a larger one holds beyond it is left, and the exit code is
    /// 3
    object_limit_bytes: Bytes {
        name: "object_limit",
        value: "BYTES",
        heading: Reading,
        example: "64GiB",
        default: OBJECT_LIMIT_BYTES,
    }

    /// Only the objects named for these hours, such as 2026-11-21T00..2026-11-22T00 (UTC)
    hours: Word<HourRange> {
        name: "hours",
        value: "A..B",
        heading: Logs,
        example: "2026-11-21T00..2026-11-22T00",
        otherwise: "all",
        excludes: last,
    }

    /// Only the objects named for the last hours, such as 26h; after an outage, for as many hours
    /// more as it lasted
    last: Span {
        name: "last",
        value: "D",
        heading: Logs,
        example: "26h",
        excludes: hours,
    }

    /// Only this share of the hours, such as 0/4 for the first of four processes
    shard: Word<Shard> {
        name: "shard",
        value: "I/N",
        heading: Logs,
        example: "0/1",
        default: Shard { index: 0, count: 1 },
        otherwise: "all of them",
    }

    /// How long another machine's claim to an hour holds that it does not renew
    lease: Span {
        name: "lease",
        value: "D",
        heading: Running,
        example: "1m",
        default: Duration::from_mins(1),
    }

    /// Clear work of dead runs that nobody has touched for this long
    orphan_age: Span {
        name: "orphan_age",
        value: "D",
        heading: Running,
        example: "1day",
        default: Duration::from_hours(24),
    }

    /// Merge the files of an hour that has this many small ones of its own; 0 for never
    compact_files: Count {
        name: "compact_files",
        value: "N",
        heading: After,
        example: 16,
        default: 16,
    }

    /// The size that files are merged up to
    target_bytes: Bytes {
        name: "target_size",
        value: "BYTES",
        heading: After,
        example: "128MiB",
        default: 128 << 20,
    }

    /// Threads that work
    threads: Count {
        name: "threads",
        value: "N",
        heading: Running,
        example: 2,
        default: std::thread::available_parallelism().map_or(1, NonZeroUsize::get),
        otherwise: "all cores",
    }

    /// Memory to use, 512MiB at least
    memory_bytes: Bytes {
        name: "memory",
        value: "BYTES",
        heading: Running,
        example: "1GiB",
        default: 1 << 30,
    }

    /// Share of rejected lines above which the exit code is 3
    reject_warn_ratio: Ratio {
        name: "reject_warn_ratio",
        value: "RATIO",
        heading: Checks,
        example: 0.01,
        default: 0.01,
    }

    /// Share of rejected lines above which an hour is not committed
    reject_fail_ratio: Ratio {
        name: "reject_fail_ratio",
        value: "RATIO",
        heading: Checks,
        example: 0.5,
        otherwise: "none",
    }

    /// What becomes of an object with the bytes, size and name of one under another key, which was
    /// moved or copied: skip (its rows are there already), take (its rows come twice) or fail
    same_content: Word<SameContent> {
        name: "same_content",
        value: "WHAT",
        heading: Checks,
        example: "skip",
        default: SameContent::Skip,
    }

    /// Your own rules about bots, which win over those built in: `[[rule]]` with pattern, bot,
    /// name, vendor, category
    bots: File {
        name: "bots",
        value: "FILE",
        heading: Rows,
        example: "bots.toml",
        rows: Made,
    }

    /// A regexes.yaml of the ua-parser project, to name browsers and systems by
    ua_regexes: File {
        name: "ua_regexes",
        value: "FILE",
        heading: Rows,
        example: "regexes.yaml",
        rows: Made,
    }

    /// What HTTP libraries count as, and apps that say which one they use: bots or apps
    http_libraries: Word<Libraries> {
        name: "http_libraries",
        value: "WHAT",
        heading: Rows,
        example: "bots",
        default: Libraries::Bots,
        rows: Made,
    }

    /// What is kept of client addresses: keep, truncate (/24 and /48) or hash (under a key)
    client_ip: Word<ClientIpChoice> {
        name: "client_ip",
        value: "WHAT",
        heading: Rows,
        example: "keep",
        otherwise: "keep",
        rows: People,
    }

    /// File with the key to hash under; without it the variable `EDGEMILL_CLIENT_IP_KEY` has the
    /// key
    client_ip_key_file: File {
        name: "client_ip_key_file",
        value: "FILE",
        heading: Rows,
        example: "client-ip.key",
        rows: People,
    }

    /// Columns to write as NULL, such as `cs_cookie,c_port`
    drop: List {
        name: "drop",
        value: "COLUMNS",
        heading: Rows,
        example: ["cs_cookie"],
        rows: People,
    }

    /// Keys whose values are redacted in queries, URLs, cookies and unknown fields; default stands
    /// for the usual secrets
    redact: List {
        name: "redact",
        value: "KEYS",
        heading: Rows,
        example: ["default"],
        rows: People,
    }

    /// The catalog that engines follow: glue:DATABASE; athena:WORKGROUP/DATABASE, by statements,
    /// for whoever may not write to Glue; projection:DATABASE, whose tables work partitions out by
    /// themselves; lake (one small object a partition, in the lake itself); or none. init gives it
    /// to the lake, convert refuses a lake that has another
    catalog: Word<CatalogChoice> {
        name: "catalog",
        value: "CATALOG",
        heading: Places,
        example: "glue:edgemill",
        otherwise: "none, or what the lake has",
    }

    /// Have the lake's files encrypted with S3's keys (s3) or KMS's (kms, kms:ARN)
    encryption: Word<Encryption> {
        name: "encryption",
        value: "KEYS",
        heading: Access,
        example: "kms:arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        otherwise: "as the bucket does by itself",
    }

    /// Read (and move or delete) the logs as this role, such as
    /// `arn:aws:iam::123456789012:role/logs` of another account
    from_role: TextKind {
        name: "from_role",
        value: "ARN",
        heading: Access,
        example: "arn:aws:iam::123456789012:role/read-logs",
    }

    /// The external id that the role asks for
    from_external_id: TextKind {
        name: "from_external_id",
        value: "ID",
        heading: Access,
        example: "a-word-of-theirs",
    }

    /// The region of the logs' bucket
    from_region: TextKind {
        name: "from_region",
        value: "REGION",
        heading: Access,
        example: "eu-central-1",
        otherwise: "that of the process",
    }

    /// Say to the logs' bucket that you pay for the requests, as some want it
    requester_pays: Flag {
        name: "requester_pays",
        value: "BOOL",
        heading: Access,
        example: false,
        default: false,
    }

    /// What becomes of an object once its rows are published and registered: keep, move (to
    /// --archive) or delete
    after: Word<AfterChoice> {
        name: "after",
        value: "WHAT",
        heading: After,
        example: "keep",
        default: AfterChoice::Keep,
    }

    /// Where moved objects go, into folders year=/month=/day=/hour=: a place in the bucket of the
    /// logs, never read as logs
    archive: Place {
        name: "archive",
        value: "URL",
        heading: After,
        example: "s3://your-log-bucket/archive",
    }
}

/// What is known of every option, in the order of the list.
#[must_use]
pub fn all() -> Vec<OptionFacts> {
    #[derive(Default)]
    struct Collect(Vec<OptionFacts>);

    impl Visitor for Collect {
        fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, _: &mut Option<K::Value>) {
            self.0.push(facts.clone());
        }
    }

    let mut collect = Collect::default();
    Typed::default().visit(&mut collect);
    collect.0
}
