"""SQL over all tables: one read-only statement, run by DuckDB on what Delta's engine streams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING

import pyarrow as pa

from lakemon_core.domain.errors import DataError
from lakemon_core.domain.names import TableName, quote
from lakemon_local.tables.places import Places
from lakemon_local.tables.snapshot import Snapshot, snapshot_to_read
from lakemon_local.tables.sql.duck import duck, lock, stopped_by
from lakemon_local.tables.sql.statement import Statement, Written, refused

if TYPE_CHECKING:
    import duckdb


def run_query(sql: str, places: Places, most: int | None, stop: Event | None) -> pa.Table:
    """Runs one statement that reads; see `Tables.query`."""
    import duckdb

    try:
        try:
            return _answer(sql, places, most, stop, narrow=True)
        except duckdb.BinderException:
            # With all columns in sight DuckDB names the one that was meant.
            return _answer(sql, places, most, stop, narrow=False)
    except duckdb.Error as error:
        if stop is not None and stop.is_set():
            raise DataError("LM317", "the query was stopped;", cure="ask for less.") from error
        raise refused(str(error)) from error


def _answer(sql: str, places: Places, most: int | None, stop: Event | None, *, narrow: bool) -> pa.Table:
    with duck() as connection, stopped_by(connection, stop):
        statement = Statement.parse(connection, sql)
        for number, written in enumerate(statement.tables):
            snapshot = snapshot_to_read(places.find(_meant(TableName(*written.parts), places)))
            columns = statement.columns_of(snapshot.schema) if narrow else snapshot.schema.names
            _offer(connection, f"lakemon_source_{number}", written, _Scan(snapshot, columns))
        lock(connection)
        asked = connection.sql(statement.text)
        return _narrowed((asked if most is None else asked.limit(most)).to_arrow_table())


def _offer(connection: duckdb.DuckDBPyConnection, source: str, written: Written, scan: _Scan) -> None:
    """Makes a table readable under the name that the statement writes."""
    connection.register(source, scan)
    schema = f"{quote(written.catalog)}.{quote(written.schema)}"
    connection.execute(f"ATTACH IF NOT EXISTS ':memory:' AS {quote(written.catalog)}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    connection.execute(f"CREATE VIEW {schema}.{quote(written.table)} AS FROM {source}")


def _meant(name: TableName, places: Places) -> TableName:
    """Returns the table that a name means: SQL does not tell names apart by case, unless two tables do."""
    alike = [known for known in places.all() if str(known).casefold() == str(name).casefold()]
    return alike[0] if len(alike) == 1 else name


@dataclass(frozen=True, slots=True)
class _Scan:
    """Some columns of a table as a source that DuckDB may read again and again."""

    snapshot: Snapshot
    columns: Sequence[str]

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Starts a new scan; DuckDB asks for no other schema."""
        return self.snapshot.scan(self.columns, ()).__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        """Tells the columns without reading."""
        return pa.schema([self.snapshot.schema.field(name) for name in self.columns]).__arrow_c_schema__()


def _narrowed(rows: pa.Table) -> pa.Table:
    """Returns whole numbers as bigint where they fit: DuckDB's sums of integers come as decimal(38,0)."""
    for at, field in enumerate(rows.schema):
        if field.type == pa.decimal128(38, 0):
            try:
                rows = rows.set_column(at, field.name, rows.column(at).cast(pa.int64()))
            except pa.ArrowInvalid:
                continue
    return rows
