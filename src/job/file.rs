//! A job written down: a TOML file with the long names of the arguments, `-` as `_`. An argument or
//! a variable of the environment wins over it. Paths in it, those of `from` and `to` too, are taken
//! from its own folder, URLs as they are.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;

use super::Typed;
use super::cloud::TypedCloud;
use super::rows;
use super::rows::TypedRows;
use crate::error::{Error, Result};
use crate::kernel::schema::{SOURCES, source_named};
use crate::model::Table;

/// The file as it is written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct JobFile {
    from: Option<String>,
    to: Option<String>,
    ledger: Option<String>,
    partition: Option<String>,
    format: Option<String>,
    layout: Option<String>,
    distributions: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
    fields: Option<String>,
    delimiter: Option<String>,
    object_limit: Option<Size>,
    hours: Option<String>,
    last: Option<String>,
    shard: Option<String>,
    lease: Option<String>,
    orphan_age: Option<String>,
    compact_files: Option<usize>,
    target_size: Option<Size>,
    threads: Option<usize>,
    memory: Option<Size>,
    reject_warn_ratio: Option<f64>,
    reject_fail_ratio: Option<f64>,
    same_content: Option<String>,
    bots: Option<PathBuf>,
    ua_regexes: Option<PathBuf>,
    http_libraries: Option<String>,
    client_ip: Option<String>,
    client_ip_key_file: Option<PathBuf>,
    drop: Option<Vec<String>>,
    redact: Option<Vec<String>>,
    catalog: Option<String>,
    encryption: Option<String>,
    from_role: Option<String>,
    from_external_id: Option<String>,
    from_region: Option<String>,
    requester_pays: Option<bool>,
    after: Option<String>,
    archive: Option<String>,
}

/// A number of bytes, or a text such as `512MiB`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Size {
    Bytes(u64),
    Text(String),
}

/// Reads a job file.
pub(super) fn read(path: &Path) -> Result<Typed> {
    let text = rows::read(path)?;
    typed(&text, path.parent().unwrap_or_else(|| Path::new("."))).map_err(|what| {
        Error::usage(
            format!("{}: {what}", path.display()),
            "mend the job file; edgemill convert --help names what it may hold",
        )
    })
}

fn typed(text: &str, folder: &Path) -> Result<Typed, String> {
    let file: JobFile = toml::from_str(text).map_err(|error| error.to_string())?;
    if file.hours.is_some() && file.last.is_some() {
        return Err("hours and last exclude each other".to_owned());
    }
    let inside = |path: Option<PathBuf>| path.map(|path| folder.join(path));
    Ok(Typed {
        from: file.from.map(|from| place(folder, from)),
        to: file.to.map(|to| place(folder, to)),
        ledger: parsed("ledger", file.ledger)?,
        partition: parsed("partition", file.partition)?,
        table: table(file.format.as_deref())?,
        layout: parsed("layout", file.layout)?,
        distributions: file.distributions,
        exclude: file.exclude,
        fields: file.fields,
        delimiter: file.delimiter,
        object_limit_bytes: size("object_limit", file.object_limit)?,
        hours: parsed("hours", file.hours)?,
        last: duration("last", file.last)?,
        shard: parsed("shard", file.shard)?,
        lease: duration("lease", file.lease)?,
        orphan_age: duration("orphan_age", file.orphan_age)?,
        compact_files: file.compact_files,
        target_bytes: size("target_size", file.target_size)?,
        threads: file.threads,
        memory_bytes: size("memory", file.memory)?,
        reject_warn_ratio: file.reject_warn_ratio,
        reject_fail_ratio: file.reject_fail_ratio,
        same_content: parsed("same_content", file.same_content)?,
        rows: TypedRows {
            bots: inside(file.bots),
            ua_regexes: inside(file.ua_regexes),
            http_libraries: parsed("http_libraries", file.http_libraries)?,
            client_ip: parsed("client_ip", file.client_ip)?,
            client_ip_key_file: inside(file.client_ip_key_file),
            drop: file.drop,
            redact: file.redact,
        },
        cloud: TypedCloud {
            catalog: parsed("catalog", file.catalog)?,
            encryption: parsed("encryption", file.encryption)?,
            from_role: file.from_role,
            from_external_id: file.from_external_id,
            from_region: file.from_region,
            requester_pays: file.requester_pays,
            after: parsed("after", file.after)?,
            archive: file.archive.map(|archive| place(folder, archive)),
        },
    })
}

