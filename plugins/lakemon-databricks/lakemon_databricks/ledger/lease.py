"""A run holds its environment by a lease in the ledger that it renews; a dead run's lease runs out."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from lakemon_core.domain.errors import LakemonError, WorkspaceBusy
from lakemon_core.ports import Clock
from lakemon_databricks.ledger.entries import SWAP, Entries, Entry

LEASE = timedelta(minutes=5)
_RENEWED_EVERY = 60.0
_KIND, _KEY = "lease", "run"


@dataclass(frozen=True, slots=True)
class Lease:
    """Who holds the environment until when; a free one is held by nobody."""

    run_id: str
    holder: str
    since: str
    until: str

    def text(self) -> str:
        """As it stands in the ledger."""
        return json.dumps(asdict(self), sort_keys=True)


@contextmanager
def hold(entries: Entries, run_id: str, clock: Clock) -> Generator[None]:
    """Holds the environment for one run.

    Raises:
        WorkspaceBusy: LM601 with the run that holds it, its process and since when.
    """
    now = clock.now()
    mine = Lease(run_id, f"pid {os.getpid()} on {socket.gethostname()}", now.isoformat(), _end(now))
    _take(entries, mine, now)
    held = _Held(entries, mine, clock)
    held.start()
    try:
        yield
    finally:
        held.stop()


def _take(entries: Entries, mine: Lease, now: datetime) -> None:
    text = entries.value(_KIND, _KEY)
    if text is None:
        entries.write([Entry(_KIND, _KEY, mine.text())])
    else:
        other = Lease(**json.loads(text))
        if other.run_id and datetime.fromisoformat(other.until) > now:
            raise _busy(other)
        entries.write([Entry(_KIND, _KEY, mine.text(), mode=SWAP, expected=text)])
    holding = entries.value(_KIND, _KEY)
    if holding != mine.text():
        raise _busy(Lease(**json.loads(holding or mine.text())))


def _busy(other: Lease) -> WorkspaceBusy:
    return WorkspaceBusy(
        "LM601",
        f"run {other.run_id} holds this environment since {other.since} ({other.holder});",
        cure=f"wait for it to end; if it is dead, its lease runs out at {other.until}.",
    )


def _end(now: datetime) -> str:
    return (now + LEASE).isoformat()


class _Held:
    """A lease while it is held: renewed in the background, given back at the end."""

    def __init__(self, entries: Entries, mine: Lease, clock: Clock) -> None:
        self._entries = entries
        self._mine = mine
        self._clock = clock
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="lakemon-lease", daemon=True)

    def start(self) -> None:
        """Begins to renew it."""
        self._thread.start()

    def stop(self) -> None:
        """Gives it back."""
        self._ended.set()
        self._thread.join()
        free = Lease("", "", self._mine.since, self._mine.since)
        self._entries.write([Entry(_KIND, _KEY, free.text(), mode=SWAP, expected=self._mine.text())])

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWED_EVERY):
            mine = Lease(**asdict(self._mine) | {"until": _end(self._clock.now())})
            swap = Entry(_KIND, _KEY, mine.text(), mode=SWAP, expected=self._mine.text())
            with suppress(LakemonError):  # it is tried again in a minute, and the lease lasts five
                self._entries.write([swap])
                self._mine = mine
