"""The lock of a workspace: one run at a time."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from lakemon_core.domain.errors import WorkspaceBusy, WorkspaceError

_PATIENCE_SECONDS = 0.3
"""How long we wait for a holder that has the lock but has not yet written who it is."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock: process id, run id and when it took the lock (UTC)."""

    pid: int
    run_id: str
    start: datetime


@contextmanager
def hold(path: Path, run_id: str) -> Generator[None]:
    """Holds the lock file for as long as the block runs.

    The operating system frees the lock when the process ends, also by `kill -9`. The file stays and is empty
    while nobody holds it.

    Args:
        path: the lock file; missing folders are made.
        run_id: told to whoever finds the lock taken.

    Raises:
        WorkspaceBusy: LM601 at once, naming pid, run and start of the holder.
        WorkspaceError: LM605 when the file cannot be opened.
    """
    descriptor = _open(path)
    try:
        _take(descriptor, path)
        _write(descriptor, Holder(os.getpid(), run_id, datetime.now(UTC)))
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
            # Closing alone would leave the lock to a child process that was just being started.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def holder(path: Path) -> Holder | None:
    """Returns who holds the lock now; None when it is free."""
    if not path.exists():
        return None
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read(descriptor)
    finally:
        os.close(descriptor)
    return None


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WorkspaceError(
            "LM605",
            f"the lock file cannot be opened: {error.strerror};",
            where=str(path),
            cure="check the permissions and the space of the workspace, or choose another with --workspace.",
        ) from error


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        found = _read(descriptor)
        who = (
            f"run {found.run_id} (pid {found.pid}, started {found.start:%Y-%m-%d %H:%M:%S} UTC)"
            if found
            else "another run"
        )
        raise WorkspaceBusy(
            "LM601",
            f"{who} holds the workspace;",
            where=str(path),
            cure="wait until it ends, or stop it; its lock goes with it.",
        ) from error


def _write(descriptor: int, found: Holder) -> None:
    text = json.dumps({"pid": found.pid, "run_id": found.run_id, "start": found.start.isoformat()})
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def _read(descriptor: int) -> Holder | None:
    """Reads the holder; its file is empty for the moment between taking the lock and writing."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            fields = json.loads(os.pread(descriptor, 4096, 0))
            return Holder(fields["pid"], fields["run_id"], datetime.fromisoformat(fields["start"]))
        except (ValueError, KeyError):
            if time.monotonic() > deadline:
                return None
            time.sleep(0.01)
