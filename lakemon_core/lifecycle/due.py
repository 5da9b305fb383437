"""Which windows are due: those whose rows changed since they were measured, and their successors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from lakemon_core.domain.lookback import Lookback
from lakemon_core.domain.monitor import Monitor, Roles
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
class Watermark:
    """Up to where a granularity was measured, and with what; anything else measures all windows again."""

    definition: str
    version: int

    def text(self) -> str:
        """As it stands in the ledger."""
        return f"{self.definition}:{self.version}"

    @classmethod
    def read(cls, text: str | None) -> Watermark | None:
        """Reads `text()` back; None where nothing was noted."""
        if not text:
            return None
        definition, _, version = text.rpartition(":")
        return cls(definition, int(version))


def definition_of(monitor: Monitor, roles: Roles, baseline_version: int | None) -> str:
    """Returns a hash of everything that changes the numbers of a window, rules left out."""
    monitoring = monitor.monitoring
    parts = {
        "roles": repr(roles),
        "model_type": (monitor.model.type, dict(monitor.model.settings)) if monitor.model else None,
        "baseline": (str(monitoring.baseline_table), baseline_version),
        "slices": monitoring.slicing_exprs,
        "custom": monitoring.custom_metrics,
        "psi": monitoring.psi_smoothing,
        "lookbacks": repr(monitoring.lookbacks),
        "kernels": KERNELS_VERSION,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:12]


KERNELS_VERSION = 1
"""Raised when a kernel's definition changes: then all windows are measured again."""


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
    """Groups windows, in order, so that a group holds at most `CHUNK_ROWS` rows or one window.

    Args:
        windows: in order.
        sizes: rows of each.
        fitting: rows that memory has room for; None sets no limit.
    """
    most = SCATTERED_ROWS if isinstance(sizes, WindowRows) and sizes.scattered else CHUNK_ROWS
    most = most if fitting is None else min(most, fitting)
    group: list[Window] = []
    rows = 0
    for window in windows:
        if group and rows + sizes[window] > most:
            yield group
            group, rows = [], 0
        group.append(window)
        rows += sizes[window]
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
