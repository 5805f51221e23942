//! What is a log, and what is left alone: objects that lie beside logs, under their folders and
//! even their names, through the program. Every value is made up.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use common::{FIELDS, binary, convert, exits, files, gzip, query, row, text};
use parquet::arrow::ArrowWriter;
use serde_json::Value;

const NAME: &str =
    "111122223333_elasticloadbalancing_eu-north-1_app.my-lb.50dc6c495c0c9188_20261121T0505Z_192.0.2.99_abcd1234.log.gz";
const BALANCERS: &str = "AWSLogs/111122223333/elasticloadbalancing/eu-north-1/2026/11/21";
const LOG: &str = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz";
const WAF: &str = "{\"timestamp\": 1795237200046, \"formatVersion\": 1, \"webaclId\": \"arn:aws:wafv2:us-east-1:111122223333:global/webacl/site/a\", \
\"action\": \"ALLOW\", \"httpSourceName\": \"CF\", \"httpRequest\": {\"clientIp\": \"192.0.2.77\", \"country\": \"FI\"}}\n";
const CONNECTION: &str = "{\"eventTimestamp\": \"1795237200046\", \"connectionId\": \"c0nn==\", \"connectionStatus\": \"Success\", \
\"clientIp\": \"192.0.2.88\", \"distributionId\": \"E2EXAMPLE1234\", \"tlsProtocol\": \"TLSv1.3\"}\n";

fn alb_row(balancer: &str) -> String {
    format!(
        "https 2026-11-21T05:01:00.123456Z app/{balancer}/50dc6c495c0c9188 192.0.2.20:40000 10.0.0.5:80 0.001 0.002 0.000 200 200 34 366 \
\"GET https://www.example.com:443/x?y=1 HTTP/1.1\" \"curl/8.5.0\" TLS_AES_128_GCM_SHA256 TLSv1.3 arn:aws:elasticloadbalancing:t/1 \
\"Root=1-5833-0001\" \"www.example.com\" \"session-reused\" 1 2026-11-21T05:01:00.100000Z \"forward\" \"-\" \"-\" \"10.0.0.5:80\" \"200\" \"-\" \"-\" TID_0\n"
    )
}

fn log(rows: usize) -> String {
    let rows: String = (0..rows).map(|n| row("2026-11-21", "05:00:00", &format!("id-{n}"))).collect();
    format!("{FIELDS}{rows}")
}

/// A folder of logs and one for a lake.
struct Site {
    _folder: tempfile::TempDir,
    logs: PathBuf,
    lake: PathBuf,
}

impl Site {
    fn new(objects: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (logs, lake) = (folder.path().join("logs"), folder.path().join("lake"));
        fs::create_dir(&logs).unwrap();
        let site = Self { _folder: folder, logs, lake };
        objects.iter().for_each(|(key, text)| site.put(key, text));
        site
    }

    fn put(&self, key: &str, text: &str) {
        let path = self.logs.join(key);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let packed = if path.extension().is_some_and(|end| end == "gz") { gzip(text.as_bytes()) } else { text.into() };
        fs::write(path, packed).unwrap();
    }

    fn has(&self, key: &str) -> bool {
        self.logs.join(key).exists()
    }

    fn run(&self, code: i32, verb: &str, more: &[&str]) -> (String, String) {
        exits(code, &[&[verb, "--from", text(&self.logs), "--to", text(&self.lake)], more].concat())
    }

    fn json(&self, code: i32, verb: &str, more: &[&str]) -> Value {
        serde_json::from_str(&self.run(code, verb, &[&["--json"], more].concat()).0).unwrap()
    }

    fn convert(&self, more: &[&str]) -> Value {
        convert(&self.logs, &self.lake, more)
    }

    fn count(&self, table: &str) -> String {
        query(&self.lake, &format!("SELECT count(*) FROM {table}")).lines().last().unwrap().to_owned()
    }
}

/// Both verbs find the site clean, and a conversion that deletes takes nothing but these objects
/// away.
fn is_clean_and_deletes_only(site: &Site, gone: &[&str]) {
    let before = files(&site.logs);
    assert!(!site.run(0, "verify", &[]).0.contains("not converted"));
    site.convert(&["--after", "delete"]);
    let left: Vec<PathBuf> = files(&site.logs);
    let wanted: Vec<PathBuf> =
        before.into_iter().filter(|path| !gone.iter().any(|key| *path == site.logs.join(key))).collect();
    assert_eq!(left, wanted);
}

