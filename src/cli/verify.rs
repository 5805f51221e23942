//! `edgemill verify`

use super::options::{Given, JobFileArg, LOGS, LakeArg, PLACES, RUNNING, Subset};
use super::show;
use crate::error::{EXIT_DONE, EXIT_DONE_WITH_DAMAGE, Result};
use crate::job;
use crate::job::Typed;
use crate::job::choices::AfterChoice;
use crate::lake::Lake;
use crate::lake::said::AlreadySaid;
use crate::model::HourRange;
use crate::signals;
use crate::verify;
use crate::verify::VerifyOptions;

const EXAMPLES: &str = "\
Examples:
  # The lake against its logs
  edgemill verify --lake lake --from logs
  # Every byte of it, and mend what can be mended
  edgemill verify --lake lake --deep --fix";

/// Which logs a lake is held against, and how it is reached.
#[derive(Debug)]
enum Comparison {}

impl Subset for Comparison {
    fn takes(name: &str) -> bool {
        matches!(
            name,
            "format"
                | "layout"
                | "distributions"
                | "exclude"
                | "fields"
                | "lease"
                | "orphan_age"
                | "encryption"
                | "from_role"
                | "from_external_id"
                | "from_region"
                | "requester_pays"
        )
    }
}

/// Prove that the lake holds every row of every object exactly once
///
/// Holds the ledger, the manifests, the Parquet files (their sizes and footers; their bytes with
/// --deep) and the catalog against each other, per object and per file; with --from also the logs
/// themselves. Exit code 0 if all agrees, 3 if not. While other runs are at work, what they have
/// under way is found too: look again when they have ended.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    place: LakeArg,
    /// Folder of the raw logs: also say which of them the lake lacks. What convert was told of them
    /// must be told here too [default: that of the job file]
    #[arg(long, value_name = "URL", help_heading = PLACES)]
    from: Option<String>,
    #[command(flatten)]
    file: JobFileArg,
    #[command(flatten)]
    options: Given<Comparison>,
    /// Only these hours, such as 2026-11-21T00..2026-11-22T00 (UTC) [default: all]
    #[arg(long, value_name = "A..B", help_heading = LOGS)]
    hours: Option<HourRange>,
    /// Read every file whole and hold it against the checksum of what was written, not only its
    /// size and footer
    #[arg(long, help_heading = RUNNING)]
    deep: bool,
    /// Mend what can be mended: publish, register, close and clear what was left, delete files that
    /// nothing names
    #[arg(long, help_heading = RUNNING)]
    fix: bool,
}

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let typed = Typed { from: args.from, to: args.place.lake, ..args.options.typed };
    let options = typed.over_file(args.file.path())?.decided();
    let naming = options.naming()?;
    let lake = options.to.as_deref().ok_or_else(|| job::missing("lake"))?;
    let lake = Lake::open_as(lake, &options.lake_access()).await?;
    let source = options.source_access();
    let said = AlreadySaid { of_logs: options.of_logs(), key_file: options.client_ip_key_file.clone() };
    let job::Options { from, lease, orphan_age, after, .. } = options;
    let is_taken_away = after != AfterChoice::Keep;
    let Args { hours, deep, fix, .. } = args;
    let options = VerifyOptions { from, source, naming, is_taken_away, hours, said, deep, fix, lease, orphan_age };
    let report = signals::until_stopped(verify::verify(&lake, &options)).await?;
    if json {
        show::json(&report)?;
    } else {
        show::verified(&report, orphan_age)?;
    }
    Ok(if report.findings.is_empty() { EXIT_DONE } else { EXIT_DONE_WITH_DAMAGE })
}
