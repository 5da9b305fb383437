"""The ledger: what was done, what is open, what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from lakemon_core.domain.incident import DeliveryResult, Incident, IncidentEvent, OutboxItem
from lakemon_core.domain.run import RunRecord


class Ledger(Protocol):
    """What was done: runs, watermarks, incidents and the outbox. Every method is one transaction."""

    def start_run(self, record: RunRecord) -> None:
        """Opens a run; runs that are still `running` become `interrupted`."""
        ...

    def save_run(self, record: RunRecord) -> None:
        """Writes the newest state of a run."""
        ...

    def runs(self, limit: int = 20) -> Sequence[RunRecord]:
        """Returns runs, newest first."""
        ...

    def get(self, key: str) -> str | None:
        """Returns the text noted under a key, e.g. a watermark."""
        ...

    def put(self, key: str, value: str) -> None:
        """Notes a text under a key."""
        ...

    def incidents(self) -> Mapping[str, Incident]:
        """Returns the newest state of every incident by fingerprint."""
        ...

    def events(self, limit: int = 100) -> Sequence[IncidentEvent]:
        """Returns transitions, newest first."""
        ...

    def commit(
        self, states: Sequence[Incident], events: Sequence[IncidentEvent], items: Sequence[OutboxItem]
    ) -> int:
        """Writes states, transitions and messages together; a key that is there already is left as it is.

        Returns:
            how many messages are new in the outbox.
        """
        ...

    def due(self, now: datetime) -> Sequence[OutboxItem]:
        """Returns the messages to send now, oldest first, each thread in order."""
        ...

    def outbox(self, status: str | None = None) -> Sequence[OutboxItem]:
        """Returns all messages, or those of one status, oldest first."""
        ...

    def record(self, item: OutboxItem, result: DeliveryResult, at: datetime) -> None:
        """Appends the attempt and writes the item's newest state."""
        ...

    def revise(self, before: OutboxItem, after: OutboxItem) -> bool:
        """Writes the newest state of a message without an attempt, if it still is `before`.

        Returns:
            False, and nothing is written, when its newest state is another or it is not there.
        """
        ...

    def deliveries(self, limit: int = 100) -> Sequence[Mapping[str, object]]:
        """Returns attempts, newest first: key, sink, attempt, status, code, detail, at."""
        ...
