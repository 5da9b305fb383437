"""The ledger of a workspace in one SQLite file."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.incident import DeliveryResult, Incident, IncidentEvent, OutboxItem
from lakemon_core.domain.run import RunRecord
from lakemon_core.ports import Clock
from lakemon_local.ledger.database import explained, open_ledger
from lakemon_local.ledger.records import Batch, Deployment

T = TypeVar("T")


class SqliteLedger:
    """What was done, in one SQLite file (WAL, synchronous=FULL); implements the port `Ledger`.

    The file is opened at the first use. Every method is one transaction, begun with `BEGIN IMMEDIATE` where
    it writes, and may be called from any thread. Incident states, events and deliveries are only appended.

    Args:
        path: the file; made with its folders when it is not there.
        clock: gives the time of what is noted without a time of its own.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def close(self) -> None:
        """Closes the file; the next call opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def start_run(self, record: RunRecord) -> None:
        """Opens a run; runs that are still `running` become `interrupted`."""
        with self._writing() as connection:
            for (text,) in connection.execute("SELECT record FROM runs WHERE status = 'running'").fetchall():
                dead = replace(self._decoded(RunRecord, text), status="interrupted")
                if dead.run_id != record.run_id:
                    _put_run(connection, dead)
            _put_run(connection, record)

    def save_run(self, record: RunRecord) -> None:
        """Writes the newest state of a run."""
        with self._writing() as connection:
            _put_run(connection, record)

    def runs(self, limit: int = 20) -> Sequence[RunRecord]:
        """Returns runs, newest first."""
        rows = self._rows("SELECT record FROM runs ORDER BY started_at DESC, run_id DESC LIMIT ?", limit)
        return [self._decoded(RunRecord, text) for (text,) in rows]

    def get(self, key: str) -> str | None:
        """Returns the text noted under a key, e.g. a watermark."""
        rows = self._rows("SELECT value FROM notes WHERE key = ?", key)
        return rows[0][0] if rows else None

    def put(self, key: str, value: str) -> None:
        """Notes a text under a key."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO notes VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                (key, value),
            )

    def incidents(self) -> Mapping[str, Incident]:
        """Returns the newest state of every incident by fingerprint."""
        rows = self._rows(
            "SELECT state FROM incident_states JOIN (SELECT fingerprint, max(version) AS version"
            " FROM incident_states GROUP BY fingerprint) USING (fingerprint, version) ORDER BY id"
        )
        states = [self._decoded(Incident, text) for (text,) in rows]
        return {state.fingerprint: state for state in states}

    def events(self, limit: int = 100) -> Sequence[IncidentEvent]:
        """Returns transitions, newest first."""
        rows = self._rows("SELECT event FROM incident_events ORDER BY id DESC LIMIT ?", limit)
        return [self._decoded(IncidentEvent, text) for (text,) in rows]

    def commit(
        self, states: Sequence[Incident], events: Sequence[IncidentEvent], items: Sequence[OutboxItem]
    ) -> int:
        """Writes states, transitions and messages together; a key that is there already is left as it is.

        A state carries the version it was read with, and is written with the next one if it is news.

        Returns:
            how many messages are new in the outbox.

        Raises:
            WorkspaceError: LM606 when the newest state is another than the one this came from.
        """
        with self._writing() as connection:
            for state in states:
                self._append_state(connection, state)
            for event in events:
                connection.execute(
                    "INSERT OR IGNORE INTO incident_events (key, event) VALUES (?, ?)",
                    (event.key, encode(event)),
                )
            return sum(_put_new_item(connection, item) for item in items)

    def due(self, now: datetime) -> Sequence[OutboxItem]:
        """Returns the messages to send now, oldest first, each thread in order.

        A message waits for the earlier ones of its thread at its sink: none is returned while one before it
        is due later.
        """
        rows = self._rows(
            "SELECT item FROM outbox AS mine WHERE status = 'due' AND NOT EXISTS"
            " (SELECT 1 FROM outbox AS earlier WHERE earlier.status = 'due' AND earlier.sink = mine.sink"
            " AND earlier.thread = mine.thread AND earlier.id <= mine.id AND earlier.next_at > ?)"
            " ORDER BY id",
            _moment(now),
        )
        return [self._decoded(OutboxItem, text) for (text,) in rows]

    def outbox(self, status: str | None = None) -> Sequence[OutboxItem]:
        """Returns all messages, or those of one status, oldest first."""
        rows = self._rows("SELECT item FROM outbox WHERE status = ifnull(?, status) ORDER BY id", status)
        return [self._decoded(OutboxItem, text) for (text,) in rows]

    def record(self, item: OutboxItem, result: DeliveryResult, at: datetime) -> None:
        """Appends the attempt and writes the item's newest state."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO deliveries (key, sink, attempt, at, result) VALUES (?, ?, ?, ?, ?)",
                (item.key, item.sink, item.attempts, _moment(at), encode(result)),
            )
            _put_item(connection, item)

    def revise(self, before: OutboxItem, after: OutboxItem) -> bool:
        """Writes the newest state of a message without an attempt, if it still is `before`."""
        with self._writing() as connection:
            row = connection.execute("SELECT item FROM outbox WHERE key = ?", (before.key,)).fetchone()
            is_current = row is not None and encode(self._decoded(OutboxItem, row[0])) == encode(before)
            if is_current:
                _put_item(connection, after)
            return is_current

    def deliveries(self, limit: int = 100) -> Sequence[Mapping[str, object]]:
        """Returns attempts, newest first: key, sink, attempt, status, code, detail, at."""
        rows = self._rows(
            "SELECT key, sink, attempt, at, result FROM deliveries ORDER BY id DESC LIMIT ?", limit
        )
        return [self._delivery(*row) for row in rows]

    def record_deployment(self, endpoint: str, version: str, served_entity_id: str, at: datetime) -> None:
        """Notes that an endpoint answers with a version from now on."""
        deployment = Deployment(endpoint, version, served_entity_id, at)
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO deployments (endpoint, deployment) VALUES (?, ?)",
                (endpoint, encode(deployment)),
            )

    def deployments(self, endpoint: str) -> Sequence[Deployment]:
        """Returns what an endpoint answered with, oldest first."""
        rows = self._rows("SELECT deployment FROM deployments WHERE endpoint = ? ORDER BY id", endpoint)
        return [self._decoded(Deployment, text) for (text,) in rows]

    def record_batch(self, writer: str, number: int, rows: int, digest: str) -> None:
        """Notes a batch that is durable; one that is noted already is left as it is."""
        batch = Batch(writer, number, rows, digest, self._clock.now())
        with self._writing() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO batches VALUES (?, ?, ?)", (writer, number, encode(batch))
            )

    def batches(self, writer: str) -> Sequence[Batch]:
        """Returns the batches of a writer in order."""
        rows = self._rows("SELECT batch FROM batches WHERE writer = ? ORDER BY number", writer)
        return [self._decoded(Batch, text) for (text,) in rows]

    def _append_state(self, connection: sqlite3.Connection, state: Incident) -> None:
        row = connection.execute(
            "SELECT state FROM incident_states WHERE fingerprint = ? ORDER BY version DESC LIMIT 1",
            (state.fingerprint,),
        ).fetchone()
        newest = self._decoded(Incident, row[0]) if row else None
        known = newest.version if newest else 0
        if newest == replace(state, version=known):
            return
        if state.version != known:
            raise WorkspaceError(
                "LM606",
                f"incident {state.fingerprint} was written by another run meanwhile"
                f" (version {known}, ours {state.version});",
                where=str(self._path),
                cure="run again.",
            )
        written = replace(state, version=known + 1)
        connection.execute(
            "INSERT INTO incident_states (fingerprint, version, state) VALUES (?, ?, ?)",
            (state.fingerprint, written.version, encode(written)),
        )

    def _delivery(self, key: str, sink: str, attempt: int, at: str, text: str) -> Mapping[str, object]:
        result = self._decoded(DeliveryResult, text)
        return {
            "key": key,
            "sink": sink,
            "attempt": attempt,
            "status": result.status.value,
            "code": result.code,
            "detail": result.detail,
            "at": datetime.fromisoformat(at),
        }

    def _decoded(self, kind: type[T], text: str) -> T:
        try:
            return decode(kind, text)
        except ValueError as error:
            raise WorkspaceError(
                "LM603",
                f"the ledger holds something unreadable: {error};",
                where=str(self._path),
                cure="put back a copy of the file, or move it away to start a new one.",
            ) from error

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._explaining() as connection:
            return connection.execute(sql, values).fetchall()

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        """One transaction that writes: all of it or nothing."""
        with self._explaining() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _explaining(self) -> Generator[sqlite3.Connection]:
        with self._lock:
            if self._connection is None:
                self._connection = open_ledger(self._path)
            try:
                yield self._connection
            except sqlite3.Error as error:
                raise explained(error, self._path) from error


def _put_run(connection: sqlite3.Connection, record: RunRecord) -> None:
    connection.execute(
        "INSERT INTO runs VALUES (?, ?, ?, ?) ON CONFLICT (run_id) DO UPDATE SET"
        " status = excluded.status, record = excluded.record",
        (record.run_id, _moment(record.started_at), record.status, encode(record)),
    )


def _put_new_item(connection: sqlite3.Connection, item: OutboxItem) -> int:
    cursor = connection.execute(
        "INSERT OR IGNORE INTO outbox (key, sink, thread, status, next_at, item) VALUES (?, ?, ?, ?, ?, ?)",
        (item.key, item.sink, item.order, item.status, _moment(item.next_at), encode(item)),
    )
    return cursor.rowcount


def _put_item(connection: sqlite3.Connection, item: OutboxItem) -> None:
    connection.execute(
        "UPDATE outbox SET status = ?, next_at = ?, item = ? WHERE key = ?",
        (item.status, _moment(item.next_at), encode(item), item.key),
    )


def _moment(moment: datetime) -> str:
    """UTC in a form of fixed width, so that the order of texts is the order of time."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
