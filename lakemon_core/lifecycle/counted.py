"""Windows of so many rows: a row more or less moves the bounds of all windows after it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from lakemon_core.domain.window import FILLING, Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.table_windows import (
    Due,
    WindowRows,
    between,
    chunks,
    existing_windows,
    starting_at,
)
from lakemon_core.ports import Condition

if TYPE_CHECKING:
    import pyarrow as pa

UNFINISHED = -1
"""In place of a version: windows were being written, and nothing tells which of them are."""

_HOUR = Granularity("1 hour")


def measured_windows(context: RunContext, granularity: Granularity) -> WindowRows:
    """Returns the windows that were measured, in order, with their rows."""
    name = context.monitor.metric_table("profile_metrics")
    tables = context.backend.tables
    if not tables.exists(name):
        return WindowRows()
    where = (
        Condition("granularity", "=", str(granularity)),
        Condition("column_name", "=", ":table"),
        Condition(context.roles.model_id, "=", "*"),
        Condition("slice_key", "is null"),
    )
    rows = tables.scan(name, columns=["window", "count"], where=where).read_all().to_pylist()
    found = {Window(row["window"]["start"], row["window"]["end"]): row["count"] for row in rows}
    return WindowRows(sorted(found.items()))


def due_in_rows(
    context: RunContext, granularity: Granularity, version: int, since: int | None, cutoff: Window | None
) -> Due:
    """Returns what is due of windows of so many rows.

    Full windows before the first change keep their bounds; what lies after them is cut anew. A window that
    comes out as it was, with no changed row in it and the same windows to look back at, is not due.

    Args:
        context: names the table and the references.
        granularity: of the windows.
        version: of the inference table.
        since: the version that was measured; None where all is due, `UNFINISHED` after a stop amid writing.
        cutoff: the span that retention keeps: full windows that start before it stay as they are.
    """
    table = _Table(context, granularity, version, measured_windows(context, granularity), cutoff)
    first = None if since is None or since == UNFINISHED else table.first_change(since)
    if since is None or first is None:
        return table.everything()
    return Due() if first == FILLING else table.changed(since, first)


@dataclass(frozen=True, slots=True)
class _Table:
    """The inference table at a version, the windows that were measured of it, and the span that is kept."""

    context: RunContext
    granularity: Granularity
    version: int
    stored: WindowRows
    cutoff: Window | None

    def everything(self) -> Due:
        """Returns all windows but those that retention keeps as they are."""
        kept = {one: rows for one, rows in self.stored.items() if self._is_old(one)}
        cut = self._cut(kept)
        windows = [one for one in cut if one not in kept]
        replaced = [Condition(("window", "start"), ">=", max(kept).end)] if kept else []
        return Due(windows, self._gone(cut), self._whole(cut), everything=True, replaced=replaced)

    def changed(self, since: int, first: datetime) -> Due:
        """Returns the windows that changed after a version, and those that look back at them.

        Args:
            since: the version.
            first: the earliest moment of a row that changed.
        """
        kept = {one: rows for one, rows in self.stored.items() if one.end <= first or self._is_old(one)}
        cut = self._cut(kept)
        fresh = self._hit(since, [one for one in cut if one not in kept])
        fresh |= {one for one, rows in cut.items() if self.stored.get(one) != rows}
        windows, gone = self._with_lookers(list(cut), fresh), self._gone(cut)
        span = Window(_before(list(cut), windows[0]).start, windows[-1].end) if windows else None
        return Due(windows, gone, self._whole(cut), span, replaced=[starting_at([*windows, *gone])])

    def first_change(self, since: int) -> datetime | None:
        """Returns the earliest moment of a changed row, `FILLING` without one; None if nobody can tell."""
        from lakemon_core.profiling.row_windows import first_moment

        changes = self._changes(since)
        if changes is None:
            return None
        start = self.cutoff.start if self.cutoff else None
        return min(filter(None, (first_moment(column, start) for column in changes)), default=FILLING)

    def _changes(self, since: int) -> Iterator[pa.ChunkedArray] | None:
        """Yields the moments of rows that changed after a version."""
        import pyarrow as pa

        timestamp, name = self.context.roles.timestamp, self.context.monitor.inference_table.name
        reader = self.context.backend.tables.changes(name, since=since, columns=[timestamp])
        return None if reader is None else (pa.chunked_array([batch.column(0)]) for batch in reader)

    def _hit(self, since: int, windows: Sequence[Window]) -> set[Window]:
        """Returns those of some windows that hold a row that changed, or held it."""
        import numpy as np

        from lakemon_core.profiling.windows import window_numbers

        found: set[int] = set()
        for column in (self._changes(since) if windows else None) or ():
            found.update(np.unique(window_numbers(column, windows)).tolist())
        return {windows[number] for number in found if number >= 0}

    def _cut(self, kept: Mapping[Window, int]) -> WindowRows:
        """Returns some windows as they are, and the rows after them in windows of the wanted size."""
        from lakemon_core.profiling.row_windows import Cutter, sorted_ticks

        timestamp, table = self.context.roles.timestamp, self.context.monitor.inference_table.name
        rest = Window(max(kept).end, FILLING) if kept else None
        hours = existing_windows(self.context, _HOUR, self.version, rest)
        cutter = Cutter(self.granularity.rows or 1)
        for part in chunks(list(hours), hours):
            start = max(part[0].start, rest.start) if rest else part[0].start
            where = between(timestamp, Window(start, part[-1].end))
            reader = self.context.backend.tables.scan(
                table, columns=[timestamp], where=where, version=self.version
            )
            cutter.take(sorted_ticks(reader.read_all().column(timestamp)))
        found = WindowRows({**kept, **cutter.windows()})
        found.scattered = hours.scattered
        return found

    def _with_lookers(self, windows: Sequence[Window], fresh: set[Window]) -> list[Window]:
        """Returns the fresh windows, and those whose earlier windows are not what they were."""
        steps = {1, *(step for one in self.context.monitor.monitoring.lookbacks for step in one.steps)}
        stored = list(self.stored)
        place = {window: number for number, window in enumerate(stored)}

        def is_due(number: int, window: Window) -> bool:
            if window in fresh:
                return True
            earlier = [(_back(windows, number, step), _back(stored, place[window], step)) for step in steps]
            return any(now != then or now in fresh for now, then in earlier)

        return [window for number, window in enumerate(windows) if is_due(number, window)]

    def _gone(self, windows: WindowRows) -> list[Window]:
        """Returns what was measured and starts where no window does now."""
        starts = {one.start for one in windows}
        return [one for one in self.stored if one.start not in starts]

    def _whole(self, windows: WindowRows) -> WindowRows:
        """Returns the windows whose rows are all there: only those can be looked back at."""
        found = WindowRows({one: rows for one, rows in windows.items() if not self._is_old(one)})
        found.scattered = windows.scattered
        return found

    def _is_old(self, window: Window) -> bool:
        """Whether it is full and starts before what retention keeps."""
        return self.cutoff is not None and window.start < self.cutoff.start and window.end != FILLING


def _back(windows: Sequence[Window], number: int, step: int) -> Window | None:
    return windows[number - step] if number >= step else None


def _before(windows: Sequence[Window], window: Window) -> Window:
    """Returns the window before one, itself where there is none."""
    return windows[max(0, windows.index(window) - 1)]
