"""Runs the printed DDL in Spark, then reads tables and views of the lake, and compares with edgemill's own answers.

    python tests/engines/spark.py EDGEMILL_BINARY LAKE
"""

import csv
import io
import pathlib
import subprocess
import sys
import tempfile

from pyspark.sql import SparkSession

BINARY, LAKE = sys.argv[1:3]
QUERIES = pathlib.Path(__file__).resolve().parents[2] / "ddl" / "queries"


def edgemill(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, check=True).stdout


def answer(*what):
    rows = list(csv.reader(io.StringIO(edgemill("query", "--lake", LAKE, "--format", "csv", *what))))
    return rows[1:]


home = tempfile.mkdtemp()
spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.sql.session.timeZone", "Pacific/Auckland")
    .config("spark.sql.warehouse.dir", f"{home}/warehouse")
    .config("spark.hadoop.javax.jdo.option.ConnectionURL", f"jdbc:derby:;databaseName={home}/metastore;create=true")
    .config("spark.driver.extraJavaOptions", f"-Dderby.system.home={home}")
    .config("spark.ui.enabled", "false")
    .enableHiveSupport()
    .getOrCreate()
)
spark.sparkContext.setLogLevel("ERROR")
passed = 0
for statement in edgemill("ddl", "--dialect", "spark", "--lake", f"file:{LAKE}").split(";\n"):
    code = "\n".join(line for line in statement.splitlines() if not line.startswith("--")).strip()
    if code:
        spark.sql(code)
        passed += 1
for path in sorted(QUERIES.glob("*.sql")):
    theirs = [[str(value) for value in row] for row in spark.sql(path.read_text()).collect()]
    ours = answer("--file", str(path))
    assert len(ours) > 10 and ours == theirs, (path.name, ours[:3], theirs[:3])
    passed += 1
for sql in (
    "SELECT logdate, logtime, COUNT(*), SUM(bytes) FROM cf_logs GROUP BY logdate, logtime ORDER BY logdate, logtime LIMIT 500",
    "SELECT source, host, path, query, COUNT(*) FROM access_logs GROUP BY source, host, path, query"
    " ORDER BY source, host, path, query NULLS LAST LIMIT 500",
    "SELECT source, location, COUNT(*), COUNT(time_taken) FROM access_logs GROUP BY source, location ORDER BY source, location LIMIT 500",
):
    theirs = [["" if value is None else str(value) for value in row] for row in spark.sql(sql).collect()]
    assert len(theirs) > 1 and answer(sql) == theirs, (sql, answer(sql)[:2], theirs[:2])
    passed += 1
# Athena's own statements for tables are Hive's, which Spark's Hive catalog runs too: one partition found by MSCK REPAIR, one added by the
# statement that edgemill has Athena run, and the folder of a third switched as a rewrite does.
def folders(table):
    return sorted(path for path in pathlib.Path(LAKE, table).glob("*=*/*=*/*=*/*=*"))


def partition(folder):
    return ", ".join(f"`{name}`='{value}'" for name, value in (part.split("=") for part in folder.parts[-4:]))


spark.sql("CREATE DATABASE athena")
spark.sql("USE athena")
for statement in edgemill("ddl", "--dialect", "athena", "--lake", f"file:{LAKE}").split(";\n"):
    code = "\n".join(line for line in statement.splitlines() if not line.startswith("--")).strip()
    if code.startswith("CREATE EXTERNAL TABLE"):
        spark.sql(code)
        passed += 1
rows = {table: int(answer(f"SELECT COUNT(*) FROM {table}")[0][0]) for table in ("cloudfront_logs", "alb_logs")}
spark.sql("MSCK REPAIR TABLE alb_logs")
for folder in folders("cloudfront_logs"):
    spark.sql(f"ALTER TABLE `cloudfront_logs` ADD IF NOT EXISTS PARTITION ({partition(folder)}) LOCATION 'file:{folder}/'")
for table, wanted in rows.items():
    assert spark.sql(f"SELECT COUNT(*) FROM {table}").collect()[0][0] == wanted, table
    shown = spark.sql(f"SHOW PARTITIONS {table}").count()
    assert shown == len(folders(table)), (table, shown)
    passed += 1
# The very first holds some rows of the hour before.
first, second = folders("cloudfront_logs")[1:3]
spark.sql(f"ALTER TABLE `cloudfront_logs` PARTITION ({partition(first)}) SET LOCATION 'file:{second}/'")
# Spark keeps listings of folders by itself, whatever its catalog says.
spark.sql("REFRESH TABLE cloudfront_logs")
counts = spark.sql("SELECT hour, COUNT(*) AS n FROM cloudfront_logs WHERE day = '21' GROUP BY hour ORDER BY hour").collect()
assert counts[0].n == counts[1].n, counts[:2]
columns = spark.sql("DESCRIBE cloudfront_logs").collect()
assert [row.data_type for row in columns if row.col_name == "extra"] == ["map<string,string>"], columns
passed += 2
print(f"{passed} passed, 0 failed")
