//! The files of the crate, and which of them use which.
//!
//! A file uses another where a `use` or a path in its code names the other's module. What a module
//! hands on by `pub use` counts as the file where it stands, not as the module that hands it on, so
//! a folder's `mod.rs` may be both the map and the front door of the folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// A module's path below the crate: `["kernel", "source", "names"]`.
pub(crate) type Module = Vec<String>;

/// One file of the crate.
pub(crate) struct File {
    /// Its path below `src`.
    pub(crate) name: String,
    /// Its text as it is.
    pub(crate) text: String,
    /// Its code: without comments, tests and the insides of literals.
    pub(crate) code: String,
}

/// Every file below a folder that ends with `.rs`.
pub(crate) fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files of `src`, by module. The program itself, `main.rs`, is above all of them and left out.
pub(crate) fn files() -> BTreeMap<Module, File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = BTreeMap::new();
    for path in rust_files(&root) {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        if name == "main.rs" || name.ends_with("tests.rs") {
            continue;
        }
        let mut module: Module = name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
            module.pop();
        }
        let text = fs::read_to_string(&path).unwrap();
        let code = code(&text);
        files.insert(module, File { name, text, code });
    }
    files
}

/// Code without its comments, its tests (which stand last in a file) and what literals hold.
pub(crate) fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let (bytes, mut code, mut at) = (text.as_bytes(), String::with_capacity(text.len()), 0);
    while at < bytes.len() {
        let rest = &text[at..];
        at += if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_literal(rest, at == 0 || !is_word(bytes[at - 1])) {
            code.push_str("\"\"");
            length
        } else if rest.starts_with('"') {
            code.push_str("\"\"");
            quoted(rest, b'"')
        } else if rest.starts_with('\'') && is_character(rest) {
            code.push_str("' '");
            quoted(rest, b'\'')
        } else {
            let letter = rest.chars().next().unwrap();
            code.push(letter);
            letter.len_utf8()
        };
    }
    code
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The length of a raw literal that begins here, if one does.
fn raw_literal(rest: &str, begins_a_word: bool) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r')).filter(|_| begins_a_word)?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let inside = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    inside.find(&end).map(|length| rest.len() - inside.len() + length + end.len())
}

/// The length of a literal up to its closing quote.
fn quoted(rest: &str, quote: u8) -> usize {
    let (bytes, mut at) = (rest.as_bytes(), 1);
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(rest.len())
}

/// Whether a quote begins a character rather than a lifetime.
fn is_character(rest: &str) -> bool {
    let mut letters = rest.chars().skip(1);
    match letters.next() {
        Some('\\') => true,
        Some(_) => letters.next() == Some('\''),
        None => false,
    }
}

/// A path that a `use` names: `["super", "names", "Layout"]`, and the name that it has here.
struct Named {
    path: Vec<String>,
    alias: Option<String>,
}

/// The statements that bring names in: visible outside or not, and each path of the tree.
fn statements(code: &str) -> (Vec<(bool, Named)>, String) {
    let (mut found, mut rest_of_code) = (Vec::new(), String::new());
    let mut rest = code;
    while let Some(at) = next_use(rest) {
        let line = rest[..at].rfind('\n').map_or(0, |end| end + 1);
        let end = at + rest[at..].find(';').unwrap();
        let public = rest[line..at].trim_start().starts_with("pub");
        let mut paths = Vec::new();
        expand(&[], &rest[at + 4..end], &mut paths);
        found.extend(paths.into_iter().map(|named| (public, named)));
        rest_of_code.push_str(&rest[..line]);
        rest = &rest[end + 1..];
    }
    rest_of_code.push_str(rest);
    (found, rest_of_code)
}

/// Where the word `use` stands that begins a statement.
fn next_use(code: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = code[from..].find("use ").map(|at| at + from) {
        let line = code[..at].rfind('\n').map_or(0, |end| end + 1);
        let before = code[line..at].trim();
        if before.is_empty() || before == "pub" || (before.starts_with("pub(") && before.ends_with(')')) {
            return Some(at);
        }
        from = at + 4;
    }
    None
}

fn expand(prefix: &[String], tree: &str, found: &mut Vec<Named>) {
    let tree = tree.trim();
    if let Some(open) = tree.find('{') {
        let words = tree[..open].split("::").map(str::trim).filter(|word| !word.is_empty());
        let prefix: Vec<String> = prefix.iter().cloned().chain(words.map(str::to_owned)).collect();
        let (mut depth, mut begin) = (0, open + 1);
        for (at, letter) in tree.char_indices().skip(open + 1) {
            match letter {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    expand(&prefix, &tree[begin..at], found);
                    begin = at + 1;
                }
                _ => {}
            }
        }
    } else if !tree.is_empty() {
        let (path, alias) = tree.split_once(" as ").map_or((tree, None), |(path, alias)| (path, Some(alias.trim())));
        let words = path.split("::").map(|word| word.trim().to_owned());
        found.push(Named {
            path: prefix.iter().cloned().chain(words).filter(|word| word != "self" || prefix.is_empty()).collect(),
            alias: alias.map(str::to_owned),
        });
    }
}

/// Which files use which, each by its module.
pub(crate) struct Graph {
    /// The modules that a module uses.
    pub(crate) uses: BTreeMap<Module, BTreeSet<Module>>,
}

