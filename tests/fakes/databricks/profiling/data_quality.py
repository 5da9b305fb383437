"""The current API: /api/data-quality/v1, by the UUIDs of tables and schemas."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from fakes.databricks.lake import Metastore, Schema, Table
from fakes.databricks.web.messages import Answer, Refused, Request, invalid, missing
from fakes.databricks.web.routing import Routes

from .monitors import Monitor, Monitors, Refresh

_ROOT = "/api/data-quality/v1/monitors"
_SET_BY_SERVICE = {
    *("status", "monitor_version", "monitored_table_name", "profile_metrics_table_name", "dashboard_id"),
    *("drift_metrics_table_name", "effective_warehouse_id", "latest_monitor_failure_message"),
}
_FIELDS = {
    *("output_schema_id", "inference_log", "time_series", "snapshot", "assets_dir", "baseline_table_name"),
    *("custom_metrics", "schedule", "slicing_exprs", "notification_settings", "skip_builtin_dashboard"),
    "warehouse_id",
}
Json = dict[str, Any]


class DataQuality:
    """The doors of the current API."""

    def __init__(self, monitors: Monitors, metastore: Metastore) -> None:
        self._monitors = monitors
        self._metastore = metastore

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        one = f"{_ROOT}/{{object_type}}/{{object_id}}"
        doors: tuple[tuple[str, str, Callable[[Request], Answer | Json]], ...] = (
            ("POST", _ROOT, self._create),
            ("GET", _ROOT, _unimplemented),
            ("GET", one, self._get),
            ("PATCH", one, self._update),
            ("DELETE", one, self._delete),
            ("POST", f"{one}/refreshes", self._refresh),
            ("GET", f"{one}/refreshes", self._refreshes),
            ("GET", f"{one}/refreshes/{{refresh_id}}", self._get_refresh),
            ("DELETE", f"{one}/refreshes/{{refresh_id}}", _unimplemented),
            ("PATCH", f"{one}/refreshes/{{refresh_id}}", _unimplemented),
            ("POST", f"{one}/refreshes/{{refresh_id}}/cancel", self._cancel),
        )
        for method, path, door in doors:
            routes.add(method, path, self._when_there(door))

    def _when_there(self, door: Callable[[Request], Answer | Json]) -> Callable[[Request], Answer | Json]:
        def opened(request: Request) -> Answer | Json:
            if not self._monitors.has_data_quality:
                raise Refused(
                    404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {request.path}'"
                )
            return door(request)

        return opened

    def _create(self, request: Request) -> Json:
        body = request.json()
        table = self._table(body.get("object_type"), body.get("object_id"))
        config = body.get("data_profiling_config")
        if not config:
            raise invalid("data_profiling_config is required for a table.")
        monitor = self._monitors.create(table, self._schema(config), _given(config), request.user)
        return _seen(monitor)

    def _table(self, object_type: object, object_id: object) -> Table:
        if object_type != "table":
            raise invalid(f"The fake knows object_type 'table' only, not {object_type!r}.")
        try:
            uuid.UUID(str(object_id))
        except ValueError as error:
            raise invalid(f"object_id must be the UUID of the table, not {object_id!r}.") from error
        found = self._metastore.by_id(str(object_id))
        if not isinstance(found, Table):
            raise missing(f"Table with ID {object_id} does not exist.")
        return found

    def _schema(self, config: Json) -> Schema:
        found = self._metastore.by_id(str(config.get("output_schema_id")))
        if not isinstance(found, Schema):
            raise invalid(
                f"output_schema_id must be the UUID of a schema, not {config.get('output_schema_id')!r}."
            )
        return found

    def _found(self, request: Request) -> Monitor:
        return self._monitors.of(self._table(request.params["object_type"], request.params["object_id"]).id)

    def _get(self, request: Request) -> Json:
        monitor = self._found(request)
        seen = _seen(monitor)
        monitor.polls_left = max(0, monitor.polls_left - 1)
        return seen

    def _update(self, request: Request) -> Json:
        monitor = self._found(request)
        mask = [path for path in request.query.get("update_mask", "").split(",") if path]
        if not mask:
            raise invalid("update_mask is required.")
        sent = request.json().get("data_profiling_config") or {}
        changed = {**monitor.config}
        for path in mask:
            first, _, name = path.partition(".")
            if first != "data_profiling_config" or (name and name.partition(".")[0] not in _FIELDS):
                raise invalid(f"Unknown path {path!r} in update_mask.")
            changed = _given(sent) if not name else _replaced(changed, sent, name.partition(".")[0])
        changed.setdefault("output_schema_id", monitor.config["output_schema_id"])
        monitor.schema = self._schema(changed)
        self._monitors.update(monitor, changed, request.user)
        return _seen(monitor)

    def _delete(self, request: Request) -> Json:
        del self._monitors.known[self._found(request).table.id]
        return {}

    def _refresh(self, request: Request) -> Json:
        monitor = self._found(request)
        return _seen_refresh(monitor, self._monitors.start(monitor))

    def _refreshes(self, request: Request) -> Json:
        monitor = self._found(request)
        seen = [_seen_refresh(monitor, refresh) for refresh in monitor.refreshes[::-1]]
        for refresh in monitor.refreshes:
            self._monitors.looked_at(refresh)
        return {"refreshes": seen}

    def _get_refresh(self, request: Request) -> Json:
        monitor = self._found(request)
        refresh = self._monitors.refresh(monitor, request.params["refresh_id"])
        seen = _seen_refresh(monitor, refresh)
        self._monitors.looked_at(refresh)
        return seen

    def _cancel(self, request: Request) -> Json:
        monitor = self._found(request)
        refresh = self._monitors.refresh(monitor, request.params["refresh_id"])
        self._monitors.cancel(refresh)
        return {"refresh": _seen_refresh(monitor, refresh)}


def _unimplemented(request: Request) -> Json:
    raise Refused(501, "NOT_IMPLEMENTED", f"{request.method} {request.path} is not implemented.")


def _given(config: Json) -> Json:
    return {key: value for key, value in config.items() if key not in _SET_BY_SERVICE}


def _replaced(config: Json, sent: Json, name: str) -> Json:
    """Returns a config with one field as sent; a field that was not sent is cleared."""
    changed = {key: value for key, value in config.items() if key != name}
    return {**changed, name: sent[name]} if name in sent else changed


def _seen(monitor: Monitor) -> Json:
    config = monitor.seen()
    config["status"] = f"DATA_PROFILING_STATUS_{monitor.status}"
    if config.get("schedule"):
        config["schedule"] = {**config["schedule"], "pause_status": "CRON_SCHEDULE_PAUSE_STATUS_UNPAUSED"}
    return {"object_type": "table", "object_id": monitor.table.id, "data_profiling_config": config}


def _seen_refresh(monitor: Monitor, refresh: Refresh) -> Json:
    seen: Json = {
        "object_type": "table",
        "object_id": monitor.table.id,
        "refresh_id": refresh.id,
        "state": f"MONITOR_REFRESH_STATE_{refresh.state}",
        "start_time_ms": int(refresh.started.timestamp() * 1000),
        "trigger": "MONITOR_REFRESH_TRIGGER_MANUAL",
    }
    if refresh.ended:
        seen["end_time_ms"] = int(refresh.ended.timestamp() * 1000)
    if refresh.message:
        seen["message"] = refresh.message
    return seen
