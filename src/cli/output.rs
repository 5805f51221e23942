//! What is said of a run, and where: the options that every verb has.

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

/// The heading of these options.
const GLOBAL: &str = "Global options";

/// The options that every verb has.
#[derive(Debug, clap::Args)]
pub struct GlobalOptions {
    /// Print one JSON object instead of text for people
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub json: bool,
    /// Say more (-v: what is decided, -vv: every step)
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    pub verbose: u8,
    /// How log lines are written to stderr
    #[arg(long, global = true, value_enum, default_value = "text", env = "EDGEMILL_LOG_FORMAT", help_heading = GLOBAL)]
    pub log_format: LogFormat,
    /// Count for CloudWatch: emf writes a line of its embedded metric format for each run
    #[arg(long, global = true, value_enum, env = "EDGEMILL_METRICS", help_heading = GLOBAL)]
    pub metrics: Option<Metrics>,
    /// Print help: in short (-h) or in full (--help)
    #[arg(short, long, global = true, action = clap::ArgAction::Help, help_heading = GLOBAL)]
    help: Option<bool>,
}

impl GlobalOptions {
    /// What a run is to say, and where.
    pub(super) fn output(&self) -> RunOutput {
        RunOutput { json: self.json, logs_tell: self.log_format == LogFormat::Json, metrics: self.metrics }
    }
}

/// What a run is to say, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct RunOutput {
    /// One JSON object to stdout.
    pub(super) json: bool,
    /// Log lines for machines say all that a summary would, without a line of a log in it.
    pub(super) logs_tell: bool,
    /// Where counts go.
    pub(super) metrics: Option<Metrics>,
}
