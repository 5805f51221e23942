"""DuckDB: CloudFront logs to partitioned Parquet. with_duckdb.py LOGS OUT THREADS"""

import sys

import duckdb

from common import BOTS, BROWSERS, DOUBLES, FIELDS, INTEGERS, SYSTEMS, first_match

logs, out, threads = sys.argv[1:4]
connection = duckdb.connect()
connection.execute(f"SET threads = {threads}")
connection.execute("SET preserve_insertion_order = false")


def kind(name):
    return "BIGINT" if name in INTEGERS else "DOUBLE" if name in DOUBLES else "VARCHAR"


def match(pattern):
    return f"regexp_matches(user_agent, '{pattern}')"


columns = ", ".join(f"'{name}': '{kind(name)}'" for name in FIELDS)
kept = ", ".join(name for name in FIELDS if name not in ("date", "time"))
bots = " OR ".join(match(pattern) for pattern in BOTS)
connection.execute(f"""
COPY (
  SELECT strptime(date || ' ' || time, '%Y-%m-%d %H:%M:%S') AS event_time,
         split_part(parse_filename(filename), '.', 1) AS distribution, {kept}, user_agent,
         {first_match(BROWSERS, match, "NULL")} AS browser_family,
         {first_match(SYSTEMS, match, "NULL")} AS os_family,
         {bots} AS is_bot, filename,
         date[1:4] AS year, date[6:7] AS month, date[9:10] AS day, time[1:2] AS hour
  FROM (
    SELECT *, url_decode(cs_user_agent) AS user_agent
    FROM read_csv('{logs}/*.gz', delim = '\t', header = false, skip = 2, quote = '', escape = '', nullstr = '-',
                  auto_detect = false, filename = true, columns = {{{columns}}})
  )
) TO '{out}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (year, month, day, hour))
""")
