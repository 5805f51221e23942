//! Every format and year that docs/formats.md promises, each by a literal example: what was logged,
//! and what the table says.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test or bench fails by panicking, in its helpers too")]

mod common;

use std::fs;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Int64Array, RecordBatch, StringArray};
use common::{exits, gzip, query, text, unknown_field};
use edgemill::kernel::schema::source;
use edgemill::model::Table;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// An example of one format.
struct Example {
    /// Its name in the table of docs/formats.md.
    name: &'static str,
    /// How it is known, and what is special about it: the second column of that table.
    known_by: &'static str,
    /// Where the object lies.
    key: &'static str,
    /// What it holds, before gzip. What stands in angle brackets is filled in ([`filled`]).
    text: &'static str,
    /// More arguments of `convert`.
    more: &'static [&'static str],
    /// A question, and its answer without the header.
    sql: &'static str,
    answer: &'static str,
    /// What `convert` says was found.
    found: &'static str,
}

const CLOUDFRONT_KEY: &str = "E2EXAMPLE1234.2026-11-21-05.a1b2c3d4.gz";
const ALB_KEY: &str = "AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/11/21/123456789012_elasticloadbalancing_us-east-2_app.my-lb.50dc6c495c0c9188_20261121T0505Z_172.160.1.192_20sg8hgm.log.gz";

/// Every logged column of CloudFront that a question about generations needs.
const GENERATION: &str = "SELECT event_time, x_edge_location, sc_bytes, sc_status, browser_family, x_edge_result_type, cs_protocol, \
     time_taken, ssl_protocol, cs_protocol_version, fle_encrypted_fields, sc_content_len, connection_id, extra FROM cloudfront_logs";

const V1: &str = "CloudFront standard log, v1";

