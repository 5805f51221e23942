"""Reads the same logs and the lake made of them with engines that are not ours, and compares.

    python tests/engines/check.py EDGEMILL_BINARY CLOUDFRONT_LOGS ALB_LOGS LAKE

DuckDB reads CloudFront's raw logs as text and the lake as Parquet; Python's csv module reads the load balancers' raw logs;
pyarrow and Polars read the lake; sqlglot reads the DDL.
Prints a line a check, and at the end how many passed and failed; the exit code is 1 if any failed.
"""

import collections
import csv
import datetime
import gzip
import io
import json
import pathlib
import subprocess
import sys
import tempfile

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import sqlglot

BINARY, LOGS, ALB_LOGS, LAKE = sys.argv[1:5]
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
def the_readme_statement_reads_a_lake_of_every_granularity():
    statements = [
        next(block for block in (REPOSITORY / page).read_text().split("```") if "read_parquet" in block)
        for page in ("README.md", "docs/engines.md")
    ]
    with tempfile.TemporaryDirectory() as folder:
        edgemill("generate", "--out", f"{folder}/logs", "--rows", "300", "--hours", "2026-11-21T00..2026-11-21T03")
        answers = []
        for partition in ("hour", "day", "month"):
            edgemill("convert", "--from", f"{folder}/logs", "--to", f"{folder}/{partition}", "--partition", partition)
            for statement in statements:
                sql = statement.removeprefix("sql\n").replace("'lake/", f"'{folder}/{partition}/")
                answers.append(sorted(duckdb.connect().execute(sql).fetchall()))
    assert len(answers[0]) > 10 and all(answer == answers[0] for answer in answers), [len(rows) for rows in answers]


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
def every_column_is_the_same_with_polars():
    for name in ("cloudfront_logs", "alb_logs"):
        files = f"{LAKE}/{name}/**/*.parquet"
        theirs = pl.scan_parquet(files, hive_partitioning=False).drop("extra").collect()
        ours = ds.dataset(f"{LAKE}/{name}", format="parquet").to_table(columns=theirs.columns)
        assert theirs.equals(pl.from_arrow(ours)), name
    # The statistics and the page index lose nothing.
    rows = pl.scan_parquet(f"{TABLE}/**/*.parquet", hive_partitioning=False)
    address, count = rows.group_by("c_ip").len().sort("len", "c_ip", descending=True).head(1).collect().row(0)
    assert rows.filter(pl.col("c_ip") == address).select(pl.len()).collect().item() == count
    assert RAW.execute("SELECT COUNT(*) FROM lake WHERE c_ip = ?", [address]).fetchone()[0] == count
    dataset = ds.dataset(TABLE, format="parquet")
    assert dataset.count_rows(filter=pc.field("c_ip") == address) == count
    # Nor do the Bloom filters, for an engine that looks at them (DuckDB) and for those that do not.
    filters = RAW.execute(
        f"""SELECT COUNT(*), COUNT(bloom_filter_offset) FROM parquet_metadata('{TABLE}/*/*/*/*/*.parquet')
        WHERE path_in_schema IN ('c_ip', 'x_edge_request_id')"""
    ).fetchone()
    assert filters[0] == filters[1] > 0, filters
    for identity in rows.select("x_edge_request_id").gather_every(9_999).collect().to_series():
        assert rows.filter(pl.col("x_edge_request_id") == identity).select(pl.len()).collect().item() == 1
        assert RAW.execute("SELECT COUNT(*) FROM lake WHERE x_edge_request_id = ?", [identity]).fetchone()[0] == 1
        assert answer(f"SELECT COUNT(*) FROM cloudfront_logs WHERE x_edge_request_id = '{identity}'") == [["1"]]
    assert answer(f"SELECT COUNT(*) FROM cloudfront_logs WHERE c_ip = '{address}'") == [[str(count)]]


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
        names = ["is_bot", "distribution", "x_edge_location", "c_ip", "event_time"]
        table = ds.dataset(path, format="parquet").to_table(columns=names)
        bots, *others = (column.to_pylist() for column in table.columns)
        keys = list(zip((bot is True for bot in bots), *others))
        assert keys == sorted(keys), path


@check
def bots_have_row_groups_of_their_own():
    apart = 0
    for path in pathlib.Path(TABLE).rglob("*.parquet"):
        metadata = pq.ParquetFile(path).metadata
        column = metadata.schema.names.index("is_bot")
        bounds = [metadata.row_group(group).column(column).statistics for group in range(metadata.num_row_groups)]
        if len(bounds) > 1:
            assert [(bound.min, bound.max) for bound in bounds] == [(False, False), (True, True)], path
            apart += 1
    assert apart > 0, "no hour has enough bots: make more rows"


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


ALB_FIELDS = (
    "type time elb client target request_processing_time target_processing_time response_processing_time elb_status_code "
    "target_status_code received_bytes sent_bytes request user_agent ssl_cipher ssl_protocol target_group_arn trace_id "
    "domain_name chosen_cert_arn matched_rule_priority request_creation_time actions_executed redirect_url "
    "lambda_error_reason target_port_list target_status_code_list classification classification_reason conn_trace_id "
    "transformed_host transformed_uri request_transform_status ip_address"
).split()


