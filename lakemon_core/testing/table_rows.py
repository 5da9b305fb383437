"""Rows that the contract of tables works on, and ways to look at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa

from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, Tables

HOSTILE_COLUMNS = (
    'quo"te',
    "sing'le",
    "back`tick",
    "x; DROP TABLE t",
    "a.b",
    "select",
    "two words",
    "été🙂",
    "tab\there",
    "'; --",
    "${x}",
    "%s",
    "{0}",
    "[0]",
    "\\",
)
"""Names as data may hold them; each is a column like any other."""

WINDOW = pa.struct([pa.field("start", pa.timestamp("us", "UTC")), pa.field("end", pa.timestamp("us", "UTC"))])


def day(number: int) -> datetime:
    """Returns midnight of a day of January 2026, UTC."""
    return datetime(2026, 1, number, tzinfo=UTC)


def window(number: int) -> dict[str, datetime]:
    """Returns the value of a window column for one day."""
    return {"start": day(number), "end": day(number + 1)}


def flights() -> pa.Table:
    """Returns six rows over three days, with a null and a NaN."""
    return pa.table(
        {
            "id": pa.array(["a", "b", "c", "d", "e", "f"]),
            "ts": pa.array([day(1), day(1), day(2), day(2), day(3), None], pa.timestamp("us", "UTC")),
            "window": pa.array([window(1), window(1), window(2), window(2), window(3), None], WINDOW),
            "delay": pa.array([1.0, -2.5, None, float("nan"), float("inf"), 0.0]),
            "seats": pa.array([1, 2, 3, None, 5, 6], pa.int64()),
            "late": pa.array([True, False, None, True, False, True]),
        }
    )


def ids_of(tables: Tables, name: TableName, where: list[Condition] | None = None) -> str:
    """Returns the ids of the matching rows, sorted, as one text."""
    return "".join(sorted(tables.scan(name, columns=["id"], where=where or []).read_all()["id"].to_pylist()))


def values_of(tables: Tables, name: TableName, column: str) -> dict[Any, Any]:
    """Returns the values of a column by id."""
    rows = tables.scan(name, columns=["id", column]).read_all().to_pylist()
    return {row["id"]: row[column] for row in rows}


def changed(tables: Tables, name: TableName, since: int, column: str) -> set[Any]:
    """Returns the values of changed rows; tables without a change feed say so with None and are not tried."""
    reader = tables.changes(name, since=since, columns=[column])
    assert reader is not None, "a table of our own tells its changes"
    return set(reader.read_all()[column].to_pylist())
