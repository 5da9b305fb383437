"""Monitors and refreshes as the service keeps them, whichever API asks."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from fakes.databricks.clock import Clock
from fakes.databricks.lake import Lake, Schema, SqlFailure, Table
from fakes.databricks.web.messages import Refused, denied, exists, invalid, missing

from . import rules
from .reference import measured

Config = dict[str, Any]
Measure = Callable[[Config, pa.Table, pa.Table | None], tuple[pa.Table, pa.Table | None]]
"""Takes the config of a monitor and the rows of its table and baseline; returns profile and drift rows."""


@dataclass(slots=True)
class Refresh:
    """One refresh.

    Attributes:
        id: number, unique in the workspace.
        started: when.
        due: when it is done.
        polls_left: GETs that have to say RUNNING before.
        state: PENDING, RUNNING, SUCCESS, FAILED or CANCELED.
        ended: when it was done.
        message: why it failed.
        failure: the script's reason to fail.
    """

    id: int
    started: datetime
    due: datetime
    polls_left: int
    state: str = "PENDING"
    ended: datetime | None = None
    message: str = ""
    failure: str = ""


@dataclass(slots=True)
class Monitor:
    """A monitor of a table.

    Attributes:
        table: that is monitored.
        schema: into which the metric tables go.
        config: `data_profiling_config` as the current API writes it, without what the service adds.
        creator: who may update it.
        due: when it is ACTIVE.
        polls_left: GETs that have to say PENDING before.
        version: counts updates.
        status: PENDING, ACTIVE, ERROR.
        dashboard_id: there once it is ACTIVE.
        proba_column: known to the older API only.
        refreshes: oldest first.
        failure: of the last refresh that failed.
    """

    table: Table
    schema: Schema
    config: Config
    creator: str
    due: datetime
    polls_left: int
    version: int = 0
    status: str = "PENDING"
    dashboard_id: str = ""
    proba_column: str = ""
    refreshes: list[Refresh] = field(default_factory=list[Refresh])
    failure: str = ""

    def metric_table(self, kind: str) -> str:
        """Returns the full name of the `profile` or `drift` metric table."""
        return f"{self.schema.name}.{self.table.short_name}_{kind}_metrics"

    def seen(self) -> Config:
        """Returns the config with what the service adds."""
        added: Config = {
            "status": self.status,
            "monitor_version": self.version,
            "monitored_table_name": self.table.name,
            "profile_metrics_table_name": self.metric_table("profile"),
            "drift_metrics_table_name": self.metric_table("drift"),
        }
        if self.dashboard_id and not self.config.get("skip_builtin_dashboard"):
            added["dashboard_id"] = self.dashboard_id
        if self.failure:
            added["latest_monitor_failure_message"] = self.failure
        return {**self.config, **added}


class Monitors:
    """All monitors.

    Attributes:
        known: table id → monitor.
        measure: makes the metric rows of a refresh; a plain reference by default.
        has_data_quality: False for a workspace that has only the older API.
        has_quality_monitors: False for one that has only the current API.
        creation_seconds: how long a new monitor is PENDING on the clock.
        refresh_seconds: how long a refresh runs on the clock.
        polls: GETs that say PENDING or RUNNING before.
    """

    def __init__(self, lake: Lake, clock: Clock) -> None:
        self._lake = lake
        self._clock = clock
        self._failures: list[str] = []
        self._newest_refresh = 0
        self.known: dict[str, Monitor] = {}
        self.measure: Measure = measured
        self.has_data_quality = True
        self.has_quality_monitors = True
        self.creation_seconds = 0.0
        self.refresh_seconds = 0.0
        self.polls = 1

    def fail_next(self, message: str) -> None:
        """Lets the next refresh that is queued fail."""
        self._failures.append(message)

    def of(self, table_id: str) -> Monitor:
        """Returns the monitor of a table.

        Raises:
            Refused: 404 RESOURCE_DOES_NOT_EXIST.
        """
        monitor = self.known.get(table_id)
        if monitor is None or monitor.table.name not in self._lake.metastore.tables:
            raise missing(f"Cannot find Monitor with ID: {table_id}")
        return monitor

    def create(self, table: Table, schema: Schema, config: Config, user: str) -> Monitor:
        """Creates a monitor and queues its first refresh.

        Raises:
            Refused: 400 for a bad config, 403 without MANAGE and SELECT, 409 when there is one.
        """
        self._demand(user, table)
        if table.id in self.known:
            raise exists(f"Monitor for table {table.name} already exists.")
        rules.check(config, self.columns(table.name), self._lake.metastore)
        due = self._clock.now() + timedelta(seconds=self.creation_seconds)
        monitor = Monitor(table, schema, config, user, due, self.polls)
        self.known[table.id] = monitor
        self.queue(monitor).polls_left = 0
        return monitor

    def update(self, monitor: Monitor, config: Config, user: str) -> None:
        """Changes a config; the version of the monitor goes up.

        Raises:
            Refused: 400 for a bad config, 403 without MANAGE and SELECT.
        """
        self._demand(user, monitor.table)
        rules.check(config, self.columns(monitor.table.name), self._lake.metastore)
        monitor.config = config
        monitor.version += 1

    def _demand(self, user: str, table: Table) -> None:
        try:
            for privilege in ("SELECT", "MANAGE"):
                self._lake.metastore.demand(user, privilege, table.name)
        except SqlFailure as failure:
            raise denied(str(failure)) from failure

    def columns(self, table: str) -> list[str]:
        """Returns the columns of a table."""
        return self._lake.columns(table).names

    def queue(self, monitor: Monitor) -> Refresh:
        """Queues a refresh."""
        self._newest_refresh += 1
        now = self._clock.now()
        refresh = Refresh(
            self._newest_refresh, now, now + timedelta(seconds=self.refresh_seconds), self.polls
        )
        refresh.failure = self._failures.pop(0) if self._failures else ""
        monitor.refreshes.append(refresh)
        return refresh

    def start(self, monitor: Monitor) -> Refresh:
        """Queues a refresh that a user asks for.

        Raises:
            Refused: 400 INVALID_STATE while the monitor is not ACTIVE.
        """
        if monitor.status != "ACTIVE":
            raise Refused(400, "INVALID_STATE", f"Monitor of {monitor.table.name} is {monitor.status}.")
        return self.queue(monitor)

    def refresh(self, monitor: Monitor, refresh_id: str) -> Refresh:
        """Returns a refresh.

        Raises:
            Refused: 400 for what is no number, 404 for one that is not there.
        """
        if not refresh_id.isdigit():
            raise invalid(f"refresh_id must be a number, not {refresh_id}.")
        found = next((refresh for refresh in monitor.refreshes if refresh.id == int(refresh_id)), None)
        if found is None:
            raise missing(f"Cannot find Refresh with ID: {refresh_id}")
        return found

    def looked_at(self, refresh: Refresh) -> None:
        """Counts one look at a refresh."""
        refresh.polls_left = max(0, refresh.polls_left - 1)

    def cancel(self, refresh: Refresh) -> None:
        """Cancels a refresh that is not done."""
        if refresh.state in {"PENDING", "RUNNING"}:
            refresh.state, refresh.ended = "CANCELED", self._clock.now()

    def settle(self) -> None:
        """Moves monitors and refreshes to where the clock is."""
        for monitor in list(self.known.values()):
            if monitor.table.name not in self._lake.metastore.tables:
                continue
            if monitor.status == "PENDING" and not monitor.polls_left and monitor.due <= self._clock.now():
                monitor.status, monitor.dashboard_id = "ACTIVE", uuid.uuid4().hex
            for refresh in monitor.refreshes:
                self._settle(monitor, refresh)

    def _settle(self, monitor: Monitor, refresh: Refresh) -> None:
        if monitor.status != "ACTIVE" or refresh.state not in {"PENDING", "RUNNING"}:
            return
        refresh.state = "RUNNING"
        if refresh.polls_left or refresh.due > self._clock.now():
            return
        refresh.ended = self._clock.now()
        refresh.message = refresh.failure or self._fault_of(monitor)
        refresh.state = "FAILED" if refresh.message else "SUCCESS"
        if refresh.message:
            monitor.failure = refresh.message
        else:
            self._measure(monitor)

    def _fault_of(self, monitor: Monitor) -> str:
        there = {column.lower() for column in self.columns(monitor.table.name)}
        gone = [column for column in rules.needed_columns(monitor.config) if column.lower() not in there]
        return f"Column {gone[0]} does not exist in table {monitor.table.name}." if gone else ""

    def _measure(self, monitor: Monitor) -> None:
        baseline = monitor.config.get("baseline_table_name")
        config = {**monitor.seen(), "output_schema_name": monitor.schema.name}
        config["prediction_proba_column"] = monitor.proba_column
        profile, drift = self.measure(
            config, self._lake.read(monitor.table.name), self._lake.read(baseline) if baseline else None
        )
        self._lake.write(monitor.metric_table("profile"), profile, overwrite=True)
        if drift is not None:
            self._lake.write(monitor.metric_table("drift"), drift, overwrite=True)
