"""One workspace and one laptop measure the same three tables: the signals are the same, to 1e-9.

What data profiling computes by itself (columns, and custom metrics in SQL) is taken from the laptop's own
metric tables and cut to Databricks' columns. Everything else is made anew: quality, fairness, categories,
chance levels, and the signals.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable, write_deltalake
from fakes.databricks import FakeWorkspace
from fakes.flight_tables import TODAY, data

from lakemon_core.cli.main import call
from lakemon_core.profiling.schemas import drift_schema, profile_schema

OLDEST = TODAY - timedelta(days=30)
ENVIRONMENTS = """\
environments:
  prod:
    backend: databricks
    catalog: prod
    schema: flights
    inference_table: {name: NAME_logs}
    monitoring:
      output_schema: monitoring
      baseline_table: NAME_training
      MORE
    databricks: {call_seconds: 20, refresh_seconds: 60}
  laptop:
    catalog: prod
    schema: flights
    inference_table: {name: NAME_logs}
    monitoring:
      output_schema: monitoring
      baseline_table: NAME_training
      MORE
"""
MODELS = {
    "late": "{name: late, type: classification, prediction_proba_col: proba, label_col: late}",
    "air_time": "{name: air_time, type: regression, label_col: air_time}",
    "departures": """{name: departures, type: forecasting, series_col: origin, horizon_col: horizon,
        issued_at_col: issued, season_length: 7, label_col: departures, quantile_cols: {0.1: lo, 0.9: hi}}""",
}
MORE = {
    "late": """granularities: ["1 day"]
      slicing_exprs: [distance > 900, origin]
      custom_metrics:
        - {type: aggregate, name: longest, input_columns: [distance], definition: "max({{input_column}})",
           output_data_type: double}
        - {type: DATA_PROFILING_CUSTOM_METRIC_TYPE_DERIVED, name: kilometres, input_columns: [distance],
           definition: longest * 1.609}
        - {type: CUSTOM_METRIC_TYPE_DRIFT, name: longer, input_columns: [distance],
           definition: "{{current_df}}.longest - {{base_df}}.longest",
           output_data_type: '{"metadata":{},"name":"output","nullable":true,"type":"double"}'}
        - {type: aggregate, name: agreement, input_columns: [":table"],
           definition: "count_if({{prediction_col}} = {{label_col}}) / count({{label_col}})"}
        - {type: derived, name: discord, input_columns: [":table"], definition: "1 - cohen_kappa"}
        - {type: drift, name: discord_grown, input_columns: [":table"],
           definition: "{{base_df}}.discord - {{current_df}}.discord + 0 * {{current_df}}.precision.macro"}
        - {type: drift, name: further, input_columns: [distance, ":table"],
           definition: "coalesce({{current_df}}.kilometres, {{current_df}}.agreement)
             - coalesce({{base_df}}.kilometres, {{base_df}}.agreement)"}
      references: [{name: days_before, windows: 2, offset: 6}]
      alerts:
        - {metric: agreement, op: "<", threshold: 0.99, slice: "distance > 900=true"}
        - {metric: feature_drift, threshold: 0.2, compare: last_week}
        - {metric: discord_grown, threshold: 0.9, compare: last_year}""",
    "air_time": """granularities: ["1 day"]
      slicing_exprs: [origin]
      alerts: [{metric: rmse, threshold: 5}]""",
    "departures": """granularities: ["1 week"]
      alerts: [{metric: wape, threshold: 0.9}]""",
}
ASKED = ("value", "n", "lower", "upper", "baseline", "maturity", "p_value")
FOR_CATEGORIES = {"js_distance", "tv_distance", "l_infinity_distance"}


class Team:
    """A project folder with a config for each model, a workspace, and the command line."""

    def __init__(self, folder: Path, workspace: FakeWorkspace) -> None:
        self.folder = folder
        self.workspace = workspace
        for name, model in MODELS.items():
            more = ENVIRONMENTS.replace("MORE", MORE[name]).replace("NAME", name)
            (folder / f"{name}.yml").write_text(f"model: {model}\n{more}")

    def lakemon(self, *command: str, code: int = 0) -> dict:
        """Runs a command as the command line does; returns its document."""
        printed = StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.__stdout__", printed)
            assert call([*command, "--output", "json"]) == code, printed.getvalue()
        return json.loads(printed.getvalue())

    def run(self, model: str, environment: str) -> dict:
        return self.lakemon("run", "-c", str(self.folder / f"{model}.yml"), "-e", environment, "-q")

    def table(self, name: str) -> pa.Table:
        """A table of the laptop."""
        return DeltaTable(self.folder / ".lakemon" / "tables" / Path(*name.split("."))).to_pyarrow_table()

    def measured(self, config: dict[str, Any], rows: pa.Table, baseline: pa.Table | None):
        """What data profiling would find: exact values of the last 30 days, in Databricks' columns only."""
        del rows, baseline
        name = config["monitored_table_name"].rpartition(".")[2]
        custom = {metric["name"] for metric in config.get("custom_metrics", ())}
        found = []
        for kind, schema in (("profile", profile_schema("model_id")), ("drift", drift_schema("model_id"))):
            table = self.table(f"prod.monitoring.{name}_{kind}_metrics")
            recent = pc.greater_equal(pc.struct_field(table["window"], "start"), OLDEST)
            table = table.filter(pc.or_kleene(recent, pc.is_null(table["window"])))
            if kind == "drift":
                known = pa.array(["BASELINE", "CONSECUTIVE"])
                table = table.filter(pc.is_in(table["drift_type"], known))
            found.append(
                table.select([one for one in table.column_names if one in custom or _theirs(one, schema)])
            )
        profile, drift = found
        return profile, _without_distances_of_numbers(drift)


OURS = {
    "reasons", "table_version", "config_hash", "method", "intervals", "counts", "new_categories",
    "wasserstein_normalized", "psi_chance_level", "tv_chance_level", "js_chance_level", "cramers_v",
    "out_of_range", "new_category_share", "bins", "n", "n_reference",
}  # fmt: skip


def _theirs(column: str, schema: pa.Schema) -> bool:
    return column in schema.names and column not in OURS


def _without_distances_of_numbers(drift: pa.Table) -> pa.Table:
    numbers = pc.is_valid(drift["ks_test"])
    for name in FOR_CATEGORIES:
        at = drift.column_names.index(name)
        drift = drift.set_column(at, name, pc.if_else(numbers, None, drift[name]))
    return drift


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakeWorkspace]:
    """A workspace that this process is signed in to."""
    fake = FakeWorkspace()
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("DATABRICKS_", "MLFLOW_", "LAKEMON_"))]:
            patch.delenv(name)
        patch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path_factory.mktemp("home") / "databrickscfg"))
        patch.setenv("DATABRICKS_HOST", fake.host)
        patch.setenv("DATABRICKS_TOKEN", fake.token)
        yield fake
    fake.stop()
    fake.check()


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory, workspace: FakeWorkspace) -> Team:
    """After `lakemon run` of every model, on the laptop and in the workspace."""
    made = Team(tmp_path_factory.mktemp("signals"), workspace)
    for schema in ("flights", "monitoring", "lakemon"):
        workspace.lake.create_schema(f"prod.{schema}")
    for name, rows in data().items():
        workspace.lake.write(f"prod.flights.{name}", rows)
        write_deltalake(made.folder / ".lakemon" / "tables" / "prod" / "flights" / name, rows)
    workspace.monitors.measure = made.measured
    for model in MODELS:
        made.run(model, "laptop")
    made.told = {model: made.run(model, "prod") for model in MODELS}
    return made


