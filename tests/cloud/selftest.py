"""Exercises the double of AWS with AWS's own SDK: one line for each check, and 1 as exit status when one fails.

selftest.py [--port PORT]     without a port it starts the server itself
"""

import argparse
import http.client
import io
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
import traceback

import boto3
from boto3.s3.transfer import TransferConfig
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ResponseStreamingError

# The sources' folder stays as it is.
sys.dont_write_bytecode = True

import selftest_athena  # noqa: E402
import selftest_glue  # noqa: E402
from selftest_tools import ACCOUNT, Cloud, code, equal, failure, new_table, together  # noqa: E402

HERE = pathlib.Path(__file__).parent


# --- S3


def s3_is_logged_in_words_of_iam(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="logged")
    start = len(cloud.calls())
    s3.put_object(
        Bucket="logged", Key="a/b c", Body=b"1", ServerSideEncryption="aws:kms", SSEKMSKeyId="key-1", RequestPayer="requester"
    )
    s3.copy_object(Bucket="logged", Key="copy", CopySource={"Bucket": "logged", "Key": "a/b c"})
    s3.get_object(Bucket="logged", Key="copy")
    s3.head_object(Bucket="logged", Key="copy")
    s3.list_objects_v2(Bucket="logged", Prefix="a/")
    s3.delete_objects(Bucket="logged", Delete={"Objects": [{"Key": "copy"}, {"Key": "a/b c"}]})
    s3.get_bucket_location(Bucket="logged")
    upload = s3.create_multipart_upload(Bucket="logged", Key="m")["UploadId"]
    s3.abort_multipart_upload(Bucket="logged", Key="m", UploadId=upload)
    lines = cloud.calls(start)
    bucket = "arn:aws:s3:::logged"
    equal(
        [(line["action"].partition(":")[2], line["resources"][0].removeprefix(bucket)) for line in lines],
        [
            ("PutObject", "/a/b c"),
            ("GetObject", "/a/b c"),
            ("PutObject", "/copy"),
            ("GetObject", "/copy"),
            ("GetObject", "/copy"),
            ("ListBucket", ""),
            ("DeleteObject", "/copy"),
            ("DeleteObject", "/a/b c"),
            ("GetBucketLocation", ""),
            ("PutObject", "/m"),
            ("AbortMultipartUpload", "/m"),
        ],
    )
    equal(
        (lines[0]["kms_key"], lines[0]["requester_pays"], lines[0]["principal"], lines[0]["status"]),
        ("key-1", True, cloud.principal, 200),
    )
    equal(lines[5]["prefix"], "a/")


def s3_conditions_hold(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="conditions")
    first = s3.put_object(Bucket="conditions", Key="k", Body=b"1")["ETag"]
    equal(code(s3.put_object, Bucket="conditions", Key="k", Body=b"2", IfNoneMatch="*"), "PreconditionFailed")
    equal(code(s3.copy_object, Bucket="conditions", Key="k", CopySource="conditions/k", IfNoneMatch="*"), "PreconditionFailed")
    s3.put_object(Bucket="conditions", Key="k", Body=b"2", IfMatch=first)
    equal(code(s3.put_object, Bucket="conditions", Key="k", Body=b"3", IfMatch=first), "PreconditionFailed")
    equal(code(s3.get_object, Bucket="conditions", Key="k", IfMatch=first), "PreconditionFailed")
    equal(code(s3.get_object, Bucket="conditions", Key="k", IfMatch=first, Range="bytes=0-0"), "PreconditionFailed")
    upload = s3.create_multipart_upload(Bucket="conditions", Key="k")["UploadId"]
    part = s3.upload_part(Bucket="conditions", Key="k", UploadId=upload, PartNumber=1, Body=b"p")["ETag"]
    parts = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    finish = {"Bucket": "conditions", "Key": "k", "UploadId": upload, "MultipartUpload": parts}
    equal(code(s3.complete_multipart_upload, IfNoneMatch="*", **finish), "PreconditionFailed")
    equal(code(s3.complete_multipart_upload, **finish), "")


