//! A job as people and scripts see it: every choice, with what was decided where nothing was said.
//! No secret is in it.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::Job;
use crate::kernel::policy::recipe::Fingerprint;
use crate::kernel::schema;

/// Every choice of a job under the name of its argument.
#[derive(Debug, Serialize)]
struct Shown {
    from: String,
    to: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ledger: Option<String>,
    partition: Option<String>,
    format: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<String>,
    distributions: Vec<String>,
    exclude: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delimiter: Option<String>,
    object_limit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hours: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<String>,
    shard: String,
    lease: String,
    orphan_age: String,
    compact_files: usize,
    target_size: String,
    threads: usize,
    memory: String,
    reject_warn_ratio: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reject_fail_ratio: Option<f64>,
    same_content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    bots: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ua_regexes: Option<String>,
    http_libraries: String,
    /// What was not said of people stays unsaid: a run that says it keeps everything is not refused
    /// any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_ip_key_file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drop: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    redact: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalog: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encryption: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_external_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    from_region: Option<String>,
    requester_pays: bool,
    after: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<String>,
}

impl Job {
    /// Every choice, to be written as TOML or JSON.
    #[must_use]
    pub fn shown(&self) -> impl Serialize + use<> {
        let typed = &self.rows.typed;
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| absolute(path));
        let place = |url: &str| if url.contains("://") { url.to_owned() } else { absolute(Path::new(url)) };
        Shown {
            from: place(&self.from),
            to: place(&self.to),
            ledger: self.ledger.as_ref().map(ToString::to_string),
            partition: self.partition.map(|granularity| granularity.to_string()),
            format: self.naming.table.and_then(schema::source).map_or("auto", |source| source.cli_name),
            layout: self.naming.layout.as_ref().map(ToString::to_string),
            distributions: self.naming.distributions.iter().cloned().collect(),
            exclude: self.naming.exclude.patterns().map(str::to_owned).collect(),
            fields: self.fields.as_ref().map(|names| names.join(" ")),
            delimiter: self.delimiter.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
            object_limit: bytes(self.object_limit_bytes),
            hours: self.hours.filter(|_| self.last.is_none()).map(|hours| hours.to_string()),
            last: self.last.map(|last| humantime::format_duration(last).to_string()),
            shard: format!("{}/{}", self.shard.index, self.shard.count),
            lease: humantime::format_duration(self.lease).to_string(),
            orphan_age: humantime::format_duration(self.orphan_age).to_string(),
            compact_files: self.compact_files,
            target_size: bytes(self.target_bytes),
            threads: self.threads,
            memory: bytes(self.memory_bytes),
            reject_warn_ratio: self.reject_warn_ratio,
            reject_fail_ratio: self.reject_fail_ratio,
            same_content: self.same_content.to_string(),
            bots: path(&typed.bots),
            ua_regexes: path(&typed.ua_regexes),
            http_libraries: typed.http_libraries.unwrap_or_default().to_string(),
            client_ip: typed.client_ip.map(|choice| choice.to_string()),
            client_ip_key_file: path(&typed.client_ip_key_file),
            drop: typed.drop.clone(),
            redact: typed.redact.clone(),
            catalog: self.cloud.catalog.as_ref().map(ToString::to_string),
            encryption: self.cloud.lake.encryption.as_ref().map(ToString::to_string),
            from_role: self.cloud.source.role.clone(),
            from_external_id: self.cloud.source.external_id.clone(),
            from_region: self.cloud.source.region.clone(),
            requester_pays: self.cloud.source.requester_pays,
            after: self.cloud.after.word().to_string(),
            archive: self.cloud.archive.as_deref().map(place),
        }
    }

    /// What every file of this job will say of how its rows were made.
    #[must_use]
    pub fn stamp(&self) -> Fingerprint {
        Fingerprint { rules: self.rows.additions.stamp(), privacy: self.rows.privacy.stamp() }
    }
}

/// A size as a job file may have it: rounded only where nothing is lost.
fn bytes(size: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let whole = units.iter().find(|(unit, _)| size > 0 && size.is_multiple_of(*unit));
    whole.map_or_else(|| format!("{size}B"), |(unit, name)| format!("{}{name}", size / unit))
}

/// A path that means the same wherever the job is started.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}
