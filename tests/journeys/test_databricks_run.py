"""The whole run on Databricks, from the command line: requests become rows, metrics, signals, an incident."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from fakes.databricks import FakeWorkspace
from fakes.databricks.fixtures import databricks_workspace

from lakemon_core.domain.monitor import Roles
from lakemon_core.domain.window import Granularity
from lakemon_core.profiling.layout import split_models
from lakemon_core.profiling.measure import (
    Comparison,
    GroupKey,
    drift_rows,
    measure,
    plan_columns,
    profile_rows,
)
from lakemon_core.profiling.schemas import drift_schema, profile_schema

__all__ = ["databricks_workspace"]

CONFIG = """\
model:
  {name: delays, type: classification, prediction_proba_col: proba, label_col: late, classes: ["no", "yes"]}
environments:
  prod:
    backend: databricks
    catalog: prod
    schema: flights
    serving: {endpoint_name: flights}
    inference_table: &table
      name: inference_logs
      labels:
        {table: outcomes, on: [client_request_id, row_index], label_col: late, timestamp_col: arrived_at}
    monitoring: &monitoring
      output_schema: monitoring
      granularities: ["1 day"]
      baseline_table: training
      alerts:
        - {metric: feature_drift, threshold: 0.2}
        - {metric: accuracy, threshold: 0.5}
    databricks: {log_wait_seconds: 3, call_seconds: 20, refresh_seconds: 60}
  laptop:
    catalog: prod
    schema: flights
    inference_table: *table
    monitoring: *monitoring
"""
MODEL = "prod.flights.delays"
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, predict_fn: predict_proba, python_version: 3.11.7}
signature:
  inputs: '[{"type": "double", "name": "distance"}, {"type": "string", "name": "dest"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]'
saved_input_example_info: {artifact_path: example.json, pandas_orient: split, type: dataframe}
"""
EXAMPLE = {"columns": ["distance", "dest"], "data": [[300.0, "JFK"], [900.0, "BOS"]]}
START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=4)
ROLES = Roles(prediction_proba="proba", label="late", others=("client_request_id", "late_arrived_at"))
OURS = {
    "reasons", "table_version", "config_hash", "method", "intervals", "counts", "new_categories",
    "wasserstein_normalized", "psi_chance_level", "tv_chance_level", "js_chance_level", "cramers_v",
    "out_of_range", "new_category_share", "bins", "n", "n_reference",
}  # fmt: skip


def flights(day: int, rows: int = 60) -> list[dict[str, Any]]:
    """Requests of one day; on the third all flights are longer."""
    rng = np.random.default_rng(day)
    distance = rng.normal(900.0 if day < 2 else 1500.0, 200.0, rows)
    moments = [START + timedelta(days=day, minutes=20 * at) for at in range(rows)]
    return [
        {
            "distance": round(float(far), 3),
            "dest": str(rng.choice(["JFK", "BOS", "SFO"])),
            "timestamp": str(at),
        }
        for far, at in zip(distance, moments, strict=True)
    ]


def predict(rows: list[dict[str, Any]]) -> list[list[float]]:
    shares = [min(0.95, max(0.05, row["distance"] / 2000.0)) for row in rows]
    return [[1.0 - share, share] for share in shares]


def measured(config: dict[str, Any], rows: pa.Table, baseline: pa.Table | None):
    """What data profiling would find: exact values, in Databricks' columns only."""
    plan = plan_columns(rows.schema, ROLES)
    granularity = Granularity("1 day")
    days = sorted({granularity.window(moment) for moment in rows["timestamp"].to_pylist()})
    assert baseline is not None
    base_plan = plan_columns(baseline.schema, ROLES).keep(plan)
    base = measure(baseline, GroupKey(None, None, "*", None, None, "BASELINE"), base_plan)
    profile, drift = profile_rows(base, "model_id"), []
    groups: dict[Any, dict[str, Any]] = {}
    for day in days:
        inside = pc.and_(pc.greater_equal(rows["timestamp"], day.start), pc.less(rows["timestamp"], day.end))
        groups[day] = {
            model: measure(part, GroupKey(day, "1 day", model, None, None, "INPUT"), plan)
            for model, part in split_models(rows.filter(inside), "model_id")
        }
        for group in groups[day].values():
            profile += profile_rows(group, "model_id")
            drift += drift_rows([Comparison(group, base, "BASELINE")], "model_id")[0]
    for before, after in pairwise(days):
        for model in groups[before].keys() & groups[after].keys():
            drift += drift_rows(
                [Comparison(groups[after][model], groups[before][model], "CONSECUTIVE")], "model_id"
            )[0]
    for row in drift:
        if row["new_categories"] is None:
            row.update(dict.fromkeys(("js_distance", "tv_distance", "l_infinity_distance")))
    return _told(profile, profile_schema("model_id")), _told(drift, drift_schema("model_id"))


