"""Registered models, workspaces that know them, and servers that are stopped in the end."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from lakemon_local.serving.local_serving import LocalServing
from lakemon_local.serving.model_server import LocalModelServer
from lakemon_local.tables import DeltaTables

from lakemon_core.domain.monitor import ServingSpec
from lakemon_core.domain.names import TableName
from lakemon_core.ports import EndpointState
from lakemon_core.tracking import ModelRegistry

VARIABLES = ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI", "LAKEMON_MLFLOW_STORE")


class Quiet:
    """Progress and secrets that tests do not look at."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        pass

    def reveal(self, text: str) -> str:
        return text.replace("${secret:a/b}", "revealed")


class Site:
    """A workspace with models, as one `lakemon` call sees it.

    Registered: `dev.flights.delays` (version 1 answers 0 or 1, version 2 probabilities),
    `dev.flights.pickled` and `dev.flights.broken` (its file holds no model).
    """

    model = "dev.flights.delays"

    def __init__(self, workspace: Path, endpoint: str = "flights-dev", **server: object) -> None:
        self.workspace = workspace
        self.endpoint = endpoint
        self.payload = TableName("dev", "flights", f"{endpoint}_payload")
        self.registry = ModelRegistry(workspace)
        self.tables = DeltaTables(workspace / "tables")
        self.server = LocalModelServer(workspace, **server)
        self.serving = LocalServing(workspace, self.server, self.tables, Quiet(), prepare=self.registry.point)

    def deploy(self, version: str = "1", model: str = "", **spec: object) -> EndpointState:
        wanted = ServingSpec(self.endpoint, **{"timeout_seconds": 120.0, **spec})
        found = self.registry.resolve(model or self.model, version)
        return self.serving.deploy(wanted, found, self.payload, progress=Quiet())

    def ask(self, *records: dict, client_request_id: str = ""):
        rows = records or ({"distance": 30.0, "hour": 3.0},)
        return self.serving.query(self.endpoint, rows, client_request_id=client_request_id)

    def logged(self) -> list[dict]:
        """The rows of the payload table, after everything spooled was moved."""
        self.serving.flush()
        return self.tables.scan(self.payload).read_all().to_pylist()

    def again(self, endpoint: str = "", **server: object) -> "Site":
        """The same workspace, as the next `lakemon` call sees it."""
        return Site(self.workspace, endpoint or self.endpoint, **server)


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    """A workspace with models, made once."""
    import mlflow
    from sklearn.linear_model import LogisticRegression

    for variable in VARIABLES:
        os.environ.pop(variable, None)
    workspace = tmp_path_factory.mktemp("library")
    registry = ModelRegistry(workspace)
    registry.point()
    rows = pd.DataFrame({"distance": np.arange(40.0), "hour": np.arange(40.0) % 24})
    model = LogisticRegression().fit(rows, (rows["distance"] > 20).astype(int))
    saved = {"input_example": rows.head(2), "pip_requirements": ["scikit-learn"]}
    for number, predict in enumerate(("predict", "predict_proba"), start=1):
        folder = workspace / f"v{number}"
        signature = mlflow.models.infer_signature(rows, getattr(model, predict)(rows))
        mlflow.sklearn.save_model(model, folder, signature=signature, pyfunc_predict_fn=predict, **saved)
        registry.register(str(folder), Site.model)
    mlflow.sklearn.save_model(model, workspace / "pickled", serialization_format="cloudpickle", **saved)
    registry.register(str(workspace / "pickled"), "dev.flights.pickled")
    shutil.copytree(workspace / "v1", workspace / "broken")
    registry.register(str(workspace / "broken"), "dev.flights.broken")
    (workspace / "broken" / "model.skops").write_bytes(b"not a model")
    return workspace


def stock(library: Path, folder: Path) -> Path:
    """Returns a fresh workspace that knows the models of the library."""
    workspace = folder / ".lakemon"
    workspace.mkdir()
    shutil.copy(library / "mlflow.db", workspace / "mlflow.db")
    return workspace


@pytest.fixture
def site(library, tmp_path) -> Iterator[Site]:
    """A fresh workspace; its server, if a test starts one, is stopped."""
    site = Site(stock(library, tmp_path))
    yield site
    site.server.stop()


@pytest.fixture(scope="session")
def live(library, tmp_path_factory) -> Iterator[Site]:
    """A workspace whose endpoint answers with version 1, for all tests: starting a server takes seconds."""
    site = Site(stock(library, tmp_path_factory.mktemp("live")))
    site.deploy()
    yield site
    site.server.stop()


@pytest.fixture
def progress() -> Quiet:
    return Quiet()
