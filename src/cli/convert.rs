//! `edgemill convert`

use std::time::Duration;

use bytesize::ByteSize;

use super::show;
use crate::edge::clock::now_unix_seconds;
use crate::error::Result;
use crate::job::{Job, Shard, Typed};
use crate::kernel::names::Layout;
use crate::lake::LedgerChoice;
use crate::model::{HourRange, Table};
use crate::pipeline;

/// What a conversion and a second one have in common.
#[derive(Debug, clap::Args)]
pub(super) struct Reading {
    /// Folder of the raw logs
    #[arg(long, value_name = "URL", env = "EDGEMILL_FROM")]
    pub(super) from: String,
    /// Which logs they are: what names and first bytes say (auto), or all of one kind whatever their names
    #[arg(long, value_enum, default_value = "auto", env = "EDGEMILL_FORMAT")]
    format: FormatArg,
    /// Names of the fields of logs without a header (plain, raw), in their order: 'date time c-ip sc-status'
    #[arg(long, value_name = "NAMES", env = "EDGEMILL_FIELDS")]
    fields: Option<String>,
    /// What separates values: one character or some, tab or space [default: found out from the rows]
    #[arg(long, value_name = "TEXT", env = "EDGEMILL_DELIMITER")]
    delimiter: Option<String>,
    /// What the folders are where file names tell no hour: '{DistributionId}/{yyyy}/{MM}/{dd}/{HH}' in your order
    #[arg(long, value_name = "FOLDERS", env = "EDGEMILL_LAYOUT")]
    layout: Option<Layout>,
    /// The most text of one object; what a larger one holds beyond it is left, and the exit code is 3 [default: 64GiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_OBJECT_LIMIT")]
    object_limit: Option<ByteSize>,
    /// Only this share of the hours, such as 0/4 for the first of four processes
    #[arg(long, value_name = "I/N", env = "EDGEMILL_SHARD")]
    shard: Option<Shard>,
    /// Threads that work [default: all cores]
    #[arg(long, value_name = "N", env = "EDGEMILL_THREADS")]
    threads: Option<usize>,
    /// Memory to use, such as 512MiB [default: 1GiB]
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
}

impl Reading {
    /// As a job takes it.
    pub(super) fn typed(self, to: String) -> Typed {
        Typed {
            from: self.from,
            to,
            table: match self.format {
                FormatArg::Auto => None,
                FormatArg::Cloudfront => Some(Table::CloudfrontLogs),
                FormatArg::Alb => Some(Table::AlbLogs),
            },
            layout: self.layout,
            fields: self.fields,
            delimiter: self.delimiter,
            object_limit_bytes: self.object_limit.map(|limit| limit.as_u64()),
            shard: self.shard,
            threads: self.threads,
            memory_bytes: self.memory.map(|memory| memory.as_u64()),
            lease: self.lease,
            reject_warn_ratio: self.reject_warn_ratio,
            reject_fail_ratio: self.reject_fail_ratio,
            ..Typed::default()
        }
    }
}

/// Convert the logs that the lake does not have yet
///
/// Run it again as often as you like: what was converted is not converted again, and what came late is added. Any number of
/// them may run at once.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
    /// Folder of the lake; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: String,
    /// Where a new lake keeps its records: lake (in itself) or dynamodb:TABLE [default: lake]
    #[arg(long, value_name = "LEDGER", env = "EDGEMILL_LEDGER")]
    ledger: Option<LedgerChoice>,
    /// Only the objects named for these hours, such as 2026-11-21T00..2026-11-22T00 (UTC)
    #[arg(long, value_name = "A..B", env = "EDGEMILL_HOURS", conflicts_with = "last")]
    hours: Option<HourRange>,
    /// Only the objects named for the last hours, such as 26h; after an outage, for as many hours more as it lasted
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    last: Option<Duration>,
    /// Merge the files of an hour that has this many small ones of its own; 0 for never [default: 16]
    #[arg(long, value_name = "N", env = "EDGEMILL_COMPACT_FILES")]
    compact_files: Option<usize>,
    /// The size that files are merged up to [default: 128MiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_TARGET_SIZE")]
    target_size: Option<ByteSize>,
    /// Clear work of dead runs that nobody has touched for this long [default: 1day]
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration, env = "EDGEMILL_ORPHAN_AGE")]
    orphan_age: Option<Duration>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum FormatArg {
    /// By their names and first bytes
    Auto,
    /// Every object is a CloudFront standard log
    Cloudfront,
    /// Every object is an access log of an Application Load Balancer
    Alb,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let typed = Typed {
        ledger: args.ledger,
        hours: args.hours,
        last: args.last,
        compact_files: args.compact_files,
        target_bytes: args.target_size.map(|size| size.as_u64()),
        orphan_age: args.orphan_age,
        ..args.reading.typed(args.to)
    };
    let job = Job::new(typed, now_unix_seconds())?;
    let lake = job.to.clone();
    let summary = pipeline::convert(job).await?;
    if json {
        show::json(&summary)?;
    } else {
        show::summary(&summary, &lake)?;
    }
    Ok(summary.exit_code())
}
