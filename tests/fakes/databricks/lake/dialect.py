"""From Databricks SQL to DuckDB SQL: what SQLGlot leaves to do."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import Expr, exp
from sqlglot.errors import SqlglotError

from . import functions
from .failures import SqlFailure, Unsupported, syntax

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of table properties, which are kept elsewhere

Resolve = Callable[[exp.Table], Expr]
"""Turns a table of the statement into the place where its rows lie."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value for a `:name` of a statement; None is NULL."""

    value: str | None
    type: str = "STRING"


def parse(text: str) -> Expr:
    """Returns the one statement of a text.

    Raises:
        SqlFailure: PARSE_SYNTAX_ERROR.
    """
    try:
        found = [tree for tree in sqlglot.parse(text, read="databricks") if tree is not None]
    except (SqlglotError, RecursionError) as error:
        raise syntax(str(error).splitlines()[0]) from error
    if len(found) != 1:
        raise syntax(f"expected one statement, found {len(found)}")
    return found[0]


def duck(tree: Expr) -> str:
    """Returns a statement as DuckDB reads it, every name quoted."""
    return tree.sql(dialect="duckdb", identify=True)


def name_of(table: exp.Table, catalog: str, schema: str) -> str:
    """Returns the full name of a table, in lower case, completed by the defaults of the session."""
    parts = [part.name for part in table.parts]
    return ".".join([catalog, schema][: 3 - len(parts)] + parts).lower()


def with_identifiers(tree: Expr, parameters: Mapping[str, Parameter]) -> Expr:
    """Returns a statement whose `IDENTIFIER(:name)` are names."""

    def named(node: Expr) -> Expr:
        inner = node.this if isinstance(node, exp.Table) else None
        if not (isinstance(inner, exp.Anonymous) and inner.name.upper() == "IDENTIFIER"):
            return node
        return exp.to_table(
            _text(inner.expressions[0], parameters), dialect="databricks", alias=node.args.get("alias")
        )

    return tree.transform(named)


def _text(node: Expr, parameters: Mapping[str, Parameter]) -> str:
    if isinstance(node, exp.Placeholder):
        return parameter(node.name, parameters).value or ""
    if isinstance(node, exp.Literal):
        return node.name
    raise Unsupported("an IDENTIFIER() of anything but a parameter or a text")


def parameter(name: str, parameters: Mapping[str, Parameter]) -> Parameter:
    """Returns a parameter.

    Raises:
        SqlFailure: UNBOUND_SQL_PARAMETER.
    """
    if name not in parameters:
        raise SqlFailure(
            "UNBOUND_SQL_PARAMETER",
            f"Found the unbound parameter: {name}. Please, fix `args` and provide a mapping of the parameter"
            " to either a SQL literal or collection constructor functions.",
            "42P02",
        )
    return parameters[name]


def with_places(tree: Expr, resolve: Resolve) -> Expr:
    """Returns a statement in which every table but the names of its WITH clauses is resolved."""
    local = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}

    def placed(node: Expr) -> Expr:
        if not isinstance(node, exp.Table) or (len(node.parts) == 1 and node.name.lower() in local):
            return node
        if isinstance(node.this, exp.Func) and node.this.name.lower() != "table_changes":
            return node
        return _aliased(resolve(node), node)

    return tree.transform(placed)


def _aliased(place: Expr, table: exp.Table) -> Expr:
    """Keeps the name under which columns refer to a table."""
    if place is table:
        return table
    alias = table.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(table.name or "changes", quoted=True)
    )
    is_target = isinstance(table.parent, exp.Insert | exp.Schema | exp.Create | exp.Drop | exp.Alter)
    if not is_target:
        place.set("alias", alias.copy())
    for part in ("joins", "laterals", "pivots", "sample"):
        if table.args.get(part):
            place.set(part, table.args[part])
    return place


def with_functions(tree: Expr, parameters: Mapping[str, Parameter]) -> Expr:
    """Returns a statement whose functions and parameters DuckDB knows, changed from the leaves up."""
    for merge in tree.find_all(exp.Merge):
        _unqualify_targets(merge)
    for node in reversed(list(tree.walk())):
        known = _known(node, parameters)
        if known is not node and node is tree:
            tree = known
        elif known is not node:
            node.replace(known)
    return tree


def _known(node: Expr, parameters: Mapping[str, Parameter]) -> Expr:
    if isinstance(node, exp.Placeholder):
        return _bound(node, parameters)
    if isinstance(node, exp.Column) and len(node.parts) > 2:
        return _short(node)
    return functions.known(node)


def _bound(node: exp.Placeholder, parameters: Mapping[str, Parameter]) -> Expr:
    kind = exp.DataType.build(parameter(node.name, parameters).type, dialect="databricks")
    return exp.Cast(this=exp.Placeholder(this=node.name), to=kind)


def _short(column: exp.Column) -> Expr:
    """`catalog.schema.table.column` is `table.column` once its table has an alias."""
    if not column.args.get("catalog") and not column.args.get("db"):
        return column
    if isinstance(column.args.get("db"), exp.Identifier) and not column.args.get("catalog"):
        return column
    return exp.column(column.this, table=column.args["table"])


def _unqualify_targets(merge: exp.Merge) -> None:
    """In `UPDATE SET t.a = s.a` and `INSERT (t.a)` DuckDB wants plain names."""
    for update in merge.find_all(exp.Update):
        for assigned in update.expressions:
            if isinstance(assigned, exp.EQ) and isinstance(assigned.this, exp.Column):
                assigned.set("this", exp.column(assigned.this.this.copy()))
    for insert in merge.find_all(exp.Insert):
        columns = insert.this
        if isinstance(columns, exp.Tuple):
            plain = [
                exp.column(found.this.copy())
                for found in columns.expressions
                if isinstance(found, exp.Column)
            ]
            columns.set("expressions", plain)
