"""Rows without a timestamp: no window can hold them, so that they are counted and told."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lakemon_core.domain.names import plain
from lakemon_core.domain.run import Finding, Severity, Stage
from lakemon_core.hookspecs import RunContext
from lakemon_core.ports import Condition


def rows_without_time(context: RunContext) -> int:
    """Returns how many rows of the inference table have no timestamp; 0 without table or column.

    A version of the table is read once: the ledger keeps what was counted.

    Raises:
        DataError: LM305 when the table is damaged.
    """
    name, timestamp = context.monitor.inference_table.name, context.roles.timestamp
    tables, ledger = context.backend.tables, context.backend.ledger
    if not tables.exists(name):
        return 0
    info = tables.info(name)
    if timestamp not in info.schema.names:
        return 0
    key, mark = f"untimed:{name}", [timestamp, info.version]
    known = json.loads(ledger.get(key) or "{}")
    if known.get("of") == mark:
        return known["rows"]
    missing = [Condition(timestamp, "is null")]
    reader = tables.scan(name, columns=[timestamp], where=missing, version=info.version)
    found = sum(len(batch) for batch in reader)
    ledger.put(key, json.dumps({"of": mark, "rows": found}))
    return found


def untimed_findings(context: RunContext) -> Iterator[Finding]:
    """Yields what a person should know of rows without a timestamp; nothing where there are none.

    Raises:
        DataError: as `rows_without_time`.
    """
    found = rows_without_time(context)
    if not found:
        return
    table, column = context.monitor.inference_table.name, plain(context.roles.timestamp)
    rows, have, they = ("row", "has", "it is") if found == 1 else ("rows", "have", "they are")
    title = (
        f"{found} {rows} of {table} {have} no timestamp ({column!r} is null):"
        f" {they} in no window and not measured"
    )
    evidence = {"table": str(table), "column": column, "rows": found}
    yield Finding("monitor/untimed", Stage.ANALYZE, Severity.WARNING, title, evidence)
