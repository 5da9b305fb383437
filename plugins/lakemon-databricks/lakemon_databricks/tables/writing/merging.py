"""A merge by key as SQL: a look at what would change, and the MERGE itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from lakemon_core.domain.names import TableName
from lakemon_databricks.statements import column_sql, table_sql


@dataclass(frozen=True, slots=True)
class Merge:
    """Rows of a source, by key, into a table; nulls and NaN equal themselves.

    Attributes:
        target: the table.
        source: a SELECT of the rows, one a key.
        schema: of the source.
        on: the key.
        update: columns that become those of the source where they differ; empty updates nothing.
        insert: rows whose key is new come in.
    """

    target: TableName
    source: str
    schema: pa.Schema
    on: Sequence[str]
    update: Sequence[str]
    insert: bool

    def look(self) -> str:
        """Counts what the merge would do, as `inserted` and `updated`: one that does nothing is not sent."""
        fresh = "t.found IS NULL" if self.insert else "false"
        return (
            f"SELECT count_if({fresh}) AS inserted, count_if(t.found AND ({self._differs})) AS updated"  # noqa: S608 - names are quoted
            f" FROM ({self.source}) s LEFT JOIN (SELECT true AS found, * FROM {table_sql(self.target)}) t"
            f" ON {self._same}"
        )

    def statement(self) -> str:
        """Returns the MERGE; the second time it changes nothing."""
        parts = [f"MERGE INTO {table_sql(self.target)} t USING ({self.source}) s ON {self._same}"]
        if self.update:
            assigned = ", ".join(f"t.{column_sql(one)} = s.{column_sql(one)}" for one in self.update)
            parts.append(f"WHEN MATCHED AND ({self._differs}) THEN UPDATE SET {assigned}")
        if self.insert:
            names = ", ".join(column_sql(name) for name in self.schema.names)
            given = ", ".join(f"s.{column_sql(name)}" for name in self.schema.names)
            parts.append(f"WHEN NOT MATCHED THEN INSERT ({names}) VALUES ({given})")  # noqa: S608 - names are quoted
        return " ".join(parts)

    @property
    def _same(self) -> str:
        return " AND ".join(f"t.{column_sql(key)} <=> s.{column_sql(key)}" for key in self.on)

    @property
    def _differs(self) -> str:
        return " OR ".join(_differ(one, self.schema.field(one).type) for one in self.update) or "false"


def _differ(column: str, kind: pa.DataType) -> str:
    """Compares a column of both sides; a map cannot be compared, its JSON can."""
    ours, theirs = f"t.{column_sql(column)}", f"s.{column_sql(column)}"
    if pa.types.is_map(kind):
        ours, theirs = f"to_json({ours})", f"to_json({theirs})"
    return f"NOT ({ours} <=> {theirs})"


def one_row_a_key(rows: pa.Table, on: Sequence[str], *, keep: str) -> pa.Table:
    """Returns the rows with one for each key: the `first` or the `last` that came."""
    order = "__lakemon_order"
    keys = list(dict.fromkeys(on))
    numbered = rows.select(keys).append_column(order, pa.array(range(rows.num_rows), pa.int64()))
    pick = "min" if keep == "first" else "max"
    kept = numbered.group_by(keys).aggregate([(order, pick)])
    if kept.num_rows == rows.num_rows:
        return rows
    return rows.take(kept.column(f"{order}_{pick}").combine_chunks().sort())
