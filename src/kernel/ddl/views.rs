//! The views under which people's existing queries run unchanged, and the one shape over all logs.

use super::Dialect;
use crate::model::{Granularity, Table};

/// How a column of a view comes from the columns of its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expression {
    /// The column as it is.
    Same(&'static str),
    /// The UTC date of a timestamp.
    DateOf(&'static str),
    /// The UTC time of day of a timestamp, as text: `HH:MM:SS`.
    TimeOf(&'static str),
    /// A boolean as `'True'` or `'False'`; NULL counts as false.
    TrueOrFalse(&'static str),
    /// The same text in every row.
    Text(&'static str),
    /// What the first group of a pattern matches; NULL where it matches nothing. Patterns hold no
    /// backslash and no quote, which engines read differently.
    Matched(&'static str, &'static str),
    /// The seconds of a load balancer's three stages; NULL where one did not happen (-1).
    Stages([&'static str; 3]),
}

impl Expression {
    /// The columns of the table that it reads.
    #[must_use]
    pub fn sources(self) -> Vec<&'static str> {
        match self {
            Self::Same(name)
            | Self::DateOf(name)
            | Self::TimeOf(name)
            | Self::TrueOrFalse(name)
            | Self::Matched(name, _) => vec![name],
            Self::Text(_) => Vec::new(),
            Self::Stages(names) => names.to_vec(),
        }
    }

    /// Of a lake whose partitions are longer than an hour, the hour comes from the row's own time.
    pub(super) fn sql(self, dialect: Dialect, granularity: Granularity) -> String {
        let quoted = |name: &str| dialect.quote(name);
        match self {
            Self::Same(name @ ("day" | "hour")) if !granularity.columns().contains(&name) => {
                part(&quoted("event_time"), name, dialect)
            }
            Self::Same(name) => quoted(name),
            Self::TrueOrFalse(name) => format!("CASE WHEN {} THEN 'True' ELSE 'False' END", quoted(name)),
            Self::DateOf(name) => date(&quoted(name), dialect),
            Self::TimeOf(name) => time(&quoted(name), dialect),
            Self::Text(text) => format!("'{text}'"),
            Self::Matched(name, pattern) => {
                let matched = match dialect {
                    Dialect::DataFusion => format!("regexp_match({}, '{pattern}')[1]", quoted(name)),
                    Dialect::Athena | Dialect::AthenaProjection | Dialect::Spark => {
                        format!("regexp_extract({}, '{pattern}', 1)", quoted(name))
                    }
                };
                // Engines differ in whether nothing is NULL or empty.
                format!("nullif({matched}, '')")
            }
            Self::Stages(names) => {
                let [one, two, three] = names.map(quoted);
                format!("CASE WHEN {one} >= 0 AND {two} >= 0 AND {three} >= 0 THEN {one} + {two} + {three} END")
            }
        }
    }
}

fn date(column: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection | Dialect::DataFusion => format!("CAST({column} AS DATE)"),
        // Spark's casts and formats work in the zone of the session, and no zone can be subtracted
        // rightly around the hour in which clocks change. Seconds since 1970 know no zone, so both
        // are computed from those.
        Dialect::Spark => format!("date_from_unix_date(CAST(floor(unix_seconds({column}) / 86400) AS INT))"),
    }
}

/// The day of the month or the hour of the day, in two digits, as a partition's column has it.
fn part(column: &str, name: &str, dialect: Dialect) -> String {
    let format = if name == "day" { "%d" } else { "%H" };
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection => format!("date_format({column}, '{format}')"),
        Dialect::DataFusion => format!("to_char({column}, '{format}')"),
        Dialect::Spark if name == "day" => format!("date_format({}, 'dd')", date(column, dialect)),
        Dialect::Spark => format!("substr({}, 1, 2)", time(column, dialect)),
    }
}

fn time(column: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Athena | Dialect::AthenaProjection => format!("date_format({column}, '%H:%i:%s')"),
        Dialect::DataFusion => format!("to_char({column}, '%H:%M:%S')"),
        Dialect::Spark => {
            let second = format!("pmod(unix_seconds({column}), 86400)");
            let two_digits = |number: String| format!("lpad(CAST({number} AS STRING), 2, '0')");
            let hour = two_digits(format!("{second} DIV 3600"));
            let minute = two_digits(format!("{second} % 3600 DIV 60"));
            let second = two_digits(format!("{second} % 60"));
            format!("concat({hour}, ':', {minute}, ':', {second})")
        }
    }
}

/// Names that people's queries use, over one table of the lake or several.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Its name in SQL.
    pub name: &'static str,
    /// Whose names they are.
    pub doc: &'static str,
    /// The tables that it reads, one after another, each with the view's columns in order.
    pub selects: &'static [Select],
}

/// What a view takes from one table.
#[derive(Clone, Copy, Debug)]
pub struct Select {
    /// The table.
    pub table: Table,
    /// The view's columns.
    pub columns: &'static [(&'static str, Expression)],
}

use Expression::{DateOf, Matched, Same, Stages, Text, TimeOf, TrueOrFalse};

/// Every view, in the order in which they are printed.
pub const VIEWS: &[View] = &[
    View {
        name: "cf_logs",
        doc: "The table of the AWS blog of 2017 on analysing CloudFront logs, name by name",
        selects: &[Select { table: Table::CloudfrontLogs, columns: CF_LOGS }],
    },
    View {
        name: "cloudfront_standard_logs",
        doc: "The table of Athena's own documentation, name by name",
        selects: &[Select { table: Table::CloudfrontLogs, columns: CLOUDFRONT_STANDARD_LOGS }],
    },
    View {
        name: "access_logs",
        doc: "One shape over the logs of distributions and of load balancers",
        selects: &[
            Select { table: Table::CloudfrontLogs, columns: ACCESS_LOGS_OF_CLOUDFRONT },
            Select { table: Table::AlbLogs, columns: ACCESS_LOGS_OF_ALB },
        ],
    },
];