def _told(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    table = pa.Table.from_pylist(rows, schema=schema)
    return table.drop_columns([name for name in table.column_names if name in OURS])


class Team:
    """A project folder, a workspace, and the command line."""

    def __init__(self, folder: Path, workspace: FakeWorkspace) -> None:
        self.folder = folder
        self.workspace = workspace
        (folder / "monitoring_config.yml").write_text(CONFIG)

    def lakemon(self, *command: str, code: int = 0) -> dict:
        """Runs a command; returns its document."""
        foreign = ("DATABRICKS_", "MLFLOW_", "LAKEMON_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        signed_in = {"DATABRICKS_HOST": self.workspace.host, "DATABRICKS_TOKEN": self.workspace.token}
        done = subprocess.run(
            [str(Path(sys.executable).with_name("lakemon")), *command, "--output", "json"],
            cwd=self.folder,
            env={**kept, **signed_in},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def ask(self, days: int) -> None:
        """Sends the requests of some days, as an application does."""
        client = self.workspace.client()
        for day in range(days):
            records: Any = flights(day)
            client.serving_endpoints.query(
                "flights", dataframe_records=records, client_request_id=f"day-{day}"
            )

    def tell_outcomes(self, days: int) -> None:
        """Writes the labels of some days."""
        for day in range(days):
            late = [row["distance"] > 1000.0 + at % 400 for at, row in enumerate(flights(day))]
            rows = {
                "client_request_id": [f"day-{day}"] * len(late),
                "row_index": pa.array(range(len(late)), pa.int64()),
                "late": ["yes" if one else "no" for one in late],
                "arrived_at": pa.array(
                    [START + timedelta(days=day + 1)] * len(late), pa.timestamp("us", "UTC")
                ),
            }
            self.workspace.lake.write("prod.flights.outcomes", pa.table(rows))

    def versions(self) -> dict[str, int]:
        """Every table but the ledger with its newest version."""
        found = {}
        for name in self.workspace.lake.metastore.tables:
            if not name.startswith("prod.lakemon.flights_"):
                history = self.workspace.lake.sql(f"DESCRIBE HISTORY {name} LIMIT 1").to_pylist()
                found[name] = history[0]["version"]
        return found


@pytest.fixture
def team(tmp_path: Path, databricks_workspace: FakeWorkspace) -> Team:
    """A workspace with a registered model and a baseline."""
    lake, models = databricks_workspace.lake, databricks_workspace.models
    for schema in ("flights", "monitoring", "lakemon"):
        lake.create_schema(f"prod.{schema}")
    folder = models.folder(MODEL, models.add(MODEL, predict).number)
    folder.mkdir(parents=True)
    (folder / "MLmodel").write_text(MLMODEL)
    (folder / "example.json").write_text(json.dumps(EXAMPLE))
    rows = [row for day in (0, 1) for row in flights(day + 50)]
    shares = [share for _, share in predict([{"distance": row["distance"] - 300} for row in rows])]
    base = {
        "distance": [row["distance"] - 600.0 for row in rows],
        "dest": [row["dest"] for row in rows],
        "proba": shares,
        "prediction": ["yes" if share > 0.5 else "no" for share in shares],
        "late": ["yes" if at % 3 == 0 else "no" for at in range(len(rows))],
    }
    lake.write("prod.flights.training", pa.table(base))
    databricks_workspace.monitors.measure = measured
    return Team(tmp_path, databricks_workspace)


def stages(told: dict) -> dict[str, str]:
    return {stage["name"]: stage["status"] for stage in told["stages"]}


def test_requests_become_rows_metrics_signals_and_an_incident(team: Team):
    first = team.lakemon("run", "-e", "prod")
    assert stages(first)["deploy"] == "done"
    assert stages(first)["monitor"] == "nothing to do"
    team.ask(days=3)
    team.tell_outcomes(days=2)

    told = team.lakemon("run", "-e", "prod")
    monitor = next(stage for stage in told["stages"] if stage["name"] == "monitor")
    assert (monitor["status"], monitor["detail"]["windows"]) == ("done", 3)
    assert (monitor["detail"]["rows_unpacked"], monitor["detail"]["labels_merged"]) == (180, 120)
    assert {incident["column"] for incident in told["incidents"]} == {"distance"}
    assert "/dashboardsv3/" in told["dashboard_url"]

    before, refreshes = team.versions(), len(team.workspace.journal.to("POST", "*refreshes"))
    again = team.lakemon("run", "-e", "prod")
    assert set(stages(again).values()) == {"nothing to do"}
    assert team.versions() == before
    assert len(team.workspace.journal.to("POST", "*refreshes")) == refreshes

    report = team.lakemon("report", "-e", "prod")
    assert (report["state"], report["sentence"]) == ("incident", "1 critical incident open.")
    html = Path(report["file"]).read_text(encoding="utf-8")
    assert 'data-column="distance"' in html
    assert "Which classes are mixed up?" in html
    assert team.versions() == before

    same_numbers_on_a_laptop(team)


def same_numbers_on_a_laptop(team: Team) -> None:
    """The rows of the lake, measured by the local backend, give the same signals."""
    for table in ("inference_logs", "training", "outcomes"):
        pq.write_table(
            team.workspace.lake.sql(f"SELECT * FROM prod.flights.{table}"), team.folder / "rows.parquet"
        )
        team.lakemon("table", "import", f"prod.flights.{table}", "rows.parquet", "-e", "laptop")
    team.lakemon("run", "-e", "laptop")
    query = "SELECT * FROM prod.monitoring.inference_logs_signals"
    expected = by_place(team.lakemon("query", query, "-e", "laptop")["rows"])
    found = by_place(team.workspace.lake.sql(query).to_pylist())
    assert found.keys() == expected.keys()
    lost = {place for place in expected if expected[place] is not None and found[place] is None}
    assert {place[-2] for place in lost} <= {
        "js_distance",
        "tv_distance",
        "l_infinity_distance",
        "out_of_range",
    }
    computed = {place: value for place, value in expected.items() if value is not None and place not in lost}
    assert {place: found[place] for place in computed} == pytest.approx(computed, rel=1e-9, abs=1e-12)
    assert all(found[place] is None for place in expected.keys() - computed.keys())


def by_place(rows: list[dict]) -> dict[tuple, float | None]:
    names = ("model_id", "column", "signal", "statistic", "compare")
    return {(str(row["window"]["start"])[:10], *(row[name] for name in names)): row["value"] for row in rows}
