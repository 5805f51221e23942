//! The rules of the house that no lint can say: what the kernel never touches, which room uses
//! which, that nothing goes in circles, and that a name means one thing.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod graph;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use graph::{File, Graph, Module, files, rust_files};

/// The modules right below the crate, the outermost first (the table of
/// `src/lib.rs` is in an order for readers, that this one allows): each
/// uses only those below it.
const ROOMS: [&str; 26] = [
    "cli",
    "metrics",
    "plan",
    "demo",
    "pipeline",
    "verify",
    "init",
    "compact",
    "repair",
    "recovery",
    "query",
    "protocol_driver",
    "lake",
    "job",
    "generate",
    "edge",
    "crash",
    "signals",
    "prices",
    "offload",
    "kernel",
    "location",
    "progress",
    "error",
    "model",
    "stats",
];

/// The parts of the kernel, the outermost first: each uses only those below it.
const PARTS: [&str; 6] = ["ddl", "ledger", "columns", "source", "policy", "schema"];

const CLOCKS: [&str; 3] = ["SystemTime", "Instant", "Timestamp::now"];
const WORLD: [&str; 9] =
    ["tokio", "aws_", "object_store", "tracing", "std::env", "std::fs", "std::net", "rand::", "uuid"];

fn room(files: &BTreeMap<Module, File>, name: &str) -> Vec<(String, String)> {
    let inside =
        files.iter().filter(|(module, _)| name.is_empty() || module.first().is_some_and(|first| first == name));
    inside.map(|(_, file)| (file.name.clone(), file.code.clone())).collect()
}

/// Fails with every line of a room (of all, where none is named) that holds one of the words.
fn never(room_name: &str, words: &[&str], except: &[&str]) {
    let files = room(&files(), room_name);
    assert!(!files.is_empty(), "there is a room {room_name}");
    let mut found = Vec::new();
    for (file, code) in files.iter().filter(|(file, _)| !except.contains(&file.as_str())) {
        for word in words {
            let lines = code.lines().filter(|line| line.contains(word));
            found.extend(lines.map(|line| format!("{file}: {}", line.trim())));
        }
    }
    assert!(found.is_empty(), "in {room_name} there is never {words:?}, but:\n{}", found.join("\n"));
}

#[test]
fn the_kernel_never_touches_the_world() {
    never("kernel", &CLOCKS, &[]);
    never("kernel", &WORLD, &[]);
    never("kernel", &["println!", "eprintln!", "std::process"], &[]);
}

#[test]
fn rayon_is_used_in_one_place_and_its_bridge() {
    let convert = ["kernel/columns/convert/chunk.rs", "kernel/columns/convert/partition_buffer.rs"];
    never("kernel", &["rayon"], &convert);
    for name in ROOMS.iter().filter(|name| !["kernel", "offload", "generate"].contains(name)) {
        never(name, &["rayon"], &[]);
    }
}

/// A process has one place that says what a signal does.
#[test]
fn one_file_heeds_signals() {
    let files = files();
    let heeds = files.values().filter(|file| file.code.contains("tokio::signal"));
    assert_eq!(heeds.map(|file| file.name.as_str()).collect::<Vec<_>>(), ["signals.rs"]);
}

/// What is particular to a source stands in its own file, so that a new source is a new file.
#[test]
fn a_source_is_named_in_its_own_file() {
    let files = files();
    let list = files.values().find(|file| file.name == "model/table.rs").unwrap();
    let list = list.code.split("\ntables! {").nth(1).unwrap().split("\n}").next().unwrap();
    let names: Vec<&str> =
        list.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim()).collect();
    assert!(names.contains(&"CloudfrontLogs") && names.contains(&"AlbLogs"), "tables are found: {names:?}");
    let sources =
        files.values().map(|file| file.name.as_str()).filter(|name| name.starts_with("kernel/schema/sources/"));
    let except: Vec<&str> = sources
        .chain([
            "model/table.rs",
            // The list of what can be made, and the maker that calls fields as the source does.
            "generate/makers.rs",
            "generate/alb.rs",
            // What is made there is CloudFront's.
            "demo.rs",
            // Tests in files of their own, and what every catalog must do.
            "edge/contract.rs",
            "generate/tests.rs",
            "kernel/columns/encode/tests.rs",
            "kernel/ledger/records/tests.rs",
            "query/tests.rs",
        ])
        .collect();
    never("", &names, &except);
}

