//! `edgemill plan`

use std::path::PathBuf;

use bytesize::ByteSize;

use super::conversion::ConversionArgs;
use super::show;
use crate::error::{EXIT_DONE, Error, Result};
use crate::job::said::look_and_mend;
use crate::plan;
use crate::plan::{Container, Forecast};
use crate::prices::{Prices, dollars};
use crate::stats::count;

const EXAMPLES: &str = "\
Examples:
  edgemill plan --from logs --to lake
  # A year of a bucket, on a container of four vCPUs
  edgemill plan --from s3://your-log-bucket/cloudfront --to s3://your-lake-bucket/lake \\
    --hours 2025-01-01T00..2026-01-01T00 --vcpus 4";

/// The heading of what is reckoned with.
const COSTS: &str = "Costs";

/// Say what convert would do with the same arguments, in objects, bytes, calls and money; nothing
/// is changed
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    conversion: ConversionArgs,
    /// Virtual CPUs of the container that is reckoned for
    #[arg(long, value_name = "N", default_value_t = 2.0, help_heading = COSTS)]
    vcpus: f64,
    /// A file of prices, as src/prices.toml of the repository [default: list prices of us-east-1]
    #[arg(long, value_name = "FILE", env = "EDGEMILL_PRICES", help_heading = COSTS)]
    prices: Option<PathBuf>,
}

/// Memory of a container, per vCPU, as `jobs/template.yaml` has it.
const MEMORY_BYTES_PER_VCPU: f64 = 2.0 * 1024.0 * 1024.0 * 1024.0;

pub(super) async fn run(args: Args, json: bool) -> Result<u8> {
    if !(0.25..=16.0).contains(&args.vcpus) {
        return Err(Error::usage(format!("--vcpus is {}", args.vcpus), "give 0.25 to 16, as Fargate has them"));
    }
    let prices = Prices::of(args.prices.as_deref())?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 32 GiB, checked above")]
    let memory_bytes = (args.vcpus * MEMORY_BYTES_PER_VCPU) as u64;
    let container = Container { vcpus: args.vcpus, memory_bytes };
    let job = args.conversion.job()?;
    let place = job.to.clone();
    let forecast = Box::pin(plan::forecast(job, container, &prices)).await;
    let forecast = forecast.map_err(|error| error.mended_by(|| look_and_mend(&place)))?;
    if json {
        show::json(&forecast)?;
    } else {
        told(&forecast, container)?;
    }
    Ok(EXIT_DONE)
}

fn told(forecast: &Forecast, container: Container) -> Result<()> {
    let range = forecast.hours.as_ref().map_or_else(String::new, |(first, last)| format!(", {first} to {last}"));
    show::line(&format!(
        "{} to convert ({}) in {}{range}; converted already: {}",
        count(forecast.objects, "object"),
        ByteSize(forecast.input_bytes),
        count(forecast.distinct_hours, "hour"),
        forecast.known_objects,
    ))?;
    if let Some(what) = &forecast.nothing_matched {
        show::line(what)?;
    }
    forecast.idle_filters.iter().try_for_each(|what| show::line(what))?;
    if forecast.same_content_objects > 0 {
        let copies = count(forecast.same_content_objects, "object");
        let what = "with the bytes of another under another key (--same-content says what becomes of them)";
        show::line(&format!("{copies} {what}"))?;
    }
    if forecast.changed_objects > 0 {
        let objects = count(forecast.changed_objects, "object");
        show::line(&format!("{objects} changed since: what was made of the same hours would be made anew"))?;
    }
    let (outside, filtered) = (forecast.outside_objects, forecast.filtered_objects);
    let (excluded, skipped) = (forecast.excluded_objects, forecast.skipped_objects);
    let others = forecast.other_shard_objects;
    if outside + filtered + excluded + others + skipped > 0 {
        let others = if others > 0 { format!(", of other shares {others}") } else { String::new() };
        show::line(&format!(
            "left out: of other hours {outside}, of other distributions {filtered}, excluded {excluded}{others}, no logs {skipped}"
        ))?;
    }
    let files = count(forecast.output_files, "file");
    show::line(&format!("about {files} of {} in all", ByteSize(forecast.output_bytes)))?;
    show::line(&format!(
        "about {} PUT and COPY, {} GET, {} LIST, {} and {} of the ledger, {} to Glue",
        forecast.put_calls,
        forecast.get_calls,
        forecast.list_calls,
        count(forecast.ledger_writes, "write"),
        count(forecast.ledger_reads, "read"),
        count(forecast.catalog_calls, "call"),
    ))?;
    let plural = if container.vcpus > 1.0 { "s" } else { "" };
    show::line(&format!("about {:.1} minutes on {} vCPU{plural}", forecast.minutes, container.vcpus))?;
    show::line(&format!(
        "{}: S3 {}, ledger {}, Glue {}, Fargate on demand {}; then {} a month to keep it",
        dollars(forecast.dollars),
        dollars(forecast.s3_dollars),
        dollars(forecast.ledger_dollars),
        dollars(forecast.catalog_dollars),
        dollars(forecast.container_dollars),
        dollars(forecast.storage_month_dollars),
    ))?;
    show::line(&format!(
        "the three queries once a day for a month over what is to be converted: {} on raw logs, {} on the table",
        dollars(forecast.queries_raw_month_dollars),
        dollars(forecast.queries_table_month_dollars),
    ))?;
    show::line(&format!("(list prices of {}; --prices FILE brings others)", forecast.prices))
}
