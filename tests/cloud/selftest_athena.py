"""The checks of Athena: see selftest.py."""

import io
import time
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

from selftest_tools import KEYS, code, equal, failure, hour, new_table, storage


class Lake:
    """A database, its bucket, and one hour's files after the other."""

    def __init__(self, cloud, name, **more):
        self.cloud, self.name = cloud, name
        self.s3, self.athena = cloud.client("s3"), cloud.client("athena")
        self.s3.create_bucket(Bucket=name)
        self.glue = new_table(cloud, name, **more)

    def put(self, key, **columns):
        body = io.BytesIO()
        pq.write_table(pa.table(columns), body)
        self.s3.put_object(Bucket=self.name, Key=key, Body=body.getvalue())
        return len(body.getvalue())

    def start(self, sql, **more):
        more = {"ResultConfiguration": {"OutputLocation": f"s3://{self.name}/results/"}, **more}
        return self.athena.start_query_execution(QueryString=sql, QueryExecutionContext={"Database": self.name}, **more)[
            "QueryExecutionId"
        ]

    def finish(self, query):
        states = []
        while True:
            execution = self.athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
            states.append(execution["Status"]["State"])
            if states[-1] not in ("QUEUED", "RUNNING"):
                return execution, states
            time.sleep(0.01)

    def run(self, sql, **more):
        """The rows of a query that succeeds, without the line of names."""
        execution, _ = self.finish(self.start(sql, **more))
        equal(execution["Status"]["State"] + execution["Status"].get("StateChangeReason", ""), "SUCCEEDED")
        pages = self.athena.get_paginator("get_query_results").paginate(QueryExecutionId=execution["QueryExecutionId"])
        rows = [tuple(one.get("VarCharValue") for one in row["Data"]) for page in pages for row in page["ResultSet"]["Rows"]]
        return rows[1:] if execution["StatementType"] == "DML" else rows

    def fails(self, sql, *words):
        execution, _ = self.finish(self.start(sql))
        equal(execution["Status"]["State"], "FAILED")
        for word in words:
            assert word in execution["Status"]["StateChangeReason"], execution["Status"]["StateChangeReason"]

    def add(self, number, location, **more):
        self.glue.create_partition(
            DatabaseName=self.name,
            TableName="t",
            PartitionInput={"Values": hour(number), "StorageDescriptor": storage(location, **more)},
        )


def spec(number):
    return "(" + ", ".join(f"{key['Name']}='{value}'" for key, value in zip(KEYS, hour(number), strict=True)) + ")"


def athena_goes_through_its_states(cloud):
    lake = Lake(cloud, "states")
    lake.put("t/one.parquet", n=[1])
    query = lake.start("SELECT 1 AS one")
    equal(
        failure(lake.athena.get_query_results, QueryExecutionId=query),
        ("InvalidRequestException", "Query has not yet finished. Current state: QUEUED"),
    )
    execution, states = lake.finish(query)
    equal(states[:2] + states[-1:], ["QUEUED", "RUNNING", "SUCCEEDED"])
    assert execution["Statistics"]["EngineExecutionTimeInMillis"] > 0
    equal(execution["ResultConfiguration"]["OutputLocation"], f"s3://states/results/{query}.csv")
    equal(lake.s3.get_object(Bucket="states", Key=f"results/{query}.csv")["Body"].read(), b'"one"\n"1"\n')
    stopped = lake.start("SELECT 2")
    lake.athena.stop_query_execution(QueryExecutionId=stopped)
    equal(lake.finish(stopped)[0]["Status"]["State"], "CANCELLED")
    token = "t" * 32
    first = lake.start("SELECT 3", ClientRequestToken=token)
    equal(lake.start("SELECT 3", ClientRequestToken=token), first)
    again = {"QueryString": "SELECT 4", "ClientRequestToken": token, "ResultConfiguration": {"OutputLocation": "s3://states/r"}}
    equal(code(lake.athena.start_query_execution, **again), "InvalidRequestException")
    loose = cloud.loose("athena")
    equal(code(loose.start_query_execution, **{**again, "ClientRequestToken": "short"}), "InvalidRequestException")
    equal(code(loose.get_query_results, QueryExecutionId=query, MaxResults=1001), "InvalidRequestException")
    equal(code(lake.athena.start_query_execution, QueryString="SELECT " + "1" * 262144), "InvalidRequestException")
    got = failure(lake.athena.start_query_execution, QueryString="SELECT 1")
    assert got[0] == "InvalidRequestException" and "No output location provided" in got[1], got
    equal(code(lake.athena.start_query_execution, QueryString="SELECT 1", WorkGroup="nowhere"), "InvalidRequestException")
    equal(code(lake.athena.get_work_group, WorkGroup="nowhere"), "InvalidRequestException")
    calls = [line for line in cloud.calls() if line["action"] == "athena:GetQueryExecution"]
    equal(calls[-1]["resources"], ["arn:aws:athena:us-east-1:123456789012:workgroup/primary"])


