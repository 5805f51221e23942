"""Athena's statements that change or show the catalog, carried out on Glue's tables in moto's memory.

Athena hands these to Hive, so the words of errors and of DESCRIBE are Hive's.
"""

import base64
import json
import re

from moto.glue.models import FakePartition

import glue
import hive
import trino
from answers import AwsError
from trino import QueryFailed, Result

DDL = re.compile(r"\s*(?:(?:--[^\n]*\n|/\*.*?\*/)\s*)*(ALTER|CREATE|DROP|SHOW|DESCRIBE|DESC|MSCK)\b", re.IGNORECASE | re.DOTALL)
VIEW = re.compile(
    r'\s*CREATE\s+(OR\s+REPLACE\s+)?VIEW\s+("[^"]+"|`[^`]+`|[\w.]+)((?:\.(?:"[^"]+"|\w+))?)\s+AS\s+(.*)',
    re.IGNORECASE | re.DOTALL,
)
PARQUET = {
    "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "OutputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"},
}


def is_ddl(sql):
    return DDL.match(sql) is not None


def kind(sql):
    """The StatementType: "DDL", "DML", or "UTILITY" for SHOW and DESCRIBE."""
    found = DDL.match(sql)
    if not found:
        return "DML"
    return "UTILITY" if found[1].upper() in ("SHOW", "DESCRIBE", "DESC") else "DDL"


def run(session, sql):
    view = VIEW.match(sql)
    if view:
        return _create_view(session, view)
    tokens = hive.Tokens(sql)
    try:
        return _statement(session, tokens)
    except hive.SyntaxFault as fault:
        raise QueryFailed(f"FAILED: ParseException line 1:0 {fault}") from fault


def _statement(session, tokens):
    for words, function in _STATEMENTS:
        if tokens.accept(*words):
            return function(session, tokens) or Result([], [], header=False)
    raise QueryFailed(f"NOT_SUPPORTED: this double has no statement {tokens.peek()[1]} {tokens.peek(1)[1]}")


# --- partitions


def _alter_table(session, tokens):
    database, name = tokens.table(session.database)
    table = _table(session, database, name)
    if tokens.accept("ADD", "COLUMNS"):
        session.permit_glue("UpdateTable", database, name)
        given = dict(glue.table_input(table))
        given["StorageDescriptor"] = {
            **given["StorageDescriptor"],
            "Columns": given["StorageDescriptor"]["Columns"] + tokens.columns(),
        }
        table.update(given)
    elif tokens.accept("ADD"):
        _add_partitions(session, tokens, table)
    elif tokens.accept("DROP"):
        _drop_partitions(session, tokens, table)
    elif tokens.accept("SET", "TBLPROPERTIES"):
        session.permit_glue("UpdateTable", database, name)
        given = glue.table_input(table)
        table.update({**given, "Parameters": {**(given.get("Parameters") or {}), **tokens.properties()}})
    else:
        _set_location(session, tokens, table)


def _add_partitions(session, tokens, table):
    """All or none: one that exists fails the statement, unless IF NOT EXISTS, which leaves it as it is."""
    session.permit_glue("BatchCreatePartition", table.database_name, table.name)
    lenient = tokens.accept("IF", "NOT", "EXISTS")
    wanted = []
    while tokens.accept("PARTITION"):
        values = _values(table, tokens.spec())
        location = tokens.text() if tokens.accept("LOCATION") else None
        wanted.append((values, _location(table, values, location)))
    if not wanted:
        tokens.expect("PARTITION")
    tokens.end()
    fresh = [(values, location) for values, location in wanted if str(values) not in table.partitions]
    if len(fresh) < len(wanted) and not lenient:
        raise QueryFailed(
            "FAILED: Execution Error, return code 1 from org.apache.hadoop.hive.ql.exec.DDLTask. "
            "AlreadyExistsException(message:Partition already exists.)"
        )
    for values, location in fresh:
        _put_partition(table, values, location)


