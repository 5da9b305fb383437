"""A notification as JSON for programs. Pure."""

from __future__ import annotations

import json
from datetime import UTC
from functools import partial

from lakemon_core.domain.incident import Notification, Rendered
from lakemon_core.domain.message_parts import commands_of, figures_of, lines_of, links_of, within
from lakemon_core.domain.names import plain

LARGEST_BODY = 20_000
"""Bytes; Standard Webhooks asks for less than 20 kB."""

MOST_INCIDENTS = 100
"""Incidents that one body lists; of the others it gives the number."""

MOST_LINES = 12
"""Lines of evidence, and facts, that one body holds."""


def standard(notification: Notification) -> Rendered:
    """Returns `{type, timestamp, data}`, as Standard Webhooks has it."""
    return _fitted(notification, partial(_standard, notification), "application/json")


def cloud_event(notification: Notification) -> Rendered:
    """Returns a CloudEvent 1.0 in structured mode; `source` and `id` say what was sent twice."""
    return _fitted(notification, partial(_cloud_event, notification), "application/cloudevents+json")


def _standard(notification: Notification, data: dict[str, object]) -> dict[str, object]:
    return {"type": _kind(notification), "timestamp": _created(notification), "data": data}


def _cloud_event(notification: Notification, data: dict[str, object]) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": notification.key,
        "source": f"/lakemon/{plain(notification.environment)}/{plain(notification.model)}".replace(" ", "-"),
        "type": _kind(notification),
        "subject": notification.thread,
        "time": _created(notification),
        "datacontenttype": "application/json",
        "data": data,
    }


def _fitted(notification: Notification, envelop: partial[dict[str, object]], content_type: str) -> Rendered:
    most = min(len(notification.evidence), MOST_INCIDENTS) + MOST_LINES

    def made(count: int) -> bytes:
        whole = envelop(_data(notification, max(0, count - MOST_LINES), min(count, MOST_LINES)))
        return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()

    body, was_cut = within(made, most, lambda body: len(body) < LARGEST_BODY)
    return Rendered(body, content_type, was_cut or len(notification.evidence) > MOST_INCIDENTS)


def _data(notification: Notification, incidents: int, lines: int) -> dict[str, object]:
    """Returns everything that is told, with the first so many incidents, lines and facts."""
    facts = {plain(name): plain(value, 300) for name, value in list(notification.facts.items())[:lines]}
    return {
        "key": notification.key,
        "thread": notification.thread,
        "transition": notification.transition.value,
        "severity": notification.severity.value,
        "title": plain(notification.title, 300),
        "lines": lines_of(notification, 300, lines),
        "facts": facts,
        "model": plain(notification.model, 300),
        "environment": plain(notification.environment),
        "owner": plain(notification.owner, 300),
        "links": dict(links_of(notification)[:3]),
        "commands": commands_of(notification, 500, 2),
        "run_id": plain(notification.run_id),
        "incidents": [figures_of(one) for one in notification.evidence[:incidents]],
        "incidents_left_out": len(notification.evidence) - incidents,
    }


def _kind(notification: Notification) -> str:
    return f"lakemon.incident.{notification.transition.value}"


def _created(notification: Notification) -> str:
    return notification.created_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