def athena_changes_partitions(cloud):
    lake = Lake(cloud, "altered")
    lake.run(
        f"ALTER TABLE altered.t ADD IF NOT EXISTS PARTITION {spec(0)} LOCATION 's3://altered/a/' PARTITION {spec(1)} LOCATION 's3://altered/b/'"
    )
    equal(lake.run("SHOW PARTITIONS t"), [(f"year=2026/month=11/day=01/hour=0{number}",) for number in (0, 1)])
    lake.run(f"ALTER TABLE `t` ADD IF NOT EXISTS PARTITION {spec(0)} LOCATION 's3://altered/elsewhere/'")
    lake.fails(f"ALTER TABLE t ADD PARTITION {spec(2)} PARTITION {spec(0)}", "AlreadyExistsException")
    lake.fails(
        "ALTER TABLE t ADD PARTITION (year='2026') LOCATION 's3://altered/x/'", "doesn't contain all (4) partition columns"
    )
    lake.fails(f"ALTER TABLE none ADD PARTITION {spec(0)}", "Table not found altered.none")
    lake.fails("ALTER TABLE t ADD", "ParseException")
    described = lake.run(f"DESCRIBE FORMATTED t PARTITION {spec(0)}")
    assert ("Location:           \ts3://altered/a/\t ",) in described, described
    lake.run(f"ALTER TABLE t PARTITION {spec(0)} SET LOCATION 's3://altered/c/'")
    equal(
        lake.glue.get_partition(DatabaseName="altered", TableName="t", PartitionValues=hour(0))["Partition"]["StorageDescriptor"][
            "Location"
        ],
        "s3://altered/c/",
    )
    lake.fails(f"ALTER TABLE t PARTITION {spec(9)} SET LOCATION 's3://altered/c/'", "Partition not found")
    lake.fails(f"DESCRIBE FORMATTED t PARTITION {spec(9)}", "Partition not found")
    lake.run(f"ALTER TABLE t DROP IF EXISTS PARTITION {spec(9)}, PARTITION {spec(1)}")
    lake.fails(f"ALTER TABLE t DROP PARTITION {spec(9)}", "Partition not found")
    equal(len(lake.run("SHOW PARTITIONS t")), 1)