const CLOUDFRONT_V1: &[Example] = &[
    Example {
        name: "CloudFront v1 until 2012 (12 fields)",
        known_by: "`#Fields` in the file; gzip or plain text, whatever the name ends with",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query\n\
2011-04-27\t22:55:23\tDFW3\t4346\t192.0.2.87\tGET\td111111abcdef8.cloudfront.net\t/a%20b.png\t200\thttp://example.com/\tMozilla/5.0%20(Windows;%20U;%20Windows%20NT%205.1;%20en-US;%20rv:1.9.2)%20Gecko/20100115%20Firefox/3.6\t-\n",
        more: &[],
        sql: GENERATION,
        answer: "2011-04-27T22:55:23Z,DFW3,4346,200,Firefox,,,,,,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2012 (15 fields)",
        known_by: "the same",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id\n\
2013-06-01\t01:13:11\tFRA2\t182\t192.0.2.10\tGET\td111111abcdef8.cloudfront.net\t/view/my/file.html\t200\twww.displaymyfiles.com\tMozilla/4.0%20(compatible;%20MSIE%205.0b1;%20Mac_PowerPC)\t-\tzip=98101\tRefreshHit\tMRVMF7KydIvxMWfJIglgwHQwZsbG2IhRJ07sn9AkKUFSHS9EXAMPLE==\n",
        more: &[],
        sql: GENERATION,
        answer: "2013-06-01T01:13:11Z,FRA2,182,200,Internet Explorer,RefreshHit,,,,,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2013 (18 fields, doubly encoded)",
        known_by: "the second layer of percent-encoding is taken off `user_agent`",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes\n\
2013-11-02\t01:13:12\tLAX1\t2390282\t192.0.2.202\tGET\td111111abcdef8.cloudfront.net\t/soundtrack/happy.mp3\t304\twww.unknownsingers.com\tMozilla/5.0%2520(Windows%2520NT%25206.1)%2520AppleWebKit/537.36%2520(KHTML,%2520like%2520Gecko)%2520Chrome/30.0.1599.101%2520Safari/537.36\ta=b&c=d\t-\tHit\txGN7KWpVEmB9Dp7ctcVFQC4E-nrcOcEKS3QyAez--06dV7TEXAMPLE==\td111111abcdef8.cloudfront.net\thttp\t-\n",
        more: &[],
        sql: GENERATION,
        answer: "2013-11-02T01:13:12Z,LAX1,2390282,304,Chrome,Hit,http,,,,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2014 (19 fields)",
        known_by: "the same",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken\n\
2014-05-23\t01:13:11\tFRA2\t182\t192.0.2.10\tGET\td111111abcdef8.cloudfront.net\t/view/my/file.html\t200\t-\tcurl/7.30.0\t-\t-\tMiss\tMRVMF7KydIvxMWfJIglgwHQwZsbG2IhRJ07sn9AkKUFSHS9EXAMPLE==\td111111abcdef8.cloudfront.net\thttps\t342\t0.001\n",
        more: &[],
        sql: GENERATION,
        answer: "2014-05-23T01:13:11Z,FRA2,182,200,,Miss,https,0.001,,,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2015 (23 fields)",
        known_by: "the same",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type\n\
2015-08-01\t00:00:01\tSEA19-C1\t512\t2001:db8::1\tGET\td111111abcdef8.cloudfront.net\t/\t200\t-\t-\t-\t-\tHit\tR1EXAMPLE==\twww.example.com\thttps\t100\t0.5\t203.0.113.9, 203.0.113.10\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\n",
        more: &[],
        sql: GENERATION,
        answer: "2015-08-01T00:00:01Z,SEA19-C1,512,200,,Hit,https,0.5,TLSv1.2,,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2016 (24 fields)",
        known_by: "a status of `000` is 0",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version\n\
2016-10-01\t00:00:01\tHEL50\t512\t192.0.2.1\tGET\td111111abcdef8.cloudfront.net\t/\t000\t-\t-\t-\t-\tError\tR1EXAMPLE==\twww.example.com\thttps\t100\t0.5\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tError\tHTTP/2.0\n",
        more: &[],
        sql: GENERATION,
        answer: "2016-10-01T00:00:01Z,HEL50,512,0,,Error,https,0.5,TLSv1.2,HTTP/2.0,,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2018 (26 fields)",
        known_by: "the same",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields\n\
2018-02-01\t00:00:01\tHEL50\t512\t192.0.2.1\tPOST\td111111abcdef8.cloudfront.net\t/\t200\t-\t-\t-\t-\tMiss\tR1EXAMPLE==\twww.example.com\thttps\t100\t0.5\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tMiss\tHTTP/2.0\tProcessed\t4\n",
        more: &[],
        sql: GENERATION,
        answer: "2018-02-01T00:00:01Z,HEL50,512,200,,Miss,https,0.5,TLSv1.2,HTTP/2.0,4,,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2019 (33 fields)",
        known_by: "the same",
        key: CLOUDFRONT_KEY,
        // The last row is AWS's own example, a tab at its end included.
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n\
2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\tMozilla/5.0%20(Windows%20NT%2010.0;%20Win64;%20x64)%20AppleWebKit/537.36%20(KHTML,%20like%20Gecko)%20Chrome/78.0.3904.108%20Safari/537.36\t-\t-\tHit\tSOX4xwn4XV6Q4rgb7XiVGOHms_BGlTAC4KyHmureZmBNrjGdRLiNIQ==\td111111abcdef8.cloudfront.net\thttps\t23\t0.001\t-\tTLSv1.2\tECDHE-RSA-AES128-GCM-SHA256\tHit\tHTTP/2.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\t\n",
        more: &[],
        sql: GENERATION,
        answer: "2019-12-04T21:02:31Z,LAX1,392,200,Chrome,Hit,https,0.001,TLSv1.2,HTTP/2.0,,78,,",
        found: V1,
    },
    Example {
        name: "CloudFront v1 from 2025 (35 fields)",
        known_by: "`distribution_tenant_id`, `connection_id`",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end distribution-tenant-id connection-id\n\
2025-12-04\t21:02:31\tHEL51-P6\t392\t192.0.2.100\tGET\td111111abcdef8.cloudfront.net\t/index.html\t200\t-\t-\t-\t-\tHit\tSOX4==\twww.example.com\thttps\t23\t0.001\t-\tTLSv1.3\tTLS_AES_128_GCM_SHA256\tHit\tHTTP/3.0\t-\t-\t11040\t0.001\tHit\ttext/html\t78\t-\t-\tdt_1\tc0nn==\n",
        more: &[],
        sql: GENERATION,
        answer: "2025-12-04T21:02:31Z,HEL51-P6,392,200,,Hit,https,0.001,TLSv1.3,HTTP/3.0,,78,c0nn==,",
        found: V1,
    },
    Example {
        name: "CloudFront v1, fields of the future",
        known_by: "headers may be reordered, separated by tabs, repeated in mid-file",
        key: CLOUDFRONT_KEY,
        // Separated by tabs, in another order, repeated in mid-file with a field more.
        text: "#Version: 1.0\n#Fields:\ttime\tdate\tsc-bytes\tc-ip\n05:00:00\t2026-11-21\t1\t192.0.2.1\n\
#Version: 1.0\n#Fields: date time c-ip <unknown> sc-bytes\n2026-11-21\t05:00:01\t192.0.2.2\tnew\t2\n",
        more: &[],
        sql: "SELECT event_time, sc_bytes, c_ip, extra['<unknown>'] FROM cloudfront_logs ORDER BY 1",
        answer: "2026-11-21T05:00:00Z,1,192.0.2.1,\n2026-11-21T05:00:01Z,2,192.0.2.2,new",
        found: V1,
    },
    Example {
        name: "CloudFront RTMP until 2020, skipped",
        known_by: "`x-event` in `#Fields`; its lines are no requests and are counted as comments",
        key: CLOUDFRONT_KEY,
        text: "#Version: 1.0\n#Fields: date time x-edge-location c-ip x-event sc-bytes x-cf-status x-cf-client-id cs-uri-stem cs-uri-query c-referrer x-page-url c-user-agent x-sname x-sname-query x-file-ext x-sid\n\
2010-03-12\t23:51:20\tSEA4\t192.0.2.147\tconnect\t2014\tOK\tbfd8a98bee0840d9b871b7f6adf9908f\trtmp://shqshne4jdp4b6.cloudfront.net/cfx/st\tkey=value\thttp://player.example.com\thttp://www.example.com/player\tLNX%2010,0,32,18\t-\t-\t-\t-\n",
        more: &[],
        sql: "SELECT COUNT(*) FROM cloudfront_logs",
        answer: "0",
        found: "CloudFront RTMP log, skipped",
    },
];

