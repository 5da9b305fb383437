"""A fake workspace for each test, the real SDK on it, and how a refusal is told."""

from collections.abc import Callable

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.errors import DatabricksError
from fakes.databricks import FakeWorkspace
from fakes.databricks.fixtures import databricks_workspace

__all__ = ["databricks_workspace"]


@pytest.fixture
def fake(databricks_workspace: FakeWorkspace) -> FakeWorkspace:
    return databricks_workspace


@pytest.fixture
def client(fake: FakeWorkspace) -> WorkspaceClient:
    return fake.client()


@pytest.fixture
def refusal() -> Callable[[Callable[[], object]], str]:
    """Says how the SDK understands a refusal: its class, Databricks' code and message."""

    def told(call: Callable[[], object]) -> str:
        with pytest.raises(DatabricksError) as caught:
            call()
        return f"{type(caught.value).__name__} {caught.value.error_code} {caught.value}"

    return told
