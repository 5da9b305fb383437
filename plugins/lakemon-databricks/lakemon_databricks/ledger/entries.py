"""The table behind the ledger: entries by kind, key and version, all that belongs together in one commit."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pyarrow as pa

from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import StatementFailed, Statements, Value, table_sql
from lakemon_databricks.tables.writing.making import make_table
from lakemon_databricks.tables.writing.rows import row_texts, source_sql

T = TypeVar("T")
_TABLE = pa.schema([
    ("seq", pa.int64()),
    ("kind", pa.string()),
    ("key", pa.string()),
    ("version", pa.int64()),
    ("status", pa.string()),
    ("value", pa.string()),
])  # fmt: skip
_SOURCE = pa.schema([
    ("n", pa.int64()),
    *(field for field in _TABLE if field.name != "seq"),
    ("mode", pa.string()),
    ("expected", pa.string()),
])  # fmt: skip
_PAUSES = (0.1, 0.2, 0.5, 1.0, 2.0)
_MISSING = {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND"}

ADD, PUT, SWAP = "add", "put", "swap"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the ledger's table.

    Attributes:
        kind: what it is, e.g. `note`.
        key: which one.
        value: JSON or text.
        status: by which it is found again.
        version: of a thing whose every state is kept; else 0.
        mode: `add` leaves one that is there as it is, `put` overwrites it, `swap` does so where it still is
            `expected`.
        expected: the value before a `swap`.
    """

    kind: str
    key: str
    value: str
    status: str = ""
    version: int = 0
    mode: str = ADD
    expected: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """Reads and writes entries; the table is made at the first write."""

    statements: Statements
    table: TableName

    def write(self, entries: Sequence[Entry]) -> None:
        """Writes entries in one commit, without effect the second time.

        Nothing at all is written when a newer version of one that is added is there already. Delta refuses
        the statement when somebody else wrote since it began; then it is sent again.

        Raises:
            WorkspaceError: LM630 when others write all the time.
        """
        rows = pa.Table.from_pylist([_row(n, entry) for n, entry in enumerate(entries, 1)], schema=_SOURCE)
        text = f"[{','.join(row_texts(rows))}]"
        self._tried(lambda: self.statements.run(self._merge_sql(), {"rows": text}))

    def read(self, where: str, values: Mapping[str, Value]) -> list[dict[str, Any]]:
        """Returns entries in the order of their coming; `where` is SQL with parameters."""
        sql = f"SELECT * FROM {table_sql(self.table)} WHERE {where} ORDER BY seq"  # noqa: S608 - written here, values are parameters
        try:
            return self.statements.read(sql, values).to_pylist()
        except StatementFailed as failed:
            if failed.error_class in _MISSING:
                return []
            raise

    def value(self, kind: str, key: str, version: int = 0) -> str | None:
        """Returns the value of one entry."""
        where = "kind = :kind AND key = :key AND version = :version"
        found = self.read(where, {"kind": kind, "key": key, "version": version})
        return found[0]["value"] if found else None

    def _merge_sql(self) -> str:
        table, source = table_sql(self.table), source_sql(_SOURCE, ":rows")
        newer = (
            f"SELECT count(*) FROM {table} l JOIN ({source}) r ON l.kind = r.kind AND l.key = r.key"  # noqa: S608 - names are quoted
            " AND l.version >= r.version AND r.version > 0"
        )
        numbered = f"SELECT s.*, (SELECT coalesce(max(seq), 0) FROM {table}) + s.n AS seq FROM ({source}) s"  # noqa: S608 - names are quoted
        return (
            f"MERGE INTO {table} t USING ({numbered} WHERE ({newer}) = 0) s"  # noqa: S608 - names are quoted
            " ON t.kind = s.kind AND t.key = s.key AND t.version = s.version"
            " WHEN MATCHED AND ((s.mode = 'put' AND t.value <> s.value)"
            " OR (s.mode = 'swap' AND t.value = s.expected))"
            " THEN UPDATE SET t.value = s.value, t.status = s.status"
            " WHEN NOT MATCHED AND s.mode <> 'swap' THEN INSERT (seq, kind, key, version, status, value)"
            " VALUES (s.seq, s.kind, s.key, s.version, s.status, s.value)"
        )

    def _tried(self, attempt: Callable[[], T]) -> T:
        for pause in _PAUSES:
            try:
                return attempt()
            except StatementFailed as failed:
                if failed.error_class in _MISSING:
                    make_table(self.statements, self.table, _TABLE)
                elif not failed.is_conflict:
                    raise
            time.sleep(pause)
        raise WorkspaceError(
            "LM630",
            f"the ledger could not be written {len(_PAUSES)} times, for others wrote at the same moment;",
            where=str(self.table),
            cure="look which other jobs use this table, and run again.",
        )


def _row(n: int, entry: Entry) -> dict[str, object]:
    return {
        "n": n,
        "kind": entry.kind,
        "key": entry.key,
        "version": entry.version,
        "status": entry.status,
        "value": entry.value,
        "mode": entry.mode,
        "expected": entry.expected,
    }
