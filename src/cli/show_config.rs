//! `edgemill show-config`

use std::collections::BTreeMap;

use serde::Serialize;

use super::{convert, show};
use crate::error::{Error, Result};
use crate::kernel::policy::recipe::Fingerprint;

/// Print the whole job that the arguments of convert, the environment and a job file make, as a job
/// file
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    convert: convert::Args,
}

/// The job, and what its files will say.
#[derive(Serialize)]
struct Shown<J> {
    #[serde(flatten)]
    job: J,
    files_say: BTreeMap<&'static str, String>,
}

pub(super) fn run(args: Args, json: bool) -> Result<u8> {
    let job = args.convert.job()?;
    if json {
        let Fingerprint { rules, privacy } = job.stamp();
        show::json(&Shown { job: job.shown(), files_say: [("rules", rules), ("privacy", privacy)].into() })?;
    } else {
        let text = toml::to_string(&job.shown()).map_err(|error| Error::encode("the job", error))?;
        show::line(text.trim_end())?;
        let Fingerprint { rules, privacy } = job.stamp();
        show::line(&format!("\n# Every file will say of its rows:\n#   rules: {rules}\n#   privacy: {privacy}"))?;
    }
    Ok(0)
}