def _put_partition(table, values, location):
    """Hive gives a partition a copy of the table's description, columns included, as it is at that time."""
    described = {**glue.table_input(table)["StorageDescriptor"], "Location": location}
    described["Columns"] = [
        {name: column[name] for name in ("Name", "Type", "Comment") if name in column} for column in described.get("Columns", [])
    ]
    table.partitions[str(values)] = FakePartition(
        table.database_name, table.name, {"Values": values, "StorageDescriptor": described}
    )


def _drop_partitions(session, tokens, table):
    session.permit_glue("BatchDeletePartition", table.database_name, table.name)
    lenient = tokens.accept("IF", "EXISTS")
    wanted = []
    tokens.expect("PARTITION")
    while True:
        wanted.append(tokens.spec())
        if not tokens.accept(",", "PARTITION"):
            break
    tokens.end()
    keys = glue.partition_keys(table)
    for spec in wanted:
        if set(spec) - set(keys):
            raise QueryFailed(f"FAILED: SemanticException Partition spec {_shown(spec)} contains non-partition columns")
        # A part of the keys drops all that fit it.
        fit = [
            partition
            for partition in table.partitions.values()
            if spec.items() <= dict(zip(keys, partition.values, strict=True)).items()
        ]
        if not fit and not lenient:
            raise QueryFailed(f"FAILED: SemanticException [Error 10006]: Partition not found {_shown(spec)}")
        for partition in fit:
            del table.partitions[str(partition.values)]


def _set_location(session, tokens, table):
    session.permit_glue("UpdatePartition", table.database_name, table.name)
    tokens.expect("PARTITION")
    spec = tokens.spec()
    partition = _partition(table, spec)
    tokens.expect("SET", "LOCATION")
    location = _location(table, partition.values, tokens.text())
    tokens.end()
    given = partition.partition_input
    partition.partition_input = {**given, "StorageDescriptor": {**(given.get("StorageDescriptor") or {}), "Location": location}}


def _partition(table, spec):
    values = _values(table, spec)
    if str(values) not in table.partitions:
        raise QueryFailed(f"FAILED: SemanticException [Error 10006]: Partition not found {_shown(spec)}")
    return table.partitions[str(values)]


def _values(table, spec):
    """The values in the order of the table's keys, which must be all there and nothing else."""
    keys = glue.partition_keys(table)
    if set(spec) != set(keys):
        raise QueryFailed(
            f"FAILED: SemanticException [Error 10207]: partition spec {_shown(spec)} doesn't contain all ({len(keys)}) partition columns"
        )
    return [spec[key] for key in keys]


def _location(table, values, given):
    if given is None:
        base = glue.table_input(table)["StorageDescriptor"]["Location"].rstrip("/")
        return f"{base}/{hive.partition_name(glue.partition_keys(table), values)}"
    if not given.startswith("s3://"):
        raise QueryFailed(f"FAILED: SemanticException MetaException(message:{given} is not a path in s3)")
    return given


def _shown(spec):
    return "{" + ", ".join(f"{key}={value}" for key, value in spec.items()) + "}"


def _msck(session, tokens):
    """Adds the partitions whose folders are there and which the catalog lacks; drops none."""
    database, name = tokens.table(session.database)
    table = _table(session, database, name)
    session.permit_glue("BatchCreatePartition", database, name)
    base = glue.table_input(table)["StorageDescriptor"]["Location"].rstrip("/") + "/"
    keys, lines = glue.partition_keys(table), []
    for folder in sorted({key.rpartition("/")[0] for key in trino.keys_below(base)}):
        values = hive.folder_values(keys, folder[len(base) :])
        if values and str(values) not in table.partitions:
            _put_partition(table, values, folder + "/")
            lines.append([f"Repair: Added partition to metastore {name}:{hive.partition_name(keys, values)}"])
    return Result([("", "string")], lines, header=False)


