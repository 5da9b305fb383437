"""The older API: /api/2.1/unity-catalog/tables/{name}/monitor, by names."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from fakes.databricks.lake import Lake, SqlFailure, Table
from fakes.databricks.web.messages import Answer, Refused, Request, denied, invalid, missing
from fakes.databricks.web.routing import Routes

from .monitors import Monitor, Monitors, Refresh
from .rules import GRANULARITIES

_ROOT = "/api/2.1/unity-catalog/tables/{table}/monitor"
_PARTS = {
    "timestamp_col": "timestamp_column",
    "prediction_col": "prediction_column",
    "model_id_col": "model_id_column",
    "label_col": "label_column",
}
_SAME = (
    "baseline_table_name",
    "slicing_exprs",
    "schedule",
    "skip_builtin_dashboard",
    "warehouse_id",
    "assets_dir",
)
_HIDDEN = {"warehouse_id", "skip_builtin_dashboard", "output_schema_id", "status", "notification_settings"}
Json = dict[str, Any]


class QualityMonitors:
    """The doors of the older API."""

    def __init__(self, monitors: Monitors, lake: Lake) -> None:
        self._monitors = monitors
        self._lake = lake

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        doors: tuple[tuple[str, str, Callable[[Request], Answer | Json]], ...] = (
            ("POST", _ROOT, self._create),
            ("GET", _ROOT, self._get),
            ("PUT", _ROOT, self._update),
            ("DELETE", _ROOT, self._delete),
            ("POST", f"{_ROOT}/refreshes", self._refresh),
            ("GET", f"{_ROOT}/refreshes", self._refreshes),
            ("GET", f"{_ROOT}/refreshes/{{refresh_id}}", self._get_refresh),
            ("POST", f"{_ROOT}/refreshes/{{refresh_id}}/cancel", self._cancel),
            ("POST", "/api/2.1/quality-monitoring/tables/{table}/monitor/dashboard", self._dashboard),
        )
        for method, path, door in doors:
            routes.add(method, path, self._when_there(door))

    def _when_there(self, door: Callable[[Request], Answer | Json]) -> Callable[[Request], Answer | Json]:
        def opened(request: Request) -> Answer | Json:
            if not self._monitors.has_quality_monitors:
                raise Refused(
                    404, "ENDPOINT_NOT_FOUND", f"No API found for '{request.method} {request.path}'"
                )
            return door(request)

        return opened

    def _table(self, request: Request) -> Table:
        try:
            return self._lake.metastore.table(request.params["table"])
        except SqlFailure as failure:
            raise Refused(
                404, "TABLE_DOES_NOT_EXIST", f"Table '{request.params['table']}' does not exist."
            ) from failure

    def _found(self, request: Request) -> Monitor:
        return self._monitors.of(self._table(request).id)

    def _create(self, request: Request) -> Json:
        body = request.json()
        if not str(body.get("assets_dir", "")).startswith("/"):
            raise invalid("assets_dir must be an absolute path of the workspace.")
        name = body.get("output_schema_name") or ""
        schema = self._lake.metastore.schemas.get(name.lower())
        if schema is None:
            raise missing(f"Schema '{name}' does not exist.")
        config = {**_config(body), "output_schema_id": schema.id}
        monitor = self._monitors.create(self._table(request), schema, config, request.user)
        monitor.proba_column = (body.get("inference_log") or {}).get("prediction_proba_col") or ""
        return _seen(monitor)

    def _get(self, request: Request) -> Json:
        monitor = self._found(request)
        seen = _seen(monitor)
        monitor.polls_left = max(0, monitor.polls_left - 1)
        return seen

    def _update(self, request: Request) -> Json:
        monitor, body = self._found(request), request.json()
        if request.user != monitor.creator:
            raise denied("Only the creator of a monitor may update it.")
        if body.get("output_schema_name", "").lower() not in self._lake.metastore.schemas:
            raise invalid("output_schema_name must name a schema.")
        schema = self._lake.metastore.schemas[body["output_schema_name"].lower()]
        kept = {"assets_dir": monitor.config.get("assets_dir"), "output_schema_id": schema.id}
        self._monitors.update(monitor, {**_config(body), **kept}, request.user)
        monitor.schema = schema
        monitor.proba_column = (body.get("inference_log") or {}).get("prediction_proba_col") or ""
        return _seen(monitor)

    def _delete(self, request: Request) -> Json:
        del self._monitors.known[self._found(request).table.id]
        return {}

    def _refresh(self, request: Request) -> Json:
        return _seen_refresh(self._monitors.start(self._found(request)))

    def _refreshes(self, request: Request) -> Json:
        newest = self._found(request).refreshes[:-26:-1]
        seen = [_seen_refresh(refresh) for refresh in newest]
        for refresh in newest:
            self._monitors.looked_at(refresh)
        return {"refreshes": seen}

    def _get_refresh(self, request: Request) -> Json:
        refresh = self._monitors.refresh(self._found(request), request.params["refresh_id"])
        seen = _seen_refresh(refresh)
        self._monitors.looked_at(refresh)
        return seen

    def _cancel(self, request: Request) -> Json:
        self._monitors.cancel(self._monitors.refresh(self._found(request), request.params["refresh_id"]))
        return {}

    def _dashboard(self, request: Request) -> Json:
        monitor = self._found(request)
        monitor.dashboard_id = uuid.uuid4().hex
        return {"dashboard_id": monitor.dashboard_id, "parent_folder": monitor.config.get("assets_dir")}


def _config(body: Json) -> Json:
    """Returns a body of the older API in the words of the current one."""
    config = {name: body[name] for name in _SAME if body.get(name) is not None}
    for kind in ("inference_log", "time_series"):
        if body.get(kind) is not None:
            config[kind] = _part(body[kind])
    if body.get("snapshot") is not None:
        config["snapshot"] = {}
    config["custom_metrics"] = [
        {**metric, "type": f"DATA_PROFILING_{metric.get('type')}"}
        for metric in body.get("custom_metrics") or []
    ]
    failure = (body.get("notifications") or {}).get("on_failure")
    if failure:
        config["notification_settings"] = {"on_failure": failure}
    return config


def _part(given: Json) -> Json:
    words = {text: name for name, text in GRANULARITIES.items()}
    part = {new: given[old] for old, new in _PARTS.items() if given.get(old)}
    part["granularities"] = [words.get(text, text) for text in given.get("granularities") or []]
    if given.get("problem_type"):
        part["problem_type"] = f"INFERENCE_{given['problem_type']}"
    return part


def _seen(monitor: Monitor) -> Json:
    """Returns what GET says: never the warehouse, nor whether the dashboard was skipped."""
    config = monitor.seen()
    seen: Json = {key: value for key, value in config.items() if key not in _HIDDEN}
    seen["status"] = f"MONITOR_STATUS_{monitor.status}"
    seen["table_name"] = seen.pop("monitored_table_name")
    seen["output_schema_name"] = monitor.schema.name
    if "latest_monitor_failure_message" in seen:
        seen["latest_monitor_failure_msg"] = seen.pop("latest_monitor_failure_message")
    seen["custom_metrics"] = [
        {**metric, "type": metric["type"].removeprefix("DATA_PROFILING_")}
        for metric in config.get("custom_metrics") or []
    ]
    if config.get("notification_settings"):
        seen["notifications"] = config["notification_settings"]
    if config.get("schedule"):
        seen["schedule"] = {**config["schedule"], "pause_status": "UNPAUSED"}
    for kind in ("inference_log", "time_series"):
        if config.get(kind):
            seen[kind] = _seen_part(config[kind], monitor.proba_column)
    return seen


def _seen_part(part: Json, proba_column: str) -> Json:
    seen = {old: part[new] for old, new in _PARTS.items() if part.get(new)}
    seen["granularities"] = [GRANULARITIES[name] for name in part["granularities"]]
    if part.get("problem_type"):
        seen["problem_type"] = part["problem_type"].removeprefix("INFERENCE_")
    if proba_column:
        seen["prediction_proba_col"] = proba_column
    return seen


def _seen_refresh(refresh: Refresh) -> Json:
    seen: Json = {
        "refresh_id": refresh.id,
        "state": refresh.state,
        "start_time_ms": int(refresh.started.timestamp() * 1000),
        "trigger": "MANUAL",
    }
    if refresh.ended:
        seen["end_time_ms"] = int(refresh.ended.timestamp() * 1000)
    if refresh.message:
        seen["message"] = refresh.message
    return seen