def athena_reads_the_files_of_partitions(cloud):
    columns = (("n", "bigint"), ("s", "string"), ("m", "map<string,string>"), ("event_time", "timestamp"), ("filename", "string"))
    lake = Lake(cloud, "reads", columns=columns)
    full = {
        "n": [1, 2],
        "s": ["a", None],
        "m": pa.array([[("k", "v")], None], pa.map_(pa.string(), pa.string())),
        "event_time": [datetime(2026, 11, 21, 5, 0, 0, 123456)] * 2,
    }
    sizes = [lake.put("t/h0/one.parquet", **full), lake.put("t/h1/one.parquet", n=[3])]
    lake.put("t/h0/below/not.parquet", n=[100])
    lake.put("t/h0/_hidden.parquet", n=[100])
    lake.put("t/h2/not-registered.parquet", n=[100])
    lake.add(0, "s3://reads/t/h0/", columns=columns)
    lake.add(1, "s3://reads/t/h1", columns=columns)
    equal(
        lake.run("SELECT n, s, m, event_time, filename, hour FROM t ORDER BY n"),
        [
            ("1", "a", "{k=v}", "2026-11-21 05:00:00.123", None, "00"),
            ("2", None, None, "2026-11-21 05:00:00.123", None, "00"),
            ("3", None, None, None, None, "01"),
        ],
    )
    query = lake.start("SELECT t.n FROM reads.t WHERE day = '01' AND hour = '01'")
    equal(lake.finish(query)[0]["Statistics"]["DataScannedInBytes"], sizes[1])
    equal(
        lake.run("WITH x AS (SELECT * FROM t) SELECT sum(n), count(*), 1.5e10, CAST(1 AS double) FROM x"),
        [("6", "3", "1.5E10", "1.0")],
    )
    equal(lake.run("SELECT date_format(event_time, '%H:%i:%s') FROM t WHERE n = ?", ExecutionParameters=["1"]), [("05:00:00",)])
    lake.fails("SELECT nothing FROM t", "COLUMN_NOT_FOUND")
    lake.fails("SELECT n FROM t WHERE year = 2026", "TYPE_MISMATCH")
    lake.fails("SELECT n FROM t WHERE n = '1'", "TYPE_MISMATCH")
    lake.fails("SELECT FROM WHERE", "line")
    lake.fails("SELECT 1 FROM nowhere", "TABLE_NOT_FOUND")
    cloud.control("POST", "settings", {"athena_recursive": True})
    equal(lake.run("SELECT sum(n) FROM t"), [("106",)])
    cloud.control("DELETE", "settings")
    # A column that the partition does not know is NULL, though the file has it.
    lake.put("t/h3/one.parquet", n=[4], s=["there"])
    lake.add(3, "s3://reads/t/h3/")
    equal(lake.run("SELECT n, s FROM t WHERE hour = '03'"), [("4", None)])
    lake.add(4, "s3://reads/t/h3/", columns=(("n", "string"),))
    lake.fails("SELECT n FROM t", "HIVE_PARTITION_SCHEMA_MISMATCH", "hour=04")
    equal(lake.run("SELECT count(*) FROM t WHERE hour <= '03'"), [("4",)])
    lake.put("t/h5/one.parquet", n=["text"])
    lake.add(5, "s3://reads/t/h5/")
    lake.fails("SELECT n FROM t WHERE hour = '05'", "HIVE_BAD_DATA")


def athena_pages_and_writes_results(cloud):
    lake = Lake(cloud, "paged")
    query = lake.start("SELECT n, nullif(n, 1) AS m FROM UNNEST(sequence(1, 10)) AS x(n)")
    lake.finish(query)
    page = lake.athena.get_query_results(QueryExecutionId=query, MaxResults=4)
    equal([row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]], ["n", "1", "2", "3"])
    page = lake.athena.get_query_results(QueryExecutionId=query, MaxResults=4, NextToken=page["NextToken"])
    equal([row["Data"][0]["VarCharValue"] for row in page["ResultSet"]["Rows"]], ["4", "5", "6", "7"])
    cloud.control("POST", "settings", {"athena_page": 3})
    equal(len(lake.run("SELECT n FROM UNNEST(sequence(1, 10)) AS x(n)")), 10)
    cloud.control("DELETE", "settings")
    written = lake.s3.get_object(Bucket="paged", Key=f"results/{query}.csv")["Body"].read()
    assert written.startswith(b'"n","m"\n"1",\n"2","2"\n'), written


def athena_makes_tables_and_views(cloud):
    lake = Lake(cloud, "made")
    lake.run("CREATE DATABASE IF NOT EXISTS other")
    for _ in range(2):
        lake.run(
            """CREATE EXTERNAL TABLE IF NOT EXISTS `made.u` (
            `A` bigint COMMENT 'it\\'s', `b` map<string,string>, `c` decimal(10,2))
            PARTITIONED BY (`year` string) STORED AS PARQUET LOCATION 's3://made/u/' TBLPROPERTIES ('classification'='parquet');""".replace(
                "`made.u`", "`made`.`u`"
            )
        )
    table = lake.glue.get_table(DatabaseName="made", Name="u")["Table"]
    equal(
        [(one["Name"], one["Type"], one.get("Comment")) for one in table["StorageDescriptor"]["Columns"]],
        [("a", "bigint", "it's"), ("b", "map<string,string>", None), ("c", "decimal(10,2)", None)],
    )
    equal(table["Parameters"]["classification"], "parquet")
    size = lake.put("u/year=2025/x.parquet", a=[1])
    lake.put("u/year=2026/x.parquet", a=[2])
    lake.run("MSCK REPAIR TABLE u")
    lake.run('CREATE OR REPLACE VIEW "v" AS\nSELECT "a" AS "x", year FROM "u" UNION ALL SELECT "a" + 10 AS "x", year FROM "u"')
    lake.run("CREATE OR REPLACE VIEW w AS SELECT x, year FROM v WHERE x < 12")
    view = lake.glue.get_table(DatabaseName="made", Name="v")["Table"]
    equal(
        (view["TableType"], [(one["Name"], one["Type"]) for one in view["StorageDescriptor"]["Columns"]]),
        ("VIRTUAL_VIEW", [("x", "bigint"), ("year", "string")]),
    )
    equal(lake.run("SELECT x, w.year FROM w ORDER BY x"), [("1", "2025"), ("2", "2026"), ("11", "2025")])
    execution, _ = lake.finish(lake.start("SELECT count(*) FROM made.w WHERE year = '2025'"))
    equal(execution["Statistics"]["DataScannedInBytes"], 2 * size)
    lake.fails("CREATE VIEW v AS SELECT 1 AS x", "TABLE_ALREADY_EXISTS")
    lake.fails("CREATE OR REPLACE VIEW u AS SELECT 1 AS x", "TABLE_ALREADY_EXISTS")
    lake.run("DROP VIEW IF EXISTS v")
    lake.run("DROP VIEW IF EXISTS v")
    lake.fails("SELECT * FROM w", "TABLE_NOT_FOUND")
    lake.fails("DROP VIEW u", "Table not found")
    lake.run("DROP TABLE u")
    equal(lake.run("SHOW TABLES"), [("t",), ("w",)])


