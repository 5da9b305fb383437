"""Which windows are due: those whose rows changed since they were measured, and what looks back at them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakemon_core.domain.monitor import Monitor, Roles
from lakemon_core.domain.window import Granularity, Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.counted import UNFINISHED, due_in_rows, measured_windows
from lakemon_core.lifecycle.table_windows import (
    Due,
    changed_windows,
    due_windows,
    existing_windows,
    span_of,
    starting_at,
)
from lakemon_core.ports import Condition

if TYPE_CHECKING:
    import pyarrow as pa


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

    @classmethod
    def noted(cls, context: RunContext, granularity: Granularity) -> Watermark | None:
        """Returns the one that the last refresh left; None where there was none."""
        return cls.read(context.backend.ledger.get(_key(context, granularity)))

    def note(self, context: RunContext, granularity: Granularity) -> None:
        """Leaves it for the next refresh."""
        context.backend.ledger.put(_key(context, granularity), self.text())


def definition_of(
    monitor: Monitor, roles: Roles, baseline_version: int | None, schema: pa.Schema | None = None
) -> str:
    """Returns a hash of everything that changes the numbers of a window, rules left out.

    Args:
        monitor: what is measured.
        roles: of the columns.
        baseline_version: of what the windows are compared with.
        schema: of the inference table: a column that comes, goes or changes its type is one in all windows.
    """
    monitoring = monitor.monitoring
    parts = {
        "columns": _columns(monitor, roles, schema) if schema is not None else (),
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


def _columns(monitor: Monitor, roles: Roles, schema: pa.Schema) -> list[tuple[str, str]]:
    """Returns the columns with a part in the numbers, in the order of their names, with their types."""
    table = monitor.inference_table
    keys = {*table.key, *(table.labels.columns if table.labels else ())}
    taken = {*roles.feature_columns(schema.names), *roles.named} - keys
    return sorted((column.name, str(column.type)) for column in schema if column.name in taken)


KERNELS_VERSION = 1
"""Raised when a kernel's definition changes: then all windows are measured again."""


def _key(context: RunContext, granularity: Granularity) -> str:
    return f"measured:{context.monitor.inference_table.name}:{granularity}"


def find_due(
    context: RunContext, granularity: Granularity, now: Watermark, cutoff: Window | None = None
) -> Due:
    """Returns what is due, nothing where all is measured up to a mark.

    Args:
        context: names the table.
        granularity: of the windows.
        now: the definition and the version of the table that are to be measured.
        cutoff: the span that retention keeps: what was measured of rows before it stays.
    """
    mark = Watermark.noted(context, granularity)
    if mark == now:
        return Due()
    since = mark.version if mark and mark.definition == now.definition else None
    find = _due_in_time if granularity.rows is None else due_in_rows
    return find(context, granularity, now.version, since, cutoff)


def begin_writing(context: RunContext, granularity: Granularity, now: Watermark) -> None:
    """Notes that windows of rows are being written: their bounds in two tables may disagree until it is done.

    After a stop in between nothing tells which of them are of old; they are all measured again. Other windows
    have bounds of their own, and where there was no mark, or one of another definition, all is due anyway.
    """
    mark = Watermark.noted(context, granularity)
    if granularity.rows is not None and mark and mark.definition == now.definition:
        replace(mark, version=UNFINISHED).note(context, granularity)


def _due_in_time(
    context: RunContext, granularity: Granularity, version: int, since: int | None, cutoff: Window | None
) -> Due:
    lookbacks = context.monitor.monitoring.lookbacks
    changed = None if since is None else changed_windows(context, granularity, since)
    if changed is None:
        return _all_in_time(context, granularity, version, cutoff)
    if cutoff is not None:
        changed = {window for window in changed if window.start >= cutoff.start}
    if not changed:
        return Due()
    span = span_of(changed, granularity, lookbacks)
    existing = existing_windows(context, granularity, version, span)
    windows = due_windows(changed, existing, granularity, lookbacks)
    gone = sorted(changed - set(existing))
    return Due(windows, gone, existing, span, replaced=(starting_at([*windows, *gone]),))


def _all_in_time(context: RunContext, granularity: Granularity, version: int, cutoff: Window | None) -> Due:
    """Returns all windows but those that were measured and that retention has taken rows of."""
    stored = measured_windows(context, granularity) if cutoff else ()
    kept_until = max((one.end for one in stored if cutoff and one.start < cutoff.start), default=None)
    existing = existing_windows(context, granularity, version)
    if kept_until is None:
        return Due(list(existing), existing=existing, everything=True)
    windows = [window for window in existing if window.start >= kept_until]
    replaced = Condition(("window", "start"), ">=", kept_until)
    return Due(windows, existing=existing, everything=True, replaced=(replaced,))
