"""Glue's calls on tables and partitions, over moto's memory, with AWS's limits and errors.

What is not here goes on to moto.
"""

import base64
import binascii
import copy
import json
import re
from datetime import datetime

from moto.core.exceptions import JsonRESTError
from moto.glue.models import FakePartition, glue_backends

from answers import AwsError, ok
from calls import ACCOUNT

TABLE_PAGE = 100  # GetTables: MaxResults is 1 to 100
PARTITION_PAGE = 1000  # GetPartitions: MaxResults is 1 to 1000


class Glue:
    def __init__(self, control):
        self._control = control

    def answer(self, request):
        """The answer to a call that this knows, or None: moto's turn, with the names as Glue folds them."""
        if any(word in request.operation for word in ("Database", "Table", "Partition")):
            fold_names(request.params)
        method = getattr(self, "_" + re.sub(r"(?<!^)(?=[A-Z])", "_", request.operation).lower(), None)
        if method is None:
            return None
        try:
            answer = method(backend(request.region), request.params)
        except JsonRESTError as failure:
            raise AwsError(failure.error_type, failure.message, failure.code) from failure
        return None if answer is None else ok(plain(answer))

    # --- tables

    def _update_table(self, glue, params):
        """VersionId is an optimistic lock: "the version ID at which to update the table contents"."""
        given = params["TableInput"]
        table = find_table(glue, params["DatabaseName"], given["Name"])
        version = params.get("VersionId")
        if version is not None and str(version) != str(table._current_version):
            raise AwsError("ConcurrentModificationException", "Update table failed due to concurrent modifications.")
        glue.update_table(params["DatabaseName"], given["Name"], given)
        if params.get("SkipArchive"):
            table.versions = {str(table._current_version): given}
        return {}

    def _get_tables(self, glue, params):
        tables = glue.get_tables(params["DatabaseName"], params.get("Expression"))
        tables = sorted(tables, key=lambda table: table.name)
        page, token = self._page(tables, lambda table: table.name, params, TABLE_PAGE)
        answer = {"TableList": [table.as_dict() for table in page]}
        return {**answer, **token}

    # --- partitions: one

    def _create_partition(self, glue, params):
        table = table_of(glue, params)
        check_values(table, params["PartitionInput"].get("Values"))
        table.create_partition(params["PartitionInput"])
        return {}

    def _get_partition(self, glue, params):
        table = table_of(glue, params)
        check_values(table, params["PartitionValues"])
        return {"Partition": partition_dict(table.get_partition(params["PartitionValues"]))}

    def _update_partition(self, glue, params):
        update(table_of(glue, params), params["PartitionValueList"], params["PartitionInput"])
        return {}

    def _delete_partition(self, glue, params):
        table = table_of(glue, params)
        check_values(table, params["PartitionValues"])
        table.delete_partition(params["PartitionValues"])
        return {}

    # --- partitions: many

    def _batch_create_partition(self, glue, params):
        """The others are created though one exists: that one is told in Errors."""
        table = table_of(glue, params)
        for given in params["PartitionInputList"]:
            check_values(table, given.get("Values"))
        errors = []
        wanted = self._control.settings["glue_entry_error"]
        if wanted and wanted["database"] == params["DatabaseName"] and wanted["times"] > 0:
            wanted["times"] -= 1
            refused, *params["PartitionInputList"] = params["PartitionInputList"]
            errors.append(partition_error("PartitionValues", refused["Values"], wanted["code"], "The test wants it so."))
        for given in params["PartitionInputList"]:
            if str(given["Values"]) in table.partitions:
                errors.append(
                    partition_error("PartitionValues", given["Values"], "AlreadyExistsException", "Partition already exists.")
                )
            else:
                table.create_partition(given)
        return {"Errors": errors} if errors else {}

    def _batch_update_partition(self, glue, params):
        table = table_of(glue, params)
        errors = []
        for entry in params["Entries"]:
            values = entry["PartitionValueList"]
            try:
                update(table, values, entry["PartitionInput"])
            except (AwsError, JsonRESTError) as failure:
                code = getattr(failure, "code", "") if isinstance(failure, AwsError) else failure.error_type
                errors.append(partition_error("PartitionValueList", values, code, failure.message))
        return {"Errors": errors} if errors else {}

    def _batch_delete_partition(self, glue, params):
        table = table_of(glue, params)
        errors = []
        for given in params["PartitionsToDelete"]:
            check_values(table, given["Values"])
            if table.partitions.pop(str(given["Values"]), None) is None:
                errors.append(
                    partition_error("PartitionValues", given["Values"], "EntityNotFoundException", "Partition not found.")
                )
        return {"Errors": errors} if errors else {}

    def _batch_get_partition(self, glue, params):
        """Keys that do not exist are just not in the answer; those not looked at are in UnprocessedKeys."""
        table = table_of(glue, params)
        asked = params["PartitionsToGet"]
        for key in asked:
            check_values(table, key["Values"])
        skipped = []
        if len(asked) > 1 and self._control.take_once("unprocessed_once"):
            asked, skipped = asked[: len(asked) // 2], asked[len(asked) // 2 :]
        found = [table.partitions.get(str(key["Values"])) for key in asked]
        answer = {"Partitions": [partition_dict(partition) for partition in found if partition]}
        return {**answer, "UnprocessedKeys": skipped} if skipped else answer

    def _get_partitions(self, glue, params):
        table = table_of(glue, params)
        found = sorted(table.get_partitions(params.get("Expression")), key=lambda partition: partition.values)
        segment = params.get("Segment")
        if segment:
            found = in_segment(found, segment)
        page, token = self._page(found, lambda partition: partition.values, params, PARTITION_PAGE)
        answer = {"Partitions": [partition_dict(partition, params.get("ExcludeColumnSchema")) for partition in page]}
        return {**answer, **token}

    def _page(self, found, key, params, most):
        """A page of what is found, in order, and the token for the next. A token names the last one of its page, so what
        is created meanwhile shifts nothing."""
        size = min(params.get("MaxResults") or most, self._control.settings["glue_page"] or most)
        if params.get("NextToken"):
            last = read_token(params["NextToken"])
            found = [one for one in found if key(one) > last]
        page, rest = found[:size], found[size:]
        return page, {"NextToken": write_token(key(page[-1]))} if rest else {}


def backend(region):
    return glue_backends[ACCOUNT][region]


def fold_names(params):
    """Glue folds the names of databases and tables to lower case when it takes them. Names of columns it leaves."""
    for name in ("DatabaseName", "TableName", "Name"):
        if isinstance(params.get(name), str):
            params[name] = params[name].lower()
    for name in ("TableInput", "DatabaseInput"):
        if isinstance(params.get(name), dict) and params[name].get("Name"):
            params[name]["Name"] = params[name]["Name"].lower()


def find_table(glue, database, name):
    """The table, or AWS's EntityNotFoundException for the database or the table."""
    if database not in glue.databases:
        raise AwsError("EntityNotFoundException", f"Database {database} not found.")
    table = glue.databases[database].tables.get(name)
    if table is None:
        raise AwsError("EntityNotFoundException", f"Table {name} not found.")
    return table


def table_of(glue, params):
    return find_table(glue, params["DatabaseName"], params["TableName"])


def table_input(table):
    """What the table is now: moto keeps every version."""
    return table.get_version(str(table._current_version))


def partition_keys(table):
    return [column["Name"] for column in table_input(table).get("PartitionKeys") or []]


def check_values(table, values):
    if len(values or []) != len(partition_keys(table)):
        raise AwsError("InvalidInputException", "The number of partition keys do not match the number of partition values")


def update(table, old, given):
    """Replaces a partition, which may move to other values. moto loses it when those are taken."""
    check_values(table, old)
    given = {**given, "Values": given.get("Values") or old}
    check_values(table, given["Values"])
    if str(old) not in table.partitions:
        raise AwsError("EntityNotFoundException", "Partition not found.")
    if given["Values"] != old and str(given["Values"]) in table.partitions:
        raise AwsError("AlreadyExistsException", "Partition already exists.")
    created = table.partitions.pop(str(old)).creation_time
    partition = FakePartition(table.database_name, table.name, given)
    partition.creation_time = created
    table.partitions[str(given["Values"])] = partition


def partition_dict(partition, without_columns=False):
    found = {**copy.deepcopy(partition.as_dict()), "CatalogId": ACCOUNT}
    if without_columns and found.get("StorageDescriptor"):
        found["StorageDescriptor"].pop("Columns", None)
    return found


def partition_error(name, values, code, message):
    return {name: values, "ErrorDetail": {"ErrorCode": code, "ErrorMessage": message}}


def in_segment(found, segment):
    """Segments are disjoint and together everything: "TotalSegments" is 1 to 10, "SegmentNumber" counts from zero."""
    number, total = segment["SegmentNumber"], segment["TotalSegments"]
    if number >= total:
        raise AwsError("InvalidInputException", "SegmentNumber must be less than TotalSegments")
    return [one for index, one in enumerate(found) if index % total == number]


def write_token(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


def read_token(token):
    try:
        return json.loads(base64.b64decode(token, validate=True))
    except (ValueError, binascii.Error) as wrong:
        raise AwsError("InvalidInputException", "Invalid next token") from wrong


def plain(value):
    """Times as Glue sends them, in seconds; members without a value are left out."""
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.timestamp() if isinstance(value, datetime) else value
