"""The outbox is drained: at least once, in order, patiently, and nothing is called sent that was not."""

from __future__ import annotations

import queue
import random
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heapify, heappop, heappush
from math import inf

from lakemon_core.domain.incident import (
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    Notification,
    OutboxItem,
    TargetResult,
)
from lakemon_core.domain.names import plain
from lakemon_core.ports import AlertSink, Clock, Ledger, Progress

OVERRUN = "overrun"
"""Code of a try that did not come back in time."""

GRACE_SECONDS = 2.0
"""A sink keeps its deadline itself; this much later it is left behind."""

_SENT = frozenset({DeliveryStatus.DELIVERED, DeliveryStatus.ACCEPTED})


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
    """

    attempt_seconds: float = 30.0
    budget_seconds: float = 60.0
    first_pause: float = 1.0
    longest_pause: float = 3600.0
    least_tries: int = 12
    least_age: timedelta = timedelta(hours=72)


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


def drain(
    ledger: Ledger,
    sinks: Mapping[str, AlertSink],
    clock: Clock,
    *,
    pace: Pace | None = None,
    tools: Tools | None = None,
    progress: Progress | None = None,
    at_once: bool = False,
) -> list[OutboxItem]:
    """Sends what is due.

    Messages of one thread at one sink go out in order: the next one waits until the one before it is
    delivered or dead. A message whose try failed stays due. A sink that fails or hangs holds up nobody else.

    Args:
        ledger: holds the outbox; every try is noted before the next.
        sinks: all that are open, by name.
        clock: the time.
        pace: how patient.
        tools: for tests.
        progress: tells a person what is going on.
        at_once: tries now what would be due later only, as `lakemon alert flush` does.

    Returns:
        the newest state of every message that was tried; those still `due` or `dead` did not arrive
        everywhere.
    """
    work = _Drain(ledger, sinks, clock, pace or Pace(), tools or Tools(), progress, at_once)
    return work.run(ledger.outbox("due"))


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
        return " ".join(part for part in (result.code, result.detail) if part)
    return "; ".join(f"{one.target}: {one.code} {one.detail}".rstrip(" :") for one in failed)[:500]


@dataclass(slots=True)
class _Drain:
    """One pass over the outbox."""

    ledger: Ledger
    sinks: Mapping[str, AlertSink]
    clock: Clock
    pace: Pace
    tools: Tools
    progress: Progress | None
    at_once: bool
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def run(self, items: Sequence[OutboxItem]) -> list[OutboxItem]:
        """Goes through the lanes, the lane whose first message is due soonest first."""
        lanes: dict[tuple[str, str], deque[OutboxItem]] = defaultdict(deque)
        for item in items:
            lanes[item.sink, item.order].append(item)
        waiting = list(lanes.values())
        heap = [(self._first_at(lane[0]), number) for number, lane in enumerate(waiting)]
        heapify(heap)
        tried: dict[str, OutboxItem] = {}
        while heap:
            at, number = heappop(heap)
            lane = waiting[number]
            if not self._may_go(lane[0].sink, at):
                continue
            after = self._attempt(lane.popleft())
            tried[after.key] = after
            if after.status == "due":
                lane.appendleft(after)
                heappush(heap, (after.next_at, number))
            elif lane:
                heappush(heap, (self._first_at(lane[0]), number))
        return list(tried.values())

    def _first_at(self, item: OutboxItem) -> datetime:
        """When a message is due; a time that no pause can reach was noted before the clock was set back."""
        now = self.clock.now()
        is_unreal = item.next_at > now + timedelta(seconds=self.pace.longest_pause)
        return now if self.at_once or is_unreal else item.next_at

    def _may_go(self, sink: str, at: datetime) -> bool:
        """Waits until it is time; False when that would cost the run more than the sink's budget."""
        pause = max(0.0, (at - self.clock.now()).total_seconds())
        if self.spent[sink] + pause > self.pace.budget_seconds:
            return False
        if pause:
            self._say(f"waiting {pause:.0f} s before trying {sink} again")
            self.tools.wait(pause)
            self.spent[sink] += pause
        return True

    def _attempt(self, item: OutboxItem) -> OutboxItem:
        self._say(f"telling {item.sink}: {item.notification.title}")
        started = self.tools.elapsed()
        result = self._clean(self._result(item))
        now = self.clock.now()
        after = settle(item, result, now=now, pace=self.pace, draw=self.tools.draw)
        self.ledger.record(after, result, now)
        if result.code == OVERRUN:
            self.spent[item.sink] = inf
        elif after.status == "due":
            self.spent[item.sink] += self.tools.elapsed() - started
        return after

    def _result(self, item: OutboxItem) -> DeliveryResult:
        sink = self.sinks.get(item.sink)
        if sink is None:
            detail = f"the config has no sink {item.sink!r} any more"
            return DeliveryResult(DeliveryStatus.RETRY, "no_sink", detail)
        attempt = Attempt(
            key=item.key,
            number=item.attempts + 1,
            deadline_seconds=self.pace.attempt_seconds,
            targets=item.pending or item.notification.targets,
            receipt=item.receipt,
        )
        return try_once(sink, item.notification, attempt)

    def _clean(self, result: DeliveryResult) -> DeliveryResult:
        """Returns a result that is safe to keep and to show."""
        return replace(
            result,
            detail=self._safe(result.detail),
            targets=tuple(
                TargetResult(one.target, one.status, one.code, self._safe(one.detail))
                for one in result.targets
            ),
        )

    def _safe(self, text: str) -> str:
        return plain(self.tools.redact(text), 500)

    def _say(self, what: str) -> None:
        if self.progress is not None:
            self.progress.update(what)


def try_once(sink: AlertSink, notification: Notification, attempt: Attempt) -> DeliveryResult:
    """Renders and delivers once, in a daemon thread, within the attempt's deadline.

    Returns:
        what the sink answered; `retry` when it raised before anything was handed over, `unknown` when it
        raised, hung or gave no proper answer while delivering: then the message may have arrived.
    """
    answers: queue.Queue[DeliveryResult] = queue.Queue(1)

    def work() -> None:
        phase, status = "rendering", DeliveryStatus.RETRY
        try:
            rendered = sink.render(notification)
            phase, status = "delivering", DeliveryStatus.UNKNOWN
            answers.put(_proper(sink.deliver(rendered, attempt)))
        except BaseException as error:  # noqa: BLE001 - SystemExit of a sink is as bad as any other error
            detail = f"{phase} failed: {error}".rstrip(": ")
            answers.put(DeliveryResult(status, type(error).__name__, detail))

    threading.Thread(target=copy_context().run, args=(work,), daemon=True, name="lakemon-sink").start()
    try:
        return answers.get(timeout=attempt.deadline_seconds + GRACE_SECONDS)
    except queue.Empty:
        detail = f"did not come back within {attempt.deadline_seconds:g} s"
        return DeliveryResult(DeliveryStatus.UNKNOWN, OVERRUN, detail)


def _proper(answer: object) -> DeliveryResult:
    """Returns the answer of a sink with the types it should have, or raises."""
    if not isinstance(answer, DeliveryResult):
        raise TypeError(f"the sink returned {type(answer).__name__}, not a DeliveryResult")
    return DeliveryResult(
        status=DeliveryStatus(answer.status),
        code=str(answer.code),
        detail=str(answer.detail),
        retry_after=None if answer.retry_after is None else float(answer.retry_after),
        receipt={str(name): str(value) for name, value in answer.receipt.items()},
        targets=tuple(
            TargetResult(str(one.target), DeliveryStatus(one.status), str(one.code), str(one.detail))
            for one in answer.targets
        ),
    )
