"""The checks of Glue: see selftest.py."""

from selftest_tools import ACCOUNT, code, equal, hour, new_table, storage


def glue_batches_have_limits(cloud):
    glue = new_table(cloud, "limits")
    table = {"DatabaseName": "limits", "TableName": "t"}
    inputs = [{"Values": hour(number)} for number in range(101)]
    equal(code(cloud.loose("glue").batch_create_partition, PartitionInputList=inputs, **table), "ValidationException")
    glue.batch_create_partition(PartitionInputList=inputs[:100], **table)
    answer = glue.batch_create_partition(PartitionInputList=inputs[99:], **table)
    equal(
        [(one["PartitionValues"], one["ErrorDetail"]["ErrorCode"]) for one in answer["Errors"]],
        [(hour(99), "AlreadyExistsException")],
    )
    entries = [{"PartitionValueList": hour(number), "PartitionInput": {"Values": hour(number)}} for number in range(102)]
    equal(code(glue.batch_update_partition, Entries=entries[:101], **table), "ValidationException")
    answer = glue.batch_update_partition(Entries=entries[2:], **table)
    equal(
        [(one["PartitionValueList"], one["ErrorDetail"]["ErrorCode"]) for one in answer["Errors"]],
        [(hour(101), "EntityNotFoundException")],
    )
    equal(code(glue.batch_delete_partition, PartitionsToDelete=inputs[:26], **table), "ValidationException")
    answer = glue.batch_delete_partition(PartitionsToDelete=[*inputs[:24], {"Values": hour(500)}], **table)
    equal([one["ErrorDetail"]["ErrorCode"] for one in answer["Errors"]], ["EntityNotFoundException"])
    many = [{"Values": hour(number)} for number in range(1001)]
    equal(code(glue.batch_get_partition, PartitionsToGet=many, **table), "ValidationException")
    equal(len(glue.batch_get_partition(PartitionsToGet=many[:1000], **table)["Partitions"]), 77)
    equal(code(glue.get_partitions, MaxResults=1001, **table), "ValidationException")
    equal(code(glue.batch_create_partition, PartitionInputList=[{"Values": ["2026"]}], **table), "InvalidInputException")
    equal(code(glue.create_partition, PartitionInput={"Values": ["2026"]}, **table), "InvalidInputException")
    long = {"Name": "long", "StorageDescriptor": {"Columns": [{"Name": "n", "Comment": "x" * 256}]}}
    equal(code(glue.create_table, DatabaseName="limits", TableInput=long), "ValidationException")
    equal(code(glue.update_table, DatabaseName="limits", TableInput={"Name": "nowhere"}), "EntityNotFoundException")
    equal(code(glue.get_table, DatabaseName="nowhere", Name="t"), "EntityNotFoundException")


def glue_pages(cloud):
    glue = new_table(cloud, "pages")
    table = {"DatabaseName": "pages", "TableName": "t"}
    glue.batch_create_partition(
        PartitionInputList=[{"Values": hour(number), "StorageDescriptor": storage("s3://x/y")} for number in range(30)], **table
    )
    cloud.control("POST", "settings", {"glue_page": 7})
    sizes, values = [], []
    for page in glue.get_paginator("get_partitions").paginate(ExcludeColumnSchema=True, **table):
        sizes.append(len(page["Partitions"]))
        values += [one["Values"] for one in page["Partitions"]]
        assert "Columns" not in page["Partitions"][0]["StorageDescriptor"]
    equal((sizes, values), ([7, 7, 7, 7, 2], [hour(number) for number in range(30)]))
    equal(len(glue.get_partitions(Expression="day = '02' AND hour < '03'", **table)["Partitions"]), 3)
    for number in range(9):
        glue.create_table(DatabaseName="pages", TableInput={"Name": f"N{number}"})
    tables = [
        one["Name"] for page in glue.get_paginator("get_tables").paginate(DatabaseName="pages") for one in page["TableList"]
    ]
    equal(tables, [*(f"n{number}" for number in range(9)), "t"])
    cloud.control("DELETE", "settings")
    segments = [
        glue.get_partitions(Segment={"SegmentNumber": number, "TotalSegments": 3}, **table)["Partitions"] for number in range(3)
    ]
    equal(sorted(one["Values"] for segment in segments for one in segment), values)
    equal(code(glue.get_partitions, Segment={"SegmentNumber": 3, "TotalSegments": 3}, **table), "InvalidInputException")
    cloud.control("POST", "settings", {"unprocessed_once": True})
    asked = [{"Values": hour(number)} for number in range(4)]
    answer = glue.batch_get_partition(PartitionsToGet=asked, **table)
    equal((len(answer["Partitions"]), answer["UnprocessedKeys"]), (2, asked[2:]))
    assert "UnprocessedKeys" not in glue.batch_get_partition(PartitionsToGet=asked, **table)


def glue_tables_are_replaced_and_locked(cloud):
    glue = new_table(cloud, "Replaced", Parameters={"a": "1"})
    version = glue.get_table(DatabaseName="replaced", Name="T")["Table"]["VersionId"]
    glue.update_table(DatabaseName="replaced", TableInput={"Name": "T", "Description": "new"}, VersionId=version)
    table = glue.get_table(DatabaseName="replaced", Name="t")["Table"]
    equal((table["Name"], table["Description"], table.get("Parameters")), ("t", "new", None))
    stale = {"DatabaseName": "replaced", "TableInput": {"Name": "t"}, "VersionId": version}
    equal(code(glue.update_table, **stale), "ConcurrentModificationException")
    equal(
        cloud.calls()[-1]["resources"],
        [f"arn:aws:glue:us-east-1:{ACCOUNT}:{rest}" for rest in ("catalog", "database/replaced", "table/replaced/t")],
    )


CHECKS = [function for name, function in list(globals().items()) if name.startswith("glue_")]
