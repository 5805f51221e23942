#!/usr/bin/env bash
# DuckDB 2.0.1: the type of a Hive partition column depends on the values that are there.
# Expected: `month` of the folders month=01 ... month=12 has one type, whichever of the folders there are.
# Seen: with month=11 and month=12 alone it is BIGINT; with month=01 among them it is VARCHAR.
# So a statement that concatenates or compares texts changes its answer when January comes. Edgemill's documentation therefore
# leaves them texts: `hive_types_autocast = false`.
# Fails once that changes.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q --disable-pip-version-check 'duckdb==2.0.1'
"$work/venv/bin/python" - "$work/table" <<'PYTHON'
import os
import sys

import duckdb

folder = sys.argv[1]


def type_of(months, options=""):
    place = f"{folder}-{'-'.join(months)}"
    for month in months:
        os.makedirs(f"{place}/month={month}", exist_ok=True)
        duckdb.sql(f"COPY (SELECT 1 AS a) TO '{place}/month={month}/rows.parquet'")
    return duckdb.sql(f"SELECT DISTINCT typeof(month) FROM read_parquet('{place}/**/*.parquet'{options})").fetchall()[0][0]


autumn, winter = type_of(["11", "12"]), type_of(["01", "11", "12"])
plain = type_of(["11", "12"], ", hive_types_autocast = false")
print(f"DuckDB {duckdb.__version__}")
print("expected: one type of month, whichever folders there are")
print(f"seen:     {autumn} for 11 and 12; {winter} for 01, 11 and 12; {plain} where hive_types_autocast is false")
sys.exit(0 if (autumn, winter, plain) == ("BIGINT", "VARCHAR", "VARCHAR") else 1)
PYTHON
