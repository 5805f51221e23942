//! The rules about user agents as people write them: the files `bots.toml`, `signs.toml` and
//! `browsers.toml` in `data/`, read and checked, and not compiled yet.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::marker::PhantomData;
use std::sync::LazyLock;

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};

use super::category::{Category, HTTP_LIBRARY, OTHER};

const BOTS: &str = include_str!("data/bots.toml");
const SIGNS: &str = include_str!("data/signs.toml");
const BROWSERS: &str = include_str!("data/browsers.toml");

/// Longer names of bots are mistakes.
const NAME_LIMIT_BYTES: usize = 50;

/// A known bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bot {
    pub(super) name: String,
    pub(super) vendor: Option<String>,
    /// Its category's place in [`RuleFiles::categories`].
    pub(super) category: usize,
    /// It counts within a whole browser too.
    pub(super) inside_browsers: bool,
    /// Its line holds several: the name is what the user agent says.
    pub(super) as_written: bool,
}

/// What a pattern means where it is found. The numbers are places in the lists of [`RuleFiles`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A known bot's name.
    Bot(usize),
    /// A word that tells a bot, of this category.
    Word(usize),
    /// A hint at the category of a bot that is known by something else.
    Hint(usize),
    /// Nothing inside of it tells a bot.
    Guard,
    /// An address of the web.
    Contact,
    /// A system that browsers run on.
    Platform,
    /// A browser's engine.
    Engine,
    /// `compatible` may stand before it.
    CompatibleWith,
    /// A device or app in a person's hand.
    Device,
    /// A browser's name.
    Browser(usize),
    /// A system's name.
    System(usize),
    /// A class of device.
    Class(usize),
}

/// All that the files say. Of patterns that are found at the same place the earlier one counts, so
/// the order of this list decides too.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleFiles {
    pub(super) patterns: Vec<(String, Meaning)>,
    /// In the order of the file.
    pub(super) categories: Vec<Category>,
    pub(super) bots: Vec<Bot>,
    pub(super) browsers: Vec<String>,
    pub(super) systems: Vec<String>,
    pub(super) classes: Vec<String>,
}

/// A category's table in `bots.toml`.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct CategoryTable {
    about: String,
    #[serde(default)]
    such_as: Vec<String>,
    bots: BTreeMap<String, BotLine>,
}

