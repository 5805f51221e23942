"""Athena's SELECT: the query translated for DuckDB, over the tables and partitions that Glue has and the objects in S3."""

import base64
import json
import math
import re
from datetime import date, datetime

import duckdb
import sqlglot
from sqlglot import exp

import glue
import prune
import tables
from answers import AwsError
from tables import CutOff, QueryFailed, keys_below  # noqa: F401 (for those who import this)

PRESTO_VIEW = re.compile(r"/\* Presto View: ([A-Za-z0-9+/=]+) \*/")


class Result:
    """Rows of text, the names and types of their columns, and how many bytes were read for them."""

    def __init__(self, columns, rows, header=True, scanned=0):
        self.columns, self.rows, self.header, self.scanned = columns, rows, header, scanned

    def with_header(self):
        """The names stand before the rows of a SELECT, and before no others."""
        return [[name for name, _ in self.columns], *self.rows] if self.header and self.columns else self.rows

    def as_file(self):
        """In Athena's CSV every value is in quotes, and NULL is nothing at all."""
        if not self.header:
            return "".join("\t".join(value or "" for value in row) + "\n" for row in self.rows).encode()
        quoted = (["" if value is None else '"' + value.replace('"', '""') + '"' for value in row] for row in self.with_header())
        return "".join(",".join(row) + "\n" for row in quoted).encode()

    def column_info(self):
        return [
            {
                "CatalogName": "hive",
                "SchemaName": "",
                "TableName": "",
                "Name": name,
                "Label": name,
                "Type": of,
                "Precision": 0,
                "Scale": 0,
                "Nullable": "UNKNOWN",
                "CaseSensitive": of in ("varchar", "string"),
            }
            for name, of in self.columns
        ]


def run(session, sql, parameters=None):
    """The result of a query."""
    reader = Reader(session)
    tree = parse(sql)
    if not isinstance(tree, exp.Query):
        raise QueryFailed(f"NOT_SUPPORTED: this double runs no {tree.key}")
    for index, placeholder in enumerate(list(tree.find_all(exp.Placeholder))):
        if index >= len(parameters or []):
            raise QueryFailed("INVALID_PARAMETER_USAGE: line 1:1: Incorrect number of parameters")
        placeholder.replace(parse(f"SELECT {parameters[index]}").selects[0])
    reader.prepare(tree, session.database, [])
    if session.cutoff and reader.scanned > session.cutoff:
        raise CutOff
    found = reader.execute(tree.sql(dialect="duckdb"))
    columns = [(column[0], _athena_type(str(column[1]))) for column in found.description]
    rows = [[_text(value) for value in row] for row in found.fetchall()]
    return Result(columns, rows, scanned=reader.scanned)


def columns_of(session, sql):
    """The names and types of what a query answers, of which no file is read but for its description."""
    reader = Reader(session, empty=True)
    tree = parse(sql)
    reader.prepare(tree, session.database, [])
    found = reader.execute(tree.sql(dialect="duckdb"))
    return [(column[0], _athena_type(str(column[1]))) for column in found.description]


def parse(sql):
    try:
        return sqlglot.parse_one(sql.strip().rstrip(";"), read="athena")
    except sqlglot.errors.SqlglotError as wrong:
        message = re.sub(r"\x1b\[[0-9;]*m", "", str(wrong))
        raise QueryFailed(f"INVALID_SYNTAX: {message}") from wrong


