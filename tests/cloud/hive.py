"""Hive's words: types, names of partitions, and the tokens of its statements."""

import re
from urllib.parse import quote, unquote

TOKEN = re.compile(
    r"(?P<skip>\s+|--[^\n]*|/\*.*?\*/)|(?P<tick>`(?:[^`]|``)*`)"
    r"|(?P<text>'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\")|(?P<word>[A-Za-z0-9_]+)|(?P<mark><>|[<>!]=|.)",
    re.DOTALL,
)
SIMPLE = {
    "string": "VARCHAR",
    "boolean": "BOOLEAN",
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "int": "INTEGER",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "float": "FLOAT",
    "double": "DOUBLE",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "binary": "BLOB",
}
# What Trino reads as another type without a complaint: a column that was widened.
WIDENED = {
    "tinyint": {"smallint", "int", "bigint"},
    "smallint": {"int", "bigint"},
    "int": {"bigint"},
    "float": {"double"},
}


class SyntaxFault(Exception):
    """A statement that Hive's grammar does not have."""


class Tokens:
    """Reads a statement token by token. A token is its kind and what it means: a text without its quotes."""

    def __init__(self, sql):
        self._tokens = [token for token in map(_token, TOKEN.finditer(sql)) if token]
        if self._tokens and self._tokens[-1] == ("mark", ";"):
            self._tokens.pop()
        self._at = 0

    def peek(self, ahead=0):
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ("end", "")

    def take(self):
        token = self.peek()
        self._at += 1
        return token

    def accept(self, *words):
        """Takes these words, if they are next."""
        found = [self.peek(ahead) for ahead in range(len(words))]
        if all(
            kind in ("word", "mark") and text.lower() == word.lower() for (kind, text), word in zip(found, words, strict=True)
        ):
            self._at += len(words)
            return True
        return False

    def expect(self, *words):
        if not self.accept(*words):
            raise SyntaxFault(f"mismatched input '{self.peek()[1]}' expecting {' '.join(words)}")

    def name(self):
        kind, text = self.take()
        if kind not in ("word", "tick", "text"):
            raise SyntaxFault(f"no viable alternative at input '{text}'")
        return text.lower()

    def text(self):
        kind, text = self.take()
        if kind != "text":
            raise SyntaxFault(f"mismatched input '{text}' expecting StringLiteral")
        return text

    def table(self, database):
        """A table's database and name, the former as given or else that of the query."""
        first = self.name()
        return (first, self.name()) if self.accept(".") else (database, first)

    def spec(self):
        """(k='v', ...) as pairs; a value may be a number too."""
        self.expect("(")
        pairs = []
        while True:
            name = self.name()
            self.expect("=")
            kind, value = self.take()
            if kind not in ("text", "word"):
                raise SyntaxFault(f"mismatched input '{value}' expecting Constant")
            pairs.append((name, value))
            if not self.accept(","):
                break
        self.expect(")")
        return dict(pairs)

    def properties(self):
        self.expect("(")
        found = {}
        while not self.accept(")"):
            key = self.text()
            self.expect("=")
            found[key] = self.text()
            self.accept(",")
        return found

    def columns(self):
        """(name type COMMENT 'text', ...) as Glue's columns."""
        self.expect("(")
        found = []
        while not self.accept(")"):
            column = {"Name": self.name(), "Type": self._type()}
            if self.accept("COMMENT"):
                column["Comment"] = self.text()
            found.append(column)
            self.accept(",")
        return found

    def _type(self):
        depth, text = 0, ""
        while True:
            kind, part = self.peek()
            ends = kind == "end" or part.lower() == "comment" or part in (",", ")")
            if ends and depth == 0:
                return text.lower()
            depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(part, 0)
            text += self.take()[1]

    def end(self):
        if self.peek()[0] != "end":
            raise SyntaxFault(f"extraneous input '{self.peek()[1]}' expecting <EOF>")


