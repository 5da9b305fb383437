"""mlflow writes where lakemon looks."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lakemon_core.tracking import MlflowStores, point_mlflow

VARIABLES = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "LAKEMON_MLFLOW_STORE",
    "_MLFLOW_SERVER_ARTIFACT_ROOT",
    "MLFLOW_DISABLE_TELEMETRY",
)


@pytest.fixture(autouse=True)
def _clean(monkeypatch):
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")
        monkeypatch.delenv(variable)


def test_without_settings_mlflow_writes_into_the_workspace(tmp_path):
    stores = point_mlflow(tmp_path / "ws")
    assert stores.tracking_uri == stores.registry_uri == f"sqlite:///{tmp_path}/ws/mlflow.db"
    assert not stores.unity_catalog


def test_the_users_server_wins_over_the_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    stores = point_mlflow(tmp_path / "ws")
    assert stores.tracking_uri == stores.registry_uri == "http://mlflow.example:5000"
    assert not (tmp_path / "ws").exists()


def test_a_registry_of_its_own_is_kept_beside_local_tracking(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", "databricks-uc")
    stores = point_mlflow(tmp_path)
    assert stores.tracking_uri.startswith("sqlite:///")
    assert stores.unity_catalog


@pytest.mark.parametrize(
    ("tracking", "registry"),
    [("databricks", "databricks-uc"), ("databricks://team", "databricks-uc://team")],
)
def test_databricks_tracking_means_unity_catalog(tmp_path, monkeypatch, tracking, registry):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking)
    assert point_mlflow(tmp_path).registry_uri == registry


def test_what_was_placed_for_any_workspace_before_is_not_the_users(tmp_path, monkeypatch):
    first = point_mlflow(tmp_path / "one").tracking_uri
    point_mlflow(tmp_path / "two")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", first)
    assert point_mlflow(tmp_path / "three").tracking_uri.endswith("three/mlflow.db")


def test_a_second_workspace_is_not_mistaken_for_the_users_setting(tmp_path):
    point_mlflow(tmp_path / "one")
    assert point_mlflow(tmp_path / "two").tracking_uri.endswith("two/mlflow.db")


def test_the_address_of_another_environment_of_this_process_is_not_the_users(tmp_path):
    MlflowStores("databricks", "databricks-uc").use()
    stores = point_mlflow(tmp_path)
    assert stores.tracking_uri == stores.registry_uri == f"sqlite:///{tmp_path}/mlflow.db"


def test_the_users_own_databricks_stays_theirs_after_an_environment_used_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "databricks")
    MlflowStores("databricks", "databricks-uc").use()
    stores = point_mlflow(tmp_path)
    assert (stores.tracking_uri, stores.registry_uri) == ("databricks", "databricks-uc")


def test_what_the_user_sets_after_the_first_call_is_kept(tmp_path):
    import mlflow

    point_mlflow(tmp_path / "one")
    mlflow.set_tracking_uri("sqlite:////elsewhere/mlflow.db")
    assert point_mlflow(tmp_path / "two").tracking_uri == "sqlite:////elsewhere/mlflow.db"
    mlflow.set_tracking_uri(None)


def test_pointing_mlflow_does_not_import_it(tmp_path):
    code = (
        "import sys; from pathlib import Path; from lakemon_core.tracking import MlflowStores, point_mlflow;"
        "point_mlflow(Path('ws')); print(sorted({'mlflow', 'pandas', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "[]"


def test_telemetry_is_off(tmp_path):
    point_mlflow(tmp_path)
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


def test_a_plain_log_model_of_another_process_lands_in_the_workspace(tmp_path: Path):
    code = """
from pathlib import Path
from lakemon_core.tracking import ModelRegistry, point_mlflow
point_mlflow(Path("ws"))
import mlflow
from sklearn.linear_model import LinearRegression
mlflow.set_experiment("mine")
mlflow.sklearn.log_model(
    LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0]), name="m",
    registered_model_name="dev.flights.delays", pip_requirements=[],
)
print(ModelRegistry(Path("ws")).latest("dev.flights.delays").version)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    assert done.stdout.split()[-1] == "1", done.stderr
    assert {entry.name for entry in tmp_path.iterdir()} == {"ws"}
