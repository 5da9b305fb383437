"""Alert: verdicts move incidents, incidents become messages, messages reach people, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lakemon_core.alerting.incidents import advance, close_removed
from lakemon_core.alerting.message import compose
from lakemon_core.alerting.outbox import Tools, drain
from lakemon_core.alerting.routing import Router
from lakemon_core.domain.incident import IncidentEvent, OutboxItem, Transition
from lakemon_core.domain.rule import Rule, Verdict
from lakemon_core.domain.run import StageStatus
from lakemon_core.hookspecs import RunContext
from lakemon_core.lifecycle.analyze import Analyzed, judge_rules, rules_of
from lakemon_core.ports import AlertSink, Secrets


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
    context: RunContext, sinks: Mapping[str, AlertSink], analyzed: Analyzed | None
) -> Alerted:
    """Moves incidents by the newest verdicts and puts messages into the outbox, in one transaction.

    Args:
        sinks: all that are open, by name.
        analyzed: of this run; None judges the rules on the signals that are there.
    """
    judged = analyzed if analyzed and analyzed.verdicts else judge_rules(context)
    monitor, ledger, now = context.monitor, context.backend.ledger, context.clock.now()
    known = ledger.incidents()
    states, events = advance(known, judged.verdicts, context.run_id, now)
    closed, endings = close_removed(
        known,
        judged.rules,
        model=monitor.model_name,
        environment=monitor.environment,
        run_id=context.run_id,
        now=now,
    )
    events += endings
    items = compose(
        events,
        rules=judged.rules,
        router=_router(context, sinks),
        monitor=monitor,
        now=now,
        report=context.backend.dashboard_url or "",
    )
    queued = ledger.commit([*states, *closed], events, items)
    count = dict.fromkeys(Transition, 0)
    for event in events:
        count[event.transition] += 1
    detail: dict[str, object] = {
        "opened": count[Transition.OPENED] + count[Transition.REOPENED],
        "escalated": count[Transition.ESCALATED],
        "resolved": count[Transition.RESOLVED],
        "queued": queued,
    }
    status = StageStatus.DONE if events else StageStatus.NOTHING_TO_DO
    return Alerted(status, judged.rules, judged.verdicts, tuple(events), detail)


def deliver(
    context: RunContext, sinks: Mapping[str, AlertSink], secrets: Secrets, *, at_once: bool = False
) -> tuple[OutboxItem, ...]:
    """Sends what is due, of this run and of earlier ones; returns every message that was tried.

    Args:
        at_once: tries now what would be due later only.
    """
    sent = drain(
        context.backend.ledger,
        sinks,
        context.clock,
        tools=Tools(redact=secrets.redact),
        progress=context.progress,
        at_once=at_once,
    )
    return tuple(sent)


def _router(context: RunContext, sinks: Mapping[str, AlertSink]) -> Router:
    return Router(sinks, tuple(context.monitor.sinks))
