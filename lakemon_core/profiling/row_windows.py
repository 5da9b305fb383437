"""Moments to windows of so many rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import cast

import numpy as np
import pyarrow as pa

from lakemon_core.domain.window import FILLING, Window
from lakemon_core.profiling.levels import as_chunked
from lakemon_core.profiling.windows import Positions, ticks_of

_EXACT = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def sorted_ticks(timestamps: pa.Array | pa.ChunkedArray) -> Positions:
    """Returns microseconds since 1970, UTC, in order of time, nulls left out.

    Raises:
        DataError: as `window_starts`.
    """
    return np.sort(ticks_of(as_chunked(timestamps).drop_null()))


def first_moment(timestamps: pa.Array | pa.ChunkedArray, start: datetime | None = None) -> datetime | None:
    """Returns the earliest moment, from a start on; None without one.

    Raises:
        DataError: as `window_starts`.
    """
    ticks = ticks_of(as_chunked(timestamps).drop_null())
    kept = ticks if start is None else ticks[ticks >= (start - _EPOCH) // _EXACT]
    return _moment(kept.min()) if len(kept) else None


class Cutter:
    """Cuts rows, in order of time, into windows of so many rows.

    A window starts at the moment of its first row and ends just after that of the row that fills it. Rows of
    one moment are never torn apart, so it may hold more. Its bounds alone say which rows are in it.

    Args:
        size: rows that fill a window, at least 1.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._full: dict[Window, int] = {}
        self._filling: tuple[datetime, int] | None = None

    def take(self, ticks: Positions) -> None:
        """Adds rows that are later than all before, in order, in microseconds since 1970 UTC."""
        first = 0
        while first < len(ticks):
            start, before = self._filling or (_moment(ticks[first]), 0)
            filled = first + self._size - before
            if filled > len(ticks):
                self._filling = start, before + len(ticks) - first
                return
            last = ticks[filled - 1]
            following = int(np.searchsorted(ticks, last, side="right"))
            self._full[Window(start, _moment(last) + _EXACT)] = before + following - first
            self._filling, first = None, following

    def windows(self) -> dict[Window, int]:
        """Returns the windows, in order, with their rows; one that is not full ends at `FILLING`."""
        if self._filling is None:
            return dict(self._full)
        start, rows = self._filling
        return {**self._full, Window(start, FILLING): rows}


def _moment(tick: np.int64) -> datetime:
    return cast("datetime", tick.astype("datetime64[us]").item()).replace(tzinfo=UTC)
