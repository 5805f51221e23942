//! CloudFront standard logs.
//!
//! Sources: the CloudFront Developer Guide, "Standard logging reference" (fields), "Standard log
//! file format", "Access logs (standard logs)": objects are called
//! `<prefix>/<distribution id>.YYYY-MM-DD-HH.<unique id>.gz`, the hour in UTC. Version 2 writes the
//! same name into folders of the user's choice (`source/names/layout.rs`).

use crate::kernel::schema::column::ColumnType::{Bigint, Double, Int, String as Text};
use crate::kernel::schema::column::PrivacyClass::{Address, AddressList, KeysAndValues, Nothing};
use crate::kernel::schema::column::{
    AgentFact, Column, EdgeFact, Origin, also, logged, looked_up, made, plain, unique,
};
use crate::kernel::schema::descriptor::{Escapes, FormatNames, Source, SplitField, Subfield, Words};
use crate::kernel::schema::object_name::Named;
use crate::kernel::schema::shared::{
    BOT_CATEGORY, BOT_NAME, BOT_VENDOR, BROWSER_FAMILY, BROWSER_VERSION, DEVICE_CLASS, EXTRA, IS_BOT, OS_FAMILY,
    event_time, filename, user_agent,
};
use crate::kernel::schema::view::Expression::{DateOf, Same, Text as Fixed, TimeOf, TrueOrFalse};
use crate::kernel::schema::view::{SourceView, ViewColumns};
use crate::model::Table;

pub(super) const SOURCE: Source = Source {
    table: Table::CloudfrontLogs,
    cli_name: "cloudfront",
    words: Words {
        one: "a CloudFront standard log",
        many: "CloudFront standard logs",
        short: "CloudFront log",
        logs: "CloudFront logs",
        writer: "CloudFront",
        example_name: "E2EXAMPLE.2026-11-21-05.abcd1234.gz",
    },
    columns: COLUMNS,
    sort: &["distribution", "x_edge_location", "c_ip", "event_time"],
    read_name,
    folder: None,
    beside: &[],
    neighbour_names: &[],
    time_fields: &["date", "time", "timestamp_ms", "timestamp"],
    split_fields: &[
        SplitField { names: &["distributionid", "distribution_id"], columns: &[("distribution", Subfield::Whole)] },
        // Athena's older spelling.
        SplitField { names: &["cs_referrer"], columns: &[("cs_referer", Subfield::Whole)] },
    ],
    telling_fields: &[
        "x_edge_location",
        "sc_bytes",
        "c_ip",
        "cs_method",
        "cs_host",
        "cs_uri_stem",
        "sc_status",
        "cs_user_agent",
        "cs_uri_query",
        "x_edge_result_type",
        "x_edge_request_id",
        "x_host_header",
    ],
    // What version 1 has written since its first day, and the id that came in 2012: other web
    // servers have no edges.
    indispensable: &[
        "x_edge_location",
        "sc_bytes",
        "c_ip",
        "cs_method",
        "cs_host",
        "cs_uri_stem",
        "sc_status",
        "x_edge_result_type",
        "x_edge_request_id",
    ],
    // Only streaming logs have it; CloudFront wrote them until 2020.
    skipped: &[("x-event", "CloudFront RTMP log, skipped")],
    formats: FormatNames {
        w3c_versioned: "CloudFront standard log, v1",
        w3c: "CloudFront standard log, v2 W3C",
        json: "CloudFront standard log, v2 JSON",
        plain: "CloudFront standard log, v2 plain",
        parquet: "CloudFront standard log, v2 Parquet",
    },
    positional: None,
    escapes: Escapes::Percent,
    views: &[
        SourceView {
            name: "cf_logs",
            doc: "The table of the AWS blog of 2017 on analysing CloudFront logs, name by name",
            columns: CF_LOGS,
        },
        SourceView {
            name: "cloudfront_standard_logs",
            doc: "The table of Athena's own documentation, name by name",
            columns: CLOUDFRONT_STANDARD_LOGS,
        },
    ],
    access: ACCESS_LOGS,
};