/// Fails where something uses what stands above it in the order. `place` gives a module's place in
/// the order.
fn one_way(order: &[&str], place: impl Fn(&Module) -> Option<usize>) {
    let files = files();
    let mut wrong = Vec::new();
    for (module, used) in Graph::of(&files).uses {
        let Some(own) = place(&module) else { continue };
        let above = used.iter().filter(|used| place(used).is_some_and(|theirs| theirs < own));
        wrong.extend(above.map(|used| format!("{} uses {}", files[&module].name, files[used].name)));
    }
    assert!(wrong.is_empty(), "{order:?} is the order, each uses only those below it, but:\n{}", wrong.join("\n"));
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let files = files();
    let there: BTreeSet<&str> = files.keys().filter_map(|module| module.first()).map(String::as_str).collect();
    assert_eq!(there, ROOMS.into_iter().collect(), "every room has its place in the order");
    one_way(&ROOMS, |module| ROOMS.iter().position(|room| module.first().is_some_and(|first| first == room)));
}

#[test]
fn parts_of_the_kernel_use_only_what_lies_below_them() {
    one_way(&PARTS, |module| {
        let part = module.strip_prefix(&["kernel".to_owned()][..])?.first()?;
        Some(PARTS.iter().position(|known| known == part).unwrap_or_else(|| panic!("kernel/{part} has no place")))
    });
}

#[test]
fn no_two_files_use_each_other() {
    let files = files();
    let graph = Graph::of(&files);
    let circles = graph.circles().into_iter().map(|circle| {
        let names: Vec<&str> = circle.into_iter().map(|module| files[module].name.as_str()).collect();
        names.join(", ")
    });
    let circles: Vec<String> = circles.collect();
    assert!(circles.is_empty(), "these use each other, in a circle:\n{}", circles.join("\n"));
}

/// The names of types that a file defines for others or itself.
fn types(code: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for line in code.lines() {
        let mut words = line.split([' ', '<', '(', '{', ';', ':']).filter(|word| !word.is_empty());
        let word = words.by_ref().find(|word| !["pub", "crate)", "super)", "in"].contains(word));
        if line.starts_with(char::is_alphabetic) && word.is_some_and(|word| ["struct", "enum", "trait"].contains(&word))
        {
            found.extend(words.next());
        }
    }
    found
}

#[test]
fn a_name_is_one_type() {
    // Every verb has its `Args`, which clap's documentation calls so; nobody meets two of them in
    // one file.
    let usual = ["Args"];
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files().values() {
        for name in types(&file.code).into_iter().filter(|name| !usual.contains(name)) {
            places.entry(name.to_owned()).or_default().push(file.name.clone());
        }
    }
    assert!(places.len() > 200, "types are found: {}", places.len());
    let twice: Vec<String> = places
        .into_iter()
        .filter(|(_, files)| files.len() > 1)
        .map(|(name, files)| format!("{name}: {}", files.join(", ")))
        .collect();
    assert!(twice.is_empty(), "a name means one thing, but these are several types:\n{}", twice.join("\n"));
}

#[test]
fn files_stay_readable() {
    for file in files().values() {
        let lines = file.text.lines().count();
        assert!(lines <= 500, "{} has {lines} lines: is it still one idea?", file.name);
    }
}

/// The first cells of the tables that a file begins with.
fn named_in_head(text: &str) -> BTreeSet<&str> {
    let head = text.lines().take_while(|line| line.starts_with("//!"));
    let cells = head.filter_map(|line| line.strip_prefix("//! | ")?.split(" | ").next());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(|name| name.trim_end_matches('/')).collect()
}

#[test]
fn a_folder_begins_with_a_table_of_its_files() {
    let files = files();
    let mut missing = Vec::new();
    for (module, file) in &files {
        let named = named_in_head(&file.text);
        let children = files.keys().filter(|child| child.len() == module.len() + 1 && child.starts_with(module));
        let unnamed = children.filter_map(|child| child.last()).filter(|name| !named.contains(name.as_str()));
        missing.extend(unnamed.map(|name| format!("{}: {name}", file.name)));
    }
    assert!(missing.is_empty(), "these have no line in the table of their folder:\n{}", missing.join("\n"));
}

/// A table's row and a line of a drawing are as long as they are.
#[test]
fn comments_are_wrapped() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wide = Vec::new();
    for folder in ["src", "tests", "benches"] {
        for path in rust_files(&root.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                let comment = line.trim_start();
                let said = comment.trim_start_matches(['/', '!']).trim_start();
                let fits = line.chars().count() <= 100 || said.starts_with('|') || !said.contains(' ');
                if comment.starts_with("//") && !fits && !said.starts_with("list -> ") {
                    wide.push(format!("{}:{}", path.strip_prefix(root).unwrap().display(), number + 1));
                }
            }
        }
    }
    assert!(wide.is_empty(), "comments of more than 100 characters a line:\n{}", wide.join("\n"));
}

/// Nothing in the repository names a place that only its authors have.
#[test]
fn no_place_of_the_authors_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests", "ddl", "benches"] {
        for path in rust_files(&root.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for word in ["/wo\u{72}k/", "/ro\u{6f}t/", "crates\u{2e}io-"] {
                assert!(!text.contains(word), "{} holds {word}", path.display());
            }
        }
    }
}
