"""Row filters as Databricks SQL.

A null satisfies no comparison, and neither does NaN, though Databricks takes NaN for the largest number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from lakemon_core.ports import Condition
from lakemon_core.ports.conditions import Comparison, comparison_of
from lakemon_databricks.statements import Binding, column_sql
from lakemon_databricks.statements.sql_types import sql_type

_OPERATORS = {"!=": "<>", "is null": "IS NULL", "is not null": "IS NOT NULL"}
"""Those that SQL writes in another way."""


def predicate(conditions: Sequence[Condition], schema: pa.Schema, where: str, binding: Binding) -> str:
    """Returns a filter as SQL, its values as parameters; `true` when there is nothing to filter.

    Raises:
        DataError: LM302 for an unknown column, LM312 for a comparison that the column's type does not allow.
    """
    comparisons = [comparison_of(condition, schema, where) for condition in conditions]
    return " AND ".join(f"({_sql(comparison, binding)})" for comparison in comparisons) or "true"


def _sql(comparison: Comparison, binding: Binding) -> str:
    column = column_sql(comparison.column)
    if comparison.part is not None:
        column = f"{column}.{column_sql(comparison.part)}"
    operator = _OPERATORS.get(comparison.op, comparison.op)
    if comparison.is_null_test:
        return f"{column} {operator}"
    if comparison.as_double:
        column = f"CAST({column} AS DOUBLE)"
    wanted = [_bound(value, comparison.kind, binding) for value in comparison.values]
    if not wanted:
        return "false"
    if comparison.op == "in":
        return f"{column} IN ({', '.join(wanted)})"
    sql = f"{column} {operator} {wanted[0]}"
    return f"{sql} AND NOT isnan({column})" if pa.types.is_floating(comparison.kind) else sql


def _bound(given: Any, kind: pa.DataType, binding: Binding) -> str:
    value: Any = float(given) if pa.types.is_floating(kind) else given
    return f"CAST({binding.add(value)} AS {sql_type(kind)})"
