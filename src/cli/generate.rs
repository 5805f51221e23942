//! `edgemill generate`

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::show;
use crate::error::{EXIT_DONE, Result};
use crate::generate;
use crate::generate::{Delivery, Spec};
use crate::kernel::schema;
use crate::kernel::schema::Source;
use crate::model::HourRange;
use crate::progress::{Measure, Progress};
use crate::stats::count;

const EXAMPLES: &str = "\
Examples:
  # A day of CloudFront logs
  edgemill generate --out logs --rows 20000
  # Six hours of two load balancers, other ones than the usual
  edgemill generate --out alb-logs --format alb --distributions 2 --seed 7 \\
    --hours 2026-11-21T00..2026-11-21T06 --rows 5000";

/// Make realistic logs from a seed: the same arguments give the same bytes
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Folder for the logs; must be empty or new
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Whose logs
    #[arg(long, value_enum, default_value = "cloudfront")]
    format: SourceArg,
    /// How they are delivered
    #[arg(long, value_enum, default_value = "classic")]
    layout: LayoutArg,
    /// Rows in all
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    rows: u64,
    /// Hours to spread them over
    #[arg(long, value_name = "A..B", default_value = "2026-11-21T00..2026-11-22T00")]
    hours: HourRange,
    /// Distributions (or load balancers) to spread them over
    #[arg(long, value_name = "N", default_value_t = 4)]
    distributions: u32,
    /// What the rows follow from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Threads that work [default: all cores]
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// A source whose logs can be made.
#[derive(Clone, Copy, Debug)]
struct SourceArg(&'static Source);

impl ValueEnum for SourceArg {
    fn value_variants<'a>() -> &'a [Self] {
        static ALL: LazyLock<Vec<SourceArg>> =
            LazyLock::new(|| generate::tables().filter_map(schema::source).map(SourceArg).collect());
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.cli_name).help(self.0.words.many))
    }
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LayoutArg {
    /// CloudFront's version 1; a load balancer's own files
    Classic,
    /// Vended W3C, Hive-style folders
    W3c,
    /// Vended plain text without a header, under flat names
    Plain,
    /// Vended JSON lines, in folders of year, month, day and hour
    Json,
    /// Vended Parquet, in folders of year, month, day and hour
    Parquet,
}

pub(super) fn run(args: Args, json: bool) -> Result<u8> {
    let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let spec = Spec {
        out: args.out,
        table: args.format.0.table,
        delivery: match args.layout {
            LayoutArg::Classic => Delivery::Classic,
            LayoutArg::W3c => Delivery::W3c,
            LayoutArg::Plain => Delivery::Plain,
            LayoutArg::Json => Delivery::Json,
            LayoutArg::Parquet => Delivery::Parquet,
        },
        rows: args.rows,
        hours: args.hours,
        distributions: args.distributions,
        seed: args.seed,
        threads: args.threads.unwrap_or(cores),
    };
    let progress = Progress::begin(Measure::Rows, spec.hours.hours(), spec.rows);
    let report = generate::run(&spec, &|rows| progress.add(rows))?;
    drop(progress);
    if json {
        show::json(&report)?;
    } else {
        let (raw, gzip) = (bytesize::ByteSize(report.raw_bytes), bytesize::ByteSize(report.gzip_bytes));
        show::line(&format!(
            "{} in {}, {gzip} ({raw} unpacked), in {}",
            count(report.rows, "row"),
            count(report.objects, "object"),
            spec.out.display()
        ))?;
        if spec.delivery == Delivery::Plain {
            let fields = generate::field_names(spec.table, spec.delivery).join(" ");
            show::line(&format!("without a header; read them with: edgemill convert --fields '{fields}'"))?;
        }
    }
    Ok(EXIT_DONE)
}
