"""A table of Glue as a SELECT for DuckDB: exactly the Parquet objects of its partitions, as Athena would see them."""

import atexit
import hashlib
import pathlib
import re
import shutil
import tempfile
import threading
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq
from moto.s3.models import FakeDeleteMarker, s3_backends

import hive
from calls import ACCOUNT


class QueryFailed(Exception):
    """What a failed query's StateChangeReason says."""


class CutOff(Exception):
    """More bytes than the work group allows a query."""


_folder = pathlib.Path(tempfile.mkdtemp(prefix="athena-double-"))
atexit.register(shutil.rmtree, _folder, ignore_errors=True)
_schemas, _lock = {}, threading.Lock()


def split(location):
    """A location's bucket, and its key with a slash at its end."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bucket, (key.rstrip("/") + "/") if key.strip("/") else ""


def objects_of(bucket):
    """Every object of a bucket by its key."""
    buckets = s3_backends[ACCOUNT]["aws"].buckets
    if bucket not in buckets:
        raise QueryFailed(f"HIVE_CANNOT_OPEN_SPLIT: The specified bucket does not exist: {bucket}")
    return {key: one for key, one in buckets[bucket].keys.items() if not isinstance(one, FakeDeleteMarker)}


def keys_below(location):
    bucket, prefix = split(location)
    return [f"s3://{bucket}/{key}" for key in objects_of(bucket) if key.startswith(prefix)]


class Partition:
    """What a query needs of one: its values, its objects, and its own columns where it has any."""

    def __init__(self, values, location, columns, files=None):
        self.values, self.location, self.columns, self.files = values, location, columns, files


class Table:
    def __init__(self, session, table, given):
        self._session, self._table, self._given = session, table, given
        self._name = f"{table.database_name}.{table.name}"
        described = given.get("StorageDescriptor") or {}
        self._location = described.get("Location") or ""
        self._columns = {column["Name"].lower(): column["Type"] for column in described.get("Columns") or []}
        self._keys = {column["Name"].lower(): column["Type"] for column in given.get("PartitionKeys") or []}
        self._buckets = {}

    def as_select(self, connection, conditions, empty=False):
        """The SELECT, and how many bytes its files have."""
        for condition in conditions:
            wrong = condition.mismatch({**self._columns, **self._keys}) if condition.columns is None else None
            if wrong:
                raise QueryFailed(f"TYPE_MISMATCH: line 1:1: Cannot apply operator: {wrong[0]} = {wrong[1]}")
        if empty:
            return self._nothing(), 0
        with self._session.double.lock:
            partitions = [
                one for one in self._partitions() if not any(condition.excludes(self._by_key(one)) for condition in conditions)
            ]
            groups, scanned = self._grouped(partitions)
        selects = [self._select(connection, seen, files) for seen, files in groups.items()]
        return " UNION ALL ".join(selects) or self._nothing(), scanned

    def _by_key(self, partition):
        return dict(zip(self._keys, partition.values, strict=True))

    # --- which objects

    def _partitions(self):
        parameters = {name.lower(): value for name, value in (self._given.get("Parameters") or {}).items()}
        if not self._keys:
            yield Partition([], self._location, None)
        elif parameters.get("projection.enabled", "").lower() == "true":
            yield from self._projected(parameters)
        else:
            self._session.permit_glue("GetPartitions", self._table.database_name, self._table.name)
            for one in self._table.partitions.values():
                described = one.partition_input.get("StorageDescriptor")
                if not described or not described.get("Location"):
                    raise QueryFailed(f"HIVE_METASTORE_ERROR: Partition {one.values} of {self._name} has no location")
                columns = described.get("Columns")
                yield Partition(
                    one.values, described["Location"], {column["Name"].lower(): column["Type"] for column in columns or []}
                )

    def _projected(self, parameters):
        """Partition projection asks no catalog: what is at the places that the properties describe is the table."""
        template = parameters.get("storage.location.template") or self._location.rstrip("/") + "/" + "/".join(
            f"{key}=${{{key}}}" for key in self._keys
        )
        missing = [key for key in self._keys if f"projection.{key}.type" not in parameters or f"${{{key}}}" not in template]
        if missing:
            raise QueryFailed(
                f"INVALID_TABLE_PROPERTY: Table {self._name} is configured for partition projection, but {missing[0]} is not"
            )
        pattern = re.escape(template.rstrip("/"))
        for key in self._keys:
            pattern = pattern.replace(re.escape(f"${{{key}}}"), f"(?P<{key}>[^/]+)", 1).replace(
                re.escape(f"${{{key}}}"), f"(?P={key})"
            )
        # Only the part up to the first variable is a place to look at.
        bucket, prefix = split(template.partition("${")[0].rpartition("/")[0])
        for folder in sorted({key.rpartition("/")[0] for key in self._objects(bucket) if key.startswith(prefix)}):
            found = re.fullmatch(pattern, f"s3://{bucket}/{folder}")
            if found and all(_projects(parameters, key, found[key]) for key in self._keys):
                yield Partition([found[key] for key in self._keys], f"s3://{bucket}/{folder}/", None)

    def _objects(self, bucket):
        """A bucket's objects by folder: looked through once a query, however many partitions there are."""
        if bucket not in self._buckets:
            folders = {}
            for key, one in objects_of(bucket).items():
                folders.setdefault(key.rpartition("/")[0] + "/", []).append((key, one))
            self._buckets[bucket] = folders
        return self._buckets[bucket]

    def _files(self, partition):
        """The objects right in the folder; with the setting, those below it too, as Athena's guide says ("reads all data
        stored in the folder"). What begins with _ or a dot is skipped, and what is empty."""
        bucket, folder = split(partition.location)
        folders = self._objects(bucket)
        found = folders.get(folder or "/", [])
        if self._session.double.control.settings["athena_recursive"]:
            found = [pair for name, pairs in folders.items() if name.startswith(folder) for pair in pairs]
        for key, one in found:
            if one.size and key[-1:] != "/" and not any(part.startswith(("_", ".")) for part in key[len(folder) :].split("/")):
                yield bucket, key, one

    # --- what each shows

    def _grouped(self, partitions):
        """Files by the columns that may be seen in them: those of the partition, where it has a list of its own."""
        groups, scanned, folders = {}, 0, set()
        for partition in partitions:
            self._check_columns(partition)
            seen = frozenset(self._columns if partition.columns is None else partition.columns)
            for bucket, key, one in self._files(partition):
                path = local(bucket, key, one)
                self._check_file(path, f"s3://{bucket}/{key}")
                groups.setdefault(seen, []).append((str(path), f"s3://{bucket}/{key}", *partition.values))
                scanned += one.size
                folders.add(f"arn:aws:s3:::{bucket}/{key.rpartition('/')[0]}/*")
        if folders:
            self._session.permit("s3:GetObject", sorted(folders))
        return groups, scanned

    def _check_columns(self, partition):
        for name, of in (partition.columns or {}).items():
            wanted = self._columns.get(name)
            if wanted and not hive.coercible(of, wanted):
                raise QueryFailed(
                    "HIVE_PARTITION_SCHEMA_MISMATCH: There is a mismatch between the table and partition schemas. The types are "
                    f"incompatible and cannot be coerced. The column '{name}' in table '{self._name}' is declared as type '{wanted}', "
                    f"but partition '{hive.partition_name(self._keys, partition.values)}' declared column '{name}' as type '{of}'."
                )

    def _check_file(self, path, shown):
        """Trino fails on a column that the file has in a type which is not the table's."""
        try:
            found = schema(path)
        except (pa.ArrowInvalid, OSError) as wrong:
            raise QueryFailed(f"HIVE_BAD_DATA: Not valid Parquet file: {shown} {wrong}") from wrong
        for name, of in found.items():
            wanted = self._columns.get(name)
            if wanted and not _readable(of, wanted):
                raise QueryFailed(
                    f"HIVE_BAD_DATA: Field {name}'s type {of} in parquet file {shown} is incompatible with type {wanted} defined in table schema"
                )

    def _select(self, connection, seen, files):
        """One group's rows. Which partition a file is of is told by a small table beside."""
        have = {}
        for file in files:
            have.update(schema(file[0]))
        columns = [
            _column(name, of, have.get(name)) if name in seen and name in have else _null(name, of)
            for name, of in self._columns.items()
        ]
        columns += [
            f'CAST(p."k{index}" AS {hive.duckdb_type(of)}) AS "{name}"' for index, (name, of) in enumerate(self._keys.items())
        ]
        beside = f"files_{id(files)}"
        connection.register(
            beside,
            pa.table(
                {
                    "file": [file[0] for file in files],
                    "path": [file[1] for file in files],
                    **{f"k{index}": [file[2 + index] for file in files] for index in range(len(self._keys))},
                }
            ),
        )
        names = ", ".join(f"'{name}'" for name in dict.fromkeys(file[0] for file in files))
        source = f"read_parquet([{names}], union_by_name = true, hive_partitioning = false, filename = '#file')"
        return f'SELECT {", ".join(columns)} FROM {source} f JOIN "{beside}" p ON f."#file" = p."file"'

    def _nothing(self):
        columns = [_null(name, of) for name, of in {**self._columns, **self._keys}.items()]
        return f"SELECT {', '.join(columns)} WHERE false"