const CLOUDFRONT_V2: &[Example] = &[
    Example {
        name: "CloudFront v2 JSON",
        known_by: "a line that begins with `{`; one object a line",
        key: "AWSLogs/111122223333/CloudFront/E2EXAMPLE1234/2026/11/21/05/a1b2c3d4.gz",
        text: "{\"date\":\"2026-11-21\",\"time\":\"05:00:00\",\"x-edge-location\":\"LHR61-P1\",\"sc-bytes\":\"1068\",\"c-ip\":\"2001:db8::1\",\"cs(User-Agent)\":\"curl/8.5.0\",\"cs(Cookie)\":\"-\",\"asn\":\"16509\",\"c-country\":\"GB\"}\n\
{\"c-country\":\"FI\",\"timestamp(ms)\":\"1795237201046\",\"cs-uri-query\":\"a=\\\"b\\\"\",\"<unknown>\":\"new\"}\n",
        more: &[],
        sql: "SELECT event_time, distribution, x_edge_location, sc_bytes, c_ip, user_agent, cs_cookie, asn, c_country, cs_uri_query, extra['<unknown>'] FROM cloudfront_logs ORDER BY 1",
        answer: "2026-11-21T05:00:00Z,E2EXAMPLE1234,LHR61-P1,1068,2001:db8::1,curl/8.5.0,,16509,GB,,\n2026-11-21T05:00:01.046Z,E2EXAMPLE1234,,,,,,,FI,\"a=\"\"b\"\"\",new",
        found: "CloudFront standard log, v2 JSON",
    },
    Example {
        name: "CloudFront v2 W3C",
        known_by: "`#Fields` without `#Version`; `timestamp(ms)` tells the time where it is chosen",
        key: "AWSLogs/aws-account-id=111122223333/CloudFront/DistributionId=E2EXAMPLE1234/year=2026/month=11/day=21/hour=05/a1b2c3d4.gz",
        text: "#Fields: date time x-edge-location c-ip timestamp(ms) origin-fbl\n2026-11-21\t05:00:00\tLHR61-P1\t192.0.2.1\t1795237200046\t0.25\n",
        more: &[],
        sql: "SELECT event_time, distribution, x_edge_location, c_ip, origin_fbl, extra FROM cloudfront_logs",
        answer: "2026-11-21T05:00:00.046Z,E2EXAMPLE1234,LHR61-P1,192.0.2.1,0.25,",
        found: "CloudFront standard log, v2 W3C",
    },
    Example {
        name: "CloudFront v2 W3C, any delimiter",
        known_by: "the first row that a usual one fits shows it, or `--delimiter` names it (several characters too); quotes mean nothing",
        key: CLOUDFRONT_KEY,
        text: "#Fields: date time c-ip cs-uri-query\n2026-11-21|05:00:00|192.0.2.1|a=\"b c\"\n",
        more: &[],
        sql: "SELECT event_time, c_ip, cs_uri_query FROM cloudfront_logs",
        answer: "2026-11-21T05:00:00Z,192.0.2.1,\"a=\"\"b c\"\"\"",
        found: "CloudFront standard log, v2 W3C",
    },
    Example {
        name: "CloudFront v2 plain",
        known_by: "no header: `--fields 'date time c-ip ...'` names the fields",
        key: CLOUDFRONT_KEY,
        text: "2026-11-21 05:00:00 192.0.2.1 200\n2026-11-21 05:00:01 192.0.2.2 404\n",
        more: &["--fields", "date time c-ip sc-status"],
        sql: "SELECT event_time, distribution, c_ip, sc_status FROM cloudfront_logs ORDER BY 1",
        answer: "2026-11-21T05:00:00Z,E2EXAMPLE1234,192.0.2.1,200\n2026-11-21T05:00:01Z,E2EXAMPLE1234,192.0.2.2,404",
        found: "CloudFront standard log, v2 plain",
    },
    Example {
        name: "CloudFront v2 raw, any delimiter",
        known_by: "the same, with `--delimiter`",
        key: "x/05h/21.11.2026/E2EXAMPLE1234/part-0",
        text: "1795237200046~192.0.2.1~a \"b\n",
        more: &[
            "--fields",
            "timestamp(ms),c-ip,cs-uri-query",
            "--delimiter",
            "~",
            "--layout",
            "{HH}h/{dd}.{MM}.{yyyy}/{DistributionId}",
        ],
        sql: "SELECT event_time, distribution, c_ip, cs_uri_query FROM cloudfront_logs",
        answer: "2026-11-21T05:00:00.046Z,E2EXAMPLE1234,192.0.2.1,\"a \"\"b\"",
        found: "CloudFront standard log, v2 plain",
    },
];

