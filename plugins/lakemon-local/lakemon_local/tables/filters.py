"""Row filters as DataFusion SQL.

Two rules make a filter give the same rows however the files are cut, whatever the engine skips by statistics:
a null satisfies no comparison, and neither does NaN. Decimals are compared as doubles.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain, quote
from lakemon_core.ports import Condition
from lakemon_core.profiling.table_types import check_columns, type_name

_COMPARISONS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NULL_TESTS = {"is null": "IS NOT DISTINCT FROM NULL", "is not null": "IS DISTINCT FROM NULL"}
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
    return " AND ".join(f"({_sql(condition, schema, where)})" for condition in conditions) or None


def _sql(condition: Condition, schema: pa.Schema, where: str) -> str:
    expression, kind = _resolve(condition, schema, where)
    if condition.op in _NULL_TESTS:
        return f"{expression} {_NULL_TESTS[condition.op]}"
    values = _values(condition, where)
    if any(_needs_double(value, kind) for value in values):
        expression, kind = f"arrow_cast({expression}, 'Float64')", pa.float64()
    literals = [_literal(value, kind, condition, where) for value in values if not _is_nan(value)]
    if not literals:
        return "false"
    if condition.op == "in":
        return f"{expression} IN ({', '.join(literals)})"
    comparison = f"{expression} {_COMPARISONS[condition.op]} {literals[0]}"
    return f"{comparison} AND NOT isnan({expression})" if pa.types.is_floating(kind) else comparison


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


def _resolve(condition: Condition, schema: pa.Schema, where: str) -> tuple[str, pa.DataType]:
    """Returns the SQL of a column or of a field of a struct, and its type."""
    if isinstance(condition.column, str):
        check_columns([condition.column], schema, where)
        return quote(condition.column), schema.field(condition.column).type
    column, part = condition.column
    check_columns([column], schema, where)
    struct = schema.field(column).type
    if not pa.types.is_struct(struct):
        raise _refused(condition, f"{plain(column)!r} is {type_name(struct)} and has no fields", where)
    fields = pa.schema(list(struct))
    check_columns([part], fields, f"{where} column {plain(column)}")
    return f"{quote(column)}[{_text(part)}]", fields.field(part).type


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


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


def _literal(value: Any, kind: pa.DataType, condition: Condition, where: str) -> str:
    literal = _literal_of(value, kind)
    if literal is None:
        raise _refused(condition, f"{value!r} cannot be compared with {type_name(kind)}", where)
    return literal


def _literal_of(value: Any, kind: pa.DataType) -> str | None:
    """Returns a value as SQL of exactly the column's type; None when it is of another kind."""
    if isinstance(value, bool):
        return str(value).lower() if pa.types.is_boolean(kind) else None
    if isinstance(value, str):
        return _text(value) if pa.types.is_string(kind) else None
    if isinstance(value, datetime):
        return _moment(value) if pa.types.is_timestamp(kind) and value.tzinfo else None
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'" if pa.types.is_date(kind) else None
    if isinstance(value, Integral) and pa.types.is_integer(kind):
        return str(int(value))
    if isinstance(value, Real | Decimal) and pa.types.is_floating(kind):
        return f"arrow_cast('{float(value)!r}', '{'Float32' if pa.types.is_float32(kind) else 'Float64'}')"
    return None


def _moment(moment: datetime) -> str:
    micros = (moment.astimezone(UTC) - _EPOCH) // (datetime.resolution)
    return f"arrow_cast({micros}, 'Timestamp(Microsecond, Some(\"UTC\"))')"


def _text(value: str) -> str:
    return "'" + str(value).replace("'", "''") + "'"


def _refused(condition: Condition, why: str, where: str) -> DataError:
    column = ".".join((condition.column,) if isinstance(condition.column, str) else condition.column)
    return DataError("LM312", f"the filter on {plain(column)!r} makes no sense: {why};", where=where)
