//! The kinds of values that options have: how each is read from a command line and from a job file,
//! and how it is printed. A new option takes one of these; a new kind is one type here.

use std::ffi::OsStr;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytesize::ByteSize;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::choices::FormatChoice;

/// How a command line takes an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// With one value.
    One,
    /// With values between commas, and several times.
    Many,
    /// Without a value.
    Flag,
}

/// A kind of values.
pub trait OptionKind {
    /// What the program works with.
    type Value: Clone + Debug + Send + Sync + 'static;
    /// What a job file holds.
    type Written: DeserializeOwned;

    /// How a command line takes it.
    const SHAPE: Shape = Shape::One;

    /// The words that it may be, each with its meaning; none where there are too many.
    #[must_use]
    fn words() -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Reads what was typed.
    fn parse(text: &OsStr) -> Result<Self::Value, String>;

    /// Reads what a job file in that folder holds.
    fn read(written: Self::Written, folder: &Path) -> Result<Self::Value, String>;

    /// As one types it.
    fn text(value: &Self::Value) -> String;

    /// As a job file holds it that means the same wherever it lies.
    fn shown(value: &Self::Value) -> toml::Value {
        toml::Value::String(Self::text(value))
    }

    /// One value of all that were typed.
    #[must_use]
    fn joined(mut values: Vec<Self::Value>) -> Option<Self::Value> {
        values.pop()
    }
}

fn utf8(text: &OsStr) -> Result<&str, String> {
    text.to_str().ok_or_else(|| "it is no UTF-8".to_owned())
}

fn parsed<T: FromStr<Err: Display>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|error: T::Err| error.to_string())
}

/// A folder or a URL. A path in a job file starts at the file's folder.
#[derive(Debug)]
pub struct Place;

impl OptionKind for Place {
    type Value = String;
    type Written = String;

    fn parse(text: &OsStr) -> Result<String, String> {
        utf8(text).map(str::to_owned)
    }

    fn read(written: String, folder: &Path) -> Result<String, String> {
        Ok(if is_url(&written) { written } else { folder.join(written).display().to_string() })
    }

    fn text(value: &String) -> String {
        value.clone()
    }

    fn shown(value: &String) -> toml::Value {
        toml::Value::String(if is_url(value) { value.clone() } else { absolute(Path::new(value)) })
    }
}

fn is_url(text: &str) -> bool {
    text.contains("://")
}

/// A path that means the same wherever the job is started.
fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A file. A path in a job file starts at the job file's folder.
#[derive(Debug)]
pub struct File;

impl OptionKind for File {
    type Value = PathBuf;
    type Written = PathBuf;

    fn parse(text: &OsStr) -> Result<PathBuf, String> {
        if text.is_empty() { Err("name a file".to_owned()) } else { Ok(text.into()) }
    }

    fn read(written: PathBuf, folder: &Path) -> Result<PathBuf, String> {
        Ok(folder.join(written))
    }

    fn text(value: &PathBuf) -> String {
        value.display().to_string()
    }

    fn shown(value: &PathBuf) -> toml::Value {
        toml::Value::String(absolute(value))
    }
}

/// Any text.
#[derive(Debug)]
pub struct TextKind;

impl OptionKind for TextKind {
    type Value = String;
    type Written = String;

    fn parse(text: &OsStr) -> Result<String, String> {
        utf8(text).map(str::to_owned)
    }

    fn read(written: String, _: &Path) -> Result<String, String> {
        Ok(written)
    }

    fn text(value: &String) -> String {
        value.clone()
    }
}

/// What separates values. A tab has a name, since few can type it.
#[derive(Debug)]
pub struct Delimiter;

impl OptionKind for Delimiter {
    type Value = String;
    type Written = String;

    fn parse(text: &OsStr) -> Result<String, String> {
        TextKind::parse(text)
    }

    fn read(written: String, folder: &Path) -> Result<String, String> {
        TextKind::read(written, folder)
    }

    fn text(value: &String) -> String {
        if value == "\t" { "tab".to_owned() } else { value.clone() }
    }

    fn shown(value: &String) -> toml::Value {
        toml::Value::String(value.clone())
    }
}

/// Several texts, with commas between them on the command line.
#[derive(Debug)]
pub struct List;

impl OptionKind for List {
    type Value = Vec<String>;
    type Written = Vec<String>;

    const SHAPE: Shape = Shape::Many;

    fn parse(text: &OsStr) -> Result<Vec<String>, String> {
        Ok(vec![utf8(text)?.to_owned()])
    }

    fn read(written: Vec<String>, _: &Path) -> Result<Vec<String>, String> {
        Ok(written)
    }

    fn text(value: &Vec<String>) -> String {
        value.join(",")
    }

