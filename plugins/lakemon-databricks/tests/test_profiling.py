"""Data profiling through both of its APIs: told once what to measure, refreshed once for what is new."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_classification.model_type import Classification

from lakemon_core.domain.errors import DataError, ModelError
from lakemon_core.domain.names import TableName

NAME = "prod.flights.inference_logs"
TABLE = TableName.parse(NAME)
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=3)
MODEL = Classification(
    Classification.Config(label_col="late", prediction_proba_col="proba", model_id_col="model_version")
)
METRIC = {
    "type": "aggregate",
    "name": "longest",
    "input_columns": ["distance"],
    "definition": "max(`{{input_column}}`)",
    "output_data_type": '{"metadata":{},"name":"output","nullable":true,"type":"double"}',
}


def predictions(days: int) -> pa.Table:
    rows = days * 24
    return pa.table({
        "timestamp": pa.array([START + timedelta(hours=at) for at in range(rows)], pa.timestamp("us", "UTC")),
        "model_version": ["1"] * rows,
        "distance": [float(at % 7) for at in range(rows)],
        "dest": ["JFK" if at % 3 else "BOS" for at in range(rows)],
        "prediction": ["yes" if at % 2 else "no" for at in range(rows)],
        "proba": [0.25 + at % 2 / 2 for at in range(rows)],
        "late": ["yes" if at % 4 else "no" for at in range(rows)],
    })  # fmt: skip


@pytest.fixture
def workspace(request, signed_in: FakeWorkspace) -> FakeWorkspace:
    """A workspace with a table; `older` has only the older of the two APIs."""
    older = getattr(request, "param", "") == "older"
    signed_in.monitors.has_data_quality, signed_in.monitors.has_quality_monitors = not older, older
    signed_in.monitors.measure = measured
    signed_in.lake.write(NAME, predictions(2))
    return signed_in


def measured(config: dict[str, Any], rows: pa.Table, baseline: pa.Table | None):
    """Counts rows by model, which is enough to see who was asked for what."""
    models = ["*", *sorted(set(rows["model_version"].to_pylist()))]
    profile = {"model_version": models, "column_name": [":table"] * len(models)}
    return pa.table(profile), pa.table({"model_version": models})


both = pytest.mark.parametrize("workspace", ["newer", "older"], indirect=True)


@pytest.fixture
def profiles(workspace, open_databricks, quiet):
    """Opens the profiles of a config: `profiles(monitoring keys…)`, and lets them measure."""

    def bring_up(settings: dict[str, Any] | None = None, **monitoring: Any):
        backend = open_databricks(settings, monitoring={"output_schema": "monitoring", **monitoring})
        return backend.profiles.bring_up(MODEL, progress=quiet)

    return bring_up


def changes(workspace: FakeWorkspace) -> list[str]:
    """What was sent to change or refresh the monitor, in order."""
    asked = [call.request for call in workspace.journal.calls if call.status < 400]
    named = {"POST": "create", "PATCH": "update", "PUT": "update"}
    return [
        "refresh" if one.path.endswith("/refreshes") else named[one.method]
        for one in asked
        if ("data-quality" in one.path or one.path.endswith(("/monitor", "/refreshes")))
        and one.method in named
    ]


@both
def test_a_table_is_measured_and_the_lake_tells_where(profiles, workspace):
    metrics = profiles()
    assert str(metrics.profile) == "prod.lakemon.inference_logs_profile_metrics"
    assert str(metrics.drift) == "prod.lakemon.inference_logs_drift_metrics"
    assert {row["model_version"] for row in workspace.lake.rows(str(metrics.profile))} == {"*", "1"}


@both
def test_the_same_again_neither_changes_nor_refreshes_anything(profiles, workspace):
    profiles(slicing_exprs=["dest"], custom_metrics=[METRIC])
    assert changes(workspace) == ["create", "refresh"]
    profiles(slicing_exprs=["dest"], custom_metrics=[METRIC])
    assert changes(workspace) == ["create", "refresh"]


def test_new_rows_are_refreshed(profiles, workspace):
    profiles()
    workspace.lake.write(NAME, predictions(1))
    profiles()
    assert changes(workspace) == ["create", "refresh", "refresh"]


@both
@pytest.mark.parametrize(
    "changed",
    [
        {"slicing_exprs": ["dest"]},
        pytest.param({"granularities": ["1 day", "1 hour"]}, marks=pytest.mark.slow),
        {"custom_metrics": [METRIC]},
        pytest.param(
            {"schedule": {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}},
            marks=pytest.mark.slow,
        ),
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_monitor_that_differs_from_the_config_is_changed_and_back(profiles, workspace, changed):
    profiles()
    profiles(**changed)
    assert changes(workspace) == ["create", "refresh", "update", "refresh"]
    profiles()
    assert changes(workspace)[-2:] == ["update", "refresh"]


def test_the_refresh_of_a_run_that_was_killed_is_met_again(profiles, workspace):
    profiles()
    workspace.lake.write(NAME, predictions(1))
    workspace.monitors.refresh_seconds = 1000.0
    with pytest.raises(ModelError, match="LM463"):
        profiles({"refresh_seconds": 0.5})
    workspace.clock.advance(2000.0)
    profiles()
    assert changes(workspace) == ["create", "refresh", "refresh"]


def test_a_refresh_that_fails_is_told_and_tried_again(profiles, workspace):
    profiles()
    workspace.lake.write(NAME, predictions(1))
    workspace.monitors.fail_next("column late is gone")
    with pytest.raises(ModelError, match=r"LM462 .*column late is gone"):
        profiles()
    profiles()
    assert changes(workspace) == ["create", "refresh", "refresh", "refresh"]


@both
def test_an_answer_that_is_lost_makes_no_second_monitor(profiles, workspace):
    workspace.faults.on("POST", "*monitor*", faults.loses_the_answer(), times=1)
    profiles()
    assert len(workspace.monitors.known) == 1


def test_a_change_whose_answer_is_lost_is_made_once(profiles, workspace):
    profiles()
    workspace.faults.on("PATCH", "*monitor*", faults.loses_the_answer(), times=1)
    profiles(slicing_exprs=["dest"])
    (monitor,) = workspace.monitors.known.values()
    assert monitor.config["slicing_exprs"] == ["dest"]


def test_a_refresh_whose_answer_is_lost_makes_no_row_twice(profiles, workspace):
    profiles()
    workspace.lake.write(NAME, predictions(1))
    workspace.faults.on("POST", "*refreshes", faults.loses_the_answer(), times=1)
    metrics = profiles()
    assert len(workspace.lake.rows(str(metrics.profile))) == 2


def test_a_table_that_is_dropped_meanwhile_is_told(profiles, workspace):
    profiles()
    workspace.lake.sql(f"DROP TABLE {NAME}")
    with pytest.raises(DataError, match=r"LM301 .*inference_logs"):
        profiles()


def test_a_dashboard_that_we_may_not_make_is_told_and_does_not_stop_the_measuring(profiles, workspace):
    workspace.faults.on(
        "POST", "*lakeview/dashboards", faults.refuses(403, "PERMISSION_DENIED", "no"), times=None
    )
    metrics = profiles()
    assert "no" in metrics.missing["dashboard"]
    workspace.faults.clear()
    assert profiles().missing == {}


def test_what_databricks_refuses_about_a_config_is_told_in_its_words(profiles):
    with pytest.raises(ModelError, match=r"LM424 .*Slicing expression 'dest >' cannot be parsed"):
        profiles(slicing_exprs=["dest >"])


def test_databricks_own_tables_in_our_way_are_named(profiles):
    with pytest.raises(ModelError, match=r"LM464 .*prod\.lakemon\.inference_logs_profile_metrics"):
        profiles(output_schema="lakemon")


def test_rows_come_with_their_slices(profiles, workspace, open_databricks):
    lake = open_databricks().profiles
    rows = lake.rows(TABLE, columns=["distance"], slices={"far": "distance > 3", "to": "dest"})
    assert rows.num_rows == 48
    assert set(zip(rows["distance"].to_pylist(), rows["far"].to_pylist(), strict=True)) == {
        (float(at), "true" if at > 3 else "false") for at in range(7)
    }
    assert set(rows["to"].to_pylist()) == {"BOS", "JFK"}


@both
def test_schedule_and_addresses_of_failures_are_those_of_the_config(profiles, workspace):
    daily = {"quartz_cron_expression": "0 0 6 * * ?", "timezone_id": "UTC"}
    told = {"failure_emails": ("team@example.com",)}
    for _ in range(2):
        profiles(told, schedule=daily)
    (monitor,) = workspace.monitors.known.values()
    cron = {name: monitor.config["schedule"][name] for name in daily}
    assert cron == daily
    on_failure = monitor.config["notification_settings"]["on_failure"]
    assert on_failure["email_addresses"] == ["team@example.com"]
    assert changes(workspace) == ["create", "refresh"]
