//! What is kept of people: nothing that a job wants away is anywhere in the lake.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fs;
use std::path::Path;

use common::{binary, convert, exits, files, gzip, query, text};

const FIELDS: &str = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status \
    cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-request-id x-forwarded-for real-ip next-url\n";

/// Every secret of the sample.
const SECRETS: [&str; 8] = [
    "203.0.113.77",
    "198.51.100.66",
    "2001:db8:1:2::9",
    "hush-query",
    "hush-referer",
    "hush-cookie",
    "hush-extra",
    "hush-url",
];

fn cloudfront(dir: &Path) {
    let bad = line("203.0.113.77", "c").replace("\t200\t", "\t203.0.113.77\t");
    let log = format!("{FIELDS}{}\n{}\n{bad}\n", line("203.0.113.77", "a"), line("2001:db8:1:2::9", "b"));
    fs::create_dir_all(dir).unwrap();
    fs::write(dir.join("E2EXAMPLE.2026-11-21-05.abcd1234.gz"), gzip(log.as_bytes())).unwrap();
}

fn line(ip: &str, id: &str) -> String {
    [
        "2026-11-21",
        "05:00:01",
        "HEL51-P6",
        "100",
        ip,
        "GET",
        "d1.cloudfront.net",
        "/a",
        "200",
        "https://x.invalid/?password=hush-referer&a=1",
        "curl/8.5.0",
        "token=hush-query&b=2",
        "id=1;%20token=hush-cookie",
        id,
        "203.0.113.77,%20198.51.100.66",
        "198.51.100.66",
        "/login?token=hush-extra&c=3",
    ]
    .join("\t")
}

fn alb(dir: &Path) {
    let line = "https 2026-11-21T05:00:01.000000Z app/my/1 203.0.113.77:2817 10.0.0.1:80 0.0 0.0 0.0 200 200 34 366 \
        \"GET https://x.invalid:443/a?token=hush-url&b=1 HTTP/1.1\" \"curl/8.5.0\" - - - \"Root=1\" \"-\" \"-\" 0 \
        2026-11-21T05:00:00.000000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\"\n";
    fs::create_dir_all(dir).unwrap();
    let name = "123456789012_elasticloadbalancing_us-east-1_app.my.1_20261121T0505Z_192.0.2.1_abc.log.gz";
    fs::write(dir.join(name), gzip(line.as_bytes())).unwrap();
}

/// Everything that a lake holds: its tables as rows, and whatever else lies there as it is.
fn everything(lake: &Path) -> String {
    let mut all = String::new();
    for table in ["cloudfront_logs", "alb_logs", "rejects"] {
        all.push_str(&query(lake, &format!("SELECT * FROM {table}")));
    }
    for path in files(lake) {
        all.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap()));
    }
    all
}

#[test]
fn nothing_that_is_wanted_away_is_anywhere() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, plain, lake) = (dir.path().join("logs"), dir.path().join("plain"), dir.path().join("lake"));
    cloudfront(&logs);
    alb(&logs);
    convert(&logs, &plain, &["--reject-warn-ratio", "1"]);
    let there = everything(&plain);
    assert!(SECRETS.iter().all(|secret| there.contains(secret)), "the sample has them all");

    let choices = ["--client-ip", "truncate", "--redact", "token,password", "--reject-warn-ratio", "1"];
    let summary = convert(&logs, &lake, &choices);
    assert_eq!(summary["rows"], 3);
    let (there, said) = (everything(&lake), summary.to_string());
    for secret in SECRETS {
        assert!(!there.contains(secret), "{secret} is in the lake");
        assert!(!said.contains(secret), "{secret} is in the summary: {said}");
    }
    let rows = query(
        &lake,
        "SELECT c_ip, x_forwarded_for, cs_uri_query, cs_cookie, edge_city, edge_country FROM cloudfront_logs ORDER BY c_ip",
    );
    assert_eq!(
        rows.lines().skip(1).collect::<Vec<_>>(),
        [
            "2001:db8:1::,\"203.0.113.0,%20198.51.100.0\",token=REDACTED&b=2,id=1;%20token=REDACTED,Helsinki,FI",
            "203.0.113.0,\"203.0.113.0,%20198.51.100.0\",token=REDACTED&b=2,id=1;%20token=REDACTED,Helsinki,FI",
        ]
    );
    let rejects =
        query(&lake, "SELECT reason, line_bytes, length(line_sha256) AS n, raw_line IS NULL AS gone FROM rejects");
    let reject = rejects.lines().nth(1).unwrap();
    assert!(reject.starts_with("sc_status: cannot read ... as a number,") && reject.ends_with(",64,true"), "{reject}");
}

#[test]
fn hashes_join_and_dropped_columns_are_null() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, key) = (dir.path().join("logs"), dir.path().join("lake"), dir.path().join("key"));
    cloudfront(&logs);
    alb(&logs);
    fs::write(&key, "0123456789abcdef0123456789abcdef\n").unwrap();
    let key = text(&key);
    let choices = [
        "--client-ip",
        "hash",
        "--client-ip-key-file",
        key,
        "--drop",
        "cs_cookie,c_port,extra,sc_status",
        "--reject-warn-ratio",
        "1",
    ];
    convert(&logs, &lake, &choices);
    let joined = query(&lake, "SELECT count(*) AS ct FROM cloudfront_logs c JOIN alb_logs a ON c.c_ip = a.client_ip");
    assert_eq!(joined.lines().nth(1), Some("1"), "the same address has the same hash in both tables");
    let nulls = query(
        &lake,
        "SELECT count(cs_cookie) AS a, count(extra) AS b, count(sc_status) AS c, count(c_ip) AS d FROM cloudfront_logs",
    );
    assert_eq!(nulls.lines().nth(1), Some("0,0,0,2"));
    assert!(!everything(&lake).contains("203.0.113.77"));
}

