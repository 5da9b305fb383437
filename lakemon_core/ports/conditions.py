"""Row filters, checked against the table they filter; a backend only has to write them in its own SQL."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import plain
from lakemon_core.ports.tables import Condition
from lakemon_core.profiling.table_types import check_columns, type_name

NULL_TESTS = ("is null", "is not null")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A condition that fits its table.

    Attributes:
        column: top-level column.
        part: field of it that is compared, where it is a struct; else None.
        op: as in `Condition`.
        kind: Arrow type in which column and values are compared.
        as_double: the column is of another type than `kind` and must be converted to a double first, since
            one of the values has no exact counterpart in the column's own type.
        values: on the right side, one unless `op` is `in`. NaN is left out, for it satisfies no comparison; a
            comparison without values is false. Empty for the null tests.
    """

    column: str
    part: str | None
    op: str
    kind: pa.DataType
    as_double: bool = False
    values: tuple[Any, ...] = ()

    @property
    def is_null_test(self) -> bool:
        """Whether it asks for nulls and not for values."""
        return self.op in NULL_TESTS


def comparison_of(condition: Condition, schema: pa.Schema, where: str) -> Comparison:
    """Returns a condition with the type it compares in.

    Args:
        schema: of the table, as rows are handed out.
        where: name of the table, for messages.

    Raises:
        DataError: LM302 for an unknown column, LM312 for a comparison that the column's type does not allow.
    """
    column, part, kind = _resolved(condition, schema, where)
    if condition.op in NULL_TESTS:
        return Comparison(column, part, condition.op, kind)
    values = [_fitted(value, condition.op, kind) for value in _values(condition, where)]
    for value in values:
        if not _comparable(value, kind):
            raise _refused(condition, f"{value!r} cannot be compared with {type_name(kind)}", where)
    as_double = any(_needs_double(value, kind) for value in values)
    wanted = tuple(value for value in values if not (isinstance(value, float) and math.isnan(value)))
    return Comparison(column, part, condition.op, pa.float64() if as_double else kind, as_double, wanted)


def _resolved(condition: Condition, schema: pa.Schema, where: str) -> tuple[str, str | None, pa.DataType]:
    """Returns the column, the field of a struct, and the type."""
    if isinstance(condition.column, str):
        check_columns([condition.column], schema, where)
        return condition.column, None, schema.field(condition.column).type
    column, part = condition.column
    check_columns([column], schema, where)
    struct = schema.field(column).type
    if not pa.types.is_struct(struct):
        raise _refused(condition, f"{plain(column)!r} is {type_name(struct)} and has no fields", where)
    fields = pa.schema(list(struct))
    check_columns([part], fields, f"{where} column {plain(column)}")
    return column, part, fields.field(part).type


def _values(condition: Condition, where: str) -> Sequence[Any]:
    if condition.op in COMPARISONS:
        return [condition.value]
    if condition.op != "in":
        known = ", ".join([*COMPARISONS, "in", *NULL_TESTS])
        raise _refused(condition, f"{condition.op!r} is none of {known}", where)
    if not isinstance(condition.value, tuple | list | set | frozenset):
        raise _refused(condition, "`in` wants a tuple of values", where)
    return list(condition.value)


def _fitted(value: Any, op: str, kind: pa.DataType) -> Any:
    """Returns the day that a moment means to a column of dates, which stand for their midnights in UTC."""
    if not (pa.types.is_date(kind) and isinstance(value, datetime) and value.tzinfo and op[0] in "<>"):
        return value
    moment = value.astimezone(UTC)
    midnight = datetime.combine(moment.date(), time(), UTC)
    begins_after = moment > midnight and op in {">=", "<"}
    return moment.date() + timedelta(days=begins_after)


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


def _refused(condition: Condition, why: str, where: str) -> DataError:
    column = ".".join((condition.column,) if isinstance(condition.column, str) else condition.column)
    return DataError("LM312", f"the filter on {plain(column)!r} makes no sense: {why};", where=where)