# --- showing


def _show_partitions(session, tokens):
    database, name = tokens.table(session.database)
    table = _table(session, database, name)
    session.permit_glue("GetPartitions", database, name)
    keys = glue.partition_keys(table)
    if not keys:
        raise QueryFailed(f"FAILED: SemanticException [Error 10241]: Table {name} is not a partitioned table")
    names = sorted(hive.partition_name(keys, partition.values) for partition in table.partitions.values())
    return Result([("partition", "string")], [[text] for text in names], header=False)


def _show_tables(session, tokens):
    database = tokens.name() if tokens.accept("IN") else session.database
    session.permit_glue("GetTables", database)
    tables = glue.backend(session.request.region).get_database(database).tables
    return Result([("tab_name", "string")], [[name] for name in sorted(tables)], header=False)


def _describe(session, tokens):
    """Hive's description, one line a row, its fields apart by tabs."""
    formatted = tokens.accept("FORMATTED") or tokens.accept("EXTENDED")
    database, name = tokens.table(session.database)
    table = _table(session, database, name)
    given, partition = glue.table_input(table), None
    if tokens.accept("PARTITION"):
        session.permit_glue("GetPartition", database, name)
        partition = _partition(table, tokens.spec())
    tokens.end()
    described = (partition.partition_input if partition else given).get("StorageDescriptor") or {}
    lines = [hive.column_line(column) for column in described.get("Columns") or given["StorageDescriptor"].get("Columns", [])]
    lines += ["\t \t ", "# Partition Information\t \t ", "# col_name            \tdata_type           \tcomment             "]
    lines += [hive.column_line(column) for column in given.get("PartitionKeys") or []]
    if formatted:
        lines += hive.details(database, name, given, partition, described)
    return Result([("col_name", "string")], [[line] for line in lines], header=False)


# --- tables, views, databases


def _create_table(session, tokens):
    """Hive's statement; Athena folds names to lower case."""
    lenient = tokens.accept("IF", "NOT", "EXISTS")
    database, name = tokens.table(session.database)
    session.permit_glue("CreateTable", database, name)
    given = {"Name": name, "TableType": "EXTERNAL_TABLE", "PartitionKeys": [], "Parameters": {"EXTERNAL": "TRUE"}}
    described = {"Columns": tokens.columns(), **PARQUET}
    while tokens.peek()[0] != "end":
        _table_clause(tokens, given, described)
    if "Location" not in described:
        raise QueryFailed("FAILED: SemanticException [Error 10001]: a LOCATION is needed")
    backend = glue.backend(session.request.region)
    if database not in backend.databases:
        raise QueryFailed(f"FAILED: SemanticException [Error 10072]: Database does not exist: {database}")
    if name in backend.databases[database].tables:
        if lenient:
            return
        raise QueryFailed(f"FAILED: Execution Error, return code 1. AlreadyExistsException(message:Table {name} already exists.)")
    backend.create_table(database, name, {**given, "StorageDescriptor": described})


def _table_clause(tokens, given, described):
    if tokens.accept("COMMENT"):
        given["Description"] = tokens.text()
    elif tokens.accept("PARTITIONED", "BY"):
        given["PartitionKeys"] = tokens.columns()
    elif tokens.accept("ROW", "FORMAT", "SERDE"):
        described["SerdeInfo"] = {"SerializationLibrary": tokens.text()}
        if tokens.accept("WITH", "SERDEPROPERTIES"):
            described["SerdeInfo"]["Parameters"] = tokens.properties()
    elif tokens.accept("STORED", "AS", "INPUTFORMAT"):
        described["InputFormat"] = tokens.text()
        tokens.expect("OUTPUTFORMAT")
        described["OutputFormat"] = tokens.text()
    elif tokens.accept("STORED", "AS", "PARQUET"):
        described.update(PARQUET)
    elif tokens.accept("LOCATION"):
        described["Location"] = tokens.text()
    elif tokens.accept("TBLPROPERTIES"):
        given["Parameters"].update(tokens.properties())
    else:
        raise hive.SyntaxFault(f"missing EOF at '{tokens.peek()[1]}'")