/// The columns of a load balancer's row that tell its width.
const WIDTH: &str = "SELECT event_time, elb_status_code, ssl_protocol, trace_id, domain_name, matched_rule_priority, actions_executed, redirect_url, \
     lambda_error_reason, target_port_list, classification, conn_trace_id, request_transform_status, ip_address FROM alb_logs";

const FOUND_ALB: &str = "ALB access log";

const ALB: &[Example] = &[
    Example {
        name: "ALB from 2016 (16 fields)",
        known_by: "by its name; every gzip member is read",
        key: ALB_KEY,
        text: "https 2016-08-10T23:39:43.065466Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2\n",
        more: &[],
        sql: WIDTH,
        answer: "2016-08-10T23:39:43.065466Z,200,TLSv1.2,,,,,,,,,,,",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB from November 2016 (18 fields)",
        known_by: "IPv6 addresses without brackets; `-1` for a stage that did not happen",
        key: ALB_KEY,
        text: "http 2016-11-10T23:39:43.065466Z app/my-lb/50dc6c495c0c9188 2a02:db8:1::f215:50718 - -1 -1 -1 503 - 34 366 \"GET http://www.example.com:80/ HTTP/1.1\" \"-\" - - arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/t/73e2d6bc24d8a067 \"Root=1-58337262-36d228ad5d99923122bbe354\"\n",
        more: &[],
        sql: "SELECT event_time, client_ip, client_port, target_ip, target_port, target_processing_time, target_status_code, user_agent, is_bot, trace_id FROM alb_logs",
        answer: "2016-11-10T23:39:43.065466Z,2a02:db8:1::f215,50718,,,-1.0,,,,Root=1-58337262-36d228ad5d99923122bbe354",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB from 2018 (20 to 25 fields in one file)",
        known_by: "rows of one file may differ in width",
        key: ALB_KEY,
        text: "https 2018-02-02T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:t \"Root=1\" \"www.example.com\" \"arn:c\"\n\
https 2018-03-06T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:t \"Root=1\" \"www.example.com\" \"arn:c\" 1\n\
https 2018-05-06T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.086 0.048 0.037 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:t \"Root=1\" \"www.example.com\" \"arn:c\" 1 2018-05-06T22:22:48.364000Z \"authenticate,forward\"\n\
https 2018-07-06T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 - -1 -1 -1 302 - 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 - \"Root=1\" \"www.example.com\" \"arn:c\" 1 2018-07-06T22:22:48.364000Z \"redirect\" \"https://example.com:80/a b\"\n\
https 2018-12-06T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 - 0.000 0.001 0.000 502 - 34 366 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" - - arn:t \"Root=1\" \"-\" \"-\" 0 2018-12-06T22:22:48.364000Z \"forward\" \"-\" \"LambdaInvalidResponse\"\n",
        more: &[],
        sql: "SELECT event_time, domain_name, matched_rule_priority, request_creation_time, actions_executed, redirect_url, lambda_error_reason FROM alb_logs ORDER BY 1",
        answer: "2018-02-02T22:23:00.186641Z,www.example.com,,,,,\n2018-03-06T22:23:00.186641Z,www.example.com,1,,,,\n2018-05-06T22:23:00.186641Z,www.example.com,1,2018-05-06T22:22:48.364Z,\"authenticate,forward\",,\n2018-07-06T22:23:00.186641Z,www.example.com,1,2018-07-06T22:22:48.364Z,redirect,https://example.com:80/a b,\n2018-12-06T22:23:00.186641Z,,0,2018-12-06T22:22:48.364Z,forward,,LambdaInvalidResponse",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB from 2019 and 2020 (27 and 29 fields)",
        known_by: r"raw spaces in a URL; `\xHH` taken off `user_agent_decoded`",
        key: ALB_KEY,
        text: "wss 2019-11-14T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:40914 10.0.1.192:8010 0.001 0.003 0.000 101 101 218 786 \"GET https://10.0.0.30:443/ HTTP/1.1\" \"-\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:t \"Root=1\" \"-\" \"-\" 1 2019-11-14T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.1.192:8010\" \"101\"\n\
h2 2020-09-01T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 10.0.1.252:48160 10.0.0.66:9000 0.000 0.002 0.000 200 200 5 257 \"GET https://10.0.2.105:773/a b HTTP/2.0\" \"x \\x22y\\x22\" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:t \"Root=1\" \"-\" \"-\" 1 2020-09-01T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.66:9000\" \"200\" \"Ambiguous\" \"SpaceInUri\"\n",
        more: &[],
        sql: "SELECT type, request_url, user_agent, user_agent_decoded, target_port_list, target_status_code_list, classification, classification_reason FROM alb_logs ORDER BY event_time",
        answer: "wss,https://10.0.0.30:443/,,,10.0.1.192:8010,101,,\nh2,https://10.0.2.105:773/a b,x \\x22y\\x22,\"x \"\"y\"\"\",10.0.0.66:9000,200,Ambiguous,SpaceInUri",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB from 2024 to 2026 (30, 33 and 34 fields)",
        known_by: "",
        key: ALB_KEY,
        text: "https 2024-06-01T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.1 0.2 0.3 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" - - arn:t \"Root=1\" \"-\" \"-\" 1 2024-06-01T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1234abcd5678ef90\n\
https 2025-10-01T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.1 0.2 0.3 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" - - arn:t \"Root=1\" \"-\" \"-\" 1 2025-10-01T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1 \"h.example\" \"/u\" \"TransformSuccess\"\n\
https 2026-10-01T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.1 0.2 0.3 200 200 0 57 \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.46.0\" - - arn:t \"Root=1\" \"-\" \"-\" 1 2026-10-01T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1 \"-\" \"-\" \"-\" 172.160.1.192\n",
        more: &[],
        sql: "SELECT event_time, conn_trace_id, transformed_host, transformed_uri, request_transform_status, ip_address FROM alb_logs ORDER BY 1",
        answer: "2024-06-01T22:23:00.186641Z,TID_1234abcd5678ef90,,,,\n2025-10-01T22:23:00.186641Z,TID_1,h.example,/u,TransformSuccess,\n2026-10-01T22:23:00.186641Z,TID_1,,,,172.160.1.192",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB, fields of the future",
        known_by: "in `extra` as `field_35`, `field_36`, ...",
        key: ALB_KEY,
        text: "https 2027-10-01T22:23:00.186641Z app/my-lb/50dc6c495c0c9188 192.0.2.1:2817 10.0.0.1:80 0.1 0.2 0.3 200 200 0 57 \"- - -\" \"-\" - - arn:t \"Root=1\" \"-\" \"-\" 1 2027-10-01T22:22:48.364000Z \"\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1 \"-\" \"-\" \"-\" 172.160.1.192<later> new \"newer value\"\n",
        more: &[],
        sql: "SELECT request_verb, request_url, request_proto, actions_executed = '', ip_address, extra['<place 1>'], extra['<place 2>'] FROM alb_logs",
        answer: ",,,true,172.160.1.192,new,newer value",
        found: FOUND_ALB,
    },
    Example {
        name: "ALB vended JSON",
        known_by: "as CloudFront v2; `client_port` and `request_line` fall into their parts",
        key: "AWSLogs/123456789012/elasticloadbalancing/my-lb/2026/11/21/05/a1b2c3d4.gz",
        text: "{\"type\":\"h2\",\"time\":\"2026-11-21T05:00:00.186641Z\",\"elb\":\"app/my-lb/50dc6c495c0c9188\",\"client_port\":\"192.0.2.1:2817\",\"request_line\":\"GET https://a:443/x?y HTTP/2.0\",\"elb_status_code\":\"200\",\"error_reason\":\"-\",\"ip_address\":\"10.0.0.9\"}\n",
        more: &[],
        sql: "SELECT event_time, elb, client_ip, client_port, request_url, elb_status_code, lambda_error_reason, ip_address FROM alb_logs",
        answer: "2026-11-21T05:00:00.186641Z,app/my-lb/50dc6c495c0c9188,192.0.2.1,2817,https://a:443/x?y,200,,10.0.0.9",
        found: "ALB access log, vended JSON",
    },
    Example {
        name: "ALB vended W3C",
        known_by: "the same",
        key: ALB_KEY,
        text: "#Fields: time elb client_ip client_port request_line\n2026-11-21T05:00:00.186641Z\tapp/my-lb/1\t192.0.2.1\t2817\tGET https://a:443/ HTTP/2.0\n",
        more: &[],
        sql: "SELECT event_time, client_ip, client_port, request_verb FROM alb_logs",
        answer: "2026-11-21T05:00:00.186641Z,192.0.2.1,2817,GET",
        found: "ALB access log, vended W3C",
    },
    Example {
        name: "ALB vended plain",
        known_by: "`--fields`",
        key: ALB_KEY,
        text: "2026-11-21T05:00:00.186641Z,app/my-lb/1,192.0.2.1:2817\n",
        more: &["--fields", "time elb client_port", "--delimiter", ","],
        sql: "SELECT event_time, client_ip, client_port FROM alb_logs",
        answer: "2026-11-21T05:00:00.186641Z,192.0.2.1,2817",
        found: "ALB access log, vended plain",
    },
];