#[test]
fn neighbours_are_left_alone_by_their_names() {
    let waf = "AWSLogs/111122223333/WAFLogs/cloudfront/site/2026/11/21/05/00/111122223333_waflogs_cloudfront_site_20261121T0500Z_a.log.gz";
    let connection = format!("{BALANCERS}/conn_log_{NAME}");
    let health = format!("{BALANCERS}/health_check_log_{NAME}");
    let flow = "AWSLogs/111122223333/vpcflowlogs/eu-north-1/2026/11/21/111122223333_vpcflowlogs_eu-north-1_fl-1_20261121T0500Z_a.log.gz";
    let site = Site::new(&[
        (LOG, &log(1)),
        (waf, &WAF.repeat(5)),
        ("waf/aws-waf-logs-site-1-2026-11-21-05-00-00-aaaa-bbbb", WAF),
        (
            &connection,
            "2026-11-21T05:01:30.111111Z 192.0.2.20 40000 443 TLSv1.3 - 0.012 \"CN=client\" - 0abc Success TID_0\n",
        ),
        (&health, "https 2026-11-21T05:01:31.000000Z 0.005 10.0.0.5:80 t PASS 200 -\n"),
        (&format!("{BALANCERS}/{NAME}"), &alb_row("my-lb")),
        (flow, "version account-id\n2 111122223333\n"),
    ]);
    let summary = site.convert(&[]);
    assert_eq!((site.count("cloudfront_logs"), site.count("alb_logs")), ("1".into(), "1".into()));
    let left_alone = &summary["left_alone"];
    for (what, objects) in [
        ("WAF log", 2),
        ("connection log of a load balancer", 1),
        ("health-check log of a load balancer", 1),
        ("VPC flow log", 1),
    ] {
        assert_eq!(left_alone[what], objects, "{left_alone}");
    }
    is_clean_and_deletes_only(&site, &[LOG, &format!("{BALANCERS}/{NAME}")]);
}

/// Folders that say CloudFront, or a load balancer, and an hour, with files whose names say
/// nothing.
#[test]
fn folders_alone_are_not_believed() {
    let alb = "{\"type\":\"h2\",\"time\":\"2026-11-21T05:00:00.186641Z\",\"elb\":\"app/my-lb/50dc6c495c0c9188\",\"client_port\":\"192.0.2.1:2817\",\
\"request_line\":\"GET https://a:443/x?y HTTP/2.0\",\"elb_status_code\":\"200\"}\n";
    let connection = "{\"time\":\"2026-11-21T05:00:00.186641Z\",\"elb\":\"app/my-lb/50dc6c495c0c9188\",\"client_ip\":\"192.0.2.1\",\"client_port\":\"2817\",\
\"tls_handshake_latency\":\"0.012\",\"conn_trace_id\":\"TID_0123\"}\n";
    let health = "{\"type\":\"http\",\"time\":\"2026-11-21T05:00:01.186641Z\",\"elb\":\"app/my-lb/50dc6c495c0c9188\",\"latency\":\"0.004\",\
\"target_addr\":\"10.0.0.5:80\",\"status\":\"PASS\",\"status_code\":\"200\",\"reason_code\":\"-\"}\n";
    let folder = "app/cloudfront/2026/11/21/05";
    let site = Site::new(&[
        (&format!("{folder}/part-1.gz"), &log(2)),
        (&format!("{folder}/part-2.gz"), &WAF.repeat(3)),
        (
            &format!("{folder}/events.json.gz"),
            "{\"timestamp\": \"2026-11-21T05:00:00Z\", \"level\": \"info\", \"msg\": \"hello\"}\n",
        ),
        (&format!("{folder}/notes.txt"), "hello\nworld\n"),
        (&format!("{folder}/empty.txt"), ""),
        ("elasticloadbalancing/my-lb/cloudfront/2026/11/21/05/a.gz", alb),
        ("elasticloadbalancing/my-lb/cloudfront/2026/11/21/05/b.gz", &connection.repeat(3)),
        ("elasticloadbalancing/my-lb/cloudfront/2026/11/21/05/c.gz", &health.repeat(3)),
    ]);
    let forecast = site.json(0, "plan", &[]);
    assert_eq!((&forecast["objects"], &forecast["skipped_objects"]), (&2.into(), &6.into()), "{forecast}");
    let summary = site.convert(&[]);
    assert_eq!((site.count("cloudfront_logs"), site.count("alb_logs")), ("2".into(), "1".into()));
    assert_eq!(summary["left_alone"]["WAF log"], 1, "{summary}");
    assert_eq!(summary["left_alone"]["neither named as a log nor beginning like one"], 3, "{summary}");
    assert_eq!(summary["left_alone"]["connection log of a load balancer"], 1, "{summary}");
    assert_eq!(summary["left_alone"]["health-check log of a load balancer"], 1, "{summary}");
    let gone = [format!("{folder}/part-1.gz"), "elasticloadbalancing/my-lb/cloudfront/2026/11/21/05/a.gz".to_owned()];
    is_clean_and_deletes_only(&site, &[&gone[0], &gone[1]]);
}

