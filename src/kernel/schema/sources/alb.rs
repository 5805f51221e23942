//! Access logs of Application Load Balancers.
//!
//! Sources: Elastic Load Balancing, "Access logs for your Application Load Balancer" ("Access log
//! entries", "Access log files"); names and types of columns are those of Athena's documentation,
//! where it has the field. Objects are called
//! `AWSLogs/<account>/elasticloadbalancing/<region>/yyyy/mm/dd/`
//! `<account>_elasticloadbalancing_<region>_app.<name>.<id>_`
//! `<end time>_<node address>_<random>.log.gz`: the folders are the day of delivery, the time is
//! the end of five minutes. Connection and health-check logs lie in the same tree, under names that
//! begin with what they are.

use crate::kernel::schema::column::ColumnType::{Bigint, Double, Int, String as Text, Timestamp};
use crate::kernel::schema::column::PrivacyClass::{Address, KeysAndValues, Nothing};
use crate::kernel::schema::column::{AgentFact, Column, logged, looked_up, plain, unique};
use crate::kernel::schema::descriptor::{
    Escapes, FirstValue, FormatNames, PositionalRows, Source, SplitField, Subfield, Words,
};
use crate::kernel::schema::object_name::{CLASSIC_LB, LB_CONNECTION, LB_HEALTH, LB_TEST, NETWORK_LB, Named};
use crate::kernel::schema::shared::{
    BOT_CATEGORY, BOT_NAME, BOT_VENDOR, BROWSER_FAMILY, BROWSER_VERSION, DEVICE_CLASS, EXTRA, IS_BOT, OS_FAMILY,
    event_time, filename, user_agent,
};
use crate::kernel::schema::view::Expression::{Matched, Same, Stages, Text as Fixed};
use crate::kernel::schema::view::ViewColumns;
use crate::model::{HOUR_SECONDS, Hour, Table};

const WRITER: &str = "a load balancer";

pub(super) const SOURCE: Source = Source {
    table: Table::AlbLogs,
    cli_name: "alb",
    words: Words {
        one: "an access log of an Application Load Balancer",
        many: "Application Load Balancer access logs",
        short: "load balancer log",
        logs: "access logs of load balancers",
        writer: WRITER,
        example_name: "123456789012_elasticloadbalancing_us-east-1_app.name.id_20261121T0505Z_192.0.2.1_random.log.gz",
    },
    columns: COLUMNS,
    sort: &["elb", "client_ip", "event_time"],
    read_name,
    folder: Some("elasticloadbalancing"),
    beside: &[LB_CONNECTION, LB_HEALTH, NETWORK_LB, CLASSIC_LB, LB_TEST],
    neighbour_names: &[],
    time_fields: &["time"],
    split_fields: &[
        SplitField {
            names: &["client_port"],
            columns: &[("client_ip", Subfield::Address), ("client_port", Subfield::Port)],
        },
        SplitField {
            names: &["target_port"],
            columns: &[("target_ip", Subfield::Address), ("target_port", Subfield::Port)],
        },
        SplitField {
            names: &["request", "request_line"],
            columns: &[
                ("request_verb", Subfield::Verb),
                ("request_url", Subfield::Url),
                ("request_proto", Subfield::Version),
            ],
        },
        SplitField { names: &["error_reason"], columns: &[("lambda_error_reason", Subfield::Whole)] },
    ],
    telling_fields: &["request", "request_line", "elb_status_code", "target_status_code", "target_processing_time"],
    indispensable: &[],
    skipped: &[],
    formats: FormatNames {
        w3c_versioned: "ALB access log, vended W3C",
        w3c: "ALB access log, vended W3C",
        json: "ALB access log, vended JSON",
        plain: "ALB access log, vended plain",
        parquet: "ALB access log, vended Parquet",
    },
    // Values have no names, new ones come at the end, and a reader is to bear those that it does
    // not expect.
    positional: Some(PositionalRows {
        found: "ALB access log",
        writer: WRITER,
        fields: FIELDS,
        // The first rows of 2016 ended here.
        fewest_values: 12,
        most_values: 200,
        begins: &[
            // AWS asks readers to pass over other words.
            FirstValue::OneOf(&[b"http", b"https", b"h2", b"grpcs", b"ws", b"wss"]),
            FirstValue::Time,
            // The name of the load balancer; a health check's third value is a number.
            FirstValue::NoNumber,
        ],
    }),
    escapes: Escapes::Hex,
    views: &[],
    access: ACCESS_LOGS,
};

