"""Which partitions a query can do without: those for which its conditions on partition columns cannot hold.

Only what is certain counts: a condition that is not understood excludes nothing.
"""

from sqlglot import exp


class Condition:
    """A WHERE that a table's rows must pass, with the name that the table goes by in it."""

    def __init__(self, where, alias, alone, columns=None):
        self.where, self.alias, self.alone, self.columns = where, alias, alone, columns

    def excludes(self, values):
        """Whether no row of a partition with these values, by name, can pass."""
        known = values if self.columns is None else {name: value for name, value in values.items() if name in self.columns}
        return self._holds(self.where, known) is False

    def mismatch(self, kinds):
        """A comparison of a column with a literal that Trino does not make, as ('varchar', 'integer'); else None.

        DuckDB would read one as the other. `kinds` has the types of the table's columns.
        """
        for node in self.where.find_all(*_COMPARED):
            for column, literal in ((node.this, node.expression), (node.expression, node.this)):
                if isinstance(column, exp.Column) and isinstance(literal, exp.Literal) and self._ours(column):
                    kind, texts = kinds.get(column.name.lower()), literal.is_string
                    if kind in ("string", "varchar") and not texts:
                        return "varchar", "integer"
                    if kind in ("int", "integer", "bigint", "double", "boolean") and texts:
                        return {"int": "integer"}.get(kind, kind), f"varchar({len(literal.this)})"
        return None

    def _ours(self, column):
        """Without a table's name a column may be another table's, unless there is no other."""
        return column.table.lower() == self.alias if column.table else self.alone

    def _holds(self, node, values):
        """True, False, or None where it is not known."""
        if isinstance(node, exp.Paren):
            return self._holds(node.this, values)
        if isinstance(node, exp.And | exp.Or):
            left, right = self._holds(node.this, values), self._holds(node.expression, values)
            decisive = isinstance(node, exp.Or)
            if decisive in (left, right):
                return decisive
            return None if None in (left, right) else not decisive
        if isinstance(node, exp.Not):
            inner = self._holds(node.this, values)
            return None if inner is None else not inner
        if isinstance(node, exp.In) and node.expressions:
            left, others = self._value(node.this, values), [self._value(one, values) for one in node.expressions]
            return None if left is None or None in others else left in others
        if isinstance(node, exp.Between):
            parts = [self._value(node.args[name], values) for name in ("this", "low", "high")]
            return None if None in parts else parts[1] <= parts[0] <= parts[2]
        compare = _COMPARED.get(type(node))
        if compare:
            left, right = self._value(node.this, values), self._value(node.expression, values)
            return None if left is None or right is None else compare(left, right)
        return None

    def _value(self, node, values):
        """The text of an expression over partition columns and literals, or None."""
        if isinstance(node, exp.Paren):
            return self._value(node.this, values)
        if isinstance(node, exp.Literal) and node.is_string:
            return node.this
        if isinstance(node, exp.Column):
            return values.get(node.name.lower()) if self._ours(node) else None
        if isinstance(node, exp.DPipe | exp.Concat):
            parts = [node.this, node.expression] if isinstance(node, exp.DPipe) else node.expressions
            texts = [self._value(part, values) for part in parts]
            return None if None in texts else "".join(texts)
        return None


def conditions_on(node):
    """The conditions of the SELECT that names a table."""
    select = node.parent_select
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None:
        return []
    return [Condition(where.this.copy(), node.alias_or_name.lower(), not select.args.get("joins"))]


def outermost(tree):
    """The SELECTs whose rows a query answers: one, or all of a UNION."""
    if isinstance(tree, exp.Union):
        return outermost(tree.left) + outermost(tree.right)
    return [tree] if isinstance(tree, exp.Select) else []


def passing(tree, conditions):
    """The conditions on a view that hold for the tables below it: on columns which it passes as they are."""
    selects = outermost(tree)
    # Where rows are counted, numbered or put together, those left out below could change those that stay.
    if not selects or tree.args.get("limit") or any(_mixes(select) for select in selects):
        return []
    names = set.intersection(*[_passed(select) for select in selects])
    return [
        Condition(one.where, one.alias, one.alone, names if one.columns is None else names & one.columns) for one in conditions
    ]


def _mixes(select):
    return any(select.args.get(name) for name in ("group", "limit", "joins", "distinct")) or select.find(exp.Window) is not None


def _passed(select):
    return {column.output_name.lower() for column in select.selects if isinstance(column, exp.Column) and column.output_name}


_COMPARED = {
    exp.EQ: lambda left, right: left == right,
    exp.NEQ: lambda left, right: left != right,
    exp.LT: lambda left, right: left < right,
    exp.LTE: lambda left, right: left <= right,
    exp.GT: lambda left, right: left > right,
    exp.GTE: lambda left, right: left >= right,
}
