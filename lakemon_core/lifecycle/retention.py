"""Retention: rows older than `retention_days` leave the inference table; what was measured of them stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from lakemon_core.domain.names import TableName
from lakemon_core.domain.window import Window
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Condition


@dataclass(frozen=True, slots=True)
class Expired:
    """How many rows went, and the span that is kept; `cutoff` is None when everything is kept."""

    rows: int = 0
    cutoff: Window | None = None


def apply_retention(context: RunContext) -> Expired:
    """Deletes whole days before `retention_days`, counted back from the newest row, at most from now.

    Counting from the newest row and not from today means that importing old data never deletes it at once.
    Tables that belong to somebody else (Delta folders in place) are never touched.
    """
    spec = context.monitor.inference_table
    tables = context.backend.tables
    if spec.retention_days is None or tables.info(spec.name).external:
        return Expired()
    newest = newest_timestamp(context)
    if newest is None:
        return Expired()
    # A row from the future, made by a clock that is wrong, must not take all others with it.
    newest = min(newest, context.clock.now().astimezone(UTC))
    midnight = newest.replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=spec.retention_days - 1)
    gone = tables.delete(spec.name, where=[Condition(context.roles.timestamp, "<", start)])
    return Expired(gone.deleted, Window(start, newest))


def newest_timestamp(context: RunContext, table: TableName | None = None) -> datetime | None:
    """Returns the newest event time of a table, UTC; None when it holds none.

    Args:
        context: names the timestamp column.
        table: default the inference table.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    timestamp = context.roles.timestamp
    newest: datetime | None = None
    name = table or context.monitor.inference_table.name
    for batch in context.backend.tables.scan(name, columns=[timestamp]):
        column = batch.column(0).cast(pa.timestamp("us", "UTC"))
        top = pc.max(column).as_py()
        if top is not None and (newest is None or top > newest):
            newest = top.astimezone(UTC)
    return newest
