"""The ledger of an environment in one Delta table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.incident import DeliveryResult, Incident, IncidentEvent, OutboxItem
from lakemon_core.domain.names import TableName
from lakemon_core.domain.run import RunRecord
from lakemon_databricks.ledger.entries import PUT, SWAP, Entries, Entry
from lakemon_databricks.statements import Statements

T = TypeVar("T")


class LakeLedger:
    """What was done, in one Delta table; implements the port `Ledger`.

    Every method is one commit. Of two that write at the same time Delta lets one through, and the other is
    sent again; what came from a state that is no longer the newest is refused.

    Args:
        statements: of the warehouse.
        table: made with its schema at the first write.
    """

    def __init__(self, statements: Statements, table: TableName) -> None:
        self._entries = Entries(statements, table)
        self._table = table

    @property
    def entries(self) -> Entries:
        """The rows behind it."""
        return self._entries

    def start_run(self, record: RunRecord) -> None:
        """Opens a run; runs that are still `running` become `interrupted`."""
        running = self._all(RunRecord, "kind = 'run' AND status = 'running'")
        dead = [replace(one, status="interrupted") for one in running if one.run_id != record.run_id]
        self._entries.write([_run(one) for one in (*dead, record)])

    def save_run(self, record: RunRecord) -> None:
        """Writes the newest state of a run."""
        self._entries.write([_run(record)])

    def runs(self, limit: int = 20) -> Sequence[RunRecord]:
        """Returns runs, newest first."""
        found = self._all(RunRecord, "kind = 'run'")
        return sorted(found, key=lambda one: (one.started_at, one.run_id), reverse=True)[:limit]

    def get(self, key: str) -> str | None:
        """Returns the text noted under a key, e.g. a watermark."""
        return self._entries.value("note", key)

    def put(self, key: str, value: str) -> None:
        """Notes a text under a key."""
        self._entries.write([Entry("note", key, value, mode=PUT)])

    def incidents(self) -> Mapping[str, Incident]:
        """Returns the newest state of every incident by fingerprint."""
        rows = self._entries.read("kind = 'state'", {})
        newest = {row["key"]: row["value"] for row in sorted(rows, key=lambda row: row["version"])}
        return {fingerprint: self._decoded(Incident, text) for fingerprint, text in newest.items()}

    def events(self, limit: int = 100) -> Sequence[IncidentEvent]:
        """Returns transitions, newest first."""
        return self._all(IncidentEvent, "kind = 'event'")[::-1][:limit]

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
        newest = self.incidents() if states else {}
        fresh = [state for one in states if (state := self._next(newest.get(one.fingerprint), one))]
        known = {item.key for item in self.outbox()} if items else set[str]()
        entries = [
            *(_state(one) for one in fresh),
            *(Entry("event", one.key, encode(one)) for one in events),
            *(_item(one) for one in items),
        ]
        if entries:
            self._entries.write(entries)
        for one in fresh:
            if self._entries.value("state", one.fingerprint, one.version) != encode(one):
                raise self._overtaken(one)
        return len({item.key for item in items} - known)

    def due(self, now: datetime) -> Sequence[OutboxItem]:
        """Returns the messages to send now, oldest first, each thread in order.

        A message waits for the earlier ones of its thread at its sink: none is returned while one before it
        is due later.
        """
        waiting: set[tuple[str, str]] = set()
        found: list[OutboxItem] = []
        for item in self.outbox("due"):
            place = (item.sink, item.order)
            if item.next_at > now:
                waiting.add(place)
            elif place not in waiting:
                found.append(item)
        return found

    def outbox(self, status: str | None = None) -> Sequence[OutboxItem]:
        """Returns all messages, or those of one status, oldest first."""
        where = "kind = 'item'" if status is None else "kind = 'item' AND status = :status"
        return self._all(OutboxItem, where, {} if status is None else {"status": status})

    def record(self, item: OutboxItem, result: DeliveryResult, at: datetime) -> None:
        """Appends the attempt and writes the item's newest state."""
        place = [item.key, item.sink, str(item.attempts), at.astimezone(UTC).isoformat()]
        attempt = Entry("delivery", "\n".join(place), encode(result))
        self._entries.write([attempt, _item(item, mode=PUT)])

    def revise(self, before: OutboxItem, after: OutboxItem) -> bool:
        """Writes the newest state of a message without an attempt, if it still is `before`."""
        self._entries.write([_item(after, mode=SWAP, expected=encode(before))])
        return self._entries.value("item", after.key) == encode(after)

    def deliveries(self, limit: int = 100) -> Sequence[Mapping[str, object]]:
        """Returns attempts, newest first: key, sink, attempt, status, code, detail, at."""
        rows = self._entries.read("kind = 'delivery'", {})[::-1][:limit]
        return [self._delivery(row["key"], row["value"]) for row in rows]

    def _next(self, newest: Incident | None, state: Incident) -> Incident | None:
        """Returns a state as it is to be written; None when it is no news."""
        known = newest.version if newest else 0
        if newest == replace(state, version=known):
            return None
        if state.version != known:
            raise self._overtaken(state)
        return replace(state, version=known + 1)

    def _overtaken(self, state: Incident) -> WorkspaceError:
        return WorkspaceError(
            "LM606",
            f"incident {state.fingerprint} was written by another run meanwhile (ours: {state.version});",
            where=str(self._table),
            cure="run again.",
        )

    def _all(self, kind: type[T], where: str, values: Mapping[str, str] | None = None) -> list[T]:
        return [self._decoded(kind, row["value"]) for row in self._entries.read(where, values or {})]

    def _delivery(self, place: str, text: str) -> Mapping[str, object]:
        key, sink, attempt, at = place.rsplit("\n", 3)
        result = self._decoded(DeliveryResult, text)
        return {
            "key": key,
            "sink": sink,
            "attempt": int(attempt),
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
                "LM631",
                f"the ledger holds something unreadable: {error};",
                where=str(self._table),
                cure="restore an older version of the table, or move it away to start a new one.",
            ) from error


def _run(record: RunRecord) -> Entry:
    return Entry("run", record.run_id, encode(record), record.status, mode=PUT)


def _state(state: Incident) -> Entry:
    return Entry("state", state.fingerprint, encode(state), state.status, state.version)


def _item(item: OutboxItem, mode: str = "add", expected: str | None = None) -> Entry:
    return Entry("item", item.key, encode(item), item.status, mode=mode, expected=expected)