def by_place(rows: list[dict]) -> dict[tuple, dict]:
    names = (
        "granularity",
        "model_id",
        "slice_key",
        "slice_value",
        "column",
        "signal",
        "statistic",
        "compare",
    )
    return {
        (str(row["window"]["start"])[:10], *(row[name] for name in names)): row
        for row in rows
        if row["window"]["start"] >= OLDEST
    }


@pytest.mark.parametrize("model", MODELS)
def test_the_signals_of_a_model_are_those_of_a_laptop(team: Team, model: str):
    name = f"prod.monitoring.{model}_logs_signals"
    expected = by_place(team.table(name).to_pylist())
    found = by_place(team.workspace.lake.sql(f"SELECT * FROM {name}").to_pylist())
    assert found.keys() == expected.keys()
    computed = {place for place, row in found.items() if row["value"] is not None}
    lost = {
        place[-2] for place, row in expected.items() if row["value"] is not None and place not in computed
    }
    assert lost <= FOR_CATEGORIES | {"out_of_range"}
    assert all(found[place]["reason"] for place in found.keys() - computed)
    for one in ASKED:
        theirs, ours = (numbers(rows, computed, one) for rows in (found, expected))
        assert theirs == pytest.approx(ours, rel=1e-9, abs=1e-12), one


