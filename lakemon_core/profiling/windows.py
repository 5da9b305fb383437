"""Timestamps to the starts of their windows, and a table to its groups of rows by window and model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.profiling.kinds import is_text
from lakemon_core.profiling.levels import as_chunked, encode

Moments = npt.NDArray[np.datetime64]
Positions = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]

ALL_MODELS = "*"
"""The model id that stands for all models together."""

_SECOND = 10**6
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "day": 86_400 * 10**9}
_CALENDAR = {"1 month": "datetime64[M]", "1 year": "datetime64[Y]"}


def _microseconds(moment: str) -> int:
    return int(np.datetime64(moment, "us").astype(np.int64))


_MONDAY = _microseconds("1970-01-05")
_FIRST, _LAST = _microseconds("0002-01-01"), _microseconds("9998-01-01")


def window_starts(timestamps: pa.Array | pa.ChunkedArray, granularity: Granularity) -> Moments:
    """Returns the start of each timestamp's window, UTC, as `granularity.window` would; NaT for nulls.

    Args:
        timestamps: timestamps of any unit and zone, naive ones read as UTC, or dates.
        granularity: length of the windows.

    Raises:
        DataError: LM304 for other types, LM350 for timestamps outside the years 2 to 9997.
    """
    column = as_chunked(timestamps)
    ticks = _ticks(column)
    if granularity.seconds is None:
        starts = ticks.astype("datetime64[us]").astype(_CALENDAR[granularity.text]).astype("datetime64[us]")
    else:
        starts = (ticks - (ticks - _MONDAY) % (granularity.seconds * _SECOND)).astype("datetime64[us]")
    if column.null_count:
        starts[column.is_null().to_numpy()] = np.datetime64("NaT")
    return starts


def _ticks(column: pa.ChunkedArray) -> Positions:
    """Microseconds since 1970, rounded down; 0 for nulls."""
    kind = column.type
    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise DataError(
            "LM304",
            f"windows need timestamps, but the column is {kind};",
            cure="store the timestamp column as timestamp or date.",
        )
    unit = "day" if pa.types.is_date32(kind) else "ms" if pa.types.is_date64(kind) else str(kind.unit)
    own = pa.int32() if unit == "day" else pa.int64()
    ticks = column.cast(own).fill_null(0).to_numpy().astype(np.int64)
    length = _NANOSECONDS[unit]
    outside = (ticks < _FIRST * 1000 // length) | (ticks >= _LAST * 1000 // length)
    if outside.any():
        raise DataError(
            "LM350",
            f"{int(outside.sum())} timestamps lie outside the years 2 to 9997;",
            cure="correct these rows or leave them out.",
        )
    return ticks // 1000 if unit == "ns" else ticks * (length // 1000)


@dataclass(frozen=True, slots=True)
class Split:
    """A table in groups: iterate for `(window, model id, rows)`, by window, in each `*` and then each model.

    Attributes:
        rows: all rows with a timestamp, by window, else in their order; text is dictionary-encoded.
        windows: the windows that hold rows, in order.
        models: the model ids, as text, in order.
        edges: where the rows of each window start, and the number of rows.
        codes: of each row: position of its model, -1 without one.
        undated: rows without a timestamp; they are in no group.
    """

    rows: pa.Table
    windows: tuple[Window, ...]
    models: tuple[str, ...]
    edges: Positions
    codes: Codes
    undated: int

    def __iter__(self) -> Iterator[tuple[Window, str, pa.Table]]:
        """Yields the groups; a window with one model yields the same table twice."""
        bounds = zip(self.edges[:-1].tolist(), self.edges[1:].tolist(), strict=True)
        for window, (first, last) in zip(self.windows, bounds, strict=True):
            rows = self.rows.slice(first, last - first).combine_chunks()
            yield window, ALL_MODELS, rows
            for model, part in _by_model(rows, self.codes[first:last], self.models):
                yield window, model, part


def split(rows: pa.Table, granularity: Granularity, timestamp: str, model_id: str | None = None) -> Split:
    """Splits rows by window and model; rows that come in order of time are not moved.

    Rows without a model id belong to `*` only.

    Args:
        rows: with the two columns, in any order.
        granularity: length of the windows.
        timestamp: name of the timestamp column.
        model_id: name of the model id column; None yields `*` only.

    Raises:
        DataError: as `window_starts`.
    """
    starts = window_starts(rows.column(timestamp), granularity)
    dated = ~np.isnat(starts)
    undated = len(starts) - int(np.count_nonzero(dated))
    if undated:
        rows, starts = rows.filter(pa.array(dated)), starts[dated]
    rows = _with_dictionaries(rows)
    if (starts[1:] < starts[:-1]).any():
        order = np.argsort(starts, kind="stable")
        rows, starts = rows.combine_chunks().take(pa.array(order)), starts[order]
    edges = np.concatenate([[0], np.flatnonzero(starts[1:] != starts[:-1]) + 1, [len(starts)]])
    edges = np.unique(edges)
    codes, models = _models(rows, model_id)
    windows = tuple(granularity.window(_moment(start)) for start in starts[edges[:-1]])
    return Split(rows, windows, models, edges, codes, undated)


def split_models(rows: pa.Table, model_id: str | None = None) -> Iterator[tuple[str, pa.Table]]:
    """Yields `*` with all rows, then each model id, as text and in order, with its rows."""
    codes, models = _models(rows, model_id)
    rows = _with_dictionaries(rows).combine_chunks()
    yield ALL_MODELS, rows
    yield from _by_model(rows, codes, models)


def _by_model(rows: pa.Table, codes: Codes, models: tuple[str, ...]) -> Iterator[tuple[str, pa.Table]]:
    """Yields the rows of each model that has some; those of an only model are the same table."""
    for code, model in enumerate(models):
        own = codes == code
        count = int(np.count_nonzero(own))
        if count:
            yield model, rows if count == len(rows) else rows.filter(pa.array(own))


def _models(rows: pa.Table, model_id: str | None) -> tuple[Codes, tuple[str, ...]]:
    """Returns per row the position of its model id among the sorted ones, -1 for null."""
    if model_id is None:
        return np.full(len(rows), -1, dtype=np.int32), ()
    encoded = encode(rows.column(model_id))
    levels = encoded.levels.to_pylist()
    occurring = np.flatnonzero(np.bincount(encoded.codes[encoded.codes >= 0], minlength=len(levels)))
    models = sorted(levels[code] for code in occurring)
    place = {model: code for code, model in enumerate(models)}
    rank = np.array([place.get(level, -1) for level in levels] + [-1], dtype=np.int32)
    return rank[encoded.codes], tuple(models)


def _with_dictionaries(rows: pa.Table) -> pa.Table:
    """Text as codes of one dictionary a column: cheap to sort, and to count in every group."""
    for place, field in enumerate(rows.schema):
        if is_text(field.type):
            rows = rows.set_column(place, field.name, rows.column(place).dictionary_encode())
    return rows


def _moment(start: np.datetime64) -> datetime:
    return cast("datetime", start.item()).replace(tzinfo=UTC)
