//! What AWS writes beside the logs that are read here, by the paths and names that its own delivery
//! gives it. A source that reads such logs says what they are called here
//! (`neighbour_names`), and the rules about them are silent.
//!
//! Sources: the user guides of AWS WAF ("Sending web ACL traffic logs to Amazon S3":
//! `AWSLogs/<account>/WAFLogs/...`, `<account>_waflogs_...`; Firehose streams are called
//! `aws-waf-logs-...`), VPC flow logs, `CloudTrail`, AWS Config, Route 53 Resolver, Network
//! Firewall and `GuardDuty` (`AWSLogs/<account>/<service>/...`), CloudWatch Logs (exports begin
//! with a file `aws-logs-write-test`), S3 ("Amazon S3 server access log format": names end in
//! `YYYY-mm-DD-HH-MM-SS-` and sixteen capitals and digits).

use crate::kernel::schema::{CLOUDTRAIL, LB_TEST, S3_ACCESS, VPC_FLOW, WAF, is_neighbour};

/// The services whose folders lie right below `AWSLogs/<account>`, or below an organisation's id
/// there.
const SERVICES: [(&str, &str); 11] = [
    ("WAFLogs", WAF),
    ("vpcflowlogs", VPC_FLOW),
    ("vpcdnsquerylogs", "query log of Route 53 Resolver"),
    ("CloudTrail", CLOUDTRAIL),
    ("CloudTrail-Digest", CLOUDTRAIL),
    ("CloudTrail-Insight", CLOUDTRAIL),
    ("CloudTrail-Aggregated", CLOUDTRAIL),
    ("Config", "AWS Config record"),
    ("GuardDuty", "GuardDuty finding"),
    ("network-firewall", "Network Firewall log"),
    ("globalaccelerator", "flow log of Global Accelerator"),
];

/// Words in names, as `<account>_<word>_...`.
const WORDS: [(&str, &str); 5] = [
    ("_waflogs_", WAF),
    ("_vpcflowlogs_", VPC_FLOW),
    ("_vpcdnsquerylogs_", "query log of Route 53 Resolver"),
    ("_CloudTrail", CLOUDTRAIL),
    ("_network-firewall_", "Network Firewall log"),
];

/// What an object is that lies in these folders under this name, where AWS's own ways of naming
/// tell, and no source reads it.
pub(super) fn of(folders: &[&str], name: &str) -> Option<&'static str> {
    known(folders, name).filter(|what| is_neighbour(what))
}

fn known(folders: &[&str], name: &str) -> Option<&'static str> {
    match name {
        "ELBAccessLogTestFile" => return Some(LB_TEST),
        "aws-logs-write-test" => return Some("test file of CloudWatch Logs"),
        _ => {}
    }
    let in_waf_stream = folders.iter().chain([&name]).any(|part| part.starts_with("aws-waf-logs-"));
    if in_waf_stream || folders.contains(&"WAFLogs") {
        return Some(WAF);
    }
    if let Some(root) = folders.iter().position(|folder| *folder == "AWSLogs") {
        // `AWSLogs/<account>/<service>`, and `AWSLogs/<organisation>/<account>/<service>`.
        let mut below = folders[root + 1..].iter().skip(1).take(2);
        let service = |folder: &&str| SERVICES.iter().find(|(service, _)| service == folder).map(|(_, what)| *what);
        if let Some(what) = below.find_map(service) {
            return Some(what);
        }
    }
    let is_of_account = name.split_once('_').is_some_and(|(account, _)| account.len() == 12 && is_digits(account));
    let word = WORDS.iter().find(|(word, _)| is_of_account && name.contains(word));
    word.map(|(_, what)| *what).or_else(|| is_s3_access(name).then_some(S3_ACCESS))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `<prefix>YYYY-mm-DD-HH-MM-SS-<sixteen capitals and digits>`.
fn is_s3_access(name: &str) -> bool {
    let Some((before, unique)) = name.rsplit_once('-') else { return false };
    let is_unique = unique.len() == 16 && unique.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let mut parts = before.rsplit('-');
    let mut ends_in = |digits: usize| parts.next().is_some_and(|part| part.len() == digits && is_digits(part));
    let has_time = ends_in(2) && ends_in(2) && ends_in(2) && ends_in(2) && ends_in(2);
    let year = parts.next().unwrap_or_default();
    let has_year = year.len().checked_sub(4).and_then(|from| year.get(from..)).is_some_and(is_digits);
    is_unique && has_time && has_year
}

#[cfg(test)]
mod tests {
    use super::known;
    use crate::kernel::schema::is_neighbour;
    use crate::kernel::source::names::{Named, read};

    /// What the rules say of a key, whether a source reads it or not.
    fn known_by_key(key: &str) -> Option<&'static str> {
        let mut folders: Vec<&str> = key.split('/').collect();
        let name = folders.pop().unwrap();
        known(&folders, name)
    }

    #[test]
    fn neighbours_are_known_by_their_own_paths_and_names() {
        let waf = "111122223333_waflogs_cloudfront_site_20261121T0500Z_a1b2c3d4.log.gz";
        for (key, what) in [
            (format!("AWSLogs/111122223333/WAFLogs/cloudfront/site/2026/11/21/05/00/{waf}"), "WAF log"),
            (format!("copied/CloudFront/2026/11/21/05/{waf}"), "WAF log"),
            ("cloudfront/2026/11/21/05/aws-waf-logs-site-1-2026-11-21-05-00-00-aaaa.gz".into(), "WAF log"),
            ("aws-waf-logs-site/cloudfront/2026/11/21/05/part-1".into(), "WAF log"),
            (
                "AWSLogs/111122223333/vpcflowlogs/eu-north-1/2026/11/21/111122223333_vpcflowlogs_x.log.gz".into(),
                "VPC flow log",
            ),
            ("x/111122223333_vpcflowlogs_eu-north-1_fl-1_20261121T0500Z_aa.log.gz".into(), "VPC flow log"),
            (
                "AWSLogs/o-aa/111122223333/CloudTrail/us-east-1/2026/11/21/111122223333_CloudTrail_x.json.gz".into(),
                "CloudTrail log",
            ),
            ("x/111122223333_CloudTrail-Digest_us-east-1_aa.json.gz".into(), "CloudTrail log"),
            ("export/aws-logs-write-test".into(), "test file of CloudWatch Logs"),
            ("p/2026-11-21-05-01-02-0123456789ABCDEF".into(), "S3 server access log"),
            ("p/site-2026-11-21-05-01-02-0123456789ABCDEF".into(), "S3 server access log"),
        ] {
            assert_eq!(known_by_key(&key), Some(what), "{key}");
            // What a source reads by now is no neighbour of logs.
            assert_eq!(read(&key, None) == Named::Other(what), is_neighbour(what), "{key}");
        }
        for key in [
            "AWSLogs/111122223333/CloudFront/E2EXAMPLE1234/2026/11/21/05/part-1.gz",
            "AWSLogs/111122223333/WAFLogs/E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz",
        ] {
            assert!(matches!(read(key, None), Named::Log { .. }), "{key}: a log's own name tells more than its folder");
        }
        for key in
            ["2026-11-21-05-01-0123456789ABCDEF", "2026-11-21-05-01-02-0123456789abcdef", "my_CloudTrail_notes.txt"]
        {
            assert_eq!(read(key, None), Named::Unknown, "{key}");
        }
    }
}
