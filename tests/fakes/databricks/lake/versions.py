"""Versions of tables as Delta keeps them: history, time travel and the change data feed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from .failures import SqlFailure, Unsupported

if TYPE_CHECKING:
    from .metastore import Table

_CHANGES_ON = "delta.enableChangeDataFeed"
_WRITES_FILES = {"WRITE", "MERGE", "UPDATE", "DELETE", "CREATE TABLE AS SELECT"}
_KEEPS_ROWS = {"ADD COLUMNS", "CHANGE COLUMN", "SET TBLPROPERTIES", "OPTIMIZE", "VACUUM END"}
_KINDS_OF = {
    "DELETE": ("insert", "delete"),
    "UPDATE": ("update_postimage", "update_preimage"),
    "WRITE": ("insert", "delete"),
}


@dataclass(frozen=True, slots=True)
class Commit:
    """One version of a table.

    Attributes:
        version: from 0.
        timestamp: when, UTC.
        operation: as `DESCRIBE HISTORY` names it.
        metrics: operationMetrics.
        snapshot: quoted name of the DuckDB table with all rows of this version.
        actions: quoted name of the table with what a MERGE did to which row; None for others.
        has_changes: whether the change data feed was on.
    """

    version: int
    timestamp: datetime
    operation: str
    metrics: dict[str, str]
    snapshot: str
    actions: str | None
    has_changes: bool


@dataclass(slots=True)
class Versions:
    """The commits of every table, by its id."""

    connection: duckdb.DuckDBPyConnection
    commits: dict[str, list[Commit]] = field(default_factory=dict[str, list[Commit]])

    def record(
        self,
        table: Table,
        place: str,
        operation: str,
        moment: datetime,
        *,
        metrics: dict[str, Any] | None = None,
        actions: pa.Table | None = None,
    ) -> Commit:
        """Keeps the present rows of a table as its next version.

        Args:
            table: that was changed.
            place: quoted name of its DuckDB table.
            operation: what was done to it.
            moment: of the commit.
            metrics: numbers of rows.
            actions: what a MERGE returned: `merge_action` and the row.
        """
        history = self.commits.setdefault(table.id, [])
        version = len(history)
        snapshot = f'memory.main."{table.id}@{version}"'
        self.connection.execute(f"CREATE TABLE {snapshot} AS SELECT * FROM {place}")
        commit = Commit(
            version,
            moment,
            operation,
            {key: str(value) for key, value in (metrics or {}).items()},
            snapshot,
            self._keep_actions(table, version, actions),
            table.properties.get(_CHANGES_ON, "false").lower() == "true",
        )
        history.append(commit)
        return commit

    def _keep_actions(self, table: Table, version: int, actions: pa.Table | None) -> str | None:
        if actions is None:
            return None
        name = f'memory.main."{table.id}~{version}"'
        self.connection.register("merge_actions", actions)
        self.connection.execute(f"CREATE TABLE {name} AS SELECT * FROM merge_actions")
        self.connection.unregister("merge_actions")
        return name

    def files(self, table: Table) -> int:
        """Returns how many files the table has: one for each commit of rows since it was last optimized."""
        count = 0
        for commit in self.commits.get(table.id, []):
            if commit.operation == "OPTIMIZE":
                count = 1
            elif commit.operation in _WRITES_FILES:
                count += 1
        return count

    def at(self, table: Table, version: int) -> Commit:
        """Returns a version.

        Raises:
            SqlFailure: DELTA_VERSION_NOT_FOUND.
        """
        history = self.commits.get(table.id, [])
        if not 0 <= version < len(history):
            raise SqlFailure(
                "DELTA_VERSION_NOT_FOUND",
                f"Cannot time travel Delta table to version {version}. Available versions: [0,"
                f" {len(history) - 1}].",
                "22003",
            )
        return history[version]

    def before(self, table: Table, moment: datetime) -> Commit:
        """Returns the last version that was committed at or before a moment.

        Raises:
            SqlFailure: DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION.
        """
        found = [commit for commit in self.commits.get(table.id, []) if commit.timestamp <= moment]
        if not found:
            raise SqlFailure(
                "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION",
                f"The provided timestamp ({moment}) is before the earliest version available.",
                "42816",
            )
        return found[-1]

    def changes(self, table: Table, first: int, last: int | None) -> str:
        """Returns a SELECT of the changes of versions first to last (included), as `table_changes` gives.

        Raises:
            SqlFailure: when a version does not exist, or was written without change data feed.
        """
        end = len(self.commits.get(table.id, [])) - 1 if last is None else last
        if first > end:
            raise SqlFailure(
                "DELTA_INVALID_CDC_RANGE",
                f"CDC range from start {first} to end {end} was invalid. End cannot be before start.",
                "22003",
            )
        parts = [
            part
            for version in range(first, end + 1)
            for part in self._changes_of(table, self.at(table, version))
        ]
        return " UNION ALL BY NAME ".join(parts)

    def _changes_of(self, table: Table, commit: Commit) -> list[str]:
        if not commit.has_changes:
            raise SqlFailure(
                "DELTA_MISSING_CHANGE_DATA",
                f"Error getting change data for version {commit.version} as change data was not recorded for"
                " that version. If you've enabled change data feed on this table, use `DESCRIBE HISTORY` to"
                " see when it was first enabled.",
                "KD002",
            )
        now = commit.snapshot
        if commit.version == 0:
            return [_marked(f"SELECT * FROM {now}", "insert", commit)]
        before = self.commits[table.id][commit.version - 1].snapshot
        gone, come = f"FROM {before} EXCEPT ALL FROM {now}", f"FROM {now} EXCEPT ALL FROM {before}"
        if commit.actions:
            return _changes_of_merge(commit, gone)
        if commit.operation in _KEEPS_ROWS:
            return [_marked(f"SELECT * FROM {now} WHERE false", "insert", commit)]
        new, old = _KINDS_OF.get(commit.operation, ("insert", "delete"))
        return [_marked(come, new, commit), _marked(gone, old, commit)]


def _changes_of_merge(commit: Commit, gone: str) -> list[str]:
    row = f"SELECT * EXCLUDE (merge_action) FROM {commit.actions} WHERE merge_action"
    return [
        _marked(f"{row} = 'INSERT'", "insert", commit),
        _marked(f"{row} = 'UPDATE'", "update_postimage", commit),
        _marked(f"{row} = 'DELETE'", "delete", commit),
        _marked(f"({gone}) EXCEPT ALL ({row} = 'DELETE')", "update_preimage", commit),
    ]


def _marked(rows: str, kind: str, commit: Commit) -> str:
    moment = commit.timestamp.isoformat()
    return (
        f"SELECT *, '{kind}' AS _change_type, {commit.version}::BIGINT AS _commit_version,"
        f" '{moment}'::TIMESTAMPTZ AS _commit_timestamp FROM ({rows})"
    )


def version_number(text: str) -> int:
    """Returns a version written in SQL.

    Raises:
        Unsupported: when it is no plain number.
    """
    if not text.isdigit():
        raise Unsupported(f"version {text}")
    return int(text)
