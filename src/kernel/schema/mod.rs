//! The one list of columns per table. The Arrow schema, the DDL, the views and the mapping from
//! logged fields to columns all come from here, so that they cannot drift apart.
//!
//! Columns are only ever appended, and a type never changes: a lake outlives the version that began
//! it.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

use crate::model::Table;

/// The type of a column, the same in every engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnType {
    /// UTF-8 text.
    String,
    /// 32-bit signed.
    Int,
    /// 64-bit signed.
    Bigint,
    /// 64-bit floating point.
    Double,
    /// True or false.
    Boolean,
    /// Microseconds since 1970, UTC.
    Timestamp,
    /// Bytes that need not be text.
    Binary,
    /// Text to text.
    StringMap,
}

/// How the values of a column are held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// In a dictionary, where that is smaller.
    Dictionary,
    /// Each by itself: values repeat, and are smaller without a dictionary all the same, as
    /// measured.
    Plain,
    /// Each by itself: nearly every row has a value of its own, so that nobody looks for equals.
    Unique,
}

/// One column of one table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name in every engine.
    pub name: &'static str,
    /// Its type.
    pub kind: ColumnType,
    /// Whether it comes straight from a logged field of the same (normalised) name.
    pub logged: bool,
    /// How its values are held.
    pub coding: Coding,
    /// Whether people ask for a single value of it, whatever the hour.
    pub looked_up: bool,
    /// What it holds, for the DDL and the documentation.
    pub doc: &'static str,
}

const fn logged(name: &'static str, kind: ColumnType, doc: &'static str) -> Column {
    Column { name, kind, logged: true, coding: Coding::Dictionary, looked_up: false, doc }
}

const fn made(name: &'static str, kind: ColumnType, doc: &'static str) -> Column {
    Column { name, kind, logged: false, coding: Coding::Dictionary, looked_up: false, doc }
}

const fn unique(column: Column) -> Column {
    Column { coding: Coding::Unique, ..column }
}

/// In an hour of 100,000 rows of `edgemill generate`, zstd-1, with and without a dictionary:
/// `sc_bytes` 343 and 285 kB, `c_ip` 177 and 152 kB: neighbours in the order of the rows are alike,
/// which a dictionary hides from the compressor. (Of the encodings that Athena reads
/// `DELTA_BINARY_PACKED` takes 294 kB for `sc_bytes`, `DELTA_BYTE_ARRAY` 197 kB for `c_ip`;
/// `BYTE_STREAM_SPLIT` of integers, 228 kB, is too new for its readers.) Others of few bytes are
/// larger without: `cs_bytes` 142 and 161 kB. Of load balancers' logs, 30,000 rows: `event_time`
/// 182 and 126 kB (each is its own, in microseconds), `request_creation_time` 181 and 127,
/// `sent_bytes` 114 and 84, `conn_trace_id` 59 and 44, `client_ip` 50 and 43, `client_port` 32 and
/// 13; but `received_bytes` 39 and 47.
const fn plain(column: Column) -> Column {
    Column { coding: Coding::Plain, ..column }
}

/// A Bloom filter says of most row groups that a value is not there. Of 4.2 million rows of
/// `edgemill generate` in 24 hours the filters of both columns are 2.0 % of the files (5.5 of 283
/// MB), and by DataFusion's count (`bytes_scanned` of EXPLAIN ANALYZE) a query for three columns of
/// one request id reads 11.0 instead of 203.8 MB, of one address 5.8 instead of 37.8, and all
/// columns of it 28 instead of 277.
const fn looked_up(column: Column) -> Column {
    Column { looked_up: true, ..column }
}

use ColumnType::{Bigint, Binary, Boolean, Double, Int, String as Text, StringMap, Timestamp};

