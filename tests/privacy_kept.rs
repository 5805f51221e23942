//! What a lake keeps of people is remembered by the lake: every run is held to it, and only `init`
//! changes it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use common::{binary, exits, files, fingerprint, gzip, ledgers, query, text};
use serde_json::Value;

const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
    x-edge-request-id cs-uri-query\n";

/// The address of every client.
const ADDRESS: &str = "203.0.113.77";

const KEY: &str = "0123456789abcdef0123456789abcdef\n";

/// Logs, a lake and job files.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn lake(&self) -> PathBuf {
        self.path("lake")
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        text(&path).to_owned()
    }

    /// Two rows of CloudFront for each hour.
    fn cloudfront(&self, folder: &str, hours: std::ops::Range<u32>) {
        for hour in hours {
            let row = |id: &str| {
                format!(
                    "2026-11-28\t{hour:02}:00:01\tHEL51-P6\t100\t{ADDRESS}\tGET\td1.cloudfront.net\t/a\t200\t{id}{hour}\ttoken=hush\n"
                )
            };
            let log = format!("{FIELDS}{}{}", row("a"), row("b"));
            self.write(&format!("{folder}/E2EXAMPLE.2026-11-28-{hour:02}.abcd1234.gz"), &gzip(log.as_bytes()));
        }
    }

    /// A row of a load balancer.
    fn alb(&self, folder: &str) {
        let row = format!(
            "https 2026-11-28T05:00:01.000000Z app/my/1 {ADDRESS}:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 \
             \"GET https://x.invalid:443/a HTTP/1.1\" \"curl/8.5.0\" - - - \"Root=1\" \"-\" \"-\" 0 \
             2026-11-28T05:00:00.000000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"\n"
        );
        let name = "123456789012_elasticloadbalancing_us-east-1_app.my.1_20261128T0505Z_192.0.2.1_abc.log.gz";
        self.write(&format!("{folder}/{name}"), &gzip(row.as_bytes()));
    }

    fn arguments(&self, verb: &str, from: &str, more: &[&str]) -> Vec<String> {
        let (from, lake) = (text(&self.path(from)).to_owned(), text(&self.lake()).to_owned());
        let typed = [verb.to_owned(), "--from".into(), from, "--to".into(), lake];
        typed.into_iter().chain(more.iter().map(|word| (*word).to_owned())).collect()
    }

    fn run(&self, code: i32, verb: &str, from: &str, more: &[&str]) -> (String, String) {
        let arguments = self.arguments(verb, from, more);
        exits(code, &arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn convert(&self, from: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.run(0, "convert", from, &[more, &["--json"]].concat()).0).unwrap()
    }

    /// Runs, and expects to be refused with these words and nothing written that a reader or a grep
    /// would find.
    fn refused(&self, verb: &str, from: &str, more: &[&str], words: &[&str]) -> String {
        let before = fingerprint(&self.lake());
        let (out, err) = self.run(2, verb, from, more);
        assert_eq!((out.as_str(), err.lines().count()), ("", 1), "{err}");
        for word in words {
            assert!(err.contains(word), "'{word}' is not in: {err}");
        }
        assert_eq!(fingerprint(&self.lake()), before, "{verb} {from} {more:?} wrote something");
        err
    }

    fn init(&self, more: &[&str]) -> Value {
        let lake = self.lake();
        let arguments = [&["init", "--json", "--to", text(&lake)][..], more].concat();
        serde_json::from_str(&exits(0, &arguments).0).unwrap()
    }

    fn addresses(&self) -> Vec<String> {
        let rows = query(
            &self.lake(),
            "SELECT DISTINCT c_ip FROM cloudfront_logs UNION SELECT DISTINCT client_ip FROM alb_logs ORDER BY 1",
        );
        rows.lines().skip(1).map(str::to_owned).collect()
    }

    /// Whether an address stands anywhere in the lake: in a row, or in the bytes of any file,
    /// inflated where it is gzip.
    fn holds_address(&self) -> bool {
        let within = |bytes: &[u8]| bytes.windows(ADDRESS.len()).any(|part| part == ADDRESS.as_bytes());
        let rows = ["cloudfront_logs", "alb_logs", "rejects"].iter().any(|table| {
            let answer = query(&self.lake(), &format!("SELECT * FROM {table}"));
            within(answer.as_bytes())
        });
        rows || files(&self.lake()).iter().any(|path| {
            let bytes = fs::read(path).unwrap();
            let mut inflated = Vec::new();
            let _ = flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_end(&mut inflated);
            within(&bytes) || within(&inflated) || pages_hold(&bytes, &within)
        })
    }
}