const COLUMNS: &[Column] = &[
    plain(event_time("When the load balancer finished responding, UTC")),
    logged("type", Text, Nothing, "http, https, h2, grpcs, ws or wss"),
    logged("elb", Text, Nothing, "Load balancer: app/name/id"),
    looked_up(plain(logged("client_ip", Text, Address, "Address of the client, IPv4 or IPv6"))),
    plain(logged("client_port", Int, Nothing, "Port of the client")),
    logged("target_ip", Text, Nothing, "Address of the target; NULL where none was chosen"),
    logged("target_port", Int, Nothing, "Port of the target"),
    logged(
        "request_processing_time",
        Double,
        Nothing,
        "Seconds until the request was sent to a target, -1 where it was not",
    ),
    logged("target_processing_time", Double, Nothing, "Seconds until the target began to respond, -1 where it did not"),
    logged("response_processing_time", Double, Nothing, "Seconds until the response was sent on, -1 where it was not"),
    logged("elb_status_code", Int, Nothing, "HTTP status of the load balancer"),
    logged("target_status_code", Text, Nothing, "HTTP status of the target"),
    logged("received_bytes", Bigint, Nothing, "Bytes of the request, headers included"),
    plain(logged("sent_bytes", Bigint, Nothing, "Bytes sent to the client, headers included")),
    logged("request_verb", Text, Nothing, "HTTP method"),
    logged("request_url", Text, KeysAndValues, "URL as logged: scheme, host, port, path and query"),
    logged("request_proto", Text, KeysAndValues, "HTTP version"),
    user_agent(AgentFact::AsLogged, "user_agent", "User agent as logged, special characters as \\xHH"),
    logged("ssl_cipher", Text, Nothing, "TLS cipher"),
    logged("ssl_protocol", Text, Nothing, "TLS version"),
    logged("target_group_arn", Text, Nothing, "Target group"),
    looked_up(unique(logged("trace_id", Text, Nothing, "X-Amzn-Trace-Id header"))),
    logged("domain_name", Text, Nothing, "Server name that the client asked for (SNI)"),
    logged("chosen_cert_arn", Text, Nothing, "Certificate shown to the client"),
    logged(
        "matched_rule_priority",
        Text,
        Nothing,
        "Priority of the rule that matched, 0 for the default, -1 for an error",
    ),
    plain(logged("request_creation_time", Timestamp, Nothing, "When the load balancer received the request, UTC")),
    logged("actions_executed", Text, Nothing, "Actions taken, separated by commas"),
    logged("redirect_url", Text, KeysAndValues, "Where a redirect led"),
    logged("lambda_error_reason", Text, Nothing, "error_reason: why an action failed"),
    logged("target_port_list", Text, Nothing, "Addresses and ports of the targets, separated by spaces"),
    logged("target_status_code_list", Text, Nothing, "Statuses of the targets, separated by spaces"),
    logged("classification", Text, Nothing, "Desync mitigation: Acceptable, Ambiguous or Severe"),
    logged("classification_reason", Text, Nothing, "Why the request was classified so"),
    plain(logged("conn_trace_id", Text, Nothing, "Id of the connection, as in connection logs")),
    logged("transformed_host", Text, Nothing, "Host header after a transform"),
    logged("transformed_uri", Text, KeysAndValues, "Path and query after a transform"),
    logged("request_transform_status", Text, Nothing, "Outcome of the transforms"),
    logged("ip_address", Text, Nothing, "Address of the load balancer's node"),
    user_agent(AgentFact::Decoded, "user_agent_decoded", "user_agent without its escapes"),
    BROWSER_FAMILY,
    BROWSER_VERSION,
    OS_FAMILY,
    DEVICE_CLASS,
    IS_BOT,
    BOT_NAME,
    BOT_CATEGORY,
    filename("Key of the raw object that the row comes from"),
    EXTRA,
    BOT_VENDOR,
];