def athena_projects_partitions(cloud):
    properties = {
        "projection.enabled": "true",
        "projection.hour.type": "integer",
        "projection.hour.range": "0,23",
        "projection.hour.digits": "2",
        **{f"projection.{key}.type": "integer" for key in ("year", "month", "day")},
        "projection.year.range": "2024,2030",
        "projection.month.range": "1,12",
        "projection.month.digits": "2",
        "projection.day.range": "1,31",
        "projection.day.digits": "2",
        "storage.location.template": "s3://projected/t/year=${year}/month=${month}/day=${day}/hour=${hour}",
    }
    lake = Lake(cloud, "projected", Parameters=properties)
    lake.put("t/year=2026/month=11/day=21/hour=05/a.parquet", n=[1])
    lake.put("t/year=2031/month=11/day=21/hour=05/a.parquet", n=[2])
    lake.add(0, "s3://projected/nowhere/")
    equal(lake.run("SELECT n, year, hour FROM t"), [("1", "2026", "05")])


def athena_cuts_off_what_reads_too_much(cloud):
    lake = Lake(cloud, "cut")
    lake.put("t/a.parquet", n=list(range(1000)))
    lake.add(0, "s3://cut/t/")
    lake.athena.create_work_group(
        Name="small",
        Configuration={"BytesScannedCutoffPerQuery": 10_000_000, "ResultConfiguration": {"OutputLocation": "s3://cut/small/"}},
    )
    cloud.control("POST", "settings", {"athena_scan_factor": 1_000_000})
    execution, _ = lake.finish(lake.start("SELECT sum(n) FROM t", WorkGroup="small"))
    equal(execution["Status"]["State"], "CANCELLED")
    assert "Bytes scanned limit" in execution["Status"]["StateChangeReason"]
    # A work group that enforces its settings says where results go.
    assert execution["ResultConfiguration"]["OutputLocation"].startswith("s3://cut/small/")
    lake.athena.update_work_group(WorkGroup="small", ConfigurationUpdates={"RemoveBytesScannedCutoffPerQuery": True})
    equal(lake.run("SELECT sum(n) FROM t", WorkGroup="small"), [("499500",)])
    cloud.control("DELETE", "settings")


def athena_acts_with_its_callers_rights(cloud):
    lake = Lake(cloud, "rights")
    lake.put("t/a.parquet", n=[1])
    lake.add(0, "s3://rights/t/")
    key = cloud.client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/Reader", RoleSessionName="session")[
        "Credentials"
    ]["AccessKeyId"]
    allow = [{"action": one} for one in ("athena:*", "glue:Get*", "s3:PutObject")]
    cloud.control("POST", "deny", {"principal": key, "allow": allow})
    lake.athena = cloud.client("athena", key)
    lake.fails("SELECT n FROM t", "s3:GetObject")
    lake.fails(f"ALTER TABLE t DROP PARTITION {spec(0)}", "glue:BatchDeletePartition")
    cloud.control(
        "POST", "deny", {"principal": key, "allow": [*allow, {"action": "s3:GetObject", "resource": "arn:aws:s3:::rights/t/*"}]}
    )
    equal(lake.run("SELECT n FROM t"), [("1",)])
    cloud.control("DELETE", "deny")


CHECKS = [function for name, function in list(globals().items()) if name.startswith("athena_")]
