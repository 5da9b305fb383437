"""Tables as Delta tables in folders."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from threading import Event

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import ClosableColumns, Condition, TableInfo, WriteResult
from lakemon_local.tables import writing
from lakemon_local.tables.compaction import compact
from lakemon_local.tables.log import commit_mark
from lakemon_local.tables.places import Place, Places, has_commits
from lakemon_local.tables.snapshot import snapshot_to_read
from lakemon_local.tables.sql.query import run_query


class DeltaTables:
    """Delta tables at `<root>/<catalog>/<schema>/<table>`; implements the port `Tables`.

    Our own tables carry a change feed. A Delta folder that belongs to somebody else may be registered: it is
    read where it lies and never written.

    Args:
        root: the folder of all tables, e.g. `<workspace>/tables`; made at the first write.
    """

    def __init__(self, root: Path) -> None:
        self._places = Places(root)

    def exists(self, name: TableName) -> bool:
        """Whether the table is there."""
        return has_commits(self._places.place(name).folder)

    def list(self) -> Sequence[TableName]:
        """Returns all tables, sorted."""
        return self._places.all()

    def info(self, name: TableName) -> TableInfo:
        """Describes a table.

        Raises:
            DataError: LM301 for a table that is not there; names the nearest one.
        """
        found = snapshot_to_read(self._places.find(name))
        return TableInfo(name, str(found.place.folder), found.version, found.schema, found.place.external)

    def scan(
        self,
        name: TableName,
        *,
        columns: Sequence[str] | None = None,
        where: Sequence[Condition] = (),
        version: int | None = None,
        views: bool = False,
    ) -> pa.RecordBatchReader:
        """Streams rows, deleted ones left out, columns by logical name, in the order asked for.

        A null satisfies no comparison, and neither does NaN. `views` hands out text as it lies in memory.

        Raises:
            DataError: LM301 unknown table, LM302 unknown column, LM305 damaged log, LM312 a filter that does
                not fit a column's type, LM314 unknown version.
        """
        return snapshot_to_read(self._places.find(name), version).scan(columns, where, views=views)

    def by_column(
        self,
        name: TableName,
        *,
        columns: Sequence[str],
        where: Sequence[Condition] = (),
        version: int | None = None,
    ) -> ClosableColumns | None:
        """Opens rows to read their columns one by one; see `ReadsByColumn`.

        Raises:
            DataError: as `scan`.
        """
        return snapshot_to_read(self._places.find(name), version).by_column(columns, where)

    def append(
        self, name: TableName, rows: pa.RecordBatchReader | pa.Table, *, batch: tuple[str, int] | None = None
    ) -> WriteResult:
        """Adds rows as they stream in; creates the table when it is not there; new columns are added.

        Args:
            name: three-level name.
            rows: columns that are missing become null.
            batch: (writer, number): a number that this writer has already written changes nothing.

        Raises:
            DataError: LM303 when a column's type or a value does not fit, LM308 for a table of somebody else,
                LM311 for column names that differ only in case.
        """
        return writing.append(self._own(name), rows, batch)

    def replace(self, name: TableName, rows: pa.Table, *, where: Sequence[Condition]) -> WriteResult:
        """Replaces the rows that match `where` by `rows` in one commit; creates a missing table.

        Rows that are there already, all of them and no others, make no version.

        Raises:
            DataError: as `append`; LM313 when a new row does not match `where`.
        """
        return writing.replace(self._own(name), rows, where)

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

        A null in a key equals a null. Of several rows with one key the last counts; the first where nothing
        is updated. A merge that changes nothing makes no version.

        Raises:
            DataError: as `append`; LM301 when the table is missing and nothing may be inserted.
        """
        place = self._own(name) if insert else self._own_existing(name)
        return writing.merge(place, rows, on, insert=insert, update=update)

    def delete(self, name: TableName, *, where: Sequence[Condition]) -> WriteResult:
        """Deletes rows, and the files that no version within 7 days needs.

        Raises:
            DataError: LM301 unknown table, LM302 unknown column, LM308 for a table of somebody else.
        """
        return writing.delete(self._own_existing(name), where)

    def optimize(self, name: TableName) -> bool:
        """Rewrites many small files as few large ones; see `Tables.optimize`.

        Raises:
            DataError: LM301 unknown table.
        """
        place = self._places.find(name)
        return not place.external and compact(place)

    def changes(self, name: TableName, *, since: int, columns: Sequence[str]) -> pa.RecordBatchReader | None:
        """Streams the rows inserted, updated (before and after) or deleted after version `since`.

        Returns:
            None when the table cannot tell: it has no change feed, or what it needs was cleaned up.
        """
        return snapshot_to_read(self._places.find(name)).changes(since, columns)

    def query(self, sql: str, *, most: int | None = None, stop: Event | None = None) -> pa.Table:
        """Runs one read-only SQL statement over all tables, three-level names, and returns its rows.

        Raises:
            DataError: LM301 for an unknown table, LM310 for statements that write, read files or do not work,
                LM317 when it was stopped.
        """
        return run_query(sql, self._places, most, stop)

    def register(self, name: TableName, folder: Path) -> TableInfo:
        """Makes a Delta folder of somebody else known under a name; it is neither copied nor ever written.

        Raises:
            DataError: LM309 when Delta cannot read it, LM322 when it is no Delta folder, LM323 when the name
                is taken.
        """
        if not has_commits(folder):
            raise DataError(
                "LM322",
                "this folder holds no Delta table;",
                where=str(folder),
                cure="name a single file, or a folder with a _delta_log inside.",
            )
        place = self._places.place(name)
        wanted = Place(name, folder.resolve(), external=True)
        if has_commits(place.folder) and place.folder != wanted.folder:
            raise DataError(
                "LM323",
                f"{name} is there already ({place.folder});",
                cure="choose another name.",
            )
        snapshot_to_read(wanted).scan(None, ())  # some features are refused only when rows are asked for
        self._places.register(name, wanted.folder)
        return self.info(name)

    def mark(self, name: TableName, version: int) -> str | None:
        """Returns what tells a version of a table from any other; None where the file of its commit is gone.

        Raises:
            DataError: LM301 unknown table.
        """
        place = self._places.find(name)
        commit = commit_mark(place, version)
        if commit is None:
            return None
        known = snapshot_to_read(place, version)
        return f"{version}-{known.table.metadata().id}-{commit[0]}-{commit[1]}"

    def holds_import(self, name: TableName, mark: str, *, alone: bool) -> bool:
        """Whether a table holds the rows that came under a mark; `alone`: and no others."""
        place = self._places.place(name)
        known = snapshot_to_read(place) if has_commits(place.folder) else None
        return known is not None and writing.holds_import(known, mark, alone=alone)

    def import_rows(
        self, name: TableName, rows: pa.RecordBatchReader, mark: str, *, replace: bool
    ) -> WriteResult:
        """Appends rows, or replaces all rows of the table by them, in one commit that carries the mark.

        Raises:
            DataError: as `append`.
        """
        return writing.import_rows(self._own(name), rows, mark, replace=replace)

    def _own(self, name: TableName) -> Place:
        place = self._places.place(name)
        if place.external:
            raise DataError(
                "LM308",
                f"{name} is a Delta folder of somebody else and is only read;",
                where=str(place.folder),
                cure="write to another table, or let its owner write.",
            )
        return place

    def _own_existing(self, name: TableName) -> Place:
        self._places.find(name)
        return self._own(name)
