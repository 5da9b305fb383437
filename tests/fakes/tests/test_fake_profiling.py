"""Data profiling of the fake, by the current API and by the one before it."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from databricks.sdk.service import catalog
from databricks.sdk.service.dataquality import (
    AggregationGranularity,
    CronSchedule,
    CronSchedulePauseStatus,
    DataProfilingConfig,
    DataProfilingCustomMetric,
    DataProfilingCustomMetricType,
    DataProfilingStatus,
    InferenceLogConfig,
    InferenceProblemType,
    Monitor,
    NotificationDestination,
    NotificationSettings,
    Refresh,
    RefreshState,
    SnapshotConfig,
    TimeSeriesConfig,
)
from fakes.databricks import FakeWorkspace

TABLE, NAME = "main.flights.logs", "main.flights.logs"
DAY = AggregationGranularity.AGGREGATION_GRANULARITY_1_DAY
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def table(fake: FakeWorkspace):
    """An inference table of eight rows on three days, and a schema for the metrics."""
    rows = pa.table(
        {
            "ts": [START + timedelta(hours=9 * number) for number in range(8)],
            "x": [float(number) for number in range(8)],
            "late": ["a", "b"] * 4,
            "model": ["1"] * 8,
        }
    )
    fake.lake.create_schema("main.monitoring")
    return fake.lake.write(TABLE, rows)


def log_of(**more) -> InferenceLogConfig:
    given = {
        "problem_type": InferenceProblemType.INFERENCE_PROBLEM_TYPE_CLASSIFICATION,
        "timestamp_column": "ts",
        "granularities": [DAY],
        "prediction_column": "late",
        "model_id_column": "model",
    }
    return InferenceLogConfig(**{**given, **more})


def monitor(fake: FakeWorkspace, **more) -> Monitor:
    schema = fake.lake.metastore.schema("main.monitoring")
    given = {"output_schema_id": schema.id, "inference_log": log_of(), **more}
    table = fake.lake.metastore.table(TABLE)
    return Monitor("table", table.id, data_profiling_config=DataProfilingConfig(**given))


def active(fake, client, table, **more) -> None:
    client.data_quality.create_monitor(monitor(fake, **more))
    for _ in range(2):
        client.data_quality.get_monitor("table", table.id)


def test_a_monitor_is_pending_first_and_then_has_a_dashboard(fake, client, table):
    created = client.data_quality.create_monitor(monitor(fake)).data_profiling_config
    seen = [client.data_quality.get_monitor("table", table.id).data_profiling_config for _ in range(2)]

    assert (created.status, created.dashboard_id) == (DataProfilingStatus.DATA_PROFILING_STATUS_PENDING, None)
    assert seen[1].status == DataProfilingStatus.DATA_PROFILING_STATUS_ACTIVE
    assert seen[1].dashboard_id
    assert seen[1].profile_metrics_table_name == "main.monitoring.logs_profile_metrics"


def test_the_first_refresh_is_queued_by_the_creation(fake, client, table):
    active(fake, client, table)

    assert [refresh.state for refresh in client.data_quality.list_refresh("table", table.id)] == [
        RefreshState.MONITOR_REFRESH_STATE_SUCCESS
    ]
    counted = fake.lake.sql(
        "SELECT window.start AS day, count FROM main.monitoring.logs_profile_metrics"
        " WHERE column_name = ':table' AND model = '*' AND log_type = 'INPUT' ORDER BY 1"
    )
    assert counted["count"].to_pylist() == [3, 3, 2]


def test_a_refresh_runs_by_the_clock_with_the_numbers_of_the_test(fake, client, table):
    active(fake, client, table)
    fake.monitors.refresh_seconds = 600
    seen = {}

    def measure(config, rows, baseline):
        seen.update(config, rows=rows.num_rows)
        return pa.table({"mine": [1]}), None

    fake.monitors.measure = measure
    queued = client.data_quality.create_refresh("table", table.id, Refresh("table", table.id))
    running = client.data_quality.get_refresh("table", table.id, queued.refresh_id)
    fake.clock.advance(601)
    done = client.data_quality.get_refresh("table", table.id, queued.refresh_id)

    assert running.state == RefreshState.MONITOR_REFRESH_STATE_RUNNING
    assert done.state == RefreshState.MONITOR_REFRESH_STATE_SUCCESS
    assert fake.lake.rows("main.monitoring.logs_profile_metrics") == [{"mine": 1}]
    assert (seen["rows"], seen["output_schema_name"]) == (8, "main.monitoring")


def test_a_refresh_can_fail_by_script_or_for_a_lost_column(fake, client, table):
    active(fake, client, table)
    fake.monitors.polls = 0
    fake.monitors.fail_next("Out of memory")
    for column in ("", "late"):
        if column:
            fake.lake.sql(f"ALTER TABLE {TABLE} DROP COLUMN {column}")
        client.data_quality.create_refresh("table", table.id, Refresh("table", table.id))
    newest, before, _ = client.data_quality.list_refresh("table", table.id)
    config = client.data_quality.get_monitor("table", table.id).data_profiling_config

    assert (before.state, before.message) == (RefreshState.MONITOR_REFRESH_STATE_FAILED, "Out of memory")
    assert "late" in newest.message
    assert config.latest_monitor_failure_message == newest.message


def test_a_refresh_can_be_cancelled(fake, client, table):
    active(fake, client, table)
    fake.monitors.refresh_seconds = 600
    queued = client.data_quality.create_refresh("table", table.id, Refresh("table", table.id))

    cancelled = client.data_quality.cancel_refresh("table", table.id, queued.refresh_id).refresh

    assert cancelled.state == RefreshState.MONITOR_REFRESH_STATE_CANCELED


def test_an_update_changes_what_its_mask_names_and_counts_the_version(fake, client, table):
    active(fake, client, table, slicing_exprs=["x > 3"])
    changed = client.data_quality.update_monitor(
        "table",
        table.id,
        monitor(fake, baseline_table_name=TABLE),
        "data_profiling_config.baseline_table_name",
    ).data_profiling_config
    cleared = client.data_quality.update_monitor(
        "table", table.id, monitor(fake), "data_profiling_config.slicing_exprs"
    ).data_profiling_config

    assert (changed.baseline_table_name, changed.slicing_exprs, changed.monitor_version) == (
        TABLE,
        ["x > 3"],
        1,
    )
    assert (cleared.slicing_exprs, cleared.monitor_version) == (None, 2)


def test_a_deleted_monitor_leaves_its_tables(fake, client, table, refusal):
    active(fake, client, table)
    client.data_quality.delete_monitor("table", table.id)

    assert "Cannot find Monitor with ID" in refusal(
        lambda: client.data_quality.get_monitor("table", table.id)
    )
    assert fake.lake.rows("main.monitoring.logs_profile_metrics")


METRIC = {
    "name": "m", "definition": "avg(`{{input_column}}`)", "input_columns": ["x"],
    "output_data_type": '{"type": "double"}',
    "type": DataProfilingCustomMetricType.DATA_PROFILING_CUSTOM_METRIC_TYPE_AGGREGATE,
}  # fmt: skip
PAUSED = CronSchedule(
    "0 0 6 * * ?", "UTC", pause_status=CronSchedulePauseStatus.CRON_SCHEDULE_PAUSE_STATUS_PAUSED
)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"output_schema_id": "main.monitoring"}, "output_schema_id"),
        ({"inference_log": None}, "Exactly one of"),
        ({"snapshot": SnapshotConfig(), "time_series": TimeSeriesConfig("ts", [DAY])}, "Exactly one of"),
        ({"inference_log": log_of(prediction_column="nope")}, "Column nope does not exist"),
        ({"inference_log": log_of(granularities=[])}, "granularities is required"),
        ({"inference_log": log_of(model_id_column="")}, "model_id_column is required"),
        ({"baseline_table_name": "main.flights.nope"}, "Baseline table"),
        ({"slicing_exprs": ["x >"]}, "cannot be parsed"),
        (
            {"custom_metrics": [DataProfilingCustomMetric(**{**METRIC, "output_data_type": "double"})]},
            "StructField",
        ),
        ({"custom_metrics": [DataProfilingCustomMetric(**{**METRIC, "name": ""})]}, "name is required"),
        ({"schedule": CronSchedule("every day", "UTC")}, "quartz"),
        ({"schedule": PAUSED}, "read-only"),
        (
            {
                "notification_settings": NotificationSettings(
                    on_failure=NotificationDestination(email_addresses=["a@b.c"] * 6)
                )
            },
            "At most 5 email",
        ),
    ],
)
def test_a_config_the_service_refuses_makes_no_monitor(fake, client, table, refusal, more, told):
    said = refusal(lambda: client.data_quality.create_monitor(monitor(fake, **more)))

    assert said.startswith("InvalidParameterValue INVALID_PARAMETER_VALUE")
    assert told in said
    assert fake.monitors.known == {}


def test_one_table_has_one_monitor(fake, client, table, refusal):
    client.data_quality.create_monitor(monitor(fake))

    assert refusal(lambda: client.data_quality.create_monitor(monitor(fake))).startswith(
        "ResourceAlreadyExists"
    )


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda api, key: api.get_monitor("table", "main.flights.logs"), "UUID"),
        (lambda api, key: api.get_monitor("table", "00000000-0000-0000-0000-000000000000"), "does not exist"),
        (lambda api, key: api.get_monitor("table", key), "Cannot find Monitor"),
        (
            lambda api, key: api.update_monitor("table", key, Monitor("table", key), "x"),
            "Cannot find Monitor",
        ),
        (lambda api, key: api.delete_monitor("table", key), "Cannot find Monitor"),
        (lambda api, key: api.create_refresh("table", key, Refresh("table", key)), "Cannot find Monitor"),
        (lambda api, key: list(api.list_monitor()), "not implemented"),
    ],
)
def test_what_is_not_there_is_refused(client, table, refusal, call, told):
    assert told in refusal(lambda: call(client.data_quality, table.id))


@pytest.mark.parametrize(("mask", "told"), [("", "required"), ("name", "Unknown path")])
def test_an_update_needs_a_mask_of_known_paths(fake, client, table, refusal, mask, told):
    active(fake, client, table)

    said = refusal(lambda: client.data_quality.update_monitor("table", table.id, monitor(fake), mask))

    assert told in said


def test_a_pending_monitor_cannot_be_refreshed(fake, client, table, refusal):
    client.data_quality.create_monitor(monitor(fake))

    said = refusal(lambda: client.data_quality.create_refresh("table", table.id, Refresh("table", table.id)))

    assert "INVALID_STATE" in said


def test_a_monitor_needs_manage_and_select(fake, table, refusal):
    bob = fake.client(token=fake.identity.new_token("bob@example.com"))

    assert refusal(lambda: bob.data_quality.create_monitor(monitor(fake))).startswith("PermissionDenied")


def old_log(**more) -> catalog.MonitorInferenceLog:
    given = {
        "problem_type": catalog.MonitorInferenceLogProblemType.PROBLEM_TYPE_CLASSIFICATION,
        "timestamp_col": "ts", "granularities": ["1 day"], "prediction_col": "late", "model_id_col": "model",
    }  # fmt: skip
    return catalog.MonitorInferenceLog(**{**given, **more})


def test_the_older_api_speaks_of_the_same_monitor_in_its_own_words(fake, client, table):
    client.quality_monitors.create(
        NAME, "main.monitoring", "/Workspace/Shared/m", inference_log=old_log(prediction_proba_col="x")
    )
    for _ in range(2):
        found = client.quality_monitors.get(NAME)
    refresh = client.quality_monitors.run_refresh(NAME)
    states = [client.quality_monitors.get_refresh(NAME, refresh.refresh_id).state.value for _ in range(2)]

    assert found.status == catalog.MonitorInfoStatus.MONITOR_STATUS_ACTIVE
    assert found.inference_log == old_log(prediction_proba_col="x")
    assert states == ["RUNNING", "SUCCESS"]
    assert client.data_quality.get_monitor("table", table.id).data_profiling_config.inference_log == log_of()


def test_the_older_api_refuses_in_its_own_way(fake, client, table, refusal):
    api = client.quality_monitors
    bob = fake.client(token=fake.identity.new_token("bob@example.com")).quality_monitors

    assert "assets_dir" in refusal(lambda: api.create(NAME, "main.monitoring", "m", inference_log=old_log()))
    assert "Schema" in refusal(lambda: api.create(NAME, "main.nope", "/m", inference_log=old_log()))
    assert "does not exist" in refusal(lambda: api.get("main.flights.nope"))
    assert "Cannot find Monitor" in refusal(lambda: api.get(NAME))
    api.create(NAME, "main.monitoring", "/m", inference_log=old_log())
    assert "creator" in refusal(lambda: bob.update(NAME, "main.monitoring", inference_log=old_log()))
    with_pause = catalog.MonitorCronSchedule(
        "0 0 6 * * ?", "UTC", pause_status=catalog.MonitorCronSchedulePauseStatus.PAUSED
    )
    assert "read-only" in refusal(
        lambda: api.update(NAME, "main.monitoring", inference_log=old_log(), schedule=with_pause)
    )


def test_a_workspace_may_have_one_of_the_two_only(fake, client, table, refusal):
    fake.monitors.has_data_quality = False
    assert "ENDPOINT_NOT_FOUND" in refusal(lambda: client.data_quality.get_monitor("table", table.id))

    fake.monitors.has_quality_monitors = False
    assert "ENDPOINT_NOT_FOUND" in refusal(lambda: client.quality_monitors.get(NAME))
