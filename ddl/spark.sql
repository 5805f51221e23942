-- Tables and views of an edgemill lake, for Spark SQL.
-- Nothing here is ever dropped: running it again changes only what a view says.
-- MSCK REPAIR TABLE finds the hours that the lake already has, so run it again for hours that come later.
-- The views' dates and times are UTC whatever the time zone of the session.

CREATE TABLE IF NOT EXISTS `cloudfront_logs` (
  `event_time` TIMESTAMP COMMENT 'When the server finished responding, UTC',
  `distribution` STRING COMMENT 'Distribution id, from the object\'s name',
  `x_edge_location` STRING COMMENT 'Edge location that served the request, such as HEL51-P6',
  `sc_bytes` BIGINT COMMENT 'Bytes sent to the viewer, headers included',
  `c_ip` STRING COMMENT 'Address of the viewer or its proxy, IPv4 or IPv6',
  `cs_method` STRING COMMENT 'HTTP method',
  `cs_host` STRING COMMENT 'Domain name of the distribution',
  `cs_uri_stem` STRING COMMENT 'Path of the URL, without its query',
  `sc_status` INT COMMENT 'HTTP status, 0 where the viewer left before the response',
  `cs_referer` STRING COMMENT 'Referer, percent-encoded as logged',
  `cs_user_agent` STRING COMMENT 'User agent, percent-encoded as logged',
  `cs_uri_query` STRING COMMENT 'Query string, as logged',
  `cs_cookie` STRING COMMENT 'Cookies, where cookie logging is on',
  `x_edge_result_type` STRING COMMENT 'Hit, Miss, RefreshHit, Error, Redirect, ...',
  `x_edge_request_id` STRING COMMENT 'Opaque id of the request',
  `x_host_header` STRING COMMENT 'Host header of the request',
  `cs_protocol` STRING COMMENT 'http, https, ws or wss',
  `cs_bytes` BIGINT COMMENT 'Bytes of the request, headers included',
  `time_taken` DOUBLE COMMENT 'Seconds from the request\'s first byte to the response\'s last',
  `x_forwarded_for` STRING COMMENT 'X-Forwarded-For, as logged',
  `ssl_protocol` STRING COMMENT 'TLS version',
  `ssl_cipher` STRING COMMENT 'TLS cipher',
  `x_edge_response_result_type` STRING COMMENT 'Result type before the response left the edge',
  `cs_protocol_version` STRING COMMENT 'HTTP version',
  `fle_status` STRING COMMENT 'Field-level encryption: outcome',
  `fle_encrypted_fields` INT COMMENT 'Field-level encryption: fields encrypted',
  `c_port` INT COMMENT 'Port of the viewer',
  `time_to_first_byte` DOUBLE COMMENT 'Seconds to the first byte of the response',
  `x_edge_detailed_result_type` STRING COMMENT 'Result type, with the kind of error',
  `sc_content_type` STRING COMMENT 'Content-Type of the response',
  `sc_content_len` BIGINT COMMENT 'Content-Length of the response',
  `sc_range_start` BIGINT COMMENT 'First byte of the range served',
  `sc_range_end` BIGINT COMMENT 'Last byte of the range served',
  `distribution_tenant_id` STRING COMMENT 'Distribution tenant',
  `connection_id` STRING COMMENT 'Id of the TLS connection',
  `origin_fbl` DOUBLE COMMENT 'Seconds to the origin\'s first byte',
  `origin_lbl` DOUBLE COMMENT 'Seconds to the origin\'s last byte',
  `asn` STRING COMMENT 'Autonomous system of the viewer',
  `c_country` STRING COMMENT 'Country of the viewer',
  `cache_behavior_path_pattern` STRING COMMENT 'Path pattern of the cache behaviour that matched',
  `user_agent` STRING COMMENT 'cs_user_agent, percent-decoded',
  `browser_family` STRING COMMENT 'Browser, such as Chrome',
  `browser_version` STRING COMMENT 'Version of the browser',
  `os_family` STRING COMMENT 'Operating system',
  `device_class` STRING COMMENT 'desktop, mobile, tablet, tv, bot or other',
  `is_bot` BOOLEAN COMMENT 'Whether a program made the request, NULL without a user agent',
  `bot_name` STRING COMMENT 'Name of the bot',
  `bot_category` STRING COMMENT 'What the bot is for',
  `filename` STRING COMMENT 'Key of the raw object that the row comes from',
  `extra` MAP<STRING, STRING> COMMENT 'Fields that this version does not know, by their logged names',
  `year` STRING,
  `month` STRING,
  `day` STRING,
  `hour` STRING
)
USING PARQUET
PARTITIONED BY (`year`, `month`, `day`, `hour`)
LOCATION 's3://YOUR-BUCKET/lake/cloudfront_logs/';

