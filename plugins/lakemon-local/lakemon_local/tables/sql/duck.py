"""DuckDB, in memory: it reads what it is handed and nothing else."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_SETTINGS = (
    "SET TimeZone = 'UTC'",
    # Parquet statistics leave NaN out, and DuckDB believes them.
    "SET disabled_optimizers = 'statistics_propagation'",
    "SET python_enable_replacements = false",
)
_LOOK_SECONDS = 0.05


@contextmanager
def duck() -> Generator[duckdb.DuckDBPyConnection]:
    """Opens a database in memory, in UTC, that takes NaN for what it is."""
    import duckdb

    connection = duckdb.connect()
    try:
        for setting in _SETTINGS:
            connection.execute(setting)
        yield connection
    finally:
        connection.close()


def lock(connection: duckdb.DuckDBPyConnection) -> None:
    """Takes files, network and settings away from every statement that follows."""
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def stopped_by(connection: duckdb.DuckDBPyConnection, stop: Event | None) -> Generator[None]:
    """Interrupts what runs on a connection once `stop` is set, for as long as the block runs."""
    if stop is None:
        yield
        return
    done = Event()

    def watch() -> None:
        while not done.wait(_LOOK_SECONDS):
            if stop.is_set():  # again and again: an interrupt before a statement has begun is lost
                connection.interrupt()

    watcher = Thread(target=watch, name="lakemon-query-stop", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def same_rows(one: pa.RecordBatchReader, other: pa.Table) -> bool:
    """Whether two results of the same number of rows hold the same ones, in any order.

    Nulls equal nulls, NaN equals NaN.
    """
    with duck() as connection:
        connection.register("one", one)
        connection.register("other", other)
        left = connection.execute("SELECT 1 FROM (SELECT * FROM one EXCEPT ALL SELECT * FROM other) LIMIT 1")
        return not left.fetchall()
