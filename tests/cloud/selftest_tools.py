"""What the checks share: clients of the double, and a table to work on."""

import json
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

ACCOUNT = "123456789012"


class Cloud:
    """Clients of one principal, and the control endpoints."""

    def __init__(self, port, principal="AKIATESTER"):
        self.url, self.principal = f"http://127.0.0.1:{port}", principal
        self.config = Config(
            retries={"total_max_attempts": 1, "mode": "standard"}, max_pool_connections=64, s3={"addressing_style": "path"}
        )

    def client(self, service, principal=None, **checks):
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=principal or self.principal,
            aws_secret_access_key="secret",
            config=self.config.merge(Config(**checks)),
        )

    def loose(self, service):
        """A client that sends what the SDK would refuse by itself."""
        return self.client(service, parameter_validation=False)

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.url}/_double/{path}", data, method=method)) as answer:
            return json.load(answer)

    def calls(self, since=0):
        return self.control("GET", f"calls?since={since}")


def code(function, **arguments):
    """The error code that a call ends with, '' where it succeeds."""
    return failure(function, **arguments)[0]


def failure(function, **arguments):
    try:
        function(**arguments)
        return "", ""
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"].get("Message", "")


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def together(count, function):
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(function, range(count)))


KEYS = [{"Name": name, "Type": "string"} for name in ("year", "month", "day", "hour")]


def new_table(cloud, database, name="t", columns=(("n", "bigint"),), **more):
    glue = cloud.client("glue")
    code(glue.create_database, DatabaseInput={"Name": database})
    given = {
        "Name": name,
        "PartitionKeys": KEYS,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage(f"s3://{database}/{name}/", columns),
        **more,
    }
    glue.create_table(DatabaseName=database, TableInput=given)
    return glue


def storage(location, columns=(("n", "bigint"),)):
    return {
        "Location": location,
        "Columns": [{"Name": name, "Type": kind} for name, kind in columns],
        "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
    }


def hour(number):
    return ["2026", "11", f"{1 + number // 24:02}", f"{number % 24:02}"]