fn put(root: &Path, key: &str, bytes: &[u8]) {
    let path = root.join(key);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// Converts what lies in a folder; the summary, of which the sum of lines was checked.
fn converted(logs: &Path, lake: &Path, code: i32, more: &[&str]) -> serde_json::Value {
    let mut arguments = vec!["convert", "--json", "--from", text(logs), "--to", text(lake)];
    arguments.extend(more);
    let summary: serde_json::Value = serde_json::from_str(&exits(code, &arguments).0).unwrap();
    let number = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(number("lines"), number("rows") + number("rejected_lines") + number("comment_lines"), "{summary}");
    summary
}

fn answer(lake: &Path, sql: &str) -> String {
    query(lake, sql).trim_end().split_once('\n').map(|(_, rows)| rows.to_owned()).unwrap_or_default()
}

/// An example's text or question with what no version knows: `<unknown>` is a field, `<later>` and
/// `<place N>` are the values between, and the names, of values after all that are known.
fn filled(text: &str) -> String {
    let known = source(Table::AlbLogs).unwrap().positional.as_ref().unwrap().fields.len();
    text.replace("<unknown>", &unknown_field())
        .replace("<later>", &" -".repeat(known - 34))
        .replace("<place 1>", &format!("field_{}", known + 1))
        .replace("<place 2>", &format!("field_{}", known + 2))
}

#[test]
fn every_format_of_every_year() {
    for example in CLOUDFRONT_V1.iter().chain(CLOUDFRONT_V2).chain(ALB) {
        let dir = tempfile::tempdir().unwrap();
        let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
        put(&logs, example.key, &gzip(filled(example.text).as_bytes()));
        let summary = converted(&logs, &lake, 0, example.more);
        assert_eq!(summary["found"][example.found], 1, "{}: {summary}", example.name);
        assert_eq!(summary["rejected_lines"], 0, "{}: {summary}", example.name);
        assert_eq!(summary["lines"], example.text.lines().count(), "{}", example.name);
        assert_eq!(answer(&lake, &filled(example.sql)), example.answer, "{}", example.name);
    }
}

/// What is tried by code of its own: the table's two columns.
const CLOUDFRONT_PARQUET: (&str, &str) = (
    "CloudFront v2 Parquet",
    "the file's own columns, of any type; damage loses the row group that it is in and what follows",
);
const AWS_SAMPLES_PARQUET: (&str, &str) = (
    "CloudFront v1, made Parquet by aws-samples' tables",
    "names of others (`request_ip`, `status`, ...) stand for columns, where all are there that a log cannot lack",
);
const ALB_PARQUET: (&str, &str) = ("ALB vended Parquet", "as CloudFront v2");

fn parquet(columns: &[(&str, ArrayRef)]) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns.iter().map(|(name, array)| (*name, Arc::clone(array)))).unwrap();
    let properties = WriterProperties::builder().set_dictionary_page_size_limit(16 << 20).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[test]
