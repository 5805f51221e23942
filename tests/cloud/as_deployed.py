"""The hourly run as jobs/template.yaml deploys it, end to end: logs in S3, init, run, partitions in Glue, rows read back through
Athena; then late files; then two runs at once; then a backfill as four processes of an array job.

    as_deployed.py EDGEMILL CALLS

The program runs with the environment of the template's job definitions, in the names of CONVERT, INIT and ANALYST. CALLS gets what they
called, for check_template.py, and CALLS.move the same with a run that moved raw objects; the double must be at AWS_ENDPOINT_URL.
"""

import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import urllib.request

import boto3

LOGS, LAKE, TABLE, DATABASE, WORKGROUP = "deployed-logs", "deployed-lake", "deployed-ledger", "deployed", "deployed-wg"
FIELDS = "date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent)"
CHECKS = 0


def check(what, holds, shown=""):
    global CHECKS
    CHECKS += 1
    print(f"  {'ok' if holds else 'FAILED'}: {what}", flush=True)
    if not holds:
        sys.exit(f"{what}: {shown}")


def deploy():
    """What the template makes besides compute: the buckets, the ledger's table, the database and the workgroup."""
    s3, dynamodb, glue, athena = (boto3.client(name) for name in ("s3", "dynamodb", "glue", "athena"))
    for bucket in (LOGS, LAKE):
        s3.create_bucket(Bucket=bucket)
    keys = [("folder", "HASH"), ("name", "RANGE")]
    dynamodb.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name, _ in keys],
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys],
    )
    glue.create_database(DatabaseInput={"Name": DATABASE})
    location = {"OutputLocation": f"s3://{LAKE}/athena-results/"}
    athena.create_work_group(
        Name=WORKGROUP,
        Configuration={"EnforceWorkGroupConfiguration": True, "ResultConfiguration": location},
    )
    return s3, glue


def put(s3, hour, name, rows):
    """An object of rows named for an hour, in the folder that the job reads."""
    date, of_day = hour.split("T")
    agent = "Mozilla/5.0%20(compatible;%20Googlebot/2.1;%20+http://www.google.com/bot.html)"
    lines = [
        f"{date}\t{of_day}:{n % 60:02}:00\tHEL51-P6\t{100 + n}\t192.0.2.{n % 200}\tGET\td1.cloudfront.net\t/{name}/{n}\t200\t-\t{agent}"
        for n in range(rows)
    ]
    body = gzip.compress(("#Version: 1.0\n#Fields: " + FIELDS + "\n" + "\n".join(lines) + "\n").encode())
    s3.put_object(Bucket=LOGS, Key=f"cf/E1EXAMPLE.{date}-{of_day}.{name}.gz", Body=body)


class Program:
    def __init__(self, edgemill):
        self.edgemill = edgemill
        self.jobs = pathlib.Path(__file__).resolve().parents[2] / "jobs"

    def environment(self, principal, **more):
        """As the job definitions have it; what is None is left out."""
        if principal == "INIT":
            more = {"EDGEMILL_JOB": str(self.jobs / "cloudfront-v1.toml")} | more
        given = os.environ | {
            "AWS_ACCESS_KEY_ID": principal,
            "EDGEMILL_TO": f"s3://{LAKE}/lake",
            "EDGEMILL_LEDGER": f"dynamodb:{TABLE}",
            "EDGEMILL_CATALOG": f"glue:{DATABASE}",
            "EDGEMILL_ENCRYPTION": "s3",
            "EDGEMILL_LOG_FORMAT": "json",
            "EDGEMILL_METRICS": "emf",
            **more,
        }
        return {name: value for name, value in given.items() if value is not None}

    def start(self, principal, *arguments, **more):
        environment = self.environment(principal, **more)
        return subprocess.Popen([self.edgemill, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, principal, *arguments, **more):
        running = self.start(principal, *arguments, **more)
        out, err = running.communicate(timeout=300)
        check(f"{principal} {' '.join(arguments[:1])} ends well", running.returncode == 0, f"{running.returncode}: {out}\n{err}")
        return out, err

    def convert(self, *arguments, **more):
        job = self.jobs / "cloudfront-v1.toml"
        more = {"EDGEMILL_JOB": str(job), "EDGEMILL_FROM": f"s3://{LOGS}/cf"} | more
        return self.start("CONVERT", "convert", "--json", *arguments, **more)

    def converted(self, *arguments, **more):
        running = self.convert(*arguments, **more)
        out, err = running.communicate(timeout=300)
        check("convert ends well", running.returncode == 0, f"{running.returncode}: {out}\n{err}")
        return json.loads(out), [json.loads(line) for line in err.splitlines()]

    def ask(self, sql):
        out, err = self.run(
            "ANALYST", "query", "--json", "--engine", "athena", "--workgroup", WORKGROUP, "--lake", f"s3://{LAKE}/lake", sql
        )
        return [json.loads(line) for line in out.splitlines()], err


def partitions(glue, table="cloudfront_logs"):
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName=DATABASE, TableName=table)
    return {tuple(found["Values"]): found for page in pages for found in page["Partitions"]}


