//! The options of `job::options` as arguments: a verb names those that it takes, and their help,
//! headings, variables and types come from that list.

use std::ffi::OsString;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

use clap::builder::{OsStringValueParser, PossibleValue, PossibleValuesParser, TypedValueParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::error::{Error, Result};
use crate::job::Typed;
use crate::job::declare::{Heading, OptionFacts, Visitor};
use crate::job::kinds::{OptionKind, Shape};

/// The headings under which verbs put arguments of their own.
pub(super) const PLACES: &str = Heading::Places.title();
pub(super) const LOGS: &str = Heading::Logs.title();
pub(super) const AFTER: &str = Heading::After.title();
pub(super) const RUNNING: &str = Heading::Running.title();

/// Which options a verb takes.
pub(super) trait Subset: Send + Sync + 'static {
    /// Whether it takes the one of that name.
    fn takes(name: &str) -> bool;

    /// Its own words for one, where it means something narrower.
    fn help(_name: &str) -> Option<String> {
        None
    }
}

/// A job file.
#[derive(Debug, clap::Args)]
pub(super) struct JobFileArg {
    /// A file with any of a conversion's options, by their long names with _ for - (edgemill
    /// show-config prints one); what is typed wins over it
    #[arg(long = "job", value_name = "FILE", env = "EDGEMILL_JOB", help_heading = PLACES)]
    path: Option<PathBuf>,
}

impl JobFileArg {
    /// Where it is, if one is named.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }
}

/// The lake of a verb that works on one which is there.
#[derive(Debug, clap::Args)]
pub(super) struct LakeArg {
    /// Folder of the lake, or `s3://BUCKET/PREFIX` [default: that of the job file]
    #[arg(long, visible_alias = "to", value_name = "URL", env = "EDGEMILL_LAKE", help_heading = PLACES)]
    pub(super) lake: Option<String>,
}

/// Those options of the list that a verb takes, as they were typed.
#[derive(Debug)]
pub(super) struct Given<S> {
    pub(super) typed: Typed,
    subset: PhantomData<S>,
}

impl<S: Subset> clap::Args for Given<S> {
    fn augment_args(command: Command) -> Command {
        let mut arguments = Arguments::<S> { made: Vec::new(), subset: PhantomData };
        Typed::default().visit(&mut arguments);
        arguments.made.sort_by_key(|(heading, _)| *heading);
        command.args(arguments.made.into_iter().map(|(_, argument)| argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Subset> FromArgMatches for Given<S> {
    fn from_arg_matches(matches: &ArgMatches) -> std::result::Result<Self, clap::Error> {
        Self::from_arg_matches_mut(&mut matches.clone())
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> std::result::Result<Self, clap::Error> {
        let mut typed = Typed::default();
        typed.visit(&mut Values::<S> { matches, subset: PhantomData });
        Ok(Self { typed, subset: PhantomData })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> std::result::Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// Only what a verb takes: a job file may say more, of which it has no use.
pub(super) fn only<S: Subset>(mut typed: Typed) -> Typed {
    typed.visit(&mut Only::<S>(PhantomData));
    typed
}

struct Only<S>(PhantomData<S>);

impl<S: Subset> Visitor for Only<S> {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        if !S::takes(facts.name) {
            *value = None;
        }
    }
}

/// Makes the arguments.
struct Arguments<S> {
    made: Vec<(Heading, Arg)>,
    subset: PhantomData<S>,
}

impl<S: Subset> Visitor for Arguments<S> {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, _: &mut Option<K::Value>) {
        if S::takes(facts.name) {
            self.made.push((facts.heading, argument::<S, K>(facts)));
        }
    }
}

fn argument<S: Subset, K: OptionKind>(facts: &OptionFacts) -> Arg {
    let mut help = S::help(facts.name).unwrap_or_else(|| facts.help.to_owned());
    // A flag is off unless it is given: that needs no words.
    if let Some(default) = facts.default_text().filter(|_| K::SHAPE != Shape::Flag) {
        help = format!("{help} [default: {default}]");
    }
    let mut argument = Arg::new(facts.name).long(facts.flag()).help_heading(facts.heading.title());
    if let Some(was) = facts.was {
        argument = argument.alias(was.replace('_', "-"));
    }
    argument = match facts.excludes {
        // Variables of two that exclude each other are read by `exclusive_variables`.
        Some(other) => {
            help = format!("{help} [env: {}]", facts.variable());
            if S::takes(other) { argument.conflicts_with(other) } else { argument }
        }
        None => argument.env(facts.variable()),
    };
    let argument = argument.help(help);
    match K::SHAPE {
        Shape::Flag => argument.action(ArgAction::SetTrue),
        Shape::One => argument.value_name(facts.value).value_parser(parser::<K>()),
        Shape::Many => {
            let parsed = argument.value_name(facts.value).value_parser(parser::<K>());
            parsed.action(ArgAction::Append).value_delimiter(',')
        }
    }
}

fn parser<K: OptionKind>() -> ValueParser {
    let words = K::words();
    if words.is_empty() {
        return OsStringValueParser::new().try_map(|text: OsString| K::parse(&text)).into();
    }
    let words = words.into_iter().map(|(word, help)| PossibleValue::new(word).help(help));
    PossibleValuesParser::new(words).try_map(|text: String| K::parse(text.as_ref())).into()
}

/// Takes the values of the arguments.
struct Values<'a, S> {
    matches: &'a mut ArgMatches,
    subset: PhantomData<S>,
}

impl<S: Subset> Visitor for Values<'_, S> {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        if S::takes(facts.name) {
            *value = self.matches.remove_many::<K::Value>(facts.name).and_then(|values| K::joined(values.collect()));
        }
    }
}

/// What the environment says of options that exclude each other, where neither was typed. (To a
/// parser of arguments a variable is an argument: it would refuse an option that was typed because
/// of a variable that says the other.)
pub(super) fn exclusive_variables(typed: &mut Typed) -> Result<()> {
    let mut said = Said::default();
    typed.visit(&mut said);
    let mut variables = Variables { typed: said.0, read: Vec::new(), wrong: None };
    typed.visit(&mut variables);
    variables.wrong.map_or(Ok(()), Err)
}

/// Finds what was typed.
#[derive(Default)]
struct Said(Vec<&'static str>);

impl Visitor for Said {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        self.0.extend(value.as_ref().map(|_| facts.name));
    }
}

/// Reads variables.
struct Variables {
    typed: Vec<&'static str>,
    read: Vec<OptionFacts>,
    wrong: Option<Error>,
}

impl Visitor for Variables {
    fn visit<K: OptionKind>(&mut self, facts: &OptionFacts, value: &mut Option<K::Value>) {
        let Some(other) = facts.excludes else { return };
        if self.wrong.is_some() || self.typed.contains(&facts.name) || self.typed.contains(&other) {
            return;
        }
        let variable = facts.variable();
        let Some(text) = std::env::var(&variable).ok().filter(|text| !text.is_empty()) else { return };
        match K::parse(text.as_ref()) {
            Ok(parsed) => *value = Some(parsed),
            Err(error) => {
                let hint = "mend the variable of the environment, or unset it";
                self.wrong = Some(Error::usage(format!("{variable}: {error}"), hint));
            }
        }
        if let Some(other) = self.read.iter().find(|read| read.name == other) {
            let what = format!("{} and {variable} exclude each other", other.variable());
            self.wrong.get_or_insert_with(|| Error::usage(what, "unset one of them"));
        }
        self.read.push(facts.clone());
    }
}