fn parquet_in_any_case_and_of_any_type() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let texts = |values: [Option<&str>; 3]| Arc::new(StringArray::from(values.to_vec())) as ArrayRef;
    let unknown = unknown_field();
    let cloudfront = parquet(&[
        ("date", texts([Some("2026-11-21"); 3])),
        ("time", texts([Some("05:00:00"), Some("05:00:01"), Some("25:00:00")])),
        ("cs_User_Agent", texts([Some("curl/8.5.0"), Some("-"), None])),
        ("sc_bytes", Arc::new(Int64Array::from(vec![Some(7), None, Some(9)]))),
        ("c_ip", texts([Some("192.0.2.1"), Some("192.0.2.2"), Some("192.0.2.3")])),
        (&unknown, texts([Some("n"), None, None])),
    ]);
    put(&logs, "AWSLogs/1/CloudFront/E2EXAMPLE1234/2026/11/21/05/part-0.parquet", &cloudfront);
    let alb = parquet(&[
        ("time", texts([Some("2026-11-21T05:00:00.5Z"), Some("2026-11-21T05:00:01Z"), Some("2026-11-21T05:00:02Z")])),
        ("client_port", texts([Some("192.0.2.1:1"), Some("2001:db8::1:2"), Some("-")])),
        ("elb_status_code", texts([Some("200"); 3])),
    ]);
    put(&logs, ALB_KEY, &alb);
    let summary = converted(&logs, &lake, 3, &[]);
    assert_eq!(summary["found"]["CloudFront standard log, v2 Parquet"], 1, "{summary}");
    assert_eq!(summary["found"]["ALB access log, vended Parquet"], 1, "{summary}");
    assert_eq!(summary["new_fields"][&unknown], 1);
    assert_eq!(
        answer(
            &lake,
            &format!(
                "SELECT event_time, distribution, user_agent, sc_bytes, c_ip, extra['{unknown}'] FROM cloudfront_logs ORDER BY 1"
            )
        ),
        "2026-11-21T05:00:00Z,E2EXAMPLE1234,curl/8.5.0,7,192.0.2.1,n\n2026-11-21T05:00:01Z,E2EXAMPLE1234,,,192.0.2.2,"
    );
    assert_eq!(
        answer(&lake, "SELECT event_time, client_ip, client_port FROM alb_logs ORDER BY 1"),
        "2026-11-21T05:00:00.500Z,192.0.2.1,1\n2026-11-21T05:00:01Z,2001:db8::1,2\n2026-11-21T05:00:02Z,,"
    );
    assert_eq!(
        answer(&lake, "SELECT line_number, reason, CAST(raw_line AS VARCHAR) FROM rejects"),
        "3,time: cannot read '25:00:00' as UTC,2026-11-21\t25:00:00\t-\t9\t192.0.2.3\t-"
    );
}

