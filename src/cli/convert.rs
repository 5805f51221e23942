//! `edgemill convert`

use std::path::PathBuf;
use std::time::Duration;

use bytesize::ByteSize;

use super::format::FormatArg;
use super::{Metrics, Output, cloud, show};
use crate::edge::clock::now_unix_seconds;
use crate::error::{Error, Result};
use crate::job::cloud::AfterWord;
use crate::job::rows::{ClientIpChoice, Libraries, TypedRows};
use crate::job::{Job, Shard, Typed};
use crate::kernel::ledger::same::SameContent;
use crate::kernel::source::names::Layout;
use crate::lake::{CatalogChoice, LedgerChoice};
use crate::metrics;
use crate::model::{Granularity, HourRange};
use crate::pipeline;
use crate::pipeline::{RUN_TARGET, Summary};

/// Which objects are logs, and which of them are wanted: the same for whatever verb lists them.
#[derive(Debug, clap::Args)]
pub(super) struct Which {
    /// A file with any of these arguments, by their long names (edgemill show-config prints one);
    /// what is typed wins over it
    #[arg(long, value_name = "FILE", env = "EDGEMILL_JOB")]
    pub(super) job: Option<PathBuf>,
    /// Which logs they are: what names and first bytes say, or all of one kind whatever their names
    /// [default: auto]
    #[arg(long, value_enum, env = "EDGEMILL_FORMAT")]
    format: Option<FormatArg>,
    /// Names of the fields of logs without a header (plain, raw), in their order: 'date time c-ip
    /// sc-status'
    #[arg(long, value_name = "NAMES", env = "EDGEMILL_FIELDS")]
    fields: Option<String>,
    /// What the folders are where file names tell no hour: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}'
    /// in your order
    #[arg(long, value_name = "FOLDERS", env = "EDGEMILL_LAYOUT")]
    layout: Option<Layout>,
    /// Only the logs of these distributions, by their ids in the objects' names:
    /// E1EXAMPLE,E2EXAMPLE, or of these load balancers: app/name/id [default: all]
    #[arg(long, value_name = "IDS", value_delimiter = ',', env = "EDGEMILL_DISTRIBUTIONS")]
    distributions: Option<Vec<String>>,
    /// Objects that are never looked at, by their keys from the root of the logs:
    /// 'backup/**,**/*.tmp'; may be given several times
    #[arg(long, value_name = "GLOBS", value_delimiter = ',', env = "EDGEMILL_EXCLUDE")]
    exclude: Option<Vec<String>>,
}

impl Which {
    /// As a job takes it.
    pub(super) fn typed(self) -> Typed {
        Typed {
            table: self.format.and_then(FormatArg::table),
            layout: self.layout,
            distributions: self.distributions,
            exclude: self.exclude,
            fields: self.fields,
            ..Typed::default()
        }
    }
}

