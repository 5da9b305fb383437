"""The spool: a request is answered after it lies here, on the disk, and leaves for the lake later.

SQLite with `synchronous=FULL`. One thread writes; requests that arrive while it waits for the disk share its
next commit, so a hundred clients cost hardly more than one.
"""

from __future__ import annotations

import json
import queue
import sqlite3
import threading
import uuid
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.names import TableName

BATCH_ROWS = 5_000
BATCH_BYTES = 64 * 1024 * 1024
_GROUP = 500
_SCHEMA_VERSION = 1
_SCHEMA = """
CREATE TABLE requests (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    payload TEXT NOT NULL,
    databricks_request_id TEXT NOT NULL,
    client_request_id TEXT,
    request_time INTEGER NOT NULL,
    status_code INTEGER NOT NULL,
    execution_duration_ms INTEGER NOT NULL,
    request TEXT,
    response TEXT,
    logging_error_codes TEXT NOT NULL,
    served_entity_id TEXT
);
CREATE INDEX requests_by_payload ON requests (payload, id);
CREATE TABLE open_batches (payload TEXT PRIMARY KEY, last_id INTEGER NOT NULL);
CREATE TABLE identity (writer TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class LoggedCall:
    """One request and its answer, as the payload table will hold it.

    Attributes:
        databricks_request_id: made by the server.
        client_request_id: given by the client; None when it gave none.
        request_time: microseconds since 1970, UTC.
        status_code: of the answer.
        execution_duration_ms: time the model took.
        request: raw JSON; None when it is too large to log.
        response: raw JSON; None when it is too large to log.
        logging_error_codes: JSON list of what is missing.
        served_entity_id: which model version answered; None when none did.
    """

    databricks_request_id: str
    client_request_id: str | None
    request_time: int
    status_code: int
    execution_duration_ms: int
    request: str | None
    response: str | None
    logging_error_codes: str
    served_entity_id: str | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that go to one payload table in one commit.

    `number` grows with every batch of this writer, and a batch keeps number and rows until it is forgotten:
    moving it twice writes it once.
    """

    payload: TableName
    writer: str
    number: int
    calls: Sequence[LoggedCall]


_COLUMNS = tuple(field.name for field in fields(LoggedCall))
_INSERT = (
    f"INSERT INTO requests (payload, {', '.join(_COLUMNS)})"  # noqa: S608 - names of our own dataclass
    f" VALUES (?{', ?' * len(_COLUMNS)})"
)
_SELECT = (
    f"SELECT {', '.join(_COLUMNS)} FROM requests"  # noqa: S608 - names of our own dataclass
    " WHERE payload = ? AND id <= ? ORDER BY id"
)
_SIZES = (
    "SELECT id, ifnull(length(request), 0) + ifnull(length(response), 0) FROM requests"
    " WHERE payload = ? ORDER BY id LIMIT ?"
)


