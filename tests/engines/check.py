"""Reads the same logs and the lake made of them with engines that are not ours, and compares.

    python tests/engines/check.py EDGEMILL_BINARY LOGS LAKE

DuckDB reads the raw logs as text and the lake as Parquet; pyarrow reads the lake as a dataset; sqlglot reads the DDL.
Prints a line a check, and at the end how many passed and failed; the exit code is 1 if any failed.
"""

import csv
import datetime
import io
import json
import pathlib
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import sqlglot

BINARY, LOGS, LAKE = sys.argv[1:4]
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
QUERIES = REPOSITORY / "ddl" / "queries"
TABLE = f"{LAKE}/cloudfront_logs"

FIELDS = (
    "date time x_edge_location sc_bytes c_ip cs_method cs_host cs_uri_stem sc_status cs_referer cs_user_agent cs_uri_query "
    "cs_cookie x_edge_result_type x_edge_request_id x_host_header cs_protocol cs_bytes time_taken x_forwarded_for "
    "ssl_protocol ssl_cipher x_edge_response_result_type cs_protocol_version fle_status fle_encrypted_fields c_port "
    "time_to_first_byte x_edge_detailed_result_type sc_content_type sc_content_len sc_range_start sc_range_end"
).split()

checks = []


def check(function):
    checks.append(function)
    return function


def edgemill(*arguments):
    run = subprocess.run([BINARY, *arguments], capture_output=True, text=True)
    assert run.returncode == 0, f"edgemill {arguments}: {run.stderr}"
    return run.stdout


def answer(*arguments):
    """The rows of a query, as text."""
    rows = list(csv.reader(io.StringIO(edgemill("query", "--lake", LAKE, "--format", "csv", *arguments))))
    return rows[1:]


def duck(sql):
    return [[str(value) for value in row] for row in RAW.execute(sql).fetchall()]


RAW = duckdb.connect()
RAW.execute("SET TimeZone = 'UTC'")
COLUMNS = ", ".join(f"'{name}': 'VARCHAR'" for name in FIELDS)
RAW.execute(
    f"""CREATE TABLE raw AS
    SELECT *, regexp_extract(filename, '([^/]+)$', 1) AS object, regexp_extract(filename, '([A-Z0-9]+)[.][^/]*$', 1) AS distribution
    FROM read_csv('{LOGS}/*.gz', delim = '\t', header = false, skip = 2, quote = '', escape = '', comment = '',
                  auto_detect = false, nullstr = '-', columns = {{{COLUMNS}}}, filename = true)"""
)
RAW.execute(
    f"""CREATE VIEW lake AS SELECT * FROM read_parquet('{TABLE}/*/*/*/*/*.parquet', hive_partitioning = true,
    hive_types = {{'year': VARCHAR, 'month': VARCHAR, 'day': VARCHAR, 'hour': VARCHAR}})"""
)


@check
def bytes_equal_duckdb_over_the_raw_files():
    theirs = duck(
        """SELECT distribution, x_edge_location, SUM(sc_bytes::BIGINT) FROM raw GROUP BY ALL"""
    )
    ours = answer("--file", str(QUERIES / "bytes.sql"))
    assert len(ours) > 100, len(ours)
    assert sorted(ours) == sorted(theirs)


@check
def viewers_equal_duckdb_over_the_raw_files():
    theirs = duck("SELECT c_ip, COUNT(*) AS ct FROM raw GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 50")
    ours = answer("--file", str(QUERIES / "viewers.sql"))
    assert len(ours) == 50 and ours == theirs, (ours[:3], theirs[:3])


@check
def bots_equal_duckdb_over_the_parquet():
    RAW.execute(
        """CREATE OR REPLACE VIEW cf_logs AS SELECT c_ip AS requestip, x_edge_location AS location,
        CASE WHEN is_bot THEN 'True' ELSE 'False' END AS isbot FROM lake"""
    )
    theirs = duck((QUERIES / "bots.sql").read_text())
    ours = answer("--file", str(QUERIES / "bots.sql"))
    assert len(ours) > 10 and ours == theirs, (ours[:3], theirs[:3])


@check
def every_logged_value_is_in_the_lake():
    typed = {
        "BIGINT": "sc_bytes cs_bytes sc_content_len sc_range_start sc_range_end",
        "INTEGER": "sc_status fle_encrypted_fields c_port",
        "DOUBLE": "time_taken time_to_first_byte",
    }
    types = {name: kind for kind, names in typed.items() for name in names.split()}
    values = [f"{name}::{types.get(name, 'VARCHAR')} AS {name}" for name in FIELDS[2:]]
    raw = f"SELECT (date || ' ' || time || '+00')::TIMESTAMPTZ AS event_time, distribution, object AS filename, {', '.join(values)} FROM raw"
    lake = f"SELECT event_time, distribution, filename, {', '.join(FIELDS[2:])} FROM lake"
    for one, other in ((raw, lake), (lake, raw)):
        different = RAW.execute(f"SELECT COUNT(*) FROM ({one} EXCEPT ALL {other})").fetchone()[0]
        assert different == 0, f"{different} rows differ"