impl Graph {
    /// Reads the whole crate.
    pub(crate) fn of(files: &BTreeMap<Module, File>) -> Self {
        let mut handed_on: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
        for (module, file) in files {
            for (public, named) in statements(&file.code).0 {
                if let Some(path) = absolute(&named.path, module, files).filter(|_| public) {
                    let name = named.alias.or_else(|| path.last().cloned()).unwrap();
                    handed_on.insert([&module[..], &[name]].concat(), path);
                }
            }
        }
        let mut uses = BTreeMap::new();
        for (module, file) in files {
            let (named, rest) = statements(&file.code);
            let by_use = named.into_iter().filter(|(public, _)| !public).map(|(_, named)| named.path);
            let paths = by_use.chain(paths_in(&rest));
            let targets = paths.filter_map(|path| absolute(&path, module, files));
            let targets = targets.map(|path| home(path, &handed_on, files)).filter(|target| target != module);
            uses.insert(module.clone(), targets.collect());
        }
        Self { uses }
    }

    /// The circles: sets of files each of which reaches the others.
    pub(crate) fn circles(&self) -> Vec<BTreeSet<&Module>> {
        let reached: BTreeMap<&Module, BTreeSet<&Module>> =
            self.uses.keys().map(|module| (module, self.reached_from(module))).collect();
        let mut circles: Vec<BTreeSet<&Module>> = Vec::new();
        for (module, reach) in &reached {
            let circle: BTreeSet<&Module> =
                reach.iter().copied().filter(|other| reached[*other].contains(module)).collect();
            if !circle.is_empty() && !circles.contains(&circle) {
                circles.push(circle);
            }
        }
        circles
    }

    fn reached_from<'g>(&'g self, module: &'g Module) -> BTreeSet<&'g Module> {
        let (mut found, mut next) = (BTreeSet::new(), vec![module]);
        while let Some(at) = next.pop() {
            next.extend(self.uses.get(at).into_iter().flatten().filter(|used| found.insert(*used)));
        }
        found
    }
}

/// A path from the crate's root; nothing for a path into another crate.
fn absolute(path: &[String], module: &Module, files: &BTreeMap<Module, File>) -> Option<Vec<String>> {
    let first = path.first()?;
    let ups = path.iter().take_while(|word| *word == "super").count();
    if first == "crate" {
        Some(path[1..].to_vec())
    } else if ups > 0 {
        Some([&module[..module.len().checked_sub(ups)?], &path[ups..]].concat())
    } else if first == "self" {
        Some([&module[..], &path[1..]].concat())
    } else {
        let child = [&module[..], &path[..1]].concat();
        files.contains_key(&child).then(|| [&module[..], path].concat())
    }
}

/// The file in which what a path names stands.
fn home(path: Vec<String>, handed_on: &BTreeMap<Vec<String>, Vec<String>>, files: &BTreeMap<Module, File>) -> Module {
    let (mut path, mut steps) = (path, 0);
    loop {
        // A module and a function of one name: what has more behind it is the module.
        let is_module = |length: usize| length < path.len() && files.contains_key(&path[..length]);
        let known =
            (1..=path.len()).rev().find(|length| handed_on.contains_key(&path[..*length]) && !is_module(*length));
        match known {
            Some(length) if steps < 20 => path = [&handed_on[&path[..length]][..], &path[length..]].concat(),
            _ => break,
        }
        steps += 1;
    }
    while !files.contains_key(&path) {
        path.pop();
    }
    path
}

/// The paths that stand in code itself: `crate::a::b`, `super::a`, `child::b`.
fn paths_in(code: &str) -> Vec<Vec<String>> {
    let (bytes, mut found, mut at) = (code.as_bytes(), Vec::new(), 0);
    while at < bytes.len() {
        if !is_word(bytes[at]) || (at > 0 && (is_word(bytes[at - 1]) || bytes[at - 1] == b':')) {
            at += 1;
            continue;
        }
        let end = at + bytes[at..].iter().take_while(|byte| is_word(**byte) || **byte == b':').count();
        let text = code[at..end].trim_end_matches(':');
        if text.contains("::") {
            found.push(text.split("::").map(str::to_owned).collect());
        }
        at = end;
    }
    found
}

#[test]
fn code_is_told_from_what_it_is_not() {
    let text =
        "use a::b; // use c;\nlet x = \"use d;\"; let y = 'u'; fn f<'u>() {} /* use e; */ let z = r#\"use \"f\"\"#;\n";
    let code = code(text);
    assert!(["c;", "d;", "e;", "\"f\""].iter().all(|gone| !code.contains(gone)), "{code}");
    assert!(code.contains("use a::b;") && code.contains("fn f<'u>()"), "{code}");
}

#[test]
fn a_tree_of_names_is_each_of_them() {
    let (found, rest) = statements("pub use super::{a, b::{C as D, self}};\nlet because = 1;\nuse x::Y;\n");
    let found: Vec<(bool, String)> = found.into_iter().map(|(public, named)| (public, named.path.join("::"))).collect();
    let expected = [(true, "super::a"), (true, "super::b::C"), (true, "super::b"), (false, "x::Y")];
    assert_eq!(found, expected.map(|(public, path)| (public, path.to_owned())));
    assert!(rest.contains("because"));
}
