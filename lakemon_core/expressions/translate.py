"""From an expression in Databricks SQL to one in DuckDB's: what is not proven to mean the same is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain
from lakemon_core.expressions.columns import Columns, Shape

MOST_CHARACTERS = 4_000


@dataclass(frozen=True, slots=True)
class Translated:
    """An expression that may be run.

    Attributes:
        text: as it was written.
        sql: the same for who runs it.
        columns: it reads, by their names in the table, in order.
        column: the one that it is, when it is no more than that.
        fields: of those columns, that it reads.
    """

    text: str
    sql: str
    columns: tuple[str, ...]
    column: str | None = None
    fields: tuple[str, ...] = ()


def translate(
    text: str,
    *,
    shape: Shape = Shape.ROW,
    known: Sequence[str] | None = None,
    parameters: Mapping[str, str] | None = None,
    fields: Sequence[str] | None = None,
) -> Translated:
    """Checks and translates one expression.

    Args:
        text: one expression in Databricks SQL.
        shape: what it may be.
        known: columns of the table; None takes every name.
        parameters: names in the text that stand for columns → those columns.
        fields: that those columns have; None takes every name.

    Raises:
        DataError: LM330 when it is not one expression, LM331 for a function and LM332 for another part of SQL
            that may not be used, LM333 for a column that the table lacks.
    """
    from lakemon_core.expressions.parse import parse
    from lakemon_core.expressions.rewrite import Rewriting

    if len(text) > MOST_CHARACTERS:
        raise DataError("LM330", f"an expression has {len(text)} characters;", cure=f"{MOST_CHARACTERS} do.")
    try:
        rewriting = Rewriting(text, shape, Columns(text, known, parameters or {}, fields))
        tree = parse(text)
        sql = rewriting.sql(tree)
    except RecursionError:
        raise DataError("LM330", f"{plain(text)!r} is nested too deeply.") from None
    columns = rewriting.columns
    return Translated(text, sql, tuple(columns.used), columns.alone(tree), tuple(columns.fields_used))
