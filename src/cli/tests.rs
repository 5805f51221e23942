//! What `--help` shows, and that what it shows works.

use clap::{Arg, Command, CommandFactory, Parser};

use super::Cli;
use crate::job::options;

fn built() -> Command {
    let mut command = Cli::command();
    command.build();
    command
}

fn verbs(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|verb| verb.get_name() != "help")
}

fn help(verb: &Command) -> String {
    verb.clone().render_long_help().to_string()
}

#[test]
fn the_arguments_are_sound() {
    Cli::command().debug_assert();
}

#[test]
fn from_and_to_come_first_and_global_options_last() {
    let command = built();
    for name in ["convert", "plan", "show-config"] {
        let help = help(command.find_subcommand(name).unwrap());
        let flags: Vec<&str> = help.lines().map(str::trim_start).filter(|line| line.starts_with("--")).collect();
        assert!(flags[0].starts_with("--from <URL>") && flags[1].starts_with("--to <URL>"), "{name}: {flags:?}");
    }
    for verb in verbs(&command) {
        let help = help(verb);
        let headings: Vec<&str> =
            help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ') && *line != "Examples:").collect();
        assert_eq!(headings.last(), Some(&"Global options:"), "{}: {headings:?}", verb.get_name());
        for flag in ["--json", "--verbose", "--log-format", "--metrics", "--help"] {
            let last = help.split("Global options:").nth(1).unwrap();
            assert!(last.contains(flag), "{}: {flag} is no global option", verb.get_name());
        }
    }
}

/// An option of the list stands under its own heading in every verb, and what a verb adds to a
/// conversion's stands under a heading too.
#[test]
fn every_option_stands_under_a_heading() {
    let command = built();
    let list = options::all();
    for verb in verbs(&command) {
        let is_shown = |argument: &&Arg| !argument.is_positional() && !argument.is_hide_set();
        let taken: Vec<&Arg> = verb.get_arguments().filter(is_shown).collect();
        let takes_from_list = taken.iter().any(|argument| argument.get_help_heading() == Some("How it runs"));
        for argument in taken {
            let heading = argument.get_help_heading();
            assert!(heading.is_some() || !takes_from_list, "{} {argument}", verb.get_name());
            if takes_from_list && let Some(facts) = list.iter().find(|facts| facts.name == argument.get_id().as_str()) {
                assert_eq!(heading, Some(facts.heading.title()), "{} {argument}", verb.get_name());
            }
        }
    }
    let convert = command.find_subcommand("convert").unwrap();
    for facts in list {
        let argument = convert.get_arguments().find(|argument| argument.get_id() == facts.name);
        let argument = argument.unwrap_or_else(|| panic!("convert does not take {}", facts.name));
        assert_eq!(argument.get_long(), Some(facts.flag().as_str()));
        assert!(argument.get_help().is_some_and(|help| help.to_string().starts_with(facts.help)));
        let variable = argument.get_env().map(|variable| variable.to_string_lossy().into_owned());
        assert!(facts.excludes.is_some() || variable == Some(facts.variable()), "{}", facts.name);
    }
}

/// The commands of a verb's examples, each in words as a shell would make them.
fn examples(verb: &Command) -> Vec<Vec<String>> {
    let shown = verb.get_after_help().map(ToString::to_string).unwrap_or_default().replace("\\\n", " ");
    let lines = shown.lines().filter(|line| line.starts_with("  ") && !line.starts_with("  #"));
    lines.map(|line| words(line.rsplit(" | ").next().unwrap_or_default())).collect()
}

fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (place, piece) in line.split('\'').enumerate() {
        if place % 2 == 1 {
            words.push(piece.to_owned());
        } else {
            words.extend(piece.split_whitespace().map(str::to_owned));
        }
    }
    let end = words.iter().position(|word| word == ">").unwrap_or(words.len());
    words.truncate(end);
    words
}

#[test]
fn every_verb_has_an_example_that_is_one() {
    let command = built();
    for verb in verbs(&command).chain([&command]) {
        let examples = examples(verb);
        assert!(!examples.is_empty(), "{} has no example", verb.get_name());
        for example in examples {
            assert!(verb.get_name() == "edgemill" || example[1] == verb.get_name(), "{example:?}");
            if let Err(error) = Cli::try_parse_from(&example) {
                panic!("{example:?}: {error}");
            }
        }
    }
}

#[test]
fn an_old_name_of_an_option_works_and_is_not_shown() {
    let old = Cli::try_parse_from(["edgemill", "init", "--to", "lake", "--late", "5s"]);
    assert!(format!("{:?}", old.unwrap()).contains("max_call_delay: Some(5s)"));
    let command = built();
    let help = help(command.find_subcommand("init").unwrap());
    assert!(help.contains("--max-call-delay <D>") && !help.contains("--late"), "{help}");
}