/// Whether any row of a Parquet file holds something, whether or not a record names the file: what
/// lies in `staging` too.
fn pages_hold(bytes: &[u8], within: &dyn Fn(&[u8]) -> bool) -> bool {
    if !bytes.starts_with(b"PAR1") {
        return false;
    }
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::copy_from_slice(bytes));
    reader.unwrap().build().unwrap().any(|batch| within(format!("{:?}", batch.unwrap()).as_bytes()))
}

/// A cron job that lost its argument: other hours, counted hours, another source, another table,
/// the verb that writes anew.
#[test]
fn a_run_that_forgets_is_refused_whatever_it_is_asked_for() {
    for ledger in ledgers() {
        let place = Place::new();
        place.cloudfront("logs", 0..6);
        place.cloudfront("more", 7..8);
        place.alb("alb");
        place.init(&["--ledger", &ledger]);
        place.convert("logs", &["--hours", "2026-11-28T00..2026-11-28T02", "--client-ip", "truncate"]);
        let words = [
            "cloudfront_logs",
            "(--client-ip truncate)",
            "says nothing of them",
            "edgemill init --to",
            "--client-ip keep",
        ];
        for (from, more) in [
            ("logs", &["--hours", "2026-11-28T04..2026-11-28T06"][..]),
            ("logs", &["--hours", "2026-11-28T00..2026-11-28T02"]),
            ("logs", &["--last", "800000h"]),
            ("logs", &[]),
            ("more", &[]),
            ("alb", &[]),
            ("alb", &["--format", "alb", "--bots", "/dev/null"]),
            ("alb", &["--json"]),
        ] {
            place.refused("convert", from, more, &words);
        }
        place.refused("reprocess", "logs", &["--all"], &words);
        place.refused("reprocess", "logs", &["--all", "--outdated"], &words);
        assert!(!place.holds_address(), "{ledger}");
        assert_eq!(place.addresses(), ["203.0.113.0"]);

        // Who says the same passes: typed, by the job file, and in the environment.
        assert_eq!(place.convert("alb", &["--client-ip", "truncate"])["rows"], 1);
        let job = place.write("job.toml", b"client_ip = \"truncate\"\n");
        let hours = ["--hours", "2026-11-28T02..2026-11-28T04"];
        assert_eq!(place.convert("logs", &[&hours[..], &["--job", &job]].concat())["rows"], 4);
        let arguments = place.arguments("convert", "logs", &[]);
        let told = binary().args(&arguments).env("EDGEMILL_CLIENT_IP", "truncate").output().unwrap();
        assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
        assert!(!place.holds_address(), "{ledger}");
    }
}

