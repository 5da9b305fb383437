"""Opens the ledger's file: made and upgraded whole or not at all, and checked before it is trusted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from lakemon_core.domain.errors import WorkspaceError

_BUSY_SECONDS = 20.0

_MIGRATIONS = (
    """
    CREATE TABLE migrations (version INTEGER PRIMARY KEY, applied_at TEXT NOT NULL) STRICT;
    CREATE TABLE runs (
        run_id TEXT PRIMARY KEY, started_at TEXT NOT NULL, status TEXT NOT NULL, record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX runs_by_start ON runs (started_at);
    CREATE TABLE notes (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE incident_states (
        id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, version INTEGER NOT NULL, state TEXT NOT NULL,
        UNIQUE (fingerprint, version)
    ) STRICT;
    CREATE TABLE incident_events (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, event TEXT NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, sink TEXT NOT NULL, thread TEXT NOT NULL,
        status TEXT NOT NULL, next_at TEXT NOT NULL, item TEXT NOT NULL
    ) STRICT;
    CREATE INDEX outbox_by_status ON outbox (status, sink, thread);
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL, sink TEXT NOT NULL, attempt INTEGER NOT NULL,
        at TEXT NOT NULL, result TEXT NOT NULL
    ) STRICT;
    CREATE TABLE deployments (
        id INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, deployment TEXT NOT NULL
    ) STRICT;
    CREATE TABLE batches (
        writer TEXT NOT NULL, number INTEGER NOT NULL, batch TEXT NOT NULL, PRIMARY KEY (writer, number)
    ) STRICT
    """,
)
"""The statements that lead to each version of the schema, oldest first; a released one is never changed."""

SCHEMA_VERSION = len(_MIGRATIONS)


def open_ledger(path: Path) -> sqlite3.Connection:
    """Opens the ledger's file, made or upgraded where needed.

    Returns:
        a connection that may be used from any thread by one at a time, in WAL mode with synchronous=FULL;
        transactions are begun by hand.

    Raises:
        WorkspaceError: LM602 when a newer lakemon wrote it, LM603 when it is empty or damaged, LM604 when
            another process keeps it locked, LM605 when the disk refuses.
    """
    try:
        if not path.exists():
            _create(path)
        connection = _connect(path)
        try:
            _check(connection, path)
            _upgrade(connection)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise explained(error, path) from error
    except OSError as error:
        raise WorkspaceError(
            "LM605", f"the ledger cannot be made: {error.strerror};", where=str(path), cure=_DISK_CURE
        ) from error
    return connection


def explained(error: sqlite3.Error, path: Path) -> WorkspaceError:
    """Says what an error of SQLite means for a person."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = code & 0xFF if code is not None else None
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return WorkspaceError(
            "LM604",
            f"the ledger stayed locked by another process for {_BUSY_SECONDS:.0f} s;",
            where=str(path),
            cure="close the program that has it open (e.g. a database browser) and run again.",
        )
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return _damaged(path, str(error))
    return WorkspaceError("LM605", f"the ledger cannot be used: {error};", where=str(path), cure=_DISK_CURE)


_DISK_CURE = "check the space and the permissions of the workspace, then run again: nothing was half written."


def _damaged(path: Path, detail: str) -> WorkspaceError:
    return WorkspaceError(
        "LM603",
        f"the ledger is damaged ({detail});",
        where=str(path),
        cure="put back a copy, or move the file away: lakemon then starts a new one, tables stay as they "
        "are, and open incidents are told once more.",
    )


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA synchronous = FULL")
    return connection


def _create(path: Path) -> None:
    """Makes the file beside its place and links it in, so that a ledger is whole from its first moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    try:
        with closing(_connect(draft)) as connection:
            _upgrade(connection)
            connection.execute("PRAGMA journal_mode = WAL")
        with suppress(FileExistsError):  # another process was first: its file is as good
            os.link(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check(connection: sqlite3.Connection, path: Path) -> None:
    version = _version(connection)
    if version > SCHEMA_VERSION:
        raise WorkspaceError(
            "LM602",
            f"the ledger was written by a newer lakemon (schema {version}, this one knows {SCHEMA_VERSION});",
            where=str(path),
            cure="upgrade lakemon, or use another workspace.",
        )
    if version == 0:
        raise _damaged(path, "it is empty" if not path.stat().st_size else "it is not a ledger of lakemon")
    verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise _damaged(path, verdict)


def _upgrade(connection: sqlite3.Connection) -> None:
    """Applies what is missing in one transaction: a kill in the middle leaves the file as it was."""
    if _version(connection) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for version in range(_version(connection) + 1, SCHEMA_VERSION + 1):
            for statement in _MIGRATIONS[version - 1].split(";"):
                connection.execute(statement)
            connection.execute("INSERT INTO migrations VALUES (?, datetime('now'))", (version,))
            connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]
