"""Fixtures: `from fakes.databricks.fixtures import databricks_workspace` in a conftest."""

from collections.abc import Iterator

import pytest

from .workspace import FakeWorkspace


@pytest.fixture
def databricks_workspace() -> Iterator[FakeWorkspace]:
    """A fresh workspace; in the end the test fails when it was asked what it does not know."""
    workspace = FakeWorkspace()
    yield workspace
    workspace.stop()
    workspace.check()