/// What a conversion and a second one have in common.
#[derive(Debug, clap::Args)]
pub(super) struct Reading {
    #[command(flatten)]
    pub(super) which: Which,
    /// Folder of the raw logs, or `s3://BUCKET/PREFIX`
    #[arg(long, value_name = "URL", env = "EDGEMILL_FROM")]
    pub(super) from: Option<String>,
    /// What separates values: one character or some, tab or space [default: found out from the
    /// rows]
    #[arg(long, value_name = "TEXT", env = "EDGEMILL_DELIMITER")]
    delimiter: Option<String>,
    /// The most text of one object; what a larger one holds beyond it is left, and the exit code is
    /// 3 [default: 64GiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_OBJECT_LIMIT")]
    object_limit: Option<ByteSize>,
    /// Only this share of the hours, such as 0/4 for the first of four processes
    #[arg(long, value_name = "I/N", env = "EDGEMILL_SHARD")]
    shard: Option<Shard>,
    /// Threads that work [default: all cores]
    #[arg(long, value_name = "N", env = "EDGEMILL_THREADS")]
    threads: Option<usize>,
    /// Memory to use, 512MiB at least [default: 1GiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_MEMORY")]
    memory: Option<ByteSize>,
    /// How long another machine's claim to an hour holds that it does not renew [default: 1min]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration, env = "EDGEMILL_LEASE")]
    lease: Option<Duration>,
    /// Share of rejected lines above which the exit code is 3 [default: 0.01]
    #[arg(long, value_name = "RATIO", env = "EDGEMILL_REJECT_WARN_RATIO")]
    reject_warn_ratio: Option<f64>,
    /// Share of rejected lines above which an hour is not committed [default: none]
    #[arg(long, value_name = "RATIO", env = "EDGEMILL_REJECT_FAIL_RATIO")]
    reject_fail_ratio: Option<f64>,
    /// What becomes of an object with the bytes, size and name of one under another key, which was
    /// moved or copied: skip (its rows are there already), take (its rows come twice) or fail
    /// [default: skip]
    #[arg(long, value_name = "WHAT", env = "EDGEMILL_SAME_CONTENT")]
    same_content: Option<SameContent>,
    #[command(flatten)]
    place: cloud::From,
    #[command(flatten)]
    rows: RowArgs,
}

/// How user agents are looked at.
#[derive(Debug, clap::Args)]
pub(super) struct AgentArgs {
    /// Your own rules about bots, which win over those built in: [[rule]] with pattern, bot, name,
    /// vendor, category
    #[arg(long, value_name = "FILE", env = "EDGEMILL_BOTS")]
    bots: Option<PathBuf>,
    /// A regexes.yaml of the ua-parser project, to name browsers and systems by
    #[arg(long, value_name = "FILE", env = "EDGEMILL_UA_REGEXES")]
    ua_regexes: Option<PathBuf>,
    /// What HTTP libraries count as, and apps that say which one they use: bots or apps [default:
    /// bots]
    #[arg(long, value_name = "WHAT", env = "EDGEMILL_HTTP_LIBRARIES")]
    http_libraries: Option<Libraries>,
}

impl AgentArgs {
    /// As a job takes it.
    pub(super) fn typed(self) -> TypedRows {
        let Self { bots, ua_regexes, http_libraries } = self;
        TypedRows { bots, ua_regexes, http_libraries, ..TypedRows::default() }
    }
}

/// How rows are made.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Bots and privacy")]
struct RowArgs {
    #[command(flatten)]
    agents: AgentArgs,
    #[command(flatten)]
    people: PeopleArgs,
}

/// What is kept of people.
#[derive(Debug, clap::Args)]
pub(super) struct PeopleArgs {
    /// What is kept of client addresses: keep, truncate (/24 and /48) or hash (under a key)
    /// [default: keep]
    #[arg(long, value_name = "WHAT", env = "EDGEMILL_CLIENT_IP")]
    client_ip: Option<ClientIpChoice>,
    /// File with the key to hash under; without it the variable `EDGEMILL_CLIENT_IP_KEY` has the
    /// key
    #[arg(long, value_name = "FILE", env = "EDGEMILL_CLIENT_IP_KEY_FILE")]
    client_ip_key_file: Option<PathBuf>,
    /// Columns to write as NULL, such as `cs_cookie,c_port`
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', env = "EDGEMILL_DROP")]
    drop: Option<Vec<String>>,
    /// Keys whose values are redacted in queries, URLs, cookies and unknown fields; default stands
    /// for the usual secrets
    #[arg(long, value_name = "KEYS", value_delimiter = ',', env = "EDGEMILL_REDACT")]
    redact: Option<Vec<String>>,
}

impl PeopleArgs {
    /// As a job takes it, beside what else is said of rows.
    pub(super) fn typed(self, others: TypedRows) -> TypedRows {
        let Self { client_ip, client_ip_key_file, drop, redact } = self;
        TypedRows { client_ip, client_ip_key_file, drop, redact, ..others }
    }
}

