"""A fake workspace, and backends that are opened on it by nothing but the environment, as in a job."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from fakes.databricks import FakeWorkspace
from fakes.databricks.fixtures import databricks_workspace
from lakemon_databricks.backend import DatabricksBackend, DatabricksConfig

from lakemon_core.config import EnvironmentSecrets, from_dict
from lakemon_core.domain.monitor import Monitor, ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import BackendSetup, EndpointState, ModelVersion

__all__ = ["databricks_workspace"]

MODEL = "prod.flights.delays"
PAYLOAD = TableName("prod", "flights", "inference_logs_payload")
PLACED = (
    "DATABRICKS_HOST",
    "DATABRICKS_CONFIG_PROFILE",
    "DATABRICKS_AUTH_TYPE",
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
)
"""What the registry places for mlflow."""
FOREIGN = ("DATABRICKS_", "ARM_", "MLFLOW_", "ACTIONS_ID_TOKEN", "SYSTEM_")


class Clock:
    """The time of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class Quiet:
    """Progress that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        self.told.append(what)


@pytest.fixture
def quiet() -> Quiet:
    return Quiet()


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials of this machine reach a test, and what a test puts there goes away with it."""
    for name in [name for name in os.environ if name.startswith(FOREIGN)]:
        monkeypatch.delenv(name)
    for name in PLACED:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("DATABRICKS_CONFIG_FILE", str(tmp_path / "databrickscfg"))


@pytest.fixture
def signed_in(databricks_workspace: FakeWorkspace, monkeypatch: pytest.MonkeyPatch) -> FakeWorkspace:
    """The workspace, with host and token in the environment."""
    monkeypatch.setenv("DATABRICKS_HOST", databricks_workspace.host)
    monkeypatch.setenv("DATABRICKS_TOKEN", databricks_workspace.token)
    return databricks_workspace


@pytest.fixture
def models(signed_in: FakeWorkspace) -> FakeWorkspace:
    """The workspace with three versions of `prod.flights.delays`, which answer 0.1, 0.2 and 0.3."""
    for answer in (0.1, 0.2, 0.3):
        signed_in.models.add(MODEL, lambda rows, answer=answer: [answer] * len(rows))
    return signed_in


def monitor_of(**environment: Any) -> Monitor:
    """The resolved config of `flights` in catalog `prod`; keyword arguments go into its environment."""
    wanted = {
        "backend": "databricks",
        "catalog": "prod",
        "schema": "flights",
        "serving": {"endpoint_name": "flights"},
        **environment,
    }
    config = {"model": {"name": "delays", "type": "classification"}, "environments": {"prod": wanted}}
    return from_dict(config).monitor


OpenBackend = Callable[..., DatabricksBackend]


@pytest.fixture
def open_databricks(tmp_path: Path) -> OpenBackend:
    """Opens the backend: `open_databricks(settings={...}, serving={...}, ...)`."""

    def opened(settings: dict[str, Any] | None = None, **environment: Any) -> DatabricksBackend:
        secrets = EnvironmentSecrets({})
        config = DatabricksConfig(**{"call_seconds": 5.0, **(settings or {})})
        setup = BackendSetup(monitor_of(**environment), tmp_path, Clock(), secrets, config)
        backend = DatabricksBackend(replace(setup, git_sha="0a1b2c3"))
        secrets.ask(backend.secret)
        return backend

    return opened


@pytest.fixture
def payload() -> TableName:
    """Where requests to the endpoint are logged."""
    return PAYLOAD


@pytest.fixture
def deploy(open_databricks: OpenBackend, models: FakeWorkspace, quiet: Quiet) -> Callable[..., EndpointState]:
    """Deploys a version, each time from another machine: `deploy("1", traffic={...}, environment={...})`."""

    def deployed(version: str = "1", payload: TableName = PAYLOAD, **spec: Any) -> EndpointState:
        backend = open_databricks(**spec.pop("environment", {}))
        wanted = ServingSpec("flights", **{"timeout_seconds": 30.0, **spec})
        model = ModelVersion(MODEL, version, uri=f"models:/{MODEL}/{version}")
        return backend.serving.deploy(wanted, model, payload, progress=quiet)

    return deployed


@pytest.fixture(scope="session")
def saved_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model in a folder as MLflow saves it, with signature and input example."""
    import mlflow.sklearn
    import pandas as pd
    from mlflow.models import infer_signature
    from sklearn.linear_model import LogisticRegression

    inputs = pd.DataFrame({"distance": [30.0, 90.0, 400.0, 700.0], "hour": [3.0, 9.0, 12.0, 20.0]})
    model = LogisticRegression().fit(inputs, [0, 1, 0, 1])
    folder = tmp_path_factory.mktemp("models") / "delays"
    mlflow.sklearn.save_model(
        model,
        str(folder),
        signature=infer_signature(inputs, model.predict(inputs)),
        input_example=inputs,
        serialization_format="skops",
        pip_requirements=["scikit-learn"],
    )
    return folder