def of_before(glue):
    """The table and a partition as a version had them that knew a column less; another partition is gone."""

    def shorter(descriptor):
        return descriptor | {"Columns": descriptor["Columns"][:-1]}

    name = {"DatabaseName": DATABASE, "TableName": "cloudfront_logs"}
    table = glue.get_table(DatabaseName=DATABASE, Name="cloudfront_logs")["Table"]
    kept = {key: table[key] for key in ("Name", "TableType", "PartitionKeys", "Parameters")}
    glue.update_table(DatabaseName=DATABASE, TableInput=kept | {"StorageDescriptor": shorter(table["StorageDescriptor"])})
    values = ["2026", "11", "20", "00"]
    partition = glue.get_partition(**name, PartitionValues=values)["Partition"]
    made = {"Values": values, "Parameters": partition["Parameters"], "StorageDescriptor": shorter(partition["StorageDescriptor"])}
    glue.update_partition(**name, PartitionValueList=values, PartitionInput=made)
    glue.delete_partition(**name, PartitionValues=["2026", "11", "20", "01"])


def leave_over(glue):
    """A partition whose folder is empty, and of which the ledger knows nothing."""
    name = {"DatabaseName": DATABASE, "TableName": "cloudfront_logs"}
    like = glue.get_partition(**name, PartitionValues=["2026", "11", "20", "00"])["Partition"]["StorageDescriptor"]
    place = f"s3://{LAKE}/lake/cloudfront_logs/year=2026/month=12/day=31/hour=00/"
    values = ["2026", "12", "31", "00"]
    glue.create_partition(**name, PartitionInput={"Values": values, "StorageDescriptor": like | {"Location": place}})