#[test]
fn a_job_file_says_all_of_it_and_show_config_repeats_it() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake, job) = (dir.path().join("logs"), dir.path().join("lake"), dir.path().join("job.toml"));
    cloudfront(&logs);
    fs::write(dir.path().join("bots.toml"), "[[rule]]\npattern = \"curl\"\nbot = false\nname = \"ours\"\n").unwrap();
    let of_job = format!(
        "from = \"{}\"\nto = \"lake\"\nlast = \"800000h\"\nmemory = 1073741824\nclient_ip = \"truncate\"\nredact = [\"token\"]\nbots = \"bots.toml\"\nreject_warn_ratio = 1.0\n",
        text(&logs)
    );
    fs::write(&job, of_job).unwrap();
    let (shown, _) = exits(0, &["show-config", "--job", text(&job)]);
    for line in [
        "client_ip = \"truncate\"",
        "redact = [\"token\"]",
        "#   privacy: client_ip=truncate redact=token",
        "memory = \"1GiB\"",
    ] {
        assert!(shown.contains(line), "{line} is not in\n{shown}");
    }
    // What is shown is a job file again, wherever it lies.
    let job = dir.path().join("elsewhere").join("job.toml");
    fs::create_dir_all(job.parent().unwrap()).unwrap();
    fs::write(&job, &shown).unwrap();
    let (again, _) = exits(0, &["show-config", "--job", text(&job)]);
    assert_eq!(again, shown);
    exits(0, &["convert", "--job", text(&job)]);
    assert_eq!(
        query(&lake, "SELECT DISTINCT is_bot, bot_name FROM cloudfront_logs").lines().nth(1),
        Some("false,ours")
    );
    // What is typed wins.
    let (typed, _) = exits(0, &["show-config", "--job", text(&job), "--client-ip", "keep"]);
    assert!(typed.contains("client_ip = \"keep\""));
    exits(2, &["show-config"]);
    // What nobody said of people is not said by what is shown, or it would pass for a choice to
    // keep everything.
    let (unsaid, _) = exits(0, &["show-config", "--from", text(&logs), "--to", text(&lake)]);
    assert!(!unsaid.contains("client_ip") && unsaid.contains("#   privacy: none"), "{unsaid}");
    fs::write(&job, "form = \"x\"\n").unwrap();
    exits(2, &["convert", "--job", text(&job)]);
}

#[test]
fn hours_made_by_other_rules_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    cloudfront(&logs);
    convert(&logs, &lake, &["--reject-warn-ratio", "1"]);
    let again = |more: &[&str]| {
        let mut arguments = vec![
            "reprocess",
            "--from",
            text(&logs),
            "--lake",
            text(&lake),
            "--all",
            "--outdated",
            "--reject-warn-ratio",
            "1",
            "--json",
        ];
        arguments.extend(more);
        let out = binary().args(&arguments).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        serde_json::from_slice::<serde_json::Value>(&out.stdout).unwrap()["units"].as_u64().unwrap()
    };
    assert_eq!(again(&[]), 0, "it is of today");
    assert_eq!(again(&["--http-libraries", "apps"]), 1);
    assert_eq!(query(&lake, "SELECT DISTINCT is_bot FROM cloudfront_logs").lines().nth(1), Some("false"));
    assert_eq!(again(&["--http-libraries", "apps"]), 0);
    // What is kept of people is the lake's to say, and only `init` changes it.
    let keep = |what: &str| exits(0, &["init", "--to", text(&lake), "--client-ip", what]);
    keep("truncate");
    assert_eq!(again(&["--client-ip", "truncate"]), 1, "both differ");
    // A forgotten argument does not bring addresses back, whoever forgets it.
    let forgotten = ["reprocess", "--from", text(&logs), "--lake", text(&lake), "--all"];
    let (_, told) = exits(2, &forgotten);
    assert!(told.contains("(--client-ip truncate)") && told.contains("--client-ip keep"), "{told}");
    let late = format!("{FIELDS}{}\n", line("203.0.113.77", "z"));
    fs::write(logs.join("E2EXAMPLE.2026-11-21-06.abcd1234.gz"), gzip(late.as_bytes())).unwrap();
    exits(2, &["convert", "--from", text(&logs), "--to", text(&lake)]);
    assert_eq!(
        query(&lake, "SELECT DISTINCT c_ip FROM cloudfront_logs WHERE c_ip LIKE '203%'").lines().nth(1),
        Some("203.0.113.0")
    );
    // An hour whose raw logs are gone is told, and the others are made anew.
    convert(&logs, &lake, &["--client-ip", "truncate", "--reject-warn-ratio", "1"]);
    fs::remove_file(logs.join("E2EXAMPLE.2026-11-21-05.abcd1234.gz")).unwrap();
    keep("keep");
    let (out, _) = exits(
        3,
        &["reprocess", "--from", text(&logs), "--lake", text(&lake), "--all", "--outdated", "--client-ip", "keep"],
    );
    assert!(out.contains("1 hour written anew") && out.contains("gone"), "{out}");
    assert_eq!(query(&lake, "SELECT DISTINCT is_bot FROM cloudfront_logs").lines().nth(1), Some("true"));
}
