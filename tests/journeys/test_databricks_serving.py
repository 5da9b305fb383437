"""A team brings a model to Databricks: doctor, plan, deploy, validate, roll back, from the command line."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fakes.databricks import FakeWorkspace
from fakes.databricks.fixtures import databricks_workspace

__all__ = ["databricks_workspace"]

CONFIG = """\
model: {name: delays, type: classification, prediction_proba_col: proba}
environments:
  prod:
    backend: databricks
    catalog: prod
    schema: flights
    serving:
      endpoint_name: flights
      environment_vars: {API_TOKEN: "${secret:api/token}"}
    inference_table: {name: inference_logs}
    databricks: {tags: {team: delays}, log_wait_seconds: 3, call_seconds: 20}
"""
MODEL = "prod.flights.delays"
MLMODEL = """\
flavors:
  python_function: {loader_module: mlflow.sklearn, predict_fn: predict_proba, python_version: 3.11.7}
signature:
  inputs: '[{"type": "double", "name": "distance"}, {"type": "double", "name": "hour"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 2]}}]'
saved_input_example_info: {artifact_path: example.json, pandas_orient: split, type: dataframe}
"""
EXAMPLE = {"columns": ["distance", "hour"], "data": [[30.0, 3.0], [90.0, 9.0], [400.0, 12.0], [700.0, 20.0]]}


class Team:
    """A project folder, a workspace, and the commands of a job."""

    def __init__(self, folder: Path, workspace: FakeWorkspace) -> None:
        self.folder = folder
        self.workspace = workspace
        self.token = workspace.token
        (folder / "monitoring_config.yml").write_text(CONFIG)

    def run(self, *command: str, code: int = 0) -> str:
        """Runs a command of this environment; returns what it prints."""
        foreign = ("DATABRICKS_", "MLFLOW_", "LAKEMON_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        environment = {**kept, "DATABRICKS_HOST": self.workspace.host, "DATABRICKS_TOKEN": self.token}
        script = Path(sys.executable).with_name(command[0])
        done = subprocess.run(
            [str(script), *command[1:]],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout

    def told(self, *command: str, code: int = 0) -> dict:
        """Runs a command and returns its document."""
        return json.loads(self.run(*command, "--output", "json", code=code))

    def stage(self, *command: str, code: int = 0) -> dict:
        """Runs a command of one stage and returns what the stage did."""
        (stage,) = self.told(*command, code=code)["stages"]
        return stage

    def probes(self) -> int:
        """How many test requests were sent so far."""
        return len(self.workspace.journal.to("POST", "/serving-endpoints/flights/invocations"))

    def register(self) -> None:
        """Registers the next version, as a training job did; it answers with probabilities."""
        models = self.workspace.models
        version = models.add(MODEL, lambda rows: [[0.3, 0.7]] * len(rows))
        folder = models.folder(MODEL, version.number)
        folder.mkdir(parents=True)
        (folder / "MLmodel").write_text(MLMODEL)
        (folder / "example.json").write_text(json.dumps(EXAMPLE))


@pytest.fixture
def team(tmp_path: Path, databricks_workspace: FakeWorkspace) -> Team:
    """A workspace with the schemas and one registered version."""
    for schema in ("flights", "monitoring", "lakemon"):
        databricks_workspace.lake.create_schema(f"prod.{schema}")
    made = Team(tmp_path, databricks_workspace)
    made.register()
    return made


def test_a_model_comes_to_databricks(team: Team):
    checks = team.told("lakemon", "doctor", "-e", "prod")["checks"]
    assert [check for check in checks if not check["ok"]] == []
    assert any(check["name"] == "grants" and f"model {MODEL}" in check["detail"] for check in checks)

    planned = team.run("lakemon", "plan", "-e", "prod", "--stages", "deploy")
    assert f"create flights with {MODEL} version 1" in planned
    assert team.workspace.serving.endpoints == {}

    deployed = team.stage("deploy_serving", "-e", "prod", "--git-sha", "0a1b2c3")
    assert deployed["status"] == "done"
    assert deployed["detail"]["payload_table"] == "prod.flights.inference_logs_payload"
    tags = team.workspace.serving.endpoints["flights"].tags
    assert (tags["team"], tags["lakemon_git_sha"], tags["lakemon_version"]) == ("delays", "0a1b2c3", "1")
    assert team.stage("deploy_serving", "-e", "prod")["status"] == "nothing to do"

    team.workspace.payloads.delivers = lambda row: [3600.0, 3600.0]
    for _ in range(2):
        pending = team.told("validate_inference_table", "-e", "prod")
        assert pending["stages"][0]["status"] == "pending"
        assert any("logging is pending" in finding["title"] for finding in pending["findings"])
        assert team.probes() == 4

    team.workspace.clock.advance(3601)
    validated = team.stage("validate_inference_table", "-e", "prod")
    assert validated["status"] == "done"
    counts = ("requests", "answered", "logged", "logged_lately", "doubled", "failed", "oversize")
    assert [validated["detail"][name] for name in counts] == [4, 4, 4, 4, 4, 0, 0]
    again = team.stage("validate_inference_table", "-e", "prod")
    assert (again["status"], again["detail"]["logged_lately"]) == ("nothing to do", 4)
    assert team.probes() == 4

    team.register()
    team.workspace.models.known[MODEL].versions[2].predict = lambda rows: ["?"] * len(rows)
    planned = team.run("lakemon", "plan", "-e", "prod", "--stages", "deploy")
    assert "update flights from version 1 to 2" in planned
    told = team.told("lakemon", "run", "-e", "prod", "--stages", "deploy,validate", code=3)
    assert [stage["status"] for stage in told["stages"]] == ["done", "failed"]
    assert told["stages"][1]["detail"]["rolled_back_to"] == "1"
    assert team.workspace.serving.endpoints["flights"].tags["lakemon_version"] == "1"


def test_logging_that_does_not_come_is_an_error_in_the_end(team: Team):
    late = CONFIG.replace("log_wait_seconds: 3", "log_wait_seconds: 1, log_limit_seconds: 1")
    (team.folder / "monitoring_config.yml").write_text(late)
    team.stage("deploy_serving", "-e", "prod")
    team.workspace.payloads.delivers = lambda row: []
    for sent in (4, 8):  # what was lost is not waited for again
        told = team.told("validate_inference_table", "-e", "prod", code=3)
        assert told["stages"][0]["status"] == "failed"
        assert [finding["id"] for finding in told["findings"]] == ["validate/not_logged"]
        assert "logging does not work" in told["findings"][0]["title"]
        assert team.probes() == sent


def test_a_principal_without_grants_is_told_each_one(team: Team):
    team.token = team.workspace.identity.new_token("new@example.com")
    checks = team.told("lakemon", "doctor", "-e", "prod", code=3)["checks"]
    missing = "\n".join(check["detail"] for check in checks if check["name"] == "grants" and not check["ok"])
    for grant in ("USE CATALOG ON CATALOG `prod`", "CREATE TABLE ON SCHEMA `prod`.`flights`"):
        assert f"GRANT {grant} TO `new@example.com`" in missing
    assert not re.search(r"Traceback|dapi-", missing)