/// CloudFront standard logs. Field meanings: the CloudFront Developer Guide, "Standard logging
/// reference".
const CLOUDFRONT_LOGS: &[Column] = &[
    made("event_time", Timestamp, "When the server finished responding, UTC"),
    logged("distribution", Text, "Distribution id, from the log or from the object's name"),
    logged("x_edge_location", Text, "Edge location that served the request, such as HEL51-P6"),
    plain(logged("sc_bytes", Bigint, "Bytes sent to the viewer, headers included")),
    looked_up(plain(logged("c_ip", Text, "Address of the viewer or its proxy, IPv4 or IPv6"))),
    logged("cs_method", Text, "HTTP method"),
    logged("cs_host", Text, "Domain name of the distribution"),
    logged("cs_uri_stem", Text, "Path of the URL, without its query"),
    logged("sc_status", Int, "HTTP status; 0 where the viewer left before the response"),
    logged("cs_referer", Text, "Referer, percent-encoded as logged"),
    logged("cs_user_agent", Text, "User agent, percent-encoded as logged"),
    logged("cs_uri_query", Text, "Query string, as logged"),
    logged("cs_cookie", Text, "Cookies, where cookie logging is on"),
    logged("x_edge_result_type", Text, "Hit, Miss, RefreshHit, Error, Redirect, ..."),
    looked_up(unique(logged("x_edge_request_id", Text, "Opaque id of the request"))),
    logged("x_host_header", Text, "Host header of the request"),
    logged("cs_protocol", Text, "http, https, ws or wss"),
    logged("cs_bytes", Bigint, "Bytes of the request, headers included"),
    logged("time_taken", Double, "Seconds from the request's first byte to the response's last"),
    logged("x_forwarded_for", Text, "X-Forwarded-For, as logged"),
    logged("ssl_protocol", Text, "TLS version"),
    logged("ssl_cipher", Text, "TLS cipher"),
    logged("x_edge_response_result_type", Text, "Result type before the response left the edge"),
    logged("cs_protocol_version", Text, "HTTP version"),
    logged("fle_status", Text, "Field-level encryption: outcome"),
    logged("fle_encrypted_fields", Int, "Field-level encryption: fields encrypted"),
    unique(logged("c_port", Int, "Port of the viewer")),
    logged("time_to_first_byte", Double, "Seconds to the first byte of the response"),
    logged("x_edge_detailed_result_type", Text, "Result type, with the kind of error"),
    logged("sc_content_type", Text, "Content-Type of the response"),
    logged("sc_content_len", Bigint, "Content-Length of the response"),
    logged("sc_range_start", Bigint, "First byte of the range served"),
    logged("sc_range_end", Bigint, "Last byte of the range served"),
    logged("distribution_tenant_id", Text, "Distribution tenant"),
    logged("connection_id", Text, "Id of the TLS connection"),
    logged("origin_fbl", Double, "Seconds to the origin's first byte"),
    logged("origin_lbl", Double, "Seconds to the origin's last byte"),
    logged("asn", Text, "Autonomous system of the viewer"),
    logged("c_country", Text, "Country of the viewer"),
    logged("cache_behavior_path_pattern", Text, "Path pattern of the cache behaviour that matched"),
    made("user_agent", Text, "cs_user_agent, percent-decoded"),
    made("browser_family", Text, "Browser, such as Chrome"),
    made("browser_version", Text, "Major version of the browser"),
    made("os_family", Text, "Operating system"),
    made("device_class", Text, "desktop, mobile, tablet, tv, bot or other"),
    made("is_bot", Boolean, "Whether a program made the request; NULL without a user agent and behind a proxy"),
    made("bot_name", Text, "Name of the bot, as the list of known bots has it or as it calls itself"),
    made("bot_category", Text, "What the bot is for, such as search-engine or ai-training"),
    made("filename", Text, "Key of the raw object that the row comes from"),
    made("extra", StringMap, "Fields that this version does not know, by their logged names"),
    made("bot_vendor", Text, "Who runs the bot"),
    made("edge_city", Text, "City of the edge location, by the airport code in its name"),
    made("edge_country", Text, "Country of the edge location, ISO 3166-1 alpha-2"),
];