/// A bot's line: its vendor alone, or more.
struct BotLine(BotTable);

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BotTable {
    vendor: String,
    #[serde(default)]
    patterns: Vec<String>,
    #[serde(default)]
    inside_browsers: bool,
    #[serde(default)]
    as_written: bool,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct SignsFile {
    words: BTreeMap<String, Vec<String>>,
    contacts: BTreeMap<String, Vec<String>>,
    hints: BTreeMap<String, Vec<String>>,
    guards: BTreeMap<String, Vec<String>>,
    person: Person,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    platforms: Vec<String>,
    engines: Vec<String>,
    compatible_with: Vec<String>,
    devices: Vec<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct BrowsersFile {
    browsers: Vec<Vec<String>>,
    systems: Vec<Vec<String>>,
    devices: Vec<Vec<String>>,
}

impl RuleFiles {
    /// What is built in, read once. A fault in it fails every test and every run.
    pub(super) fn built_in() -> Result<&'static Self, String> {
        static FILES: LazyLock<Result<RuleFiles, String>> = LazyLock::new(|| RuleFiles::read(BOTS, SIGNS, BROWSERS));
        FILES.as_ref().map_err(Clone::clone)
    }

    fn read(bots: &str, signs: &str, browsers: &str) -> Result<Self, String> {
        let mut files = Self::default();
        files.add_bots(bots).map_err(|fault| format!("bots.toml: {fault}"))?;
        files.add_signs(signs).map_err(|fault| format!("signs.toml: {fault}"))?;
        files.add_browsers(browsers).map_err(|fault| format!("browsers.toml: {fault}"))?;
        Ok(files)
    }

    /// A category's place in the list; says which ones there are.
    pub(super) fn category(&self, name: &str) -> Result<usize, String> {
        let place = self.categories.iter().position(|category| category.name == name);
        place.ok_or_else(|| {
            let names: Vec<&str> = self.categories.iter().map(|category| category.name.as_str()).collect();
            format!("'{name}' is no category; there are {}", names.join(", "))
        })
    }

    fn add_bots(&mut self, text: &str) -> Result<(), String> {
        let InOrder(tables) = toml::from_str::<InOrder<CategoryTable>>(text).map_err(|error| error.to_string())?;
        let mut seen: HashMap<String, String> = HashMap::new();
        for (category, CategoryTable { about, such_as, bots }) in tables {
            check_category(&category, &about)?;
            if let Some(name) = such_as.iter().find(|name| !bots.contains_key(*name)) {
                return Err(format!("[{category}] has 'such_as' name '{name}', and no line of that name below it"));
            }
            let place = self.categories.len();
            for (name, BotLine(BotTable { vendor, mut patterns, inside_browsers, as_written })) in bots {
                if name.is_empty() || name.len() >= NAME_LIMIT_BYTES {
                    return Err(format!("'{name}' in [{category}] is no name: 1 to {} bytes", NAME_LIMIT_BYTES - 1));
                }
                if let Some(other) = seen.insert(name.to_lowercase(), category.clone()) {
                    return Err(format!("'{name}' is in [{other}] and in [{category}]: keep one of the two lines"));
                }
                if patterns.is_empty() {
                    patterns.push(name.clone());
                }
                self.patterns.extend(patterns.into_iter().map(|pattern| (pattern, Meaning::Bot(self.bots.len()))));
                let vendor = Some(vendor).filter(|vendor| !matches!(vendor.as_str(), "unknown" | "various"));
                self.bots.push(Bot { name, vendor, category: place, inside_browsers, as_written });
            }
            self.categories.push(Category { name: category, about, such_as });
        }
        for name in [OTHER, HTTP_LIBRARY] {
            self.category(name).map_err(|fault| format!("{fault}, and the code needs it"))?;
        }
        Ok(())
    }

    fn add_signs(&mut self, text: &str) -> Result<(), String> {
        let file: SignsFile = toml::from_str(text).map_err(|error| error.to_string())?;
        self.add_by_category(file.words, Meaning::Word).map_err(|fault| format!("[words]: {fault}"))?;
        self.add(file.contacts.into_values().flatten(), Meaning::Contact);
        self.add_by_category(file.hints, Meaning::Hint).map_err(|fault| format!("[hints]: {fault}"))?;
        self.add(file.guards.into_values().flatten(), Meaning::Guard);
        let Person { platforms, engines, compatible_with, devices } = file.person;
        self.add(platforms, Meaning::Platform);
        self.add(engines, Meaning::Engine);
        self.add(compatible_with, Meaning::CompatibleWith);
        self.add(devices, Meaning::Device);
        Ok(())
    }

    fn add_browsers(&mut self, text: &str) -> Result<(), String> {
        let file: BrowsersFile = toml::from_str(text).map_err(|error| error.to_string())?;
        self.browsers = self.add_named(file.browsers, Meaning::Browser);
        self.systems = self.add_named(file.systems, Meaning::System);
        self.classes = self.add_named(file.devices, Meaning::Class);
        Ok(())
    }

    fn add(&mut self, patterns: impl IntoIterator<Item = String>, meaning: Meaning) {
        self.patterns.extend(patterns.into_iter().map(|pattern| (pattern, meaning)));
    }

    /// In the order of the categories.
    fn add_by_category(
        &mut self,
        lines: BTreeMap<String, Vec<String>>,
        meaning: fn(usize) -> Meaning,
    ) -> Result<(), String> {
        let places = lines.into_iter().map(|(name, patterns)| Ok((self.category(&name)?, patterns)));
        let mut places = places.collect::<Result<Vec<_>, String>>()?;
        places.sort_by_key(|(place, _)| *place);
        places.into_iter().for_each(|(place, patterns)| self.add(patterns, meaning(place)));
        Ok(())
    }

    /// Of lines that are a name and its patterns: the names.
    fn add_named(&mut self, lines: Vec<Vec<String>>, meaning: fn(usize) -> Meaning) -> Vec<String> {
        let mut names = Vec::with_capacity(lines.len());
        for (place, line) in lines.into_iter().enumerate() {
            let mut line = line.into_iter();
            names.push(line.next().unwrap_or_default());
            self.add(line, meaning(place));
        }
        names
    }
}

fn check_category(name: &str, about: &str) -> Result<(), String> {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    if !is_name {
        return Err(format!("[{name}] is no name of a category: lower case letters and '-'"));
    }
    if about.trim().is_empty() || about.contains(['|', '\n']) {
        return Err(format!("[{name}] needs an 'about' of one line without '|': what its bots do, in a few words"));
    }
    Ok(())
}

impl<'de> Deserialize<'de> for BotLine {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LineVisitor;
        impl<'de> Visitor<'de> for LineVisitor {
            type Value = BotLine;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a vendor in quotes, or a table such as { vendor = \"Acme\", patterns = [\"acme*\"] }")
            }

            fn visit_str<E: de::Error>(self, vendor: &str) -> Result<BotLine, E> {
                let vendor = vendor.to_owned();
                Ok(BotLine(BotTable { vendor, patterns: Vec::new(), inside_browsers: false, as_written: false }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BotLine, A::Error> {
                BotTable::deserialize(MapAccessDeserializer::new(map)).map(BotLine)
            }
        }
        deserializer.deserialize_any(LineVisitor)
    }
}

/// A table's entries in the order of its file.
struct InOrder<T>(Vec<(String, T)>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for InOrder<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TableVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for TableVisitor<T> {
            type Value = InOrder<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("tables, one for each category")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<InOrder<T>, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(InOrder(entries))
            }
        }
        deserializer.deserialize_map(TableVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "
        [seo]
        about = \"looks at links\"
        such_as = [\"Foo\"]
        [seo.bots]
        \"Foo\" = \"Acme\"
        \"Bar\" = { vendor = \"unknown\", patterns = [\"bar*\", \"baz\"], as_written = true }
        [http-library]
        about = \"a library\"
        [http-library.bots]
        [other]
        about = \"anything else\"
        [other.bots]
        ";

    fn bots(text: &str) -> Result<RuleFiles, String> {
        let mut files = RuleFiles::default();
        files.add_bots(text).map(|()| files)
    }

    #[test]
    fn a_line_is_a_bot_and_a_table_a_category() {
        let files = bots(SOUND).unwrap();
        let names: Vec<&str> = files.categories.iter().map(|category| category.name.as_str()).collect();
        assert_eq!(names, ["seo", "http-library", "other"]);
        let of = |name: &str, vendor: Option<&str>, as_written| Bot {
            name: name.to_owned(),
            vendor: vendor.map(str::to_owned),
            category: 0,
            inside_browsers: false,
            as_written,
        };
        assert_eq!(files.bots, [of("Bar", None, true), of("Foo", Some("Acme"), false)]);
        let patterns: Vec<(&str, Meaning)> = files.patterns.iter().map(|(text, of)| (text.as_str(), *of)).collect();
        assert_eq!(patterns, [("bar*", Meaning::Bot(0)), ("baz", Meaning::Bot(0)), ("Foo", Meaning::Bot(1))]);
    }

    /// Whoever writes a wrong line reads what is wrong, and where.
    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        for (sound, wrong, said) in [
            ("\"Foo\" = \"Acme\"", "\"Foo\" = 7", &["line 6, column 17", "a vendor in quotes, or a table"][..]),
            ("\"Foo\" = \"Acme\"", "\"Foo\" = Acme", &["line 6", "Foo"]),
            ("vendor = \"unknown\"", "vender = \"unknown\"", &["line 7", "unknown field `vender`", "`vendor`"]),
            ("vendor = \"unknown\", ", "", &["line 7", "missing field `vendor`"]),
            ("\"Bar\"", "\"Foo\"", &["line 7", "duplicate key"]),
            (
                "[http-library.bots]",
                "[http-library.bots]\n\"foo\" = \"A\"",
                &["'foo' is in [seo] and in [http-library]"],
            ),
            ("\"Bar\"", "\"\"", &["'' in [seo] is no name"]),
            ("such_as = [\"Foo\"]", "such_as = [\"Quux\"]", &["[seo]", "'Quux', and no line of that name"]),
            ("about = \"looks at links\"", "", &["missing field `about`"]),
            ("\"looks at links\"", "\"a | b\"", &["[seo] needs an 'about'"]),
            ("[seo]", "[SEO]\nabout = \"x\"\n[SEO.bots]\n[seo]", &["[SEO] is no name of a category"]),
        ] {
            let text = SOUND.replacen(sound, wrong, 1);
            let error = bots(&text).unwrap_err();
            assert!(said.iter().all(|part| error.contains(part)), "{wrong}: {error} says nothing of {said:?}");
        }
        let mut files = bots(SOUND).unwrap();
        let error = files.add_signs(&SIGNS.replace("\n[hints]\n", "\n[hints]\nvirus = [\"*virus*\"]\n")).unwrap_err();
        assert!(error.contains("no category; there are seo, http-library, other"), "{error}");
    }

    /// What is built in. Fails with the line that is wrong.
    #[test]
    fn the_files_are_sound() {
        let files = RuleFiles::built_in().unwrap_or_else(|fault| panic!("{fault}"));
        assert!(files.bots.len() > 500, "{}", files.bots.len());
        for (place, category) in files.categories.iter().enumerate() {
            assert!(files.bots.iter().any(|bot| bot.category == place), "[{}] has no bot", category.name);
        }
    }
}
