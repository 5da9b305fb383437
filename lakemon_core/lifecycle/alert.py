"""Alert: verdicts move incidents, incidents become messages, messages reach people, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from lakemon_core.alerting.incidents import Watch, advance, close_removed
from lakemon_core.alerting.life.silencing import acknowledge, find_incident, silences
from lakemon_core.alerting.life.telling import BY_CONFIG
from lakemon_core.alerting.messages.compose import Draw, compose, who_heard
from lakemon_core.alerting.outbox import Ways, drain
from lakemon_core.alerting.routing import Router
from lakemon_core.alerting.sending.pace import Tools
from lakemon_core.domain.errors import WorkspaceError
from lakemon_core.domain.incident import Incident, IncidentEvent, OutboxItem, Transition
from lakemon_core.domain.rule import Rule, Verdict
from lakemon_core.domain.run import StageStatus
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.analyze import Analyzed, judge_rules, rules_of
from lakemon_core.ports import AlertSink, Secrets

T = TypeVar("T")
_ROUNDS = 5


class Pictures(Protocol):
    """Draws incidents."""

    @property
    def missing(self) -> str:
        """Why nothing is drawn; empty when it can be."""
        ...

    def of(self, incident: Incident, verdicts: Sequence[Verdict]) -> bytes | None:
        """Returns the PNG of an incident; None where there is nothing to draw."""
        ...


@dataclass(frozen=True, slots=True)
class Alerted:
    """What the first half of the stage leaves behind: incidents are committed, nothing is sent yet."""

    status: StageStatus
    rules: tuple[Rule, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    events: tuple[IncidentEvent, ...] = ()
    detail: Mapping[str, object] = field(default_factory=dict[str, object])


def check_routes(context: RunContext, sinks: Mapping[str, AlertSink]) -> tuple[str, ...]:
    """Looks whether the alerts of every rule reach somebody, before anything is done.

    Returns:
        what a person should know, one sentence each.

    Raises:
        ConfigErrors: LM501, LM502 for recipients that nobody reaches.
    """
    return _router(context, sinks).check(rules_of(context))


def raise_incidents(
    context: RunContext,
    sinks: Mapping[str, AlertSink],
    analyzed: Analyzed | None,
    pictures: Pictures | None = None,
) -> Alerted:
    """Moves incidents by the newest verdicts and puts messages into the outbox, in one transaction.

    Args:
        sinks: all that are open, by name.
        analyzed: of this run; None judges the rules on the signals that are there.
        pictures: draws incidents for the sinks that show charts.
    """
    judged = analyzed if analyzed and analyzed.verdicts else judge_rules(context)
    draw = None if pictures is None else lambda incident: pictures.of(incident, judged.verdicts)
    events, queued = _insist(lambda: _raised(context, sinks, judged, draw))
    count = Counter(event.transition for event in events)
    detail: dict[str, object] = {
        "opened": count[Transition.OPENED] + count[Transition.REOPENED],
        "escalated": count[Transition.ESCALATED],
        "resolved": count[Transition.RESOLVED],
        "queued": queued,
    }
    dead = len(context.backend.ledger.outbox("dead"))
    if dead:
        detail["dead"] = f"{dead}, see `lakemon alert list`"
    if queued and pictures and pictures.missing and any(sink.shows_charts for sink in sinks.values()):
        detail["charts"] = pictures.missing
    status = StageStatus.DONE if events else StageStatus.NOTHING_TO_DO
    return Alerted(status, judged.rules, judged.verdicts, tuple(events), detail)


def acknowledge_incident(
    context: RunContext, sinks: Mapping[str, AlertSink], incident: str, *, author: str, reason: str
) -> Incident:
    """Says that somebody cares for an open incident, and tells everybody who heard of it.

    Args:
        incident: its id, or the beginning of it.
        author: who.
        reason: what they do about it; may be empty.

    Raises:
        UsageError: LM126 when there is no such open incident.
    """
    ledger, now = context.backend.ledger, context.clock.now()

    def note() -> Incident:
        known = find_incident(ledger.incidents(), incident)
        after, event = acknowledge(known, author, reason, run_id=context.run_id, now=now)
        ledger.commit([after], [event], _messages(context, sinks, [event], rules_of(context)))
        return after

    return _insist(note)


def _raised(
    context: RunContext, sinks: Mapping[str, AlertSink], judged: Analyzed, draw: Draw | None
) -> tuple[list[IncidentEvent], int]:
    """Moves the incidents on from what the ledger knows; returns the events and how many messages are new."""
    monitor, ledger, now = context.monitor, context.backend.ledger, context.clock.now()
    known = ledger.incidents()
    watch = Watch(monitor.model_name, monitor.environment, judged.rules, silences(ledger))
    closed, endings = close_removed(
        known,
        judged.rules,
        model=monitor.model_name,
        environment=monitor.environment,
        run_id=context.run_id,
        now=now,
    )
    gone = {state.fingerprint for state in closed}
    kept = {name: state for name, state in known.items() if name not in gone}
    states, events = advance(kept, judged.verdicts, context.run_id, now, watch)
    events += endings
    queued = ledger.commit([*states, *closed], events, _messages(context, sinks, events, judged.rules, draw))
    return events, queued


def _messages(
    context: RunContext,
    sinks: Mapping[str, AlertSink],
    events: Sequence[IncidentEvent],
    rules: Sequence[Rule],
    draw: Draw | None = None,
) -> list[OutboxItem]:
    by_config = any(event.notify and event.reason in BY_CONFIG for event in events)
    return compose(
        events,
        rules=rules,
        router=_router(context, sinks),
        monitor=context.monitor,
        now=context.clock.now(),
        report=context.monitor.monitoring.report_url or context.backend.dashboard_url or "",
        heard=who_heard(context.backend.ledger.outbox()) if by_config else {},
        draw=draw,
    )


def _insist(work: Callable[[], T]) -> T:
    """Does it again on the newest state when somebody, e.g. who acknowledges, wrote an incident meanwhile."""
    for _ in range(_ROUNDS - 1):
        try:
            return work()
        except WorkspaceError as error:
            if error.code != "LM606":
                raise
    return work()


def deliver(
    context: RunContext, sinks: Mapping[str, AlertSink], secrets: Secrets, *, at_once: bool = False
) -> tuple[OutboxItem, ...]:
    """Sends what is due, of this run and of earlier ones; returns every message that was tried.

    Args:
        at_once: tries now what would be due later only.
    """
    router = _router(context, sinks)
    sent = drain(
        context.backend.ledger,
        sinks,
        context.clock,
        tools=Tools(redact=secrets.redact),
        progress=context.progress,
        ways=Ways(context.run_id, lambda item: router.elsewhere(item.sink), at_once),
    )
    return tuple(sent)


def _router(context: RunContext, sinks: Mapping[str, AlertSink]) -> Router:
    return Router(sinks, tuple(context.monitor.sinks))