#[test]
fn a_run_that_says_something_else_is_refused_in_either_direction() {
    let place = Place::new();
    place.cloudfront("logs", 0..4);
    let (one, two) = (place.write("key one", KEY.as_bytes()), place.write("key2", b"another key of sixteen bytes"));
    let first = ["--hours", "2026-11-28T00..2026-11-28T02", "--client-ip", "hash", "--client-ip-key-file", &one];
    place.convert("logs", &first);
    // Another key: the same client would have two hashes from then on.
    let err = place.refused("convert", "logs", &["--client-ip", "hash", "--client-ip-key-file", &two], &[]);
    let names: Vec<&str> = err.split("(key ").skip(1).map(|rest| &rest[..8]).collect();
    assert!(names.len() == 2 && names[0] != names[1], "both keys are named, and by nothing else: {err}");
    let command = format!("edgemill init --to {} --client-ip hash --client-ip-key-file {two}", text(&place.lake()));
    assert!(err.trim_end().ends_with(&command), "{err}");
    for (more, says) in [
        (&["--client-ip", "truncate"][..], "--client-ip truncate"),
        (&["--client-ip", "keep"], "--client-ip keep"),
        (&["--drop", "c_ip"], "--drop c_ip"),
        (&["--client-ip", "hash", "--client-ip-key-file", &one, "--redact", "default"], "--redact default"),
    ] {
        place.refused("convert", "logs", more, &["keeps --client-ip hash (key", says, "edgemill init --to"]);
        place.refused("reprocess", "logs", &[&["--all"][..], more].concat(), &["keeps --client-ip hash (key", says]);
    }
    place.convert("logs", &["--client-ip", "hash", "--client-ip-key-file", &one]);
    assert_eq!(place.addresses().len(), 1, "the same client has one hash");
    assert!(!place.holds_address());

    // The other way: a lake that keeps everything, and a run that would keep less from some hour
    // on.
    let place = Place::new();
    place.cloudfront("logs", 0..4);
    place.convert("logs", &["--hours", "2026-11-28T00..2026-11-28T02"]);
    let words = [
        "keeps --client-ip keep",
        "says --client-ip truncate --drop cs_uri_query",
        "--client-ip truncate --drop cs_uri_query",
    ];
    place.refused("convert", "logs", &["--client-ip", "truncate", "--drop", "cs_uri_query"], &words);
    place.convert("logs", &["--client-ip", "keep"]);
}

