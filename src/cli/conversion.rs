//! A conversion's arguments, for every verb that has to know the whole of one.

use super::options::{Given, JobFileArg, Subset, exclusive_variables};
use crate::edge::clock::now_unix_seconds;
use crate::error::{Error, Result};
use crate::job::{Job, Shard};

/// Every option.
#[derive(Debug)]
enum All {}

impl Subset for All {
    fn takes(_: &str) -> bool {
        true
    }
}

/// The whole of a conversion, for every verb that has to know it.
#[derive(Debug, clap::Args)]
pub(super) struct ConversionArgs {
    #[command(flatten)]
    options: Given<All>,
    #[command(flatten)]
    file: JobFileArg,
}

impl ConversionArgs {
    /// The checked job.
    pub(super) fn job(self) -> Result<Job> {
        let mut typed = self.options.typed;
        exclusive_variables(&mut typed)?;
        let mut shard = batch_shard()?;
        if let (Some(share), Some(all)) = (shard, typed.hours)
            && typed.shard.is_none()
            && let Some(slice) = share.slice(all)
        {
            // Hours side by side: then no child lists what the others do.
            (typed.hours, shard) = (Some(slice), None);
        }
        typed.shard = typed.shard.or(shard);
        Job::new(typed.over_file(self.file.path())?, now_unix_seconds())
    }
}

/// What a variable says, where it is set.
fn variable<T: std::str::FromStr>(name: &str) -> Result<Option<T>>
where
    T::Err: std::fmt::Display,
{
    let Ok(text) = std::env::var(name) else { return Ok(None) };
    let wrong = |error| Error::usage(format!("{name}: {error}"), "mend the variable of the environment, or unset it");
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(wrong) }
}

/// The share of a child of an array job of AWS Batch, which knows its index; the count comes from
/// Batch or from whoever submitted it.
fn batch_shard() -> Result<Option<Shard>> {
    let Some(index) = variable::<u64>("AWS_BATCH_JOB_ARRAY_INDEX")? else { return Ok(None) };
    let count = match variable::<u64>("EDGEMILL_SHARDS")? {
        Some(count) => Some(count),
        None => variable("AWS_BATCH_JOB_ARRAY_SIZE")?,
    };
    let Some(count) = count.filter(|count| index < *count) else {
        return Err(Error::usage(
            format!("this is child {index} of an array job, and of how many is not known"),
            "set EDGEMILL_SHARDS to the size of the array",
        ));
    };
    Ok(Some(Shard { index, count }))
}