def s3_takes_bodies_of_any_kind(cloud):
    """Streams come in chunks with a checksum behind, large objects in parts; metadata and odd keys come back."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="bodies")
    body = bytes(range(256)) * 80_000
    s3.upload_fileobj(
        io.BytesIO(body), "bodies", "large", Config=TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=6 << 20)
    )
    equal(s3.get_object(Bucket="bodies", Key="large")["Body"].read(), body)
    equal(s3.get_object(Bucket="bodies", Key="large", Range="bytes=-3")["Body"].read(), body[-3:])
    key = "a=b/ü +%25 c"
    s3.upload_fileobj(io.BytesIO(b"12"), "bodies", key, ExtraArgs={"Metadata": {"with_line": "1"}})
    equal(
        (s3.head_object(Bucket="bodies", Key=key)["ContentLength"], s3.head_object(Bucket="bodies", Key=key)["Metadata"]),
        (2, {"with_line": "1"}),
    )
    equal([one["Key"] for one in s3.list_objects_v2(Bucket="bodies", Prefix="a=b/")["Contents"]], [key])
    equal(cloud.calls()[-2]["resources"], [f"arn:aws:s3:::bodies/{key}"])
    s3.put_object(Bucket="bodies", Key="empty", Body=b"")
    equal(s3.get_object(Bucket="bodies", Key="empty")["Body"].read(), b"")
    s3.delete_object(Bucket="bodies", Key="empty")
    equal(code(s3.head_object, Bucket="bodies", Key="empty"), "404")
    cloud.control("POST", "settings", {"requester_pays": ["bodies"]})
    equal(code(s3.get_object, Bucket="bodies", Key=key), "AccessDenied")
    equal(code(s3.get_object, Bucket="bodies", Key=key, RequestPayer="requester"), "")
    cloud.control("DELETE", "settings")


def objects_are_read_whole_while_they_are_replaced(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="replaced")
    s3.put_object(Bucket="replaced", Key="k", Body=b"x" * 5000)

    def use(number):
        for turn in range(30):
            if number % 2:
                s3.put_object(Bucket="replaced", Key="k", Body=b"%d" % (turn % 10) * 5000)
            else:
                equal(len(s3.get_object(Bucket="replaced", Key="k")["Body"].read()), 5000)

    together(8, use)


def of_many_writers_one_wins(cloud):
    s3, wins = cloud.client("s3"), []
    s3.create_bucket(Bucket="race")

    def write(number):
        for key in range(20):
            if not code(s3.put_object, Bucket="race", Key=f"k{key}", Body=b"%d" % number, IfNoneMatch="*"):
                wins.append(key)

    together(8, write)
    equal(sorted(wins), list(range(20)))


def dynamodb_conditions_hold(cloud):
    db, wins = cloud.client("dynamodb"), []
    db.create_table(
        TableName="race",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
    )

    def write(_):
        for key in range(20):
            item = {"k": {"S": str(key)}}
            if not code(db.put_item, TableName="race", Item=item, ConditionExpression="attribute_not_exists(k)"):
                wins.append(key)

    together(8, write)
    equal(sorted(wins), list(range(20)))
    line = cloud.calls()[-1]
    equal((line["action"], line["resources"]), ("dynamodb:PutItem", [f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/race"]))


def s3_is_quick(cloud):
    """Small objects, a hundred connections: at least 300 requests a second."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="quick")
    s3.put_object(Bucket="quick", Key="k", Body=b"x" * 2000)
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=AKIATESTER/20261121/us-east-1/s3/aws4_request"}

    def read(_):
        connection = http.client.HTTPConnection("127.0.0.1", int(cloud.url.rpartition(":")[2]))
        for _ in range(15):
            connection.request("GET", "/quick/k", headers=signed)
            equal(len(connection.getresponse().read()), 2000)

    begun = time.monotonic()
    together(100, read)
    rate = 1500 / (time.monotonic() - begun)
    print(f"   {rate:.0f} requests a second")
    # Half of it only: the machine may have other work.
    assert rate > 150, rate


# --- faults


def faults_come_in_each_services_words(cloud):
    new_table(cloud, "faulty")
    for service, name, error, expected in [
        ("glue", "get_databases", "throttle", "ThrottlingException"),
        ("glue", "get_databases", "expired", "ExpiredTokenException"),
        ("glue", "get_databases", "500", "InternalServiceException"),
        ("dynamodb", "list_tables", "throttle", "ProvisionedThroughputExceededException"),
        ("dynamodb", "list_tables", "throttling", "ThrottlingException"),
        ("s3", "list_buckets", "throttle", "SlowDown"),
        ("s3", "list_buckets", "expired", "ExpiredToken"),
        ("s3", "list_buckets", "500", "InternalError"),
        ("s3", "list_buckets", "denied", "AccessDenied"),
        ("athena", "list_work_groups", "throttle", "ThrottlingException"),
        ("athena", "list_work_groups", "too_many", "TooManyRequestsException"),
        ("sts", "get_caller_identity", "denied", "AccessDenied"),
    ]:
        cloud.control("POST", "faults", [{"action": f"{service}:*", "times": 1, "error": error}])
        equal(code(getattr(cloud.client(service), name)), expected)
        equal(code(getattr(cloud.client(service), name)), "")
    cloud.control("POST", "faults", [{"action": "glue:GetTable", "error": "denied", "resource": "table/faulty/t"}])
    got = failure(cloud.client("glue").get_table, DatabaseName="faulty", Name="t")
    equal(got[0], "AccessDeniedException")
    assert "is not authorized to perform: glue:GetTable on resource: arn:aws:glue:" in got[1], got
    assert got[1].endswith("because no identity-based policy allows the glue:GetTable action"), got
    cloud.control("DELETE", "faults")