/// Access logs of Application Load Balancers. Field meanings: Elastic Load Balancing, "Access log
/// entries"; names and types those of Athena's documentation, where it has the field.
const ALB_LOGS: &[Column] = &[
    plain(made("event_time", Timestamp, "When the load balancer finished responding, UTC")),
    logged("type", Text, "http, https, h2, grpcs, ws or wss"),
    logged("elb", Text, "Load balancer: app/name/id"),
    looked_up(plain(logged("client_ip", Text, "Address of the client, IPv4 or IPv6"))),
    plain(logged("client_port", Int, "Port of the client")),
    logged("target_ip", Text, "Address of the target; NULL where none was chosen"),
    logged("target_port", Int, "Port of the target"),
    logged("request_processing_time", Double, "Seconds until the request was sent to a target, -1 where it was not"),
    logged("target_processing_time", Double, "Seconds until the target began to respond, -1 where it did not"),
    logged("response_processing_time", Double, "Seconds until the response was sent on, -1 where it was not"),
    logged("elb_status_code", Int, "HTTP status of the load balancer"),
    logged("target_status_code", Text, "HTTP status of the target"),
    logged("received_bytes", Bigint, "Bytes of the request, headers included"),
    plain(logged("sent_bytes", Bigint, "Bytes sent to the client, headers included")),
    logged("request_verb", Text, "HTTP method"),
    logged("request_url", Text, "URL as logged: scheme, host, port, path and query"),
    logged("request_proto", Text, "HTTP version"),
    logged("user_agent", Text, "User agent as logged, special characters as \\xHH"),
    logged("ssl_cipher", Text, "TLS cipher"),
    logged("ssl_protocol", Text, "TLS version"),
    logged("target_group_arn", Text, "Target group"),
    looked_up(unique(logged("trace_id", Text, "X-Amzn-Trace-Id header"))),
    logged("domain_name", Text, "Server name that the client asked for (SNI)"),
    logged("chosen_cert_arn", Text, "Certificate shown to the client"),
    logged("matched_rule_priority", Text, "Priority of the rule that matched, 0 for the default, -1 for an error"),
    plain(logged("request_creation_time", Timestamp, "When the load balancer received the request, UTC")),
    logged("actions_executed", Text, "Actions taken, separated by commas"),
    logged("redirect_url", Text, "Where a redirect led"),
    logged("lambda_error_reason", Text, "error_reason: why an action failed"),
    logged("target_port_list", Text, "Addresses and ports of the targets, separated by spaces"),
    logged("target_status_code_list", Text, "Statuses of the targets, separated by spaces"),
    logged("classification", Text, "Desync mitigation: Acceptable, Ambiguous or Severe"),
    logged("classification_reason", Text, "Why the request was classified so"),
    plain(logged("conn_trace_id", Text, "Id of the connection, as in connection logs")),
    logged("transformed_host", Text, "Host header after a transform"),
    logged("transformed_uri", Text, "Path and query after a transform"),
    logged("request_transform_status", Text, "Outcome of the transforms"),
    logged("ip_address", Text, "Address of the load balancer's node"),
    made("user_agent_decoded", Text, "user_agent without its escapes"),
    made("browser_family", Text, "Browser, such as Chrome"),
    made("browser_version", Text, "Major version of the browser"),
    made("os_family", Text, "Operating system"),
    made("device_class", Text, "desktop, mobile, tablet, tv, bot or other"),
    made("is_bot", Boolean, "Whether a program made the request; NULL without a user agent and behind a proxy"),
    made("bot_name", Text, "Name of the bot, as the list of known bots has it or as it calls itself"),
    made("bot_category", Text, "What the bot is for, such as search-engine or ai-training"),
    made("filename", Text, "Key of the raw object that the row comes from"),
    made("extra", StringMap, "Fields that this version does not know, by their logged names"),
    made("bot_vendor", Text, "Who runs the bot"),
];

