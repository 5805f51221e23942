-- Tables and views of an edgemill lake, for Amazon Athena.
-- Nothing here is ever dropped: running it again changes only what a view says.
-- Athena runs one statement at a time. MSCK REPAIR TABLE finds the hours that the lake already has,
-- so run it again for hours that come later, or let edgemill register them as it commits them.

CREATE EXTERNAL TABLE IF NOT EXISTS `cloudfront_logs` (
  `event_time` timestamp COMMENT 'When the server finished responding, UTC',
  `distribution` string COMMENT 'Distribution id, from the log or from the object\'s name',
  `x_edge_location` string COMMENT 'Edge location that served the request, such as HEL51-P6',
  `sc_bytes` bigint COMMENT 'Bytes sent to the viewer, headers included',
  `c_ip` string COMMENT 'Address of the viewer or its proxy, IPv4 or IPv6',
  `cs_method` string COMMENT 'HTTP method',
  `cs_host` string COMMENT 'Domain name of the distribution',
  `cs_uri_stem` string COMMENT 'Path of the URL, without its query',
  `sc_status` int COMMENT 'HTTP status, 0 where the viewer left before the response',
  `cs_referer` string COMMENT 'Referer, percent-encoded as logged',
  `cs_user_agent` string COMMENT 'User agent, percent-encoded as logged',
  `cs_uri_query` string COMMENT 'Query string, as logged',
  `cs_cookie` string COMMENT 'Cookies, where cookie logging is on',
  `x_edge_result_type` string COMMENT 'Hit, Miss, RefreshHit, Error, Redirect, ...',
  `x_edge_request_id` string COMMENT 'Opaque id of the request',
  `x_host_header` string COMMENT 'Host header of the request',
  `cs_protocol` string COMMENT 'http, https, ws or wss',
  `cs_bytes` bigint COMMENT 'Bytes of the request, headers included',
  `time_taken` double COMMENT 'Seconds from the request\'s first byte to the response\'s last',
  `x_forwarded_for` string COMMENT 'X-Forwarded-For, as logged',
  `ssl_protocol` string COMMENT 'TLS version',
  `ssl_cipher` string COMMENT 'TLS cipher',
  `x_edge_response_result_type` string COMMENT 'Result type before the response left the edge',
  `cs_protocol_version` string COMMENT 'HTTP version',
  `fle_status` string COMMENT 'Field-level encryption: outcome',
  `fle_encrypted_fields` int COMMENT 'Field-level encryption: fields encrypted',
  `c_port` int COMMENT 'Port of the viewer',
  `time_to_first_byte` double COMMENT 'Seconds to the first byte of the response',
  `x_edge_detailed_result_type` string COMMENT 'Result type, with the kind of error',
  `sc_content_type` string COMMENT 'Content-Type of the response',
  `sc_content_len` bigint COMMENT 'Content-Length of the response',
  `sc_range_start` bigint COMMENT 'First byte of the range served',
  `sc_range_end` bigint COMMENT 'Last byte of the range served',
  `distribution_tenant_id` string COMMENT 'Distribution tenant',
  `connection_id` string COMMENT 'Id of the TLS connection',
  `origin_fbl` double COMMENT 'Seconds to the origin\'s first byte',
  `origin_lbl` double COMMENT 'Seconds to the origin\'s last byte',
  `asn` string COMMENT 'Autonomous system of the viewer',
  `c_country` string COMMENT 'Country of the viewer',
  `cache_behavior_path_pattern` string COMMENT 'Path pattern of the cache behaviour that matched',
  `user_agent` string COMMENT 'cs_user_agent, percent-decoded',
  `browser_family` string COMMENT 'Browser, such as Chrome',
  `browser_version` string COMMENT 'Major version of the browser',
  `os_family` string COMMENT 'Operating system',
  `device_class` string COMMENT 'desktop, mobile, tablet, tv, bot or other',
  `is_bot` boolean COMMENT 'Whether a program made the request, NULL without a user agent and behind a proxy',
  `bot_name` string COMMENT 'Name of the bot, as the list of known bots has it or as it calls itself',
  `bot_category` string COMMENT 'What the bot is for, such as search-engine or ai-training',
  `filename` string COMMENT 'Key of the raw object that the row comes from',
  `extra` map<string,string> COMMENT 'Fields that this version does not know, by their logged names',
  `bot_vendor` string COMMENT 'Who runs the bot',
  `edge_city` string COMMENT 'City of the edge location, by the airport code in its name',
  `edge_country` string COMMENT 'Country of the edge location, ISO 3166-1 alpha-2'
)
PARTITIONED BY (`year` string, `month` string, `day` string, `hour` string)
STORED AS PARQUET
LOCATION 's3://YOUR-BUCKET/lake/cloudfront_logs/'
TBLPROPERTIES (
  'classification'='parquet',
  'parquet.compression'='ZSTD'
);

MSCK REPAIR TABLE `cloudfront_logs`;

