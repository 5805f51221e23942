"""Polars: CloudFront logs to partitioned Parquet. with_polars.py LOGS OUT THREADS"""

import os
import sys

logs, out, threads = sys.argv[1:4]
os.environ["POLARS_MAX_THREADS"] = threads

import polars as pl  # noqa: E402 (the number of threads is read on import)

from common import BOTS, BROWSERS, DOUBLES, FIELDS, INTEGERS, SYSTEMS, objects  # noqa: E402


def kind(name):
    return pl.Int64 if name in INTEGERS else pl.Float64 if name in DOUBLES else pl.String


def first_match(rules):
    case = pl
    for name, pattern in rules:
        case = case.when(pl.col("user_agent").str.contains(pattern)).then(pl.lit(name))
    return case.otherwise(None)


# There is no function that decodes percent signs: the escapes that user agents have, one after the other.
user_agent = pl.col("cs_user_agent").str.replace_many(
    ["%20", "%22", "%23", "%25", "%27", "%3C", "%3E", "%5B", "%5D", "%7B", "%7D"],
    [" ", '"', "#", "%", "'", "<", ">", "[", "]", "{", "}"],
)
rows = pl.scan_csv(
    objects(logs),
    separator="\t",
    has_header=False,
    skip_rows=2,
    quote_char=None,
    null_values="-",
    schema={name: kind(name) for name in FIELDS},
    include_file_paths="filename",
)
bots = pl.any_horizontal(*(pl.col("user_agent").str.contains(pattern) for pattern in BOTS))
rows = (
    rows.with_columns(user_agent=user_agent)
    .with_columns(
        event_time=(pl.col("date") + " " + pl.col("time")).str.to_datetime("%Y-%m-%d %H:%M:%S"),
        distribution=pl.col("filename").str.extract(r"([^/.]+)\.[^/]*$"),
        browser_family=first_match(BROWSERS),
        os_family=first_match(SYSTEMS),
        is_bot=bots,
        year=pl.col("date").str.slice(0, 4),
        month=pl.col("date").str.slice(5, 2),
        day=pl.col("date").str.slice(8, 2),
        hour=pl.col("time").str.slice(0, 2),
    )
    .drop("date", "time")
)
rows.sink_parquet(
    pl.PartitionBy(out, key=["year", "month", "day", "hour"], include_key=False), compression="zstd", mkdir=True
)