    fn shown(value: &Vec<String>) -> toml::Value {
        toml::Value::Array(value.iter().map(|text| toml::Value::String(text.clone())).collect())
    }

    fn joined(values: Vec<Vec<String>>) -> Option<Vec<String>> {
        Some(values.concat())
    }
}

/// Whether something is so: never, unless it is said.
#[derive(Debug)]
pub struct Flag;

impl OptionKind for Flag {
    type Value = bool;
    type Written = bool;

    const SHAPE: Shape = Shape::Flag;

    fn parse(text: &OsStr) -> Result<bool, String> {
        parsed(utf8(text)?)
    }

    fn read(written: bool, _: &Path) -> Result<bool, String> {
        Ok(written)
    }

    fn text(value: &bool) -> String {
        value.to_string()
    }

    fn shown(value: &bool) -> toml::Value {
        toml::Value::Boolean(*value)
    }

    fn joined(values: Vec<bool>) -> Option<bool> {
        values.contains(&true).then_some(true)
    }
}

/// A whole number.
#[derive(Debug)]
pub struct Count;

impl OptionKind for Count {
    type Value = usize;
    type Written = usize;

    fn parse(text: &OsStr) -> Result<usize, String> {
        parsed(utf8(text)?)
    }

    fn read(written: usize, _: &Path) -> Result<usize, String> {
        Ok(written)
    }

    fn text(value: &usize) -> String {
        value.to_string()
    }

    fn shown(value: &usize) -> toml::Value {
        toml::Value::Integer(i64::try_from(*value).unwrap_or(i64::MAX))
    }
}

/// A share, from 0 to 1.
#[derive(Debug)]
pub struct Ratio;

impl OptionKind for Ratio {
    type Value = f64;
    type Written = f64;

    fn parse(text: &OsStr) -> Result<f64, String> {
        parsed(utf8(text)?)
    }

    fn read(written: f64, _: &Path) -> Result<f64, String> {
        Ok(written)
    }

    fn text(value: &f64) -> String {
        value.to_string()
    }

    fn shown(value: &f64) -> toml::Value {
        toml::Value::Float(*value)
    }
}

/// A number of bytes, such as `512MiB`.
#[derive(Debug)]
pub struct Bytes;

/// A number of bytes, or a text such as `512MiB`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Size {
    /// A number.
    Bytes(u64),
    /// A text.
    Text(String),
}

impl OptionKind for Bytes {
    type Value = u64;
    type Written = Size;

    fn parse(text: &OsStr) -> Result<u64, String> {
        parsed::<ByteSize>(utf8(text)?).map(|size| size.as_u64())
    }

    fn read(written: Size, _: &Path) -> Result<u64, String> {
        match written {
            Size::Bytes(bytes) => Ok(bytes),
            Size::Text(text) => Self::parse(OsStr::new(&text)),
        }
    }

    /// Rounded only where nothing is lost.
    fn text(value: &u64) -> String {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
        let whole = units.iter().find(|(unit, _)| *value > 0 && value.is_multiple_of(*unit));
        whole.map_or_else(|| format!("{value}B"), |(unit, name)| format!("{}{name}", value / unit))
    }
}

/// A length of time, such as `26h`.
#[derive(Debug)]
pub struct Span;

impl OptionKind for Span {
    type Value = Duration;
    type Written = String;

    fn parse(text: &OsStr) -> Result<Duration, String> {
        humantime::parse_duration(utf8(text)?).map_err(|error| error.to_string())
    }

    fn read(written: String, _: &Path) -> Result<Duration, String> {
        Self::parse(OsStr::new(&written))
    }

    fn text(value: &Duration) -> String {
        humantime::format_duration(*value).to_string()
    }
}

/// A type that reads and prints itself.
#[derive(Debug)]
pub struct Word<T>(PhantomData<T>);

impl<T> OptionKind for Word<T>
where
    T: FromStr<Err: Display> + Display + Clone + Debug + Send + Sync + 'static,
{
    type Value = T;
    type Written = String;

    fn parse(text: &OsStr) -> Result<T, String> {
        parsed(utf8(text)?)
    }

    fn read(written: String, _: &Path) -> Result<T, String> {
        parsed(&written)
    }

    fn text(value: &T) -> String {
        value.to_string()
    }
}

/// Which logs objects are.
#[derive(Debug)]
pub struct FormatKind;

impl OptionKind for FormatKind {
    type Value = FormatChoice;
    type Written = String;

    fn words() -> Vec<(&'static str, String)> {
        FormatChoice::words()
    }

    fn parse(text: &OsStr) -> Result<FormatChoice, String> {
        parsed(utf8(text)?)
    }

    fn read(written: String, _: &Path) -> Result<FormatChoice, String> {
        parsed(&written)
    }

    fn text(value: &FormatChoice) -> String {
        value.to_string()
    }
}