/// Lines that are no rows.
const REJECTS: &[Column] = &[
    made("source_table", Text, "Table that the line was meant for"),
    made("filename", Text, "Key of the raw object"),
    made("line_number", Bigint, "Line in the decompressed object, from 1"),
    made("byte_offset", Bigint, "Offset of the line in the decompressed object, from 0"),
    made("reason", Text, "Why the line is no row"),
    unique(made("raw_line", Binary, "The line as it was, without its end; NULL where the job keeps less of people")),
    made("line_bytes", Bigint, "Length of the line"),
    made("line_sha256", Text, "SHA-256 of the line in hexadecimal, where raw_line is NULL for privacy"),
];

/// The columns that the rows of a file are sorted by, the first first, people before bots; the last
/// two are an address and a time. None where rows stay as they come.
#[must_use]
pub const fn sort_columns(table: Table) -> &'static [&'static str] {
    match table {
        Table::CloudfrontLogs => &["distribution", "x_edge_location", "c_ip", "event_time"],
        Table::AlbLogs => &["elb", "client_ip", "event_time"],
        Table::Rejects => &[],
    }
}

/// The columns of the user agent: as logged, and decoded. Both follow from its number, as the
/// browser does.
#[must_use]
pub const fn agent_columns(table: Table) -> Option<(&'static str, &'static str)> {
    match table {
        Table::CloudfrontLogs => Some(("cs_user_agent", "user_agent")),
        Table::AlbLogs => Some(("user_agent", "user_agent_decoded")),
        Table::Rejects => None,
    }
}

/// Subfield of a logged value that is a column of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subfield {
    /// All of it.
    Whole,
    /// `address:port`: what stands before the last colon. An IPv6 address stands without brackets.
    Address,
    /// `address:port`: what stands after the last colon, or all of it.
    Port,
    /// `METHOD url version`: what stands before the first space.
    Verb,
    /// What stands between the first space and the last; a URL may hold spaces.
    Url,
    /// What stands after the last space.
    Version,
}

/// The columns that a logged field falls into, where it is not one column of its own name. Names
/// are normalised.
#[must_use]
pub fn split_field(table: Table, name: &str) -> &'static [(&'static str, Subfield)] {
    match (table, name) {
        (Table::CloudfrontLogs, "distributionid" | "distribution_id") => &[("distribution", Subfield::Whole)],
        // Athena's older spelling.
        (Table::CloudfrontLogs, "cs_referrer") => &[("cs_referer", Subfield::Whole)],
        (Table::AlbLogs, "client_port") => &[("client_ip", Subfield::Address), ("client_port", Subfield::Port)],
        (Table::AlbLogs, "target_port") => &[("target_ip", Subfield::Address), ("target_port", Subfield::Port)],
        (Table::AlbLogs, "request" | "request_line") => {
            &[("request_verb", Subfield::Verb), ("request_url", Subfield::Url), ("request_proto", Subfield::Version)]
        }
        (Table::AlbLogs, "error_reason") => &[("lambda_error_reason", Subfield::Whole)],
        _ => &[],
    }
}

/// Whether a table has a place for a field of this logged name.
#[must_use]
pub fn is_logged_field(table: Table, logged: &str) -> bool {
    let name = normalise_field_name(logged);
    is_time_field(table, &name)
        || !split_field(table, &name).is_empty()
        || column_index(table, &name).is_some_and(|index| columns(table)[index].logged)
}

/// Whether a field of this logged name tells a row's time.
#[must_use]
pub fn is_time_field(table: Table, logged: &str) -> bool {
    let name = normalise_field_name(logged);
    match table {
        Table::CloudfrontLogs => matches!(name.as_str(), "date" | "time" | "timestamp_ms" | "timestamp"),
        Table::AlbLogs => name == "time",
        Table::Rejects => false,
    }
}

/// The columns of a table, in order, without the partition columns.
#[must_use]
pub const fn columns(table: Table) -> &'static [Column] {
    match table {
        Table::CloudfrontLogs => CLOUDFRONT_LOGS,
        Table::AlbLogs => ALB_LOGS,
        Table::Rejects => REJECTS,
    }
}