CREATE OR REPLACE VIEW "cf_logs" AS
SELECT
  CAST("event_time" AS DATE) AS "logdate",
  date_format("event_time", '%H:%i:%s') AS "logtime",
  "x_edge_location" AS "location",
  "sc_bytes" AS "bytes",
  "c_ip" AS "requestip",
  "cs_method" AS "method",
  "cs_host" AS "host",
  "cs_uri_stem" AS "uri",
  "sc_status" AS "status",
  "cs_referer" AS "referrer",
  "cs_user_agent" AS "useragent",
  "cs_uri_query" AS "uriquery",
  "cs_cookie" AS "cookie",
  "x_edge_result_type" AS "resulttype",
  "x_edge_request_id" AS "requestid",
  "x_host_header" AS "header",
  "cs_protocol" AS "csprotocol",
  "cs_bytes" AS "csbytes",
  "time_taken" AS "timetaken",
  "x_forwarded_for" AS "forwardedfor",
  "ssl_protocol" AS "sslprotocol",
  "ssl_cipher" AS "sslcipher",
  "x_edge_response_result_type" AS "responseresulttype",
  "cs_protocol_version" AS "protocolversion",
  "browser_family" AS "browserfamily",
  "os_family" AS "osfamily",
  CASE WHEN "is_bot" THEN 'True' ELSE 'False' END AS "isbot",
  "filename",
  "distribution",
  "year",
  "month",
  "day",
  "hour"
FROM "cloudfront_logs";

CREATE OR REPLACE VIEW "cloudfront_standard_logs" AS
SELECT
  CAST("event_time" AS DATE) AS "date",
  date_format("event_time", '%H:%i:%s') AS "time",
  "x_edge_location",
  "sc_bytes",
  "c_ip",
  "cs_method",
  "cs_host",
  "cs_uri_stem",
  "sc_status",
  "cs_referer" AS "cs_referrer",
  "cs_user_agent",
  "cs_uri_query",
  "cs_cookie",
  "x_edge_result_type",
  "x_edge_request_id",
  "x_host_header",
  "cs_protocol",
  "cs_bytes",
  "time_taken",
  "x_forwarded_for",
  "ssl_protocol",
  "ssl_cipher",
  "x_edge_response_result_type",
  "cs_protocol_version",
  "fle_status",
  "fle_encrypted_fields",
  "c_port",
  "time_to_first_byte",
  "x_edge_detailed_result_type",
  "sc_content_type",
  "sc_content_len",
  "sc_range_start",
  "sc_range_end",
  "year",
  "month",
  "day",
  "hour"
FROM "cloudfront_logs";

CREATE EXTERNAL TABLE IF NOT EXISTS `alb_logs` (
  `event_time` timestamp COMMENT 'When the load balancer finished responding, UTC',
  `type` string COMMENT 'http, https, h2, grpcs, ws or wss',
  `elb` string COMMENT 'Load balancer: app/name/id',
  `client_ip` string COMMENT 'Address of the client, IPv4 or IPv6',
  `client_port` int COMMENT 'Port of the client',
  `target_ip` string COMMENT 'Address of the target, NULL where none was chosen',
  `target_port` int COMMENT 'Port of the target',
  `request_processing_time` double COMMENT 'Seconds until the request was sent to a target, -1 where it was not',
  `target_processing_time` double COMMENT 'Seconds until the target began to respond, -1 where it did not',
  `response_processing_time` double COMMENT 'Seconds until the response was sent on, -1 where it was not',
  `elb_status_code` int COMMENT 'HTTP status of the load balancer',
  `target_status_code` string COMMENT 'HTTP status of the target',
  `received_bytes` bigint COMMENT 'Bytes of the request, headers included',
  `sent_bytes` bigint COMMENT 'Bytes sent to the client, headers included',
  `request_verb` string COMMENT 'HTTP method',
  `request_url` string COMMENT 'URL as logged: scheme, host, port, path and query',
  `request_proto` string COMMENT 'HTTP version',
  `user_agent` string COMMENT 'User agent as logged, special characters as \\xHH',
  `ssl_cipher` string COMMENT 'TLS cipher',
  `ssl_protocol` string COMMENT 'TLS version',
  `target_group_arn` string COMMENT 'Target group',
  `trace_id` string COMMENT 'X-Amzn-Trace-Id header',
  `domain_name` string COMMENT 'Server name that the client asked for (SNI)',
  `chosen_cert_arn` string COMMENT 'Certificate shown to the client',
  `matched_rule_priority` string COMMENT 'Priority of the rule that matched, 0 for the default, -1 for an error',
  `request_creation_time` timestamp COMMENT 'When the load balancer received the request, UTC',
  `actions_executed` string COMMENT 'Actions taken, separated by commas',
  `redirect_url` string COMMENT 'Where a redirect led',
  `lambda_error_reason` string COMMENT 'error_reason: why an action failed',
  `target_port_list` string COMMENT 'Addresses and ports of the targets, separated by spaces',
  `target_status_code_list` string COMMENT 'Statuses of the targets, separated by spaces',
  `classification` string COMMENT 'Desync mitigation: Acceptable, Ambiguous or Severe',
  `classification_reason` string COMMENT 'Why the request was classified so',
  `conn_trace_id` string COMMENT 'Id of the connection, as in connection logs',
  `transformed_host` string COMMENT 'Host header after a transform',
  `transformed_uri` string COMMENT 'Path and query after a transform',
  `request_transform_status` string COMMENT 'Outcome of the transforms',
  `ip_address` string COMMENT 'Address of the load balancer\'s node',
  `user_agent_decoded` string COMMENT 'user_agent without its escapes',
  `browser_family` string COMMENT 'Browser, such as Chrome',
  `browser_version` string COMMENT 'Major version of the browser',
  `os_family` string COMMENT 'Operating system',
  `device_class` string COMMENT 'desktop, mobile, tablet, tv, bot or other',
  `is_bot` boolean COMMENT 'Whether a program made the request, NULL without a user agent and behind a proxy',
  `bot_name` string COMMENT 'Name of the bot, as the list of known bots has it or as it calls itself',
  `bot_category` string COMMENT 'What the bot is for, such as search-engine or ai-training',
  `filename` string COMMENT 'Key of the raw object that the row comes from',
  `extra` map<string,string> COMMENT 'Fields that this version does not know, by their logged names',
  `bot_vendor` string COMMENT 'Who runs the bot'
)
PARTITIONED BY (`year` string, `month` string, `day` string, `hour` string)
STORED AS PARQUET
LOCATION 's3://YOUR-BUCKET/lake/alb_logs/'
TBLPROPERTIES (
  'classification'='parquet',
  'parquet.compression'='ZSTD'
);