/// The command that a person is told, as it is typed.
fn type_it(command: &str) -> (i32, String) {
    let command = command.replacen("edgemill", env!("CARGO_BIN_EXE_edgemill"), 1);
    let output = Command::new("sh").args(["-c", &command]).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

/// The rest of a text from a command of ours on.
fn told_command(text: &str, verb: &str) -> String {
    let at = text.find(&format!("edgemill {verb}")).unwrap_or_else(|| panic!("no edgemill {verb} in: {text}"));
    text[at..].lines().next().unwrap().to_owned()
}

/// Keep less from now on: what is told is typed, and at the end nothing is left.
#[test]
fn a_lake_that_is_to_keep_less_is_led_there_by_what_it_says() {
    for ledger in ledgers() {
        let place = Place::new();
        place.cloudfront("my logs", 0..3);
        place.alb("my logs");
        place.init(&["--ledger", &ledger, "--no-late"]);
        let all = place.convert("my logs", &["--hours", "2026-11-28T00..2026-11-28T06"]);
        assert_eq!((&all["rows"], &all["rows_that_keep_more"]), (&7.into(), &0.into()));
        assert_eq!(all.get("mending"), None, "there is nothing to be mended");

        let refused = place.run(2, "convert", "my logs", &["--client-ip", "truncate"]).1;
        let (code, said) = type_it(&told_command(&refused, "init"));
        assert_eq!(code, 0, "{said}");
        for word in [
            "keeps of people in cloudfront_logs: --client-ip truncate (it was --client-ip keep before)",
            "keeps of people in alb_logs: --client-ip truncate (it was --client-ip keep before)",
            "6 rows of 3 hours hold more",
            "1 row of 1 hour holds more",
            "edgemill reprocess --outdated --all --from",
        ] {
            assert!(said.contains(word), "'{word}' is not in: {said}");
        }

        // A run goes on, and says what is left of before.
        place.cloudfront("my logs", 3..4);
        let run = place.convert("my logs", &["--client-ip", "truncate"]);
        assert_eq!((&run["rows"], &run["rows_that_keep_more"]), (&2.into(), &7.into()), "{run}");
        assert_eq!((&run["hours_that_keep_more"], run["mending"].as_array().unwrap().len()), (&4.into(), 2));
        let (said, _) = place.run(0, "convert", "my logs", &["--client-ip", "truncate"]);
        assert!(said.contains("7 rows of 4 hours hold more of people than the lake keeps now"), "{said}");
        let lake = place.lake();
        let (found, _) = exits(3, &["verify", "--lake", text(&lake)]);
        assert!(
            found.contains(
                "keeps more of people than the lake does: 6 rows of 3 hours from cloudfront_logs/2026-11-28T00"
            ),
            "{found}"
        );
        let (found, _) =
            exits(3, &["verify", "--json", "--lake", text(&lake), "--hours", "2026-11-28T01..2026-11-28T02"]);
        let found: Value = serde_json::from_str(&found).unwrap();
        let findings = found["findings"].as_array().unwrap();
        assert!(findings.len() == 1 && findings[0]["kind"] == "keeps_more", "{findings:?}");
        assert!(
            findings[0]["about"].as_str().unwrap().starts_with("2 rows of cloudfront_logs/2026-11-28T01"),
            "{findings:?}"
        );
        let told = type_it(
            &told_command(findings[0]["about"].as_str().unwrap(), "reprocess")
                .replace("--all", "--hours 2026-11-28T01..2026-11-28T02"),
        );
        assert_eq!(told.0, 0, "verify's command is one: {}", told.1);
        exits(0, &["verify", "--lake", text(&lake), "--hours", "2026-11-28T01..2026-11-28T02"]);

        // The commands that it said mend it.
        let run = place.convert("my logs", &["--client-ip", "truncate"]);
        assert_eq!(run["rows_that_keep_more"], 5, "what was written anew is counted no more");
        for command in run["mending"].as_array().unwrap() {
            let (code, said) = type_it(command.as_str().unwrap());
            assert_eq!(code, 0, "{said}");
        }
        let run = place.convert("my logs", &["--client-ip", "truncate"]);
        assert_eq!((&run["rows_that_keep_more"], run.get("mending")), (&0.into(), None), "{run}");
        let people = &place.init(&[])["people"];
        assert_eq!(people["cloudfront_logs"]["rows_that_keep_more"], 0);
        exits(0, &["verify", "--lake", text(&lake)]);
        assert!(!place.holds_address(), "{ledger}");
        assert_eq!(query(&lake, "SELECT count(*) FROM cloudfront_logs").lines().nth(1), Some("8"));
    }
}

/// The note alone is asked, until a choice changes or rows are written anew: a run with nothing
/// left reads no manifest.
#[test]
fn rows_are_counted_again_only_where_they_may_have_changed() {
    let place = Place::new();
    place.cloudfront("logs", 0..2);
    place.convert("logs", &[]);
    let calls = |run: &Value| run["lake_calls"]["get"].as_u64().unwrap();
    let before = calls(&place.convert("logs", &[]));
    place.init(&["--format", "cloudfront", "--client-ip", "truncate"]);
    let left = place.convert("logs", &["--client-ip", "truncate"]);
    assert_eq!((&left["rows_that_keep_more"], calls(&left)), (&4.into(), before), "as many as without any");
    // What was loosened again holds nothing more.
    place.init(&["--format", "cloudfront", "--client-ip", "keep"]);
    let run = place.convert("logs", &["--client-ip", "keep"]);
    assert_eq!((&run["rows_that_keep_more"], calls(&run)), (&0.into(), before));
    exits(0, &["verify", "--lake", text(&place.lake())]);
}

#[test]
fn init_sets_and_shows_what_a_lake_keeps() {
    let place = Place::new();
    place.cloudfront("logs", 0..2);
    place.alb("alb");
    // Nothing is said, nothing is known.
    assert_eq!(place.init(&[])["people"], serde_json::json!({}));
    // A job file says it, for the logs that it is of; rules about user agents are no part of it,
    // wherever they are.
    let job = "from = 'logs'\nto = 'lake'\nformat = 'cloudfront'\nclient_ip = 'truncate'\nredact = ['default']\nbots = 'nowhere.toml'\n";
    let job = place.write("job.toml", job.as_bytes());
    let set: Value = serde_json::from_str(&exits(0, &["init", "--json", "--job", &job]).0).unwrap();
    let keeps = set["people"]["cloudfront_logs"]["keeps"].as_str().unwrap().to_owned();
    assert!(keeps.starts_with("client_ip=truncate redact=access_token,"), "{keeps}");
    assert_eq!(set["people"]["cloudfront_logs"]["was"], Value::Null);
    assert_eq!(set["people"].get("alb_logs"), None, "the job is CloudFront's");
    fs::write(place.path("nowhere.toml"), "").unwrap();
    exits(0, &["convert", "--job", &job]);
    exits(0, &["init", "--job", &job]);
    place.refused("convert", "logs", &[], &["--client-ip truncate --redact default"]);
    place.refused("convert", "alb", &[], &["cloudfront_logs", "says nothing of them"]);
    // The other table has a choice of its own, even before its first row.
    place.init(&["--format", "alb", "--client-ip", "keep"]);
    let words = ["in alb_logs", "keeps --client-ip keep", "--format alb --client-ip truncate"];
    place.refused("convert", "alb", &["--client-ip", "truncate"], &words);
    place.refused("convert", "alb", &[], &["cloudfront_logs", "say so on purpose: --client-ip keep"]);
    place.convert("alb", &["--client-ip", "keep"]);
    // It is left where nothing is said, and told.
    let left = place.init(&[]);
    assert_eq!(left["people"]["cloudfront_logs"]["keeps"], keeps.as_str());
    assert_eq!(left["people"]["alb_logs"]["keeps"], "none");
    let said = exits(0, &["init", "--to", text(&place.lake())]).0;
    assert!(said.contains("keeps of people in cloudfront_logs: --client-ip truncate --redact default\n"), "{said}");
    // The environment says it as it does to convert.
    let told =
        binary().args(["init", "--json", "--to", text(&place.lake())]).env("EDGEMILL_DROP", "c_ip").output().unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(
        told["people"]["alb_logs"],
        serde_json::json!({
            "keeps": "drop=c_ip", "was": "none", "rows_that_keep_more": 1, "hours_that_keep_more": 1,
            "mending": told["people"]["alb_logs"]["mending"],
        })
    );
    // What cannot be is refused before anything is changed.
    exits(2, &["init", "--to", text(&place.lake()), "--client-ip", "hash"]);
    exits(2, &["init", "--to", text(&place.lake()), "--drop", "nothing"]);
    assert_eq!(place.init(&[])["people"]["alb_logs"]["keeps"], "drop=c_ip");
}

/// A hash needs its key where the choice is made, and the lake has the key's name only.
#[test]
fn a_key_stays_outside_of_the_lake() {
    let place = Place::new();
    place.cloudfront("logs", 0..1);
    let key = place.write("key", KEY.as_bytes());
    place.init(&["--client-ip", "hash", "--client-ip-key-file", &key]);
    let lake = place.lake();
    let keyed = binary()
        .args(["convert", "--from", text(&place.path("logs")), "--to", text(&lake), "--client-ip", "hash"])
        .env("EDGEMILL_CLIENT_IP_KEY", KEY)
        .output()
        .unwrap();
    assert!(keyed.status.success(), "{}", String::from_utf8_lossy(&keyed.stderr));
    for path in files(&lake) {
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(16).any(|part| part == &KEY.as_bytes()[..16]), "{}", path.display());
    }
    let note = fs::read_to_string(lake.join("_edgemill/privacy/cloudfront_logs/0000000001.json")).unwrap();
    let name = note.split("hash:").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(name.len(), 8, "{note}");
    assert!(place.addresses().iter().all(|hash| !hash.starts_with(name)), "no address becomes the key's name");
}

