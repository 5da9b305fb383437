"""SQL statements of the query page: a few at a time, with a limit of rows and time, and stopped on demand."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import DataError
from lakemon_core.ports import Tables

if TYPE_CHECKING:
    import pyarrow as pa

MOST_ROWS = 1000
SECONDS = 30.0
AT_ONCE = 3


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of a statement, at most `MOST_ROWS`; whether there were more; and how long it took."""

    rows: pa.Table
    is_cut: bool
    seconds: float


@dataclass(slots=True)
class Questions:
    """The statements that are running, by the id that their browser gave them."""

    seconds: float = SECONDS
    _running: dict[str, threading.Event] = field(default_factory=dict[str, threading.Event])
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, tables: Tables, sql: str, name: str) -> Answer:
        """Runs one statement that reads; the same code as `lakemon query`.

        Args:
            tables: of the environment that is asked.
            sql: one SELECT.
            name: by which it can be stopped.

        Raises:
            DataError: LM310 when it is refused or does not work, LM317 when it was stopped, took too long, or
                too many others run.
        """
        stop = threading.Event()
        with self._lock:
            if len(self._running) >= AT_ONCE or name in self._running:
                raise DataError("LM317", "other queries are still running;", cure="wait, or stop one.")
            self._running[name] = stop
        late = threading.Timer(self.seconds, stop.set)
        late.daemon = True
        late.start()
        started = time.monotonic()
        try:
            rows = tables.query(sql, most=MOST_ROWS + 1, stop=stop)
        finally:
            late.cancel()
            with self._lock:
                del self._running[name]
        seconds = time.monotonic() - started
        return Answer(rows.slice(0, MOST_ROWS), rows.num_rows > MOST_ROWS, seconds)

    def stop(self, name: str) -> bool:
        """Stops a statement; False when none of this name runs."""
        with self._lock:
            found = self._running.get(name)
        if found is not None:
            found.set()
        return found is not None