@check
def counts_and_sums_equal_with_pyarrow():
    table = ds.dataset(TABLE, format="parquet", partitioning="hive").to_table(columns=["sc_bytes", "sc_status", "time_taken", "is_bot"])
    rows, sent, status, taken = RAW.execute(
        "SELECT COUNT(*), SUM(sc_bytes::BIGINT), SUM(sc_status::BIGINT), SUM(time_taken::DOUBLE) FROM raw"
    ).fetchone()
    assert table.num_rows == rows > 0
    assert pc.sum(table["sc_bytes"]).as_py() == sent
    assert pc.sum(table["sc_status"]).as_py() == status
    assert abs(pc.sum(table["time_taken"]).as_py() - taken) < 1e-6 * taken
    ours = answer("SELECT COUNT(*), SUM(bytes), SUM(status), COUNT(*) FILTER (WHERE isbot = 'True') FROM cf_logs")[0]
    assert [int(value) for value in ours] == [rows, sent, status, pc.sum(table["is_bot"]).as_py()]


@check
def types_are_those_of_the_tables():
    schema = ds.dataset(TABLE, format="parquet").schema
    expected = {
        "event_time": pa.timestamp("us", "UTC"),
        "sc_bytes": pa.int64(),
        "sc_status": pa.int32(),
        "time_taken": pa.float64(),
        "c_ip": pa.string(),
        "is_bot": pa.bool_(),
        "extra": pa.map_(pa.string(), pa.string()),
    }
    for name, kind in expected.items():
        assert schema.field(name).type == kind, (name, schema.field(name).type)


@check
def rows_lie_in_the_folder_of_their_own_hour():
    wrong = RAW.execute(
        "SELECT COUNT(*) FROM lake WHERE strftime(event_time, '%Y-%m-%d-%H') <> concat_ws('-', year, month, day, hour)"
    ).fetchone()[0]
    assert wrong == 0, wrong
    crossing = RAW.execute(
        "SELECT COUNT(*) FROM lake WHERE strftime(event_time, '%Y-%m-%d-%H') <> regexp_extract(filename, '[.]([0-9-]{13})[.]', 1)"
    ).fetchone()[0]
    assert crossing > 0, "the logs hold rows before their file's hour, so this must be tested"


@check
def rows_are_sorted_in_each_file():
    for path in sorted(pathlib.Path(TABLE).rglob("*.parquet"))[:10]:
        table = ds.dataset(path, format="parquet").to_table(columns=["x_edge_location", "c_ip", "event_time"])
        keys = list(zip(*(column.to_pylist() for column in table.columns)))
        assert keys == sorted(keys), path


@check
def the_views_say_what_the_table_says():
    logged = answer("SELECT logdate, logtime, location, requestid FROM cf_logs ORDER BY requestid LIMIT 1000")
    theirs = duck("SELECT date, time, x_edge_location, x_edge_request_id FROM raw ORDER BY 4 LIMIT 1000")
    assert logged == theirs, (logged[:2], theirs[:2])
    standard = answer('SELECT "date", time, x_edge_location, x_edge_request_id FROM cloudfront_standard_logs ORDER BY 4 LIMIT 1000')
    assert standard == theirs


@check
def partitions_prune():
    year, month, day, hour, rows = answer(
        "SELECT year, month, day, hour, COUNT(*) AS ct FROM cf_logs GROUP BY year, month, day, hour ORDER BY ct DESC LIMIT 1"
    )[0]
    folder = f"{TABLE}/year={year}/month={month}/day={day}/hour={hour}"
    assert ds.dataset(folder, format="parquet").count_rows() == int(rows)
    where = f"year = '{year}' AND month = '{month}' AND day = '{day}' AND hour = '{hour}'"
    assert answer(f"SELECT COUNT(*) FROM cf_logs WHERE {where}") == [[rows]]


@check
def json_is_json():
    lines = edgemill("query", "--lake", LAKE, "--json", "SELECT event_time, sc_status FROM cloudfront_logs LIMIT 1").splitlines()
    row = json.loads(lines[0])
    datetime.datetime.fromisoformat(row["event_time"].replace("Z", "+00:00"))


@check
def athena_ddl_parses():
    for dialect, reader in (("athena", "athena"), ("spark", "spark")):
        script = edgemill("ddl", "--dialect", dialect)
        statements = [part.strip() for part in script.split(";\n") if part.strip()]
        assert len(statements) >= 4, len(statements)
        for statement in statements:
            code = "\n".join(line for line in statement.splitlines() if not line.startswith("--")).strip()
            # sqlglot has no grammar for MSCK REPAIR TABLE.
            if not code or code.upper().startswith("MSCK"):
                continue
            parsed = sqlglot.parse_one(code, read=reader)
            assert not isinstance(parsed, sqlglot.exp.Command), code[:80]


failed = 0
for function in checks:
    try:
        function()
        print(f"ok {function.__name__}", flush=True)
    except Exception as error:  # noqa: BLE001 - every failure is reported, whatever it is
        failed += 1
        print(f"FAILED {function.__name__}: {type(error).__name__}: {str(error)[:500]}", flush=True)
print(f"{len(checks) - failed} passed, {failed} failed")
sys.exit(1 if failed else 0)