def connections_drop(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="drops")
    for error, done in [("drop_before", False), ("drop_after", True)]:
        cloud.control("POST", "faults", [{"action": "s3:PutObject", "times": 1, "error": error}])
        try:
            s3.put_object(Bucket="drops", Key=error, Body=b"1")
            raise AssertionError("an answer came")
        except ConnectionClosedError:
            pass
        equal(code(s3.head_object, Bucket="drops", Key=error) == "", done)
    s3.put_object(Bucket="drops", Key="half", Body=b"12345678")
    cloud.control("POST", "faults", [{"action": "s3:GetObject", "skip": 1, "times": 1, "error": "truncate"}])
    equal(s3.get_object(Bucket="drops", Key="half")["Body"].read(), b"12345678")
    try:
        s3.get_object(Bucket="drops", Key="half")["Body"].read()
        raise AssertionError("the whole object came")
    except (ResponseStreamingError, ConnectionClosedError):
        pass


def iam_denies_what_is_not_allowed(cloud):
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket="walls")
    for key in ("in/a", "out/b"):
        s3.put_object(Bucket="walls", Key=key, Body=b"1")
    new_table(cloud, "walls")
    sts = cloud.client("sts").assume_role(RoleArn=f"arn:aws:iam::{ACCOUNT}:role/Mill", RoleSessionName="session")["Credentials"]
    key = sts["AccessKeyId"]
    anonymous = boto3.client(
        "sts", endpoint_url=cloud.url, region_name="us-east-1", config=cloud.config.merge(Config(signature_version=UNSIGNED))
    )
    web = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/Web", "RoleSessionName": "session", "WebIdentityToken": "a.b.c" * 10}
    assert anonymous.assume_role_with_web_identity(**web)["Credentials"]["AccessKeyId"]
    equal((cloud.calls()[-1]["action"], cloud.calls()[-1]["principal"]), ("sts:AssumeRoleWithWebIdentity", ""))
    catalog = [
        {"action": "glue:Get*", "resource": f"arn:aws:glue:us-east-1:{ACCOUNT}:{rest}"}
        for rest in ("catalog", "database/walls", "table/walls/*")
    ]
    cloud.control(
        "POST",
        "deny",
        {
            "principal": key,
            "allow": [
                {"action": "s3:*Object", "resource": "arn:aws:s3:::walls/in/*"},
                {"action": "s3:ListBucket", "resource": "arn:aws:s3:::walls", "prefix": "in/*"},
                *catalog,
            ],
        },
    )
    mine = cloud.client("s3", key)
    equal(code(mine.get_object, Bucket="walls", Key="in/a"), "")
    got = failure(mine.get_object, Bucket="walls", Key="out/b")
    equal(got[0], "AccessDenied")
    assert "assumed-role/Mill/" in got[1] and '"arn:aws:s3:::walls/out/b"' in got[1], got
    equal(code(mine.list_objects_v2, Bucket="walls", Prefix="in/"), "")
    equal(code(mine.list_objects_v2, Bucket="walls"), "AccessDenied")
    equal(code(mine.get_object, Bucket="walls", Key="in/none"), "NoSuchKey")
    deleted = mine.delete_objects(Bucket="walls", Delete={"Objects": [{"Key": "in/a"}, {"Key": "out/b"}]})
    equal(([one["Key"] for one in deleted["Deleted"]], [one["Key"] for one in deleted["Errors"]]), (["in/a"], ["out/b"]))
    glue = cloud.client("glue", key)
    equal(code(glue.get_table, DatabaseName="walls", Name="t"), "")
    equal(code(glue.delete_table, DatabaseName="walls", Name="t"), "AccessDeniedException")
    cloud.control("POST", "deny", {"principal": key, "allow": [{"action": "s3:GetObject", "resource": "*"}]})
    # Who may not list a bucket is not told that a key is missing.
    equal(code(mine.get_object, Bucket="walls", Key="in/none"), "AccessDenied")
    cloud.control("DELETE", "deny")


def checks():
    found = [function for function in globals().values() if callable(function) and getattr(function, "__code__", None)]
    found = [
        one
        for one in found
        if one.__code__.co_varnames[:1] == ("cloud",) and one.__code__.co_argcount == 1 and one.__module__ == __name__
    ]
    return found + selftest_glue.CHECKS + selftest_athena.CHECKS


def started():
    """A server of our own on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tempfile.NamedTemporaryFile(suffix=".jsonl")
    server = subprocess.Popen(
        [sys.executable, HERE / "server.py", "--port", str(port), "--calls", log.name], stdout=subprocess.PIPE, text=True
    )
    equal(server.stdout.readline(), "ready\n")
    return port, server, log


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--port", type=int)
    options.add_argument("--only", default="", help="checks whose names contain this")
    options = options.parse_args()
    port, server, log = (options.port, None, None) if options.port else started()
    failed = 0
    try:
        for check in checks():
            if options.only not in check.__name__:
                continue
            try:
                check(Cloud(port))
                print(f"ok {check.__name__.replace('_', ' ')}", flush=True)
            except Exception:
                failed += 1
                print(f"FAILED {check.__name__.replace('_', ' ')}\n{traceback.format_exc()}", flush=True)
        if log:
            equal([json.loads(line) for line in open(log.name, encoding="utf-8")], Cloud(port).calls())
    finally:
        if server:
            server.terminate()
            server.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
