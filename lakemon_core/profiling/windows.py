"""Timestamps to their windows, and a table to the rows of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.profiling.levels import as_chunked
from lakemon_core.profiling.parts import Parts, some_rows

Moments = npt.NDArray[np.datetime64]
Positions = npt.NDArray[np.int64]

_SECOND = 10**6
_NANOSECONDS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "day": 86_400 * 10**9}
_CALENDAR = {"1 month": "datetime64[M]", "1 year": "datetime64[Y]"}


def _microseconds(moment: str) -> int:
    return int(np.datetime64(moment, "us").astype(np.int64))


_BLOCK = 1024
"""Rows that are looked at together."""
_MONDAY = _microseconds("1970-01-05")
_FIRST, _LAST = _microseconds("0002-01-01"), _microseconds("9998-01-01")


def window_starts(timestamps: pa.Array | pa.ChunkedArray, granularity: Granularity) -> Moments:
    """Returns the start of each timestamp's window, UTC, as `granularity.window` would; NaT for nulls.

    Rows that lie together and share a window, as those of most files do, cost a look at their extremes.

    Args:
        timestamps: timestamps of any unit and zone, naive ones read as UTC, or dates.
        granularity: length of the windows.

    Raises:
        DataError: LM304 for other types, LM350 for timestamps outside the years 2 to 9997.
    """
    column = as_chunked(timestamps)
    ticks = _ticks(column)
    whole = len(ticks) // _BLOCK * _BLOCK
    blocks = ticks[:whole].reshape(-1, _BLOCK)
    first, last = _starts(blocks.min(axis=1), granularity), _starts(blocks.max(axis=1), granularity)
    starts = np.concatenate([np.repeat(first, _BLOCK), _starts(ticks[whole:], granularity)])
    mixed = first != last
    starts[:whole].reshape(-1, _BLOCK)[mixed] = _starts(blocks[mixed], granularity)
    if column.null_count:
        starts[column.is_null().to_numpy()] = np.datetime64("NaT")
    return starts


def _starts(ticks: Positions, granularity: Granularity) -> Moments:
    if granularity.seconds is None:
        return ticks.astype("datetime64[us]").astype(_CALENDAR[granularity.text]).astype("datetime64[us]")
    return (ticks - (ticks - _MONDAY) % (granularity.seconds * _SECOND)).astype("datetime64[us]")


def count_by_window(
    timestamps: pa.Array | pa.ChunkedArray, granularity: Granularity
) -> list[tuple[Window, int]]:
    """Returns the windows of timestamps, in order, with how many lie in each; nulls lie in none.

    Raises:
        DataError: as `window_starts`.
    """
    starts = window_starts(timestamps, granularity)
    starts = starts[~np.isnat(starts)]
    edges = np.flatnonzero(np.append(True, starts[1:] != starts[:-1])[: len(starts)])
    found, place = np.unique(starts[edges], return_inverse=True)
    counts = np.bincount(place, weights=np.diff(edges, append=len(starts))).astype(np.int64)
    windows = (granularity.window(_moment(start)) for start in found)
    return list(zip(windows, counts.tolist(), strict=True))


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
    known = column.cast(own).fill_null(0) if column.null_count else column.cast(own)
    ticks = known.to_numpy().astype(np.int64, copy=False)
    length = _NANOSECONDS[unit]
    first, last = _FIRST * 1000 // length, _LAST * 1000 // length
    if len(ticks) and not first <= ticks.min() <= ticks.max() < last:
        outside = np.count_nonzero((ticks < first) | (ticks >= last))
        raise DataError(
            "LM350",
            f"{outside} timestamps lie outside the years 2 to 9997;",
            cure="correct these rows or leave them out.",
        )
    if unit == "us":
        return ticks
    return ticks // 1000 if unit == "ns" else ticks * (length // 1000)


def window_numbers(
    timestamps: pa.Array | pa.ChunkedArray, granularity: Granularity, windows: Sequence[Window]
) -> Positions:
    """Returns the place of each timestamp's window among some windows, -1 for those that lie in none.

    Args:
        timestamps: as for `window_starts`.
        granularity: of the windows.
        windows: in order; at least one.

    Raises:
        DataError: as `window_starts`.
    """
    starts = window_starts(timestamps, granularity)
    wanted = np.array([_naive(window.start) for window in windows], dtype="datetime64[us]")
    place = np.minimum(np.searchsorted(wanted, starts), len(wanted) - 1)
    place[wanted[place] != starts] = -1
    return place


def split(rows: pa.Table, granularity: Granularity, timestamp: str) -> Iterator[tuple[Window, pa.Table]]:
    """Yields each window that holds rows, in order, with its rows; those without a timestamp are in none.

    Args:
        rows: in any order.
        granularity: length of the windows.
        timestamp: name of the timestamp column.

    Raises:
        DataError: as `window_starts`.
    """
    starts = window_starts(rows.column(timestamp), granularity)
    found = np.unique(starts[~np.isnat(starts)])
    codes = np.searchsorted(found, starts)
    codes[np.isnat(starts)] = -1
    parts = Parts.of(codes, len(found))
    for start, members in zip(found, parts, strict=True):
        yield granularity.window(_moment(start)), some_rows(rows, members)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _moment(start: np.datetime64) -> datetime:
    return cast("datetime", start.item()).replace(tzinfo=UTC)