class Reader:
    """A DuckDB of one query, with a view in place of each table that the query names."""

    def __init__(self, session, empty=False):
        self.session, self.empty, self.scanned, self._views = session, empty, 0, 0
        self.connection = duckdb.connect(config={"threads": 2})
        self.connection.execute("SET TimeZone = 'UTC'")

    def execute(self, sql):
        try:
            return self.connection.execute(sql)
        except duckdb.Error as wrong:
            raise QueryFailed(f"{_error_name(wrong)}: line 1:1: {wrong}") from wrong

    def prepare(self, tree, database, passed):
        """Puts views in the places of tables. `passed` are the conditions that a query has on this view."""
        names = {cte.alias_or_name.lower() for cte in tree.find_all(exp.CTE)}
        for column in tree.find_all(exp.Column):
            column.set("db", None)
            column.set("catalog", None)
        for node in list(tree.find_all(exp.Table)):
            if node.name and (node.db or node.name.lower() not in names):
                self._replace(tree, node, (node.db or database).lower(), passed)

    def _replace(self, tree, node, database, passed):
        name, alias = node.name.lower(), node.alias_or_name
        conditions = prune.conditions_on(node)
        if any(node.parent_select is select for select in prune.outermost(tree)):
            conditions = conditions + passed
        self._views += 1
        view = f"{name}#{self._views}"
        self._define(view, database, name, conditions)
        # A column may be written with the name of its table, so the view goes by that name.
        node.replace(
            exp.Table(
                this=exp.to_identifier(view, quoted=True),
                alias=node.args.get("alias") or exp.TableAlias(this=exp.to_identifier(alias, quoted=True)),
            )
        )

    def _define(self, view, database, name, conditions):
        self.session.permit_glue("GetTable", database, name)
        with self.session.double.lock:
            try:
                table = glue.find_table(glue.backend(self.session.request.region), database, name)
            except AwsError as failure:
                raise QueryFailed(
                    f"TABLE_NOT_FOUND: line 1:1: Table 'awsdatacatalog.{database}.{name}' does not exist"
                ) from failure
            given = glue.table_input(table)
        stored = PRESTO_VIEW.search(given.get("ViewOriginalText") or "")
        if stored:
            sql = self._view(json.loads(base64.b64decode(stored[1])), f"{database}.{name}", conditions)
        else:
            sql, scanned = tables.Table(self.session, table, given).as_select(self.connection, conditions, self.empty)
            self.scanned += scanned * self.session.double.control.settings["athena_scan_factor"]
        self.execute(f'CREATE TEMP VIEW "{view}" AS {sql}')

    def _view(self, stored, name, conditions):
        tree = parse(stored["originalSql"])
        self.prepare(tree, stored.get("schema") or self.session.database, prune.passing(tree, conditions))
        sql = tree.sql(dialect="duckdb")
        found = [column[0].lower() for column in self.execute(f"SELECT * FROM ({sql}) LIMIT 0").description]
        if found != [column["name"].lower() for column in stored["columns"]]:
            raise QueryFailed(f"VIEW_IS_STALE: line 1:1: View 'awsdatacatalog.{name}' is stale or in invalid state")
        return sql


def _error_name(wrong):
    text = str(wrong)
    if "Referenced column" in text or "does not have a column" in text:
        return "COLUMN_NOT_FOUND"
    return "SYNTAX_ERROR" if isinstance(wrong, duckdb.ParserException | duckdb.BinderException) else "GENERIC_USER_ERROR"


# --- types and values in Athena's words

_NAMES = {
    "HUGEINT": "bigint",
    "UBIGINT": "bigint",
    "UINTEGER": "bigint",
    "FLOAT": "float",
    "BLOB": "varbinary",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamp with time zone",
    "NULL": "unknown",
    '"NULL"': "unknown",
}


def _athena_type(of):
    if of.endswith("[]"):
        return "array"
    if of.startswith(("MAP(", "STRUCT(", "DECIMAL(")):
        return {"M": "map", "S": "row", "D": "decimal"}[of[0]]
    return _NAMES.get(of, of.lower())


def to_hive(of):
    """The type that Glue shows for a column of a view."""
    return {
        "varchar": "string",
        "integer": "int",
        "varbinary": "binary",
        "map": "map<string,string>",
        "array": "array<string>",
        "row": "struct<>",
        "decimal": "decimal(38,0)",
        "unknown": "string",
    }.get(of, of)


def _text(value, inside=False):
    """A value as Athena writes it; NULL is None, and the word null inside of a map or an array."""
    if value is None:
        return "null" if inside else None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double(value)
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S.") + f"{value.microsecond // 1000:03}" + (" UTC" if value.tzinfo else "")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return " ".join(f"{byte:02x}" for byte in value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key, True)}={_text(item, True)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_text(item, True) for item in value) + "]"
    return str(value)


def _double(value):
    """As Java writes a double: 1.0, and 1.0E7 from ten millions on and below a thousandth."""
    if math.isnan(value) or math.isinf(value):
        return {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}[str(value)]
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    mantissa, _, exponent = f"{value:e}".partition("e")
    digits = repr(value).lower().partition("e")[0].replace(".", "").replace("-", "").strip("0") or "0"
    return f"{'-' if mantissa.startswith('-') else ''}{digits[0]}.{digits[1:] or '0'}E{int(exponent)}"