/// AWS writes `client:port`; the colon tells that address and port stand together.
const FIELDS: &[&str] = &[
    "type",
    "time",
    "elb",
    "client:port",
    "target:port",
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "elb_status_code",
    "target_status_code",
    "received_bytes",
    "sent_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target:port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
    "transformed_host",
    "transformed_uri",
    "request_transform_status",
    "ip_address",
];

/// `<account>_elasticloadbalancing_<region>_<kind>.<name>_<end time>_<address>_<random>`.
fn read_name(name: &str) -> Option<Named> {
    let (before, after) = name.split_once("_elasticloadbalancing_")?;
    // AWS's pages show a dot behind the first words, its objects an underscore.
    if before.strip_prefix("conn_log").is_some_and(|rest| rest.starts_with(['.', '_'])) {
        return Some(Named::Other(LB_CONNECTION));
    }
    if before.strip_prefix("health_check_log").is_some_and(|rest| rest.starts_with(['.', '_'])) {
        return Some(Named::Other(LB_HEALTH));
    }
    let mut parts = after.split('_');
    let (_region, id, end) = (parts.next()?, parts.next()?, parts.next()?);
    if id.starts_with("net.") {
        return Some(Named::Other(NETWORK_LB));
    }
    if !id.starts_with("app.") {
        return Some(Named::Other(CLASSIC_LB));
    }
    let hour = interval_hour(end)?;
    let balancer = Some(id.replace('.', "/"));
    Some(Named::Log { table: Table::AlbLogs, distribution: balancer, hour, by_name: true })
}

/// The hour of the last second before an end such as `20261121T0500Z`.
fn interval_hour(end: &str) -> Option<Hour> {
    let digits = end.strip_suffix('Z').filter(|end| end.len() == 13 && end.is_ascii())?;
    let (date, time) = digits.split_once('T').filter(|(date, _)| date.len() == 8)?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<i16>().ok())?;
    let small = |text: &str| number(text).and_then(|number| i8::try_from(number).ok());
    let hour = Hour::from_civil(number(&date[..4])?, small(&date[4..6])?, small(&date[6..])?, small(&time[..2])?)?;
    let minute = small(&time[2..]).filter(|minute| *minute < 60)?;
    let seconds = hour.start_unix_seconds() + i64::from(minute) * 60 - 1;
    debug_assert!(seconds < hour.start_unix_seconds() + HOUR_SECONDS);
    Some(Hour::of_unix_seconds(seconds))
}

/// The host of a URL without its port. A request without a host is logged as `http://host:80-`.
const URL_HOST: &str = "^[A-Za-z][A-Za-z0-9+.-]*://([^/?]*?)(:[0-9]+-?)?([/?]|$)";
const URL_PATH: &str = "^[A-Za-z][A-Za-z0-9+.-]*://[^/?]*([^?]*)";
const URL_QUERY: &str = "^[^?]*[?](.*)$";
const ARN_REGION: &str = "^arn:[^:]*:elasticloadbalancing:([^:]*):";

const ACCESS_LOGS: ViewColumns = &[
    ("event_time", Same("event_time")),
    ("source", Fixed("alb")),
    ("site", Same("elb")),
    ("location", Matched("target_group_arn", ARN_REGION)),
    ("client_ip", Same("client_ip")),
    ("method", Same("request_verb")),
    ("host", Matched("request_url", URL_HOST)),
    ("path", Matched("request_url", URL_PATH)),
    ("query", Matched("request_url", URL_QUERY)),
    ("protocol", Same("request_proto")),
    ("status", Same("elb_status_code")),
    ("bytes", Same("sent_bytes")),
    ("time_taken", Stages(["request_processing_time", "target_processing_time", "response_processing_time"])),
    ("user_agent", Same("user_agent_decoded")),
    ("browser_family", Same("browser_family")),
    ("browser_version", Same("browser_version")),
    ("os_family", Same("os_family")),
    ("device_class", Same("device_class")),
    ("is_bot", Same("is_bot")),
    ("bot_name", Same("bot_name")),
    ("bot_category", Same("bot_category")),
    ("bot_vendor", Same("bot_vendor")),
    ("request_id", Same("trace_id")),
    ("filename", Same("filename")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];
