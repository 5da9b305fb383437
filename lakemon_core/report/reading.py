"""Reads distributions out of the profile metrics: batch by batch, thinned as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.names import TableName
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.window import Window
from lakemon_core.ports import Condition, Distribution, Measured, MeasuredWindow, Tables
from lakemon_core.report.facts import TABLE, Shape, Shapes

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

_WHOLE = Condition("slice_key", "is null")
_ITEMS = {FINE: STORED_ITEMS, COARSE: 10}
_COLUMNS = ("window", "granularity", "log_type", "column_name", "count", "quantiles", "frequent_items")


@dataclass(frozen=True, slots=True)
class Place:
    """Which rows of the profile metrics a report tells.

    Attributes:
        name: the profile metrics.
        model_column: name of the column that holds the model id.
        model_id: version, or `*`; the baseline of all versions stands in for one it does not know.
        granularity: e.g. `1 day`.
        since: windows that ended before are left out.
    """

    name: TableName
    model_column: str
    model_id: str
    granularity: str
    since: datetime | None = None

    @property
    def windows(self) -> list[Condition]:
        """The rows of windows, of all rows of the version."""
        rows = [Condition("log_type", "=", "INPUT"), Condition("granularity", "=", self.granularity), _WHOLE]
        rows.append(Condition(self.model_column, "=", self.model_id))
        return rows + ([Condition(("window", "end"), ">", self.since)] if self.since else [])

    @property
    def baselines(self) -> Iterator[list[Condition]]:
        """The rows of the baseline: of all versions, then of this one, which counts where it is there."""
        for model in dict.fromkeys(("*", self.model_id)):
            yield [Condition("log_type", "=", "BASELINE"), _WHOLE, Condition(self.model_column, "=", model)]


def read_shapes(tables: Tables, place: Place) -> Shapes:
    """Reads how the values of every column lie, of the baseline and of each window of a granularity."""
    name = place.name
    if not tables.exists(name):
        return Shapes()
    baseline: dict[str, Shape] = {}
    windows: dict[tuple[str, datetime], Shape] = {}
    for own in place.baselines:
        _read(tables, name, own, FINE, lambda row, shape: baseline.update({row["column_name"]: shape}))
    count = sum(batch.num_rows for batch in tables.scan(name, columns=["column_name"], where=place.windows))
    points = FINE if count <= MANY else COARSE
    _read(
        tables, name, place.windows, points,
        lambda row, shape: windows.update({(row["column_name"], row["window"]["start"]): shape}),
    )  # fmt: skip
    return Shapes(baseline, windows)


def read_measured(
    tables: Tables, place: Place, fields: Sequence[str], signals: Sequence[Signal], shapes: Shapes
) -> Measured:
    """Reads what a model type makes its panels of.

    Args:
        fields: names of the columns of `ModelType.quality_fields`.
        signals: all; those of the place are taken.
        shapes: of the same place; the newest window of them is taken.
    """
    chosen = [
        one
        for one in signals
        if one.granularity == place.granularity
        and one.model_id == place.model_id
        and (place.since is None or one.window is None or one.window.end > place.since)
    ]
    if not tables.exists(place.name):
        return Measured(place.granularity, signals=chosen)
    known = set(tables.info(place.name).schema.names)
    columns = ["window", *(name for name in fields if name in known)]
    whole = Condition("column_name", "=", TABLE)
    rows = tables.scan(place.name, columns=columns, where=[*place.windows, whole]).read_all().to_pylist()
    windows = [MeasuredWindow(_window(row.pop("window")), row) for row in rows]
    baseline: dict[str, object] = {}
    for own in place.baselines:
        found = tables.scan(place.name, columns=columns[1:], where=[*own, whole]).read_all().to_pylist()
        baseline |= found[-1] if found else {}
    newest = max((start for _, start in shapes.windows), default=None)
    return Measured(
        place.granularity,
        sorted(windows, key=lambda one: one.window),
        baseline,
        chosen,
        {
            column: Distribution(shape.n, shape.quantiles)
            for (column, start), shape in shapes.windows.items()
            if start == newest and shape.quantiles
        },
    )


def _window(span: Mapping[str, Any]) -> Window:
    return Window(span["start"], span["end"])


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
