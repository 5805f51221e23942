//! What is written for people: links lead somewhere, files that are named are there, the README
//! stays short, and each word of the glossary means one thing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Files that a recipe or the map names, and that are still to be built.
const TO_COME: [&str; 1] = ["src/windows/"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The pages for people, by their paths.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> =
        ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "findings/README.md", "tests/agents/README.md"]
            .map(str::to_owned)
            .into();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        pages.push(format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()));
    }
    pages.sort();
    pages
}

/// The page without its blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

/// A heading as GitHub makes an anchor of it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().to_lowercase();
    kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_')).collect::<String>().replace(' ', "-")
}

#[test]
fn the_readme_is_for_the_first_ten_minutes() {
    let readme = read("README.md");
    assert!(readme.lines().count() <= 200, "{} lines", readme.lines().count());
    for line in readme.lines() {
        assert!(line.chars().count() <= 120, "{} characters: {line}", line.chars().count());
    }
}

#[test]
fn links_lead_somewhere() {
    let (mut broken, mut links) = (Vec::new(), 0);
    for page in pages() {
        let text = read(&page);
        for target in prose(&text).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if target.contains("://") {
                continue;
            }
            links += 1;
            let (path, fragment) = target.split_once('#').map_or((target, None), |(path, of)| (path, Some(of)));
            let file = root().join(&page).parent().unwrap().join(path);
            let file = if path.is_empty() { root().join(&page) } else { file };
            let has = |of: &str| {
                let text = fs::read_to_string(&file).unwrap_or_default();
                text.lines().any(|line| line.starts_with('#') && anchor(line) == of)
            };
            if !file.exists() || fragment.is_some_and(|of| !has(of)) {
                broken.push(format!("{page}: {target}"));
            }
        }
    }
    assert!(links > 40, "only {links} links were found");
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Recipes and the map of the crate name true files, so that nobody looks for one that has moved.
#[test]
fn files_that_are_named_are_there() {
    let map: String =
        read("src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! ")).collect::<Vec<_>>().join("\n");
    let modules: BTreeSet<String> = fs::read_dir(root().join("src"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().trim_end_matches(".rs").to_owned())
        .collect();
    let (mut missing, mut named) = (Vec::new(), 0);
    for (page, text) in [("CONTRIBUTING.md", read("CONTRIBUTING.md")), ("src/lib.rs", map)] {
        let code = prose(&text);
        for word in code.split('`').skip(1).step_by(2) {
            let path = word.split(' ').next().unwrap_or_default();
            let first = path.split('/').next().unwrap_or_default();
            let is_path = path.contains('/') && !path.contains(['<', '*', ':', '(']) && !path.contains("NAME");
            let in_source = modules.contains(first.trim_end_matches(".rs"));
            let in_root = ["src", "tests", "docs", "scripts", "ddl", "jobs", "findings", "benches"].contains(&first);
            if !is_path || TO_COME.contains(&path) || !(in_source || in_root) {
                continue;
            }
            named += 1;
            let in_source = root().join("src").join(path);
            let with_ending = root().join(format!("{path}.rs"));
            if ![root().join(path), in_source, with_ending].iter().any(|file| file.exists()) {
                missing.push(format!("{page}: {word}"));
            }
        }
    }
    assert!(named > 40, "only {named} files were found to be named");
    assert!(missing.is_empty(), "{missing:#?}");
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    files.filter(|path| path.extension().is_some_and(|end| end == "rs")).collect()
}

/// The words of the glossary in the crate's documentation.
fn glossary() -> Vec<String> {
    let map = read("src/lib.rs");
    let section = map.split("//! # Glossary\n").nth(1).unwrap().split("//! # ").next().unwrap();
    let words = section.lines().filter_map(|line| line.strip_prefix("//! | **")?.split("**").next());
    words.map(|word| word.trim_matches('`').to_owned()).collect()
}

#[test]
fn a_word_of_the_glossary_is_explained_once() {
    let words = glossary();
    let expected = [
        "object",
        "unit",
        "batch",
        "attempt",
        "partition",
        "rewrite",
        "claim",
        "ledger",
        "manifest",
        "staging",
        "watermark",
        "lateness",
        "max_call_delay",
        "fingerprint",
        "source",
        "table",
    ];
    for word in expected {
        assert_eq!(words.iter().filter(|known| *known == word).count(), 1, "{word} in the glossary of src/lib.rs");
    }
    let distinct: BTreeSet<&String> = words.iter().collect();
    assert_eq!(distinct.len(), words.len(), "{words:?}");
}

/// A type that is called by a word of the glossary is the only one of that name.
#[test]
fn a_word_of_the_glossary_is_one_type() {
    let names: BTreeSet<String> = glossary()
        .iter()
        .map(|word| word.split('_').map(|part| part[..1].to_uppercase() + &part[1..]).collect())
        .collect();
    let mut defined: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in sources(&root().join("src")) {
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        for line in code.lines() {
            let mut words = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .skip_while(|word| matches!(*word, "" | "pub" | "crate" | "super" | "in"));
            let kind = words.next().unwrap_or_default();
            let name = words.next().unwrap_or_default();
            if matches!(kind, "struct" | "enum" | "trait" | "type") && names.contains(name) && !line.starts_with("    ")
            {
                defined.entry(name.to_owned()).or_default().push(path.display().to_string());
            }
        }
    }
    assert!(defined.len() > 3, "{defined:?}");
    let twice: Vec<_> = defined.iter().filter(|(_, places)| places.len() > 1).collect();
    assert!(twice.is_empty(), "one word, one thing: {twice:#?}");
}

/// Words that the authors once had for things, and nobody else knows.
#[test]
fn pages_have_no_private_words() {
    let mut found = Vec::new();
    for page in pages() {
        for line in prose(&read(&page)).lines() {
            // Names of files and commands stay what they are.
            let said: String = line.split('`').step_by(2).collect::<Vec<_>>().join(" ").to_lowercase();
            let mut words = said.split(|c: char| !c.is_alphanumeric());
            if words
                .any(|word| ["house", "room", "rooms", "pile", "errand", "errands", "carry", "tidy"].contains(&word))
            {
                found.push(format!("{page}: {line}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}
