"""The mover: takes batches from the spool to their payload tables, exactly once each."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lakemon_core.ports import Tables
from lakemon_local.serving.spool.store import LoggedCall, Spool

if TYPE_CHECKING:
    import pyarrow as pa

FLUSH_SECONDS = 0.5
_LONGEST_PAUSE = 30.0
_log = logging.getLogger(__name__)


def payload_schema() -> pa.Schema:
    """Returns the schema of Databricks' AI Gateway inference table."""
    import pyarrow as pa

    return pa.schema([
        ("databricks_request_id", pa.string()),
        ("request_date", pa.date32()),
        ("client_request_id", pa.string()),
        ("request_time", pa.timestamp("us", "UTC")),
        ("status_code", pa.int32()),
        ("sampling_fraction", pa.float64()),
        ("execution_duration_ms", pa.int64()),
        ("request", pa.string()),
        ("response", pa.string()),
        ("logging_error_codes", pa.list_(pa.string())),
        ("served_entity_id", pa.string()),
        ("requester", pa.string()),
    ])  # fmt: skip


def payload_rows(calls: Sequence[LoggedCall]) -> pa.Table:
    """Returns requests as rows of a payload table."""
    import pyarrow as pa

    return pa.Table.from_pylist([_row(call) for call in calls], schema=payload_schema())


def _row(call: LoggedCall) -> dict[str, object]:
    moment = datetime.fromtimestamp(call.request_time / 1_000_000, tz=UTC)
    return {
        "databricks_request_id": call.databricks_request_id,
        "request_date": moment.date(),
        "client_request_id": call.client_request_id,
        "request_time": call.request_time,
        "status_code": call.status_code,
        "sampling_fraction": 1.0,
        "execution_duration_ms": call.execution_duration_ms,
        "request": call.request,
        "response": call.response,
        "logging_error_codes": json.loads(call.logging_error_codes),
        "served_entity_id": call.served_entity_id,
        "requester": None,
    }


class Mover:
    """Moves what the spool holds, twice a second, on demand, and once more when it is stopped.

    Rows leave the spool only after the table has them on the disk. A table that cannot be written is tried
    again, ever more slowly, and nothing is lost meanwhile.

    Args:
        spool: where rows come from.
        tables: where they go.
    """

    def __init__(self, spool: Spool, tables: Tables) -> None:
        self.moved = 0
        self.failures = 0
        self.last_error = ""
        self._spool = spool
        self._tables = tables
        self._moving = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="mover", daemon=True)

    def start(self) -> None:
        """Begins to move rows in the background."""
        self._thread.start()

    def flush(self) -> None:
        """Moves everything the spool holds now.

        Raises:
            Exception: what the table raised; the rows stay in the spool.
        """
        with self._moving:
            newest = self._spool.newest()
            while self._spool.holds(newest) and (batch := self._spool.next_batch()):
                rows = payload_rows(batch.calls)
                self._tables.append(batch.payload, rows, batch=(batch.writer, batch.number))
                self._spool.forget(batch)
                self.moved += rows.num_rows

    def stop(self) -> None:
        """Ends the thread and moves what is left; what cannot be moved waits for the next start."""
        self._stopped.set()
        self._thread.join()
        self._try()

    def _run(self) -> None:
        pause = FLUSH_SECONDS
        while not self._stopped.wait(pause):
            pause = FLUSH_SECONDS if self._try() else min(pause * 2, _LONGEST_PAUSE)

    def _try(self) -> bool:
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - whatever the lake raises, the rows must stay and be tried again
            self.failures += 1
            self.last_error = str(error)
            _log.exception("logged requests could not be moved to their table; they stay in the spool")
            return False
        self.last_error = ""
        return True