impl Reading {
    /// As a job takes it.
    pub(super) fn typed(self, to: Option<String>) -> Typed {
        Typed {
            from: self.from,
            to,
            rows: self.rows.people.typed(self.rows.agents.typed()),
            cloud: self.place.typed(),
            delimiter: self.delimiter,
            object_limit_bytes: self.object_limit.map(|limit| limit.as_u64()),
            shard: self.shard,
            threads: self.threads,
            memory_bytes: self.memory.map(|memory| memory.as_u64()),
            lease: self.lease,
            reject_warn_ratio: self.reject_warn_ratio,
            reject_fail_ratio: self.reject_fail_ratio,
            same_content: self.same_content,
            ..self.which.typed()
        }
    }
}

/// What a job is told by its environment where nothing was typed: two ways of naming hours exclude
/// each other only where both are typed.
fn told<T: std::str::FromStr>(name: &str) -> Result<Option<T>>
where
    T::Err: std::fmt::Display,
{
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let wrong = |error| Error::usage(format!("{name}: {error}"), "mend the variable of the environment, or unset it");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

/// The share of a child of an array job of AWS Batch, which knows its index; the count comes from
/// Batch or from whoever submitted it.
fn batch_shard() -> Result<Option<Shard>> {
    let Some(index) = told::<u64>("AWS_BATCH_JOB_ARRAY_INDEX")? else { return Ok(None) };
    let count = match told::<u64>("EDGEMILL_SHARDS")? {
        Some(count) => Some(count),
        None => told("AWS_BATCH_JOB_ARRAY_SIZE")?,
    };
    let Some(count) = count.filter(|count| index < *count) else {
        return Err(Error::usage(
            format!("this is child {index} of an array job, and of how many is not known"),
            "set EDGEMILL_SHARDS to the size of the array",
        ));
    };
    Ok(Some(Shard { index, count }))
}

/// Convert the logs that the lake does not have yet
///
/// Run it again as often as you like: what was converted is not converted again, and what came late
/// is added. Any number of them may run at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    /// Folder of the lake, or `s3://BUCKET/PREFIX`; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: Option<String>,
    /// Where a new lake keeps its records: lake (in itself) or dynamodb:TABLE [default: lake]
    #[arg(long, value_name = "LEDGER", env = "EDGEMILL_LEDGER")]
    ledger: Option<LedgerChoice>,
    /// How long the partitions of a new lake are: hour, day or month [default: hour]
    #[arg(long, value_name = "GRANULARITY", env = "EDGEMILL_PARTITION")]
    partition: Option<Granularity>,
    /// Only the objects named for these hours, such as 2026-11-21T00..2026-11-22T00 (UTC)
    /// [env: `EDGEMILL_HOURS`]
    #[arg(long, value_name = "A..B", conflicts_with = "last")]
    hours: Option<HourRange>,
    /// Only the objects named for the last hours, such as 26h; after an outage, for as many hours
    /// more as it lasted [env: `EDGEMILL_LAST`]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    last: Option<Duration>,
    /// Merge the files of an hour that has this many small ones of its own; 0 for never [default:
    /// 16]
    #[arg(long, value_name = "N", env = "EDGEMILL_COMPACT_FILES")]
    compact_files: Option<usize>,
    /// The size that files are merged up to [default: 128MiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_TARGET_SIZE")]
    target_size: Option<ByteSize>,
    /// Clear work of dead runs that nobody has touched for this long [default: 1day]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration, env = "EDGEMILL_ORPHAN_AGE")]
    orphan_age: Option<Duration>,
    /// The catalog that the lake must have, as edgemill init gave it: the run is refused where it
    /// has not
    #[arg(long, value_name = "CATALOG", env = "EDGEMILL_CATALOG")]
    catalog: Option<CatalogChoice>,
    /// What becomes of an object once its rows are published and registered: keep, move (to
    /// --archive) or delete [default: keep]
    #[arg(long, value_name = "WHAT", env = "EDGEMILL_AFTER")]
    after: Option<AfterWord>,
    /// Where moved objects go, into folders year=/month=/day=/hour=: a place in the bucket of the
    /// logs, never read as logs
    #[arg(long, value_name = "URL", env = "EDGEMILL_ARCHIVE")]
    archive: Option<String>,
}