/// Two first runs at the same time, one of them forgetful: one choice wins, and the other run has
/// written nothing.
#[test]
fn of_two_first_runs_that_differ_one_wins() {
    for ledger in ledgers() {
        for round in 0..6 {
            let place = Place::new();
            place.cloudfront("logs", 0..8);
            place.init(&["--ledger", &ledger]);
            let start = |more: &[&str]| {
                let arguments = place.arguments("convert", "logs", more);
                binary().args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            };
            let runs = [start(&["--client-ip", "truncate"]), start(&[][..])];
            let ended = runs.map(|run| run.wait_with_output().unwrap());
            let codes: Vec<i32> = ended.iter().map(|output| output.status.code().unwrap()).collect();
            let told = format!("{ledger}, round {round}: {ended:?}");
            // The forgetful one passes only where it was there first.
            let kept = match codes[..] {
                [0, 2] => "203.0.113.0",
                [2, 0] => ADDRESS,
                _ => panic!("{told}"),
            };
            assert_eq!(place.addresses(), [kept], "{told}");
            assert_eq!(place.holds_address(), kept == ADDRESS, "{told}");
            assert_eq!(query(&place.lake(), "SELECT count(*) FROM cloudfront_logs").lines().nth(1), Some("16"));
            exits(0, &["verify", "--lake", text(&place.lake())]);
        }
    }
}

