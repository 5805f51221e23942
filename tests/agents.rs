//! Who is taken for whom, on labelled user agents: tests/agents/README.md tells where they come
//! from.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its table"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use edgemill::generate::encoded;
use edgemill::kernel::policy::enrich::{Additions, Agent, Category, Enricher, Escapes, categories};

static ENRICHER: LazyLock<Enricher> = LazyLock::new(|| Enricher::new(&Additions::default()).unwrap());

/// The rows of a labelled file: labels, then the user agent.
fn rows(text: &'static str) -> impl Iterator<Item = Vec<&'static str>> {
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| line.split('\t').collect())
}

fn bots() -> impl Iterator<Item = Vec<&'static str>> {
    rows(include_str!("agents/bots.tsv"))
}

fn people() -> impl Iterator<Item = Vec<&'static str>> {
    rows(include_str!("agents/people.tsv"))
}

/// A user agent in every form in which a log may hold it.
fn looked_at(text: &str) -> Vec<Arc<Agent>> {
    let once = encoded(text);
    let mut forms = vec![text.as_bytes().to_vec(), once.clone()];
    // A second layer is told by the spaces that it hides: without any there is no saying.
    if text.contains(' ') {
        forms.push(encoded(std::str::from_utf8(&once).unwrap()));
    }
    forms.iter().map(|raw| ENRICHER.classify(raw, Escapes::Percent)).collect()
}

/// What a labelled file is judged by: labels to how they were taken.
#[derive(Default)]
struct Table(BTreeMap<String, (usize, usize)>);

impl Table {
    fn add(&mut self, label: &str, right: bool) {
        let (all, wrong) = self.0.entry(label.to_owned()).or_default();
        *all += 1;
        *wrong += usize::from(!right);
    }

    fn print(&self, title: &str) -> (usize, usize) {
        println!("{title:<34}{:>6}{:>7}", "rows", "wrong");
        for (label, (all, wrong)) in &self.0 {
            println!("  {label:<32}{all:>6}{wrong:>7}");
        }
        self.0.values().fold((0, 0), |(all, wrong), (a, w)| (all + a, wrong + w))
    }
}

#[test]
fn bots_are_bots_and_people_are_people() {
    let (mut missed, mut accused, mut wrong) = (Table::default(), Table::default(), Vec::new());
    for row in bots() {
        let [category, _, text] = row[..] else { panic!("{row:?}") };
        for agent in looked_at(text) {
            // A lone dash is no user agent at all.
            let right = agent.is_bot == Some(true) || text == "-";
            missed.add(category, right);
            if !right {
                wrong.push(format!("missed: {text}"));
            }
        }
    }
    for row in people() {
        let [_, _, class, text] = row[..] else { panic!("{row:?}") };
        for agent in looked_at(text) {
            accused.add(class, agent.is_bot == Some(false));
            if agent.is_bot != Some(false) {
                wrong.push(format!("accused ({:?}, {:?}): {text}", agent.bot_name, agent.bot_category));
            }
        }
    }
    let (bots, missed) = missed.print("bots");
    let (people, accused) = accused.print("people");
    println!("rules: {}", Additions::default().stamp());
    println!(
        "{:<14}{:>12}{:>14}\n{:<14}{:>12}{:>14}\n{:<14}{:>12}{:>14}",
        "",
        "taken for bot",
        "for person",
        "bots",
        bots - missed,
        missed,
        "people",
        accused,
        people - accused
    );
    wrong.dedup();
    wrong.iter().for_each(|line| println!("{line}"));
    assert!(missed * 100 <= bots, "recall is below 99 %: {missed} of {bots} were missed");
    assert!(accused * 1_000 <= people, "more than 0.1 % of people were taken for bots: {accused} of {people}");
}

#[test]
fn bots_are_named_with_what_they_are_for() {
    let (mut table, mut wrong) = (Table::default(), Vec::new());
    for row in bots() {
        let [category, name, text] = row[..] else { panic!("{row:?}") };
        let agent = ENRICHER.classify(text.as_bytes(), Escapes::Percent);
        let right = agent.bot_category.as_deref() == Some(category);
        table.add(category, right);
        if !right {
            wrong.push(format!("{category} ({name}) is {:?} {:?}: {text}", agent.bot_category, agent.bot_name));
        }
        let known = categories().unwrap().iter().any(|known| known.name == category);
        assert!(known, "tests/agents/bots.tsv: '{category}' is no category of bots.toml: {text}");
    }
    let (all, wrong_rows) = table.print("categories");
    wrong.iter().for_each(|line| println!("{line}"));
    assert!(wrong_rows * 10 <= all, "{wrong_rows} of {all}");
}

