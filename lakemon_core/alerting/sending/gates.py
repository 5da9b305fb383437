"""When a sink may be asked again: its rates, and a breaker for one that is down."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from lakemon_core.alerting.sending.pace import Pace
from lakemon_core.domain.codec import decode, encode
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem
from lakemon_core.ports import AlertSink, Ledger

_NOTE = "alerts/breaker/"
_FAILED = frozenset({DeliveryStatus.RETRY, DeliveryStatus.UNKNOWN})


@dataclass(frozen=True, slots=True)
class _Breaker:
    """Failed tries of one sink in a row, and until when it is left alone; outlives the process."""

    failures: int = 0
    closed_until: datetime | None = None


@dataclass(slots=True)
class Gates:
    """Says from when on a message may go.

    Attributes:
        ledger: keeps breakers between runs.
        sinks: by name; they state their rates.
        pace: how patient.
    """

    ledger: Ledger
    sinks: Mapping[str, AlertSink]
    pace: Pace
    _breakers: dict[str, _Breaker] = field(default_factory=dict[str, _Breaker])
    _sent: dict[tuple[str, str], deque[datetime]] = field(default_factory=lambda: defaultdict(deque))

    def rested_at(self, sink: str) -> datetime | None:
        """Returns until when a sink that failed too often is left alone; None when it is not."""
        return self._breaker(sink).closed_until

    def allowed_at(self, item: OutboxItem) -> datetime | None:
        """Returns when the rates of all its targets allow a message; None when they do now."""
        rate = self.sinks[item.sink].rate if item.sink in self.sinks else None
        if rate is None:
            return None
        count, seconds = rate
        full = [times for times in map(self._sent.get, _targets(item)) if times and len(times) >= count]
        return max((times[-count] + timedelta(seconds=seconds) for times in full), default=None)

    def note(self, item: OutboxItem, result: DeliveryResult, now: datetime) -> None:
        """Notes a try: what it took of the rates, and whether the sink seems to be down.

        A channel that asks to wait is up: that is no failure.
        """
        rate = self.sinks[item.sink].rate if item.sink in self.sinks else None
        for target in _targets(item) if rate else ():
            self._sent[target] = deque([*self._sent[target], now], maxlen=rate[0] if rate else 1)
        before = self._breaker(item.sink)
        waits = result.retry_after is not None or result.code == "429"
        if result.status in _FAILED and not waits:
            after = _Breaker(before.failures + 1)
            if after.failures >= self.pace.failures:
                after = replace(after, closed_until=now + timedelta(seconds=self.pace.rest_seconds))
        else:
            after = _Breaker()
        if after != before:
            self._breakers[item.sink] = after
            self.ledger.put(_NOTE + item.sink, encode(after))

    def _breaker(self, sink: str) -> _Breaker:
        if sink not in self._breakers:
            text = self.ledger.get(_NOTE + sink)
            self._breakers[sink] = decode(_Breaker, text) if text else _Breaker()
        return self._breakers[sink]


def _targets(item: OutboxItem) -> list[tuple[str, str]]:
    """Returns whom a message goes to; the empty target is the sink's default."""
    return [(item.sink, target) for target in item.pending or item.notification.targets or ("",)]
