"""Upkeep: tables that every run adds a little to stay quick to read."""

from collections.abc import Sequence

from lakemon_core.domain.names import TableName
from lakemon_core.hookspecs import RunContext


def keep_up(context: RunContext) -> Sequence[TableName]:
    """Compacts our own tables where many small files have piled up; returns those that were rewritten.

    No row changes. It comes before anything of a run notes a version, so that no watermark is behind.
    """
    monitor, tables = context.monitor, context.backend.tables
    kinds = ("profile_metrics", "drift_metrics", "signals", "quality_history")
    own = [monitor.inference_table.payload, monitor.inference_table.name, *map(monitor.metric_table, kinds)]
    context.progress.update("looking after the tables")
    return [name for name in own if tables.exists(name) and tables.optimize(name)]
