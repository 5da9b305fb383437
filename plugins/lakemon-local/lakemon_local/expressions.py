"""Expressions over Arrow tables, run by a DuckDB that can reach nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from threading import Lock
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import quote
from lakemon_local.tables.sql.duck import duck, lock

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_ROWS = "lakemon_rows"
_ANY = "lakemon_any"


class DuckExpressions:
    """Runs translated expressions, one at a time, in a database that `close` closes."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()
        self._open = ExitStack()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def evaluate(self, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
        """Returns a column for each expression; see `Expressions.evaluate`."""
        return self._select(rows, columns)

    def aggregate(self, rows: pa.Table, columns: Mapping[str, str]) -> Mapping[str, object]:
        """Returns a value for each expression; see `Expressions.aggregate`."""
        return self._select(rows, columns).to_pylist()[0]

    def close(self) -> None:
        """Closes the database."""
        self._open.close()
        self._connection = None

    def _select(self, rows: pa.Table, columns: Mapping[str, str]) -> pa.Table:
        import duckdb

        wanted = ", ".join(f"{sql} AS {quote(name)}" for name, sql in columns.items())
        statement = f"SELECT {wanted} FROM {_ROWS}"  # noqa: S608 - checked by lakemon_core.expressions
        with self._one_at_a_time:
            connection = self._connected()
            connection.register(_ROWS, _with_a_column(rows))
            try:
                return connection.sql(statement).to_arrow_table()
            except duckdb.Error as error:
                raise _refused(error) from error
            finally:
                connection.unregister(_ROWS)

    def _connected(self) -> duckdb.DuckDBPyConnection:
        if self._connection is None:
            self._connection = self._open.enter_context(duck())
            lock(self._connection)
        return self._connection


def _with_a_column(rows: pa.Table) -> pa.Table:
    """Returns rows that DuckDB can count even when no expression reads a column of them."""
    import pyarrow as pa

    return rows if rows.num_columns else pa.table({_ANY: pa.nulls(len(rows), pa.int8())})


def _refused(error: Exception) -> DataError:
    """Returns DuckDB's first sentence; its drawing of the statement says nothing to the reader."""
    said = str(error).splitlines()[0].partition(": ")[2] or str(error).splitlines()[0]
    return DataError(
        "LM337",
        f"an expression does not fit the rows: {said};",
        cure="compare columns with values of their type.",
    )
