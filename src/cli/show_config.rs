//! `edgemill show-config`

use std::collections::BTreeMap;

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

use super::conversion::ConversionArgs;
use super::show;
use crate::error::{Error, Result};
use crate::kernel::policy::recipe::Fingerprint;

const EXAMPLES: &str = "\
Examples:
  # What a job file and the environment come to
  edgemill show-config --job jobs/cloudfront-v1.toml --from logs
  # A job file to begin with
  edgemill show-config --from logs --to lake --last 26h > job.toml";

/// Print the whole job that the arguments of convert, the environment and a job file make, as a job
/// file
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    conversion: ConversionArgs,
}

/// The job, and what its files will say: for JSON, where an option without a value is null.
struct ShownJob<'a> {
    options: &'a [(&'static str, Option<toml::Value>)],
    files_say: BTreeMap<&'static str, String>,
}

impl Serialize for ShownJob<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.options {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("files_say", &self.files_say)?;
        map.end()
    }
}

pub(super) fn run(args: Args, json: bool) -> Result<u8> {
    let job = args.conversion.job()?;
    let options = job.shown();
    let Fingerprint { rules, privacy } = job.stamp();
    if json {
        show::json(&ShownJob { options: &options, files_say: [("rules", rules), ("privacy", privacy)].into() })?;
    } else {
        let said = options.into_iter().filter_map(|(name, value)| value.map(|value| (name.to_owned(), value)));
        let text = toml::to_string(&said.collect::<toml::Table>()).map_err(|error| Error::encode("the job", error))?;
        show::line(text.trim_end())?;
        show::line(&format!("\n# Every file will say of its rows:\n#   rules: {rules}\n#   privacy: {privacy}"))?;
    }
    Ok(0)
}
