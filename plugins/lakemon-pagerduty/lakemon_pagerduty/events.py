"""A notification as events of the Events API v2, one for each incident. Pure.

PagerDuty keeps one open alert for each `dedup_key`. The key is the incident's id, so of a message that told
of three incidents each is resolved when its own time comes.
"""

from __future__ import annotations

import json

from lakemon_core.domain.incident import Evidence, Notification, Transition
from lakemon_core.domain.message_parts import commands_of, facts_of, figures_of, lines_of, links_of, within
from lakemon_core.domain.names import plain

MOST_TRIGGERED = 25
"""Incidents of one message that become alerts, worst first; its lines say how many more there are."""

LONGEST_SUMMARY, LONGEST_KEY, LARGEST_EVENT = 1024, 255, 512_000

_ACTIONS = {Transition.RESOLVED: "resolve", Transition.ACKNOWLEDGED: "acknowledge"}

Event = dict[str, object]


def events_of(notification: Notification) -> list[Event]:
    """Returns the events of a message, without the routing key; a test leaves no alert open."""
    if notification.transition is Transition.TEST:
        opened = _whole(notification)
        return [opened, {"event_action": "resolve", "dedup_key": opened["dedup_key"]}]
    if not notification.evidence:
        return [_whole(notification)]
    triggered = [one for one in notification.evidence if one.transition not in _ACTIONS]
    changed = [one for one in notification.evidence if one.transition in _ACTIONS]
    return [_event(notification, one) for one in (*triggered[:MOST_TRIGGERED], *changed)]


def _event(notification: Notification, evidence: Evidence) -> Event:
    """Returns the event of one incident."""
    title = f"{plain(notification.model)} {plain(notification.environment)}: {plain(evidence.title, 800)}"
    alone = len(notification.evidence) == 1
    return _made(
        _ACTIONS.get(evidence.transition, "trigger"),
        evidence.incident,
        plain(notification.title if alone else title, LONGEST_SUMMARY),
        notification,
        severity=evidence.severity.value,
        group=plain(evidence.rule),
        figures=figures_of(evidence),
    )


def _whole(notification: Notification) -> Event:
    """Returns the event of a message that tells of no incident."""
    return _made(
        _ACTIONS.get(notification.transition, "trigger"),
        notification.thread,
        plain(notification.title, LONGEST_SUMMARY),
        notification,
        severity=notification.severity.value,
        group=notification.transition.value,
        figures={},
    )


def _made(
    action: str,
    key: str,
    summary: str,
    notification: Notification,
    *,
    severity: str,
    group: str,
    figures: dict[str, object],
) -> Event:
    event: Event = {"event_action": action, "dedup_key": key[:LONGEST_KEY]}
    if action != "trigger":
        return event

    def made(count: int) -> Event:
        details = dict(facts_of(notification, most=count)) | {"lines": lines_of(notification, most=count)}
        payload = {
            "summary": summary or "lakemon",
            "source": f"lakemon {plain(notification.environment)}",
            "severity": severity,
            "timestamp": notification.created_at.isoformat(),
            "component": plain(notification.model, 255),
            "group": group,
            "class": str(figures.get("what", "")) or "lakemon",
            "custom_details": {**details, "figures": figures, "commands": commands_of(notification, most=5)},
        }
        links = [{"href": url, "text": label or "Link"} for label, url in links_of(notification)[:10]]
        return {**event, "client": "lakemon", "payload": payload, "links": links}

    return within(made, 100, _fits)[0]


def _fits(event: Event) -> bool:
    return len(json.dumps(event)) < LARGEST_EVENT - 1000
