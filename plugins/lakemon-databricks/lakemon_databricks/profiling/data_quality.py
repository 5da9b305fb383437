"""Data profiling through `w.data_quality`: tables and schemas by their ids, updates by a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from lakemon_core.domain.names import TableName
from lakemon_databricks.profiling.definition import CustomMetric, Profile, data_type_of
from lakemon_databricks.profiling.found import Found, Progressing, Refreshed, table_or_none, told
from lakemon_databricks.workspace.refusals import present

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service import dataquality

_TABLE = "table"
_GRANULARITY = "AGGREGATION_GRANULARITY_"
_PROBLEM = "INFERENCE_PROBLEM_TYPE_"
_METRIC = "DATA_PROFILING_CUSTOM_METRIC_TYPE_"
_PARTS = {
    "output_schema": "output_schema_id",
    "baseline": "baseline_table_name",
    "slices": "slicing_exprs",
    "metrics": "custom_metrics",
    "schedule": "schedule",
    "emails": "notification_settings",
}
"""Attribute → field of the config; every other attribute lies in the analysis (`inference_log`, …)."""


@dataclass(frozen=True, slots=True)
class DataQuality:
    """The monitor of one table.

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
        """Returns what this API can be told: it has no column of probabilities."""
        return replace(wanted, proba=None)

    def find(self) -> Found | None:
        """Returns the monitor of the table, or None; an error of rights is no missing monitor."""
        from databricks.sdk.errors import NotFound

        try:
            monitor = self.client.data_quality.get_monitor(_TABLE, self._table_id())
        except NotFound as error:
            if error.error_code == "ENDPOINT_NOT_FOUND":
                raise
            return None
        config = monitor.data_profiling_config
        return self._found(config) if config else None

    def create(self, wanted: Profile) -> None:
        """Makes the monitor; one that is there already is left as it is."""
        from databricks.sdk.errors import ResourceConflict
        from databricks.sdk.service.dataquality import Monitor

        config = self._config(wanted)
        try:
            self.client.data_quality.create_monitor(
                Monitor(object_type=_TABLE, object_id=self._table_id(), data_profiling_config=config)
            )
        except ResourceConflict:
            return

    def update(self, wanted: Profile, changed: Sequence[str]) -> None:
        """Changes these attributes; a list that shall be empty is named in the mask and left out."""
        from databricks.sdk.service.dataquality import Monitor

        analysis = "inference_log" if wanted.problem_type else "time_series"
        parts = sorted({_PARTS.get(name, analysis) for name in changed})
        table_id = self._table_id()
        self.client.data_quality.update_monitor(
            _TABLE,
            table_id,
            Monitor(object_type=_TABLE, object_id=table_id, data_profiling_config=self._config(wanted)),
            ",".join(f"data_profiling_config.{part}" for part in parts),
        )

    def refresh(self) -> str:
        """Starts a refresh; returns its id."""
        from databricks.sdk.service.dataquality import Refresh

        table_id = self._table_id()
        refresh = Refresh(object_type=_TABLE, object_id=table_id)
        begun = self.client.data_quality.create_refresh(_TABLE, table_id, refresh)
        return str(present(begun.refresh_id, "refresh_id", f"start a refresh of {self.table}"))

    def refreshed(self, refresh_id: str) -> Refreshed | None:
        """Returns how far a refresh is; None when it is not known here."""
        from databricks.sdk.errors import NotFound
        from databricks.sdk.service.dataquality import RefreshState

        try:
            found = self.client.data_quality.get_refresh(_TABLE, self._table_id(), int(refresh_id))
        except NotFound:
            return None
        states = {
            RefreshState.MONITOR_REFRESH_STATE_SUCCESS: Progressing.DONE,
            RefreshState.MONITOR_REFRESH_STATE_FAILED: Progressing.FAILED,
            RefreshState.MONITOR_REFRESH_STATE_CANCELED: Progressing.FAILED,
        }
        state = states.get(found.state, Progressing.WAITING) if found.state else Progressing.WAITING
        return Refreshed(state, told(found.state, found.message))

    def _table_id(self) -> str:
        table_id = self.client.tables.get(str(self.table)).table_id
        return present(table_id, "table_id", f"tell which table {self.table} is")

    def _schema_id(self, schema: str) -> str:
        return present(
            self.client.schemas.get(schema).schema_id, "schema_id", f"tell which schema {schema} is"
        )

    def _found(self, config: dataquality.DataProfilingConfig) -> Found:
        from databricks.sdk.service.dataquality import DataProfilingStatus

        states = {
            DataProfilingStatus.DATA_PROFILING_STATUS_ACTIVE: Progressing.DONE,
            DataProfilingStatus.DATA_PROFILING_STATUS_ERROR: Progressing.FAILED,
            DataProfilingStatus.DATA_PROFILING_STATUS_FAILED: Progressing.FAILED,
        }
        return Found(
            profile=_profile(config, self._schema_name(config.output_schema_id)),
            state=states.get(config.status, Progressing.WAITING) if config.status else Progressing.WAITING,
            detail=told(config.status, config.latest_monitor_failure_message),
            profile_table=table_or_none(config.profile_metrics_table_name),
            drift_table=table_or_none(config.drift_metrics_table_name),
            dashboard_id=config.dashboard_id or "",
        )

    def _schema_name(self, schema_id: str | None) -> str:
        """Returns the name of a schema that is in the table's catalog; else its id."""
        for schema in self.client.schemas.list(self.table.catalog):
            if schema.schema_id == schema_id:
                return schema.full_name or ""
        return schema_id or ""

    def _config(self, wanted: Profile) -> dataquality.DataProfilingConfig:
        from databricks.sdk.service import dataquality as sdk

        granularities = [
            sdk.AggregationGranularity(_GRANULARITY + one.upper().replace(" ", "_"))
            for one in wanted.granularities
        ]
        config = sdk.DataProfilingConfig(
            output_schema_id=self._schema_id(wanted.output_schema),
            assets_dir=self.assets_dir,
            baseline_table_name=wanted.baseline or None,
            slicing_exprs=list(wanted.slices) or None,
            custom_metrics=[_metric(one) for one in wanted.metrics] or None,
            warehouse_id=self.warehouse_id,
        )
        if wanted.schedule:
            config.schedule = sdk.CronSchedule(*wanted.schedule)
        if wanted.emails:
            destination = sdk.NotificationDestination(email_addresses=list(wanted.emails))
            config.notification_settings = sdk.NotificationSettings(on_failure=destination)
        if wanted.problem_type:
            config.inference_log = sdk.InferenceLogConfig(
                problem_type=sdk.InferenceProblemType(_PROBLEM + wanted.problem_type),
                timestamp_column=wanted.timestamp,
                granularities=granularities,
                prediction_column=wanted.prediction,
                model_id_column=wanted.model_id,
                label_column=wanted.label,
            )
        else:
            config.time_series = sdk.TimeSeriesConfig(
                timestamp_column=wanted.timestamp, granularities=granularities
            )
        return config


