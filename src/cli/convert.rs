//! `edgemill convert`

use std::time::Duration;

use super::show;
use crate::error::Result;
use crate::job::{Job, Shard, Typed, now_unix_seconds};
use crate::kernel::names::Layout;
use crate::lake::LedgerChoice;
use crate::model::{HourRange, Table};
use crate::pipeline;

/// Convert the logs that the lake does not have yet
///
/// Run it again as often as you like: what was converted is not converted again, and what came late is added.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the raw logs
    #[arg(long, value_name = "URL", env = "EDGEMILL_FROM")]
    from: String,
    /// Folder of the lake; made if it is not there
    #[arg(long, value_name = "URL", env = "EDGEMILL_TO")]
    to: String,
    /// Where a new lake keeps its records: lake (in itself) or dynamodb:TABLE [default: lake]
    #[arg(long, value_name = "LEDGER", env = "EDGEMILL_LEDGER")]
    ledger: Option<LedgerChoice>,
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
    object_limit: Option<bytesize::ByteSize>,
    /// Only the objects named for these hours, such as 2026-11-21T00..2026-11-22T00 (UTC)
    #[arg(long, value_name = "A..B", env = "EDGEMILL_HOURS", conflicts_with = "last")]
    hours: Option<HourRange>,
    /// Only the objects named for the last hours, such as 26h
    #[arg(long, value_name = "D", value_parser = humantime::parse_duration)]
    last: Option<Duration>,
    /// Only this share of the hours, such as 0/4 for the first of four processes
    #[arg(long, value_name = "I/N", env = "EDGEMILL_SHARD")]
    shard: Option<Shard>,
    /// Threads that work [default: all cores]
    #[arg(long, value_name = "N", env = "EDGEMILL_THREADS")]
    threads: Option<usize>,
    /// Memory to use, such as 512MiB [default: 1GiB]
    #[arg(long, value_name = "BYTES", env = "EDGEMILL_MEMORY")]
    memory: Option<bytesize::ByteSize>,
    /// Share of rejected lines above which the exit code is 3 [default: 0.01]
    #[arg(long, value_name = "RATIO", env = "EDGEMILL_REJECT_WARN_RATIO")]
    reject_warn_ratio: Option<f64>,
    /// Share of rejected lines above which an hour is not committed [default: none]
    #[arg(long, value_name = "RATIO", env = "EDGEMILL_REJECT_FAIL_RATIO")]
    reject_fail_ratio: Option<f64>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum FormatArg {
    /// By their names and first bytes
    Auto,
    /// Every object is a CloudFront standard log
    Cloudfront,
    /// Every object is an access log of an Application Load Balancer
    Alb,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let typed = Typed {
        from: args.from,
        to: args.to,
        ledger: args.ledger,
        table: match args.format {
            FormatArg::Auto => None,
            FormatArg::Cloudfront => Some(Table::CloudfrontLogs),
            FormatArg::Alb => Some(Table::AlbLogs),
        },
        layout: args.layout,
        fields: args.fields,
        delimiter: args.delimiter,
        object_limit_bytes: args.object_limit.map(|limit| limit.as_u64()),
        hours: args.hours,
        last: args.last,
        shard: args.shard,
        threads: args.threads,
        memory_bytes: args.memory.map(|memory| memory.as_u64()),
        reject_warn_ratio: args.reject_warn_ratio,
        reject_fail_ratio: args.reject_fail_ratio,
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