/// Where a column stands in its table.
#[must_use]
pub fn column_index(table: Table, name: &str) -> Option<usize> {
    static INDEXES: LazyLock<HashMap<(Table, &'static str), usize>> = LazyLock::new(|| {
        Table::ALL
            .iter()
            .flat_map(|table| columns(*table).iter().enumerate().map(|(index, column)| ((*table, column.name), index)))
            .collect()
    });
    INDEXES.get(&(table, name)).copied()
}

/// The Arrow schema of a table's files. Every column may be NULL: a log of another year lacks some.
#[must_use]
pub fn arrow_schema(table: Table) -> SchemaRef {
    static SCHEMAS: LazyLock<HashMap<Table, SchemaRef>> = LazyLock::new(|| {
        let schema = |table| Arc::new(Schema::new(columns(table).iter().map(arrow_field).collect::<Fields>()));
        Table::ALL.iter().map(|table| (*table, schema(*table))).collect()
    });
    SCHEMAS.get(&table).cloned().unwrap_or_else(|| Arc::new(Schema::empty()))
}

fn arrow_field(column: &Column) -> Field {
    let data_type = match column.kind {
        ColumnType::String => DataType::Utf8,
        ColumnType::Int => DataType::Int32,
        ColumnType::Bigint => DataType::Int64,
        ColumnType::Double => DataType::Float64,
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ColumnType::Binary => DataType::Binary,
        ColumnType::StringMap => DataType::Map(map_entries(MapKeys::Texts), false),
    };
    Field::new(column.name, data_type, true)
}

/// How the keys of a map are held in memory; the Parquet file is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKeys {
    /// Each as its text.
    Texts,
    /// As numbers of the few texts that there are.
    Numbered,
}

/// The entries of a map column, named as the Parquet format's MAP type names them.
#[must_use]
pub fn map_entries(keys: MapKeys) -> Arc<Field> {
    let key = match keys {
        MapKeys::Texts => DataType::Utf8,
        MapKeys::Numbered => DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)),
    };
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", DataType::Utf8, true)]);
    Arc::new(Field::new("key_value", DataType::Struct(fields), false))
}

/// The Arrow schema as columns come to the encoder: [`arrow_schema`], the keys of maps as numbers.
#[must_use]
pub fn encoder_schema(table: Table) -> SchemaRef {
    let field = |field: &Arc<Field>| match field.data_type() {
        DataType::Map(..) => {
            let map = DataType::Map(map_entries(MapKeys::Numbered), false);
            Arc::new(field.as_ref().clone().with_data_type(map))
        }
        _ => Arc::clone(field),
    };
    Arc::new(Schema::new(arrow_schema(table).fields().iter().map(field).collect::<Fields>()))
}

/// The column name of a logged field: lower case, every run of other characters one underscore,
/// none at the ends. `cs(User-Agent)` becomes `cs_user_agent`.
#[must_use]
pub fn normalise_field_name(logged: &str) -> String {
    let mut name = String::with_capacity(logged.len());
    for byte in logged.bytes() {
        if byte.is_ascii_alphanumeric() {
            name.push(char::from(byte.to_ascii_lowercase()));
        } else if !name.ends_with('_') && !name.is_empty() {
            name.push('_');
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn field_names_become_column_names() {
        for (logged, name) in [
            ("x-edge-location", "x_edge_location"),
            ("cs(User-Agent)", "cs_user_agent"),
            ("cs(Host)", "cs_host"),
            ("timestamp(ms)", "timestamp_ms"),
            ("c-ip", "c_ip"),
            ("--odd--", "odd"),
        ] {
            assert_eq!(normalise_field_name(logged), name);
        }
    }

    #[test]
    fn names_are_unique_and_found() {
        for table in Table::ALL {
            for (index, column) in columns(table).iter().enumerate() {
                assert_eq!(column_index(table, column.name), Some(index), "{} of {table}", column.name);
                assert!(!crate::model::Granularity::Hour.columns().contains(&column.name));
            }
            assert_eq!(arrow_schema(table).fields().len(), columns(table).len());
        }
    }
}