/// The table `partitioned_parquet` of aws-samples: its own names for most fields, and a date that
/// is no text.
#[test]
fn parquet_with_the_names_of_aws_samples() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let mut columns: Vec<(&str, ArrayRef)> = vec![("date", Arc::new(Date32Array::from(vec![20_778])))];
    let texts = [
        ("time", "05:00:00"),
        ("location", "HEL51-P6"),
        ("bytes", "1000"),
        ("request_ip", "192.0.2.10"),
        ("method", "GET"),
        ("host", "d1.cloudfront.net"),
        ("uri", "/a.html"),
        ("status", "200"),
        ("referrer", "https://example.com/"),
        ("user_agent", "curl/8.5.0"),
        ("query_string", "a=b"),
        ("cookie", "-"),
        ("result_type", "Hit"),
        ("request_id", "req1=="),
        ("host_header", "www.example.com"),
        ("request_protocol", "https"),
        ("request_bytes", "300"),
        ("time_taken", "0.012"),
        ("xforwarded_for", "192.0.2.99"),
        ("ssl_protocol", "TLSv1.3"),
        ("response_result_type", "Hit"),
        ("http_version", "HTTP/2.0"),
        ("c_port", "51000"),
    ];
    columns.extend(texts.map(|(name, value)| (name, Arc::new(StringArray::from(vec![value])) as ArrayRef)));
    put(&logs, "partitioned/year=2026/month=11/day=21/hour=05/20261121_0500_abcd", &parquet(&columns));
    let summary = converted(&logs, &lake, 0, &["--client-ip", "truncate", "--redact", "a"]);
    assert_eq!((&summary["rows"], &summary["new_fields"]), (&1.into(), &serde_json::json!({})), "{summary}");
    assert_eq!(
        answer(
            &lake,
            "SELECT event_time, x_edge_location, sc_bytes, c_ip, cs_method, cs_host, cs_uri_stem, sc_status, cs_referer, user_agent, cs_uri_query, \
             cs_cookie, x_edge_result_type, x_edge_request_id, x_host_header, cs_protocol, cs_bytes, time_taken, x_forwarded_for, \
             x_edge_response_result_type, cs_protocol_version, c_port, extra FROM cloudfront_logs"
        ),
        "2026-11-21T05:00:00Z,HEL51-P6,1000,192.0.2.0,GET,d1.cloudfront.net,/a.html,200,https://example.com/,curl/8.5.0,a=REDACTED,\
         ,Hit,req1==,www.example.com,https,300,0.012,192.0.2.0,Hit,HTTP/2.0,51000,"
    );
}