/// Aliases are the names of the tables of aws-samples' amazon-cloudfront-access-logs-queries.
const COLUMNS: &[Column] = &[
    event_time("When the server finished responding, UTC"),
    made(
        Origin::LoggedOrObjectName,
        "distribution",
        Text,
        Nothing,
        "Distribution id, from the log or from the object's name",
    ),
    also(
        &["location"],
        logged("x_edge_location", Text, Nothing, "Edge location that served the request, such as HEL51-P6"),
    ),
    also(&["bytes"], plain(logged("sc_bytes", Bigint, Nothing, "Bytes sent to the viewer, headers included"))),
    also(
        &["request_ip"],
        looked_up(plain(logged("c_ip", Text, Address, "Address of the viewer or its proxy, IPv4 or IPv6"))),
    ),
    also(&["method"], logged("cs_method", Text, Nothing, "HTTP method")),
    also(&["host"], logged("cs_host", Text, Nothing, "Domain name of the distribution")),
    also(&["uri"], logged("cs_uri_stem", Text, KeysAndValues, "Path of the URL, without its query")),
    also(&["status"], logged("sc_status", Int, Nothing, "HTTP status; 0 where the viewer left before the response")),
    also(&["referrer"], logged("cs_referer", Text, KeysAndValues, "Referer, percent-encoded as logged")),
    also(&["user_agent"], user_agent(AgentFact::AsLogged, "cs_user_agent", "User agent, percent-encoded as logged")),
    also(&["query_string"], logged("cs_uri_query", Text, KeysAndValues, "Query string, as logged")),
    also(&["cookie"], logged("cs_cookie", Text, KeysAndValues, "Cookies, where cookie logging is on")),
    also(&["result_type"], logged("x_edge_result_type", Text, Nothing, "Hit, Miss, RefreshHit, Error, Redirect, ...")),
    also(&["request_id"], looked_up(unique(logged("x_edge_request_id", Text, Nothing, "Opaque id of the request")))),
    also(&["host_header"], logged("x_host_header", Text, Nothing, "Host header of the request")),
    also(&["request_protocol"], logged("cs_protocol", Text, Nothing, "http, https, ws or wss")),
    also(&["request_bytes"], logged("cs_bytes", Bigint, Nothing, "Bytes of the request, headers included")),
    logged("time_taken", Double, Nothing, "Seconds from the request's first byte to the response's last"),
    also(&["xforwarded_for"], logged("x_forwarded_for", Text, AddressList, "X-Forwarded-For, as logged")),
    logged("ssl_protocol", Text, Nothing, "TLS version"),
    logged("ssl_cipher", Text, Nothing, "TLS cipher"),
    also(
        &["response_result_type"],
        logged("x_edge_response_result_type", Text, Nothing, "Result type before the response left the edge"),
    ),
    also(&["http_version"], logged("cs_protocol_version", Text, Nothing, "HTTP version")),
    logged("fle_status", Text, Nothing, "Field-level encryption: outcome"),
    logged("fle_encrypted_fields", Int, Nothing, "Field-level encryption: fields encrypted"),
    unique(logged("c_port", Int, Nothing, "Port of the viewer")),
    logged("time_to_first_byte", Double, Nothing, "Seconds to the first byte of the response"),
    logged("x_edge_detailed_result_type", Text, Nothing, "Result type, with the kind of error"),
    logged("sc_content_type", Text, Nothing, "Content-Type of the response"),
    logged("sc_content_len", Bigint, Nothing, "Content-Length of the response"),
    logged("sc_range_start", Bigint, Nothing, "First byte of the range served"),
    logged("sc_range_end", Bigint, Nothing, "Last byte of the range served"),
    logged("distribution_tenant_id", Text, Nothing, "Distribution tenant"),
    logged("connection_id", Text, Nothing, "Id of the TLS connection"),
    logged("origin_fbl", Double, Nothing, "Seconds to the origin's first byte"),
    logged("origin_lbl", Double, Nothing, "Seconds to the origin's last byte"),
    logged("asn", Text, Nothing, "Autonomous system of the viewer"),
    logged("c_country", Text, Nothing, "Country of the viewer"),
    logged("cache_behavior_path_pattern", Text, Nothing, "Path pattern of the cache behaviour that matched"),
    user_agent(AgentFact::Decoded, "user_agent", "cs_user_agent, percent-decoded"),
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
    made(
        Origin::EdgeLocation("x_edge_location", EdgeFact::City),
        "edge_city",
        Text,
        Nothing,
        "City of the edge location, by the airport code in its name",
    ),
    made(
        Origin::EdgeLocation("x_edge_location", EdgeFact::Country),
        "edge_country",
        Text,
        Nothing,
        "Country of the edge location, ISO 3166-1 alpha-2",
    ),
];

/// `<distribution id>.YYYY-MM-DD-HH.<unique id>`, then nothing or what a file may end with, twice
/// at most.
fn read_name(name: &str) -> Option<Named> {
    let mut parts: Vec<&str> = name.split('.').collect();
    while parts.len() > 3 && parts.len() <= 5 && parts.last().is_some_and(|part| is_end(part)) {
        parts.pop();
    }
    let [distribution, time, unique] = parts[..] else { return None };
    let alphanumeric = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !alphanumeric(distribution) || !alphanumeric(unique) || is_end(unique) || time.len() != 13 {
        return None;
    }
    let (date, hour) = time.split_at_checked(10)?;
    let hour = format!("{date}T{}", hour.strip_prefix('-')?).parse().ok()?;
    let distribution = Some(distribution.to_owned());
    Some(Named::Log { table: Table::CloudfrontLogs, distribution, hour, by_name: true })
}

/// What a file may end with: as AWS writes it, or as somebody decompressed or renamed it.
fn is_end(part: &str) -> bool {
    matches!(part, "gz" | "log" | "txt" | "json" | "parquet")
}

const ACCESS_LOGS: ViewColumns = &[
    ("event_time", Same("event_time")),
    ("source", Fixed("cloudfront")),
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

const CF_LOGS: ViewColumns = &[
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

const CLOUDFRONT_STANDARD_LOGS: ViewColumns = &[
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
