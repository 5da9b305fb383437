"""Reads distributions out of the profile metrics: batch by batch, thinned as they come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, Tables
from lakemon_core.report.facts import Shape, Shapes

if TYPE_CHECKING:
    import pyarrow as pa

STORED = 1001
"""Quantiles of a profile row."""

FINE, COARSE = 21, 5
"""Quantiles that a page shows: of the baseline and small tables, and of many windows of many columns."""

MANY = 20_000
"""Rows of a profile from which quantiles are coarse, and items few."""

STORED_ITEMS = 100
"""Most levels of a profile row."""

_ITEMS = {FINE: STORED_ITEMS, COARSE: 10}
_COLUMNS = ("window", "granularity", "log_type", "column_name", "count", "quantiles", "frequent_items")


def read_shapes(
    tables: Tables,
    name: TableName,
    *,
    model_column: str,
    model_id: str,
    granularity: str,
    since: datetime | None = None,
) -> Shapes:
    """Reads how the values of every column lie, of the baseline and of each window of a granularity.

    Args:
        name: the profile metrics.
        model_column: name of the column that holds the model id.
        model_id: version, or `*`; the baseline of all versions stands in for one it does not know.
        since: windows that ended before are left out.
    """
    if not tables.exists(name):
        return Shapes()
    whole = Condition("slice_key", "is null")
    rows = [Condition("log_type", "=", "INPUT"), Condition("granularity", "=", granularity), whole]
    rows.append(Condition(model_column, "=", model_id))
    rows += [Condition(("window", "end"), ">", since)] if since else []
    reference = [Condition("log_type", "=", "BASELINE"), whole]
    baseline: dict[str, Shape] = {}
    windows: dict[tuple[str, datetime], Shape] = {}
    for model in dict.fromkeys(("*", model_id)):
        own = [*reference, Condition(model_column, "=", model)]
        _read(tables, name, own, FINE, lambda row, shape: baseline.update({row["column_name"]: shape}))
    count = sum(batch.num_rows for batch in tables.scan(name, columns=["column_name"], where=rows))
    points = FINE if count <= MANY else COARSE
    _read(
        tables, name, rows, points,
        lambda row, shape: windows.update({(row["column_name"], row["window"]["start"]): shape}),
    )  # fmt: skip
    return Shapes(baseline, windows)


def _read(
    tables: Tables,
    name: TableName,
    where: list[Condition],
    points: int,
    keep: Callable[[Mapping[str, Any], Shape], object],
) -> None:
    for batch in tables.scan(name, columns=_COLUMNS, where=where):
        for row in _thinned(batch, points).to_pylist():
            shape = _shape(row, points)
            if shape:
                keep(row, shape)


def _thinned(batch: pa.RecordBatch, points: int) -> pa.Table:
    """Takes a few of the quantiles before anything becomes a Python object."""
    import pyarrow as pa
    import pyarrow.compute as pc

    quantiles = batch.column("quantiles")
    full = pc.equal(pc.list_value_length(quantiles), STORED)
    lists = pc.if_else(full, quantiles, pa.scalar(None, quantiles.type))
    flat = pc.list_flatten(lists)
    step = (STORED - 1) // (points - 1)
    offsets = pa.array(range(0, len(flat), STORED), pa.int64())
    thin = [pc.take(flat, pc.add(offsets, number * step)) for number in range(points)]
    places = pc.if_else(
        full, pc.subtract(pc.cumulative_sum(pc.cast(pc.fill_null(full, False), pa.int64())), 1), None
    )
    table = pa.Table.from_batches([batch]).drop_columns(["quantiles"])
    for number, values in enumerate(thin):
        table = table.append_column(f"q{number}", pc.take(values, places))
    return table


def _shape(row: Mapping[str, Any], points: int) -> Shape | None:
    if row["q0"] is not None:
        return Shape(row["count"], quantiles=tuple(row[f"q{number}"] for number in range(points)))
    items = row["frequent_items"]
    if not items:
        return None
    most = tuple((str(one["item"]), one["count"]) for one in items[: _ITEMS[points]])
    return Shape(row["count"], items=most, is_complete=len(items) < min(STORED_ITEMS, _ITEMS[points] + 1))