def numbers(rows: dict[tuple, dict], places: set[tuple], column: str) -> dict[tuple, float]:
    return {place: rows[place][column] for place in places if rows[place][column] is not None}


def test_fairness_is_that_of_a_laptop(team: Team):
    name = "prod.monitoring.late_logs_profile_metrics"
    measures = ("predictive_parity", "predictive_equality", "equal_opportunity", "statistical_parity")

    def rates(rows: list[dict]) -> dict[tuple, float]:
        return {
            (str(row["window"]), row["model_id"], measure, label): rate
            for row in rows
            for measure in measures
            for label, rate in dict(row[measure] or ()).items()
        }

    def recent(row: dict) -> bool:
        return row["window"] is None or row["window"]["start"] >= OLDEST

    found = rates(team.workspace.lake.sql(f"SELECT * FROM {name}").to_pylist())
    expected = rates(list(filter(recent, team.table(name).to_pylist())))
    assert len(expected) == (5 + 1) * 3 * 4 * 2
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_custom_metrics_are_asked_of_databricks_in_its_own_form(team: Team):
    (monitor,) = (one for one in team.workspace.monitors.known.values() if one.config.get("custom_metrics"))
    assert [(one["name"], one["type"].rpartition("_")[2]) for one in monitor.config["custom_metrics"]] == [
        ("longest", "AGGREGATE"),
        ("kilometres", "DERIVED"),
        ("longer", "DRIFT"),
        ("agreement", "AGGREGATE"),
        ("further", "DRIFT"),
    ]
    types = {json.loads(one["output_data_type"])["type"] for one in monitor.config["custom_metrics"]}
    assert types == {"double"}
    assert {one["rule"] for one in team.told["late"]["incidents"]} >= {"agreement/distance > 900=true"}


def test_windows_that_databricks_does_not_measure_any_more_are_told(team: Team):
    stage = next(one for one in team.told["air_time"]["stages"] if one["name"] == "monitor")
    left_out = stage["detail"]["windows_not_measured"]["1 day"]
    day = TODAY - timedelta(days=40)
    assert left_out == f"1 windows from {day:%Y-%m-%d} on: the lake measures the last 30 days only"


def test_references_that_data_profiling_does_not_know_are_measured_from_the_rows(team: Team):
    name = "prod.monitoring.late_logs_signals"
    found = by_place(team.workspace.lake.sql(f"SELECT * FROM {name}").to_pylist())
    values = Counter((row["compare"], row["signal"]) for row in found.values() if row["value"] is not None)
    for reference, windows in (("last_week", 2), ("last_year", 1), ("days_before", 2)):
        # Each window has all rows, those of two models, and of five values of slices of all of them.
        assert values[reference, "feature_drift"] > 50 * windows
        assert values[reference, "further"] >= windows * 3 * 6 * 2
        assert values[reference, "discord_grown"] >= windows * 3


def test_custom_metrics_that_read_what_is_ours_alone_are_computed_here(team: Team):
    name = "prod.monitoring.late_logs_profile_metrics"
    judged = "column_name = ':table' AND cohen_kappa IS NOT NULL"
    rows = team.workspace.lake.sql(f"SELECT cohen_kappa, discord FROM {name} WHERE {judged}")
    assert len(rows) > 50
    assert rows["discord"].to_pylist() == pytest.approx([1 - one for one in rows["cohen_kappa"].to_pylist()])


WRONG = """slicing_exprs: ["distance >", "max(distance)", "regexp_like(origin, '^J')"]
      custom_metrics:
        - {type: aggregate, name: typed, input_columns: [distance], definition: "max({{input_colum}})"}
        - {type: derived, name: derived, input_columns: [distance], definition: "averag * 2"}
        - {type: aggregate, name: avg, input_columns: [distance], definition: "avg({{input_column}})"}"""


