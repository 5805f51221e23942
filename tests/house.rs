//! The house rules that no lint can say: what the kernel never touches, and which room may use
//! which.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a file without its comments and its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn room(name: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let inside = |path: &PathBuf| {
        let place = path.strip_prefix(&root).unwrap();
        place.starts_with(name) || place == Path::new(&format!("{name}.rs"))
    };
    let files = sources(&root).into_iter().filter(inside);
    files.map(|path| (path.strip_prefix(&root).unwrap().display().to_string(), code(&path))).collect()
}

/// Fails with every line of a room that holds one of the words.
fn never(room_name: &str, words: &[&str], except: &[&str]) {
    let files = room(room_name);
    assert!(!files.is_empty(), "there is a room {room_name}");
    let mut found = Vec::new();
    for (file, code) in files.iter().filter(|(file, _)| !except.contains(&file.as_str())) {
        for word in words {
            found
                .extend(code.lines().filter(|line| line.contains(word)).map(|line| format!("{file}: {}", line.trim())));
        }
    }
    assert!(found.is_empty(), "in {room_name} there is never {words:?}, but:\n{}", found.join("\n"));
}

const CLOCKS: [&str; 3] = ["SystemTime", "Instant", "Timestamp::now"];
const WORLD: [&str; 9] =
    ["tokio", "aws_", "object_store", "tracing", "std::env", "std::fs", "std::net", "rand::", "uuid"];

#[test]
fn the_kernel_never_touches_the_world() {
    never("kernel", &CLOCKS, &[]);
    never("kernel", &WORLD, &[]);
    never("kernel", &["println!", "eprintln!", "std::process"], &[]);
}

#[test]
fn rayon_is_used_in_one_room_and_its_bridge() {
    never("kernel", &["rayon"], &["kernel/columns/convert/chunk.rs", "kernel/columns/convert/partition_buffer.rs"]);
    for name in [
        "protocol_driver",
        "cli",
        "compact",
        "demo",
        "edge",
        "generate",
        "job",
        "lake",
        "pipeline",
        "progress",
        "query",
        "recovery",
    ] {
        never(name, &["rayon"], &[]);
    }
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let uppers = [
        "crate::cli",
        "crate::pipeline",
        "crate::protocol_driver",
        "crate::recovery",
        "crate::compact",
        "crate::verify",
        "crate::query",
        "crate::lake",
        "crate::job",
    ];
    never("kernel", &uppers, &[]);
    never("kernel", &["crate::edge", "crate::generate", "crate::offload", "crate::progress"], &[]);
    never("edge", &uppers, &[]);
    never("edge", &["crate::generate", "crate::offload"], &[]);
    never("generate", &uppers, &[]);
    never("generate", &["crate::edge"], &[]);
    let verbs = ["crate::pipeline", "crate::compact", "crate::verify", "crate::query", "crate::cli"];
    never("protocol_driver", &[&verbs[..], &["crate::offload", "crate::recovery", "crate::job"]].concat(), &[]);
    never("recovery", &[&verbs[..], &["crate::offload", "crate::job"]].concat(), &[]);
    never("compact", &["crate::pipeline", "crate::verify", "crate::query", "crate::cli", "crate::job"], &[]);
    never("verify", &["crate::pipeline", "crate::compact", "crate::query", "crate::cli", "crate::offload"], &[]);
    never("query", &["crate::pipeline", "crate::protocol_driver", "crate::cli"], &[]);
    never("pipeline", &["crate::cli", "crate::query", "crate::generate", "crate::forecast", "crate::metrics"], &[]);
    never("job", &["crate::edge", "crate::offload", "crate::recovery", "crate::protocol_driver"], &[]);
    never("job", &[&verbs[..], &["crate::lake"]].concat(), &[]);
    never("init", &[&verbs[..], &["crate::offload", "crate::job"]].concat(), &[]);
    never(
        "forecast",
        &["crate::cli", "crate::query", "crate::verify", "crate::protocol_driver", "crate::recovery"],
        &[],
    );
    never("metrics", &["crate::cli", "crate::query", "crate::edge", "crate::lake"], &[]);
    for name in ["model", "location", "stats", "error"] {
        never(name, &["crate::kernel", "crate::edge"], &[]);
    }
}

/// A process has one place that says what a signal does.
#[test]
fn one_file_heeds_signals() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let heeds = |path: &&PathBuf| code(path).contains("tokio::signal");
    let files: Vec<PathBuf> = sources(&root).into_iter().filter(|path| heeds(&path)).collect();
    assert_eq!(files, [root.join("signals.rs")]);
}

/// Inside the kernel each wing uses only those before it.
#[test]
fn the_wings_of_the_kernel_go_one_way() {
    let wings = ["schema", "policy", "source", "columns", "ledger"];
    for (place, wing) in wings.iter().enumerate() {
        let paths = |later: &&str| [format!("super::{later}"), format!("kernel::{later}")];
        let later: Vec<String> = wings[place + 1..].iter().flat_map(paths).collect();
        let later: Vec<&str> = later.iter().map(String::as_str).collect();
        never(&format!("kernel/{wing}"), &later, &[]);
    }
}

/// What is particular to a source stands in its own file, so that a new source is a new file.
#[test]
fn a_source_is_named_in_its_own_file() {
    let except = [
        "model/table.rs",
        "kernel/schema/sources/alb.rs",
        "kernel/schema/sources/cloudfront.rs",
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
    ];
    never("", &["CloudfrontLogs", "AlbLogs"], &except);
}

#[test]
fn files_stay_readable() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in sources(&root) {
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 500, "{} has {lines} lines: is it still one idea?", path.display());
    }
}

/// Nothing in the repository names a place that only its authors have.
#[test]
fn no_machine_is_named() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for folder in ["src", "tests", "ddl", "benches"] {
        for path in sources(&root.join(folder)) {
            let text = fs::read_to_string(&path).unwrap();
            for word in ["/wo\u{72}k/", "/ro\u{6f}t/", "crates\u{2e}io-"] {
                assert!(!text.contains(word), "{} holds {word}", path.display());
            }
        }
    }
}