def _null(name, of):
    return f'CAST(NULL AS {hive.duckdb_type(of)}) AS "{name}"'


def _column(name, of, found):
    wanted, value = hive.duckdb_type(of), f'f."{name}"'
    if wanted == "VARCHAR" and pa.types.is_binary(found):
        return f'decode({value}) AS "{name}"'
    if wanted == "TIMESTAMP":
        # Athena's timestamps of Hive tables have three digits after the second.
        return f'CAST(CAST({value} AS TIMESTAMP_MS) AS TIMESTAMP) AS "{name}"'
    return f'CAST({value} AS {wanted}) AS "{name}"'


_READS = {
    "bigint": pa.types.is_integer,
    "int": pa.types.is_integer,
    "integer": pa.types.is_integer,
    "smallint": pa.types.is_integer,
    "tinyint": pa.types.is_integer,
    "double": pa.types.is_floating,
    "float": pa.types.is_float32,
    "boolean": pa.types.is_boolean,
    "timestamp": pa.types.is_timestamp,
    "date": pa.types.is_date,
}


def _readable(found, wanted):
    wanted = wanted.lower()
    texts = pa.types.is_string(found) or pa.types.is_large_string(found) or pa.types.is_binary(found)
    if wanted in ("string", "binary") or wanted.startswith(("varchar", "char")):
        return texts
    if wanted in ("int", "integer") and pa.types.is_int64(found):
        return False
    if wanted in _READS:
        return _READS[wanted](found)
    nested = {"map<": pa.types.is_map, "arra": pa.types.is_list, "stru": pa.types.is_struct, "deci": pa.types.is_decimal}
    return nested.get(wanted[:4], lambda _: True)(found)