MSCK REPAIR TABLE `alb_logs`;

CREATE OR REPLACE VIEW "access_logs" AS
SELECT
  "event_time",
  'cloudfront' AS "source",
  "distribution" AS "site",
  "x_edge_location" AS "location",
  "c_ip" AS "client_ip",
  "cs_method" AS "method",
  "x_host_header" AS "host",
  "cs_uri_stem" AS "path",
  "cs_uri_query" AS "query",
  "cs_protocol_version" AS "protocol",
  "sc_status" AS "status",
  "sc_bytes" AS "bytes",
  "time_taken",
  "user_agent",
  "browser_family",
  "browser_version",
  "os_family",
  "device_class",
  "is_bot",
  "bot_name",
  "bot_category",
  "bot_vendor",
  "x_edge_request_id" AS "request_id",
  "filename",
  "year",
  "month",
  "day",
  "hour"
FROM "cloudfront_logs"
UNION ALL
SELECT
  "event_time",
  'alb' AS "source",
  "elb" AS "site",
  nullif(regexp_extract("target_group_arn", '^arn:[^:]*:elasticloadbalancing:([^:]*):', 1), '') AS "location",
  "client_ip",
  "request_verb" AS "method",
  nullif(regexp_extract("request_url", '^[A-Za-z][A-Za-z0-9+.-]*://([^/?]*?)(:[0-9]+-?)?([/?]|$)', 1), '') AS "host",
  nullif(regexp_extract("request_url", '^[A-Za-z][A-Za-z0-9+.-]*://[^/?]*([^?]*)', 1), '') AS "path",
  nullif(regexp_extract("request_url", '^[^?]*[?](.*)$', 1), '') AS "query",
  "request_proto" AS "protocol",
  "elb_status_code" AS "status",
  "sent_bytes" AS "bytes",
  CASE WHEN "request_processing_time" >= 0 AND "target_processing_time" >= 0 AND "response_processing_time" >= 0 THEN "request_processing_time" + "target_processing_time" + "response_processing_time" END AS "time_taken",
  "user_agent_decoded" AS "user_agent",
  "browser_family",
  "browser_version",
  "os_family",
  "device_class",
  "is_bot",
  "bot_name",
  "bot_category",
  "bot_vendor",
  "trace_id" AS "request_id",
  "filename",
  "year",
  "month",
  "day",
  "hour"
FROM "alb_logs";

CREATE EXTERNAL TABLE IF NOT EXISTS `rejects` (
  `source_table` string COMMENT 'Table that the line was meant for',
  `filename` string COMMENT 'Key of the raw object',
  `line_number` bigint COMMENT 'Line in the decompressed object, from 1',
  `byte_offset` bigint COMMENT 'Offset of the line in the decompressed object, from 0',
  `reason` string COMMENT 'Why the line is no row',
  `raw_line` binary COMMENT 'The line as it was, without its end, NULL where the job keeps less of people',
  `line_bytes` bigint COMMENT 'Length of the line',
  `line_sha256` string COMMENT 'SHA-256 of the line in hexadecimal, where raw_line is NULL for privacy'
)
PARTITIONED BY (`year` string, `month` string, `day` string, `hour` string)
STORED AS PARQUET
LOCATION 's3://YOUR-BUCKET/lake/rejects/'
TBLPROPERTIES (
  'classification'='parquet',
  'parquet.compression'='ZSTD'
);

MSCK REPAIR TABLE `rejects`;