def _create_view(session, match):
    """A view is a table of Glue whose text holds Presto's description of it, as JSON in base64."""
    replace, first, second, original = match.groups()
    names = [name for name in re.split(r'[."`]+', first + second) if name]
    database, name = names if len(names) == 2 else [session.database, names[0]]
    database, name, original = database.lower(), name.lower(), original.strip().rstrip(";").strip()
    columns = trino.columns_of(session, original)
    stored = {
        "originalSql": original,
        "catalog": "awsdatacatalog",
        "schema": session.database,
        "columns": [{"name": column.lower(), "type": of} for column, of in columns],
    }
    text = base64.b64encode(json.dumps(stored).encode()).decode()
    given = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "PartitionKeys": [],
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": f"/* Presto View: {text} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": column.lower(), "Type": trino.to_hive(of)} for column, of in columns],
            "Location": "",
            "SerdeInfo": {},
        },
    }
    backend = glue.backend(session.request.region)
    if database not in backend.databases:
        raise QueryFailed(f"SCHEMA_NOT_FOUND: line 1:1: Schema '{database}' does not exist")
    before = backend.databases[database].tables.get(name)
    session.permit_glue("UpdateTable" if before else "CreateTable", database, name)
    if before is None:
        backend.create_table(database, name, given)
    elif not replace or glue.table_input(before).get("TableType") != "VIRTUAL_VIEW":
        raise QueryFailed(f"TABLE_ALREADY_EXISTS: line 1:1: Table 'awsdatacatalog.{database}.{name}' already exists")
    else:
        before.update(given)
    return Result([], [], header=False)


def _create_database(session, tokens):
    lenient = tokens.accept("IF", "NOT", "EXISTS")
    name = tokens.name()
    session.permit_glue("CreateDatabase", name)
    given = {"Name": name}
    if tokens.accept("COMMENT"):
        given["Description"] = tokens.text()
    if tokens.accept("LOCATION"):
        given["LocationUri"] = tokens.text()
    backend = glue.backend(session.request.region)
    if name not in backend.databases:
        backend.create_database(name, given)
    elif not lenient:
        raise QueryFailed(f"FAILED: Execution Error, return code 1. Database {name} already exists")


def _drop(is_view):
    def drop(session, tokens):
        lenient = tokens.accept("IF", "EXISTS")
        database, name = tokens.table(session.database)
        session.permit_glue("DeleteTable", database, name)
        tables = getattr(glue.backend(session.request.region).databases.get(database), "tables", {})
        found = name in tables and (glue.table_input(tables[name]).get("TableType") == "VIRTUAL_VIEW") == is_view
        if found:
            del tables[name]
        elif not lenient or name in tables:
            raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}")

    return drop


def _table(session, database, name):
    session.permit_glue("GetTable", database, name)
    try:
        return glue.find_table(glue.backend(session.request.region), database, name)
    except AwsError as failure:
        raise QueryFailed(f"FAILED: SemanticException [Error 10001]: Table not found {database}.{name}") from failure


_STATEMENTS = [
    (("ALTER", "TABLE"), _alter_table),
    (("MSCK", "REPAIR", "TABLE"), _msck),
    (("SHOW", "PARTITIONS"), _show_partitions),
    (("SHOW", "TABLES"), _show_tables),
    (("DESCRIBE",), _describe),
    (("DESC",), _describe),
    (("CREATE", "EXTERNAL", "TABLE"), _create_table),
    (("CREATE", "DATABASE"), _create_database),
    (("CREATE", "SCHEMA"), _create_database),
    (("DROP", "TABLE"), _drop(False)),
    (("DROP", "VIEW"), _drop(True)),
]
