"""Data profiling through the older `w.quality_monitors`, for workspaces that have only that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lakemon_core.domain.names import TableName
from lakemon_databricks.profiling.definition import CustomMetric, Profile, data_type_of
from lakemon_databricks.profiling.found import Found, Progressing, Refreshed, table_or_none, told
from lakemon_databricks.workspace.refusals import present

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service import catalog

_PROBLEM = "PROBLEM_TYPE_"
_METRIC = "CUSTOM_METRIC_TYPE_"


@dataclass(frozen=True, slots=True)
class QualityMonitors:
    """The monitor of one table; only who made it may change it.

    Attributes:
        client: of the workspace.
        table: that is profiled.
        assets_dir: where Databricks puts its dashboard.
        warehouse_id: runs the dashboard.
    """

    client: WorkspaceClient
    table: TableName
    assets_dir: str
    warehouse_id: str

    def possible(self, wanted: Profile) -> Profile:
        """Returns what this API can be told: all of it."""
        return wanted

    def find(self) -> Found | None:
        """Returns the monitor of the table, or None; an error of rights is no missing monitor."""
        from databricks.sdk.errors import NotFound

        try:
            return _found(self.client.quality_monitors.get(str(self.table)))
        except NotFound:
            return None

    def create(self, wanted: Profile) -> None:
        """Makes the monitor; one that is there already is left as it is."""
        from databricks.sdk.errors import ResourceConflict

        try:
            self.client.quality_monitors.create(
                str(self.table),
                assets_dir=self.assets_dir,
                warehouse_id=self.warehouse_id,
                **_arguments(wanted),
            )
        except ResourceConflict:
            return

    def update(self, wanted: Profile, changed: Sequence[str]) -> None:
        """Puts the whole definition: this API knows no single changes."""
        del changed
        self.client.quality_monitors.update(str(self.table), **_arguments(wanted))

    def refresh(self) -> str:
        """Starts a refresh; returns its id."""
        begun = self.client.quality_monitors.run_refresh(str(self.table))
        return str(present(begun.refresh_id, "refresh_id", f"start a refresh of {self.table}"))

    def refreshed(self, refresh_id: str) -> Refreshed | None:
        """Returns how far a refresh is; None when it is not known here."""
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.catalog import MonitorRefreshInfoState as State

        try:
            found = self.client.quality_monitors.get_refresh(str(self.table), int(refresh_id))
        except NotFound:
            return None
        states = {
            State.SUCCESS: Progressing.DONE,
            State.FAILED: Progressing.FAILED,
            State.CANCELED: Progressing.FAILED,
        }
        state = states.get(found.state, Progressing.WAITING) if found.state else Progressing.WAITING
        return Refreshed(state, told(found.state, found.message))


def _found(info: catalog.MonitorInfo) -> Found:
    from databricks.sdk.service.catalog import MonitorInfoStatus as Status

    states = {
        Status.MONITOR_STATUS_ACTIVE: Progressing.DONE,
        Status.MONITOR_STATUS_ERROR: Progressing.FAILED,
        Status.MONITOR_STATUS_FAILED: Progressing.FAILED,
    }
    return Found(
        profile=_profile(info),
        state=states.get(info.status, Progressing.WAITING) if info.status else Progressing.WAITING,
        detail=told(info.status, info.latest_monitor_failure_msg),
        profile_table=table_or_none(info.profile_metrics_table_name),
        drift_table=table_or_none(info.drift_metrics_table_name),
        dashboard_id=info.dashboard_id or "",
    )


def _arguments(wanted: Profile) -> dict[str, Any]:
    """Returns the definition as the API takes it; a schedule is sent without its pause, which it refuses."""
    from databricks.sdk.service import catalog as sdk

    given: dict[str, Any] = {
        "output_schema_name": wanted.output_schema,
        "baseline_table_name": wanted.baseline or None,
        "slicing_exprs": list(wanted.slices) or None,
        "custom_metrics": [_metric(one) for one in wanted.metrics] or None,
    }
    if wanted.schedule:
        given["schedule"] = sdk.MonitorCronSchedule(*wanted.schedule)
    if wanted.emails:
        destination = sdk.MonitorDestination(email_addresses=list(wanted.emails))
        given["notifications"] = sdk.MonitorNotifications(on_failure=destination)
    if wanted.problem_type:
        given["inference_log"] = sdk.MonitorInferenceLog(
            problem_type=sdk.MonitorInferenceLogProblemType(_PROBLEM + wanted.problem_type),
            timestamp_col=wanted.timestamp,
            granularities=list(wanted.granularities),
            prediction_col=wanted.prediction,
            model_id_col=wanted.model_id,
            label_col=wanted.label,
            prediction_proba_col=wanted.proba,
        )
    else:
        given["time_series"] = sdk.MonitorTimeSeries(
            timestamp_col=wanted.timestamp, granularities=list(wanted.granularities)
        )
    return given


def _metric(one: CustomMetric) -> catalog.MonitorMetric:
    from databricks.sdk.service import catalog as sdk

    return sdk.MonitorMetric(
        name=one.name,
        definition=one.definition,
        input_columns=list(one.input_columns),
        output_data_type=one.output_data_type,
        type=sdk.MonitorMetricType(_METRIC + one.kind.upper()),
    )


def _profile(info: catalog.MonitorInfo) -> Profile:
    log, series = info.inference_log, info.time_series
    given = (log and log.granularities) or (series and series.granularities) or []
    notified = info.notifications and info.notifications.on_failure
    return Profile(
        output_schema=info.output_schema_name or "",
        problem_type=log.problem_type.value.removeprefix(_PROBLEM) if log else "",
        timestamp=(log and log.timestamp_col) or (series and series.timestamp_col) or "",
        granularities=tuple(given),
        prediction=log.prediction_col if log else "",
        model_id=log.model_id_col if log else "",
        label=log.label_col if log else None,
        proba=log.prediction_proba_col if log else None,
        baseline=info.baseline_table_name or "",
        slices=tuple(info.slicing_exprs or ()),
        metrics=tuple(
            CustomMetric(
                one.name,
                one.type.value.removeprefix(_METRIC).lower(),
                one.definition,
                tuple(one.input_columns),
                data_type_of(one.output_data_type),
            )
            for one in info.custom_metrics or ()
        ),
        schedule=(info.schedule.quartz_cron_expression, info.schedule.timezone_id) if info.schedule else None,
        emails=tuple((notified and notified.email_addresses) or ()),
    )