MSCK REPAIR TABLE `cloudfront_logs`;

CREATE OR REPLACE VIEW `cf_logs` AS
SELECT
  date_from_unix_date(CAST(floor(unix_seconds(`event_time`) / 86400) AS INT)) AS `logdate`,
  concat(lpad(CAST(pmod(unix_seconds(`event_time`), 86400) DIV 3600 AS STRING), 2, '0'), ':', lpad(CAST(pmod(unix_seconds(`event_time`), 86400) % 3600 DIV 60 AS STRING), 2, '0'), ':', lpad(CAST(pmod(unix_seconds(`event_time`), 86400) % 60 AS STRING), 2, '0')) AS `logtime`,
  `x_edge_location` AS `location`,
  `sc_bytes` AS `bytes`,
  `c_ip` AS `requestip`,
  `cs_method` AS `method`,
  `cs_host` AS `host`,
  `cs_uri_stem` AS `uri`,
  `sc_status` AS `status`,
  `cs_referer` AS `referrer`,
  `cs_user_agent` AS `useragent`,
  `cs_uri_query` AS `uriquery`,
  `cs_cookie` AS `cookie`,
  `x_edge_result_type` AS `resulttype`,
  `x_edge_request_id` AS `requestid`,
  `x_host_header` AS `header`,
  `cs_protocol` AS `csprotocol`,
  `cs_bytes` AS `csbytes`,
  `time_taken` AS `timetaken`,
  `x_forwarded_for` AS `forwardedfor`,
  `ssl_protocol` AS `sslprotocol`,
  `ssl_cipher` AS `sslcipher`,
  `x_edge_response_result_type` AS `responseresulttype`,
  `cs_protocol_version` AS `protocolversion`,
  `browser_family` AS `browserfamily`,
  `os_family` AS `osfamily`,
  CASE WHEN `is_bot` THEN 'True' ELSE 'False' END AS `isbot`,
  `filename`,
  `distribution`,
  `year`,
  `month`,
  `day`,
  `hour`
FROM `cloudfront_logs`;

CREATE OR REPLACE VIEW `cloudfront_standard_logs` AS
SELECT
  date_from_unix_date(CAST(floor(unix_seconds(`event_time`) / 86400) AS INT)) AS `date`,
  concat(lpad(CAST(pmod(unix_seconds(`event_time`), 86400) DIV 3600 AS STRING), 2, '0'), ':', lpad(CAST(pmod(unix_seconds(`event_time`), 86400) % 3600 DIV 60 AS STRING), 2, '0'), ':', lpad(CAST(pmod(unix_seconds(`event_time`), 86400) % 60 AS STRING), 2, '0')) AS `time`,
  `x_edge_location`,
  `sc_bytes`,
  `c_ip`,
  `cs_method`,
  `cs_host`,
  `cs_uri_stem`,
  `sc_status`,
  `cs_referer` AS `cs_referrer`,
  `cs_user_agent`,
  `cs_uri_query`,
  `cs_cookie`,
  `x_edge_result_type`,
  `x_edge_request_id`,
  `x_host_header`,
  `cs_protocol`,
  `cs_bytes`,
  `time_taken`,
  `x_forwarded_for`,
  `ssl_protocol`,
  `ssl_cipher`,
  `x_edge_response_result_type`,
  `cs_protocol_version`,
  `fle_status`,
  `fle_encrypted_fields`,
  `c_port`,
  `time_to_first_byte`,
  `x_edge_detailed_result_type`,
  `sc_content_type`,
  `sc_content_len`,
  `sc_range_start`,
  `sc_range_end`,
  `year`,
  `month`,
  `day`,
  `hour`
FROM `cloudfront_logs`;

CREATE TABLE IF NOT EXISTS `rejects` (
  `source_table` STRING COMMENT 'Table that the line was meant for',
  `filename` STRING COMMENT 'Key of the raw object',
  `line_number` BIGINT COMMENT 'Line in the decompressed object, from 1',
  `byte_offset` BIGINT COMMENT 'Offset of the line in the decompressed object, from 0',
  `reason` STRING COMMENT 'Why the line is no row',
  `raw_line` BINARY COMMENT 'The line as it was, without its end',
  `year` STRING,
  `month` STRING,
  `day` STRING,
  `hour` STRING
)
USING PARQUET
PARTITIONED BY (`year`, `month`, `day`, `hour`)
LOCATION 's3://YOUR-BUCKET/lake/rejects/';

MSCK REPAIR TABLE `rejects`;

