//! The command line, exactly as typed: one file per verb, no work in any. Results go to stdout,
//! everything else to stderr.
//!
//! | file | what it does |
//! |-|-|
//! | `convert`, `plan`, `reprocess`, `compact`, `verify`, `init` | a verb each: its arguments, its help, its words at the end |
//! | `query` | `edgemill query`: its arguments, and where an answer goes |
//! | `demo`, `generate`, `agent`, `ddl`, `show_config` | the other verbs |
//! | `conversion` | the arguments of a conversion, for `convert`, `plan` and `show-config` |
//! | `options` | the list of `job::options` as arguments: a verb says which it takes |
//! | `output` | options of every verb: `--json`, `--log-format`, `--metrics` |
//! | `run_end` | what logs and metrics are told when a run has ended |
//! | `show` | summaries, as people and scripts read them |

mod agent;
mod compact;
mod conversion;
mod convert;
mod ddl;
mod demo;
mod generate;
mod init;
mod options;
mod output;
mod plan;
mod query;
mod reprocess;
mod run_end;
mod show;
mod show_config;
mod verify;

use clap::{Parser, Subcommand};
use futures::future::BoxFuture;

use crate::error::Result;
use crate::signals::heeding_signals;

pub use output::{GlobalOptions, LogFormat, Metrics};

const EXAMPLES: &str = "\
Examples:
  # Made-up logs, a lake, and three answers
  edgemill demo
  # Your own logs
  edgemill convert --from logs --to lake

Exit codes: 0 done; 1 failed, nothing lost, run again; 2 wrong usage; 3 done and committed, \
but an object was damaged or could not be read, or too many lines were rejected.";

/// CloudFront access logs to a Parquet lake that costs little to query.
#[derive(Debug, Parser)]
#[command(name = "edgemill", version, about, max_term_width = 100, disable_help_flag = true)]
#[command(after_help = EXAMPLES)]
pub struct Cli {
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
    /// What every verb takes.
    #[command(flatten)]
    pub global: GlobalOptions,
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
        let output = cli.global.output();
        let json = output.json;
        match cli.verb {
            Verb::Demo(args) => demo::run(args, json).await,
            Verb::Generate(args) => generate::run(args, json),
            Verb::Convert(args) => heeding_signals(Box::pin(convert::run(*args, output))).await,
            Verb::Plan(args) => plan::run(*args, json).await,
            Verb::Init(args) => heeding_signals(Box::pin(init::run(*args, json))).await,
            Verb::Verify(args) => heeding_signals(Box::pin(verify::run(args, json))).await,
            Verb::Compact(args) => heeding_signals(Box::pin(compact::run(args, json))).await,
            Verb::Reprocess(args) => heeding_signals(Box::pin(reprocess::run(*args, output))).await,
            Verb::Query(args) => query::run(args, json).await,
            Verb::Ddl(args) => ddl::run(&args, json),
            Verb::Agent(args) => agent::run(args, json),
            Verb::ShowConfig(args) => show_config::run(*args, json),
        }
    })
}

#[cfg(test)]
mod tests;
