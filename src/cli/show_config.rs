//! `edgemill show-config`

use super::{convert, show};
use crate::error::{Error, Result};

/// Print the whole job that the arguments of convert, the environment and a job file make, as a job file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    convert: convert::Args,
}

pub(super) fn run(args: Args, json: bool) -> Result<u8> {
    let job = args.convert.job()?;
    if json {
        show::json(&job.shown())?;
    } else {
        let text = toml::to_string(&job.shown()).map_err(|error| Error::encode("the job", error))?;
        show::line(text.trim_end())?;
    }
    Ok(0)
}