impl Args {
    /// The checked job.
    pub(super) fn job(self) -> Result<Job> {
        let file = self.reading.which.job.clone();
        let (mut hours, mut last) = (self.hours, self.last);
        if hours.is_none() && last.is_none() {
            hours = told("EDGEMILL_HOURS")?;
            last = told::<humantime::Duration>("EDGEMILL_LAST")?.map(Into::into);
            if hours.is_some() && last.is_some() {
                let hint = "unset one of them";
                return Err(Error::usage("EDGEMILL_HOURS and EDGEMILL_LAST exclude each other", hint));
            }
        }
        let mut reading = self.reading.typed(self.to);
        let mut shard = batch_shard()?;
        if let (Some(share), Some(all)) = (shard, hours)
            && reading.shard.is_none()
            && let Some(slice) = share.slice(all)
        {
            // Hours side by side: then no child lists what the others do.
            (hours, shard) = (Some(slice), None);
        }
        reading.cloud.catalog = self.catalog;
        reading.cloud.after = self.after;
        reading.cloud.archive = self.archive;
        reading.shard = reading.shard.or(shard);
        let typed = Typed {
            ledger: self.ledger,
            partition: self.partition,
            hours,
            last,
            compact_files: self.compact_files,
            target_bytes: self.target_size.map(|size| size.as_u64()),
            orphan_age: self.orphan_age,
            ..reading
        };
        Job::new(typed.over_file(file.as_deref())?, now_unix_seconds())
    }
}

/// Tells logs and counters of a run that has ended.
pub(super) async fn ended(verb: &str, job: &Job, summary: &Summary, metrics: Option<Metrics>) -> Result<()> {
    let stats = &summary.stats;
    tracing::info!(
        target: RUN_TARGET,
        verb,
        lake = job.to,
        source = job.from,
        hours = stats.units,
        listed_objects = stats.listed_objects,
        converted_objects = stats.converted_objects,
        known_objects = stats.known_objects,
        late_objects = stats.late_objects,
        lateness_seconds = stats.lateness_seconds,
        archived_objects = stats.archived_objects,
        left_alone_objects = stats.skipped_objects,
        first_left_alone = summary.first_left_alone,
        outside_objects = stats.outside_objects,
        filtered_objects = stats.filtered_objects,
        excluded_objects = stats.excluded_objects,
        nothing_matched = summary.nothing_matched,
        damaged_objects = stats.damaged_objects,
        unread_objects = stats.unread_objects,
        rows = stats.lines.rows,
        rejected_lines = stats.lines.rejected_lines,
        input_bytes = stats.input_bytes,
        output_files = stats.output_files,
        output_bytes = stats.output_bytes,
        rows_that_keep_more = summary.rows_that_keep_more,
        duration_seconds = summary.elapsed_seconds,
        exit_code = summary.exit_code(),
        "run ended"
    );
    if metrics == Some(Metrics::Emf) {
        let now = now_unix_seconds();
        let freshness_seconds = pipeline::freshness_seconds(job, now).await?;
        show::aside(&metrics::line(&job.to, summary, freshness_seconds, now).to_string());
    }
    Ok(())
}

pub(super) async fn run(args: Args, output: Output) -> Result<u8> {
    let job = args.job()?;
    let lake = job.to.clone();
    let summary = Box::pin(pipeline::convert(job.clone())).await?;
    ended("convert", &job, &summary, output.metrics).await?;
    if output.json {
        show::json(&summary)?;
    } else if !output.logs_tell {
        show::summary(&summary, &lake)?;
    }
    Ok(summary.exit_code())
}