def local(bucket, key, one):
    """A copy of an object in a file, once for each content that the key has had."""
    name = hashlib.sha1(f"{bucket}/{key}/{one.etag}".encode()).hexdigest()
    path = _folder / f"{name}.parquet"
    with _lock:
        if not path.exists():
            path.write_bytes(one.value)
    return path


def schema(path):
    """A file's columns: lower-case name to type."""
    path = str(path)
    if path not in _schemas:
        _schemas[path] = {field.name.lower(): field.type for field in pq.read_schema(path)}
    return _schemas[path]


# --- partition projection


def _projects(parameters, key, value):
    """Whether the properties produce this value. Dates are checked against their bounds where both are plain dates."""
    kind = parameters[f"projection.{key}.type"].lower()
    bounds = parameters.get(f"projection.{key}.range", "").split(",")
    if kind == "enum":
        return value in [one.strip() for one in parameters.get(f"projection.{key}.values", "").split(",")]
    if kind == "integer":
        digits = int(parameters.get(f"projection.{key}.digits", "0"))
        if not value.isdigit() or (digits and len(value) != digits) or (not digits and value != str(int(value))):
            return False
        return int(bounds[0]) <= int(value) <= int(bounds[1])
    if kind == "date":
        return _date_projects(parameters.get(f"projection.{key}.format", "yyyy-MM-dd"), bounds, value)
    return kind == "injected"


def _date_projects(pattern, bounds, value):
    for java, python in (("yyyy", "%Y"), ("MM", "%m"), ("dd", "%d"), ("HH", "%H"), ("mm", "%M"), ("'", "")):
        pattern = pattern.replace(java, python)

    def read(text):
        try:
            return datetime.strptime(text.strip(), pattern)
        except ValueError:
            return None

    at, low, high = read(value), read(bounds[0]), read(bounds[-1])
    # NOW and NOW-3YEARS are no dates: such a bound excludes nothing.
    return at is not None and (low is None or low <= at) and (high is None or at <= high)