#[test]
fn parquet_of_other_types_and_under_any_name() {
    use arrow::array::{BinaryArray, Float64Array, TimestampMillisecondArray};
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let large = "x".repeat(3 << 20);
    let object = parquet(&[
        ("timestamp(ms)", Arc::new(TimestampMillisecondArray::from(vec![1_795_237_200_046; 600]))),
        (
            "c_ip",
            Arc::new(BinaryArray::from_iter_values(
                (0..600).map(|n| if n == 599 { &b"\xff"[..] } else { b"192.0.2.1" }),
            )),
        ),
        ("sc-bytes", Arc::new(Float64Array::from((0..600).map(|n| (n > 0).then_some(5.0)).collect::<Vec<_>>()))),
        ("time-taken", Arc::new(Float64Array::from(vec![0.25; 600]))),
        // A dictionary of one value, 1.8 GB if each row had its own.
        ("cs-uri-stem", Arc::new(StringArray::from_iter_values((0..600).map(|_| large.as_str())))),
    ]);
    assert!(object.len() < 4 << 20, "{} bytes", object.len());
    put(&logs, "some/part-0.parquet", &object);
    let summary = converted(&logs, &lake, 0, &["--reject-warn-ratio", "0.5", "--memory", "512MiB"]);
    assert_eq!((summary["rows"].as_u64(), summary["rejected_lines"].as_u64()), (Some(599), Some(1)), "{summary}");
    assert_eq!(
        answer(
            &lake,
            "SELECT MIN(event_time), MIN(c_ip), SUM(sc_bytes), SUM(time_taken), MIN(length(cs_uri_stem)) FROM cloudfront_logs"
        ),
        "2026-11-21T05:00:00.046Z,192.0.2.1,2990,149.75,3145728"
    );
    assert_eq!(answer(&lake, "SELECT line_number, reason FROM rejects"), "600,not UTF-8");
}

#[test]
fn an_unnamed_file_is_known_whatever_the_length_of_its_footer() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    let rows = 3_000;
    let text = |value: &str| Arc::new(StringArray::from(vec![value; rows])) as ArrayRef;
    let mut columns = vec![("date", text("2026-11-21")), ("time", text("05:00:00")), ("c-ip", text("192.0.2.1"))];
    columns.extend(
        ["x-edge-location", "cs-method", "cs-uri-stem", "sc-status", "x-edge-request-id"]
            .map(|name| (name, text("200"))),
    );
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(5)).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    let object = writer.into_inner().unwrap();
    let footer_bytes = u32::from_le_bytes(*object[..object.len() - 4].last_chunk().unwrap());
    assert!(footer_bytes > 300_000, "{footer_bytes}");
    put(&logs, "some/part-0.parquet", &object);
    assert_eq!(converted(&logs, &lake, 0, &[])["rows"], rows);
}

#[test]
fn both_sources_answer_together() {
    let dir = tempfile::tempdir().unwrap();
    let (logs, lake) = (dir.path().join("logs"), dir.path().join("lake"));
    for (number, example) in [&CLOUDFRONT_V1[7], &ALB[1], &ALB[3]].into_iter().enumerate() {
        put(&logs, &format!("{number}/{}", example.key), &gzip(example.text.as_bytes()));
    }
    converted(&logs, &lake, 0, &[]);
    assert_eq!(
        answer(
            &lake,
            "SELECT source, event_time, site, client_ip, method, host, path, query, status, bytes, time_taken FROM access_logs ORDER BY 2"
        ),
        "alb,2016-11-10T23:39:43.065466Z,app/my-lb/50dc6c495c0c9188,2a02:db8:1::f215,GET,www.example.com,/,,503,366,\n\
alb,2019-11-14T22:23:00.186641Z,app/my-lb/50dc6c495c0c9188,192.0.2.1,GET,10.0.0.30,/,,101,786,0.004\n\
cloudfront,2019-12-04T21:02:31Z,E2EXAMPLE1234,192.0.2.100,GET,d111111abcdef8.cloudfront.net,/index.html,,200,392,0.001\n\
alb,2020-09-01T22:23:00.186641Z,app/my-lb/50dc6c495c0c9188,10.0.1.252,GET,10.0.2.105,/a b,,200,257,0.002"
    );
    for name in ["access_bots", "access_bytes", "access_viewers"] {
        exits(0, &["query", "--lake", text(&lake), "--name", name]);
    }
}

/// The table of docs/formats.md is written from the examples: `EDGEMILL_RENEW=1` writes it anew.
#[test]
fn the_docs_name_what_is_tested() {
    const HEAD: &str = "| format | how it is known, and what is special |\n|-|-|\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(HEAD).unwrap();
    let (_, after) = rest.split_once("\n\n").unwrap();
    let of = |examples: &[Example]| examples.iter().map(|example| (example.name, example.known_by)).collect::<Vec<_>>();
    let rows = [
        of(CLOUDFRONT_V1),
        of(CLOUDFRONT_V2),
        vec![CLOUDFRONT_PARQUET, AWS_SAMPLES_PARQUET],
        of(ALB),
        vec![ALB_PARQUET],
    ]
    .concat();
    let rows = rows.iter().map(|(name, known_by)| format!("| {name} | {known_by} |\n").replace("|  |", "| |"));
    let wanted = format!("{before}{HEAD}{}\n{after}", rows.collect::<String>());
    if std::env::var_os("EDGEMILL_RENEW").is_some() {
        fs::write(&path, wanted).unwrap();
        return;
    }
    assert!(page == wanted, "docs/formats.md is not what the examples say; renew it: scripts/renew");
}
