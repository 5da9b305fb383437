"""Writes to tables: each one commit, fitted without loss, and without effect the second time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName
from lakemon_core.ports import Condition, WriteResult
from lakemon_core.profiling.table_types import check_columns, fit
from lakemon_databricks.statements import (
    Binding,
    StatementFailed,
    Statements,
    Value,
    column_sql,
    table_sql,
    text_sql,
)
from lakemon_databricks.tables.catalog import Catalog, Known
from lakemon_databricks.tables.predicates import predicate
from lakemon_databricks.tables.writing.making import add_columns, batch_number, make_table, note_batch
from lakemon_databricks.tables.writing.merging import Merge, one_row_a_key
from lakemon_databricks.tables.writing.rows import row_texts
from lakemon_databricks.tables.writing.staging import staged


@dataclass(frozen=True, slots=True)
class Writing:
    """Writes to the tables of a catalog."""

    statements: Statements
    catalog: Catalog

    def append(
        self, name: TableName, rows: pa.RecordBatchReader | pa.Table, batch: tuple[str, int] | None
    ) -> WriteResult:
        """See `LakeTables.append`. All rows are held: the API takes them as text of statements."""
        incoming = rows if isinstance(rows, pa.Table) else rows.read_all()
        known = self.catalog.find(name)
        if known and batch and batch_number(self.statements, name, batch[0]) >= batch[1]:
            return WriteResult(known.version)
        known, fitted, grown = self._fitted(known, name, incoming)
        if not fitted.num_rows and not grown:
            return WriteResult(known.version)
        if fitted.num_rows:
            before = self.catalog.version(name) if grown else known.version
            with staged(self.statements, name, fitted) as source:
                columns = _names(fitted)
                sql = f"INSERT INTO {table_sql(name)} ({columns}) SELECT {columns} FROM ({source.sql})"  # noqa: S608 - quoted
                self.statements.write(sql, source.values)
            self._only_once(known, before, fitted)
        if batch:
            note_batch(self.statements, name, batch)
        return WriteResult(self.catalog.version(name), inserted=fitted.num_rows)

    def replace(self, name: TableName, rows: pa.Table, where: Sequence[Condition]) -> WriteResult:
        """See `LakeTables.replace`."""
        known = self.catalog.find(name)
        if known is None:
            where = ()
        known, fitted, grown = self._fitted(known, name, rows)
        binding = Binding()
        filtered = predicate(where, known.schema, known.where, binding)
        before = self._matching(known, filtered, binding, fitted.column_names)
        if not grown and sorted(row_texts(before)) == sorted(row_texts(fitted)):
            return WriteResult(known.version)
        with staged(self.statements, name, fitted) as source:
            target = table_sql(name)
            verb = f"INSERT INTO {target} REPLACE WHERE {filtered}" if where else f"INSERT OVERWRITE {target}"
            sql = f"{verb} SELECT {_names(fitted)} FROM ({source.sql})"  # noqa: S608 - quoted
            self._replaced(sql, {**binding.values, **source.values}, known)
        version = self.catalog.version(name)
        return WriteResult(version, inserted=fitted.num_rows, deleted=before.num_rows)

    def merge(
        self, name: TableName, rows: pa.Table, on: Sequence[str], *, insert: bool, update: Sequence[str]
    ) -> WriteResult:
        """See `LakeTables.merge`."""
        check_columns([*on, *update], rows.schema, f"the rows for {name}")
        if not on:
            raise DataError("LM312", "a merge needs at least one key column;", where=str(name))
        known = self.catalog.find(name) if insert else self.catalog.get(name)
        if known is not None:
            check_columns(on, known.schema, str(name))
        wanted = rows if insert else rows.select(list(dict.fromkeys([*on, *update])))
        known, fitted, _ = self._fitted(known, name, wanted)
        single = one_row_a_key(fitted, on, keep="last" if update else "first")
        changed = [column for column in update if column in single.column_names]
        with staged(self.statements, name, single) as source:
            merge = Merge(name, source.sql, single.schema, on, changed, insert)
            return self._merge(known, merge, source.values)

    def delete(self, known: Known, where: Sequence[Condition]) -> WriteResult:
        """Deletes rows; when none matches there is no version."""
        binding = Binding()
        filtered = predicate(where, known.schema, known.where, binding)
        count = f"SELECT count(*) AS n FROM {table_sql(known.name)} WHERE {filtered}"  # noqa: S608 - quoted
        (found,) = self.statements.read(count, binding.values).to_pylist()
        if not found["n"]:
            return WriteResult(known.version)
        sql = f"DELETE FROM {table_sql(known.name)} WHERE {filtered}"  # noqa: S608 - quoted
        self.statements.write(sql, binding.values)
        return WriteResult(self.catalog.version(known.name), deleted=int(found["n"]))

    def _merge(self, known: Known, merge: Merge, values: Mapping[str, Value]) -> WriteResult:
        (found,) = self.statements.read(merge.look(), values).to_pylist()
        inserted, updated = int(found["inserted"] or 0), int(found["updated"] or 0)
        if inserted or updated:
            self.statements.write(merge.statement(), values)
        return WriteResult(self.catalog.version(known.name), inserted=inserted, updated=updated)

    def _fitted(self, known: Known | None, name: TableName, rows: pa.Table) -> tuple[Known, pa.Table, bool]:
        """Returns the table, made or grown where it has to be, the rows as it takes them, and if it grew."""
        plan = fit(rows.schema, known.schema if known else None, str(name))
        fitted = plan.rows(rows)
        if known is None:
            make_table(self.statements, name, plan.schema)
            return Known(name, self.catalog.version(name), plan.schema), fitted, False
        if plan.added:
            add_columns(self.statements, name, plan.added)
        return Known(name, known.version, plan.schema), fitted, bool(plan.added)

    def _only_once(self, known: Known, before: int, rows: pa.Table) -> None:
        """Takes back an INSERT that ran twice: the SDK sends it again when its answer was lost.

        Raises:
            DataError: LM341 when somebody else wrote at the same time, so that nothing may be taken back.
        """
        table = table_sql(known.name)
        found = self.statements.read(f"DESCRIBE HISTORY {table} LIMIT 20").to_pylist()
        later = [row["version"] for row in found if row["version"] > before]
        if len(later) <= 1:
            return
        ours = [version for version in later if self._is_insert_of(known, version, rows)]
        if len(ours) <= 1:
            return
        if len(ours) < len(later):
            raise DataError(
                "LM341",
                f"{rows.num_rows} rows stand {len(ours)} times: an answer was lost, and others wrote too;",
                where=known.where,
                cure=f"compare the versions {min(ours)} to {max(later)} and delete what stands twice.",
            )
        self.statements.write(f"INSERT OVERWRITE {table} SELECT * FROM {table} VERSION AS OF {min(ours)}")  # noqa: S608 - quoted

    def _is_insert_of(self, known: Known, version: int, rows: pa.Table) -> bool:
        """Whether a commit inserted exactly these rows."""
        changes = f"table_changes({text_sql(table_sql(known.name))}, {version}, {version})"
        sql = f"SELECT {_names(rows)}, _change_type FROM {changes}"  # noqa: S608 - quoted
        try:
            found = self.statements.read(sql)
        except StatementFailed as failed:
            if not failed.error_class.startswith("DELTA_"):
                raise
            return False  # a table of somebody else without a change feed: then nothing is ever taken back
        if set(found["_change_type"].to_pylist()) - {"insert"}:
            return False
        inserted = found.drop_columns(["_change_type"]).cast(rows.schema)
        return sorted(row_texts(inserted)) == sorted(row_texts(rows))

    def _matching(self, known: Known, filtered: str, binding: Binding, columns: Sequence[str]) -> pa.Table:
        wanted = ", ".join(map(column_sql, columns))
        sql = f"SELECT {wanted} FROM {table_sql(known.name)} WHERE {filtered}"  # noqa: S608 - quoted
        return self.statements.read(sql, binding.values).cast(
            pa.schema([known.schema.field(column) for column in columns])
        )

    def _replaced(self, sql: str, values: Mapping[str, Value], known: Known) -> None:
        try:
            self.statements.write(sql, values)
        except StatementFailed as failed:
            if failed.error_class != "DELTA_REPLACE_WHERE_MISMATCH":
                raise
            raise DataError(
                "LM313",
                "some of the new rows do not match the filter of the rows they replace;",
                where=known.where,
                cure="every new row must satisfy the filter.",
            ) from failed


def _names(rows: pa.Table) -> str:
    return ", ".join(map(column_sql, rows.column_names))