def _metric(one: CustomMetric) -> dataquality.DataProfilingCustomMetric:
    from databricks.sdk.service import dataquality as sdk

    return sdk.DataProfilingCustomMetric(
        name=one.name,
        definition=one.definition,
        input_columns=list(one.input_columns),
        output_data_type=one.output_data_type,
        type=sdk.DataProfilingCustomMetricType(_METRIC + one.kind.upper()),
    )


def _profile(config: dataquality.DataProfilingConfig, output_schema: str) -> Profile:
    """Returns what a monitor measures; this API knows no column of probabilities."""
    log, series = config.inference_log, config.time_series
    given = (log and log.granularities) or (series and series.granularities) or []
    notified = config.notification_settings and config.notification_settings.on_failure
    return Profile(
        output_schema=output_schema,
        problem_type=log.problem_type.value.removeprefix(_PROBLEM) if log else "",
        timestamp=(log and log.timestamp_column) or (series and series.timestamp_column) or "",
        granularities=tuple(
            one.value.removeprefix(_GRANULARITY).lower().replace("_", " ") for one in given if one
        ),
        prediction=log.prediction_column if log else "",
        model_id=log.model_id_column if log else "",
        label=log.label_column if log else None,
        baseline=config.baseline_table_name or "",
        slices=tuple(config.slicing_exprs or ()),
        metrics=tuple(
            CustomMetric(
                one.name,
                one.type.value.removeprefix(_METRIC).lower(),
                one.definition,
                tuple(one.input_columns),
                data_type_of(one.output_data_type),
            )
            for one in config.custom_metrics or ()
        ),
        schedule=_schedule(config.schedule),
        emails=tuple((notified and notified.email_addresses) or ()),
    )


def _schedule(found: dataquality.CronSchedule | None) -> tuple[str, str] | None:
    return (found.quartz_cron_expression, found.timezone_id) if found else None