#[test]
fn browsers_systems_and_devices_are_called_as_people_call_them() {
    let tables = [Table::default(), Table::default(), Table::default()];
    let (mut tables, mut wrong) = (tables, Vec::new());
    for row in people() {
        let [browser, system, class, text] = row[..] else { panic!("{row:?}") };
        let agent = ENRICHER.classify(text.as_bytes(), Escapes::Percent);
        let said = [agent.browser_family.as_deref(), agent.os_family.as_deref(), agent.device_class];
        for ((table, label), said) in tables.iter_mut().zip([browser, system, class]).zip(said) {
            // Where the string names none, any answer is a guess and is not judged.
            let right = label == "-" || said == Some(label);
            table.add(label, right);
            if !right {
                wrong.push(format!("{label} is {said:?}: {text}"));
            }
        }
    }
    wrong.iter().for_each(|line| println!("{line}"));
    for (table, (title, bar)) in tables.iter().zip([("browsers", 95), ("systems", 98), ("devices", 97)]) {
        let (all, wrong) = table.print(title);
        println!("{title}: {wrong} of {all} wrong");
        assert!((all - wrong) * 100 >= all * bar, "{title}: {wrong} of {all}");
    }
}

/// The table of docs/bots.md is written from bots.toml: `EDGEMILL_RENEW=1` writes it anew.
#[test]
fn the_docs_list_the_categories() {
    let (begin, end) = ("<!-- categories: written by a test from bots.toml -->\n", "<!-- end of categories -->\n");
    let line = |category: &Category| {
        format!("| `{}` | {} | {} |\n", category.name, category.about, category.such_as.join(", "))
    };
    let lines: String = categories().unwrap().iter().map(line).collect();
    let table = format!("\n| `bot_category` | what its bots do | such as |\n|-|-|-|\n{lines}\n");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/bots.md");
    let docs = fs::read_to_string(&path).unwrap();
    let (before, rest) = docs.split_once(begin).unwrap();
    let (written, after) = rest.split_once(end).unwrap();
    if std::env::var_os("EDGEMILL_RENEW").is_some() {
        fs::write(&path, format!("{before}{begin}{table}{end}{after}")).unwrap();
        return;
    }
    assert!(
        written == table,
        "docs/bots.md does not list the categories of bots.toml as they are; `scripts/renew` writes:\n{table}"
    );
}

#[test]
fn no_text_slows_the_look() {
    let usual: Vec<&str> = people().map(|row| row[3]).take(300).collect();
    let seconds = |texts: &[String]| {
        let once = || {
            // Memoised texts would cost nothing, and the first look compiles regular expressions.
            let enricher = Enricher::new(&Additions::default()).unwrap();
            let begun = Instant::now();
            texts.iter().for_each(|text| _ = enricher.classify(text.as_bytes(), Escapes::Percent));
            begun.elapsed().as_secs_f64() / f64::from(u32::try_from(texts.len()).unwrap())
        };
        (0..5).map(|_| once()).fold(f64::INFINITY, f64::min)
    };
    let ordinary = seconds(&usual.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    println!("{:>8.1} us for an ordinary user agent", ordinary * 1e6);
    // A load balancer logs 8 KB of a user agent at most. (Of 20 KB, the most that CloudFront takes,
    // copying the text alone costs as much as the look.)
    let hostile = [
        "bot",
        "a@",
        "http://",
        "compatible; ",
        "Mozilla/5.0 (",
        "Googlebot",
        "x",
        "%25",
        "(((((((((",
        "BB10 Windows rv:1 ",
        "Darwin/Akamai Varnish Sony ",
        "(Linux; Android 9; Akamai",
    ];
    let hostile = hostile.map(|part| part.repeat((8 << 10) / part.len()));
    for text in &hostile {
        let texts: Vec<String> = (0..40).map(|n| format!("{n}{text}")).collect();
        // Tests beside this one, and whatever else the machine does, only ever add: one quiet look
        // of five is enough.
        let slowest = (0..5).map(|_| seconds(&texts)).find(|slowest| *slowest < 10.0 * ordinary);
        let slowest = slowest.unwrap_or_else(|| seconds(&texts));
        println!("{:>8.1} us, {:.1} times an ordinary one: {}...", slowest * 1e6, slowest / ordinary, &text[..20]);
        assert!(slowest < 10.0 * ordinary, "{:.1} times: {}...", slowest / ordinary, &text[..20]);
    }
}
