"""Tables of Unity Catalog behind the port."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, TableInfo, WriteResult
from lakemon_core.profiling.table_types import check_columns, readable
from lakemon_databricks.statements import (
    Binding,
    StatementFailed,
    Statements,
    column_sql,
    table_sql,
    text_sql,
)
from lakemon_databricks.tables.catalog import Catalog, Known
from lakemon_databricks.tables.predicates import predicate
from lakemon_databricks.tables.reading import statement_that_reads
from lakemon_databricks.tables.upkeep import compact, vacuum
from lakemon_databricks.tables.writing import Writing

_NO_FEED = "DELTA_"
"""Errors of `table_changes` that begin so say that the feed is off, or no longer reaches back."""


class LakeTables:
    """Delta tables of Unity Catalog, read and written through SQL statements; implements `Tables`.

    Our own tables carry a change feed.

    Args:
        statements: of the warehouse.
        catalog: whose tables are listed.
    """

    def __init__(self, statements: Statements, catalog: str) -> None:
        self._statements = statements
        self._catalog = Catalog(statements, catalog)
        self._writing = Writing(statements, self._catalog)

    def exists(self, name: TableName) -> bool:
        """Whether the table is there."""
        return self._catalog.find(name) is not None

    def list(self) -> Sequence[TableName]:
        """Returns all tables of the catalog that this account may see, sorted."""
        return self._catalog.all()

    def info(self, name: TableName) -> TableInfo:
        """Describes a table.

        Raises:
            DataError: LM301 for a table that is not there, LM340 for a view.
        """
        known = self._catalog.get(name)
        return TableInfo(name, str(name), known.version, known.schema)

    def scan(
        self,
        name: TableName,
        *,
        columns: Sequence[str] | None = None,
        where: Sequence[Condition] = (),
        version: int | None = None,
        views: bool = False,
    ) -> pa.RecordBatchReader:
        """Streams rows, columns in the order asked for. A null satisfies no comparison, and neither does NaN.

        Args:
            name: three-level name.
            columns: None takes all.
            where: all of them must hold.
            version: None reads the newest.
            views: changes nothing: text comes from the warehouse as plain text.

        Raises:
            DataError: LM301 unknown table, LM302 unknown column, LM312 a filter that does not fit a column's
                type, LM314 unknown version.
        """
        del views
        known = self._catalog.get(name)
        at = self._at(known, version)
        schema = self._catalog.schema(known.name, at) if at else known.schema
        check_columns(columns or (), schema, str(name))
        binding = Binding()
        wanted = ", ".join(map(column_sql, columns if columns is not None else schema.names)) or "1"
        filtered = predicate(where, schema, str(name), binding)
        sql = f"SELECT {wanted} FROM {table_sql(known.name)} {at} WHERE {filtered}"  # noqa: S608 - names quoted, values are parameters
        return self._plain(self._statements.stream(sql, binding.values))

    def append(
        self, name: TableName, rows: pa.RecordBatchReader | pa.Table, *, batch: tuple[str, int] | None = None
    ) -> WriteResult:
        """Adds rows; creates the table when it is not there; new columns are added.

        Args:
            name: three-level name.
            rows: columns that are missing become null.
            batch: (writer, number): a number that this writer has already written changes nothing.

        Raises:
            DataError: LM303 when a column's type or a value does not fit, LM311 for column names that differ
                only in case.
        """
        return self._writing.append(name, rows, batch)

    def replace(self, name: TableName, rows: pa.Table, *, where: Sequence[Condition]) -> WriteResult:
        """Replaces the rows that match `where` by `rows` in one commit; creates a missing table.

        Rows that are there already, all of them and no others, make no version.

        Raises:
            DataError: as `append`; LM313 when a new row does not match `where`.
        """
        return self._writing.replace(name, rows, where)

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
        return self._writing.merge(name, rows, on, insert=insert, update=update)

    def delete(self, name: TableName, *, where: Sequence[Condition]) -> WriteResult:
        """Deletes rows, and then the files that no version within 7 days needs.

        Raises:
            DataError: LM301 unknown table, LM302 unknown column.
        """
        known = self._catalog.get(name)
        result = self._writing.delete(known, where)
        if result.changed:
            vacuum(self._statements, known.name)
        return result

    def optimize(self, name: TableName) -> bool:
        """Rewrites many small files as few large ones.

        Raises:
            DataError: LM301 unknown table.
        """
        known = self._catalog.get(name)
        return compact(self._statements, known.name)

    def changes(self, name: TableName, *, since: int, columns: Sequence[str]) -> pa.RecordBatchReader | None:
        """Streams the rows inserted, updated (before and after) or deleted after version `since`.

        Returns:
            None when the table cannot tell: it has no change feed, or what it needs was cleaned up.
        """
        known = self._catalog.get(name)
        check_columns(columns, known.schema, str(name))
        if since >= known.version:
            schema = pa.schema([known.schema.field(column) for column in columns])
            return pa.RecordBatchReader.from_batches(schema, iter(()))
        source = f"table_changes({text_sql(table_sql(known.name))}, {int(since) + 1}, {known.version})"
        wanted = ", ".join(map(column_sql, columns))
        try:
            return self._plain(self._statements.stream(f"SELECT {wanted} FROM {source}"))  # noqa: S608 - names are quoted
        except StatementFailed as failed:
            if failed.error_class.startswith(_NO_FEED):
                return None
            raise

    def query(self, sql: str, *, most: int | None = None, stop: Event | None = None) -> pa.Table:
        """Runs one read-only SQL statement and returns its rows, at most so many.

        Raises:
            DataError: LM310 for statements that write, do not parse or do not work, LM317 when it was
                stopped.
        """
        statement = statement_that_reads(sql)
        try:
            return _first(self._plain(self._statements.stream(statement, stop=stop)), most)
        except StatementFailed as failed:
            if stop is not None and stop.is_set():
                raise DataError("LM317", "the query was stopped;", cure="ask for less.") from failed
            raise DataError(
                "LM310", f"the query does not work: {failed.what}", where=failed.where, cure=failed.cure
            ) from failed

    def _at(self, known: Known, version: int | None) -> str:
        """Returns the clause that pins a version; nothing for the newest."""
        if version is None or version == known.version:
            return ""
        if not 0 <= version < known.version:
            raise DataError(
                "LM314",
                f"{known.name} has no version {version};",
                cure=f"use 0 to {known.version}.",
            )
        return f"VERSION AS OF {int(version)}"

    def _plain(self, reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
        schema = readable(reader.schema)
        return pa.RecordBatchReader.from_batches(schema, (batch.cast(schema) for batch in reader))


def _first(reader: pa.RecordBatchReader, most: int | None) -> pa.Table:
    """Reads the first rows; later chunks of the result are not fetched."""
    if most is None:
        return reader.read_all()
    batches: list[pa.RecordBatch] = []
    while sum(batch.num_rows for batch in batches) < most:
        try:
            batches.append(reader.read_next_batch())
        except StopIteration:
            break
    return pa.Table.from_batches(batches, reader.schema).slice(0, most)
