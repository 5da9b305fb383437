"""Who runs an expression, and what it is handed: DuckDB a translation, Databricks its own SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain
from lakemon_core.expressions.columns import Columns, Shape
from lakemon_core.expressions.translate import Translated, translate

_UNKNOWN_FUNCTION = "LM331"


@dataclass(frozen=True, slots=True)
class Dialect:
    """A form of SQL.

    Attributes:
        translate: checks and writes one expression; the function `translate` says what it takes.
        types: values of `output_data_type` → how this SQL writes the type.
    """

    translate: Callable[..., Translated]
    types: Mapping[str, str]


def written(
    text: str,
    *,
    shape: Shape = Shape.ROW,
    known: Sequence[str] | None = None,
    parameters: Mapping[str, str] | None = None,
    fields: Sequence[str] | None = None,
) -> Translated:
    """Checks one expression for a lake that runs Databricks SQL itself; arguments are those of `translate`.

    Names are filled in and quoted. Functions that lakemon does not know are left to the lake.

    Raises:
        DataError: LM330, LM332, LM333 as `translate`.
    """
    from sqlglot import exp

    from lakemon_core.expressions.parse import parse

    try:
        translate(text, shape=shape, known=known, parameters=parameters, fields=fields)
    except DataError as error:
        if error.code != _UNKNOWN_FUNCTION:
            raise
    columns = Columns(text, known, parameters or {}, fields)
    tree = parse(text)
    alone = isinstance(tree, exp.Column)
    if tree.find(exp.Query):
        raise DataError("LM332", f"{plain(text)!r} holds a subquery;", cure="write it without one.")
    for column in list(tree.find_all(exp.Column)):
        names = columns.named([part.name for part in column.parts])
        named = exp.column(*[exp.to_identifier(name, quoted=True) for name in reversed(names)])
        if column is tree:
            tree = named
        column.replace(named)
    used = tuple(columns.used)
    column = used[0] if alone and len(used) == 1 and not columns.fields_used else None
    return Translated(text, tree.sql(dialect="databricks"), used, column, tuple(columns.fields_used))


DUCKDB = Dialect(
    translate,
    {
        "double": "DOUBLE", "float": "FLOAT", "bigint": "BIGINT", "long": "BIGINT", "int": "INTEGER",
        "integer": "INTEGER", "string": "TEXT", "boolean": "BOOLEAN", "date": "DATE",
        "timestamp": "TIMESTAMPTZ",
    },
)  # fmt: skip
DATABRICKS = Dialect(written, {**DUCKDB.types, "string": "STRING", "timestamp": "TIMESTAMP"})