/// A choice that changes under a run that nobody saw at work: what the run has not committed yet
/// never counts, and goes.
#[test]
fn a_run_does_not_go_on_by_an_earlier_choice() {
    let place = Place::new();
    common::generate(&place.path("logs"), 300_000, 5);
    place.init(&[]);
    let arguments = place.arguments("convert", "logs", &["--threads", "1"]);
    let run = binary().args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while !place.lake().join("staging").exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let signal = |name: &str| Command::new("kill").args([name, &run.id().to_string()]).status().unwrap();
    assert!(signal("-STOP").success());
    let note = place.lake().join("_edgemill/privacy/cloudfront_logs");
    assert!(note.join("0000000001.json").exists(), "the choice is remembered before there is a row");
    fs::write(note.join("0000000002.json"), "{\"keeps\":\"client_ip=truncate\"}").unwrap();
    // Longer than a look is good for.
    std::thread::sleep(Duration::from_millis(1_100));
    assert!(signal("-CONT").success());
    let ended = run.wait_with_output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert!(
        ended.status.code() == Some(2) && err.contains("(--client-ip truncate), and this run says nothing"),
        "{err}"
    );
    // What was committed before is there, and no more.
    let (lake, sum) = (place.lake(), "SELECT count(*) FROM cloudfront_logs");
    let rows: u64 = query(&lake, sum).lines().nth(1).unwrap().parse().unwrap();
    assert!(rows < 300_000, "{rows}");
    let named =
        files(&lake.join("staging")).into_iter().filter(|path| path.extension().is_some_and(|end| end == "parquet"));
    assert_eq!(named.collect::<Vec<_>>(), Vec::<PathBuf>::new());
    // They may hold more, and are counted again, though whoever changed the choice has counted.
    let people = &place.init(&["--client-ip", "truncate"])["people"]["cloudfront_logs"];
    assert_eq!(people["rows_that_keep_more"], rows, "{people}");
}