def main(edgemill, calls):
    s3, glue = deploy()
    program = Program(edgemill)
    hours = [f"2026-11-20T{hour:02}" for hour in range(24)]
    for hour in hours:
        put(s3, hour, "first", 10)

    early = program.convert("--hours", "2026-11-20T00..2026-11-21T00")
    _, err = early.communicate(timeout=300)
    check("a run before init is refused", early.returncode == 2 and "edgemill init" in err, err)

    out, _ = program.run("INIT", "init", "--json")
    check("init makes three tables and three views", len(json.loads(out)["changes"]) == 6, out)
    out, _ = program.run("INIT", "init", "--json")
    check("init again finds nothing to do", json.loads(out)["changes"] == [], out)

    day = ("--hours", "2026-11-20T00..2026-11-21T00")
    summary, lines = program.converted(*day)
    check("every row is converted", summary["rows"] == 240, summary)
    check("each hour has a log line", sum(line.get("message") == "hour converted" for line in lines) == 24)
    check("so has the run", [line["rows"] for line in lines if line.get("message") == "run ended"] == [240])
    metrics = [line for line in lines if "_aws" in line]
    check("and its metrics", len(metrics) == 1 and metrics[0]["Rows"] == 240 and metrics[0]["FreshnessSeconds"] > 0, metrics)
    check("no log's content is in the logs", not any("Googlebot" in json.dumps(line) for line in lines))
    found = partitions(glue)
    check("every hour is a partition", len(found) == 24, list(found))
    check("with its rows", {one["Parameters"]["numRows"] for one in found.values()} == {"10"})
    rows, err = program.ask("SELECT hour, isbot, COUNT(*) AS n FROM cf_logs WHERE year = '2026' GROUP BY hour, isbot ORDER BY hour")
    check("Athena reads them", [row["n"] for row in rows] == [10] * 24 and {row["isbot"] for row in rows} == {"True"}, rows)
    check("and says what it cost beside the raw logs", "scanned" in err and "the raw logs" in err, err)
    summary, _ = program.converted(*day)
    check("again there is nothing to do", summary["converted_objects"] == 0, summary)

    put(s3, hours[5], "late", 7)
    summary, lines = program.converted(*day)
    check("late files are added to their hour", (summary["rows"], summary["late_objects"]) == (7, 1), summary)
    found = partitions(glue)[("2026", "11", "20", "05")]
    check("and the catalog is told", found["Parameters"]["numRows"] == "17", found["Parameters"])
    rows, _ = program.ask("SELECT COUNT(*) AS n FROM cloudfront_logs WHERE hour = '05'")
    check("and Athena reads them too", rows == [{"n": 17}], rows)

    for hour in hours:
        put(s3, hour, "again", 3)
    two = [program.convert(*day) for _ in range(2)]
    summaries = []
    for running in two:
        out, err = running.communicate(timeout=300)
        check("one of two runs at once ends well", running.returncode == 0, err)
        summaries.append(json.loads(out))
    check("two runs at once count each row once", sum(summary["rows"] for summary in summaries) == 72, summaries)

    backfilled = [f"2026-11-{day:02}T{hour:02}" for day in (18, 19) for hour in range(0, 24, 3)]
    for hour in backfilled:
        put(s3, hour, "old", 5)
    span = ("--hours", "2026-11-18T00..2026-11-20T00")
    children = [
        program.convert(*span, AWS_BATCH_JOB_ARRAY_INDEX=str(index), EDGEMILL_SHARDS="4", EDGEMILL_LAST="26h") for index in range(4)
    ]
    shares = []
    for child in children:
        out, err = child.communicate(timeout=300)
        check("a child of the array ends well", child.returncode == 0, err)
        shares.append(json.loads(out)["rows"])
    check("each took a share, all of them everything", sum(shares) == 80 and sum(share > 0 for share in shares) > 1, shares)
    summary, _ = program.converted(*span, AWS_BATCH_JOB_ARRAY_INDEX="1", EDGEMILL_SHARDS="4")
    check("a child that runs twice does no harm", summary["rows"] == 0, summary)
    rows, _ = program.ask("SELECT COUNT(*) AS n, COUNT(DISTINCT filename) AS files FROM cloudfront_logs")
    check("every row is there once", rows == [{"n": 240 + 7 + 72 + 80, "files": 24 * 2 + 1 + 16}], rows)

    of_before(glue)
    out, _ = program.run("INIT", "init", "--json")
    done = json.loads(out)
    check("an upgrade adds the missing column to the table", done["changes"] == ["upgraded table cloudfront_logs"], out)
    check("and to the partition that lacks it, and to the one that is gone", done["registered_partitions"] == 2, out)
    rows, _ = program.ask("SELECT COUNT(bot_vendor) AS n FROM cloudfront_logs WHERE day = '20' AND hour IN ('00', '01')")
    check("whose rows have it", rows == [{"n": 2 * 13}], rows)

    known = set(partitions(glue))
    leave_over(glue)
    # Without the job file, which names logs that this role may not read.
    lake = {"EDGEMILL_LAKE": f"s3://{LAKE}/lake", "EDGEMILL_JOB": None}
    out, _ = program.run("INIT", "verify", "--fix", "--json", **lake)
    check("a partition that only the catalog knows is withdrawn", set(partitions(glue)) == known, out)
    check("and that is said", json.loads(out)["mended"] == ["1 partition withdrawn from the catalog"], out)

    people(program, day, 240 + 7 + 72 + 80)
    keep(calls)

    moving = {"EDGEMILL_AFTER": "move", "EDGEMILL_ARCHIVE": f"s3://{LOGS}/archive"}
    summary, _ = program.converted(*day, **moving)
    check("what is converted moves to the archive", summary["archived_objects"] == 24 * 2 + 1, summary)
    archived = s3.list_objects_v2(Bucket=LOGS, Prefix="archive/cloudfront_logs/year=2026/month=11/day=20/")["KeyCount"]
    check("by its hour", archived == 24 * 2 + 1, archived)
    keep(calls + ".move")
    print(f"{CHECKS} checks")


def people(program, day, rows):
    """What the job file says of people reaches the lake by init, and the hourly run is held to it."""
    with tempfile.TemporaryDirectory() as folder:
        job = pathlib.Path(folder) / "job.toml"
        job.write_text((program.jobs / "cloudfront-v1.toml").read_text() + '\nclient_ip = "truncate"\n')
        changed = {"EDGEMILL_JOB": str(job)}

        def refused(what, **more):
            running = program.convert(*day, **more)
            _, err = running.communicate(timeout=300)
            check(what, running.returncode == 2 and "edgemill init --to" in err, err)

        refused("a run whose job file was changed is refused before init", **changed)
        out, _ = program.run("INIT", "init", "--json", **changed)
        kept = json.loads(out)["people"]["cloudfront_logs"]
        check("init with the job file changes what the lake keeps", (kept["was"], kept["keeps"]) == ("none", "client_ip=truncate"), out)
        check("and counts the rows that hold more", kept["rows_that_keep_more"] == rows, out)
        summary, lines = program.converted(*day, **changed)
        check("the run passes then, and says so too", summary["rows_that_keep_more"] == rows, summary)
        told = [line["rows_that_keep_more"] for line in lines if line.get("message") == "run ended"]
        check("in its log too", told == [rows], told)
        refused("a run with the file of before is refused")
        program.run("INIT", "init", "--json", "--client-ip", "keep")


def keep(path):
    """The calls so far of the principals that the template has."""
    with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/_double/calls?since=0") as log:
        made = [call for call in json.load(log) if call["principal"] in ("CONVERT", "INIT", "ANALYST")]
    pathlib.Path(path).write_text("".join(json.dumps(call) + "\n" for call in made))


if __name__ == "__main__":
    main(*sys.argv[1:])
