-- Tables and views of an edgemill lake, for Amazon Athena.
-- Nothing here is ever dropped: running it again changes only what a view says.
-- Athena runs one statement at a time. MSCK REPAIR TABLE finds the hours that the lake already has,
-- so run it again for hours that come later, or let edgemill register them as it commits them.

CREATE EXTERNAL TABLE IF NOT EXISTS `cloudfront_logs` (
  `event_time` timestamp COMMENT 'When the server finished responding, UTC',
  `distribution` string COMMENT 'Distribution id, from the object\'s name',
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
  `browser_version` string COMMENT 'Version of the browser',
  `os_family` string COMMENT 'Operating system',
  `device_class` string COMMENT 'desktop, mobile, tablet, tv, bot or other',
  `is_bot` boolean COMMENT 'Whether a program made the request, NULL without a user agent',
  `bot_name` string COMMENT 'Name of the bot',
  `bot_category` string COMMENT 'What the bot is for',
  `filename` string COMMENT 'Key of the raw object that the row comes from',
  `extra` map<string,string> COMMENT 'Fields that this version does not know, by their logged names'
)
PARTITIONED BY (`year` string, `month` string, `day` string, `hour` string)
STORED AS PARQUET
LOCATION 's3://YOUR-BUCKET/lake/cloudfront_logs/'
TBLPROPERTIES ('classification'='parquet', 'parquet.compression'='ZSTD');

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

CREATE EXTERNAL TABLE IF NOT EXISTS `rejects` (
  `source_table` string COMMENT 'Table that the line was meant for',
  `filename` string COMMENT 'Key of the raw object',
  `line_number` bigint COMMENT 'Line in the decompressed object, from 1',
  `byte_offset` bigint COMMENT 'Offset of the line in the decompressed object, from 0',
  `reason` string COMMENT 'Why the line is no row',
  `raw_line` binary COMMENT 'The line as it was, without its end'
)
PARTITIONED BY (`year` string, `month` string, `day` string, `hour` string)
STORED AS PARQUET
LOCATION 's3://YOUR-BUCKET/lake/rejects/'
TBLPROPERTIES ('classification'='parquet', 'parquet.compression'='ZSTD');

MSCK REPAIR TABLE `rejects`;

