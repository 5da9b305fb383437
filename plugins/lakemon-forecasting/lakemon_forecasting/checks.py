"""What may be wrong with the times and series of forecasts."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from lakemon_core.domain.errors import did_you_mean
from lakemon_core.profiling.columns import Kind, kind_of
from lakemon_forecasting.config import ForecastingConfig


def time_problems(rows: pa.Table, config: ForecastingConfig) -> Iterator[str]:
    """Yields what is wrong with series, horizon and origin, one sentence each."""
    if not len(rows):
        return
    for column in filter(None, (*config.series, config.horizon_col, config.issued_at_col)):
        if column not in rows.schema.names:
            yield f"there is no column {column!r}. {did_you_mean(column, rows.schema.names)}"
        elif missing := rows.column(column).null_count:
            yield f"{column} is null in {missing} of {len(rows)} rows"
    late = _issued_after(rows, config)
    if late:
        yield f"{config.issued_at_col} lies after {config.timestamp_col} in {late} of {len(rows)} rows"


def _issued_after(rows: pa.Table, config: ForecastingConfig) -> int:
    """Counts the forecasts that were made after the time they are for."""
    issued_col, target_col = config.issued_at_col, config.timestamp_col
    if issued_col is None or not {issued_col, target_col} <= set(rows.schema.names):
        return 0
    issued, target = rows.column(issued_col), rows.column(target_col)
    if kind_of(issued.type) is not Kind.TIMESTAMP or kind_of(target.type) is not Kind.TIMESTAMP:
        return 0
    moment = pa.timestamp("us")
    after = pc.greater(_naive(issued).cast(moment, safe=False), _naive(target).cast(moment, safe=False))
    return pc.sum(after).as_py() or 0


def _naive(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Returns moments as naive UTC: those with and without zone compare."""
    zoned = pa.types.is_timestamp(column.type) and column.type.tz is not None
    return column.cast(pa.timestamp(column.type.unit)) if zoned else column
