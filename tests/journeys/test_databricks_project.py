"""A project of `lakemon init` on Databricks: its jobs, task by task as the bundle has them, to an alert."""

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from fakes.databricks import FakeWorkspace
from fakes.databricks.fixtures import databricks_workspace
from ruamel.yaml import YAML

from lakemon_core.cli import scripts
from lakemon_core.cli.main import call

__all__ = ["databricks_workspace"]

MODEL = "mlops_dev.flights.delays"
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, predict_fn: predict, python_version: 3.11.7}
signature:
  inputs: '[{"type": "double", "name": "distance"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "object", "shape": [-1]}}]'
saved_input_example_info: {artifact_path: example.json, pandas_orient: split, type: dataframe}
"""
ROWS = 40
FOREIGN = ("DATABRICKS_", "ARM_", "MLFLOW_", "LAKEMON_", "ACTIONS_ID_TOKEN", "SYSTEM_")


def answers(rows: list[dict]) -> list[str]:
    """The model: short flights are late."""
    return ["late" if row["distance"] < 500 else "on time" for row in rows]


class Project:
    """A project folder, and what a team does there."""

    def __init__(
        self, folder: Path, workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch, capfd
    ) -> None:
        self.folder, self.workspace = folder, workspace
        self._patch, self._capfd = monkeypatch, capfd

    def init(self) -> None:
        """`lakemon init`, and every place changed that has to be."""
        arguments = (
            "--backend",
            "databricks",
            "--model",
            "delays",
            "--schema",
            "flights",
            "--email",
            "a@b.cd",
        )
        assert call(["init", str(self.folder), *arguments]) == 0
        config = self.folder / "monitoring_config.yml"
        rule = "- {metric: row_count, threshold: 1000000, recipients: [file]}"
        config.write_text(
            config.read_text()
            .replace("your-dev-warehouse", self.workspace.warehouse_id)
            .replace("    alerts:\n", f"    alerts:\n      {rule}\n")
            .replace("  prediction_proba_col: proba ", "  classes: [late, on time]  # ")
        )

    def register(self) -> None:
        """What a training job did."""
        models = self.workspace.models
        version = models.add(MODEL, answers)
        place = models.folder(MODEL, version.number)
        place.mkdir(parents=True)
        (place / "MLmodel").write_text(MLMODEL)
        (place / "example.json").write_text(json.dumps({"columns": ["distance"], "data": [[100.0], [900.0]]}))

    def ask(self, day: datetime) -> None:
        """Forty requests of one day, each with an id that its label comes back with."""
        client = self.workspace.client()
        for number in range(ROWS):
            self.workspace.clock.stop_at(day + timedelta(minutes=number))
            client.serving_endpoints.query(
                "delays-dev",
                dataframe_records=[{"distance": 20.0 * number}],
                client_request_id=f"{day:%m%d}-{number}",
            )
        self.workspace.clock.stop_at(datetime.now(UTC))

    def job(self, name: str) -> dict[str, dict]:
        """Runs the tasks of a job one after the other; returns their documents by task."""
        text = (self.folder / f"resources/workflows/{name}.yml").read_text()
        tasks = YAML(typ="safe", pure=True).load(text)["resources"]["jobs"][name]["tasks"]
        return {task["task_key"]: self._task(**task["python_wheel_task"]) for task in tasks}

    def _task(self, package_name: str, entry_point: str, parameters: list[str]) -> dict:
        """Calls an entry point as Databricks does: a function without arguments, parameters in `sys.argv`."""
        known = {
            "workspace.file_path": str(self.folder),
            "bundle.target": "dev",
            "bundle.git.commit": "0a1b2c3",
        }
        words = [str(word) for word in parameters]
        for name, value in known.items():
            words = [word.replace(f"${{{name}}}", value) for word in words]
        assert not any("${" in word for word in words)
        self._patch.setattr("sys.argv", [package_name, *words, "--output", "json", "--quiet"])
        self._capfd.readouterr()
        getattr(scripts, entry_point)()
        return json.loads(self._capfd.readouterr().out)


@pytest.fixture
def project(databricks_workspace, tmp_path, monkeypatch, capfd):
    """A team with a workspace in which the tables that its config names are there."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))
    monkeypatch.setenv("DATABRICKS_HOST", databricks_workspace.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", databricks_workspace.token)
    lake = databricks_workspace.lake
    for schema in ("flights", "monitoring", "lakemon"):
        lake.create_schema(f"mlops_dev.{schema}")
    distances = [20.0 * number for number in range(ROWS)]
    trained = {
        "distance": distances,
        "prediction": answers([{"distance": distance} for distance in distances]),
        "model_id": ["1"] * ROWS,
    }
    lake.write("mlops_dev.flights.training_data", pa.table(trained))
    lake.write("mlops_dev.flights.labels", pa.table({"client_request_id": ["none"], "label": ["late"]}))
    return Project(tmp_path / "delays", databricks_workspace, monkeypatch, capfd)


def test_the_jobs_of_a_new_project_lead_to_one_alert(project):
    project.init()
    project.register()

    deployed = project.job("serving_deployment")
    assert {task: document["exit_code"] for task, document in deployed.items()} == {
        "deploy": 0, "validate": 0, "setup_monitoring": 0
    }  # fmt: skip
    (deploy,) = deployed["deploy"]["stages"]
    assert deploy["detail"]["payload_table"] == "mlops_dev.flights.inference_logs_payload"
    tags = {tag.key: tag.value for tag in project.workspace.client().serving_endpoints.get("delays-dev").tags}
    assert tags["lakemon_git_sha"] == "0a1b2c3"
    (validate,) = deployed["validate"]["stages"]
    assert validate["detail"]["logged"] == validate["detail"]["requests"] > 0

    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for days in (3, 2):
        project.ask(today - timedelta(days=days))
    refreshed = project.job("monitoring_refresh")
    (refresh,) = refreshed["refresh"]["stages"]
    assert refresh["detail"]["rows_unpacked"] == 2 * ROWS
    assert refresh["detail"]["windows"] == 2
    (told,) = [one for one in refreshed["alert"]["deliveries"] if one["sink"] == "file"]
    assert told["status"] == "delivered"
    (mail,) = (project.folder / ".lakemon/outbox").iterdir()
    assert "row count 40 < 1,000,000" in mail.read_text()

    again = project.job("monitoring_refresh")
    assert {document["stages"][0]["status"] for document in again.values()} == {"nothing to do"}
    assert again["alert"]["deliveries"] == []
    assert list((project.folder / ".lakemon/outbox").iterdir()) == [mail]
