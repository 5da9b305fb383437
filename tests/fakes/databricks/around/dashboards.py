"""AI/BI (Lakeview) dashboards, and the folders of the workspace they lie in."""

from __future__ import annotations

import json
import uuid
from typing import Any

from fakes.databricks.clock import Clock
from fakes.databricks.sql import Warehouses
from fakes.databricks.web.messages import Refused, Request, exists, invalid, missing
from fakes.databricks.web.routing import Routes

_ROOT = "/api/2.0/lakeview/dashboards"
_FIELDS = ("display_name", "serialized_dashboard", "warehouse_id")
Json = dict[str, Any]


class Dashboards:
    """All dashboards.

    Attributes:
        known: dashboard id → its fields, as GET says.
        published: dashboard id → what `published` says.
        folders: of the workspace; below `/Users` and `/Shared` a new one is made with `mkdirs`.
    """

    def __init__(self, clock: Clock, warehouses: Warehouses) -> None:
        self._clock = clock
        self._warehouses = warehouses
        self.known: dict[str, Json] = {}
        self.published: dict[str, Json] = {}
        self.folders: set[str] = {"/Shared", "/Users"}

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        one = f"{_ROOT}/{{id}}"
        routes.add("POST", _ROOT, self._create)
        routes.add("GET", _ROOT, self._list)
        routes.add("GET", one, self._found)
        routes.add("PATCH", one, self._update)
        routes.add("DELETE", one, self._trash)
        routes.add("POST", f"{one}/published", self._publish)
        routes.add("GET", f"{one}/published", self._get_published)
        routes.add("DELETE", f"{one}/published", self._unpublish)
        routes.add("POST", "/api/2.0/workspace/mkdirs", self._make_folder)
        routes.add("GET", "/api/2.0/workspace/get-status", self._status)

    def _found(self, request: Request) -> Json:
        if request.params["id"] not in self.known:
            raise missing(f"Unable to find dashboard [dashboardId={request.params['id']}]")
        return self.known[request.params["id"]]

    def _is_folder(self, path: str, user: str) -> bool:
        return path in self.folders or path == f"/Users/{user}"

    def _create(self, request: Request) -> Json:
        body = request.json()
        if not body.get("display_name"):
            raise invalid("display_name is required.")
        parent = _folder(body.get("parent_path") or f"/Users/{request.user}")
        if not self._is_folder(parent, request.user):
            raise missing(f"Path ({parent}) doesn't exist.")
        path = f"{parent}/{body['display_name']}.lvdash.json"
        if any(
            there["path"] == path and there["lifecycle_state"] == "ACTIVE" for there in self.known.values()
        ):
            raise exists(f"Dashboard {path} already exists.")
        self._check(body)
        now = self._clock.now().isoformat()
        dashboard: Json = {
            "dashboard_id": uuid.uuid4().hex,
            "path": path,
            "parent_path": parent,
            "create_time": now,
            "lifecycle_state": "ACTIVE",
            "serialized_dashboard": "{}",
            **{field: body[field] for field in _FIELDS if body.get(field)},
        }
        self.known[dashboard["dashboard_id"]] = dashboard
        return self._touch(dashboard)

    def _check(self, body: Json) -> None:
        if body.get("warehouse_id"):
            self._warehouses.found(body["warehouse_id"])
        if body.get("serialized_dashboard"):
            _check_content(body["serialized_dashboard"])

    def _touch(self, dashboard: Json) -> Json:
        dashboard["update_time"] = self._clock.now().isoformat()
        dashboard["etag"] = uuid.uuid4().hex[:12]
        return dashboard

    def _list(self, request: Request) -> Json:
        shown = [
            {key: value for key, value in dashboard.items() if key not in {"serialized_dashboard", "etag"}}
            for dashboard in self.known.values()
            if dashboard["lifecycle_state"] == "ACTIVE" or request.query.get("show_trashed") == "true"
        ]
        return {"dashboards": shown}

    def _update(self, request: Request) -> Json:
        dashboard, body = self._found(request), request.json()
        if body.get("etag") and body["etag"] != dashboard["etag"]:
            raise Refused(409, "ABORTED", "The dashboard has been modified since it was read.")
        if dashboard["lifecycle_state"] == "TRASHED":
            raise Refused(400, "INVALID_STATE", "The dashboard is trashed.")
        self._check(body)
        dashboard.update({field: body[field] for field in _FIELDS if body.get(field)})
        return self._touch(dashboard)

    def _trash(self, request: Request) -> Json:
        self._found(request)["lifecycle_state"] = "TRASHED"
        self.published.pop(request.params["id"], None)
        return {}

    def _publish(self, request: Request) -> Json:
        dashboard, body = self._found(request), request.json()
        warehouse = body.get("warehouse_id") or dashboard.get("warehouse_id")
        if not warehouse:
            raise invalid("A warehouse is required to publish a dashboard.")
        self._warehouses.found(warehouse)
        published = {
            "display_name": dashboard["display_name"],
            "warehouse_id": warehouse,
            "embed_credentials": body.get("embed_credentials", True),
            "revision_create_time": self._clock.now().isoformat(),
        }
        self.published[dashboard["dashboard_id"]] = published
        return published

    def _get_published(self, request: Request) -> Json:
        self._found(request)
        if request.params["id"] not in self.published:
            raise missing(f"Dashboard {request.params['id']} is not published.")
        return self.published[request.params["id"]]

    def _unpublish(self, request: Request) -> Json:
        self._get_published(request)
        del self.published[request.params["id"]]
        return {}

    def _make_folder(self, request: Request) -> Json:
        (path,) = request.need("path")
        parts = _folder(path).split("/")
        self.folders.update("/".join(parts[:end]) for end in range(2, len(parts) + 1))
        return {}

    def _status(self, request: Request) -> Json:
        path = _folder(request.query.get("path", ""))
        if not self._is_folder(path, request.user):
            raise missing(f"Path ({path}) doesn't exist.")
        return {
            "object_type": "DIRECTORY",
            "path": path,
            "object_id": uuid.uuid5(uuid.NAMESPACE_URL, path).int % 10**12,
        }


def _folder(path: str) -> str:
    """Returns a path of the workspace; `/Workspace` in front is the same place."""
    if not path.startswith("/"):
        raise invalid(f"Path ({path}) must be absolute.")
    return path.removeprefix("/Workspace").rstrip("/") or "/"


def _check_content(text: str) -> None:
    try:
        content = json.loads(text)
    except ValueError as error:
        raise invalid(f"serialized_dashboard is no JSON: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("pages", []), list):
        raise invalid("serialized_dashboard must be an object with a list of pages.")
    names = {dataset.get("name") for dataset in content.get("datasets", [])}
    for page in content.get("pages", []):
        for item in page.get("layout", []):
            for query in item.get("widget", {}).get("queries", []):
                dataset = query.get("query", {}).get("datasetName")
                if dataset not in names:
                    raise invalid(f"Widget reads dataset {dataset!r}, which is not in datasets.")