def test_sql_that_cannot_work_is_refused_where_it_stands_without_a_workspace(
    team: Team, monkeypatch: pytest.MonkeyPatch
):
    config = team.folder / "wrong.yml"
    more = ENVIRONMENTS.replace("MORE", WRONG).replace("NAME", "late")
    config.write_text(f"model: {MODELS['late']}\n{more}")
    monkeypatch.setenv("DATABRICKS_HOST", "http://127.0.0.1:9")
    told = team.lakemon("config", "check", str(config), "-e", "prod", code=2)
    place = "environments.prod.monitoring"
    assert [(one["code"], one["path"]) for one in told["error"]["problems"]] == [
        ("LM330", f"{place}.slicing_exprs.0"),
        ("LM332", f"{place}.slicing_exprs.1"),
        ("LM334", f"{place}.custom_metrics.0"),
        ("LM333", f"{place}.custom_metrics.1"),
        ("LM335", f"{place}.custom_metrics.2"),
    ]
    lines = config.read_text().splitlines()
    for problem, text in zip(told["error"]["problems"][2:], ("typed", "derived", "name: avg"), strict=True):
        assert text in lines[problem["line"] - 1]
        assert problem["cure"]


@pytest.mark.parametrize(
    ("wrong", "code", "said"),
    [
        ("slicing_exprs: [distanc > 900]", "LM333", "distance"),
        ("slicing_exprs: [no_such_function(distance)]", "LM337", "no_such_function"),
        (
            """custom_metrics:
        - {type: aggregate, name: odd, input_columns: [origin],
           definition: "sum(cast({{input_column}} as date))"}""",
            "LM337",
            "sum",
        ),
    ],
)
def test_sql_that_does_not_fit_the_table_is_refused_before_anything_is_done(
    team: Team, wrong: str, code: str, said: str
):
    config = team.folder / "misfit.yml"
    more = ENVIRONMENTS.replace("MORE", wrong).replace("NAME", "late")
    config.write_text(f"model: {MODELS['late']}\n{more}")
    team.lakemon("config", "check", str(config), "-e", "prod")  # which asks no workspace
    before = len(team.workspace.journal.calls)
    for command in ("plan", "run"):
        failure = ("UNRESOLVED_ROUTINE", "Cannot resolve no_such_function")
        team.workspace.statements.fail["NO_SUCH_FUNCTION"] = failure
        told = team.lakemon(command, "-c", str(config), "-e", "prod", code=2)
        (problem,) = told["error"]["problems"]
        assert problem["code"] == code
        assert said in problem["what"] + problem["cure"]
    team.workspace.statements.fail.clear()
    done = team.workspace.journal.calls[before:]
    changing = ("INSERT", "MERGE", "CREATE", "UPDATE", "DELETE")
    assert not [one for one in done if statement_of(one).startswith(changing)]


def statement_of(call: Any) -> str:
    """The SQL of a call; empty where it is none."""
    body = call.request.body
    return (
        json.loads(body).get("statement", "")
        if body and call.request.path == "/api/2.0/sql/statements"
        else ""
    )


def test_windows_that_databricks_does_not_have_are_refused_where_they_are_written(team: Team):
    written = (team.folder / "air_time.yml").read_text()
    assert 'granularities: ["1 day"]' in written
    config = team.folder / "rows.yml"
    config.write_text(written.replace('granularities: ["1 day"]', 'granularities: ["1 day", "500 rows"]'))
    (problem,) = team.lakemon("config", "check", str(config), "-e", "prod", code=2)["error"]["problems"]
    path = "environments.prod.monitoring.granularities.1"
    assert (problem["code"], problem["path"]) == ("LM454", path)
    assert problem["line"] > 0
    assert "1 day" in problem["cure"]
    team.lakemon("config", "check", str(config), "-e", "laptop")


def test_the_same_run_again_changes_nothing(team: Team):
    told = team.run("late", "prod")
    assert {stage["status"] for stage in told["stages"] if stage["name"] != "validate"} == {"nothing to do"}
    (monitor,) = (one for one in team.workspace.monitors.known.values() if one.config.get("custom_metrics"))
    assert monitor.version == 0