def _token(match):
    kind, text = match.lastgroup, match.group()
    if kind == "skip":
        return None
    if kind == "tick":
        return kind, text[1:-1].replace("``", "`")
    if kind == "text":
        mark, inner = text[0], text[1:-1]
        return kind, re.sub(r"\\(.)", r"\1", inner.replace(mark * 2, mark), flags=re.DOTALL)
    return kind, text


def partition_name(keys, values):
    """year=2026/month=11, escaped as Hive escapes it."""
    return "/".join(f"{key}={quote(value, safe=' !$&()+,-.;@_`|~')}" for key, value in zip(keys, values, strict=True))


def folder_values(keys, path):
    """The values in a path of Hive's folders, or None where it is none of a partition of these keys."""
    parts = [part.partition("=") for part in path.strip("/").split("/")]
    if [name for name, _, _ in parts] != list(keys):
        return None
    return [unquote(value) for _, _, value in parts]


def duckdb_type(kind):
    """A Hive type in DuckDB's words."""
    kind = kind.strip().lower()
    if kind in SIMPLE:
        return SIMPLE[kind]
    outer, _, inner = kind.partition("<")
    if outer == "array":
        return duckdb_type(inner[:-1]) + "[]"
    if outer == "map":
        key, value = _split(inner[:-1])
        return f"MAP({duckdb_type(key)}, {duckdb_type(value)})"
    if outer == "struct":
        fields = [field.split(":", 1) for field in _split(inner[:-1])]
        return "STRUCT(" + ", ".join(f'"{name.strip()}" {duckdb_type(of)}' for name, of in fields) + ")"
    if kind.startswith(("varchar", "char")):
        return "VARCHAR"
    if kind.startswith("decimal"):
        return kind.upper()
    raise SyntaxFault(f"unknown type {kind}")


def _split(text):
    """Cut at the commas that are in no bracket."""
    parts, depth, part = [], 0, ""
    for char in text:
        depth += {"<": 1, "(": 1, ">": -1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    return [*parts, part]


def coercible(found, wanted):
    """Whether a partition's type may stand where the table's is expected."""
    found, wanted = (text.replace(" ", "").lower().replace("integer", "int") for text in (found, wanted))
    return found == wanted or wanted in WIDENED.get(found, ())


def column_line(column):
    """A column as DESCRIBE shows it."""
    return f"{column['Name']:<20}\t{column.get('Type', ''):<20}\t{column.get('Comment', ''):<20}"


def details(database, name, given, partition, described):
    """What DESCRIBE FORMATTED adds, for a table or one of its partitions."""
    lines = ["\t \t ", f"# Detailed {'Partition' if partition else 'Table'} Information\t \t "]
    if partition:
        lines.append(f"{'Partition Value:':<20}\t[{', '.join(partition.values)}] \t ")
        lines.append(f"{'Table:':<20}\t{name:<20}\t ")
    lines.append(f"{'Database:':<20}\t{database:<20}\t ")
    lines.append(f"{'Location:':<20}\t{described.get('Location', '')}\t ")
    if not partition:
        lines.append(f"{'Table Type:':<20}\t{given.get('TableType', 'EXTERNAL_TABLE'):<20}\t ")
    parameters = (partition.partition_input if partition else given).get("Parameters") or {}
    lines.append(f"{'Partition Parameters:' if partition else 'Table Parameters:'}\t \t ")
    lines += [f"\t{key:<20}\t{value:<20}" for key, value in sorted(parameters.items())]
    lines += ["\t \t ", "# Storage Information\t \t "]
    serde = (described.get("SerdeInfo") or {}).get("SerializationLibrary", "")
    lines.append(f"{'SerDe Library:':<20}\t{serde}\t ")
    lines.append(f"{'InputFormat:':<20}\t{described.get('InputFormat', '')}\t ")
    lines.append(f"{'OutputFormat:':<20}\t{described.get('OutputFormat', '')}\t ")
    return lines
