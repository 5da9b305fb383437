"""Functions of Databricks SQL that SQLGlot leaves as they are, or that mean something else in DuckDB."""

from __future__ import annotations

import json
from collections.abc import Callable

from sqlglot import Expr, exp

from .failures import Unsupported

Build = Callable[[list[Expr]], Expr]
_JSON = exp.DataType.build("JSON")


def known(node: Expr) -> Expr:
    """Returns a function that DuckDB knows in place of one that it does not; other nodes stay."""
    if isinstance(node, exp.Anonymous) and node.name.lower() in _BY_NAME:
        return _BY_NAME[node.name.lower()](node.expressions)
    for kind, build in _BY_KIND:
        if isinstance(node, kind):
            return build(node)
    return node


def _call(name: str, *arguments: Expr) -> Expr:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _moment(factor: int) -> Build:
    """`timestamp_micros` and `timestamp_millis`: a number since 1970 as a moment."""

    def build(arguments: list[Expr]) -> Expr:
        micros = exp.Mul(this=exp.paren(arguments[0]), expression=exp.Literal.number(factor))
        zone = exp.Literal.string("UTC")
        return exp.Paren(this=exp.AtTimeZone(this=_call("make_timestamp", micros), zone=zone))

    return build


def _for_all(arguments: list[Expr]) -> Expr:
    flags = _call("list_transform", *arguments)
    return _call("coalesce", _call("list_bool_and", flags), exp.true())


def _exists(node: Expr) -> Expr:
    """`exists(array, x -> ...)`; EXISTS (SELECT ...) stays."""
    condition = node.args.get("expression")
    if condition is None:
        return node
    flags = _call("list_transform", node.this, condition)
    return _call("coalesce", _call("list_bool_or", flags), exp.false())


def _size(node: Expr) -> Expr:
    """`size` of an array or a map, which DuckDB counts in one function."""
    return _call("len", _call("map_keys", node.this)) if _is_map(node.this) else node


def _is_map(node: Expr) -> bool:
    return isinstance(node, exp.Map | exp.VarMap | exp.ToMap)


def _transform(node: Expr) -> Expr:
    """The index of a lambda counts from 0 in Databricks, from 1 in DuckDB."""
    condition = node.args["expression"]
    if not isinstance(condition, exp.Lambda) or len(condition.expressions) < 2:
        return node
    index = condition.expressions[1].name

    def shifted(part: Expr) -> Expr:
        is_index = isinstance(part, exp.Identifier | exp.Column) and part.name == index
        if not is_index or isinstance(part.parent, exp.Column):
            return part
        return exp.Paren(this=exp.Sub(this=part.copy(), expression=exp.Literal.number(1)))

    changed = condition.copy()
    changed.set("this", condition.this.transform(shifted))
    return _call("list_transform", node.this, changed)


def _from_json(node: Expr) -> Expr:
    """`from_json(text, 'TYPE')`: fields that are missing or do not fit are NULL, others are ignored."""
    kind = node.args.get("expression")
    if not isinstance(kind, exp.Literal):
        raise Unsupported("from_json with a type that is no text")
    written = kind.name
    if ":" in written.split("<", 1)[0] or "<" not in written.split(" ", 1)[0]:
        written = f"STRUCT<{written}>"
    target = exp.DataType.build(written, dialect="databricks").sql(dialect="duckdb", identify=True)
    text = exp.TryCast(this=node.this, to=_JSON.copy())
    return _call("json_transform", text, exp.Literal.string(json.dumps(target)))


def _get_json_object(node: Expr) -> Expr:
    """`get_json_object` of a text that is no JSON is NULL."""
    text = exp.TryCast(this=node.this, to=_JSON.copy())
    return exp.JSONExtractScalar(this=text, expression=node.args["expression"])


def _json_of(arguments: list[Expr]) -> Expr:
    return exp.Cast(this=_call("to_json", arguments[0]), to=exp.DataType.build("TEXT"))


def _position(node: Expr) -> Expr:
    """The position of what is not there is 0."""
    found = _call("list_position", node.this, node.args["expression"])
    return _call("coalesce", found, exp.Literal.number(0))


_BY_NAME: dict[str, Build] = {
    "timestamp_micros": _moment(1),
    "timestamp_millis": _moment(1000),
    "forall": _for_all,
    "to_json": _json_of,
}
_BY_KIND: tuple[tuple[type[Expr], Callable[[Expr], Expr]], ...] = (
    (exp.CountIf, lambda node: _call("count_if", node.this)),
    (exp.Quantile, lambda node: _call("quantile_cont", node.this, node.args["quantile"])),
    (exp.JSONExtractScalar, _get_json_object),
    (exp.Exists, _exists),
    (exp.ArraySize, _size),
    (exp.ArrayPosition, _position),
    (exp.Transform, _transform),
    (exp.FromJson, _from_json),
)
