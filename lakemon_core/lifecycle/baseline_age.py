"""Findings about the baseline itself: is there a newer version, is it too old to compare with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from lakemon_core.domain.run import Finding, Severity, Stage
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.retention import newest_timestamp

OLD = timedelta(days=365)
"""A baseline whose newest row lies so long before the newest prediction is called old."""


def baseline_findings(context: RunContext) -> Iterator[Finding]:
    """Yields what a person should know of the baseline; nothing without one."""
    name, pinned = context.monitor.monitoring.baseline_table, context.monitor.monitoring.baseline_version
    if name is None or not context.backend.tables.exists(name):
        return
    info = context.backend.tables.info(name)
    if pinned is not None and pinned < info.version:
        title = f"the baseline {name} is pinned to version {pinned}; the newest is {info.version}"
        evidence = {"table": str(name), "version": pinned, "newest": info.version}
        yield Finding("baseline/newer", Stage.ANALYZE, Severity.INFO, title, evidence)
    if context.roles.timestamp not in info.schema.names:
        return
    last, newest = newest_timestamp(context, name), newest_timestamp(context)
    if last and newest and newest - last > OLD:
        days = (newest - last).days
        title = f"the baseline {name} is old: it ends {days} days before the newest prediction"
        yield Finding("baseline/old", Stage.ANALYZE, Severity.INFO, title, {"table": str(name), "days": days})
