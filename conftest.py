"""What holds for the tests of all members: their order, patience, Ctrl-C, and mlflow left as it was."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background, as some runners do: commands that tests start would ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)

MLFLOW = (
    "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
    "LAKEMON_MLFLOW_STORE",
    "_MLFLOW_SERVER_ARTIFACT_ROOT",
)
"""Variables that point mlflow somewhere: mlflow itself and lakemon set them for a whole process."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files go first: at the end all workers have short ones, and none waits for another."""
    items.sort(key=lambda item: not ("journeys" in item.path.parts or item.path.name == "test_house.py"))


@pytest.fixture(scope="module", autouse=True)
def mlflow_is_left_as_it_was() -> Iterator[None]:
    """Tests of other modules in this process do not find the registry of a workspace that is gone."""
    before = {variable: os.environ.get(variable) for variable in MLFLOW}
    yield
    if "mlflow" in sys.modules:
        import mlflow

        mlflow.set_tracking_uri(before["MLFLOW_TRACKING_URI"])
        mlflow.set_registry_uri(before["MLFLOW_REGISTRY_URI"])
    for variable, value in before.items():
        if value is None:
            os.environ.pop(variable, None)
        else:
            os.environ[variable] = value
