//! `edgemill verify`

use super::convert::Which;
use super::{cloud, show};
use crate::error::{EXIT_DONE, EXIT_DONE_WITH_DAMAGE, Result};
use crate::job;
use crate::job::Typed;
use crate::job::logs::Logs;
use crate::lake::Lake;
use crate::model::HourRange;
use crate::signals;
use crate::verify;
use crate::verify::Options;

/// Prove that the lake holds every row of every object exactly once
///
/// Holds the ledger, the manifests, the Parquet files (their sizes and footers; their bytes with
/// --deep) and the catalog against each other, per object and per file; with --from also the logs
/// themselves. Exit code 0 if all agrees, 3 if not. While other runs are at work, what they have
/// under way is found too: look again when they have ended.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder of the lake, or `s3://BUCKET/PREFIX` [default: that of the job]
    #[arg(long, visible_alias = "to", value_name = "URL", env = "EDGEMILL_LAKE")]
    lake: Option<String>,
    /// Folder of the raw logs: also say which of them the lake lacks. What convert was told of them
    /// must be told here too [default: that of the job]
    #[arg(long, value_name = "URL")]
    from: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Only these hours, such as 2026-11-21T00..2026-11-22T00 (UTC) [default: all]
    #[arg(long, value_name = "A..B")]
    hours: Option<HourRange>,
    /// Read every file whole and hold it against the checksum of what was written, not only its
    /// size and footer
    #[arg(long)]
    deep: bool,
    /// Mend what can be mended: publish, register, close and clear what was left, delete files that
    /// nothing names
    #[arg(long)]
    fix: bool,
    #[command(flatten)]
    place: cloud::From,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let file = args.which.job.clone();
    let typed = Typed { from: args.from, to: args.lake, cloud: args.place.typed(), ..args.which.typed() };
    let Logs { lake, lake_access, from, access, naming } = typed.over_file(file.as_deref())?.logs()?;
    let lake = Lake::open_as(&lake.ok_or_else(|| job::missing("lake"))?, &lake_access).await?;
    let options = Options { from, source: access, naming, hours: args.hours, deep: args.deep, fix: args.fix };
    let report = signals::until_stopped(verify::verify(&lake, &options)).await?;
    if json {
        show::json(&report)?;
    } else {
        show::verified(&report)?;
    }
    Ok(if report.findings.is_empty() { EXIT_DONE } else { EXIT_DONE_WITH_DAMAGE })
}
