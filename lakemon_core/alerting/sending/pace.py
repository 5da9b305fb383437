"""How patient the outbox is, and what one more try makes of a message. Pure."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, OutboxItem, with_code

_SENT = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED})
_NOT_SENT = frozenset({DeliveryStatus.RETRY, DeliveryStatus.REJECTED})


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the outbox is.

    Attributes:
        attempt_seconds: a sink must come back within this time.
        budget_seconds: what one sink may cost a run in failed attempts and pauses; the rest waits for the
            next run.
        first_pause: seconds before the second try, at most; doubles with every try.
        longest_pause: no pause is longer, whatever a channel asks.
        least_tries: no message is given up before.
        least_age: no message is given up before.
        rate_seconds: what the rates of one sink may cost a run in pauses.
        failures: so many failed tries of one sink in a row, and it is left alone for a while.
        rest_seconds: so long; then one message tries whether it is back.
    """

    attempt_seconds: float = 30.0
    budget_seconds: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 3600.0
    least_tries: int = 12
    least_age: timedelta = timedelta(hours=72)
    rate_seconds: float = 120.0
    failures: int = 5
    rest_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Tools:
    """The world as the outbox sees it; tests hand in their own.

    Attributes:
        wait: sleeps for some seconds.
        elapsed: a clock that only goes forward, in seconds.
        draw: a random number from 0 to 1.
        redact: takes secrets out of a text.
    """

    wait: Callable[[float], None] = time.sleep
    elapsed: Callable[[], float] = time.monotonic
    draw: Callable[[], float] = random.random
    redact: Callable[[str], str] = str


def settle(
    item: OutboxItem, result: DeliveryResult, *, now: datetime, pace: Pace, draw: Callable[[], float]
) -> OutboxItem:
    """Returns a message after one more try. Pure.

    Only targets that did not get it are tried again. A message is given up (`dead`) when its channel refuses
    it for good, or when it is old and was tried often; it is `dead` too when only some targets refused it.
    """
    pending, refused = _outstanding(item, result)
    tries = item.attempts + 1
    after = replace(
        item,
        attempts=tries,
        detail=_detail(result),
        receipt=result.receipt or item.receipt,
        held_by="",
        held_until=None,
        may_have_arrived=item.may_have_arrived or result.status not in _NOT_SENT,
        pending=tuple(filter(None, pending)),
        refused=(*item.refused, *filter(None, refused)),
    )
    if pending:
        given_up = tries >= pace.least_tries and now - item.created_at >= pace.least_age
        pause = _pause(tries, result.retry_after, pace, draw)
        return replace(after, status="dead" if given_up else "due", next_at=now + timedelta(seconds=pause))
    if refused or item.refused:
        return replace(after, status="dead")
    accepted = DeliveryStatus.ACCEPTED in {result.status, *(one.status for one in result.targets)}
    return replace(after, status="accepted" if accepted else "delivered")


def _outstanding(item: OutboxItem, result: DeliveryResult) -> tuple[list[str], list[str]]:
    """Returns who still has to get the message and who refused it; the empty target is the sink's default.

    Targets that the result does not name share its status as a whole; `partial` says nothing of them, so
    they are tried again.
    """
    told = {one.target: one.status for one in result.targets}
    asked = item.pending or item.notification.targets or (() if told else ("",))
    states = dict.fromkeys(asked, result.status) | told
    refused = [target for target, status in states.items() if status is DeliveryStatus.REJECTED]
    pending = [target for target, status in states.items() if status not in _SENT | {DeliveryStatus.REJECTED}]
    return pending, refused


def _pause(tries: int, asked: float | None, pace: Pace, draw: Callable[[], float]) -> float:
    """Exponential backoff with full jitter, or what the channel asks for, if that is longer."""
    backoff = min(pace.longest_pause, pace.first_pause * 2.0 ** min(tries - 1, 60)) * draw()
    wanted = asked if asked is not None and asked > 0 else 0.0
    return max(backoff, min(wanted, pace.longest_pause))


def _detail(result: DeliveryResult) -> str:
    failed = [one for one in result.targets if one.status not in _SENT]
    if not failed:
        return with_code(result.code, result.detail)
    return "; ".join(f"{one.target}: {with_code(one.code, one.detail)}".rstrip(" :") for one in failed)[:500]