fn parsed<T: FromStr>(name: &str, text: Option<String>) -> Result<Option<T>, String>
where
    T::Err: std::fmt::Display,
{
    text.map(|text| text.parse().map_err(|error| format!("{name}: {error}"))).transpose()
}

fn size(name: &str, size: Option<Size>) -> Result<Option<u64>, String> {
    match size {
        Some(Size::Bytes(bytes)) => Ok(Some(bytes)),
        Some(Size::Text(text)) => Ok(parsed::<ByteSize>(name, Some(text))?.map(|size| size.as_u64())),
        None => Ok(None),
    }
}

/// A URL as it is, a path from the file's folder.
fn place(folder: &Path, url: String) -> String {
    if url.contains("://") { url } else { folder.join(url).display().to_string() }
}

fn duration(name: &str, text: Option<String>) -> Result<Option<Duration>, String> {
    text.map(|text| humantime::parse_duration(&text).map_err(|error| format!("{name}: {error}"))).transpose()
}

fn table(format: Option<&str>) -> Result<Option<Table>, String> {
    let Some(name) = format.filter(|name| *name != "auto") else { return Ok(None) };
    source_named(name).map(|source| Some(source.table)).ok_or_else(|| {
        let names: Vec<&str> = SOURCES.iter().map(|source| source.cli_name).collect();
        let (last, others) = names.split_last().unwrap_or((&"auto", &[]));
        format!("format: '{name}' is none of auto, {} and {last}", others.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_arguments_say() {
        let text = r#"
            from = "logs"
            to = "s3://bucket/lake"
            object_limit = 1000
            last = "26h"
            memory = "512MiB"
            format = "alb"
            bots = "bots.toml"
            client_ip = "truncate"
            redact = ["token"]
        "#;
        let typed = typed(text, Path::new("/jobs")).unwrap();
        assert_eq!((typed.from.as_deref(), typed.table), (Some("/jobs/logs"), Some(Table::AlbLogs)));
        assert_eq!(typed.to.as_deref(), Some("s3://bucket/lake"));
        assert_eq!((typed.memory_bytes, typed.last), (Some(512 << 20), Some(Duration::from_hours(26))));
        assert_eq!(typed.rows.bots.as_deref(), Some(Path::new("/jobs/bots.toml")));
    }

    /// The job files of the repository: each is one, and the first has every setting, with its
    /// default or an example.
    #[test]
    fn the_job_files_hold_every_setting() {
        let files = [
            include_str!("../../jobs/cloudfront-v1.toml"),
            include_str!("../../jobs/cloudfront-v2.toml"),
            include_str!("../../jobs/alb.toml"),
        ];
        let known = toml::from_str::<JobFile>("no_such_setting = 1").unwrap_err().to_string();
        let known: Vec<&str> = known.split('`').skip(1).step_by(2).filter(|name| *name != "no_such_setting").collect();
        assert!(known.len() > 30 && known.contains(&"from"), "{known:?}");
        for file in files {
            typed(file, Path::new(".")).unwrap();
            // With every example in force it is a job file still, but for the two settings that
            // exclude each other.
            let is_setting = |line: &str| {
                let name = line.split(" = ").next().unwrap_or_default();
                line.contains(" = ") && known.contains(&name) && name != "hours"
            };
            let uncommented = |line: &str| match line.strip_prefix("# ") {
                Some(setting) if is_setting(setting) => setting.to_owned(),
                _ => line.to_owned(),
            };
            let all: Vec<String> = file.lines().map(uncommented).collect();
            typed(&all.join("\n"), Path::new(".")).unwrap();
        }
        for name in known {
            assert!(files[0].contains(&format!("{name} = ")), "jobs/cloudfront-v1.toml does not explain {name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, named) in [
            ("hours = '2026-11-21T00..2026-11-22T00'\nlast = '1h'", "exclude"),
            ("form = 'x'", "form"),
            ("memory = 'much'", "memory"),
            ("client_ip = 'all'", "client_ip"),
            ("format = 'x'", "format"),
        ] {
            assert!(typed(text, Path::new(".")).is_err_and(|what| what.contains(named)), "{text}");
        }
    }
}
