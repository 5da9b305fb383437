"""The windows of the inference table: which hold rows, which changed, and which are read together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Condition

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 250_000
"""Windows are read together until they hold so many rows: more of them are no faster."""
SCATTERED_ROWS = 1_500_000
"""The same for a table whose files hold rows of many windows: each reading goes through all of them."""
_BATCHES = 32
"""Batches of one column that are looked at together; a lake hands out small ones."""


class WindowRows(dict[Window, int]):
    """Rows by window, in order. `scattered` says whether rows that lie together are of many windows."""

    scattered: bool = False


@dataclass(frozen=True, slots=True)
class Due:
    """What a refresh of one granularity measures and writes.

    Attributes:
        windows: to measure, in order.
        gone: that hold no rows any more, or that are cut otherwise now.
        existing: rows of each window, in order; at least those that are due or looked back at.
        span: where windows are due; None means everywhere.
        everything: whether all is measured, so that the baseline is written as well.
        replaced: which metric rows of the granularity the new ones take the place of; empty means all.
    """

    windows: Sequence[Window] = ()
    gone: Sequence[Window] = ()
    existing: WindowRows = field(default_factory=WindowRows)
    span: Window | None = None
    everything: bool = False
    replaced: Sequence[Condition] = ()

    @property
    def touched(self) -> tuple[Window, ...]:
        """All windows whose metric rows change, in order."""
        return tuple(sorted([*self.windows, *self.gone]))


def starting_at(windows: Sequence[Window]) -> Condition:
    """Returns the filter for metric rows of some windows."""
    return Condition(("window", "start"), "in", tuple(window.start for window in windows))


def changed_windows(context: RunContext, granularity: Granularity, since: int) -> set[Window] | None:
    """Returns the windows with rows that changed after version `since`; None when the table cannot tell."""
    table = context.backend.tables
    timestamp = context.roles.timestamp
    reader = table.changes(context.monitor.inference_table.name, since=since, columns=[timestamp])
    if reader is None:
        return None
    return set(_count_by_window(reader, granularity, timestamp))


def existing_windows(
    context: RunContext, granularity: Granularity, version: int, span: Window | None = None
) -> WindowRows:
    """Returns the windows that hold rows, in order, with their row counts; only those in `span` if given."""
    timestamp = context.roles.timestamp
    reader = context.backend.tables.scan(
        context.monitor.inference_table.name,
        columns=[timestamp],
        where=between(timestamp, span) if span else (),
        version=version,
    )
    found = _count_by_window(reader, granularity, timestamp)
    ordered = WindowRows(sorted(found.items()))
    ordered.scattered = found.scattered
    return ordered


def between(timestamp: str, span: Window) -> tuple[Condition, Condition]:
    """Returns the filter `start <= timestamp < end`."""
    return Condition(timestamp, ">=", span.start), Condition(timestamp, "<", span.end)


def due_windows(
    changed: set[Window] | None,
    existing: Mapping[Window, int],
    granularity: Granularity,
    lookbacks: Sequence[Lookback] = (),
) -> list[Window]:
    """Returns the windows to measure: the changed ones and those whose drift looks back at them."""
    if changed is None:
        return list(existing)
    wanted = touched(changed, granularity, lookbacks)
    return [window for window in existing if window in wanted]


def touched(changed: set[Window], granularity: Granularity, lookbacks: Sequence[Lookback]) -> set[Window]:
    """Returns the changed windows, their successors, and what looks back at them by another reference."""
    looking = {
        window for one in lookbacks for seen in changed for window in one.dependents(seen, granularity)
    }
    return changed | {granularity.following(window) for window in changed} | looking


def chunks(
    windows: Sequence[Window], sizes: Mapping[Window, int], fitting: int | None = None
) -> Iterator[list[Window]]:
    """Groups windows, in order, so that at most `CHUNK_ROWS` rows, or one window, lie from first to last.

    Args:
        windows: in order.
        sizes: rows of all windows, in order: those between two of a group are read with it.
        fitting: rows that memory has room for; None sets no limit.
    """
    most = SCATTERED_ROWS if isinstance(sizes, WindowRows) and sizes.scattered else CHUNK_ROWS
    most = most if fitting is None else min(most, fitting)
    wanted = frozenset(windows)
    group: list[Window] = []
    held = passed = 0
    for window, rows in sizes.items():
        if window not in wanted:
            passed += rows
            continue
        if group and held + passed + rows > most:
            yield group
            group = []
        held = held + passed + rows if group else rows
        passed = 0
        group.append(window)
    if group:
        yield group


def span_of(changed: set[Window], granularity: Granularity, lookbacks: Sequence[Lookback] = ()) -> Window:
    """Returns the span from the window before the first changed one to the last that looks back at one."""
    last = max(touched(changed, granularity, lookbacks))
    return Window(granularity.previous(min(changed)).start, last.end)


def _count_by_window(reader: pa.RecordBatchReader, granularity: Granularity, timestamp: str) -> WindowRows:
    import pyarrow as pa

    from lakemon_core.profiling.windows import count_by_window

    counts = WindowRows()
    looks = pieces = 0
    while batches := list(islice(reader, _BATCHES)):
        found = count_by_window(pa.Table.from_batches(batches).column(timestamp), granularity)
        looks, pieces = looks + 1, pieces + len(found)
        for window, rows in found:
            counts[window] = counts.get(window, 0) + rows
    counts.scattered = pieces > 2 * (looks + len(counts))
    return counts
