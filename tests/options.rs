//! Options through the binary: each of the list is an argument, a variable, a line of a job file
//! and a line of `show-config`, and all four are the same; `docs/options.md` is what the list says;
//! the examples of `--help` work; and every verb that waits for others waits as it is told.
//!
//! `EDGEMILL_RENEW=1` writes `docs/options.md` anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use clap::{Command, CommandFactory};
use common::{binary, exits, files, generate, text};
use edgemill::cli::Cli;
use edgemill::job::choices::FormatChoice;
use edgemill::job::declare::{Heading, OptionFacts, Rows};
use edgemill::job::options;
use serde_json::Value;

/// The value of an example, as one types it.
fn typed(example: &str) -> String {
    let line: toml::Table = toml::from_str(&format!("it = {example}")).unwrap();
    match &line["it"] {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(list) => list.iter().map(|text| text.as_str().unwrap()).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Where a job file lies beside the files that the examples name.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write("bots.toml", "[[rule]]\npattern = \"Acme\"\nbot = true\n");
        write("client-ip.key", "0123456789abcdef0123456789abcdef\n");
        let parser = "\n  - regex: '(Acme)/(\\d+)'\n";
        write("regexes.yaml", &format!("user_agent_parsers:{parser}os_parsers:{parser}device_parsers:{parser}"));
        Self(dir)
    }

    /// What `show-config` says of a job.
    fn shown(&self, file: &str, arguments: &[String], variables: &[(String, String)]) -> Value {
        let job = self.0.path().join("job.toml");
        fs::write(&job, file).unwrap();
        let mut command = binary();
        command.current_dir(self.0.path()).args(["show-config", "--json", "--job", text(&job)]).args(arguments);
        let output = command.envs(variables.iter().cloned()).output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{file}\n{arguments:?} {variables:?}: {told}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// What a job needs beside one option, as lines of its file.
fn beside(name: &str) -> String {
    let mut lines = String::new();
    for (need, line) in
        [("from", "from = \"s3://your-log-bucket/logs\""), ("to", "to = \"s3://your-lake-bucket/some-lake\"")]
    {
        if name != need {
            writeln!(lines, "{line}").unwrap();
        }
    }
    if name == "client_ip_key_file" {
        lines += "client_ip = \"hash\"\n";
    }
    lines
}

#[test]
fn an_option_is_the_same_wherever_it_is_said() {
    let folder = Folder::new();
    let unsaid = folder.shown(&beside(""), &[], &[]);
    for facts in options::all() {
        let OptionFacts { name, example, .. } = facts;
        let beside = beside(name);
        let in_file = folder.shown(&format!("{beside}{name} = {example}\n"), &[], &[]);
        assert!(!in_file[name].is_null(), "show-config does not show {name}");
        let value = typed(example);
        let is_default = facts.default.as_ref() == Some(&value);
        assert!(is_default || in_file[name] != unsaid[name], "{name} in a job file is of no effect");
        let variable = [(facts.variable(), value.clone())];
        assert_eq!(folder.shown(&beside, &[], &variable), in_file, "the variable of {name}");
        // A flag has no value.
        let argument = match value.as_str() {
            "true" => vec![format!("--{}", facts.flag())],
            "false" => vec![],
            _ => vec![format!("--{}", facts.flag()), value],
        };
        assert_eq!(folder.shown(&beside, &argument, &[]), in_file, "the argument of {name}");
    }
}

#[test]
fn what_is_typed_wins_over_the_environment_and_that_over_the_file() {
    let folder = Folder::new();
    let file = format!("{}lease = \"2m\"\nlast = \"3h\"\nrequester_pays = true\n", beside(""));
    let variable = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let argument = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let lease = |shown: &Value| shown["lease"].as_str().map(str::to_owned).unwrap();
    let of_file = folder.shown(&file, &[], &[]);
    assert_eq!((lease(&of_file), &of_file["requester_pays"]), ("2m".to_owned(), &true.into()));
    assert_eq!(lease(&folder.shown(&file, &[], &[variable("EDGEMILL_LEASE", "3m")])), "3m");
    let typed = argument(&["--lease", "4m"]);
    assert_eq!(lease(&folder.shown(&file, &typed, &[variable("EDGEMILL_LEASE", "3m")])), "4m");
    // Of two that exclude each other, the one that was said nearest is meant.
    let hours = "2026-11-21T00..2026-11-22T00";
    let shown = folder.shown(&file, &argument(&["--hours", hours]), &[variable("EDGEMILL_LAST", "5h")]);
    assert_eq!((&shown["hours"], &shown["last"]), (&hours.into(), &Value::Null));
    let shown = folder.shown(&file, &[], &[variable("EDGEMILL_HOURS", hours)]);
    assert_eq!((&shown["hours"], &shown["last"]), (&hours.into(), &Value::Null));
    let refused = |mut command: std::process::Command| -> String {
        let Output { status, stderr, .. } = command.output().unwrap();
        assert_eq!(status.code(), Some(2));
        String::from_utf8(stderr).unwrap()
    };
    let mut command = binary();
    command.args(["show-config", "--from", "s3://your-log-bucket", "--to", "s3://your-lake-bucket"]);
    command.env("EDGEMILL_HOURS", hours).env("EDGEMILL_LAST", "5h");
    assert!(refused(command).contains("EDGEMILL_HOURS and EDGEMILL_LAST exclude each other"));
    let mut command = binary();
    command.args(["show-config", "--from", "s3://your-log-bucket", "--to", "s3://your-lake-bucket"]);
    command.env("EDGEMILL_LAST", "soon");
    assert!(refused(command).contains("EDGEMILL_LAST: "));
}

/// The verbs that take an option.
fn verbs(command: &Command, facts: &OptionFacts) -> Vec<String> {
    let takes = |verb: &&Command| {
        verb.get_arguments().any(|argument| {
            argument.get_id() == facts.name && argument.get_help_heading() == Some(facts.heading.title())
        })
    };
    command.get_subcommands().filter(takes).map(|verb| format!("`{}`", verb.get_name())).collect()
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The whole of `docs/options.md`.
fn documentation() -> String {
    let command = Cli::command();
    let mut page = String::from(
        "# Options of a conversion\n\n\
        An option is said in one of three ways. An argument (`--target-size 64MiB`) wins over a variable of the environment\n\
        (`EDGEMILL_TARGET_SIZE=64MiB`), and that over a job file (`target_size = \"64MiB\"`). A job file is TOML;\n\
        `--job FILE` or `EDGEMILL_JOB` names it, and paths in it start at its own folder. `edgemill show-config` prints what\n\
        all of it comes to, as a job file. [`jobs/cloudfront-v1.toml`](../jobs/cloudfront-v1.toml) holds and explains every\n\
        option.\n\n\
        `edgemill VERB --help` lists the options of a verb, with those that only this verb has.\n\n\
        An option marked \\* changes how rows are made: hours made with another value of it are written anew by\n\
        `reprocess --outdated`. What an option marked \\*\\* says of people is remembered by the lake, and only `init` changes it.\n\n\
        This page is made from the list in `src/job/options.rs`, by `EDGEMILL_RENEW=1 cargo test --release --test options`.\n",
    );
    for heading in Heading::ALL {
        write!(page, "\n## {}\n\n", heading.title()).unwrap();
        page += "| Option | What it does | Default | In a job file, for example | Verbs |\n|-|-|-|-|-|\n";
        for facts in options::all().iter().filter(|facts| facts.heading == heading) {
            let mark = match facts.rows {
                Rows::Unchanged => "",
                Rows::Made => " \\*",
                Rows::People => " \\*\\*",
            };
            let excludes = facts.excludes.map_or_else(String::new, |other| format!(". Excludes `--{other}`"));
            let (help, default) = (cell(facts.help), cell(facts.default_text().unwrap_or_default()));
            let (example, verbs) = (cell(facts.example), verbs(&command, facts).join(", "));
            let (flag, name) = (facts.flag(), facts.name);
            let line = format!("| `--{flag}`{mark} | {help}{excludes} | {default} | `{name} = {example}` | {verbs} |");
            writeln!(page, "{line}").unwrap();
        }
    }
    page
}

#[test]
fn the_page_of_options_is_what_the_list_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/options.md");
    let page = documentation();
    if std::env::var_os("EDGEMILL_RENEW").is_some() {
        fs::write(&path, &page).unwrap();
    }
    let there = fs::read_to_string(&path).unwrap_or_default();
    let other = page.lines().zip(there.lines()).find(|(new, old)| new != old);
    assert!(page == there, "docs/options.md is not what the list says: {other:?}; EDGEMILL_RENEW=1 writes it anew");
    for facts in options::all() {
        assert!(facts.help.len() > 15 && !facts.help.ends_with('.'), "{}: {}", facts.name, facts.help);
    }
}

/// The words of a command line.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// Every example that needs no cloud and no file of somebody's works, one after another as somebody
/// would try them.
#[test]
fn the_examples_of_help_work() {
    let dir = tempfile::tempdir().unwrap();
    let command = Cli::command();
    let mut done = 0;
    for name in [
        "generate",
        "plan",
        "show-config",
        "convert",
        "query",
        "verify",
        "compact",
        "reprocess",
        "ddl",
        "agent",
        "demo",
        "init",
    ] {
        let verb = command.find_subcommand(name).unwrap();
        let shown = verb.get_after_help().unwrap().to_string().replace("\\\n", " ");
        let is_tried =
            |line: &&str| line.starts_with("  edgemill ") && !line.contains("s3://") && !line.contains("--job");
        for line in shown.lines().filter(is_tried) {
            let line = line.split(" > ").next().unwrap();
            let output = binary().current_dir(dir.path()).args(&words(line)[1..]).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            done += 1;
        }
    }
    assert!(done > 12, "{done} examples were tried");
    let statuses = fs::read_to_string(dir.path().join("statuses.csv")).unwrap();
    assert!(statuses.starts_with("sc_status,ct\n"), "{statuses}");
}

/// A job file of a conversion serves to make its lake, whatever files it names that are elsewhere.
#[test]
fn init_takes_of_a_job_file_what_is_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let job = dir.path().join("job.toml");
    let others: Vec<String> = options::all()
        .iter()
        .filter(|facts| facts.rows == Rows::Made)
        .map(|facts| format!("{} = {}\n", facts.name, facts.example))
        .collect();
    assert!(others.iter().any(|line| line.starts_with("bots")), "{others:?}");
    fs::write(&job, format!("to = \"lake\"\npartition = \"day\"\nclient_ip = \"truncate\"\n{}", others.concat()))
        .unwrap();
    let (told, _) = exits(0, &["init", "--json", "--job", text(&job)]);
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        (&told["partition"], &told["people"]["alb_logs"]["keeps"]),
        (&"day".into(), &"client_ip=truncate".into())
    );
    let command = Cli::command();
    let help = command.find_subcommand("init").unwrap().get_arguments().find(|argument| argument.get_id() == "format");
    let help = help.unwrap().get_help().unwrap().to_string();
    for (word, _) in FormatChoice::words() {
        assert!(help.contains(word), "{word} is not in: {help}");
    }
}