/// A lake of a version that remembered nothing: what it keeps follows from its rows, all of them.
#[test]
fn a_lake_without_a_note_is_asked_for_its_rows() {
    let place = Place::new();
    place.cloudfront("logs", 0..4);
    place.alb("alb");
    let notes = place.lake().join("_edgemill/privacy");
    let forget = || [&notes, &place.lake().join("_edgemill/people")].map(|notes| fs::remove_dir_all(notes).unwrap());
    place.convert("logs", &["--hours", "2026-11-28T00..2026-11-28T01", "--client-ip", "truncate"]);
    forget();
    // Hours and tables in which there is nothing yet; the note is written by the look.
    let (_, err) = place.run(2, "convert", "alb", &[]);
    assert!(err.contains("cloudfront_logs (--client-ip truncate)"), "{err}");
    forget();
    place.run(2, "convert", "logs", &["--hours", "2026-11-28T02..2026-11-28T03"]);
    forget();
    place.run(2, "convert", "logs", &["--client-ip", "keep"]);
    // As the version before let it happen: a forgetful run has added its hour.
    place.init(&["--client-ip", "keep"]);
    place.convert("logs", &["--hours", "2026-11-28T02..2026-11-28T03", "--client-ip", "keep"]);
    forget();
    let (found, _) = exits(3, &["verify", "--lake", text(&place.lake())]);
    assert!(found.contains("2 rows of cloudfront_logs/2026-11-28T02 were made with --client-ip keep"), "{found}");
    assert!(!notes.exists(), "verify changes nothing");
    let (_, err) = place.run(2, "convert", "logs", &[]);
    assert!(err.contains("says nothing of them"), "what came last was no choice: {err}");
    let run = place.convert("logs", &["--client-ip", "truncate"]);
    assert_eq!((&run["rows"], &run["rows_that_keep_more"]), (&4.into(), &2.into()), "{run}");
    let (code, said) = type_it(run["mending"][0].as_str().unwrap());
    assert_eq!(code, 0, "{said}");
    assert!(!place.holds_address());
    assert_eq!(place.convert("logs", &["--client-ip", "truncate"])["rows_that_keep_more"], 0);
}

/// What `verify` and a failed query name is typed as it is printed, and brings an hour back with
/// all that the lake keeps of people and no more.
#[test]
fn a_lost_hour_comes_back_by_the_command_that_is_printed() {
    let place = Place::new();
    place.cloudfront("my logs", 0..2);
    place.alb("alb logs");
    let lake = place.lake();
    place.init(&["--no-late", "--queries", "0s"]);
    // The tables keep different things, so each has a command of its own.
    let key = place.write("a key", KEY.as_bytes());
    let hash = ["--client-ip", "hash", "--client-ip-key-file", &key, "--redact", "default", "--drop", "cs_uri_stem"];
    place.convert("my logs", &hash);
    place.init(&["--format", "alb", "--client-ip", "truncate"]);
    place.convert("alb logs", &["--client-ip", "truncate"]);
    let before = place.addresses();
    fs::remove_dir_all(lake.join("cloudfront_logs")).unwrap();
    fs::remove_dir_all(lake.join("alb_logs")).unwrap();
    let (_, failed) = exits(1, &["query", "--lake", text(&lake), "SELECT c_ip FROM cloudfront_logs"]);
    let (code, said) = type_it(&told_command(&failed, "verify"));
    assert_eq!(code, 3, "{said}");
    let commands: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("with the raw logs: ")).collect();
    assert_eq!(commands.len(), 2, "{said}");
    // Without --fix the same are named.
    let (found, _) = exits(3, &["verify", "--json", "--lake", text(&lake)]);
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(found["commands"], serde_json::json!(commands));
    assert_eq!(found["reprocess"].as_str(), commands[0].strip_prefix("edgemill "));
    for command in commands {
        assert!(!command.contains(KEY.trim()), "{command}");
        // A key is in no lake: where it is, only the asker knows.
        let (code, said) = type_it(&command.replace("-file FILE", &format!("-file '{key}'")));
        assert_eq!(code, 0, "{command}: {said}");
    }
    exits(0, &["verify", "--lake", text(&lake)]);
    assert_eq!(place.addresses(), before);
    assert!(!place.holds_address());
}

/// A lake that lost its records of hours says which command brings them back, and it does.
#[test]
fn records_that_are_gone_come_back_by_the_command_that_convert_names() {
    let place = Place::new();
    place.cloudfront("logs", 0..2);
    place.init(&["--no-late", "--queries", "0s"]);
    place.convert("logs", &[]);
    fs::remove_dir_all(place.lake().join("_edgemill/units")).unwrap();
    let (_, failed) = place.run(1, "convert", "logs", &[]);
    assert!(failed.contains("is gone, and cloudfront_logs/"), "{failed}");
    let (code, said) = type_it(&told_command(&failed, "verify"));
    assert_eq!(code, 0, "{said}");
    assert_eq!(place.convert("logs", &[])["converted_objects"], 0);
}