const ACCESS_LOGS_OF_CLOUDFRONT: &[(&str, Expression)] = &[
    ("event_time", Same("event_time")),
    ("source", Text("cloudfront")),
    ("site", Same("distribution")),
    ("location", Same("x_edge_location")),
    ("client_ip", Same("c_ip")),
    ("method", Same("cs_method")),
    ("host", Same("x_host_header")),
    ("path", Same("cs_uri_stem")),
    ("query", Same("cs_uri_query")),
    ("protocol", Same("cs_protocol_version")),
    ("status", Same("sc_status")),
    ("bytes", Same("sc_bytes")),
    ("time_taken", Same("time_taken")),
    ("user_agent", Same("user_agent")),
    ("browser_family", Same("browser_family")),
    ("browser_version", Same("browser_version")),
    ("os_family", Same("os_family")),
    ("device_class", Same("device_class")),
    ("is_bot", Same("is_bot")),
    ("bot_name", Same("bot_name")),
    ("bot_category", Same("bot_category")),
    ("bot_vendor", Same("bot_vendor")),
    ("request_id", Same("x_edge_request_id")),
    ("filename", Same("filename")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];

/// The host of a URL without its port. A request without a host is logged as `http://host:80-`.
const URL_HOST: &str = "^[A-Za-z][A-Za-z0-9+.-]*://([^/?]*?)(:[0-9]+-?)?([/?]|$)";
const URL_PATH: &str = "^[A-Za-z][A-Za-z0-9+.-]*://[^/?]*([^?]*)";
const URL_QUERY: &str = "^[^?]*[?](.*)$";
const ARN_REGION: &str = "^arn:[^:]*:elasticloadbalancing:([^:]*):";

const ACCESS_LOGS_OF_ALB: &[(&str, Expression)] = &[
    ("event_time", Same("event_time")),
    ("source", Text("alb")),
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

const CF_LOGS: &[(&str, Expression)] = &[
    ("logdate", DateOf("event_time")),
    ("logtime", TimeOf("event_time")),
    ("location", Same("x_edge_location")),
    ("bytes", Same("sc_bytes")),
    ("requestip", Same("c_ip")),
    ("method", Same("cs_method")),
    ("host", Same("cs_host")),
    ("uri", Same("cs_uri_stem")),
    ("status", Same("sc_status")),
    ("referrer", Same("cs_referer")),
    ("useragent", Same("cs_user_agent")),
    ("uriquery", Same("cs_uri_query")),
    ("cookie", Same("cs_cookie")),
    ("resulttype", Same("x_edge_result_type")),
    ("requestid", Same("x_edge_request_id")),
    ("header", Same("x_host_header")),
    ("csprotocol", Same("cs_protocol")),
    ("csbytes", Same("cs_bytes")),
    ("timetaken", Same("time_taken")),
    ("forwardedfor", Same("x_forwarded_for")),
    ("sslprotocol", Same("ssl_protocol")),
    ("sslcipher", Same("ssl_cipher")),
    ("responseresulttype", Same("x_edge_response_result_type")),
    ("protocolversion", Same("cs_protocol_version")),
    ("browserfamily", Same("browser_family")),
    ("osfamily", Same("os_family")),
    ("isbot", TrueOrFalse("is_bot")),
    ("filename", Same("filename")),
    ("distribution", Same("distribution")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];

const CLOUDFRONT_STANDARD_LOGS: &[(&str, Expression)] = &[
    ("date", DateOf("event_time")),
    ("time", TimeOf("event_time")),
    ("x_edge_location", Same("x_edge_location")),
    ("sc_bytes", Same("sc_bytes")),
    ("c_ip", Same("c_ip")),
    ("cs_method", Same("cs_method")),
    ("cs_host", Same("cs_host")),
    ("cs_uri_stem", Same("cs_uri_stem")),
    ("sc_status", Same("sc_status")),
    // The documentation's spelling, unlike the log's own.
    ("cs_referrer", Same("cs_referer")),
    ("cs_user_agent", Same("cs_user_agent")),
    ("cs_uri_query", Same("cs_uri_query")),
    ("cs_cookie", Same("cs_cookie")),
    ("x_edge_result_type", Same("x_edge_result_type")),
    ("x_edge_request_id", Same("x_edge_request_id")),
    ("x_host_header", Same("x_host_header")),
    ("cs_protocol", Same("cs_protocol")),
    ("cs_bytes", Same("cs_bytes")),
    ("time_taken", Same("time_taken")),
    ("x_forwarded_for", Same("x_forwarded_for")),
    ("ssl_protocol", Same("ssl_protocol")),
    ("ssl_cipher", Same("ssl_cipher")),
    ("x_edge_response_result_type", Same("x_edge_response_result_type")),
    ("cs_protocol_version", Same("cs_protocol_version")),
    ("fle_status", Same("fle_status")),
    ("fle_encrypted_fields", Same("fle_encrypted_fields")),
    ("c_port", Same("c_port")),
    ("time_to_first_byte", Same("time_to_first_byte")),
    ("x_edge_detailed_result_type", Same("x_edge_detailed_result_type")),
    ("sc_content_type", Same("sc_content_type")),
    ("sc_content_len", Same("sc_content_len")),
    ("sc_range_start", Same("sc_range_start")),
    ("sc_range_end", Same("sc_range_end")),
    ("year", Same("year")),
    ("month", Same("month")),
    ("day", Same("day")),
    ("hour", Same("hour")),
];
