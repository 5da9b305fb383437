"""The rules of the Events API v2: what it refuses, and how events move alerts."""

from datetime import datetime
from pathlib import Path

from fakes.receiver import Received, Receiver, Reply

KEY = "R0UT1NGKEYR0UT1NGKEYR0UT1NGKEY00"
FIELDS = {"routing_key", "event_action", "dedup_key", "payload", "images", "links", "client", "client_url"}
PAYLOAD = {"summary", "source", "severity", "timestamp", "component", "group", "class", "custom_details"}


class EventsApi(Receiver):
    """One service.

    Attributes:
        events: all that were taken.
        alerts: `dedup_key` of each open alert → `triggered` or `acknowledged`.
    """

    def __init__(self, certificate: Path):
        super().__init__(certificate)
        self.events: list[dict] = []
        self.alerts: dict[str, str] = {}

    def answer(self, request: Received) -> Reply:
        if request.path != "/v2/enqueue" or request.headers["content-type"] != "application/json":
            return Reply(404)
        wrong = _faults(request)
        if wrong:
            body = {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
            return Reply(400, body)
        event = request.json
        self.events.append(event)
        key = event["dedup_key"]
        if event["event_action"] == "resolve":
            self.alerts.pop(key, None)
        elif event["event_action"] == "trigger":
            self.alerts.setdefault(key, "triggered")
        elif key in self.alerts:
            self.alerts[key] = "acknowledged"
        return Reply(202, {"status": "success", "message": "Event processed", "dedup_key": key})


def _faults(request: Received) -> list[str]:
    event = request.json
    found = ["too large"] if len(request.body) > 512_000 else []
    found += [f"unknown field {name}" for name in event.keys() - FIELDS]
    found += [] if event.get("routing_key") == KEY else ["'routing_key' is invalid"]
    found += [] if 0 < len(event.get("dedup_key", "")) <= 255 else ["'dedup_key' is too long"]
    if event.get("event_action") not in {"trigger", "acknowledge", "resolve"}:
        found.append("'event_action' is invalid")
    if event.get("event_action") == "trigger":
        found += _payload_faults(event.get("payload", {}))
        found += [f"link {link}" for link in event.get("links", []) if set(link) != {"href", "text"}]
    return found


def _payload_faults(payload: dict) -> list[str]:
    found = [f"unknown payload field {name}" for name in payload.keys() - PAYLOAD]
    found += [] if 0 < len(payload.get("summary", "")) <= 1024 else ["'summary' is missing or too long"]
    found += [] if payload.get("source") else ["'source' is missing"]
    found += (
        []
        if payload.get("severity") in {"critical", "error", "warning", "info"}
        else ["'severity' is invalid"]
    )
    datetime.fromisoformat(payload["timestamp"])
    return found
