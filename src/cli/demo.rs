//! `edgemill demo`

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::show;
use crate::demo;
use crate::demo::Demo;
use crate::error::{EXIT_DONE, Result};
use crate::query;
use crate::query::AnswerFormat;

const EXAMPLES: &str = "\
Examples:
  edgemill demo
  # Less of it, in another folder
  edgemill demo --rows 20000 --dir small-demo";

/// Show it all on made-up logs: a day of logs, a lake, three answers
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folder for the logs and the lake
    #[arg(long, value_name = "DIR", default_value = "edgemill-demo")]
    dir: PathBuf,
    /// Rows of logs
    #[arg(long, value_name = "N", default_value_t = 400_000)]
    rows: u64,
}

/// Rows of an answer that fit a screen beside two others.
const ROWS_SHOWN: usize = 10;

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let demo = Demo { dir: args.dir, rows: args.rows, threads };
    let report = Box::pin(demo::prepare(&demo)).await?;
    if json {
        show::json(&serde_json::json!({ "lake": report.lake, "logs": report.logs, "convert": report.summary }))?;
    } else {
        show::line(&format!("A day of logs lies in {}", report.logs))?;
        show::summary(&report.summary, &report.lake)?;
    }
    for (name, title) in demo::QUESTIONS {
        let answer = demo::answer(&report, name, threads).await?;
        let (shown, rows) = answer.head(ROWS_SHOWN).await?;
        if json {
            query::print(shown, AnswerFormat::Json, &mut std::io::stdout()).await?;
        } else {
            let first =
                if rows > ROWS_SHOWN as u64 { format!(" (the first {ROWS_SHOWN} of {rows})") } else { String::new() };
            show::line(&format!("\n{title}{first}"))?;
            query::print(shown, AnswerFormat::Table, &mut std::io::stdout()).await?;
        }
    }
    if !json {
        show::line(&format!(
            "\nThe lake lies in {0}; ask it anything:\n  edgemill query --lake {0} \"SELECT browserfamily, COUNT(*) AS ct FROM cf_logs GROUP BY 1 ORDER BY 2 DESC\"",
            report.lake
        ))?;
    }
    Ok(EXIT_DONE)
}