def alb_rows():
    """Every row of the load balancers' raw logs as the columns of the table, read by Python alone."""
    numbers = {"elb_status_code": int, "received_bytes": int, "sent_bytes": int}
    numbers |= {f"{stage}_processing_time": float for stage in ("request", "target", "response")}
    for path in sorted(pathlib.Path(ALB_LOGS).rglob("*.gz")):
        with gzip.open(path, "rt", newline="") as text:
            for values in csv.reader(text, delimiter=" ", quotechar='"', doublequote=False):
                row = dict.fromkeys(ALB_FIELDS) | {name: value for name, value in zip(ALB_FIELDS, values) if value != "-"}
                row["event_time"] = row.pop("time").removesuffix("Z")
                for side in ("client", "target"):
                    address = row.pop(side)
                    row[f"{side}_ip"], row[f"{side}_port"] = address.rsplit(":", 1) if address else (None, None)
                    row[f"{side}_port"] = row[f"{side}_port"] and int(row[f"{side}_port"])
                verb, rest = row.pop("request").split(" ", 1)
                url, version = rest.rsplit(" ", 1)
                row |= {"request_verb": verb, "request_url": url, "request_proto": version}
                row["request_creation_time"] = row["request_creation_time"].removesuffix("Z")
                row |= {name: kind(row[name]) for name, kind in numbers.items() if row[name] is not None}
                yield row


@check
def every_value_of_the_load_balancers_is_in_the_lake():
    raw = list(alb_rows())
    names = sorted(raw[0])
    table = ds.dataset(f"{LAKE}/alb_logs", format="parquet").to_table(columns=names)
    for name in ("event_time", "request_creation_time"):
        place = table.schema.get_field_index(name)
        text = pc.strftime(table[name].cast(pa.timestamp("us")), format="%Y-%m-%dT%H:%M:%S")
        table = table.set_column(place, name, text)
    theirs = collections.Counter(tuple(row[name] for name in names) for row in raw)
    ours = collections.Counter(zip(*(column.to_pylist() for column in table.columns)))
    assert len(raw) > 1000 and ours == theirs, (len(raw), list((theirs - ours).items())[:1], list((ours - theirs).items())[:1])
    assert any(row["ip_address"] is None for row in raw), "rows of different width are among them"


@check
def both_sources_answer_together():
    rows = RAW.execute("SELECT COUNT(*), SUM(sc_bytes::BIGINT) FROM raw").fetchone()
    alb = list(alb_rows())
    ours = answer("SELECT source, COUNT(*), SUM(bytes) FROM access_logs GROUP BY source ORDER BY source")
    sent = sum(row["sent_bytes"] for row in alb)
    assert ours == [["alb", str(len(alb)), str(sent)], ["cloudfront", str(rows[0]), str(rows[1])]], ours
    viewers = collections.Counter(row["client_ip"] for row in alb)
    viewers.update(dict(RAW.execute("SELECT c_ip, COUNT(*) FROM raw GROUP BY 1").fetchall()))
    top = sorted(viewers.items(), key=lambda item: (-item[1], item[0]))[:50]
    assert answer("--name", "access_viewers") == [[ip, str(count)] for ip, count in top]


def columns_of(script, reader):
    """The columns of each table and view that a script makes."""
    found = {}
    for statement in (part.strip() for part in script.split(";\n")):
        code = "\n".join(line for line in statement.splitlines() if not line.startswith("--")).strip()
        if not code or code.upper().startswith("MSCK"):
            continue
        made = sqlglot.parse_one(code, read=reader)
        name = made.find(sqlglot.exp.Table).name
        if made.kind == "VIEW":
            selects = list(made.expression.find_all(sqlglot.exp.Select))
            lists = [[column.alias_or_name for column in select.expressions] for select in selects]
            assert all(names == lists[0] for names in lists), name
            found[name] = lists[0]
        else:
            found[name] = [column.name for column in made.find_all(sqlglot.exp.ColumnDef)]
    return found


@check
def athena_and_spark_have_the_same_columns():
    athena, spark = (columns_of(edgemill("ddl", "--dialect", name), name) for name in ("athena", "spark"))
    partitions = ["year", "month", "day", "hour"]
    for name in ("cloudfront_logs", "alb_logs", "rejects"):
        # Spark's statement has the partitions among the columns, Athena's apart from them.
        assert [column for column in athena[name] if column not in partitions] == spark[name][:-4], name
        assert spark[name][-4:] == partitions
    views = ("cf_logs", "cloudfront_standard_logs", "access_logs")
    assert all(athena[name] == spark[name] for name in views) and len(athena["access_logs"]) == 28
    header = edgemill("query", "--lake", LAKE, "--format", "csv", "SELECT * FROM access_logs LIMIT 0").strip()
    assert header.split(",") == athena["access_logs"], header


@check
def athena_ddl_parses():
    for dialect, reader in (("athena", "athena"), ("athena-projection", "athena"), ("spark", "spark")):
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
