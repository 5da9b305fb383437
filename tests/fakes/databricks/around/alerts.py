"""SQL alerts, version 2, and the notification destinations they may name."""

from __future__ import annotations

import uuid
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.sql import Warehouses
from fakes.databricks.web.messages import Answer, Refused, Request, denied, invalid, missing
from fakes.databricks.web.routing import Routes

_NEEDED = ("display_name", "query_text", "warehouse_id", "evaluation", "schedule")
_OPERATORS = {
    *("EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL"),
    *("IS_NULL", "IS_NOT_NULL"),
}
_KINDS = {
    "email": "EMAIL",
    "slack": "SLACK",
    "microsoft_teams": "MICROSOFT_TEAMS",
    "pagerduty": "PAGERDUTY",
    "generic_webhook": "WEBHOOK",
}
_SECRET = {"url", "oauth_token", "auth_secret", "integration_key", "password", "username"}
Json = dict[str, Any]


class Alerts:
    """All alerts and destinations.

    Attributes:
        known: alert id → what GET says.
        destinations: destination id → name, kind and config, secrets and all.
        admins: who may touch destinations; the owner of the workspace at first.
    """

    def __init__(self, clock: Clock, warehouses: Warehouses, owner: str) -> None:
        self._clock = clock
        self._warehouses = warehouses
        self.known: dict[str, Json] = {}
        self.destinations: dict[str, Json] = {}
        self.admins = {owner}

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        root, other = "/api/2.0/alerts", "/api/2.0/notification-destinations"
        routes.add("POST", root, self._create)
        routes.add("GET", root, self._list)
        routes.add("GET", f"{root}/{{id}}", self._get)
        routes.add("PATCH", f"{root}/{{id}}", self._update)
        routes.add("DELETE", f"{root}/{{id}}", self._trash)
        routes.add("POST", other, self._create_destination)
        routes.add("GET", other, self._destinations)
        routes.add("GET", f"{other}/{{id}}", self._get_destination)
        routes.add("DELETE", f"{other}/{{id}}", self._delete_destination)

    def _create(self, request: Request) -> Json:
        request.need(*_NEEDED)
        alert = {key: value for key, value in request.json().items() if key not in {"id", "lifecycle_state"}}
        self._check(alert)
        alert["id"] = str(uuid.uuid4())
        alert["lifecycle_state"] = "ACTIVE"
        alert["owner_user_name"] = request.user
        alert["create_time"] = alert["update_time"] = self._clock.now().isoformat()
        self.known[alert["id"]] = alert
        return alert

    def _check(self, alert: Json) -> None:
        self._warehouses.found(alert["warehouse_id"])
        evaluation, schedule = alert["evaluation"], alert["schedule"]
        if not evaluation.get("source", {}).get("name"):
            raise invalid("evaluation.source.name is required.")
        if evaluation.get("comparison_operator") not in _OPERATORS:
            raise invalid(f"Unknown comparison_operator {evaluation.get('comparison_operator')!r}.")
        if evaluation.get("empty_result_state") == "UNKNOWN":
            raise invalid("empty_result_state must not be UNKNOWN.")
        if not schedule.get("quartz_cron_schedule") or not schedule.get("timezone_id"):
            raise invalid("schedule needs quartz_cron_schedule and timezone_id.")
        for subscription in (evaluation.get("notification") or {}).get("subscriptions") or []:
            destination = subscription.get("destination_id")
            if destination and destination not in self.destinations:
                raise invalid(f"Notification destination {destination} does not exist.")

    def _list(self, request: Request) -> Json:
        active = [alert for alert in self.known.values() if alert["lifecycle_state"] == "ACTIVE"]
        size, start = int(request.query.get("page_size") or 100), int(request.query.get("page_token") or 0)
        page: Json = {"alerts": active[start : start + size]}
        if start + size < len(active):
            page["next_page_token"] = str(start + size)
        return page

    def _get(self, request: Request) -> Json:
        found = self.known.get(request.params["id"])
        if found is None or found["lifecycle_state"] == "DELETED":
            raise missing(f"Alert with ID '{request.params['id']}' does not exist.")
        return found

    def _update(self, request: Request) -> Answer | Json:
        found, body = self.known.get(request.params["id"]), request.json()
        mask = request.query.get("update_mask") or ""
        if found is None:
            return Answer(404, b"")
        if not mask:
            raise invalid("update_mask is required.")
        names = list(_NEEDED) if mask == "*" else [path.partition(".")[0] for path in mask.split(",")]
        changed = {**found, **{name: body[name] for name in names if name in body}}
        self._check(changed)
        changed["update_time"] = self._clock.now().isoformat()
        self.known[found["id"]] = changed
        return changed

    def _trash(self, request: Request) -> Answer | Json:
        found = self.known.get(request.params["id"])
        if found is None:
            return Answer(404, b"")
        found["lifecycle_state"] = "DELETED"
        if request.query.get("purge") == "true":
            del self.known[found["id"]]
        return {}

    def _admin(self, request: Request) -> None:
        if request.user not in self.admins:
            raise denied("Only workspace admins may manage notification destinations.")

    def _create_destination(self, request: Request) -> Json:
        self._admin(request)
        name, config = request.need("display_name", "config")
        kinds = [kind for kind in _KINDS if config.get(kind)]
        if len(kinds) != 1:
            raise invalid("config must hold exactly one kind of destination.")
        if any(there["display_name"] == name for there in self.destinations.values()):
            raise Refused(400, "ALREADY_EXISTS", f"Destination {name} already exists.")
        key = str(uuid.uuid4())
        self.destinations[key] = {
            "id": key,
            "display_name": name,
            "destination_type": _KINDS[kinds[0]],
            "config": config,
        }
        return _seen(self.destinations[key])

    def _destinations(self, request: Request) -> Json:
        self._admin(request)
        brief = [
            {key: d[key] for key in ("id", "display_name", "destination_type")}
            for d in self.destinations.values()
        ]
        return {"results": brief}

    def _get_destination(self, request: Request) -> Json:
        self._admin(request)
        if request.params["id"] not in self.destinations:
            raise missing(f"Destination {request.params['id']} does not exist.")
        return _seen(self.destinations[request.params["id"]])

    def _delete_destination(self, request: Request) -> Json:
        self._get_destination(request)
        del self.destinations[request.params["id"]]
        return {}


def _seen(destination: Json) -> Json:
    """Secrets go in and never come out: only that they are set."""
    config = {
        kind: {
            f"{key}_set" if key in _SECRET else key: True if key in _SECRET else value
            for key, value in given.items()
        }
        for kind, given in destination["config"].items()
    }
    return {**destination, "config": config}
