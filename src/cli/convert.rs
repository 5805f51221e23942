//! `edgemill convert`

use super::conversion::ConversionArgs;
use super::output::RunOutput;
use super::{run_end, show};
use crate::error::Result;
use crate::job::said::look_and_mend;
use crate::pipeline;

const EXAMPLES: &str = "\
Examples:
  # The logs of a folder, of CloudFront or a load balancer, to a lake beside it
  edgemill convert --from logs --to lake
  # Once an hour: what a bucket got in the last day, addresses of people cut
  edgemill convert --from s3://your-log-bucket/cloudfront \\
    --to s3://your-lake-bucket/lake --last 26h --client-ip truncate";

/// Convert the logs that the lake does not have yet
///
/// Run it again as often as you like: what was converted is not converted again, and what came late
/// is added. Any number of them may run at once.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    conversion: ConversionArgs,
}

pub(super) async fn run(args: Args, output: RunOutput) -> Result<u8> {
    let job = args.conversion.job()?;
    let lake = job.to.clone();
    let summary =
        Box::pin(pipeline::convert(job.clone())).await.map_err(|error| error.mended_by(|| look_and_mend(&lake)))?;
    run_end::tell("convert", &job, &summary, output.metrics).await?;
    if output.json {
        show::json(&summary)?;
    } else if !output.logs_tell {
        show::summary(&summary, &lake)?;
    }
    Ok(summary.exit_code())
}
