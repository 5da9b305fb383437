"""Versioned tables: what is asked of a lake."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from lakemon_core.domain.names import TableName
from lakemon_core.ports.setting import Progress
from lakemon_core.profiling.column_source import Columns

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a row filter; a filter is a sequence of them, all of which must hold.

    Attributes:
        column: name of a top-level column, or a field of a struct as `("window", "start")`.
        op: `=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `is null` or `is not null`.
        value: str, int, float, bool, aware datetime, or a tuple of them for `in`; None for the null tests.
    """

    column: str | tuple[str, str]
    op: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class TableInfo:
    """What is known of a table without reading its rows.

    Attributes:
        name: three-level name.
        location: path or URI.
        version: number of the newest version.
        schema: Arrow schema.
        external: the files belong to somebody else (a Delta folder used in place).
    """

    name: TableName
    location: str
    version: int
    schema: pa.Schema
    external: bool = False


@dataclass(frozen=True, slots=True)
class WriteResult:
    """What a write did: rows inserted, updated, deleted; `version` after it. All zero: nothing changed."""

    version: int
    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def changed(self) -> bool:
        """Whether the table holds something else than before."""
        return bool(self.inserted or self.updated or self.deleted)


class Tables(Protocol):
    """Reads and writes versioned tables. Every write is atomic: a reader sees all of it or nothing."""

    def exists(self, name: TableName) -> bool:
        """Whether the table is there."""
        ...

    def list(self) -> Sequence[TableName]:
        """Returns all tables, sorted."""
        ...

    def info(self, name: TableName) -> TableInfo:
        """Describes a table.

        Raises:
            DataError: LM301 for a table that is not there; names the nearest one.
        """
        ...

    def scan(
        self,
        name: TableName,
        *,
        columns: Sequence[str] | None = None,
        where: Sequence[Condition] = (),
        version: int | None = None,
        views: bool = False,
    ) -> pa.RecordBatchReader:
        """Streams rows, deleted ones left out, columns by logical name. `columns=None` takes all.

        Args:
            views: text may come as Arrow's `string_view` or as a dictionary where that is how it is read:
                nothing is copied, but few of Arrow's functions take views.

        Raises:
            DataError: LM301 unknown table, LM302 unknown column (with the nearest name).
        """
        ...

    def append(
        self, name: TableName, rows: pa.RecordBatchReader | pa.Table, *, batch: tuple[str, int] | None = None
    ) -> WriteResult:
        """Adds rows; creates the table when it is not there; new nullable columns are added.

        Args:
            batch: (writer, number): a number that this writer has already written changes nothing.

        Raises:
            DataError: LM303 when a column's type does not fit: nothing is ever cast with loss.
        """
        ...

    def replace(self, name: TableName, rows: pa.Table, *, where: Sequence[Condition]) -> WriteResult:
        """Replaces the rows that match `where` by `rows` in one commit; creates a missing table."""
        ...

    def merge(
        self,
        name: TableName,
        rows: pa.Table,
        *,
        on: Sequence[str],
        insert: bool = True,
        update: Sequence[str] = (),
    ) -> WriteResult:
        """Inserts the rows whose key is new and, where `update` names columns, updates those that differ.

        Rows that would not change are not rewritten: a merge that changes nothing makes no version.
        """
        ...

    def delete(self, name: TableName, *, where: Sequence[Condition]) -> WriteResult:
        """Deletes rows and, for tables that are our own, the files that no version within 7 days needs."""
        ...

    def optimize(self, name: TableName) -> bool:
        """Rewrites many small files as few large ones, and removes what no version within 7 days needs.

        No row changes, `changes` tells of none, and without many small files there is no new version. Lakes
        that look after themselves, and tables of somebody else, are left alone.

        Returns:
            whether files were rewritten.

        Raises:
            DataError: LM301 for a table that is not there.
        """
        ...

    def changes(self, name: TableName, *, since: int, columns: Sequence[str]) -> pa.RecordBatchReader | None:
        """Streams the rows inserted, updated (before and after) or deleted after version `since`.

        Returns:
            None when the table cannot tell (no change feed, or vacuumed): then all of it may have changed.
        """
        ...

    def query(self, sql: str, *, most: int | None = None, stop: Event | None = None) -> pa.Table:
        """Runs one read-only SQL statement over all tables, three-level names, and returns its rows.

        Args:
            most: only so many rows, the first ones.
            stop: ends the statement soon after another thread has set it.

        Raises:
            DataError: LM310 for statements that write, read files, or do not parse, LM317 when it was
                stopped.
        """
        ...


@dataclass(frozen=True, slots=True)
class Adjustment:
    """How the rows of a table differ from those of the file that they are imported from.

    Attributes:
        at: a column that the file lacks, and the moment that every row gets in it.
        left_out: columns of the file that the table does not get.
    """

    at: tuple[str, datetime] | None = None
    left_out: tuple[str, ...] = ()


class ClosableColumns(Columns, Protocol):
    """Columns of opened rows, each read when it is asked for."""

    def close(self) -> None:
        """Lets go of the files."""
        ...


@runtime_checkable
class ReadsByColumn(Protocol):
    """Tables that can read rows one column at a time; a backend's `Tables` may do this as well.

    A column is summarized as it was read and then let go of: less memory than for all columns together.
    """

    def by_column(
        self,
        name: TableName,
        *,
        columns: Sequence[str],
        where: Sequence[Condition] = (),
        version: int | None = None,
    ) -> ClosableColumns | None:
        """Opens rows, texts as dictionaries or views where they are read so; see `Tables.scan`.

        Returns:
            None where these rows are better read together.
        """
        ...


class TableFiles(Protocol):
    """Brings files into tables and takes tables out into files; `lakemon table import` and `export`."""

    def import_file(
        self,
        name: TableName,
        path: Path,
        *,
        mode: str,
        progress: Progress,
        adjustment: Adjustment | None = None,
    ) -> WriteResult:
        """Reads a Parquet, CSV or Arrow file in batches, or uses a Delta folder in place.

        The same file imported again into the same table changes nothing.

        Args:
            mode: `append`, `replace`, or `create` (refuses a table that is there).
            adjustment: how its rows differ from those of the file; None takes them as they are.

        Raises:
            DataError: LM302 for columns that the file lacks, LM303 types that do not fit, LM32x files that
                are missing, cannot be read, or have the column of `at`.
        """
        ...

    def export_file(self, name: TableName, path: Path, *, progress: Progress) -> int:
        """Writes all rows into a file; its ending says the format. Returns how many rows.

        Raises:
            DataError: LM301 unknown table, LM32x unknown ending.
        """
        ...
