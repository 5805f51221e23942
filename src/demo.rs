//! The demo: a day of made-up logs, a lake, and the three questions of AWS's blog of 2017.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use crate::edge::clock::now_unix_seconds;
use crate::error::{Error, Result};
use crate::generate;
use crate::generate::{Delivery, Spec};
use crate::job::{Job, Typed};
use crate::lake::Lake;
use crate::model::Table;
use crate::pipeline;
use crate::pipeline::Summary;
use crate::progress::{Measure, Progress};
use crate::query;
use crate::query::{Limits, QueryAnswer};

/// The day that the demo's logs are of.
const HOURS: &str = "2026-11-21T00..2026-11-22T00";

/// The named queries, and what they ask.
pub const QUESTIONS: [(&str, &str); 3] = [
    ("bots", "Which bots ask most, and where?"),
    ("bytes", "How many bytes left each distribution from each edge location?"),
    ("viewers", "Who asks most?"),
];

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Demo {
    /// Holds `logs/` and `lake/`.
    pub dir: PathBuf,
    /// Rows of logs.
    pub rows: u64,
    /// Threads that work.
    pub threads: NonZeroUsize,
}

/// A lake to be asked.
#[derive(Clone, Debug)]
pub struct DemoReport {
    /// Where the logs lie.
    pub logs: String,
    /// Where the lake lies.
    pub lake: String,
    /// What the conversion did.
    pub summary: Summary,
}

/// Makes the logs, where they are not there yet, and converts them.
pub async fn prepare(demo: &Demo) -> Result<DemoReport> {
    let (logs, lake) = (demo.dir.join("logs"), demo.dir.join("lake"));
    if !logs.exists() {
        let hours = HOURS.parse().map_err(|error: String| Error::usage(error, "report this as a defect"))?;
        let spec = Spec {
            out: logs.clone(),
            table: Table::CloudfrontLogs,
            delivery: Delivery::Classic,
            rows: demo.rows,
            hours,
            distributions: 4,
            seed: 7,
            threads: demo.threads.get(),
        };
        let progress = Progress::begin(Measure::Rows, 24, demo.rows);
        tokio::task::block_in_place(|| generate::run(&spec, &|rows| progress.add(rows)))?;
    }
    let text = |path: &PathBuf| path.display().to_string();
    let typed =
        Typed { from: Some(text(&logs)), to: Some(text(&lake)), threads: Some(demo.threads.get()), ..Typed::default() };
    let summary = Box::pin(pipeline::convert(Job::new(typed, now_unix_seconds())?)).await?;
    Ok(DemoReport { logs: text(&logs), lake: text(&lake), summary })
}

/// The answer to one of the questions.
pub async fn answer(report: &DemoReport, name: &str, threads: NonZeroUsize) -> Result<QueryAnswer> {
    let lake = Lake::open(&report.lake).await?;
    query::ask(&lake, query::named(name)?, &Limits::new(threads, None)?).await
}
