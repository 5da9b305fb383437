"""Rows on their way into a table."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from queue import Full, Queue

import pyarrow as pa

from lakemon_core.profiling.table_types import Fit

_AHEAD = 2
"""Batches that may wait for Delta."""
_GROUP = 1 << 25
"""Bytes of the rows of a row group: Delta holds one in memory, and several times its size."""
_LEAST, _MOST = 1_000, 1 << 20
"""Rows of a row group."""
_End = BaseException | None


class Incoming:
    """Batches on their way into a table: fitted and counted; their error is kept, for Delta blurs it.

    They are made in a thread of their own: Delta asks for them from inside its runtime, where nothing of
    Delta may be called, and rows may well come from the scan of another table.
    """

    def __init__(self, plan: Fit, batches: Iterable[pa.RecordBatch]) -> None:
        self.plan = plan
        self.rows = 0
        self.error: BaseException | None = None
        self._cancelled = threading.Event()
        self._batches = (batch for batch in batches if batch.num_rows)

    def is_empty(self) -> bool:
        """Whether no row comes; looks at the first batch."""
        return self._first() is None

    def row_group(self) -> int:
        """Returns how many rows a row group should hold, by the size of those in the first batch."""
        first = self._first()
        size = first.nbytes / first.num_rows if first is not None else 0.0
        return max(_LEAST, min(_MOST, int(_GROUP / max(1.0, size))))

    def cancel(self) -> None:
        """Makes the stream fail at its next batch."""
        self._cancelled.set()

    def reader(self) -> pa.RecordBatchReader:
        """Streams the fitted batches, once."""
        return pa.RecordBatchReader.from_batches(self.plan.schema, self._counted())

    def _first(self) -> pa.RecordBatch | None:
        first = next(self._batches, None)
        if first is not None:
            self._batches = chain([first], self._batches)
        return first

    def _counted(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in _ahead(self.plan.batches(self._batches)):
                if self._cancelled.is_set():
                    raise InterruptedError("the write was cancelled")
                self.rows += batch.num_rows
                yield batch
        except BaseException as error:
            self.error = error
            raise


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yields what a thread makes a little ahead; its error is raised here."""
    queue: Queue[pa.RecordBatch | _End] = Queue(_AHEAD)
    given_up = threading.Event()

    def put(item: pa.RecordBatch | _End) -> None:
        while not given_up.is_set():
            with suppress(Full):
                queue.put(item, timeout=0.1)
                return

    def make() -> None:
        end: _End = None
        try:
            for batch in batches:
                put(batch)
                if given_up.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            end = error
        put(end)

    threading.Thread(target=make, name="lakemon-incoming", daemon=True).start()
    try:
        while isinstance(item := queue.get(), pa.RecordBatch):
            yield item
        if item is not None:
            raise item
    finally:
        given_up.set()
