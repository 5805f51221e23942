//! A job written down: a TOML file with the long names of the arguments, `-` as `_`. An argument or
//! a variable of the environment wins over it. Paths in it, those of `from` and `to` too, are taken
//! from its own folder, URLs as they are.

use std::path::Path;

use super::choices::FormatChoice;
use super::options::{JobFile, Typed};
use super::rows;
use crate::error::{Error, Result};

impl Typed {
    /// What a job file says wherever nothing was typed.
    pub fn over_file(mut self, path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(self) };
        // `--format auto` says nothing that a file could not say better.
        self.format = self.format.filter(|format| *format != FormatChoice::Auto);
        Ok(self.or(read(path)?))
    }
}

/// Reads a job file.
fn read(path: &Path) -> Result<Typed> {
    let text = rows::read(path)?;
    typed(&text, path.parent().unwrap_or_else(|| Path::new("."))).map_err(|what| {
        Error::usage(
            format!("{}: {what}", path.display()),
            "mend the job file; edgemill convert --help names what it may hold",
        )
    })
}

fn typed(text: &str, folder: &Path) -> Result<Typed, String> {
    toml::from_str::<JobFile>(text).map_err(|error| error.to_string())?.typed(folder)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::job::options;
    use crate::model::Table;

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
        assert_eq!(typed.from.as_deref(), Some("/jobs/logs"));
        assert_eq!(typed.format, Some(FormatChoice::Of(Table::AlbLogs)));
        assert_eq!(typed.to.as_deref(), Some("s3://bucket/lake"));
        assert_eq!((typed.memory_bytes, typed.last), (Some(512 << 20), Some(Duration::from_hours(26))));
        assert_eq!(typed.bots.as_deref(), Some(Path::new("/jobs/bots.toml")));
    }

    /// Every option is one of a job file, its example is a value of it, and the job file that
    /// explains every setting has it, with the example.
    #[test]
    fn every_option_is_in_a_job_file() {
        let explained = include_str!("../../jobs/cloudfront-v1.toml");
        for facts in options::all() {
            let line = format!("{} = {}", facts.name, facts.example);
            if let Err(what) = typed(&line, Path::new(".")) {
                panic!("{line}: {what}");
            }
            let stands = |there: &str| there == line || there == format!("# {line}");
            assert!(
                explained.lines().any(stands),
                "jobs/cloudfront-v1.toml lacks '{line}', with '# ' before it or not"
            );
        }
    }

    /// The job files of the repository are job files, with every example in force too, but for the
    /// two settings that exclude each other.
    #[test]
    fn the_job_files_are_some() {
        let known: Vec<&str> = options::all().iter().map(|facts| facts.name).collect();
        for file in [
            include_str!("../../jobs/cloudfront-v1.toml"),
            include_str!("../../jobs/cloudfront-v2.toml"),
            include_str!("../../jobs/alb.toml"),
        ] {
            typed(file, Path::new(".")).unwrap();
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
    }

    /// The settings of a file, those in comments too: name, value, and whether it is in force.
    fn settings(file: &str) -> Vec<(&str, &str, bool)> {
        let setting = |line| -> Option<(&str, &str, bool)> {
            let in_force = str::strip_prefix(line, "# ");
            let (name, value) = in_force.unwrap_or(line).split_once(" = ")?;
            let is_name = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            is_name.then_some((name, value, in_force.is_none()))
        };
        file.lines().filter_map(setting).collect()
    }

    /// What stands in comments is what a run does that is told nothing, as the file's head says;
    /// an example only where there is no such value.
    #[test]
    fn the_explained_job_file_shows_the_defaults_of_today() {
        let facts = options::all();
        let shown = settings(include_str!("../../jobs/cloudfront-v1.toml"));
        assert_eq!(shown.len(), facts.len(), "each setting stands there once");
        for (name, value, in_force) in shown {
            let facts = facts.iter().find(|facts| facts.name == name);
            let facts = facts.unwrap_or_else(|| panic!("jobs/cloudfront-v1.toml shows '{name}', which is no setting"));
            // Words stand for a default that is no value of its own: all cores, all hours.
            let default = facts.default.as_deref().filter(|default| facts.otherwise.is_none() && !default.is_empty());
            let Some(default) = default.filter(|_| !in_force) else { continue };
            let is = value.trim_matches('"');
            assert_eq!(is, default, "jobs/cloudfront-v1.toml: {name} is shown with another value than its default");
        }
    }

    /// No job file of the repository shows a setting that there is not.
    #[test]
    fn the_job_files_show_settings_that_there_are() {
        let known: Vec<&str> = options::all().iter().map(|facts| facts.name).collect();
        for file in [include_str!("../../jobs/cloudfront-v2.toml"), include_str!("../../jobs/alb.toml")] {
            for (name, ..) in settings(file) {
                assert!(known.contains(&name), "'{name}' is no setting");
            }
        }
    }

    #[test]
    fn what_is_typed_wins_over_a_file() {
        let of = |text: &str| typed(text, Path::new(".")).unwrap();
        let (hours, last) = (of("hours = '2026-11-21T00..2026-11-22T00'"), of("last = '26h'\nlease = '9s'"));
        let both = hours.clone().or(last.clone());
        assert_eq!((both.hours, both.last, both.lease), (hours.hours, None, Some(Duration::from_secs(9))));
        let both = last.or(hours);
        assert_eq!((both.hours, both.last), (None, Some(Duration::from_hours(26))));
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
