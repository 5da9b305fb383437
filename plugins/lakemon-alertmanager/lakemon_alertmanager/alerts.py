"""A notification as alerts of Alertmanager's API v2, one for each incident. Pure.

Labels identify an alert and route it, so they hold nothing that changes while an incident is open but its
severity; values and words are annotations.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from lakemon_core.domain.incident import Evidence, Notification, Transition
from lakemon_core.domain.message_parts import commands_of, figures_of, is_link, lines_of
from lakemon_core.domain.names import plain
from lakemon_core.domain.run import Severity

MOST_ALERTS = 500
"""Alerts of one message."""

LONGEST_VALUE = 1000
"""Characters of a label or annotation."""

TEST_FIRES = timedelta(minutes=5)
_FIGURES = (
    "value",
    "limit",
    "lower",
    "upper",
    "baseline",
    "n",
    "since",
    "window_start",
    "window_end",
    "windows",
)

Alert = dict[str, object]


def alerts_of(notification: Notification, fires_for: timedelta) -> list[Alert]:
    """Returns the alerts of a message.

    Args:
        notification: what to tell.
        fires_for: an alert that is open keeps firing so long unless it is told again; without an end of its
            own Alertmanager would call it resolved after five minutes.
    """
    if notification.evidence:
        return [
            alert
            for one in notification.evidence[:MOST_ALERTS]
            for alert in _of(notification, one, fires_for)
        ]
    labels = _labels(notification) | {
        "incident": notification.thread,
        "severity": notification.severity.value,
    }
    is_test = notification.transition is Transition.TEST
    end = notification.created_at + (TEST_FIRES if is_test else fires_for)
    return [_alert(notification, labels, {}, notification.created_at, end)]


def _of(notification: Notification, evidence: Evidence, fires_for: timedelta) -> Iterator[Alert]:
    """Yields the alert of one incident; when it became more severe, its milder alert ends."""
    told = notification.created_at
    start = min(evidence.since or told, told - timedelta(seconds=1))
    is_over = evidence.transition is Transition.RESOLVED
    labels = _labels(notification) | {
        "incident": evidence.incident,
        "severity": evidence.severity.value,
        "rule": evidence.rule,
        "kind": evidence.kind.value,
        "column": "" if evidence.column == ":table" else evidence.column,
        "slice": evidence.slice,
        "model_version": "" if evidence.model_id == "*" else evidence.model_id,
    }
    yield _alert(notification, labels, _annotations(evidence), start, told if is_over else told + fires_for)
    if evidence.transition is Transition.ESCALATED:
        for severity in list(Severity)[: list(Severity).index(evidence.severity)]:
            yield _alert(notification, labels | {"severity": severity.value}, {}, start, told)


def _labels(notification: Notification) -> dict[str, str]:
    return {"alertname": "lakemon", "model": notification.model, "environment": notification.environment}


def _annotations(evidence: Evidence) -> dict[str, str]:
    figures = figures_of(evidence)
    contributors = ", ".join(
        f"{plain(one.column)} ({one.statistic} {one.value:.3g})" for one in evidence.contributors
    )
    told = {name: str(figures[name]) for name in _FIGURES if name in figures}
    runbook = evidence.runbook if is_link(evidence.runbook) else ""
    return told | {
        "title": evidence.title,
        "contributors": contributors,
        "owner": evidence.owner,
        "runbook_url": runbook,
        "reason": evidence.reason,
    }


def _alert(
    notification: Notification,
    labels: dict[str, str],
    annotations: dict[str, str],
    start: datetime,
    end: datetime,
) -> Alert:
    words = {
        "summary": notification.title,
        "description": " ".join(lines_of(notification, most=12)),
        "report": notification.report,
        "command": " ; ".join(commands_of(notification, most=2)),
    }
    made: Alert = {
        "labels": _cleaned(labels),
        "annotations": _cleaned(words | annotations),
        "startsAt": start.astimezone(UTC).isoformat(),
        "endsAt": end.astimezone(UTC).isoformat(),
    }
    return made | ({"generatorURL": notification.report} if is_link(notification.report) else {})


def _cleaned(values: dict[str, str]) -> dict[str, str]:
    cleaned = {name: plain(value, LONGEST_VALUE).strip() for name, value in values.items()}
    return {name: value for name, value in cleaned.items() if value}