/// CloudFront's connection logs come under the very names of its access logs.
#[test]
fn a_logs_own_name_is_not_believed_against_its_fields() {
    let w3c = "#Fields: eventTimestamp\tconnectionId\tconnectionStatus\tclientIp\ttlsProtocol\n1795237200046\tc0nn==\tSuccess\t192.0.2.88\tTLSv1.3\n";
    let iis = "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Fields: date time s-ip cs-method cs-uri-stem c-ip sc-status time-taken\n\
2026-11-21 05:00:00 10.0.0.1 GET /a 192.0.2.5 200 44\n";
    let site = Site::new(&[
        (LOG, &log(1)),
        ("E2EXAMPLE1234.2026-11-21-05.cccc0001.gz", &CONNECTION.repeat(3)),
        ("E2EXAMPLE1234.2026-11-21-05.cccc0002.gz", w3c),
        ("E2EXAMPLE1234.2026-11-21-05.cccc0003.gz", &w3c[..=w3c.find('\n').unwrap()]),
        ("E2EXAMPLE1234.2026-11-21-05.dddd0001.gz", WAF),
        ("u_ex26112105.log", iis),
    ]);
    let summary = site.convert(&[]);
    assert_eq!(site.count("cloudfront_logs"), "1");
    assert_eq!(summary["left_alone"]["connection log of CloudFront"], 3, "{summary}");
    assert_eq!(summary["left_alone"]["WAF log"], 1, "{summary}");
    assert_eq!(summary["left_alone"]["log of Internet Information Services"], 1, "{summary}");
    assert_eq!(site.count("rejects"), "0", "their lines are no rejects either");
    // The next run finds them as they are.
    let again = site.convert(&["--format", "cloudfront"]);
    assert_eq!(
        (&again["skipped_objects"], &again["known_objects"], &again["late_objects"]),
        (&5.into(), &1.into(), &0.into())
    );
    is_clean_and_deletes_only(&site, &[LOG]);
}