/// A lake with a folder of a run that died before anything counted.
fn left_over(dir: &Path) -> (PathBuf, PathBuf) {
    let (logs, lake) = (dir.join("logs"), dir.join("lake"));
    generate(&logs, 200, 1);
    exits(0, &["convert", "--from", text(&logs), "--to", text(&lake), "--hours", "2026-11-21T00..2026-11-21T02"]);
    let rest = ["convert", "--from", text(&logs), "--to", text(&lake), "--threads", "1"];
    let killed = binary().args(rest).env("EDGEMILL_CRASH", "staged:1").output().unwrap();
    assert!(killed.status.code().is_none(), "{killed:?}");
    assert!(!files(&lake.join("staging")).is_empty());
    (logs, lake)
}

#[test]
fn every_verb_that_clears_heeds_the_age_of_orphans() {
    let at_once: [&[&str]; 3] = [&["--orphan-age", "0s"], &[], &[]];
    for verb in ["compact", "verify", "init"] {
        for (way, arguments) in at_once.iter().enumerate() {
            let dir = tempfile::tempdir().unwrap();
            let (_, lake) = left_over(dir.path());
            let job = dir.path().join("job.toml");
            fs::write(&job, format!("to = \"{}\"\norphan_age = \"0s\"\n", text(&lake))).unwrap();
            let more: &[&str] = match verb {
                "verify" => &["--fix"],
                "init" => &["--catalog", "lake"],
                _ => &[],
            };
            let run = |arguments: &[&str], variable: &str| {
                let place = if verb == "init" { "--to" } else { "--lake" };
                let place = if arguments.contains(&"--job") { vec![] } else { vec![place, text(&lake)] };
                let mut command = binary();
                command.arg(verb).args(place).args(more).args(arguments);
                if !variable.is_empty() {
                    command.env("EDGEMILL_ORPHAN_AGE", variable);
                }
                let output = command.output().unwrap();
                assert!(output.status.success(), "{verb}: {}", String::from_utf8_lossy(&output.stderr));
            };
            run(&[], "");
            let left = files(&lake.join("staging"));
            assert!(!left.is_empty(), "{verb} leaves for a day what nobody names");
            match way {
                0 => run(arguments, ""),
                1 => run(&[], "0s"),
                _ => run(&["--job", text(&job)], ""),
            }
            let left = files(&lake.join("staging"));
            assert_eq!(left, Vec::<PathBuf>::new(), "{verb}, way {way}");
        }
    }
}

#[test]
fn init_watches_others_for_as_long_as_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (_, lake) = left_over(dir.path());
    let claim = files(&lake.join("_edgemill/claims")).pop().unwrap();
    let mut owner: Value = serde_json::from_str(&fs::read_to_string(&claim).unwrap()).unwrap();
    owner["owner"]["machine"] = "another".into();
    fs::write(&claim, owner.to_string()).unwrap();
    let begun = Instant::now();
    exits(0, &["init", "--to", text(&lake), "--catalog", "lake", "--lease", "1s"]);
    let took = begun.elapsed();
    assert!((Duration::from_secs(1)..Duration::from_secs(30)).contains(&took), "it watched for {took:?}");
}
