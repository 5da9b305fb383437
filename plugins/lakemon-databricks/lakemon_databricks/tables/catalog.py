"""What is known of tables without reading their rows: schema, version, names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.names import TableName
from lakemon_core.profiling.table_types import readable
from lakemon_databricks.statements import StatementFailed, Statements, column_sql, table_sql

_MISSING = {"TABLE_OR_VIEW_NOT_FOUND", "SCHEMA_NOT_FOUND", "NO_SUCH_CATALOG_EXCEPTION"}
_VIEW = {"EXPECT_TABLE_NOT_VIEW", "DELTA_TABLE_ONLY_OPERATION", "WRONG_COMMAND_FOR_OBJECT_TYPE"}


@dataclass(frozen=True, slots=True)
class Known:
    """A table as it stands: its newest version, and its columns as rows are handed out."""

    name: TableName
    version: int
    schema: pa.Schema

    @property
    def where(self) -> str:
        """Its name, for messages."""
        return str(self.name)


@dataclass(frozen=True, slots=True)
class Catalog:
    """Finds tables of one catalog."""

    statements: Statements
    catalog: str

    def find(self, name: TableName) -> Known | None:
        """Returns a table, or None."""
        try:
            return Known(name, self.version(name), self.schema(name))
        except StatementFailed as failed:
            if failed.error_class in _MISSING:
                return None
            raise

    def get(self, name: TableName) -> Known:
        """Returns a table.

        Raises:
            DataError: LM301 when it is not there, LM340 when it is a view.
        """
        return self.find(name) or self._unknown(name)

    def version(self, name: TableName) -> int:
        """Returns the number of the newest version."""
        try:
            rows = self.statements.read(f"DESCRIBE HISTORY {table_sql(name)} LIMIT 1").to_pylist()
        except StatementFailed as failed:
            if failed.error_class not in _VIEW:
                raise
            raise DataError(
                "LM340",
                f"{name} is a view, and only a Delta table can tell what changed;",
                cure="name the table behind it, or make a table of it.",
            ) from failed
        return int(rows[0]["version"])

    def schema(self, name: TableName, at: str = "") -> pa.Schema:
        """Returns the columns; `at` is e.g. `VERSION AS OF 3`."""
        return readable(self.statements.read(f"SELECT * FROM {table_sql(name)} {at} LIMIT 0").schema)  # noqa: S608 - quoted

    def all(self) -> Sequence[TableName]:
        """Returns the tables of the catalog that this account may see, sorted."""
        found = self.statements.read(
            f"SELECT table_schema, table_name FROM {column_sql(self.catalog)}.information_schema.tables"  # noqa: S608 - quoted
            " WHERE table_schema <> 'information_schema'"
        ).to_pylist()
        return sorted(TableName(self.catalog, row["table_schema"], row["table_name"]) for row in found)

    def _unknown(self, name: TableName) -> Known:
        known = [str(one) for one in self.all()]
        raise DataError("LM301", f"table {name} is not there.", cure=did_you_mean(str(name), known))
