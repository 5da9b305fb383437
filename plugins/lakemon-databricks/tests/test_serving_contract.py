"""The contract of every backend, on a workspace with a model that MLflow registered."""

from pathlib import Path

import pytest
from fakes.databricks import FakeWorkspace

from lakemon_core.domain.names import TableName
from lakemon_core.testing.backend import BackendContract, Registered

MODEL = "prod.flights.delays"


class TestDatabricksBackend(BackendContract):
    @pytest.fixture
    def open_backend(self, signed_in: FakeWorkspace, open_databricks):
        signed_in.lake.create_schema("prod.flights")
        return lambda: open_databricks({"call_seconds": 20.0}, serving={"endpoint_name": self.endpoint})

    @pytest.fixture
    def registered(self, saved_model: Path, open_backend) -> Registered:
        models = open_backend().registry.models
        for _ in range(2):
            models.register(str(saved_model), MODEL)
        models.set_alias(MODEL, "champion", "1")
        return Registered(MODEL, "1", "2", TableName("prod", "flights", "contract_payload"))
