"""Row filters as Databricks SQL.

A null satisfies no comparison, and neither does NaN, though Databricks takes NaN for the largest number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain
from lakemon_core.ports import Condition
from lakemon_core.profiling.table_types import check_columns, type_name
from lakemon_databricks.statements import Binding, column_sql
from lakemon_databricks.statements.sql_types import sql_type

_COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NULL_TESTS = {"is null": "IS NULL", "is not null": "IS NOT NULL"}


def predicate(conditions: Sequence[Condition], schema: pa.Schema, where: str, binding: Binding) -> str:
    """Returns a filter as SQL, its values as parameters; `true` when there is nothing to filter.

    Raises:
        DataError: LM302 for an unknown column, LM312 for a comparison that the column's type does not allow.
    """
    parts = [f"({_sql(condition, schema, where, binding)})" for condition in conditions]
    return " AND ".join(parts) or "true"


def _sql(condition: Condition, schema: pa.Schema, where: str, binding: Binding) -> str:
    column, kind = _resolve(condition, schema, where)
    if condition.op in _NULL_TESTS:
        return f"{column} {_NULL_TESTS[condition.op]}"
    values = _values(condition, where)
    for value in values:
        if not _comparable(value, kind):
            raise _refused(condition, f"{value!r} cannot be compared with {type_name(kind)}", where)
    if any(_needs_double(value, kind) for value in values):
        column, kind = f"CAST({column} AS DOUBLE)", pa.float64()
    wanted = [_bound(value, kind, binding) for value in values if not _is_nan(value)]
    if not wanted:
        return "false"
    if condition.op == "in":
        return f"{column} IN ({', '.join(wanted)})"
    comparison = f"{column} {_COMPARISONS[condition.op]} {wanted[0]}"
    return f"{comparison} AND NOT isnan({column})" if pa.types.is_floating(kind) else comparison


def _resolve(condition: Condition, schema: pa.Schema, where: str) -> tuple[str, pa.DataType]:
    """Returns the SQL of a column or of a field of a struct, and its type."""
    if isinstance(condition.column, str):
        check_columns([condition.column], schema, where)
        return column_sql(condition.column), schema.field(condition.column).type
    column, part = condition.column
    check_columns([column], schema, where)
    struct = schema.field(column).type
    if not pa.types.is_struct(struct):
        raise _refused(condition, f"{plain(column)!r} is {type_name(struct)} and has no fields", where)
    fields = pa.schema(list(struct))
    check_columns([part], fields, f"{where} column {plain(column)}")
    return f"{column_sql(column)}.{column_sql(part)}", fields.field(part).type


def _values(condition: Condition, where: str) -> Sequence[Any]:
    """Returns the values on the right side, one unless the operator is `in`."""
    if condition.op in _COMPARISONS:
        return [condition.value]
    if condition.op != "in":
        known = ", ".join([*_COMPARISONS, "in", *_NULL_TESTS])
        raise _refused(condition, f"{condition.op!r} is none of {known}", where)
    if not isinstance(condition.value, tuple | list | set | frozenset):
        raise _refused(condition, "`in` wants a tuple of values", where)
    return list(condition.value)


def _comparable(value: Any, kind: pa.DataType) -> bool:
    """Whether a value is of the kind that a column holds; numbers compare with all numbers."""
    match value:
        case bool():
            return pa.types.is_boolean(kind)
        case str():
            return pa.types.is_string(kind)
        case datetime():
            return pa.types.is_timestamp(kind) and value.tzinfo is not None
        case date():
            return pa.types.is_date(kind)
        case Real() | Decimal():
            return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
        case _:
            return False


def _needs_double(value: Any, kind: pa.DataType) -> bool:
    """Whether a number has no exact counterpart in the column's type: then both are compared as doubles."""
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return False
    if pa.types.is_decimal(kind):
        return True
    if not pa.types.is_integer(kind):
        return False
    reach = 1 << (kind.bit_width - 1)
    return not isinstance(value, Integral) or not -reach <= value < reach


def _bound(given: Any, kind: pa.DataType, binding: Binding) -> str:
    value: Any = float(given) if pa.types.is_floating(kind) else given
    return f"CAST({binding.add(value)} AS {sql_type(kind)})"


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def _refused(condition: Condition, why: str, where: str) -> DataError:
    column = ".".join((condition.column,) if isinstance(condition.column, str) else condition.column)
    return DataError("LM312", f"the filter on {plain(column)!r} makes no sense: {why};", where=where)
