"""Row filters as DataFusion SQL.

Two rules make a filter give the same rows however the files are cut, whatever the engine skips by statistics:
a null satisfies no comparison, and neither does NaN. Decimals are compared as doubles.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from lakemon_core.domain.names import quote
from lakemon_core.ports import Condition
from lakemon_core.ports.conditions import Comparison, comparison_of

_OPERATORS = {"!=": "<>", "is null": "IS NOT DISTINCT FROM NULL", "is not null": "IS DISTINCT FROM NULL"}
"""Delta's file skipping does not know `IS NULL` on nested columns, but understands these."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def predicate(conditions: Sequence[Condition], schema: pa.Schema, where: str) -> str | None:
    """Returns the filter as SQL; None when there is nothing to filter.

    Args:
        conditions: all of them must hold.
        schema: of the table, as rows are handed out.
        where: name of the table, for messages.

    Raises:
        DataError: LM302 for an unknown column, LM312 for a comparison that the column's type does not allow.
    """
    comparisons = [comparison_of(condition, schema, where) for condition in conditions]
    return " AND ".join(f"({_sql(comparison)})" for comparison in comparisons) or None


def _sql(comparison: Comparison) -> str:
    expression = quote(comparison.column)
    if comparison.part is not None:
        expression = f"{expression}[{_text(comparison.part)}]"
    operator = _OPERATORS.get(comparison.op, comparison.op)
    if comparison.is_null_test:
        return f"{expression} {operator}"
    if comparison.as_double:
        expression = f"arrow_cast({expression}, 'Float64')"
    literals = [_literal(value, comparison.kind) for value in comparison.values]
    if not literals:
        return "false"
    if comparison.op == "in":
        return f"{expression} IN ({', '.join(literals)})"
    sql = f"{expression} {operator} {literals[0]}"
    return f"{sql} AND NOT isnan({expression})" if pa.types.is_floating(comparison.kind) else sql


def _literal(value: Any, kind: pa.DataType) -> str:
    """Returns a value as SQL of exactly the type that is compared in."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, datetime):
        micros = (value.astimezone(UTC) - _EPOCH) // datetime.resolution
        return f"arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if pa.types.is_floating(kind):
        return f"arrow_cast('{float(value)!r}', '{'Float32' if pa.types.is_float32(kind) else 'Float64'}')"
    return str(int(value))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
