"""What follows a message: another way when it is dead, another try when a person asks, its receipt. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from lakemon_core.alerting.routing import Route
from lakemon_core.domain.incident import OutboxItem, Transition
from lakemon_core.domain.names import plain

_FOLLOWS = "fallback-"


def fallbacks(item: OutboxItem, routes: Sequence[Route], now: datetime) -> list[OutboxItem]:
    """Makes the messages that go another way because this one is dead.

    They say which way was closed and why. A message that came another way has no further one.

    Args:
        item: dead.
        routes: where else people may hear of it.
        now: the present moment.
    """
    if item.key.startswith(_FOLLOWS) or item.notification.transition is Transition.TEST:
        return []
    whom = ", ".join(item.refused or item.pending or item.notification.targets) or "anybody"
    why = plain(f"{item.sink} could not tell {whom}: {item.detail}", 500)
    return [_redirected(item, route, why, now) for route in routes]


def _redirected(item: OutboxItem, route: Route, why: str, now: datetime) -> OutboxItem:
    told = item.notification
    digest = hashlib.sha256("\0".join((item.key, route.sink, *route.targets)).encode()).hexdigest()[:32]
    note = replace(told, targets=route.targets, lines=(*told.lines, why))
    return OutboxItem(_FOLLOWS + digest, route.sink, note, digest, "due", 0, now, now)


def revived(item: OutboxItem, now: datetime) -> OutboxItem:
    """Returns a dead message as one that is due again, for those who did not get it."""
    return replace(
        item,
        status="due",
        attempts=0,
        created_at=now,
        next_at=now,
        pending=item.pending or item.refused,
        refused=(),
        held_by="",
        held_until=None,
    )


def superseded(lane: Sequence[OutboxItem]) -> list[tuple[OutboxItem, OutboxItem]]:
    """Finds messages that need not go any more: nobody can have got them, and all they tell is over.

    Args:
        lane: messages of one thread at one sink, in order.

    Returns:
        each with its new state; the message that tells of the end stays.
    """
    found: list[tuple[OutboxItem, OutboxItem]] = []
    over: set[str] = set()
    for item in reversed(lane):
        told = item.notification
        if told.transition is Transition.RESOLVED:
            over.update(told.incidents)
        elif told.incidents and over.issuperset(told.incidents) and _surely_not_there(item):
            found.append((item, replace(item, status="superseded", detail="all it tells was over by then")))
    return found


def _surely_not_there(item: OutboxItem) -> bool:
    """Whether nobody got it; a message that is claimed may have been on its way when its run was killed."""
    return not item.may_have_arrived and not item.held_by


@dataclass(slots=True)
class Receipts:
    """Finds what a channel gave for the newest message about an incident, for its thread or update."""

    _newest: dict[tuple[str, tuple[str, ...], str], Mapping[str, str]] = field(
        default_factory=dict[tuple[str, tuple[str, ...], str], Mapping[str, str]]
    )

    @classmethod
    def of(cls, items: Iterable[OutboxItem]) -> Receipts:
        """Reads those of all messages, oldest first."""
        receipts = cls()
        for item in items:
            receipts.keep(item)
        return receipts

    def keep(self, item: OutboxItem) -> None:
        """Notes what a message got."""
        if item.receipt:
            for incident in item.notification.incidents:
                self._newest[item.sink, item.notification.targets, incident] = item.receipt

    def before(self, item: OutboxItem) -> Mapping[str, str]:
        """Returns the receipt that a message follows; empty when there is none."""
        told = item.notification
        places = ((item.sink, told.targets, incident) for incident in told.incidents)
        return next((self._newest[place] for place in places if place in self._newest), {})