fn parquet(columns: &[(&str, &str)]) -> Vec<u8> {
    let arrays = columns.iter().map(|(name, value)| (*name, Arc::new(StringArray::from(vec![*value])) as ArrayRef));
    let batch = RecordBatch::try_from_iter(arrays).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

/// What others have made of logs, with names of their own: never rows of NULL, never deleted.
#[test]
fn tables_of_others_are_left_alone_that_lack_what_a_log_has() {
    let time = [("date", "2026-11-21"), ("time", "05:00:00")];
    let connection = [("c_port", "1"), ("ssl_protocol", "TLSv1.3"), ("ssl_cipher", "a"), ("time_taken", "0.1")];
    let renamed = [("bytes", "1"), ("request_ip", "192.0.2.1"), ("method", "GET"), ("uri", "/"), ("status", "200")];
    let made = [
        ("a", [&time[..], &connection, &renamed].concat()),
        ("b", [&time[..], &renamed].concat()),
        ("c", [&time[..], &connection].concat()),
        ("d", [&time[..], &[("c_ip", "192.0.2.1")], &renamed].concat()),
        ("e", [&time[..1], &[("c_ip", "192.0.2.1"), ("sc_status", "200"), ("cs_method", "GET")]].concat()),
    ];
    let json = |columns: &[(&str, &str)]| {
        let members: Vec<String> = columns.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        format!("{{{}}}\n", members.join(","))
    };
    let site = Site::new(&[(LOG, &log(1))]);
    for (name, columns) in &made {
        site.put(&format!("parquet/year=2026/month=11/day=21/hour=05/{name}.json.gz"), &json(columns));
        fs::write(
            site.logs.join(format!("parquet/year=2026/month=11/day=21/hour=05/{name}.parquet")),
            parquet(columns),
        )
        .unwrap();
    }
    let summary = site.convert(&["--after", "delete"]);
    assert_eq!(site.count("cloudfront_logs"), "1", "{summary}");
    assert_eq!(summary["left_alone"]["neither named as a log nor beginning like one"], 10, "{summary}");
    assert_eq!((files(&site.logs).len(), site.has(LOG)), (10, false));
    // Under a log's own name it is told what it lacks.
    fs::write(site.logs.join("E2EXAMPLE1234.2026-11-21-05.others.parquet"), parquet(&made[0].1)).unwrap();
    let summary = site.json(3, "convert", &["--after", "delete"]);
    assert!(summary["unread"][0].as_str().unwrap().contains("a time and one of the request among them"), "{summary}");
    assert_eq!((site.count("cloudfront_logs"), files(&site.logs).len()), ("1".into(), 11));
}

/// Of what is neither a log nor known both verbs say so, until it is given up by its name.
#[test]
fn what_cannot_be_read_is_told_until_it_is_excluded() {
    let broken = "sub/E2EXAMPLE1234.2026-11-21-05.broken.gz";
    let site =
        Site::new(&[(LOG, &log(1)), (broken, "{\"date\":\"2026-11-21\",\"time\":\"05:00:00\",\"level\":\"info\"}\n")]);
    let summary = site.json(3, "convert", &[]);
    assert_eq!(summary["unread_objects"], 1);
    assert!(
        summary["unread"][0].as_str().unwrap().contains("too few of its fields are those of CloudFront logs"),
        "{summary}"
    );
    let (told, _) = site.run(3, "convert", &[]);
    assert!(told.contains("1 object not taken") && !told.contains("late"), "{told}");
    let again = site.json(3, "convert", &[]);
    assert_eq!((&again["late"], &again["lateness_seconds"]), (&serde_json::json!([]), &0.into()), "{again}");
    assert!(site.run(3, "verify", &[]).0.contains(broken));

    for pattern in ["sub/*", "**/*broken*", "x,sub/**"] {
        assert_eq!(site.convert(&["--exclude", pattern])["excluded_objects"], 1, "{pattern}");
        assert_eq!(site.json(0, "verify", &["--exclude", pattern])["excluded_objects"], 1, "{pattern}");
        assert_eq!(site.json(0, "plan", &["--exclude", pattern])["excluded_objects"], 1, "{pattern}");
    }
    let (told, _) = site.run(0, "convert", &["--exclude", "nothing", "--exclude", "sub/**"]);
    assert!(told.contains("excluded: 1 object\n"), "{told}");
    let job = site.logs.parent().unwrap().join("job.toml");
    fs::write(&job, "from = \"logs\"\nto = \"lake\"\nexclude = [\"sub/**\"]\n").unwrap();
    for verb in ["convert", "verify"] {
        let (told, _) = exits(0, &[verb, "--job", text(&job), "--json"]);
        let told: Value = serde_json::from_str(&told).unwrap();
        assert_eq!((&told["excluded_objects"], &told["listed_objects"]), (&1.into(), &2.into()), "{verb}: {told}");
    }
    let by_environment = binary()
        .args(["convert", "--from", text(&site.logs), "--to", text(&site.lake)])
        .env("EDGEMILL_EXCLUDE", "sub/**")
        .output()
        .unwrap();
    assert!(by_environment.status.success());
    let (_, told) = site.run(2, "convert", &["--exclude", "["]);
    assert!(told.contains("'[' is no pattern"), "{told}");
}

#[test]
fn only_what_is_whole_in_the_table_is_taken_away() {
    let streaming = "#Version: 1.0\n#Fields: date time x-edge-location c-ip x-event sc-bytes x-cf-status\n\
2010-03-12\t23:51:20\tSEA4\t192.0.2.147\tconnect\t2014\tOK\n";
    let dashes = format!("{FIELDS}2026-11-21\t05:00:00{}\n", "\t-".repeat(31));
    let name = |id: &str| format!("E2EXAMPLE1234.2026-11-21-05.{id}.gz");
    let site = Site::new(&[
        (LOG, &log(3)),
        (&name("half"), &format!("{}no row\n", log(200))),
        (&name("streaming"), streaming),
        (&name("mixed"), &format!("{}{streaming}", log(2))),
        (&name("header"), FIELDS),
    ]);
    let mut cut = gzip(log(50).as_bytes());
    cut.truncate(cut.len() - 20);
    fs::write(site.logs.join(name("cut")), cut).unwrap();
    site.run(3, "convert", &["--after", "delete"]);
    let left: Vec<bool> =
        ["half", "streaming", "mixed", "header", "cut"].iter().map(|id| site.has(&name(id))).collect();
    assert_eq!((site.has(LOG), left), (false, vec![true; 5]));

    // A log of which no field says anything but when is none.
    let site = Site::new(&[(&name("dashes"), &dashes)]);
    let summary = site.json(3, "convert", &["--after", "delete"]);
    assert!(summary["unread"][0].as_str().unwrap().contains("no field has a value but the time"), "{summary}");
    assert!(site.has(&name("dashes")));
}

/// Lakes of before remember no proof: what a log's own name does not vouch for stays.
#[test]
fn what_was_converted_unproven_is_kept_where_in_doubt() {
    let unnamed = "cloudfront/2026/11/21/05/part-1.gz";
    let site = Site::new(&[(LOG, &log(1)), (unnamed, &log(2))]);
    site.convert(&[]);
    for path in files(&site.lake.join("_edgemill/manifests")) {
        let manifest = fs::read_to_string(&path).unwrap();
        assert!(manifest.contains("\"proven\":true,"));
        fs::write(&path, manifest.replace("\"proven\":true,", "")).unwrap();
    }
    site.convert(&["--after", "delete"]);
    assert_eq!((site.has(LOG), site.has(unnamed)), (false, true));
}

#[test]
fn a_lake_among_the_logs_is_left_alone() {
    let other = Site::new(&[(LOG, &log(2)), (&format!("{BALANCERS}/{NAME}"), &alb_row("my-lb"))]);
    other.convert(&[]);
    let site = Site::new(&[(LOG, &log(1))]);
    for path in files(&other.lake) {
        let to = site.logs.join("their/lake").join(path.strip_prefix(&other.lake).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(path, to).unwrap();
    }
    let summary = site.convert(&[]);
    assert_eq!(
        (site.count("cloudfront_logs"), &summary["left_alone"]["file of a lake"]),
        ("1".into(), &2.into()),
        "{summary}"
    );
    assert_eq!(summary["source_calls"]["get"], 1, "none of its files is opened: {summary}");
    site.run(0, "verify", &[]);
    // Through its table's folder nothing shows that it is a lake but its columns.
    let tables = Site::new(&[]);
    let (_, told) =
        exits(2, &["convert", "--from", text(&other.lake.join("cloudfront_logs")), "--to", text(&tables.lake)]);
    assert!(told.contains("no log that is read here"), "{told}");
}

#[test]
fn hours_are_counted_once() {
    let site = Site::new(&[(LOG, &log(1)), (&format!("{BALANCERS}/{NAME}"), &alb_row("my-lb"))]);
    let forecast = site.json(0, "plan", &[]);
    assert_eq!((&forecast["units"], &forecast["distinct_hours"]), (&2.into(), &1.into()));
    let (told, _) = site.run(0, "plan", &[]);
    assert!(
        told.starts_with("2 objects to convert") && told.contains(" in 1 hour, 2026-11-21T05 to 2026-11-21T05"),
        "{told}"
    );
}

#[test]
fn filters_that_let_nothing_through_say_what_there_is() {
    let site = Site::new(&[(LOG, &log(1)), ("E3EXAMPLE1234.2026-11-21-07.b.gz", &log(1)), ("readme.txt", "hello\n")]);
    for (filter, wanted) in [
        (["--hours", "2025-01-01T00..2025-01-02T00"], "2 objects are of other hours, 2026-11-21T05 to 2026-11-21T07"),
        (["--distributions", "E9NONE"], "leaves out 3 objects of others, such as E2EXAMPLE1234, E3EXAMPLE1234"),
        (["--exclude", "**"], "--exclude leaves out 3 objects"),
    ] {
        let summary = site.convert(&filter);
        assert!(summary["nothing_matched"].as_str().unwrap().contains(wanted), "{summary}");
        assert!(site.run(0, "convert", &filter).0.contains(wanted));
        assert!(site.run(0, "plan", &filter).0.contains(wanted));
        adds_up(&summary);
    }
    assert!(site.convert(&[]).get("nothing_matched").is_none());
}

#[test]
fn a_share_without_an_hour_and_a_pattern_without_an_object_are_told() {
    let site = Site::new(&[(LOG, &log(1)), ("readme.txt", "hello\n")]);
    let none = (0..64).map(|share| format!("{share}/64")).find(|share| {
        let told = site.json(0, "plan", &["--shard", share]);
        told["objects"] == 0 && told["nothing_matched"].is_string()
    });
    let none = none.unwrap();
    let wanted =
        format!("--shard {none} leaves 1 object of 1 hour to other shares, first: cloudfront_logs/2026-11-21T05");
    let summary = site.convert(&["--shard", &none]);
    assert!(summary["nothing_matched"].as_str().unwrap().contains(&wanted), "{summary}");
    assert_eq!(summary["other_shard_objects"], 1);
    for verb in ["plan", "convert"] {
        assert!(site.run(0, verb, &["--shard", &none]).0.contains(&wanted), "{verb}");
        let idle = ["--exclude", "readme.*,bakup/**", "--distributions", "E2EXAMPLE1234,E9NONE"];
        let (told, _) = site.run(0, verb, &idle);
        assert!(told.contains("--exclude 'bakup/**' fits none of 2 objects listed"), "{verb}: {told}");
        assert!(told.contains("--distributions E9NONE fits none of 2 objects listed: there are logs of E2EXAMPLE1234"));
        assert!(!told.contains("readme.*"), "{verb}: {told}");
        assert_eq!(site.json(0, verb, &idle)["idle_filters"].as_array().unwrap().len(), 2, "{verb}");
        assert!(site.json(0, verb, &[]).get("idle_filters").is_none(), "{verb}");
    }
}

#[test]
fn filters_of_every_verb_say_when_they_let_nothing_through() {
    let site = Site::new(&[(LOG, &log(1)), ("readme.txt", "hello\n")]);
    site.convert(&[]);
    let lake = text(&site.lake);
    let none = ["--hours", "2025-01-01T00..2025-01-02T00"];
    let there = "the lake has 1 hour from 2026-11-21T05 to 2026-11-21T05";
    let partition = "the lake has 1 partition from 2026-11-21T05 to 2026-11-21T05";
    let share = (0..64).map(|share| format!("{share}/64"));
    let share =
        share.into_iter().find(|share| site.json(0, "plan", &["--shard", share])["known_objects"] == 0).unwrap();
    let from = ["--from", text(&site.logs)];
    let of_lake: [&[&str]; 6] =
        [&["verify"], &["compact"], &["reprocess"], &["reprocess"], &["reprocess"], &["verify"]];
    let more: [Vec<&str>; 6] = [
        none.to_vec(),
        none.to_vec(),
        [from, none].concat(),
        [&from[..], &["--all", "--shard", &share]].concat(),
        [&from[..], &["--all", "--format", "alb"]].concat(),
        [&from[..], &["--distributions", "E9NONE"]].concat(),
    ];
    let words = [
        there.to_owned(),
        partition.to_owned(),
        there.to_owned(),
        format!("--shard {share} leaves out all 1 converted hour, first: cloudfront_logs/2026-11-21T05"),
        "--format alb leaves out all 1 converted hour".to_owned(),
        "no object matched: --distributions leaves out 2 objects of others, such as E2EXAMPLE1234".to_owned(),
    ];
    for ((verb, more), words) in of_lake.into_iter().zip(more).zip(words) {
        let arguments = [verb, &["--lake", lake], &more].concat();
        let (told, _) = exits(0, &arguments);
        assert!(told.contains(&words) && !told.contains("exactly once (no logs"), "{arguments:?}: {told}");
        let (json, _) = exits(0, &[&arguments[..], &["--json"]].concat());
        let json: Value = serde_json::from_str(&json).unwrap();
        assert!(json["nothing_matched"].to_string().contains(&words), "{arguments:?}: {json}");
    }
    let idle = ["verify", "--lake", lake, from[0], from[1], "--exclude", "bakup/**"];
    assert!(exits(0, &idle).0.contains("--exclude 'bakup/**' fits none of 2 objects listed"));
    let sql = "SELECT count(*) AS n FROM cloudfront_logs WHERE year = ";
    let (out, err) = exits(0, &["query", "--lake", lake, "--format", "csv", &format!("{sql}'2025'")]);
    assert_eq!(out, "n\n0\n");
    assert!(err.contains("no hour of cloudfront_logs is one that the query asks for"), "{err}");
    assert!(err.contains("2026-11-21T05..2026-11-21T06"), "{err}");
    assert_eq!(exits(0, &["query", "--lake", lake, "--format", "csv", &format!("{sql}'2026'")]).1, "");
    // A place without any log is refused as a conversion refuses it.
    let (junk, empty) = (site.logs.with_file_name("junk"), site.logs.with_file_name("empty"));
    [&junk, &empty].iter().for_each(|folder| fs::create_dir(folder).unwrap());
    fs::write(junk.join("notes.txt"), "hello").unwrap();
    for (folder, words) in [(&junk, "there is no log that is read here"), (&empty, "there is no object in")] {
        assert!(exits(2, &["verify", "--lake", lake, "--from", text(folder)]).1.contains(words), "{words}");
    }
    // Unless logs are taken away there.
    let job = site.logs.with_file_name("job.toml");
    fs::write(&job, "from = \"empty\"\nto = \"lake\"\nafter = \"delete\"\n").unwrap();
    exits(0, &["verify", "--job", text(&job)]);
}

#[test]
fn one_load_balancer_can_be_named() {
    let theirs = NAME.replace("my-lb", "other-lb");
    let site = Site::new(&[
        (&format!("{BALANCERS}/{NAME}"), &alb_row("my-lb")),
        (&format!("{BALANCERS}/{theirs}"), &alb_row("other-lb")),
    ]);
    let summary = site.convert(&["--distributions", "app/my-lb/50dc6c495c0c9188"]);
    assert_eq!(
        (&summary["converted_objects"], &summary["filtered_objects"], &summary["outside_objects"]),
        (&1.into(), &1.into(), &0.into())
    );
    adds_up(&summary);
    let again = site.convert(&["--distributions", "app.my-lb.50dc6c495c0c9188"]);
    assert_eq!((&again["known_objects"], &again["filtered_objects"]), (&1.into(), &1.into()));
    let checked = site.json(0, "verify", &["--distributions", "app/my-lb/50dc6c495c0c9188"]);
    assert_eq!(checked["filtered_objects"], 1);
    site.run(3, "verify", &[]);
}

#[test]
fn an_object_without_an_hour_is_counted() {
    let site = Site::new(&[("E2EXAMPLE1234_2026-11-21-05_a1b2c3d4.gz", &log(1))]);
    let asked = ["--hours", "2026-11-21T00..2026-11-22T00", "--format", "cloudfront"];
    let summary = site.convert(&asked);
    assert_eq!(summary["left_alone"]["its name tells no hour"], 1, "{summary}");
    assert!(summary["nothing_matched"].is_string(), "{summary}");
    adds_up(&summary);
    assert_eq!(site.convert(&["--format", "cloudfront"])["converted_objects"], 1);
    site.run(0, "verify", &["--format", "cloudfront"]);
}

/// Each object that a listing shows is in one counter.
fn adds_up(summary: &Value) {
    let number = |name: &str| summary[name].as_u64().unwrap_or_else(|| panic!("{name}: {summary}"));
    let counters = [
        "converted_objects",
        "known_objects",
        "skipped_objects",
        "outside_objects",
        "filtered_objects",
        "excluded_objects",
        "unread_objects",
        "other_shard_objects",
    ];
    assert_eq!(number("listed_objects"), counters.iter().map(|name| number(name)).sum::<u64>(), "{summary}");
    let left_alone: u64 =
        summary["left_alone"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(left_alone, number("skipped_objects"), "{summary}");
}

#[test]
fn the_counters_add_up() {
    let site = Site::new(&[
        (LOG, &log(1)),
        ("E2EXAMPLE1234.2026-11-21-06.a.gz", &log(1)),
        ("E3EXAMPLE1234.2026-11-21-05.a.gz", &log(1)),
        ("E3EXAMPLE1234.2026-11-21-09.a.gz", &log(1)),
        ("E2EXAMPLE1234.2026-11-21-05.conn.gz", CONNECTION),
        ("E2EXAMPLE1234.2026-11-21-05.broken.gz", "no log\n"),
        ("cloudfront/2026/11/21/05/part-2.gz", WAF),
        ("readme.txt", "hello\n"),
        (".hidden", "x"),
    ]);
    for (code, more) in [
        (0, &["--hours", "2026-11-21T06..2026-11-21T07"][..]),
        (0, &["--distributions", "E3EXAMPLE1234", "--hours", "2026-11-21T05..2026-11-21T06"]),
        (0, &["--exclude", "*.a.gz,*broken*"]),
        (3, &["--shard", "0/2"]),
        (3, &["--shard", "1/2"]),
        (3, &[]),
        (3, &["--format", "cloudfront"]),
        (3, &["--hours", "2026-11-21T05..2026-11-21T06", "--exclude", "readme.txt"]),
    ] {
        let output = binary()
            .args(["convert", "--json", "--from", text(&site.logs), "--to", text(&site.lake)])
            .args(more)
            .output()
            .unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        let shard = more.contains(&"--shard");
        assert!(shard || output.status.code() == Some(code), "{more:?}: {summary}");
        adds_up(&summary);
        assert_eq!(summary["listed_objects"], 9, "{more:?}: {summary}");
    }
    // An object that changes has the rows of its whole hour made anew, and is one object all the
    // same.
    site.put(LOG, &log(2));
    let summary = site.json(3, "convert", &[]);
    assert_eq!((&summary["changed_objects"], &summary["converted_objects"]), (&1.into(), &1.into()), "{summary}");
    adds_up(&summary);
}

/// Under privacy a reason quotes nothing of a line, and is whole all the same.
#[test]
fn reasons_are_whole_under_privacy() {
    // A lake each: it keeps to what the first run says of people.
    let reason = |more: &[&str]| {
        let site = Site::new(&[(LOG, &alb_row("my-lb"))]);
        let unread = site.json(3, "convert", more)["unread"][0].as_str().unwrap().to_owned();
        unread.split_once(".gz:1: ").unwrap().1.to_owned()
    };
    let told = "no #Fields header before this line; it looks like a load balancer log, under the name of another log (--format alb reads it)";
    assert_eq!(reason(&[]), told);
    assert_eq!(reason(&["--client-ip", "truncate"]), told);
    let quoted = Site::new(&[(LOG, &log(1).replace("\t11040\t", "\t192.0.2.9'x\t"))]);
    let summary = quoted.json(3, "convert", &["--client-ip", "truncate"]);
    let unread = summary["unread"][0].as_str().unwrap();
    assert!(unread.ends_with("c_port: cannot read ... as a number") && !unread.contains("192.0.2.9"), "{unread}");
}

/// One is told as one, and a fact once.
#[test]
fn texts_are_in_plain_english() {
    let site = Site::new(&[(LOG, &log(1)), ("readme.txt", "hello\n"), ("sub/x.tmp", "x")]);
    let mut told = String::new();
    for (verb, more) in [
        ("plan", &["--exclude", "sub/**"][..]),
        ("convert", &["--exclude", "sub/**"]),
        ("convert", &["--hours", "2025-01-01T00..2025-01-02T00"]),
        ("verify", &["--exclude", "sub/**"]),
    ] {
        let (out, err) = site.run(0, verb, more);
        assert!(!err.contains("left alone"), "told twice: {err}");
        told += &out;
    }
    told += &exits(0, &["compact", "--lake", text(&site.lake)]).0;
    told += &site.run(0, "reprocess", &["--all"]).0;
    let words: Vec<&str> = told.split_whitespace().collect();
    for two in words.windows(2).filter(|two| two[0] == "1" || two[0] == "(1") {
        let word = two[1].trim_end_matches([',', ';', ')', ':', '.']);
        assert!(!word.ends_with('s'), "1 {word} in:\n{told}");
    }
    assert!(
        told.contains("left alone: 1 (neither named as a log nor beginning like one); first: 'readme.txt'"),
        "{told}"
    );
}

/// A layout or a format that a conversion was told can be told to the verification too.
#[test]
fn both_verbs_answer_alike_whatever_they_are_told() {
    let site = Site::new(&[
        ("25.11.2026/05h/a.gz", &log(1)),
        ("25.11.2026/05h/b.gz", WAF),
        ("plain.log", "2026-11-21 05:00:00 192.0.2.1 200\n"),
    ]);
    let layout = ["--layout", "{dd}.{MM}.{yyyy}/{HH}h"];
    let fields = ["--fields", "date time c-ip sc-status", "--format", "cloudfront"];
    let told = [&layout[..], &fields[..]].concat();
    site.convert(&told);
    assert_eq!(site.count("cloudfront_logs"), "2");
    site.run(0, "verify", &told);
    site.run(0, "verify", &[]);
}