class Spool:
    """Requests on their way to the lake.

    Args:
        path: the file; made when it is not there.
        patience: seconds to wait for a lock that another process holds.

    Raises:
        WorkspaceError: LM610 when the file cannot be opened or is no spool of this version.
    """

    def __init__(self, path: Path, *, patience: float = 5.0) -> None:
        self.path = path
        self._database = threading.Lock()
        self._connection = _open(path, patience)
        self.writer: str = self._connection.execute("SELECT writer FROM identity").fetchone()[0]
        self._queue: queue.SimpleQueue[tuple[TableName, LoggedCall, Future[None]] | None] = (
            queue.SimpleQueue()
        )
        self._thread = threading.Thread(target=self._write, name="spool", daemon=True)
        self._thread.start()

    def put(self, payload: TableName, call: LoggedCall) -> Future[None]:
        """Hands a row over; the future is done when the row is on the disk, and raises when it is not."""
        future: Future[None] = Future()
        self._queue.put((payload, call, future))
        return future

    def waiting(self) -> int:
        """Returns how many rows have not left for the lake."""
        with self._database:
            return self._connection.execute("SELECT count(*) FROM requests").fetchone()[0]

    def newest(self) -> int:
        """Returns the id of the row that came last; 0 when all have left."""
        with self._database:
            return self._connection.execute("SELECT ifnull(max(id), 0) FROM requests").fetchone()[0]

    def holds(self, row_id: int) -> bool:
        """Whether any row up to this id has not left."""
        with self._database:
            query = "SELECT EXISTS (SELECT 1 FROM requests WHERE id <= ?)"
            return bool(self._connection.execute(query, (row_id,)).fetchone()[0])

    def next_batch(self) -> Batch | None:
        """Returns the batch that was begun and not forgotten, else the next; None when all has left."""
        with self._database, _transaction(self._connection) as connection:
            begun = connection.execute("SELECT payload, last_id FROM open_batches LIMIT 1").fetchone()
            payload, last_id = begun or _begin(connection) or (None, 0)
            if payload is None:
                return None
            rows = connection.execute(_SELECT, (payload, last_id)).fetchall()
        return Batch(
            TableName(*json.loads(payload)), self.writer, last_id, [LoggedCall(*row) for row in rows]
        )

    def forget(self, batch: Batch) -> None:
        """Deletes the rows of a batch that lies in the lake."""
        payload = _key(batch.payload)
        with self._database, _transaction(self._connection) as connection:
            connection.execute("DELETE FROM requests WHERE payload = ? AND id <= ?", (payload, batch.number))
            connection.execute("DELETE FROM open_batches WHERE payload = ?", (payload,))

    def close(self) -> None:
        """Writes what was handed over and closes the file."""
        self._queue.put(None)
        self._thread.join()
        with self._database:
            self._connection.close()

    def _write(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            closing = False
            while not closing and len(group) < _GROUP and not self._queue.empty():
                item = self._queue.get()
                closing = item is None
                if item is not None:
                    group.append(item)
            self._commit(group)
            if closing:
                return

    def _commit(self, group: Sequence[tuple[TableName, LoggedCall, Future[None]]]) -> None:
        rows = [(_key(payload), *astuple(call)) for payload, call, _ in group]
        try:
            with self._database, _transaction(self._connection) as connection:
                connection.executemany(_INSERT, rows)
        except sqlite3.Error as error:
            for _, _, future in group:
                future.set_exception(error)
            return
        for _, _, future in group:
            future.set_result(None)


def _key(payload: TableName) -> str:
    return json.dumps([payload.catalog, payload.schema, payload.table])


def _begin(connection: sqlite3.Connection) -> tuple[str, int] | None:
    """Chooses the rows of the next batch, oldest table first, and notes them."""
    oldest = connection.execute("SELECT payload FROM requests ORDER BY id LIMIT 1").fetchone()
    if oldest is None:
        return None
    last_id = size = 0
    for row_id, length in connection.execute(_SIZES, (oldest[0], BATCH_ROWS)):
        size += length
        if last_id and size > BATCH_BYTES:
            break
        last_id = row_id
    connection.execute("INSERT INTO open_batches VALUES (?, ?)", (oldest[0], last_id))
    return oldest[0], last_id


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _open(path: Path, patience: float) -> sqlite3.Connection:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, timeout=patience, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        _prepare(connection)
    except (OSError, sqlite3.Error) as error:
        raise WorkspaceError(
            "LM610",
            f"the spool of the model server cannot be opened: {error};",
            where=str(path),
            cure="free disk space or mend the permissions; a damaged file has to be moved away by hand.",
        ) from error
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > _SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"it was written by a newer lakemon (schema {version})")
    if version == _SCHEMA_VERSION:
        return
    with _transaction(connection):
        for statement in _SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute("INSERT INTO identity VALUES (?)", (f"lakemon-spool-{uuid.uuid4().hex}",))
        connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
