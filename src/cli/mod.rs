//! The command line, exactly as typed: one file per verb, no work in any. Results go to stdout,
//! everything else to stderr.

mod agent;
mod cloud;
mod compact;
mod convert;
mod ddl;
mod demo;
mod format;
mod generate;
mod init;
mod plan;
mod query;
mod reprocess;
mod show;
mod show_config;
mod verify;

use clap::{Parser, Subcommand};
use futures::future::BoxFuture;

use crate::error::Result;
use crate::signals::heeding_signals;

/// CloudFront access logs to a Parquet lake that costs little to query.
#[derive(Debug, Parser)]
#[command(name = "edgemill", version, about, max_term_width = 100)]
#[command(after_help = "Exit codes: 0 done; 1 failed, nothing lost, run again; 2 wrong usage; \
    3 done and committed, but an object was damaged or could not be read, or too many lines were rejected.")]
pub struct Cli {
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
    /// Print one JSON object instead of text for people
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more (-v: what is decided, -vv: every step)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// How log lines are written to stderr
    #[arg(long, global = true, value_enum, default_value = "text", env = "EDGEMILL_LOG_FORMAT")]
    pub log_format: LogFormat,
    /// Count for CloudWatch: emf writes a line of its embedded metric format for each run
    #[arg(long, global = true, value_enum, env = "EDGEMILL_METRICS")]
    pub metrics: Option<Metrics>,
}

/// What is said of a run, and where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Output {
    /// One JSON object to stdout.
    json: bool,
    /// Log lines for machines say all that a summary would, without a line of a log in it.
    logs_tell: bool,
    /// Where counts go.
    metrics: Option<Metrics>,
}

impl Cli {
    fn output(&self) -> Output {
        Output { json: self.json, logs_tell: self.log_format == LogFormat::Json, metrics: self.metrics }
    }
}

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people
    Text,
    /// One JSON object a line, with a line for each hour and each run
    Json,
}

/// Where counts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Metrics {
    /// To stderr, in CloudWatch's embedded metric format
    Emf,
}

/// What can be done.
#[derive(Debug, Subcommand)]
#[expect(missing_docs, reason = "each variant's help text stands at its arguments")]
pub enum Verb {
    Demo(demo::Args),
    Generate(generate::Args),
    Convert(Box<convert::Args>),
    Plan(Box<plan::Args>),
    Init(Box<init::Args>),
    Verify(verify::Args),
    Compact(compact::Args),
    Reprocess(Box<reprocess::Args>),
    Query(query::Args),
    Ddl(ddl::Args),
    Agent(agent::Args),
    ShowConfig(Box<show_config::Args>),
}

/// Does what was asked for; the exit code where it went well. Boxed, so that the binary's own crate
/// does not have to be built from every future of the library again, which took as long as the
/// library itself.
#[must_use]
pub fn run(cli: Cli) -> BoxFuture<'static, Result<u8>> {
    Box::pin(async move {
        let output = cli.output();
        match cli.verb {
            Verb::Demo(args) => demo::run(args, cli.json).await,
            Verb::Generate(args) => generate::run(args, cli.json),
            Verb::Convert(args) => heeding_signals(Box::pin(convert::run(*args, output))).await,
            Verb::Plan(args) => plan::run(*args, cli.json).await,
            Verb::Init(args) => heeding_signals(Box::pin(init::run(*args, cli.json))).await,
            Verb::Verify(args) => heeding_signals(Box::pin(verify::run(args, cli.json))).await,
            Verb::Compact(args) => heeding_signals(Box::pin(compact::run(args, cli.json))).await,
            Verb::Reprocess(args) => heeding_signals(Box::pin(reprocess::run(*args, output))).await,
            Verb::Query(args) => query::run(args, cli.json).await,
            Verb::Ddl(args) => ddl::run(&args, cli.json),
            Verb::Agent(args) => agent::run(args, cli.json),
            Verb::ShowConfig(args) => show_config::run(*args, cli.json),
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_sound() {
        super::Cli::command().debug_assert();
    }
}
