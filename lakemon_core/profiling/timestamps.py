"""A column of timestamps or dates."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pyarrow as pa

from lakemon_core.profiling.numeric.summary import distinct_values, native

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, slots=True)
class TimestampSummary:
    """A timestamp or date column, in seconds since 1970-01-01 UTC; None where there are no values."""

    rows: int
    nulls: int
    distinct: int
    least: float | None = None
    most: float | None = None
    median: float | None = None

    @property
    def count(self) -> int:
        """Rows with a value."""
        return self.rows - self.nulls

    @property
    def size(self) -> int:
        """Rows with a value."""
        return self.count


def summarize_timestamps(column: pa.Array | pa.ChunkedArray) -> TimestampSummary:
    """Summarizes a column of timestamps or dates."""
    rows, nulls = len(column), column.null_count
    if rows == nulls:
        return TimestampSummary(rows, nulls, 0)
    days = pa.types.is_date32(column.type)
    ticks = np.sort(native(column.cast(pa.int32() if days else pa.int64())).astype(np.int64))
    middle = int(ticks[(len(ticks) - 1) // 2]) + int(ticks[len(ticks) // 2])
    length = _tick_seconds(column.type)
    return TimestampSummary(
        rows=rows,
        nulls=nulls,
        distinct=distinct_values(ticks),
        least=float(int(ticks[0]) * length),
        most=float(int(ticks[-1]) * length),
        median=float(middle * length / 2),
    )


def _tick_seconds(arrow_type: pa.DataType) -> Fraction:
    """Length of one step of a timestamp or date type, in seconds."""
    if pa.types.is_date32(arrow_type):
        return Fraction(86400)
    unit = "ms" if pa.types.is_date64(arrow_type) else arrow_type.unit
    return Fraction(1, _PER_SECOND[unit])
