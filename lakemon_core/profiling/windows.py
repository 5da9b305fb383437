"""Timestamps to their windows, and a table to the rows of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.profiling.levels import as_chunked, missing_rows
from lakemon_core.profiling.parts import Parts, some_rows

Moments = npt.NDArray[np.datetime64]
Positions = npt.NDArray[np.int64]
Label = TypeVar("Label", np.datetime64, np.int64)

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
    starts = _by_block(ticks_of(column), lambda ticks: _starts(ticks, granularity))
    if column.null_count:
        starts[missing_rows(column)] = np.datetime64("NaT", "us")
    return starts


def count_by_window(
    timestamps: pa.Array | pa.ChunkedArray, granularity: Granularity
) -> list[tuple[Window, int]]:
    """Returns the windows of timestamps, in order, with how many lie in each; nulls lie in none.

    Raises:
        DataError: as `window_starts`.
    """
    blocks, rest = _blocks(ticks_of(as_chunked(timestamps).drop_null()))
    first, last = _starts(blocks.min(axis=1), granularity), _starts(blocks.max(axis=1), granularity)
    mixed = first != last
    single = _starts(np.append(blocks[mixed], rest), granularity)
    found, place = np.unique(np.append(first[~mixed], single), return_inverse=True)
    rows = np.append(np.full(len(first) - np.count_nonzero(mixed), _BLOCK), np.ones(len(single)))
    counts = np.bincount(place, weights=rows).astype(np.int64).tolist()
    return [(granularity.window(_moment(start)), count) for start, count in zip(found, counts, strict=True)]


def _by_block(ticks: Positions, label: Callable[[Positions], npt.NDArray[Label]]) -> npt.NDArray[Label]:
    """Returns `label(ticks)`; it must not fall as ticks rise, so all between two of one label have it."""
    blocks, rest = _blocks(ticks)
    first, last = label(blocks.min(axis=1)), label(blocks.max(axis=1))
    found = np.concatenate([np.repeat(first, _BLOCK), label(rest)])
    mixed = first != last
    found[: blocks.size].reshape(-1, _BLOCK)[mixed] = label(blocks[mixed])
    return found


def _blocks(ticks: Positions) -> tuple[Positions, Positions]:
    """Returns ticks in rows of a block each, and those that are left."""
    whole = len(ticks) // _BLOCK * _BLOCK
    return ticks[:whole].reshape(-1, _BLOCK), ticks[whole:]


def _starts(ticks: Positions, granularity: Granularity) -> Moments:
    if granularity.seconds is None:
        return ticks.astype("datetime64[us]").astype(_CALENDAR[granularity.text]).astype("datetime64[us]")
    return (ticks - (ticks - _MONDAY) % (granularity.seconds * _SECOND)).astype("datetime64[us]")


def ticks_of(column: pa.ChunkedArray) -> Positions:
    """Returns microseconds since 1970, UTC, rounded down; 0 for nulls.

    Raises:
        DataError: as `window_starts`.
    """
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


def window_numbers(timestamps: pa.Array | pa.ChunkedArray, windows: Sequence[Window]) -> Positions:
    """Returns the place of each timestamp's window among some windows, -1 for those that lie in none.

    Args:
        timestamps: as for `window_starts`.
        windows: in order, none overlapping; at least one.

    Raises:
        DataError: as `window_starts`.
    """
    column = as_chunked(timestamps)
    edges = np.array([_naive(edge) for window in windows for edge in (window.start, window.end)])
    ends = edges.astype("datetime64[us]").astype(np.int64)
    passed = _by_block(ticks_of(column), lambda ticks: np.searchsorted(ends, ticks, side="right"))
    number_of = np.full(len(ends) + 1, -1)
    number_of[1::2] = np.arange(len(windows))
    numbers = number_of[passed]
    if column.null_count:
        numbers[missing_rows(column)] = -1
    return numbers


def split(rows: pa.Table, windows: Sequence[Window], timestamp: str) -> Iterator[tuple[Window, pa.Table]]:
    """Yields each of some windows with its rows; those that lie in no window are left out.

    Args:
        rows: in any order.
        windows: in order, none overlapping; at least one.
        timestamp: name of the timestamp column.

    Raises:
        DataError: as `window_starts`.
    """
    parts = Parts.of(window_numbers(rows.column(timestamp), windows), len(windows))
    for window, members in zip(windows, parts, strict=True):
        yield window, some_rows(rows, members)


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _moment(start: np.datetime64) -> datetime:
    return cast("datetime", start.item()).replace(tzinfo=UTC)
