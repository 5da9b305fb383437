"""Events become messages: one a run, model and audience, worst first. Pure."""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType

from lakemon_core.alerting.life.telling import BY_CONFIG
from lakemon_core.alerting.messages.figures import evidence_of, incident_id
from lakemon_core.alerting.messages.story import Story
from lakemon_core.alerting.messages.template import in_own_words
from lakemon_core.alerting.routing import Route, Router
from lakemon_core.alerting.rules import named
from lakemon_core.domain.incident import Incident, IncidentEvent, Notification, OutboxItem, Transition
from lakemon_core.domain.monitor import Monitor
from lakemon_core.domain.rule import Rule
from lakemon_core.domain.run import Severity

Draw = Callable[[Incident], bytes | None]
"""Makes the PNG of an incident; None where there is none."""

_RANK = {severity: rank for rank, severity in enumerate(Severity)}


def compose(
    events: Sequence[IncidentEvent],
    *,
    rules: Sequence[Rule],
    router: Router,
    monitor: Monitor,
    now: datetime,
    report: str = "",
    heard: Mapping[str, Iterable[Route]] = MappingProxyType({}),
    draw: Draw | None = None,
) -> list[OutboxItem]:
    """Makes the messages of one run; events with `notify=False` make none.

    Everything that one audience (a sink with its targets) shall hear of one model goes into one message; what
    is resolved goes into another, before it. The same events give the same keys in any order and at any time,
    so a message that is in the outbox already is not made twice.

    Args:
        events: of `advance`.
        rules: as they were judged: they name recipients, owner and runbook.
        router: finds the sinks.
        monitor: names model, environment and config.
        now: the present moment, aware, UTC.
        report: where people look: URL or path; may be empty.
        heard: incident → who was told of it; they hear when it ends because of the config.
        draw: makes the picture of the worst incident, for sinks that show it.

    Returns:
        messages for the outbox, due now.
    """
    rules = named(rules)
    by_name = {rule.name: rule for rule in rules}
    buckets: dict[tuple[bool, Route, tuple[str, ...]], list[IncidentEvent]] = {}
    for event in events:
        if event.notify:
            rule = by_name.get(event.incident.rule)
            stands, group = event.transition is not Transition.RESOLVED, _group(event.incident, rule)
            routes = router.routes(rule.recipients if rule else ())
            if event.reason in BY_CONFIG and not stands:
                routes = router.keeping_state(heard.get(incident_id(event.incident), ()))
            for route in routes:
                buckets.setdefault((stands, route, group), []).append(event)
    items: list[OutboxItem] = []
    for (_, route, _), bucket in sorted(buckets.items(), key=lambda pair: pair[0]):
        told = notification(bucket, rules, monitor, route.targets, now=now, report=report)
        if draw is not None and router.sinks[route.sink].shows_charts:
            told = replace(told, chart=draw(max(bucket, key=lambda event: _badness(event.incident)).incident))
        items.append(_item(route, told, now))
    return items


def notification(
    events: Sequence[IncidentEvent],
    rules: Sequence[Rule],
    monitor: Monitor,
    targets: tuple[str, ...],
    *,
    now: datetime,
    report: str = "",
) -> Notification:
    """Makes one notification of one or more events of one model, worst incident first."""
    worst_first = sorted(events, key=lambda event: _badness(event.incident), reverse=True)
    story = Story(tuple(worst_first), {rule.name: rule for rule in rules}, monitor)
    transitions = {event.transition for event in events}
    threads = sorted(incident_id(event.incident) for event in events)
    told = Notification(
        key=_digest(*sorted(event.key for event in events)),
        thread=threads[0] if len(threads) == 1 else _digest(*threads),
        transition=transitions.pop() if len(transitions) == 1 else Transition.OPENED,
        severity=worst_first[0].incident.severity,
        title=story.title,
        lines=story.lines,
        facts=story.facts,
        model=monitor.model_name,
        environment=monitor.environment,
        targets=targets,
        owner=story.owner,
        runbook=story.runbook,
        command=story.command,
        links=story.links,
        created_at=now,
        evidence=tuple(evidence_of(event, story.rules.get(event.incident.rule)) for event in worst_first),
        report=report,
        run_id=worst_first[0].run_id,
    )
    template = monitor.monitoring.message
    return in_own_words(told, template) if template else told


def who_heard(items: Iterable[OutboxItem]) -> dict[str, set[Route]]:
    """Returns incident → the routes of the messages that told of it, or are going to."""
    heard: dict[str, set[Route]] = defaultdict(set)
    for item in items:
        if item.status in {"due", "accepted", "delivered"} or item.may_have_arrived:
            for incident in item.notification.incidents:
                heard[incident].add(Route(item.sink, item.notification.targets))
    return heard


def _group(incident: Incident, rule: Rule | None) -> tuple[str, ...]:
    """Returns what incidents of one message must share, beside the model."""
    parts = {
        "rule": incident.rule,
        "column": incident.column,
        "slice": incident.slice,
        "model_version": incident.model_id,
    }
    return tuple(f"{name}={parts[name]}" for name in sorted(rule.group_by if rule else ()) if name in parts)


def _item(route: Route, told: Notification, now: datetime) -> OutboxItem:
    audience = (route.sink, *route.targets)
    return OutboxItem(
        key=_digest(told.key, *audience),
        sink=route.sink,
        notification=told,
        order=_digest(told.environment, told.model, *audience),
        status="due",
        attempts=0,
        next_at=now,
        created_at=now,
    )


def _badness(incident: Incident) -> tuple[int, float, str]:
    """Sorts by severity, then by how far beyond the limit, then by name."""
    value, limit = incident.value, incident.limit
    ratio = 0.0
    if value is not None and limit is not None:
        ratio = max(value / limit, limit / value) if value > 0 and limit > 0 else abs(value - limit)
    return _RANK[incident.severity], ratio, incident.fingerprint


def _digest(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
