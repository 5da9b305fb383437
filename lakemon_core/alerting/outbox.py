"""The outbox is drained: at least once, in order, patiently, and nothing is called sent that was not."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from heapq import heapify, heappop, heappush
from math import inf

from lakemon_core.alerting.routing import Route
from lakemon_core.alerting.sending.aftermath import Receipts, fallbacks, superseded
from lakemon_core.alerting.sending.gates import Gates
from lakemon_core.alerting.sending.once import OVERRUN, clean, try_once
from lakemon_core.alerting.sending.pace import Pace, Tools, settle
from lakemon_core.domain.incident import (
    ADDRESS_IS_DEAD,
    Attempt,
    DeliveryResult,
    DeliveryStatus,
    OutboxItem,
    Transition,
)
from lakemon_core.ports import AlertSink, Clock, Ledger, Progress


@dataclass(frozen=True, slots=True)
class Ways:
    """Who drains, and what else it knows.

    Attributes:
        owner: who claims messages; another owner leaves a claimed one alone until the claim ends.
        elsewhere: where a message goes that a sink refused for good.
        at_once: tries now what would be due later only, as `lakemon alert flush` does.
    """

    owner: str = "drain"
    elsewhere: Callable[[OutboxItem], Sequence[Route]] = lambda _: ()
    at_once: bool = False


def drain(
    ledger: Ledger,
    sinks: Mapping[str, AlertSink],
    clock: Clock,
    *,
    pace: Pace | None = None,
    tools: Tools | None = None,
    progress: Progress | None = None,
    ways: Ways | None = None,
) -> list[OutboxItem]:
    """Sends what is due.

    Messages of one thread at one sink go out in order: the next one waits until the one before it is
    delivered or dead. A message whose try failed stays due. A sink that fails or hangs holds up nobody else.
    A message is claimed before it is sent, so that two processes do not send it at the same time.

    Args:
        ledger: holds the outbox; every try is noted before the next.
        sinks: all that are open, by name.
        clock: the time.
        pace: how patient.
        tools: for tests.
        progress: tells a person what is going on.
        ways: who drains, and where dead messages go.

    Returns:
        the newest state of every message that was tried; those still `due` or `dead` did not arrive
        everywhere.
    """
    work = _Drain(ledger, sinks, clock, pace or Pace(), tools or Tools(), progress, ways or Ways())
    work.run(ledger.outbox("due"))
    if work.redirected:
        work.run([item for item in ledger.outbox("due") if item.key in work.redirected])
    return list(work.tried.values())


@dataclass
class _Drain:
    """One pass over the outbox."""

    ledger: Ledger
    sinks: Mapping[str, AlertSink]
    clock: Clock
    pace: Pace
    tools: Tools
    progress: Progress | None
    ways: Ways
    spent: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    tried: dict[str, OutboxItem] = field(default_factory=dict[str, OutboxItem])
    gone: dict[str, DeliveryResult] = field(default_factory=dict[str, DeliveryResult])
    redirected: set[str] = field(default_factory=set[str])

    def run(self, items: Sequence[OutboxItem]) -> None:
        """Goes through the lanes, the lane whose first message is due soonest first."""
        lanes = self._lanes(items)
        heap = [(self._ready_at(lane[0]), number) for number, lane in enumerate(lanes)]
        heapify(heap)
        while heap:
            at, number = heappop(heap)
            lane = lanes[number]
            ready = self._ready_at(lane[0])
            if heap and at < ready and heap[0][0] < ready:
                heappush(heap, (ready, number))
                continue
            after = self._attempt(lane.popleft()) if self._may_go(lane[0], ready) else None
            if after is None:
                continue
            self.tried[after.key] = after
            if after.status == "due":
                lane.appendleft(after)
            if lane:
                heappush(heap, (self._ready_at(lane[0]), number))

    @cached_property
    def begun(self) -> datetime:
        """When this pass began: what is wanted at once is due since then, not ever later anew."""
        return self.clock.now()

    @cached_property
    def gates(self) -> Gates:
        """When each sink may be asked."""
        return Gates(self.ledger, self.sinks, self.pace)

    @cached_property
    def receipts(self) -> Receipts:
        """What channels gave for earlier messages; read when the first message follows another."""
        return Receipts.of(self.ledger.outbox())

    @cached_property
    def ended(self) -> set[str]:
        """Runs that hold nothing any more, whatever they claimed: a killed one is noted by the next."""
        return {run.run_id for run in self.ledger.runs() if run.status != "running"}

    def _lanes(self, items: Sequence[OutboxItem]) -> list[deque[OutboxItem]]:
        """Sorts messages into threads, without those that a later one makes needless."""
        lanes: dict[tuple[str, str], list[OutboxItem]] = defaultdict(list)
        for item in items:
            lanes[item.sink, item.order].append(item)
        needless: set[str] = set()
        for lane in lanes.values():
            for before, after in superseded(lane):
                if not self._is_held(before) and self.ledger.revise(before, after):
                    needless.add(before.key)
        kept = ([item for item in lane if item.key not in needless] for lane in lanes.values())
        return [deque(lane) for lane in kept if lane]

    def _ready_at(self, item: OutboxItem) -> datetime:
        """When a message may go."""
        moments = [self._due_at(item), self.gates.allowed_at(item)]
        moments += [item.held_until] if self._is_held(item) else []
        moments += [] if self._is_wanted_now(item) else [self.gates.rested_at(item.sink)]
        return max(moment for moment in moments if moment is not None)

    def _due_at(self, item: OutboxItem) -> datetime:
        """When a message is due; a time that no pause can reach was noted before the clock was set back."""
        is_unreal = item.next_at > self.begun + timedelta(seconds=self.pace.longest_pause)
        return self.begun if is_unreal or self._is_wanted_now(item) else item.next_at

    def _is_wanted_now(self, item: OutboxItem) -> bool:
        """Whether somebody asks for it at once, and it was not tried since."""
        return self.ways.at_once and item.key not in self.tried

    def _is_held(self, item: OutboxItem) -> bool:
        """Whether somebody else is sending it now."""
        if item.held_until is None or item.held_until <= self.clock.now():
            return False
        return item.held_by != self.ways.owner and item.held_by not in self.ended

    def _may_go(self, item: OutboxItem, at: datetime) -> bool:
        """Waits until it is time; False when that would cost the run more than the sink's budget."""
        pause = max(0.0, (at - self.clock.now()).total_seconds())
        is_rate = at == self.gates.allowed_at(item)
        purse, budget = ("rate", self.pace.rate_seconds) if is_rate else ("", self.pace.budget_seconds)
        account = f"{item.sink} {purse}"
        if self.spent[account] + pause > budget or self.spent[item.sink] == inf:
            return False
        if pause:
            self._say(f"waiting {pause:.0f} s before asking {item.sink} again")
            self.tools.wait(pause)
            self.spent[account] += pause
        return True

    def _attempt(self, item: OutboxItem) -> OutboxItem | None:
        """Claims a message, tries it once and notes what came of it; None when somebody else has it."""
        started, now = self.tools.elapsed(), self.clock.now()
        ends = now + timedelta(seconds=2 * self.pace.attempt_seconds)
        held = replace(item, held_by=self.ways.owner, held_until=ends)
        if not self.ledger.revise(item, held):
            return None
        self._say(f"telling {item.sink}: {item.notification.title}")
        result = clean(self._result(held), self.tools.redact)
        now = self.clock.now()
        after = settle(held, result, now=now, pace=self.pace, draw=self.tools.draw)
        if after.status == "dead":
            others = fallbacks(after, self.ways.elsewhere(after), now)
            self.ledger.commit([], [], others)
            self.redirected.update(other.key for other in others)
        self.ledger.record(after, result, now)
        self.gates.note(held, result, now)
        self._charge(after, result, self.tools.elapsed() - started)
        return after

    def _charge(self, item: OutboxItem, result: DeliveryResult, seconds: float) -> None:
        """Notes what a try cost; keeps its receipt for those that follow."""
        if result.code == ADDRESS_IS_DEAD:
            self.gone[item.sink] = result
        if result.code == OVERRUN:
            self.spent[item.sink] = inf
        elif item.status == "due":
            self.spent[f"{item.sink} "] += seconds
        if "receipts" in self.__dict__:
            self.receipts.keep(item)

    def _result(self, item: OutboxItem) -> DeliveryResult:
        sink = self.sinks.get(item.sink)
        if sink is None:
            detail = f"the config has no sink {item.sink!r} any more"
            return DeliveryResult(DeliveryStatus.RETRY, "no_sink", detail)
        if item.sink in self.gone:
            return self.gone[item.sink]
        follows = item.notification.transition not in {Transition.OPENED, Transition.TEST}
        attempt = Attempt(
            key=item.key,
            number=item.attempts + 1,
            deadline_seconds=self.pace.attempt_seconds,
            targets=item.pending or item.notification.targets,
            receipt=item.receipt or (self.receipts.before(item) if follows else {}),
        )
        return try_once(sink, item.notification, attempt)

    def _say(self, what: str) -> None:
        if self.progress is not None:
            self.progress.update(what)
